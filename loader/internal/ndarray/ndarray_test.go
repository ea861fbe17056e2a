package ndarray

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		want  int64
		ok    bool
	}{
		{nil, 1, true},
		{[]int64{3, 4}, 12, true},
		{[]int64{1 << 32, 1 << 32, 0}, 0, true},
		{[]int64{1 << 32, 1 << 32}, 0, false},
		{[]int64{math.MaxInt64, 1}, math.MaxInt64, true},
		{[]int64{1 << 31, 1 << 32}, 0, false},
		{[]int64{-1, 0}, 0, false},
	} {
		n, ok := Elements(c.shape)
		assert.Equal(t, c.want, n, c.shape)
		assert.Equal(t, c.ok, ok, c.shape)
	}
}

func TestNumpyDType(t *testing.T) {
	for code, want := range map[string]string{"f4": "F32", "<f2": "F16", ">i8": "I64", "|b1": "BOOL", "U3": "", "O": "", "": ""} {
		assert.Equal(t, want, NumpyDType(code), code)
	}
	var codes []string
	for line := range strings.Lines(numpyTypesTSV[strings.Index(numpyTypesTSV, "\n")+1:]) {
		code, _, found := strings.Cut(line, "\t")
		assert.True(t, found, line)
		codes = append(codes, code)
	}
	assert.True(t, slices.IsSorted(codes))
	assert.Len(t, slices.Compact(codes), len(numpyTypes()))
}
