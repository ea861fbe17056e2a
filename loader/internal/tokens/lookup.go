package tokens

// Lookup gives ids by token and tokens by id. A tokenizer.Tokenizer and a
// tokenizer.Outline, which describes a tokenizer without building it, have all of them;
// the metadata of a GGUF file only the special tokens.
type Lookup interface {
	TokenID(token string) (uint32, bool)
	Token(id uint32) (string, bool)
}
