// Package tokenizer loads the tokenizers of model checkpoints, encodes texts to ids and
// decodes ids to text.
//
// It reads tokenizer.json of the Rust library "tokenizers" in full, SentencePiece
// models, tiktoken rank files, tekken.json, vocab.json with merges.txt, vocab.txt,
// CTC vocabularies, and the tokenizer keys of a GGUF file, and it applies the
// config files that transformers applies. Unknown components are errors that name them;
// none is skipped silently.
//
// Results are those of the Rust library 0.23.3, with its Unicode tables (unicode.tsv),
// and for SentencePiece files those of the C++ library; comments call either of them
// the reference. 0.23.2 differs in truncation: see Encoding.
//
// It does not render chat templates, does not train, and does not download.
package tokenizer
