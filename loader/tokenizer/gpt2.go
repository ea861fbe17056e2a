package tokenizer

import "sync"

// gpt2Pattern is the pattern by which ByteLevel splits.
var gpt2Pattern = sync.OnceValue(func() *pattern {
	p, err := newRegex(gpt2Regex)
	if err != nil {
		panic(err) // a constant of this package
	}
	return p
})

const gpt2Regex = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
