package tokenizer

import (
	"hash/maphash"
	"math/bits"
)

// vocabulary maps tokens to ids and back. The texts are in one arena; a hash table has
// their entry numbers. Ids may be sparse: memory is proportional to the number of tokens,
// not to the highest id.
type vocabulary struct {
	arena      []byte
	ends       []uint32 // by entry: the end of its text in arena
	ids        []uint32 // by entry; nil while every entry n has id n
	table      []uint64 // upper half of the hash, and the entry + 1
	count      int      // entries in the table, which have different texts
	byID       []uint32 // entry + 1, by id; nil where ids is nil
	sparseByID map[uint32]uint32
	maxID      int64 // -1 where there is none
}

var hashSeed = maphash.MakeSeed()

// newVocabulary allocates for about n tokens of size bytes together.
func newVocabulary(n, size int) *vocabulary {
	v := &vocabulary{maxID: -1}
	v.arena = make([]byte, 0, size)
	v.ends = make([]uint32, 0, n)
	v.table = make([]uint64, 1<<bits.Len(uint(max(8, n*3/2))))
	return v
}

func (v *vocabulary) text(entry uint32) []byte {
	from := uint32(0)
	if entry > 0 {
		from = v.ends[entry-1]
	}
	return v.arena[from:v.ends[entry]]
}

func (v *vocabulary) id(entry uint32) uint32 {
	if v.ids == nil {
		return entry
	}
	return v.ids[entry]
}

// add adds a token. A token that exists gets the new id, as in the maps of the reference.
func (v *vocabulary) add(token []byte, id uint32) {
	h := maphash.Bytes(hashSeed, token)
	slot, entry, ok := v.probe(token, h)
	v.maxID = max(v.maxID, int64(id))
	if ok {
		if v.id(entry) != id {
			v.storeIDs()
			v.ids[entry] = id
		}
		return
	}
	entry = uint32(len(v.ends))
	v.arena = append(v.arena, token...)
	v.ends = append(v.ends, uint32(len(v.arena)))
	v.table[slot] = h>>32<<32 | uint64(entry+1)
	v.count++
	switch {
	case v.ids != nil:
		v.ids = append(v.ids, id)
	case id != entry:
		v.storeIDs()
		v.ids[entry] = id
	}
	if v.count*3 > len(v.table)*2 {
		v.grow()
	}
}

// storeIDs sets ids, which were implicit.
func (v *vocabulary) storeIDs() {
	if v.ids != nil {
		for len(v.ids) < len(v.ends) {
			v.ids = append(v.ids, uint32(len(v.ids)))
		}
		return
	}
	v.ids = make([]uint32, len(v.ends), cap(v.ends))
	for i := range v.ids {
		v.ids[i] = uint32(i)
	}
}

func (v *vocabulary) grow() {
	v.table = make([]uint64, 2*len(v.table))
	m := uint64(len(v.table) - 1)
	for e := range v.ends {
		h := maphash.Bytes(hashSeed, v.text(uint32(e)))
		slot := h & m
		for v.table[slot] != 0 {
			slot = (slot + 1) & m
		}
		v.table[slot] = h>>32<<32 | uint64(e+1)
	}
}

func (v *vocabulary) probe(token []byte, h uint64) (slot uint64, entry uint32, ok bool) {
	m := uint64(len(v.table) - 1)
	for slot = h & m; ; slot = (slot + 1) & m {
		cell := v.table[slot]
		if cell == 0 {
			return slot, 0, false
		}
		if cell>>32 == h>>32 {
			if e := uint32(cell) - 1; string(v.text(e)) == string(token) {
				return slot, e, true
			}
		}
	}
}

// entry returns the entry number of a token.
func (v *vocabulary) entry(token []byte) (uint32, bool) {
	_, e, ok := v.probe(token, maphash.Bytes(hashSeed, token))
	return e, ok
}

func (v *vocabulary) lookup(token []byte) (id uint32, ok bool) {
	e, ok := v.entry(token)
	if !ok {
		return 0, false
	}
	return v.id(e), true
}

