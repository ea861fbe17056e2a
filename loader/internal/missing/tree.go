package missing

import (
	"bytes"
	"math/bits"
	"strconv"
	"strings"

	"omniloader/loader/internal/classtensors"
)

// The limits of what is compared.
const (
	maxLayers  = 1 << 12 // of a stack
	maxMembers = 1 << 17 // of all stacks
)

// tree has the names of the tensors, those of layers by their stack.
type tree struct {
	outside map[string]bool
	stacks  []*stack
	byName  map[string]*stack
	full    bool // there were too many names
}

// stack is the layers whose tensors have one prefix.
type stack struct {
	prefix  string
	n       int // the highest number of a layer, plus 1
	members map[string]*member
	order   []*member
	present set              // layers that have any tensor
	lists   map[string]*list // see list
}

// member is a tensor that layers of a stack have.
type member struct {
	name   string // behind the number of the layer
	flat   string // name with # for numbers
	layers set    // that have it
}

// set is a set of numbers of layers.
type set []uint64

func (s *set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

func (s set) len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// newTree sorts the names into stacks.
func newTree(names Names) *tree {
	t := &tree{outside: map[string]bool{}, byName: map[string]*stack{}}
	members := 0
	var last *stack
	for i := range names.Len() {
		name := names.Name(i)
		prefix, number, rest, ok := cutNumber(name)
		if !ok {
			t.outside[normal(string(name))] = true
			continue
		}
		s := last
		if s == nil || s.prefix != string(prefix) {
			if s = t.byName[string(prefix)]; s == nil {
				s = &stack{prefix: string(prefix), members: map[string]*member{}}
				t.byName[s.prefix] = s
				t.stacks = append(t.stacks, s)
			}
			last = s
		}
		m := s.members[string(rest)]
		if m == nil {
			if members++; members > maxMembers {
				t.full = true
				continue
			}
			n := string(rest)
			m = &member{name: normal(n), flat: classtensors.Collapse(normal(n))}
			s.members[n] = m
			s.order = append(s.order, m)
		}
		m.layers.add(number)
		s.present.add(number)
		s.n = max(s.n, number+1)
	}
	return t
}

// cutNumber splits a name at its first element that is a number.
func cutNumber(name []byte) (prefix []byte, number int, rest []byte, ok bool) {
	for at := 0; ; {
		end := bytes.IndexByte(name[at:], '.')
		if end < 0 {
			return nil, 0, nil, false
		}
		if word := name[at : at+end]; classtensors.IsNumber(word) {
			n, err := strconv.Atoi(string(word))
			if err != nil || n >= maxLayers {
				return nil, 0, nil, false
			}
			return name[:max(at-1, 0)], n, name[at+end+1:], true
		}
		at += end + 1
	}
}

// spellings are ends of names that older libraries wrote for others.
var spellings = [][2]string{
	{".gamma", ".weight"}, {".beta", ".bias"}, // TensorFlow's names of LayerNorm
	{".parametrizations.weight.original0", ".weight_g"}, {".parametrizations.weight.original1", ".weight_v"}, // torch.nn.utils.weight_norm
}

// normal gives the newest spelling of a name.
func normal(name string) string {
	for _, s := range spellings {
		if stem, ok := strings.CutSuffix(name, s[0]); ok {
			return stem + s[1]
		}
	}
	return name
}

// join puts a prefix and a name together.
func join(prefix string, rest string) string {
	if prefix == "" {
		return rest
	}
	return prefix + "." + rest
}
