package tokens

import (
	_ "embed"
	"sync"

	"omniloader/loader/internal/table"
	"omniloader/loader/tokenizer"
)

//go:embed tokenizer_components.tsv
var tokenizerComponentsTSV string

// knownComponents are the rows of tokenizer_components.tsv.
var knownComponents = sync.OnceValue(func() map[tokenizer.Component]bool {
	m := map[tokenizer.Component]bool{}
	for f := range table.Rows(tokenizerComponentsTSV) {
		m[tokenizer.Component{Part: f[0], Type: f[1]}] = true
	}
	return m
})
