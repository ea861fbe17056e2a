package tokenizer

import (
	"hash/maphash"
	"math/bits"
)

// unigram chooses the tokens with the highest sum of scores.
type unigram struct {
	vocab        *vocabulary       // ids of texts; of equal texts the last
	duplicates   map[uint32]string // texts of ids that vocab maps to a later token with the same text
	scores       []float64         // by id
	trie         *trie
	unkID        int64 // -1 where there is none
	minScore     float64
	maxScore     float64
	byteFallback bool
	float32Sums  bool // store sums in 32 bits, as the C++ library does
	userDefined  map[uint32]bool
	unused       map[uint32]string // tokens that no path uses: control, byte and unused pieces
	unusedID     map[string]uint32
	bytes        [256]int64
}

// unkPenalty is by how much the score of an unknown character is below the lowest score.
const unkPenalty = 10

func (m *unigram) kind() string { return "Unigram" }
func (m *unigram) size() int    { return len(m.scores) }
func (m *unigram) maxID() int64 { return int64(len(m.scores)) - 1 }

func (m *unigram) lookup(token string) (uint32, bool) {
	if id, ok := m.unusedID[token]; ok {
		return id, true
	}
	return m.vocab.lookupString(token)
}

// addUnused adds a token that no path uses, with the next id.
func (m *unigram) addUnused(token string, score float64) {
	if m.unusedID == nil {
		m.unused, m.unusedID = make(map[uint32]string), make(map[string]uint32)
	}
	id := uint32(len(m.scores))
	m.scores = append(m.scores, score)
	m.unused[id], m.unusedID[token] = token, id
}

func (m *unigram) token(id uint32) ([]byte, bool) {
	if s, ok := m.duplicates[id]; ok {
		return []byte(s), true
	}
	if s, ok := m.unused[id]; ok {
		return []byte(s), true
	}
	return m.vocab.token(id)
}

func (m *unigram) finish() {
	m.vocab.finish()
	m.trie = newTrie(len(m.vocab.arena))
	for e := range m.vocab.ends {
		m.trie.add(m.vocab.text(uint32(e)), m.vocab.id(uint32(e)))
	}
	for b := range m.bytes {
		m.bytes[b] = -1
		if id, ok := m.lookup("<0x" + string(hexDigits[b>>4]) + string(hexDigits[b&15]) + ">"); ok {
			m.bytes[b] = int64(id)
		}
	}
}

// latticeNode is the best path that ends at a byte.
type latticeNode struct {
	score float64
	id    uint32
	from  int32 // where the last token of the path begins, -1 for no path
}

// encode finds the best path as encode_optimized of the reference does: of paths with the
// same score the first one found.
func (m *unigram) encode(text string, w *scratch) error {
	n := len(text)
	if cap(w.lattice) < n+1 {
		w.lattice = make([]latticeNode, n+1, n+n/4+16)
	}
	best := w.lattice[:n+1]
	for i := range best {
		best[i] = latticeNode{from: -1}
	}
	unkScore := m.minScore - unkPenalty
	for at := 0; at < n; {
		here, size, alone, steps := best[at].score, runeLen(text, at), false, 0
		for state, i := uint32(0), at; i < n; i++ {
			var ok bool
			if state, ok = m.trie.step(state, text[i]); !ok {
				break
			}
			steps++
			value := m.trie.values[state]
			if value == 0 {
				continue
			}
			id := value - 1
			end := i + 1
			m.relax(&best[end], here, m.scores[id], id, at, end-at)
			alone = alone || end-at == size
		}
		if !w.budget.spend(steps) {
			return errBudget("the vocabulary")
		}
		if !alone {
			target := &best[at+size]
			if score := m.rounded(unkScore + here); target.from < 0 || score > target.score {
				if m.unkID < 0 {
					return errUnknownToken("(the file has no unk_id)")
				}
				*target = latticeNode{score, uint32(m.unkID), int32(at)}
			}
		}
		at += size
	}
	m.path(text, best, w)
	return nil
}

func (m *unigram) relax(target *latticeNode, here, score float64, id uint32, at, length int) {
	if m.userDefined != nil && m.userDefined[id] {
		score = float64(length)*m.maxScore - 0.1 // as in the C++ library, above the scores of all other tokens
	}
	if sum := here + score; target.from < 0 || sum > target.score {
		*target = latticeNode{m.rounded(sum), id, int32(at)}
	}
}

