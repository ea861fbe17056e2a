package weights

import (
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
	for i := range l.List {
		if r.isBuffer(string(l.Name(i)), l.List[i].DType) {
			n += l.List[i].Elements
		}
	}
	return n
}
