package pickle

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTablesAreSortedWithoutDoubles(t *testing.T) {
	for _, table := range []string{importsTSV, elementTypesTSV} {
		var keys []string
		for line := range strings.Lines(table[strings.Index(table, "\n")+1:]) {
			row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if assert.Len(t, row, 4, line) {
				keys = append(keys, row[0]+"\t"+row[1])
				assert.NotContains(t, row, "")
			}
		}
		assert.True(t, slices.IsSorted(keys))
		assert.Len(t, slices.Compact(slices.Clone(keys)), len(keys))
	}
	for line := range strings.Lines(importsTSV[strings.Index(importsTSV, "\n")+1:]) {
		assert.Contains(t, risks, strings.Split(line, "\t")[2])
	}
	for _, typ := range elementTypes() {
		assert.Positive(t, typ.bytes)
	}
}

func TestEveryRebuilderIsAllowed(t *testing.T) {
	for name := range rebuilders {
		dot := strings.LastIndexByte(name, '.')
		risk, _ := classify(name[:dot], name[dot+1:])
		assert.Equal(t, Allowed, risk, name)
	}
}

func TestClassify(t *testing.T) {
	for name, want := range map[[2]string]Risk{
		{"collections", "OrderedDict"}:               Allowed,
		{"torch", "FloatStorage"}:                    Allowed,
		{"torch", "bfloat16"}:                        Allowed,
		{"builtins", "set"}:                          Allowed,
		{"os", "system"}:                             Dangerous,
		{"os.path", "join"}:                          Dangerous,
		{"osprey", "system"}:                         Suspicious,
		{"torch.hub", "load"}:                        Dangerous,
		{"torch._dynamo.guards", "x"}:                Dangerous,
		{"torch.nn.modules.linear", "Linear"}:        Suspicious,
		{"__torch__.models", "Net"}:                  Suspicious,
		{"numpy", "load"}:                            Dangerous,
		{"numpy.random", "RandomState"}:              Suspicious,
		{"torch", "FloatStorage.__reduce__"}:         Dangerous,
		{"builtins", "eval.__call__"}:                Dangerous,
		{"my.module", "Outer.Inner"}:                 Suspicious,
		{"numpy", "lib.npyio.DataSource._open"}:      Suspicious,
		{"torch", "load.x"}:                          Dangerous,
		{"", "anything"}:                             Dangerous,
		{"joblib.numpy_pickle", "NumpyArrayWrapper"}: Suspicious,
	} {
		risk, why := classify(name[0], name[1])
		assert.Equal(t, want, risk, name)
		assert.NotEmpty(t, why)
	}
	assert.Equal(t, "dangerous", Dangerous.String())
	assert.Equal(t, "risk 9", Risk(9).String())
}

// Lib/pickletools.py of Python 3.11 lists 68 opcodes.
func TestEveryOpcodeHasARow(t *testing.T) {
	names := map[string]int{}
	for code, op := range opcodes {
		if op.name == "" {
			assert.Nil(t, op.execute, "%#02x", code)
			continue
		}
		assert.NotContains(t, names, op.name)
		names[op.name] = code
		assert.Equal(t, code == opStop, op.execute == nil, op.name)
	}
	assert.Len(t, names, 68)
}
