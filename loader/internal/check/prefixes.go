package check

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/weights"
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
	for f := range table.Rows(weightPrefixesTSV) {
		p := weightPlaces{embeddings: strings.Split(f[1], ","), tied: f[3] == "true"}
		if f[2] != "" {
			p.heads = strings.Split(f[2], ",")
		}
		m[f[0]] = p
	}
	return m
})

// CheckNames compares the tensors' names with those that the class looks for.
// What is quantized keeps its embedding whole, or packs it under the same name.
func CheckNames(c *checkpoint.Checkpoint, info *answer.Info, r *weights.Reader) []answer.Finding {
	places, ok := weightPrefixes()[info.LoadsAs]
	if !ok || c.Doc.File != config.FileConfig || r == nil || r.Unread || !r.Info.Complete || r.Info.Format == "gguf" || len(r.List.Tensors) == 0 || info.Category == answer.Adapter {
		return nil
	}
	if !hasAny(r, places.embeddings) {
		return elsewhere(r, info.LoadsAs, places.embeddings[0])
	}
	if len(places.heads) == 0 {
		return nil
	}
	tied := places.tied
	if v := c.Dimensions().Value("tie_word_embeddings"); v.IsBool() {
		tied = v.Type == gjson.True
	}
	if tied || hasAny(r, places.heads) {
		return nil
	}
	return []answer.Finding{finding.New(finding.WeightWithoutCounterpart, c.Doc.File,
		"no tensor "+places.heads[0]+", and the config does not tie it to the embedding", "")}
}

// hasAny tells whether there is a tensor of one of these names, packed or not.
func hasAny(r *weights.Reader, names []string) bool {
	var spellings []string
	for _, name := range names {
		stem := strings.TrimSuffix(name, "weight")
		spellings = append(spellings, name, stem+"qweight", stem+"weight_packed")
	}
	return r.List.HoldsAny(spellings)
}

// elsewhere looks for the embedding under another prefix.
func elsewhere(r *weights.Reader, class, want string) []answer.Finding {
	parts := strings.Split(want, ".")
	ending := strings.Join(parts[max(len(parts)-2, 0):], ".")
	for i := range r.List.Tensors {
		name := string(r.List.Name(i))
		if prefix, ok := strings.CutSuffix(name, ending); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			usual := strings.TrimSuffix(want, ending)
			if prefix == "" {
				return nil // the base model's own names: loaders add the prefix
			}
			return []answer.Finding{finding.New(finding.WeightPrefix, r.Info.Files[0],
				class+" looks for "+want+", and the tensor is "+name+": the prefix is "+finding.Quoted(prefix)+" in place of "+finding.Quoted(usual), "")}
		}
	}
	return []answer.Finding{finding.New(finding.WeightWithoutCounterpart, path.Base(r.Info.Files[0]), class+" looks for "+want+", and no tensor ends so", "")}
}