// entryString is entry for a string.
func (v *vocabulary) entryString(token string) (uint32, bool) {
	m, h := uint64(len(v.table)-1), maphash.String(hashSeed, token)
	for slot := h & m; ; slot = (slot + 1) & m {
		cell := v.table[slot]
		if cell == 0 {
			return 0, false
		}
		if cell>>32 == h>>32 {
			if e := uint32(cell) - 1; string(v.text(e)) == token {
				return e, true
			}
		}
	}
}

func (v *vocabulary) lookupString(token string) (id uint32, ok bool) {
	e, ok := v.entryString(token)
	if !ok {
		return 0, false
	}
	return v.id(e), true
}

// finish builds the map from ids to tokens. Of tokens with the same id the last counts.
func (v *vocabulary) finish() {
	if v.ids == nil {
		return
	}
	if dense := 4*int64(len(v.ids)) + 1024; v.maxID < dense {
		v.byID = make([]uint32, v.maxID+1)
	} else {
		v.sparseByID = make(map[uint32]uint32, len(v.ids))
	}
	for e, id := range v.ids {
		if v.byID != nil {
			v.byID[id] = uint32(e + 1)
		} else {
			v.sparseByID[id] = uint32(e + 1)
		}
	}
}

// token returns the text of an id.
func (v *vocabulary) token(id uint32) ([]byte, bool) {
	var e uint32
	switch {
	case v.ids == nil:
		if int64(id) >= int64(len(v.ends)) {
			return nil, false
		}
		return v.text(id), true
	case v.byID != nil:
		if int64(id) < int64(len(v.byID)) {
			e = v.byID[id]
		}
	default:
		e = v.sparseByID[id]
	}
	if e == 0 {
		return nil, false
	}
	return v.text(e - 1), true
}

// longest is the length in bytes of the longest token.
func (v *vocabulary) longest() int {
	most, from := 0, uint32(0)
	for _, end := range v.ends {
		most = max(most, int(end-from))
		from = end
	}
	return most
}

// merges maps pairs of ids to their merges.
type merges struct {
	table []mergeCell
	seed  uint64
	count int
}

type mergeCell struct {
	pair       uint64 // left id and right id
	rank, into uint32 // rank + 1; 0 for a free cell
}

func newMerges(n int) *merges {
	return &merges{table: make([]mergeCell, 1<<bits.Len(uint(max(8, n*3/2)))), seed: maphash.String(hashSeed, "merges") | 1}
}

func (m *merges) slot(pair uint64) uint64 {
	hi, lo := bits.Mul64(pair^m.seed, 0x9E3779B97F4A7C15)
	return (hi ^ lo) & uint64(len(m.table)-1)
}

// add adds a pair. Of ranks for the same pair the last counts.
func (m *merges) add(left, right, rank, into uint32) {
	if m.count*3 > len(m.table)*2 {
		old := m.table
		m.table = make([]mergeCell, 2*len(old))
		m.count = 0
		for _, c := range old {
			if c.rank != 0 {
				m.put(c)
			}
		}
	}
	m.put(mergeCell{uint64(left)<<32 | uint64(right), rank + 1, into})
}

func (m *merges) put(c mergeCell) {
	for s := m.slot(c.pair); ; s = (s + 1) & uint64(len(m.table)-1) {
		cell := &m.table[s]
		if cell.rank == 0 {
			m.count++
		} else if cell.pair != c.pair {
			continue
		}
		*cell = c
		return
	}
}

// none is the rank of a pair without a merge.
const none = ^uint32(0)

func (m *merges) find(left, right uint32) (rank, into uint32) {
	pair := uint64(left)<<32 | uint64(right)
	for s := m.slot(pair); ; s = (s + 1) & uint64(len(m.table)-1) {
		c := &m.table[s]
		if c.rank == 0 {
			return none, 0
		}
		if c.pair == pair {
			return c.rank - 1, c.into
		}
	}
}
