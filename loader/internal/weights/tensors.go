package weights

import "omniloader/loader/internal/format"

// Tensor is a tensor as a header describes it. Headers hold a hundred thousand of
// them, so the names are kept in one text.
type Tensor struct {
	nameEnd  int // in Tensors.names; the name begins where the one before ends
	DType    string
	Elements int64
	Bytes    int64
	Rows     int64 // the first dimension, 1 for a scalar
}

// Tensors is the tensors of the weight files that were chosen.
type Tensors struct {
	names []byte
	List  []Tensor
}

func (l *Tensors) add(t format.Tensor) {
	l.names = append(l.names, t.Name...)
	l.List = append(l.List, Tensor{len(l.names), t.DType, t.Elements, t.Bytes, t.Rows})
}

// truncate leaves the first n tensors.
func (l *Tensors) truncate(n int) {
	l.List = l.List[:n]
	l.names = l.names[:0]
	if n > 0 {
		l.names = l.names[:l.List[n-1].nameEnd]
	}
}

// Name is the name of tensor i.
func (l *Tensors) Name(i int) []byte {
	start := 0
	if i > 0 {
		start = l.List[i-1].nameEnd
	}
	return l.names[start:l.List[i].nameEnd]
}

// HasAny tells whether there is a tensor of one of a few names. It is one pass, for
// however many: real files have held a million tensors.
func (l *Tensors) HasAny(names []string) bool {
	for i := range l.List {
		name := l.Name(i)
		for _, n := range names {
			if string(name) == n {
				return true
			}
		}
	}
	return false
}
