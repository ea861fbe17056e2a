package loader

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
)

//go:embed weight_prefixes.tsv
var weightPrefixesTSV string

// weightPlaces is one line of weight_prefixes.tsv.
type weightPlaces struct {
	embeddings, heads []string
	tied              bool
}

var weightPrefixes = sync.OnceValue(func() map[string]weightPlaces {
	m := map[string]weightPlaces{}
	for f := range tableRows(weightPrefixesTSV) {
		p := weightPlaces{embeddings: strings.Split(f[1], ","), tied: f[3] == "true"}
		if f[2] != "" {
			p.heads = strings.Split(f[2], ",")
		}
		m[f[0]] = p
	}
	return m
})

// checkNames compares the tensors' names with those that the class looks for.
// What is quantized keeps its embedding whole, or packs it under the same name.
func (c *checkpoint) checkNames(info *Info, r *weightReader) []Finding {
	places, ok := weightPrefixes()[info.LoadsAs]
	if !ok || c.doc.file != fileConfig || r == nil || r.unread || !r.info.Complete || r.info.Format == "gguf" || len(r.list.tensors) == 0 || info.Category == Adapter {
		return nil
	}
	if !r.hasAny(places.embeddings) {
		return r.elsewhere(info.LoadsAs, places.embeddings[0])
	}
	if len(places.heads) == 0 {
		return nil
	}
	tied := places.tied
	if v := c.dimensions().value("tie_word_embeddings"); v.IsBool() {
		tied = v.Type == gjson.True
	}
	if tied || r.hasAny(places.heads) {
		return nil
	}
	return []Finding{finding(CodeWeightWithoutCounterpart, c.doc.file,
		"no tensor "+places.heads[0]+", and the config does not tie it to the embedding", "")}
}

// hasAny tells whether there is a tensor of one of these names, packed or not.
func (r *weightReader) hasAny(names []string) bool {
	var spellings []string
	for _, name := range names {
		stem := strings.TrimSuffix(name, "weight")
		spellings = append(spellings, name, stem+"qweight", stem+"weight_packed")
	}
	return r.list.holdsAny(spellings)
}

// elsewhere looks for the embedding under another prefix.
func (r *weightReader) elsewhere(class, want string) []Finding {
	parts := strings.Split(want, ".")
	ending := strings.Join(parts[max(len(parts)-2, 0):], ".")
	for i := range r.list.tensors {
		name := string(r.list.name(i))
		if prefix, ok := strings.CutSuffix(name, ending); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			usual := strings.TrimSuffix(want, ending)
			if prefix == "" {
				return nil // the base model's own names: loaders add the prefix
			}
			return []Finding{finding(CodeWeightPrefix, r.info.Files[0],
				class+" looks for "+want+", and the tensor is "+name+": the prefix is "+quoted(prefix)+" in place of "+quoted(usual), "")}
		}
	}
	return []Finding{finding(CodeWeightWithoutCounterpart, path.Base(r.info.Files[0]), class+" looks for "+want+", and no tensor ends so", "")}
}

func quoted(s string) string { return `"` + s + `"` }
