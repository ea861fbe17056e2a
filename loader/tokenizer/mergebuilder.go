package tokenizer

import "strconv"

// mergeBuilder builds merges from pairs of tokens, in the order of their ranks.
type mergeBuilder struct {
	vocab  *vocabulary
	merges *merges
	prefix int // bytes of the prefix of continuing tokens, which merged tokens leave out
	rank   uint32
	last   uint32 // vocabulary entry of the last merged token
	buf    []byte
}

func newMergeBuilder(v *vocabulary, prefix string, n int) mergeBuilder {
	return mergeBuilder{vocab: v, merges: newMerges(min(n, 2*v.count)), prefix: len(prefix), last: none}
}

// add adds the pair of the next rank. It returns what is wrong with it, or "".
func (b *mergeBuilder) add(left, right []byte) (bad string) {
	l, ok := b.vocab.lookup(left)
	if !ok {
		return "merge " + strconv.Itoa(int(b.rank)) + ": " + strconv.Quote(clip(left)) + " is not in the vocabulary"
	}
	r, ok := b.vocab.lookup(right)
	if !ok {
		return "merge " + strconv.Itoa(int(b.rank)) + ": " + strconv.Quote(clip(right)) + " is not in the vocabulary"
	}
	if len(right) < b.prefix {
		return "merge " + strconv.Itoa(int(b.rank)) + ": " + strconv.Quote(clip(right)) + " is shorter than the prefix"
	}
	right = right[b.prefix:]
	// Vocabularies list tokens in the order in which training created them, so the token
	// of this merge usually follows that of the last one.
	entry := b.last + 1
	if int(entry) >= len(b.vocab.ends) || !concatenates(b.vocab.text(entry), left, right) {
		b.buf = append(append(b.buf[:0], left...), right...)
		if entry, ok = b.vocab.entry(b.buf); !ok {
			return "merge " + strconv.Itoa(int(b.rank)) + ": " + strconv.Quote(clip(b.buf)) + " is not in the vocabulary"
		}
	}
	b.last = entry
	b.merges.add(l, r, b.rank, b.vocab.id(entry))
	b.rank++
	return ""
}

func concatenates(s, a, b []byte) bool {
	return len(s) == len(a)+len(b) && string(s[:len(a)]) == string(a) && string(s[len(a):]) == string(b)
}

func newUnigram(n, size int) *unigram {
	return &unigram{vocab: newVocabulary(n, size), unkID: -1, scores: make([]float64, 0, n)}
}

// add appends the token of the next id.
func (m *unigram) add(text []byte, score float64) {
	id := uint32(len(m.scores))
	if len(m.scores) == 0 || score < m.minScore {
		m.minScore = score
	}
	if len(m.scores) == 0 || score > m.maxScore {
		m.maxScore = score
	}
	m.scores = append(m.scores, score)
	if old, ok := m.vocab.lookup(text); ok {
		if m.duplicates == nil {
			m.duplicates = make(map[uint32]string)
		}
		m.duplicates[old] = string(text)
	}
	m.vocab.add(text, id)
}
