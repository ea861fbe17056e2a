// Package ndarray holds what the readers of numpy, PyTorch and ONNX files share: the
// number of elements of a shape, and numpy's codes of element types. It reads no
// files.
package ndarray

import (
	_ "embed"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// Elements multiplies the dimensions of a shape; 1 for a scalar. ok is false where
// the product is above 2^63-1 and no dimension is 0, and where one is negative.
func Elements(shape []int64) (n int64, ok bool) {
	if slices.ContainsFunc(shape, func(d int64) bool { return d < 0 }) {
		return 0, false
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	n = 1
	for _, d := range shape {
		high, low := bits.Mul64(uint64(n), uint64(d))
		if high != 0 || low > math.MaxInt64 {
			return 0, false
		}
		n = int64(low)
	}
	return n, true
}

//go:embed numpy_types.tsv
var numpyTypesTSV string

var numpyTypes = sync.OnceValue(func() map[string]string {
	_, table, _ := strings.Cut(numpyTypesTSV, "\n")
	all := map[string]string{}
	for line := range strings.Lines(table) {
		code, dtype, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[code] = dtype
	}
	return all
})

// NumpyDType returns the element type, spelled as in safetensors, of numpy's code
// for it: "F32" for "f4", with or without a byte order before it ("<f4"). It is ""
// where safetensors has no such type.
func NumpyDType(code string) string { return numpyTypes()[strings.TrimLeft(code, "<>=|")] }
