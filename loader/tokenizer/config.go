package tokenizer

// Config is what the files say about a tokenizer beyond turning text into ids.
type Config struct {
	Class          string            // tokenizer_class
	Roles          map[string]string // bos_token, eos_token … and their texts
	sources        map[string]string // the file that gave each role
	ChatTemplate   string
	TemplateSource string // the file that gave the chat template
	Files          []string
}

func (c *Config) setRole(role, token, source string) {
	if c.Roles == nil {
		c.Roles, c.sources = make(map[string]string), make(map[string]string)
	}
	c.Roles[role], c.sources[role] = token, source
}
