package tokenizer

import (
	"sort"
	"unicode/utf8"
)

// AddedToken is a token that is matched in the text before the model encodes the rest.
type AddedToken struct {
	ID         uint32
	Content    string
	SingleWord bool // only where no word character is directly before or after it
	LStrip     bool // includes the white space before it
	RStrip     bool // includes the white space after it
	Normalized bool // is matched in the normalized text, by its normalized form
	Special    bool // is left out by decoding without special tokens

	notMatched bool // is never matched in texts
}

// addedVocabulary holds the added tokens in the order in which they were added.
type addedVocabulary struct {
	tokens      []AddedToken
	forms       []string // normalized forms
	byText      map[string]uint32
	byID        map[uint32]int // index of tokens
	special     map[string]bool
	specialOnly []AddedToken // special tokens that are not matched in texts
	plain       matcher      // of tokens matched in the original text
	normal      matcher      // of tokens matched in the normalized text
}

// add adds tokens as the reference does (added_vocabulary.rs, add_tokens): a token that
// the model or an earlier entry has keeps that id, any other gets the next free id,
// whatever id the file gives it. Tokens without content are ignored.
func (a *addedVocabulary) add(tokens []AddedToken, m model, n normalizer) error {
	err := a.assignIDs(tokens, m, n)
	if err == nil {
		a.index()
	}
	return err
}

// assignIDs is add without the preparations for matching in texts.
func (a *addedVocabulary) assignIDs(tokens []AddedToken, m model, n normalizer) error {
	a.init()
	size := uint32(m.size())
	next := size
	for id := range a.byID {
		if id >= size || size == 0 {
			next = max(next, id+1)
		}
	}
	b := newBudget(0) // for the normalized forms of all tokens
	for _, t := range tokens {
		b.room += growthFactor * len(t.Content)
	}
	for _, t := range tokens {
		if t.Content == "" {
			continue
		}
		id, known := a.byText[t.Content]
		if !known {
			id, known = m.lookup(t.Content)
		}
		if !known {
			id = next
			next++
		}
		form := t.Content
		if t.Normalized && n != nil {
			p := piece{text: t.Content, plain: true}
			if err := n.normalize(&p, false, b); err != nil {
				return err
			}
			if err := b.grow(len(p.text) - len(t.Content)); err != nil {
				return err
			}
			form = p.text
		}
		t.ID = id
		a.byText[t.Content] = id
		if t.Special {
			a.special[t.Content] = true
		}
		if at, ok := a.byID[id]; ok {
			a.tokens[at], a.forms[at] = t, form
			continue
		}
		a.byID[id] = len(a.tokens)
		a.tokens = append(a.tokens, t)
		a.forms = append(a.forms, form)
	}
	return nil
}

func (a *addedVocabulary) init() {
	if a.byText == nil {
		a.byText, a.byID, a.special = make(map[string]uint32), make(map[uint32]int), make(map[string]bool)
	}
}

// index builds the matchers.
func (a *addedVocabulary) index() {
	a.plain, a.normal = matcher{}, matcher{}
	for i, t := range a.tokens {
		if t.notMatched {
			continue
		}
		if t.Normalized {
			a.normal.add(a.forms[i], int32(i))
		} else {
			a.plain.add(t.Content, int32(i))
		}
	}
}

// matcher finds the leftmost-longest matches of a set of texts.
type matcher struct {
	trie  *trie
	first [256]bool
	texts []string
	which []int32
}

func (m *matcher) add(text string, at int32) {
	if text == "" {
		return
	}
	if m.trie == nil {
		m.trie = newTrie(64)
	}
	if m.prefix(text) == len(text) {
		return // of two tokens with the same form the first is matched
	}
	m.trie.add([]byte(text), uint32(at))
	m.first[text[0]] = true
	m.texts = append(m.texts, text)
	m.which = append(m.which, at)
}

// each calls found with each match from left to right.
func (m *matcher) each(s string, found func(from, to int, which int32)) {
	if m.trie == nil {
		return
	}
	steps, limit := 0, 1<<16+16*len(s)
	for at := 0; at < len(s); {
		if !m.first[s[at]] {
			at++
			continue
		}
		state, end, which := uint32(0), -1, int32(0)
		for i := at; i < len(s); i++ {
			var ok bool
			if state, ok = m.trie.step(state, s[i]); !ok {
				break
			}
			steps++
			if v := m.trie.values[state]; v != 0 {
				end, which = i+1, int32(v-1)
			}
		}
		if end < 0 {
			at++
		} else {
			found(at, end, which)
			at = end
		}
		if steps > limit {
			m.eachBackward(s, at, found)
			return
		}
	}
}

