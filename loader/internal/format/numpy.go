package format

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/npz"
)

// readNumPy reads the headers of the arrays in an .npz archive. Where the archive is
// damaged, the arrays before the damage are added all the same.
func readNumPy(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	arrays, err := npz.Read(h, h.Size, f.Name)
	header := Header{}
	for i := range arrays {
		a := &arrays[i]
		add(Tensor{Name: []byte(a.Name), DType: answer.OrUnknown(a.DType), Rows: rows(a.Shape), Elements: a.Elements(), Bytes: a.Bytes()})
		if a.Pickled {
			header.Findings = append(header.Findings, finding.New(finding.PickleUnknown, f.Name,
				"the array "+a.Name+" holds Python objects, which loading unpickles", "load it with allow_pickle=False, which refuses them"))
		}
	}
	return header, err
}
