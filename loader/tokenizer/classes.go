package tokenizer

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed class_tokens.tsv
var classTokensTSV string

//go:embed model_tokenizers.tsv
var modelTokenizersTSV string

// classTokens are the special tokens that classes have by themselves, in the order
// of roleNames.
var classTokens = sync.OnceValue(func() map[string][]string {
	m := make(map[string][]string)
	for _, f := range rows(classTokensTSV) {
		for i, token := range f {
			if token == "-" {
				f[i] = ""
			}
		}
		m[f[0]] = f[1:]
	}
	return m
})

var modelTokenizers = sync.OnceValue(func() map[string]string {
	m := make(map[string]string)
	for _, f := range rows(modelTokenizersTSV) {
		m[f[0]] = f[1]
	}
	return m
})

// ClassToken is the token that a tokenizer class has by itself for a role, such as
// "pad_token", where no file gives one; "" where it has none. "Fast" at the end of
// the class is left out.
func ClassToken(class, role string) string {
	i := slices.Index(roleNames[:], role)
	tokens := classTokens()[strings.TrimSuffix(class, "Fast")]
	if i < 0 || tokens == nil {
		return ""
	}
	return tokens[i]
}

// ModelClass is the tokenizer class of a model type, "" where it has none of its
// own: what transformers takes where no file names a class.
func ModelClass(modelType string) string { return modelTokenizers()[modelType] }

// PadTokenOf is the pad token that a class has by itself, and its source in words.
// class is what the files name, and only where they name none the class of the
// model type counts. Both are "" where there is none.
func PadTokenOf(class, modelType string) (token, source string) {
	source = "tokenizer_class " + class
	if class == "" {
		class, source = ModelClass(modelType), "model_type "+modelType
	}
	if token = ClassToken(class, "pad_token"); token == "" {
		return "", ""
	}
	return token, source
}
