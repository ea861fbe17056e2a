package tokenizer

import (
	"hash/maphash"

	"omniloader/loader/fault"
)

// model encodes a piece as tokens.
type model interface {
	kind() string
	// encode appends the tokens of text to w.tokens.
	encode(text string, w *scratch) error
	// size is the number of different tokens.
	size() int
	maxID() int64
	lookup(token string) (id uint32, ok bool)
	token(id uint32) (text []byte, ok bool)
}

// token is a token of a piece.
type token struct {
	id         uint32
	start, end int32 // in the text of the piece
	// literal reports that the text of the token is that of the piece and not that of
	// the vocabulary, as for unknown parts under Unigram.
	literal bool
}

// scratch is the working memory of one call of Encode. It is pooled.
type scratch struct {
	budget *budget
	track  bool
	tokens []token // of one piece
	cache  wordCache
	symbols
	lattice []latticeNode
	bytes   []byte
}

// wordCache caches the tokens of short pieces. It is used by one goroutine at a time, and
// emptied when it is full.
type wordCache struct {
	table  []cacheCell
	used   int
	keys   []byte
	tokens []token
}

type cacheCell struct {
	hash       uint64 // 0 for a free cell
	key, token uint32
	keyLen, n  uint16
}

const (
	cacheWord    = 64 // bytes of the longest piece that is cached
	cacheInitial = 1 << 8
	cacheMax     = 1 << 15
)

// get returns the tokens of a word, and its hash for put.
func (c *wordCache) get(word string) (tokens []token, hash uint64, ok bool) {
	hash = maphash.String(hashSeed, word) | 1
	if len(c.table) == 0 {
		return nil, hash, false
	}
	m := uint64(len(c.table) - 1)
	for s := hash >> 8 & m; ; s = (s + 1) & m {
		cell := &c.table[s]
		if cell.hash == 0 {
			return nil, hash, false
		}
		if cell.hash == hash && string(c.keys[cell.key:cell.key+uint32(cell.keyLen)]) == word {
			return c.tokens[cell.token : cell.token+uint32(cell.n)], hash, true
		}
	}
}

func (c *wordCache) put(word string, hash uint64, tokens []token) {
	if 2*c.used >= len(c.table) {
		switch n := len(c.table); {
		case n == 0:
			c.table = make([]cacheCell, cacheInitial)
		case n < cacheMax:
			old := c.table
			c.table = make([]cacheCell, 4*n)
			for _, cell := range old {
				if cell.hash != 0 {
					c.insert(cell)
				}
			}
		default:
			clear(c.table)
			c.used, c.keys, c.tokens = 0, c.keys[:0], c.tokens[:0]
		}
	}
	c.insert(cacheCell{hash, uint32(len(c.keys)), uint32(len(c.tokens)), uint16(len(word)), uint16(len(tokens))})
	c.used++
	c.keys = append(c.keys, word...)
	c.tokens = append(c.tokens, tokens...)
}

func (c *wordCache) insert(cell cacheCell) {
	m := uint64(len(c.table) - 1)
	s := cell.hash >> 8 & m
	for c.table[s].hash != 0 {
		s = (s + 1) & m
	}
	c.table[s] = cell
}

// encodeCached sets w.tokens to the tokens of a piece, from the cache if possible.
func (w *scratch) encodeCached(m model, text string) error {
	w.tokens = w.tokens[:0]
	if len(text) > cacheWord {
		return m.encode(text, w)
	}
	tokens, hash, ok := w.cache.get(text)
	if ok {
		w.tokens = append(w.tokens, tokens...)
		return nil
	}
	if err := m.encode(text, w); err != nil {
		return err
	}
	w.cache.put(text, hash, w.tokens)
	return nil
}

func errUnknownToken(name string) error {
	return fault.New(BadVocabulary, "", "the text needs the unknown token "+clip(name)+", which the vocabulary lacks").
		WithHint("add the token to the vocabulary, or name another as unk_token")
}
