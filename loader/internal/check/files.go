package check

import (
	"path"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"
)

// Files that have something in place of their content: a Git LFS pointer, a web page,
// zeros.
var _ = register(Check{
	Name: "files",
	Codes: []string{finding.FileEmpty, finding.HTMLPage, finding.IncompleteDownload, finding.LFSPointer,
		finding.ServerReply, finding.WeightsTruncated, finding.ZeroFilled},
	Run: func(f *Facts) (findings []answer.Finding) {
		for i := range f.Files {
			file := &f.Files[i]
			if file.Problem == nil {
				continue
			}
			kind, grade := file.Problem.Kind, gradeOf(f, file)
			if grade == finding.Mildest && (kind == fault.Empty || kind == fault.ZeroFilled) {
				continue // no loader reads it
			}
			findings = append(findings, finding.NewGraded(grade, finding.CodeForKind(kind), file.Name, file.Problem.Detail, file.Problem.Advice))
		}
		return findings
	},
})

// gradeOf gives the grade of a file without content: Usual for the weights that are
// loaded and the files that describe the model, Milder for other weights, Mildest for
// the rest.
func gradeOf(f *Facts, file *tree.File) finding.Grade {
	base := file.Base()
	switch w := f.Weights; {
	case w != nil && (slices.Contains(w.Info.Files, file.Name) || file.Name == w.Info.Index),
		path.Ext(base) == ".json" && file.Dir() == ".", tokenizer.FileOf(base), base == config.ConfigJSON:
		return finding.Usual
	case format.IsWeights(base):
		return finding.Milder
	}
	return finding.Mildest
}

// A main file that cannot be read.
var _ = register(Check{
	Name:  "config-readable",
	Codes: []string{finding.ConfigUnreadable},
	Run: func(f *Facts) []answer.Finding {
		file := fault.PathOf(f.ConfigErr)
		if f.ConfigErr == nil || tree.HasProblem(f.Files, file) {
			return nil
		}
		return []answer.Finding{finding.FromError(finding.ConfigUnreadable, file, f.ConfigErr)}
	},
})
