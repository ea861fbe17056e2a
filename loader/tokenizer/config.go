package tokenizer

// Config is what the side files say; see Load.
type Config struct{}
