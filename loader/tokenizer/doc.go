// Package tokenizer loads the tokenizers that model checkpoints ship and runs
// them: text to ids, ids to text.
//
// It reads tokenizer.json of the Rust library "tokenizers" in full, SentencePiece
// models, tiktoken rank files, tekken.json, vocab.json with merges.txt, vocab.txt,
// CTC vocabularies, and the tokenizer keys of a GGUF file, and it applies the side
// files that transformers applies. What it does not know it refuses by name; it
// never skips a component in silence.
//
// Answers follow the Rust library 0.23.3 byte for byte, with the Unicode tables of
// that library (unicode.tsv), and the C++ library for SentencePiece files. 0.23.2
// answers otherwise where truncation cuts: see Encoding.
//
// It does not render chat templates, does not train, and does not download.
package tokenizer
