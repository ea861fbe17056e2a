package tokens

// Lookup knows ids by token and tokens by id: a tokenizer, or the special tokens
// that one pass over its files found.
type Lookup interface {
	TokenID(token string) (uint32, bool)
	Token(id uint32) (string, bool)
}
