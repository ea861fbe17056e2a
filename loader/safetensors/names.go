package safetensors

import (
	"hash/maphash"
	"math/bits"
)

// nameSet notices a name that comes twice. It keeps a hash of each, with a seed
// of its own, in a table with open addressing; 0 is a free place. It may take
// two names for one, and never one for two.
type nameSet struct {
	seed     maphash.Seed
	table    []uint64
	count    int
	repeated bool // some hash came twice
}

// reset empties the set and makes room for about so many names.
func (s *nameSet) reset(likely int) {
	size := 1 << bits.Len(uint(max(likely, 64)*4/3))
	if len(s.table) < size || len(s.table) > 8*size {
		s.seed, s.table = maphash.MakeSeed(), make([]uint64, size)
	} else {
		clear(s.table)
	}
	s.count, s.repeated = 0, false
}

func (s *nameSet) add(name []byte) {
	if 4*s.count >= 3*len(s.table) {
		old := s.table
		s.table = make([]uint64, 2*len(old))
		for _, h := range old {
			if h != 0 {
				s.place(h)
			}
		}
	}
	s.count++
	s.repeated = s.place(maphash.Bytes(s.seed, name)|1) || s.repeated
}

// place puts a hash that is not 0, and tells whether it was there.
func (s *nameSet) place(h uint64) bool {
	mask := uint64(len(s.table) - 1)
	for i := h >> 1 & mask; ; i = (i + 1) & mask {
		switch s.table[i] {
		case 0:
			s.table[i] = h
			return false
		case h:
			return true
		}
	}
}
