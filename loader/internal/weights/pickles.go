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

// ScanPickles looks at the pickles that are not among the weights read, since
// somebody may load them. What is unknown in them (a trainer's own classes) is
// their affair; what is dangerous is not.
func ScanPickles(c *checkpoint.Directory, files []tree.File, read []string) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if f.Problem != nil || slices.Contains(read, f.Name) {
			continue
		}
		switch f.Format {
		case sniff.Pickle, sniff.TorchLegacy:
		case sniff.Zip:
			switch path.Ext(f.Name) {
			case ".bin", ".pt", ".pth", ".ckpt", ".pkl":
			default:
				continue
			}
		default:
			continue
		}
		h, err := tree.OpenAt(c.FS, c.Dir, f.Name)
		if err != nil {
			continue // said when its first bytes were read
		}
		if p, _ := pickle.Read(h, h.Size, f.Name); p != nil { // broken or not, what it imports counts
			findings = append(findings, format.PickleFindings(p, f.Name, "")...)
		}
		h.Close()
	}
	return findings
}
