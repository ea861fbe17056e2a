package check

import (
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
)

// The files of sparse autoencoders: misspelled names, and a layout other than that of
// SAELens.
var _ = register(Check{
	Name:  "sae-files",
	Codes: []string{finding.SAEFileMisspelled, finding.SAEOtherFamily},
	Run: func(f *Facts) []answer.Finding {
		if f.Info.SAE == nil || f.Checkpoint.Doc.File == config.ModelIndexJSON {
			return nil
		}
		return checkSAEFiles(f.Info, f.Files)
	},
})

// saeFileNames are the file names that loaders of sparse autoencoders expect.
var saeFileNames = []string{"sae_weights.safetensors", "sparsity.safetensors", "cfg.json", "sae.safetensors", "params.npz", "params.safetensors"}

// checkSAEFiles reports names one edit away from these, and a layout other than that of
// SAELens.
func checkSAEFiles(info *answer.Info, files []tree.File) (findings []answer.Finding) {
	hasCfg := false
	for i := range files {
		base := files[i].Base()
		hasCfg = hasCfg || base == "cfg.json"
		for _, name := range saeFileNames {
			if base != name && oneEditApart(base, name) && !slices.Contains(saeFileNames, base) {
				findings = append(findings, finding.New(finding.SAEFileMisspelled, files[i].Name, "loaders look for "+name, "rename it to "+name))
			}
		}
	}
	if !hasCfg && info.SAE.Family != answer.UnknownName {
		findings = append(findings, finding.New(finding.SAEOtherFamily, "", "the layout of "+info.SAE.Family+", without SAELens's cfg.json", ""))
	}
	return findings
}

// oneEditApart tells whether two texts differ by one inserted, deleted or replaced byte.
func oneEditApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}
