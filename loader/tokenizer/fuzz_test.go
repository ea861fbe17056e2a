package tokenizer

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// smallFiles are seeds with one of each component.
var smallFiles = []string{
	`{"version":"1.0","truncation":{"max_length":4,"strategy":"LongestFirst","stride":1},"padding":{"strategy":{"Fixed":6},"direction":"Left","pad_to_multiple_of":4,"pad_id":0,"pad_type_id":0,"pad_token":"p"},"added_tokens":[{"id":0,"content":"<s>","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,"special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},{"type":"Replace","pattern":{"Regex":"a+?|b{2}"},"content":"x"},{"type":"Prepend","prepend":"_"},{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Nmt"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\s+(?!\\S)|[[:alpha:]&&[^x]]+"},"behavior":"MergedWithNext","invert":false},{"type":"Digits","individual_digits":true},{"type":"Punctuation"},{"type":"UnicodeScripts"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"x":{"id":"x","ids":[1],"tokens":["x"]}}},"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":2}]},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["ab",-1.5],["▁",-2]],"byte_fallback":true}}`,
	`{"model":{"type":"BPE","dropout":null,"unk_token":"u","continuing_subword_prefix":"##","end_of_word_suffix":"</w>","fuse_unk":true,"byte_fallback":true,"vocab":{"u":0,"a":1,"##b":2,"ab":3,"##b</w>":4,"ab</w>":5},"merges":[["a","##b"],["a","##b</w>"]]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true},"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true}}`,
	`{"model":{"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"u":0,"a":1,"##b":2}},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"post_processor":{"type":"BertProcessing","sep":["s",1],"cls":["c",2]}}`,
	`{"model":{"unk_token":"u","vocab":{"u":0,"a":4294967295}},"pre_tokenizer":{"type":"FixedLength"},"decoder":{"type":"CTC","pad_token":"a","word_delimiter_token":"","cleanup":true}}`,
	`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAABhAA=="},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}}`,
}

func FuzzLoad(f *testing.F) {
	for _, s := range smallFiles {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		tok, err := fromJSON(fileTokenizer, data)
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		use(t, tok, "Hello wörld! 123 <s> ab aab\n\n日本")
	})
}

func use(t *testing.T, tok *Tokenizer, text string) {
	for _, o := range []EncodeOptions{{}, {NoSpecial: true, Chars: true}} {
		e, err := tok.EncodePair(text, "x"+text, o)
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Fatalf("an error without a kind: %v", err)
			}
			continue
		}
		tok.Decode(e.IDs, o.NoSpecial)
		n := len(e.IDs)
		if len(e.Tokens) != n || len(e.Offsets) != n || len(e.Words) != n || len(e.TypeIDs) != n || len(e.Special) != n || len(e.Attended) != n {
			t.Fatal("lists of different lengths")
		}
	}
	if _, err := tok.IDs(text, true); err != nil && fault.KindOf(err) == "" {
		t.Fatalf("an error without a kind: %v", err)
	}
	tok.VocabSize()
	tok.PadToken()
}

// FuzzEncode checks for every configuration that IDs and Encode agree, and that offsets are
// within the text, in characters and in bytes.
func FuzzEncode(f *testing.F) {
	dirs, _ := filepath.Glob("testdata/*/tokenizer.json")
	var toks []*Tokenizer
	for _, d := range dirs {
		toks = append(toks, loadJSON(f, filepath.Dir(d)))
	}
	f.Add("Hello,  world!\n\n 1234 's don't", uint8(0))
	f.Add("日本語 é ﬁ \u200d\u0301 <s> [MASK] <|endoftext|>", uint8(3))
	f.Add("\xff\xfe\xf0\x9f\x98 broken", uint8(5))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		if len(text) > 1<<14 {
			return
		}
		tok := toks[int(which)%len(toks)]
		ids, err := tok.IDs(text, true)
		require.NoError(t, err)
		e, err := tok.Encode(text, EncodeOptions{})
		require.NoError(t, err)
		require.Equal(t, empty(ids), empty(e.IDs))
		n := len(repair(text))
		for _, o := range e.Offsets {
			if o.Start < 0 || o.End < o.Start || o.End > n {
				t.Fatalf("offset %v in %d bytes", o, n)
			}
		}
		if s := tok.Decode(ids, false); !utf8.ValidString(s) {
			t.Fatalf("decoded %q", s)
		}
	})
}

