package weights

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/table"
)

//go:embed packing.tsv
var packingTSV string

//go:embed packing_companions.tsv
var packingCompanionsTSV string

// packing is one row of packing.tsv.
type packing struct{ ending, dtype, companion, condition, weights string }

// companionEnding is one row of packing_companions.tsv.
type companionEnding struct{ ending, companionOf string }

var packings = sync.OnceValue(func() (rows []packing) {
	for f := range table.Rows(packingTSV) {
		rows = append(rows, packing{f[0], f[1], f[2], f[3], f[4]})
	}
	return rows
})

var companionEndings = sync.OnceValue(func() (rows []companionEnding) {
	for f := range table.Rows(packingCompanionsTSV) {
		rows = append(rows, companionEnding{f[0], f[1]})
	}
	return rows
})

// PackedDTypes are the element types of packed weights, and of quantized weights with
// scales in other tensors.
var PackedDTypes = map[string]bool{
	"U32": true, "I32": true, "U8": true, "I8": true, "I16": true,
	"F8_E4M3": true, "F8_E5M2": true, "F8_E4M3FNUZ": true, "F8_E5M2FNUZ": true, "F4": true,
}

// count sets the totals of Info: tensors, elements, bytes, parameters and buffers.
func (r *reader) count() {
	w := r.Info
	l := &r.Tensors
	var stored int64
	packed := false
	for i := range l.List {
		t := &l.List[i]
		stored += t.Elements
		w.TensorBytes += t.Bytes
		w.DTypes[t.DType] += t.Bytes
		packed = packed || PackedDTypes[t.DType]
	}
	w.Tensors = len(l.List)
	if len(l.List) == 0 && r.SomeUnread {
		return
	}
	w.StoredElements = &stored
	buffers := r.countBuffers()
	parameters := stored - buffers
	if r.packedBlocks {
		r.report(finding.ParametersUnknown, "", "the weights are packed in blocks; only their stored elements are counted", "")
		return
	}
	if packed && format.ByName(w.Format).Tensors != format.TensorsOfFormat {
		var known bool
		if parameters, known = r.countUnpacked(); !known {
			r.report(finding.ParametersUnknown, "", "the weights are packed as no table says; only their stored elements are counted", "")
			return
		}
	}
	if r.SomeUnread {
		return // the tensors of a file are not known
	}
	w.Parameters, w.Buffers = &parameters, &buffers
	if parameters > 0 {
		bits := float64(w.TensorBytes) * 8 / float64(parameters)
		w.BitsPerWeight = &bits
	}
}

// tensorIndex has the number of each tensor in Tensors.List, by its name.
type tensorIndex map[string]int

func (l *Tensors) index() tensorIndex {
	index := make(tensorIndex, len(l.List))
	for i := range l.List {
		index[string(l.Name(i))] = i
	}
	return index
}

// countUnpacked counts the weights of all tensors, some of which are packed; known is
// false where the number of one is not known.
func (r *reader) countUnpacked() (parameters int64, known bool) {
	l := &r.Tensors
	u := unpacker{r: r, index: l.index(), modules: quantization.ReadModules(r.c)}
	known = true
	for i := range l.List {
		name := string(l.Name(i))
		if u.isCompanion(name) || r.isBuffer(name, l.List[i].DType) {
			continue
		}
		n, ok := u.count(i, name)
		known = known && ok
		parameters += n
	}
	return parameters, known
}

// unpacker counts the weights that packed tensors hold.
type unpacker struct {
	r       *reader
	index   tensorIndex
	modules *quantization.Modules
}

// isCompanion tells whether a tensor belongs to a quantized weight and is no parameter
// itself.
func (u *unpacker) isCompanion(name string) bool {
	for _, c := range companionEndings() {
		stem, ok := strings.CutSuffix(name, c.ending)
		if !ok {
			continue
		}
		if c.companionOf == "" {
			return true
		}
		if i, found := u.index[stem+c.companionOf]; found && name != stem+c.companionOf && PackedDTypes[u.r.Tensors.List[i].DType] {
			return true
		}
	}
	return false
}

// count gives the number of weights in tensor i; false where it is not known.
func (u *unpacker) count(i int, name string) (int64, bool) {
	t := &u.r.Tensors.List[i]
	for _, p := range packings() {
		if p.dtype != t.DType {
			continue
		}
		stem, ok := strings.CutSuffix(name, p.ending)
		if !ok || !u.holds(p.condition) {
			continue
		}
		if _, found := u.index[stem+p.companion]; p.companion == "" || found {
			return u.product(p.weights, t, stem)
		}
	}
	return t.Elements, true
}

// holds tells whether the condition of a row holds.
func (u *unpacker) holds(condition string) bool {
	q := u.r.quant
	key, value, isPair := strings.Cut(condition, "=")
	switch {
	case condition == "":
		return true
	case !isPair:
		return q != nil && q.Method == condition
	case key == "detail":
		return q != nil && q.Detail == value
	}
	return u.r.c.Quantities().Value(key).Str == value
}

// product computes the last column of a row for a tensor; stem is its name without the
// ending. It gives the stored elements and false where a factor is not known.
func (u *unpacker) product(expression string, t *Tensor, stem string) (int64, bool) {
	n, ok := u.evaluate(expression, t, stem)
	const most = 1 << 62
	if !ok || n > most {
		return t.Elements, false
	}
	return int64(math.Round(n)), true
}

// evaluate computes a product; false where it is "unknown", or a factor is not known.
func (u *unpacker) evaluate(expression string, t *Tensor, stem string) (float64, bool) {
	if expression == "unknown" {
		return 0, false
	}
	n := 1.0
	for expression != "" {
		divide := expression[0] == '/'
		expression = strings.TrimLeft(expression, "*/")
		end := strings.IndexAny(expression, "*/")
		if end < 0 {
			end = len(expression)
		}
		factor, ok := u.factor(expression[:end], t, stem)
		if !ok || divide && factor == 0 {
			return 0, false
		}
		if divide {
			n /= factor
		} else {
			n *= factor
		}
		expression = expression[end:]
	}
	return n, true
}

// factor gives the value of one factor.
func (u *unpacker) factor(word string, t *Tensor, stem string) (float64, bool) {
	switch word {
	case "self":
		return float64(t.Elements), true
	case "bits":
		bits := u.modules.Bits(strings.TrimSuffix(stem, "."))
		if bits == 0 && u.r.quant != nil && u.r.quant.Bits != nil && !u.modules.Mixed {
			bits = *u.r.quant.Bits
		}
		return bits, bits > 0 && bits <= 32
	case "group":
		group := u.modules.GroupSize(strings.TrimSuffix(stem, "."))
		return float64(group), group > 0
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return n, true
	}
	i, found := u.index[stem+word]
	if !found {
		return 0, false
	}
	return float64(u.r.Tensors.List[i].Elements), true
}