// rounded returns a sum as the lattice stores it: the C++ library adds in 64 bits and
// stores 32.
func (m *unigram) rounded(sum float64) float64 {
	if m.float32Sums {
		return float64(float32(sum))
	}
	return sum
}

// path appends the tokens of the best path, from its end. Adjacent unknown parts become
// one.
func (m *unigram) path(text string, best []latticeNode, w *scratch) {
	from := len(w.tokens)
	for end := len(text); end > 0; {
		b := best[end]
		start, id := int(b.from), b.id
		unknown := int64(id) == m.unkID
		for unknown && start > 0 && int64(best[start].id) == m.unkID {
			start = int(best[start].from)
		}
		if unknown {
			m.unknownPart(text, start, end, w)
		} else {
			w.tokens = append(w.tokens, token{id: id, start: int32(start), end: int32(end)})
		}
		end = start
	}
	tokens := w.tokens[from:]
	for i, j := 0, len(tokens)-1; i < j; i, j = i+1, j-1 {
		tokens[i], tokens[j] = tokens[j], tokens[i]
	}
}

// unknownPart appends the tokens of an unknown part, the last first.
func (m *unigram) unknownPart(text string, start, end int, w *scratch) {
	part := text[start:end]
	if id, ok := m.vocab.lookupString(part); ok {
		w.tokens = append(w.tokens, token{id: id, start: int32(start), end: int32(end)})
		return
	}
	whole := m.byteFallback
	for i := 0; whole && i < len(part); i++ {
		whole = m.bytes[part[i]] >= 0
	}
	if !whole {
		w.tokens = append(w.tokens, token{id: uint32(m.unkID), start: int32(start), end: int32(end), literal: true})
		return
	}
	for i := len(part) - 1; i >= 0; i-- {
		w.tokens = append(w.tokens, token{id: uint32(m.bytes[part[i]]), start: int32(start), end: int32(end)})
	}
}

// trie is a trie of bytes in one hash table.
type trie struct {
	keys   []uint64 // state, byte and 1<<48; 0 for a free cell
	next   []uint32
	root   [256]uint32 // state, or 0
	values []uint32    // by state: value + 1
	seed   uint64
}

func newTrie(size int) *trie {
	t := &trie{seed: maphash.String(hashSeed, "trie") | 1, values: make([]uint32, 1, size/2+2)}
	t.resize(1 << bits.Len(uint(max(16, size))))
	return t
}

func (t *trie) resize(n int) {
	keys, next := t.keys, t.next
	t.keys, t.next = make([]uint64, n), make([]uint32, n)
	for i, k := range keys {
		if k != 0 {
			s := t.slot(k)
			t.keys[s], t.next[s] = k, next[i]
		}
	}
}

// slot is the cell of the key, or the free cell for it.
func (t *trie) slot(key uint64) uint64 {
	hi, lo := bits.Mul64(key^t.seed, 0x9E3779B97F4A7C15)
	m := uint64(len(t.keys) - 1)
	s := (hi ^ lo) & m
	for t.keys[s] != 0 && t.keys[s] != key {
		s = (s + 1) & m
	}
	return s
}

func (t *trie) step(state uint32, b byte) (uint32, bool) {
	if state == 0 {
		s := t.root[b]
		return s, s != 0
	}
	key := 1<<48 | uint64(state)<<8 | uint64(b)
	s := t.slot(key)
	return t.next[s], t.keys[s] == key
}

// extend adds a state, to which b leads.
func (t *trie) extend(state uint32, b byte) uint32 {
	next := uint32(len(t.values))
	t.values = append(t.values, 0)
	if state == 0 {
		t.root[b] = next
		return next
	}
	if 2*len(t.values) > len(t.keys) {
		t.resize(2 * len(t.keys))
	}
	key := 1<<48 | uint64(state)<<8 | uint64(b)
	s := t.slot(key)
	t.keys[s], t.next[s] = key, next
	return next
}

func (t *trie) add(text []byte, value uint32) {
	state := uint32(0)
	for _, b := range text {
		next, ok := t.step(state, b)
		if !ok {
			next = t.extend(state, b)
		}
		state = next
	}
	if len(text) > 0 {
		t.values[state] = value + 1
	}
}