// FuzzSplit compares compiled programs with the backtracking engine, for the patterns of
// the table and for any others.
func FuzzSplit(f *testing.F) {
	for _, list := range splitPatterns() {
		for _, p := range list {
			f.Add(p, "It's 12345  e\u0301 \n\n 'LL日本ſ ")
		}
	}
	f.Add(`(?:ab|a)(?=c)|a{2,3}?b*+|[^\S\n]+$|\bx`, "abc aab  \nx")
	f.Fuzz(func(t *testing.T, regex, text string) {
		if len(regex) > 600 || len(text) > 300 || !utf8.ValidString(text) {
			return
		}
		expr, err := parseRegex(regex)
		if err != nil {
			return
		}
		prog := compileProgram(expr)
		if prog == nil {
			return
		}
		engine, err := newEngine(expr)
		if err != nil {
			return
		}
		var got, want []int
		collect := func(to *[]int) func(int, int) error {
			return func(a, b int) error { *to = append(*to, a, b); return nil }
		}
		if err := (&pattern{isRegex: true, prog: prog}).each(text, newBudget(len(text)), collect(&got)); err != nil {
			return
		}
		if err := (&pattern{isRegex: true, engine: engine}).each(text, newBudget(len(text)), collect(&want)); err != nil {
			return
		}
		require.Equal(t, want, got, "%q on %q", regex, text)
	})
}

func FuzzSentencePiece(f *testing.F) {
	small := []byte{}
	piece := func(text string, kind byte) {
		body := append([]byte{0x0A, byte(len(text))}, text...)
		body = append(body, 0x15, 0, 0, 0x80, 0xBF, 0x18, kind)
		small = append(append(small, 0x0A, byte(len(body))), body...)
	}
	piece("<unk>", 2)
	piece("<s>", 3)
	piece("a", 1)
	piece("▁a", 1)
	piece("xy", 4)
	piece("<0x41>", 6)
	f.Add(append(append([]byte(nil), small...), 0x12, 5, 0x18, 2, 0x98, 2, 1, 0x1A, 2, 0x18, 1))
	f.Add(append(append([]byte(nil), small...), 0x1A, 6, 0x12, 4, 0, 0, 0, 0))
	blob, _ := base64.StdEncoding.DecodeString("BAAAAAAAAABhAA==")
	f.Add(append(append(append([]byte(nil), small...), 0x1A, byte(2+len(blob)), 0x12, byte(len(blob))), blob...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		tok, err := fromSentencePiece("tokenizer.model", data)
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		use(t, tok, "  a xy A  日本\n")
	})
}

func TestMatcherAgreesWithTheEngineOnTheTable(t *testing.T) {
	seeds := seedTexts(t)
	done := map[string]bool{"gpt2": true, "digits": true}
	for name, list := range splitPatterns() {
		for _, text := range list {
			if done[text] {
				continue
			}
			done[text] = true
			expr, err := parseRegex(text)
			require.NoError(t, err)
			engine, err := newEngine(expr)
			require.NoError(t, err)
			for _, s := range seeds {
				var got, want []int
				require.NoError(t, compileProgram(expr).each(s, newBudget(len(s)), func(a, b int) error { got = append(got, a, b); return nil }))
				require.NoError(t, (&pattern{isRegex: true, engine: engine}).each(s, newBudget(len(s)), func(a, b int) error { want = append(want, a, b); return nil }))
				require.Equal(t, want, got, "%s on %q", name, s)
			}
		}
	}
}

func TestSentencePieceSeedIsRead(t *testing.T) {
	data, err := os.ReadFile("testdata/llama2/tokenizer.model")
	require.NoError(t, err)
	_, err = fromSentencePiece("tokenizer.model", data)
	require.NoError(t, err)
	for n := 0; n < len(data); n += 97 {
		if _, err := fromSentencePiece("tokenizer.model", data[:n]); err != nil {
			require.NotEmpty(t, fault.KindOf(err))
		}
	}
}
