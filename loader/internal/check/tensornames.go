package check

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/weights"
)

//go:embed weight_prefixes.tsv
var weightPrefixesTSV string

// classTensors is one row of weight_prefixes.tsv.
type classTensors struct {
	embeddings, heads []string
	tiedByDefault     bool
}

var tensorsOfClass = sync.OnceValue(func() map[string]classTensors {
	m := map[string]classTensors{}
	for f := range table.Rows(weightPrefixesTSV) {
		p := classTensors{embeddings: strings.Split(f[1], ","), tiedByDefault: f[3] == "true"}
		if f[2] != "" {
			p.heads = strings.Split(f[2], ",")
		}
		m[f[0]] = p
	}
	return m
})

// The names of the embedding and of the output head are compared with those that the
// class expects.
var _ = register(Check{
	Name:  "tensor-names",
	Codes: []string{finding.WeightPrefix, finding.WeightWithoutCounterpart},
	Needs: Config | Headers,
	Run: func(f *Facts) []answer.Finding {
		r, info := f.Weights, f.Info
		places, ok := tensorsOfClass()[info.LoadsAs]
		if !ok || format.ByName(r.Info.Format).Tensors == format.TensorsOfFormat || info.Category == answer.Adapter {
			return nil
		}
		if !hasTensor(r, places.embeddings) {
			return reportOtherPrefix(r, info.LoadsAs, places.embeddings[0])
		}
		if len(places.heads) == 0 {
			return nil
		}
		tied := places.tiedByDefault
		if v := f.Checkpoint.Quantities().Value("tie_word_embeddings"); v.IsBool() {
			tied = v.Type == gjson.True
		}
		if tied || hasTensor(r, places.heads) {
			return nil
		}
		return single(finding.WeightWithoutCounterpart, config.ConfigJSON, "no tensor "+places.heads[0]+", and the config does not tie it to the embedding", "")
	},
})

// hasTensor tells whether there is a tensor of one of the names, plain or packed by a
// quantization.
func hasTensor(r *weights.Headers, names []string) bool {
	var spellings []string
	for _, name := range names {
		stem := strings.TrimSuffix(name, "weight")
		spellings = append(spellings, name, stem+"qweight", stem+"weight_packed")
	}
	return r.Tensors.HasAny(spellings)
}

// reportOtherPrefix reports that the embedding want has another prefix, or is missing.
func reportOtherPrefix(r *weights.Headers, class, want string) []answer.Finding {
	parts := strings.Split(want, ".")
	ending := strings.Join(parts[max(len(parts)-2, 0):], ".")
	for i := range r.Tensors.List {
		name := string(r.Tensors.Name(i))
		if prefix, ok := strings.CutSuffix(name, ending); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			usual := strings.TrimSuffix(want, ending)
			if prefix == "" {
				return nil // without the prefix that loaders add
			}
			return []answer.Finding{finding.New(finding.WeightPrefix, r.Info.Files[0],
				class+" looks for "+want+", and the tensor is "+name+": the prefix is "+finding.Quote(prefix)+" in place of "+finding.Quote(usual), "")}
		}
	}
	return []answer.Finding{finding.New(finding.WeightWithoutCounterpart, path.Base(r.Info.Files[0]), class+" looks for "+want+", and no tensor ends so", "Get the whole weights, or load them with the library whose names they have.")}
}
