package weights

import (
	_ "embed"
	"math"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/table"
)

//go:embed packing_needs.tsv
var packingNeedsTSV string

//go:embed packing_bits.tsv
var packingBitsTSV string

// packedKind is what packing_needs.tsv and packing_bits.tsv have in their rows.
type packedKind struct {
	ending, dtype string
	methods       []string // nil for any
	value         string
}

var (
	packingNeeds = sync.OnceValue(func() []packedKind { return packedKinds(packingNeedsTSV) })
	packingBits  = sync.OnceValue(func() []packedKind { return packedKinds(packingBitsTSV) })
)

// packedKinds reads one of the two tables.
func packedKinds(text string) (rows []packedKind) {
	for f := range table.Rows(text) {
		row := packedKind{ending: f[0], dtype: f[1], value: f[3]}
		if f[2] != "" {
			row.methods = strings.Split(f[2], ",")
		}
		rows = append(rows, row)
	}
	return rows
}

// stem gives the name of a tensor without the ending of the row; ok is false where the
// row is not about it.
func (k *packedKind) stem(name, dtype string, q *answer.Quantization) (stem string, ok bool) {
	if k.dtype != "" && k.dtype != dtype || k.methods != nil && (q == nil || !slices.Contains(k.methods, q.Method)) {
		return "", false
	}
	return strings.CutSuffix(name, k.ending)
}

// LackingScales lists the tensors that quantized weights cannot be read without, and that
// are not there: scales, lookup tables. q is the quantization, nil where there is none.
func (h *Headers) LackingScales(q *answer.Quantization) (names []string) {
	if !slices.ContainsFunc(h.Tensors.List, func(t Tensor) bool { return PackedDTypes[t.DType] }) {
		return nil
	}
	index := h.Tensors.index()
	for i := range h.Tensors.List {
		name := string(h.Tensors.Name(i))
		for _, k := range packingNeeds() {
			stem, ok := k.stem(name, h.Tensors.List[i].DType, q)
			if !ok {
				continue
			}
			needs := strings.Split(k.value, ",")
			if !slices.ContainsFunc(needs, func(n string) bool { _, found := index[stem+n]; return found }) {
				names = append(names, stem+needs[0])
			}
		}
	}
	return names
}

// BitConflict is a weight whose tensors have another number of bits than the config says.
type BitConflict struct {
	Tensor             string
	Stored, Configured float64
}

// BitConflicts compares the bits that weights are packed in with those of the config, for
// each of the weights whose tensors tell them.
func (h *Headers) BitConflicts(c *checkpoint.Directory, q *answer.Quantization) (conflicts []BitConflict) {
	if q == nil || !slices.ContainsFunc(packingBits(), func(k packedKind) bool { return slices.Contains(k.methods, q.Method) }) {
		return nil
	}
	u := unpacker{r: &reader{Headers: h, c: c, quant: q}, index: h.Tensors.index(), modules: quantization.ReadModules(c)}
	for i := range h.Tensors.List {
		name, t := string(h.Tensors.Name(i)), &h.Tensors.List[i]
		for _, k := range packingBits() {
			stem, ok := k.stem(name, t.DType, q)
			if !ok {
				continue
			}
			stored, ok := u.evaluate(k.value, t, stem)
			if configured, known := u.factor("bits", t, stem); ok && known && stored != configured && stored >= 1 && stored <= 16 && stored == math.Trunc(stored) {
				conflicts = append(conflicts, BitConflict{name, stored, configured})
			}
			break
		}
	}
	return conflicts
}
