package weights

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/internal/format"
	"omniloader/loader/internal/table"
)

//go:embed buffers.tsv
var buffersTSV string

// bufferEnding is one row of buffers.tsv.
type bufferEnding struct {
	ending, dtype string
	butNot        []string // model types
}

var bufferEndings = sync.OnceValue(func() (rows []bufferEnding) {
	for f := range table.Rows(buffersTSV) {
		rows = append(rows, bufferEnding{f[0], f[1], strings.Split(f[2], ",")})
	}
	return rows
})

// isBuffer tells whether a tensor is a buffer of a module, and no parameter.
func (r *reader) isBuffer(name, dtype string) bool {
	if len(r.frozenNorms) > 0 {
		for _, ending := range [...]string{".weight", ".bias"} {
			if module, ok := strings.CutSuffix(name, ending); ok && r.frozenNorms[module] {
				return true
			}
		}
	}
	return slices.ContainsFunc(bufferEndings(), func(b bufferEnding) bool {
		rest, ok := strings.CutSuffix(name, b.ending)
		return ok && (b.dtype == "" || b.dtype == dtype) && (rest == "" || rest[len(rest)-1] == '.') && !slices.Contains(b.butNot, r.c.ModelType)
	})
}

// countBuffers counts the elements of buffers, in formats that keep a module's state.
func (r *reader) countBuffers() (n int64) {
	if format.ByName(r.Info.Format).Tensors == format.TensorsOfFormat {
		return 0
	}
	l := &r.Tensors
	r.findFrozenNorms()
	for i := range l.List {
		if r.isBuffer(string(l.Name(i)), l.List[i].DType) {
			n += l.List[i].Elements
		}
	}
	return n
}

// findFrozenNorms sets frozenNorms where no batch normalization counts its batches, as those
// that are trained do: a frozen one keeps its weight and bias as buffers too. Source:
// torchvision (ops/misc.py: FrozenBatchNorm2d), transformers (models/detr).
func (r *reader) findFrozenNorms() {
	l := &r.Tensors
	for i := range l.List {
		name := l.Name(i)
		if module, ok := bytes.CutSuffix(name, []byte(".running_mean")); ok {
			if r.frozenNorms == nil {
				r.frozenNorms = map[string]bool{}
			}
			r.frozenNorms[string(module)] = true
		}
	}
	for i := range l.List {
		if len(r.frozenNorms) == 0 {
			return
		}
		if module, ok := bytes.CutSuffix(l.Name(i), []byte(".num_batches_tracked")); ok {
			delete(r.frozenNorms, string(module))
		}
	}
}
