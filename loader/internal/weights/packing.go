package weights

import (
	_ "embed"
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
type packing struct{ ending, dtype, companion, weightsPerElement string }

// companionEnding is one row of packing_companions.tsv.
type companionEnding struct{ ending, companionOf string }

var packings = sync.OnceValue(func() (rows []packing) {
	for f := range table.Rows(packingTSV) {
		rows = append(rows, packing{f[0], f[1], f[2], f[3]})
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

// count sets the totals of Info: tensors, elements, bytes and parameters.
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
	parameters := stored
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
	w.Parameters = &parameters
	if parameters > 0 {
		bits := float64(w.TensorBytes) * 8 / float64(parameters)
		w.BitsPerWeight = &bits
	}
}

// countUnpacked counts the weights of all tensors, some of which are packed; known is
// false where the number of one is not known.
func (r *reader) countUnpacked() (parameters int64, known bool) {
	l := &r.Tensors
	index := make(map[string]int, len(l.List))
	for i := range l.List {
		index[string(l.Name(i))] = i
	}
	known = true
	for i := range l.List {
		name := string(l.Name(i))
		if isCompanionTensor(name, index) {
			continue
		}
		t := &l.List[i]
		n := t.Elements
		for _, p := range packings() {
			if p.dtype != t.DType {
				continue
			}
			stem, ok := strings.CutSuffix(name, p.ending)
			if !ok {
				continue
			}
			companion, found := index[stem+p.companion]
			if p.companion != "" && !found {
				continue
			}
			if n, ok = r.unpackedCount(p, t, companion); !ok {
				known = false
			}
			break
		}
		parameters += n
	}
	return parameters, known
}

// isCompanionTensor tells whether a tensor belongs to a quantized weight and is no
// parameter itself. index has the tensors by name.
func isCompanionTensor(name string, index map[string]int) bool {
	for _, c := range companionEndings() {
		stem, ok := strings.CutSuffix(name, c.ending)
		if !ok {
			continue
		}
		if c.companionOf == "" {
			return true
		}
		if _, found := index[stem+c.companionOf]; found && name != stem+c.companionOf {
			return true
		}
	}
	return false
}

// unpackedCount gives the number of weights in a packed tensor; false where it is not
// known. companion is the index of the tensor of the row's companion ending.
func (r *reader) unpackedCount(p packing, t *Tensor, companion int) (int64, bool) {
	q := r.quant
	switch p.weightsPerElement {
	case "32/bits":
		if q == nil || q.Bits == nil || *q.Bits <= 0 || *q.Bits > 32 {
			return t.Elements, false
		}
		return int64(float64(t.Elements) * 32 / *q.Bits), true
	case "scales":
		group := quantization.GroupSize(r.c)
		if group <= 0 {
			return t.Elements, false
		}
		return r.Tensors.List[companion].Elements * group, true
	case "bitnet":
		if q != nil && q.Method == "bitnet" {
			return t.Elements * 4, true
		}
		return t.Elements, true
	case "unknown":
		return t.Elements, false
	}
	n, err := strconv.ParseInt(p.weightsPerElement, 10, 64)
	return t.Elements * n, err == nil
}
