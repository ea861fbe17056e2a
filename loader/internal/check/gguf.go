package check

import (
	"fmt"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
)

// A GGUF file is compared with what the programs that load it expect: the byte order, the
// kind of content, and tensors of the forms that current programs read.
var _ = register(Check{
	Name:  "gguf",
	Codes: []string{finding.GGUFByteOrder, finding.GGUFOutdated, finding.GGUFProjector},
	Needs: Weights,
	Run: func(f *Facts) (findings []answer.Finding) {
		if len(f.Weights.GGUF) == 0 {
			return nil
		}
		file := f.Weights.GGUF[0]
		if order := f.Weights.Info.ByteOrder; order == gguf.BigEndian {
			findings = append(findings, finding.New(finding.GGUFByteOrder, file.Path, "the byte order is "+order, ""))
		}
		content, _ := file.Content()
		if content == gguf.Projector {
			findings = append(findings, finding.New(finding.GGUFProjector, file.Path, "a projector (mmproj) alone: it turns images or sound into the input of a language model, which is not here", ""))
			return append(findings, projectorType(file)...)
		}
		if content == gguf.Model && f.Info.Task != noTask {
			findings = append(findings, separateExperts(f, file)...)
			findings = append(findings, uncountedNextn(f, file)...)
		}
		return findings
	},
})

// noTask is the task where none is known.
const noTask = answer.Task("")

// projectorType reports a projector that does not say its type. Source: llama.cpp,
// tools/mtmd/clip.cpp.
func projectorType(file *gguf.File) []answer.Finding {
	if file.HasProjectorType() {
		return nil
	}
	return []answer.Finding{finding.NewGraded(finding.Milder, finding.GGUFOutdated, file.Path, "the projector has no key clip.projector_type, and programs guess its type or refuse it", "")}
}

// separateExperts reports a mixture of experts that has a tensor for each expert.
// llama.cpp has merged them since April 2024, and no longer reads such files.
func separateExperts(f *Facts, file *gguf.File) []answer.Finding {
	if file.ModelKey("expert_count").Uint() == 0 {
		return nil
	}
	for i := range f.Weights.Tensors.List {
		name := string(f.Weights.Tensors.Name(i))
		if _, _, rest, ok := cutBlock(name); ok && isExpertOfItsOwn(rest) {
			return single(finding.GGUFOutdated, file.Path, "each expert has tensors of its own, such as "+name+": current llama.cpp reads only experts that are merged into one tensor", "")
		}
	}
	return nil
}

// uncountedNextn reports blocks for the prediction of further tokens that the keys do not
// count, and blocks that they count and that have no such tensors.
func uncountedNextn(f *Facts, file *gguf.File) (findings []answer.Finding) {
	blocks := findBlocks(f)["blk"]
	if blocks == nil {
		return nil
	}
	count, counted := file.ModelKey("block_count").Int(), file.ModelKey("nextn_predict_layers").Int()
	key := file.Architecture() + ".nextn_predict_layers"
	if counted < 0 || counted > count {
		return nil
	}
	for i, b := range blocks {
		has := slices.ContainsFunc(b, func(name string) bool { return len(name) > 6 && name[:6] == "nextn." })
		inTail := int64(i) >= count-counted && int64(i) < count
		switch {
		case has && !inTail && int64(i) < count:
			findings = append(findings, finding.New(finding.GGUFOutdated, file.Path,
				fmt.Sprintf("blk.%d has nextn tensors, and %s does not count it: llama.cpp takes it for a layer of the model, and misses tensors in it", i, key), ""))
		case !has && inTail && len(b) > 0:
			findings = append(findings, finding.New(finding.TensorMissing, file.Path, fmt.Sprintf("no tensor blk.%d.nextn.*; %s is %d", i, key, counted), ""))
		}
	}
	if int64(len(blocks)) <= count-counted && counted > 0 {
		findings = append(findings, finding.NewGraded(finding.Milder, finding.LayersMissing, file.Path,
			fmt.Sprintf("no tensor blk.%d.*; %s is %d", count-counted, key, counted), ""))
	}
	return findings
}
