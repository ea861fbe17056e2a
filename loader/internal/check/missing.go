package check

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/missing"
)

// Layers are compared with each other, and the tensors with those that the class needs.
// Loaders give the missing ones random values, or fail.
var _ = register(Check{
	Name:  "missing-tensors",
	Codes: []string{finding.TensorMissing, finding.LayersMissing},
	Needs: Config | Headers,
	Run: func(f *Facts) (findings []answer.Finding) {
		info, r := f.Info, f.Weights
		if !unsplitLayouts[info.Layout] || len(r.GGUF) > 0 || info.Category == answer.Adapter || info.Category == answer.SAE || len(info.Candidates) > 0 {
			return nil
		}
		doc := bytes.TrimPrefix(f.Checkpoint.Doc.Data, []byte("\xEF\xBB\xBF"))
		gaps := missing.Find(&r.Tensors, missing.Model{
			Class: info.Architecture, Type: f.Checkpoint.ModelType,
			Config: func(path string) gjson.Result {
				if path == "" {
					return gjson.ParseBytes(doc)
				}
				return gjson.GetBytes(doc, path)
			},
			Quantized: info.IsQuantized || r.QuantizedType() != "",
		})
		reportedStack := ""
		if s := findLanguageStack(r); s != nil {
			reportedStack = s.prefix
		}
		scales := f.lackingScales()
		var names [3][]string // of certain gaps, of others, and of likely variants
		var because [3]string
		for _, g := range gaps {
			switch {
			case g.Layers && strings.HasPrefix(g.Names[0], reportedStack+".") && reportedStack != "":
				continue // by the check "layers"
			case g.Layers:
				findings = append(findings, finding.New(finding.LayersMissing, r.Info.Files[0], "no tensor "+finding.JoinFirst(g.Names)+"; "+g.Because, ""))
				continue
			case g.Expected && f.checkedByName(g.Names):
				continue
			case len(scales) > 0 && !slices.ContainsFunc(g.Names, func(n string) bool { return !slices.Contains(scales, n) }):
				continue // by the check "quantization"
			}
			grade := 0
			switch {
			case g.Variant:
				grade = 2
			case !g.Certain:
				grade = 1
			}
			names[grade] = append(names[grade], g.Names...)
			if because[grade] == "" {
				because[grade] = g.Because
			}
		}
		for grade, list := range names {
			if len(list) > 0 {
				findings = append(findings, finding.NewGraded(finding.Grade(grade), finding.TensorMissing, r.Info.Files[0], "no tensor "+finding.JoinFirst(list)+"; "+because[grade], ""))
			}
		}
		return findings
	},
})

// checkedByName tells whether the check "tensor-names" looks for a tensor.
func (f *Facts) checkedByName(names []string) bool {
	places, ok := tensorsOfClass()[f.Info.LoadsAs]
	return ok && len(names) == 1 && (slices.Contains(places.heads, names[0]) || slices.Contains(places.embeddings, names[0]))
}

// A class that is not known writes text, and its output head is neither there nor tied.
var _ = register(Check{
	Name:  "output-head",
	Codes: []string{finding.WeightWithoutCounterpart},
	Needs: Config | Headers,
	Run: func(f *Facts) []answer.Finding {
		info, r := f.Info, f.Weights
		tie := f.Checkpoint.Quantities().Value("tie_word_embeddings")
		if _, known := tensorsOfClass()[info.LoadsAs]; known || info.Category != answer.Transformers || info.Layout != "transformers" || tie.Type != gjson.False ||
			!strings.HasSuffix(info.Architecture, "ForCausalLM") {
			return nil
		}
		if _, ok := findEmbedding(r); !ok {
			return nil
		}
		for i := range r.Tensors.List {
			name := string(r.Tensors.Name(i))
			if _, _, inLayer := cutLayer([]byte(name)); !inLayer && slices.ContainsFunc(headWords, func(w string) bool { return strings.Contains(name, w) }) {
				return nil
			}
		}
		return single(finding.WeightWithoutCounterpart, config.ConfigJSON, "no tensor of an output head (lm_head.weight), and the config does not tie it to the embedding", "")
	},
})

// headWords are parts of the names of output heads.
var headWords = []string{"head", "output", "embed_out", "unembed", "score", "classifier"}

// Tensors of an adapter that was not merged into the model, or under a prefix that was put
// in front of them twice.
var _ = register(Check{
	Name:  "adapter-leftovers",
	Codes: []string{finding.WeightPrefix},
	Needs: Config | Headers,
	Run: func(f *Facts) []answer.Finding {
		info, r := f.Info, f.Weights
		if info.Category == answer.Adapter || info.Category == answer.Diffusers || info.Category == answer.SAE {
			return nil
		}
		for i := range r.Tensors.List {
			name := string(r.Tensors.Name(i))
			if strings.Contains(name, "language_model.language_model.") { // saved inside a wrapper, more than once
				return single(finding.WeightPrefix, r.Info.Files[0], name+" has the prefix language_model more than once: the class looks for it once", "")
			}
			for _, part := range adapterParts {
				if strings.Contains(name, part) {
					return single(finding.WeightPrefix, r.Info.Files[0], name+" is of an adapter that was not merged: the class looks for the name without "+strings.Trim(part, "."),
						"load the model with its adapter, merge it (merge_and_unload of peft), and save it again")
				}
			}
		}
		return nil
	},
})

// adapterParts are parts of the names that peft gives tensors of a model with an adapter.
var adapterParts = []string{".base_layer.", ".lora_A.", ".lora_B.", ".lora_magnitude_vector.", ".modules_to_save."}
