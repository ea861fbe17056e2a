package weights

import "omniloader/loader/internal/format"

// Tensor is a tensor of the weights, without its name: see Tensors.Name.
type Tensor struct {
	nameEnd  int // end of the name in Tensors.names; it begins at the end of the previous one
	DType    string
	Elements int64
	Bytes    int64
	Rows     int64 // the first dimension, 1 for a scalar
}

// Tensors are the tensors of all weight files. Some models have a hundred thousand, so
// the names are kept in one slice.
type Tensors struct {
	names []byte
	List  []Tensor
}

// add appends a tensor.
func (l *Tensors) add(t format.Tensor) {
	l.names = append(l.names, t.Name...)
	l.List = append(l.List, Tensor{len(l.names), t.DType, t.Elements, t.Bytes, t.Rows})
}

// truncate removes all but the first n tensors.
func (l *Tensors) truncate(n int) {
	l.List = l.List[:n]
	l.names = l.names[:0]
	if n > 0 {
		l.names = l.names[:l.List[n-1].nameEnd]
	}
}

// Name is the name of tensor i of List. It must not be changed.
func (l *Tensors) Name(i int) []byte {
	start := 0
	if i > 0 {
		start = l.List[i-1].nameEnd
	}
	return l.names[start:l.List[i].nameEnd]
}

// Len is the number of tensors.
func (l *Tensors) Len() int { return len(l.List) }

// HasAny tells whether there is a tensor of one of the names, which should be few: each
// tensor is compared with all of them.
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
