// Answers for the tests: one JSON request in a line of stdin, one JSON answer in a
// line of stdout. Needs the npm package "tokenizers" (NODE_PATH).
const { Tokenizer } = require('tokenizers');
const readline = require('readline');
let tokenizer = null;

function plain(e) {
  return {
    ids: e.getIds(), tokens: e.getTokens(), offsets: e.getOffsets(), types: e.getTypeIds(),
    words: e.getWordIds().map((w) => (w === null || w === undefined ? -1 : w)),
    special: e.getSpecialTokensMask(), attended: e.getAttentionMask(),
    overflow: e.getOverflowing().map(plain),
  };
}

async function answer(q) {
  switch (q.op) {
    case 'load': {
      const start = process.hrtime.bigint();
      tokenizer = q.file ? Tokenizer.fromFile(q.file) : Tokenizer.fromString(q.json);
      return { seconds: Number(process.hrtime.bigint() - start) / 1e9, size: tokenizer.getVocabSize() };
    }
    case 'sentencepiece': {
      const { SentencePieceProcessor } = require('sentencepiece-js');
      const sp = new SentencePieceProcessor();
      await sp.load(q.file);
      return { encodings: q.texts.map(([text]) => ({ ids: Array.from(sp.encodeIds(text)) })) };
    }
    case 'encode': {
      const out = [];
      for (const [text, pair] of q.texts) {
        try {
          out.push(plain(await tokenizer.encode(text, pair === undefined ? null : pair, { addSpecialTokens: q.special })));
        } catch (e) {
          out.push({ error: String(e.message) });
        }
      }
      return { encodings: out };
    }
    case 'decode': {
      const out = [];
      for (const ids of q.ids) out.push(await tokenizer.decode(ids, q.skip));
      return { texts: out };
    }
    case 'time': {
      const start = process.hrtime.bigint();
      let n = 0;
      for (const [text] of q.texts) n += (await tokenizer.encode(text, null, { addSpecialTokens: false })).getLength();
      return { seconds: Number(process.hrtime.bigint() - start) / 1e9, tokens: n, rss: process.memoryUsage.rss() };
    }
  }
  throw new Error('unknown op ' + q.op);
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    let out;
    try {
      out = await answer(JSON.parse(line));
    } catch (e) {
      out = { error: String(e.message) };
    }
    process.stdout.write(JSON.stringify(out) + '\n');
  }
})();
