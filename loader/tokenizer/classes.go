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

// classTokens are the default special tokens of classes, in the order of roleNames.
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

// classToken is the default token of a tokenizer class for a role such as "pad_token",
// for checkpoints whose files give none; "" where there is no default. A class with
// "Fast" at the end has the same defaults.
func classToken(class, role string) string {
	i := slices.Index(roleNames[:], role)
	tokens := classTokens()[strings.TrimSuffix(class, "Fast")]
	if i < 0 || tokens == nil {
		return ""
	}
	return tokens[i]
}

// modelClass is the tokenizer class that transformers uses for a model type where no
// file names a class, "" where there is none.
func modelClass(modelType string) string { return modelTokenizers()[modelType] }

// padTokenOf is the default pad token of a class, and a description of its source.
// class is the class that the files name; where that is "" it is the class of the model
// type. Both results are "" where there is no default.
func padTokenOf(class, modelType string) (token, source string) {
	source = "tokenizer_class " + class
	if class == "" {
		class, source = modelClass(modelType), "model_type "+modelType
	}
	if token = classToken(class, "pad_token"); token == "" {
		return "", ""
	}
	return token, source
}