// eachBackward does the same in time that does not depend on the length of the texts:
// an automaton of the reversed texts, which reads s from its end, has in its state the
// longest text that begins at each byte.
func (m *matcher) eachBackward(s string, at int, found func(from, to int, which int32)) {
	longest := newSuffixes(m.texts).walk(s, at)
	for at < len(s) {
		i := longest[at]
		if i < 0 {
			at++
			continue
		}
		found(at, at+len(m.texts[i]), m.which[i])
		at += len(m.texts[i])
	}
}

// suffixes is an Aho-Corasick automaton of reversed texts.
type suffixes struct {
	trie *trie
	fail []uint32
	out  []int32 // the longest text that ends in the state, or -1
}

func newSuffixes(texts []string) *suffixes {
	a := &suffixes{trie: newTrie(64)}
	type edge struct {
		from uint32
		b    byte
		to   uint32
	}
	var edges []edge
	for i, t := range texts {
		state := uint32(0)
		for j := len(t) - 1; j >= 0; j-- {
			next, ok := a.trie.step(state, t[j])
			if !ok {
				next = a.trie.extend(state, t[j])
				edges = append(edges, edge{state, t[j], next})
			}
			state = next
		}
		a.trie.values[state] = uint32(i) + 1
	}
	n := len(a.trie.values)
	a.fail, a.out = make([]uint32, n), make([]int32, n)
	depth := make([]int32, n)
	for _, e := range edges { // in this order an edge follows the one that leads to it
		depth[e.to] = depth[e.from] + 1
	}
	sort.SliceStable(edges, func(i, j int) bool { return depth[edges[i].to] < depth[edges[j].to] })
	a.out[0] = -1
	for _, e := range edges {
		if e.from != 0 {
			a.fail[e.to] = a.next(a.fail[e.from], e.b)
		}
		a.out[e.to] = a.out[a.fail[e.to]]
		if v := a.trie.values[e.to]; v != 0 {
			a.out[e.to] = int32(v - 1)
		}
	}
	return a
}

func (a *suffixes) next(state uint32, b byte) uint32 {
	for {
		if next, ok := a.trie.step(state, b); ok {
			return next
		}
		if state == 0 {
			return 0
		}
		state = a.fail[state]
	}
}

// walk returns for each byte from at on the index of the longest text that begins there,
// or -1.
func (a *suffixes) walk(s string, at int) []int32 {
	longest := make([]int32, len(s))
	state := uint32(0)
	for i := len(s) - 1; i >= at; i-- {
		state = a.next(state, s[i])
		longest[i] = a.out[state]
	}
	return longest
}

// found is a part of a text: an added token, or what is between two.
type found struct {
	from, to int
	token    int // index of addedVocabulary.tokens, or -1
}

// split splits the text into added tokens and the parts between them. As in the
// reference (find_matches), a token that includes white space may overlap the next one.
func (a *addedVocabulary) split(s string, m *matcher) []found {
	var out []found
	last := 0
	var space [2]int // the last run of white space that was scanned
	m.each(s, func(from, to int, which int32) {
		t := &a.tokens[which]
		if t.SingleWord {
			before, n := utf8.DecodeLastRuneInString(s[:from])
			behind, k := utf8.DecodeRuneInString(s[to:])
			if n > 0 && isWord(before) || k > 0 && isWord(behind) {
				return
			}
		}
		if t.LStrip {
			start := from
			for start > 0 {
				r, n := utf8.DecodeLastRuneInString(s[:start])
				if !isSpace(r) {
					break
				}
				start -= n
				if start <= last {
					break
				}
			}
			from = max(start, last)
		}
		if t.RStrip {
			if to < space[0] || to >= space[1] {
				space[0] = to
				for to < len(s) {
					r, n := utf8.DecodeRuneInString(s[to:])
					if !isSpace(r) {
						break
					}
					to += n
				}
				space[1] = to
			}
			to = space[1]
		}
		if last < from {
			out = append(out, found{last, from, -1})
		}
		out = append(out, found{from, to, int(which)})
		last = to
	})
	if last < len(s) || len(out) == 0 {
		out = append(out, found{last, len(s), -1})
	}
	return out
}
