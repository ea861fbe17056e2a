package loader

import (
	_ "embed"
	"strconv"
	"sync"

	"github.com/tidwall/gjson"
)

//go:embed tokenizer_components.tsv
var tokenizerComponentsTSV string

// tokenizerComponent is one line of tokenizer_components.tsv.
type tokenizerComponent struct{ part, kind string }

var tokenizerComponents = sync.OnceValue(func() map[tokenizerComponent]bool {
	m := map[tokenizerComponent]bool{}
	for f := range tableRows(tokenizerComponentsTSV) {
		m[tokenizerComponent{f[0], f[1]}] = true
	}
	return m
})

// tokenizerLists are the keys under which a part holds a list of parts.
var tokenizerLists = [...]string{"normalizers", "pretokenizers", "processors", "decoders"}

// checkPart reports the types within a part of tokenizer.json that are on no
// list. Parts may hold lists of parts.
func (t *tokenizerSource) checkPart(file, part string, v gjson.Result) {
	if !v.IsObject() {
		return
	}
	t.checkType(file, part, v.Get("type"))
	for _, list := range tokenizerLists {
		for _, inner := range v.Get(list).Array() {
			t.checkPart(file, part, inner)
		}
	}
}

func (t *tokenizerSource) checkType(file, part string, kind gjson.Result) {
	if kind.Type == gjson.String && !tokenizerComponents()[tokenizerComponent{part, kind.Str}] {
		t.info.findings = append(t.info.findings, finding(CodeTokenizerComponent, file,
			"the type "+strconv.Quote(kind.Str)+" of "+part+" is on no list", ""))
	}
}
