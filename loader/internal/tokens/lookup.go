package tokens

// Lookup gives ids by token and tokens by id. A tokenizer and an outline have all of
// them, a GGUF description the special tokens only.
type Lookup interface {
	TokenID(token string) (uint32, bool)
	Token(id uint32) (string, bool)
}
