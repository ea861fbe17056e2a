package safetensors

import (
	"hash/maphash"
	"math/bits"
)

// nameSet detects names that occur twice. It keeps a seeded hash of each name in a
// table with open addressing, where 0 is a free slot. Two names may have one hash, so
// repeated may be set wrongly, but is never missed.
type nameSet struct {
	seed     maphash.Seed
	table    []uint64
	count    int
	repeated bool // some hash came twice
}

// reset empties the set and allocates for about likely names.
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
				s.insert(h)
			}
		}
	}
	s.count++
	s.repeated = s.insert(maphash.Bytes(s.seed, name)|1) || s.repeated
}

// insert adds a hash other than 0, and reports whether it was there already.
func (s *nameSet) insert(h uint64) bool {
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
