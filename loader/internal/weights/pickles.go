package weights

import (
	"path"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
	"omniloader/loader/pickle"
	"omniloader/loader/sniff"
)

// ScanPickles reports dangerous imports in pickles that are not among the weights in
// read. Imports that are on no list are not reported for these: files of a training run
// have classes of their own.
func ScanPickles(c *checkpoint.Directory, files []tree.File, read []string) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if f.Problem != nil || slices.Contains(read, f.Name) {
			continue
		}
		switch f.Format {
		case sniff.Pickle, sniff.TorchLegacy:
		case sniff.Zip:
			if ext, _ := format.ByExtension(f.Name); ext.Zip != format.ZipOfPickle && path.Ext(f.Name) != ".pkl" {
				continue
			}
		default:
			continue
		}
		h, err := tree.OpenAt(c.FS, c.Dir, f.Name)
		if err != nil {
			continue // reported by Sniff
		}
		if p, _ := pickle.Read(h, h.Size, f.Name); p != nil { // the imports before the damage of a broken one count
			findings = append(findings, format.PickleFindings(p, f.Name, "")...)
		}
		h.Close()
	}
	return findings
}
