package tokenizer

import (
	"unicode/utf8"
)

// program is a compiled expression without unbounded repeats of groups: a graph of
// steps. Since only single characters repeat without bound, the depth of recursion in
// matching is at most the length of the expression.
type program struct {
	start *step
	// heads are the top-level alternatives, at most 64. first has for each ASCII
	// character, and at 128 for all others, a bit for each head that can begin with it.
	heads []*step
	first [129]uint64
}

type stepOp uint8

const (
	stepSet stepOp = iota
	stepAlt
	stepLook
	stepAtomic
	stepAnchor
	stepMatch
)

type step struct {
	op               stepOp
	set              *runeSet
	low, high        int
	lazy, possessive bool
	negative         bool
	anchor           byte
	branches         []*step // of stepAlt; of stepLook and stepAtomic [0]
	next             *step
}

// maxSteps bounds the steps to which bounded repeats of groups are expanded.
const maxSteps = 4000

// compileProgram returns nil where the expression needs the backtracking engine.
func compileProgram(n *regexNode) *program {
	c := compiler{}
	p := &program{start: c.compile(n, &step{op: stepMatch})}
	if c.failed {
		return nil
	}
	p.heads = []*step{p.start}
	if p.start.op == stepAlt && len(p.start.branches) <= 64 {
		p.heads = p.start.branches
	}
	known := make(map[*step]*firsts)
	for i, h := range p.heads {
		f := h.firsts(known)
		for r := range p.first {
			if f[r] {
				p.first[r] |= 1 << i
			}
		}
	}
	return p
}

type compiler struct {
	steps  int
	failed bool
}

func (c *compiler) compile(n *regexNode, next *step) *step {
	if c.steps++; c.steps > maxSteps {
		c.failed = true
	}
	if c.failed {
		return next
	}
	switch n.op {
	case opEmpty:
		return next
	case opSet:
		return &step{op: stepSet, set: n.set, low: 1, high: 1, next: next}
	case opSeq:
		for i := len(n.subs) - 1; i >= 0; i-- {
			next = c.compile(n.subs[i], next)
		}
		return next
	case opAlt:
		alt := &step{op: stepAlt}
		for _, sub := range n.subs {
			alt.branches = append(alt.branches, c.compile(sub, next))
		}
		return alt
	case opGroup:
		return c.compile(n.subs[0], next)
	case opAtomic:
		return &step{op: stepAtomic, branches: []*step{c.compile(n.subs[0], &step{op: stepMatch})}, next: next}
	case opLook:
		if n.behind {
			break
		}
		return &step{op: stepLook, negative: n.negative, branches: []*step{c.compile(n.subs[0], &step{op: stepMatch})}, next: next}
	case opAnchor:
		return &step{op: stepAnchor, anchor: n.anchor, next: next}
	case opRepeat:
		return c.repeat(n, next)
	}
	c.failed = true
	return next
}

func (c *compiler) repeat(n *regexNode, next *step) *step {
	sub := n.subs[0]
	for (sub.op == opSeq || sub.op == opGroup) && len(sub.subs) == 1 {
		sub = sub.subs[0]
	}
	if sub.op == opSet {
		return &step{op: stepSet, set: sub.set, low: n.low, high: n.high, lazy: n.lazy, possessive: n.possessive, next: next}
	}
	if n.high == unbounded {
		c.failed = true
		return next
	}
	if n.possessive {
		greedy := *n
		greedy.possessive = false
		return &step{op: stepAtomic, branches: []*step{c.compile(&greedy, &step{op: stepMatch})}, next: next}
	}
	// (x){1,3} is x(x(x)?)?.
	after := next
	for i := n.high; i > 0 && !c.failed; i-- {
		through := c.compile(sub, next)
		switch {
		case i <= n.low:
			next = through
		case n.lazy:
			next = &step{op: stepAlt, branches: []*step{after, through}}
		default:
			next = &step{op: stepAlt, branches: []*step{through, after}}
		}
	}
	return next
}

// firsts are the ASCII characters that a match may begin with; 128 is for all others. It
// may have characters that no match begins with, but lacks none.
type firsts [129]bool

// firsts returns the characters that a match from s may begin with. Branches share the
// steps after them, so known caches the result for each step.
func (s *step) firsts(known map[*step]*firsts) *firsts {
	if f := known[s]; f != nil {
		return f
	}
	f := &firsts{}
	known[s] = f
	take := func(o *firsts) {
		for r := range f {
			f[r] = f[r] || o[r]
		}
	}
	switch s.op {
	case stepSet:
		for r := range f {
			f[r] = r == 128 || s.set.has(rune(r))
		}
		if s.low == 0 {
			take(s.next.firsts(known))
		}
	case stepAlt:
		for _, b := range s.branches {
			take(b.firsts(known))
		}
	default:
		for r := range f {
			f[r] = true
		}
	}
	return f
}

// run is the matching of one text.
type run struct {
	s     string
	spent int
	limit int
}

// each calls found with each match from left to right.
func (p *program) each(s string, b *budget, found func(from, to int) error) error {
	m := run{s: s, limit: b.left}
	last := -1
	for at := 0; at <= len(s); {
		end := p.match(&m, at)
		if m.spent > m.limit {
			b.left = 0
			return errBudget("the pattern of the tokenizer")
		}
		if end < 0 || end == at && at == last {
			if at == len(s) {
				break
			}
			at += runeLen(s, at)
			continue
		}
		if err := found(at, end); err != nil {
			return err
		}
		at, last = end, end
	}
	b.left -= m.spent
	return nil
}

func runeLen(s string, at int) int {
	if s[at] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[at:])
	return n
}

// match returns the end of the match that begins at at, or -1.
func (p *program) match(m *run, at int) int {
	which := ^uint64(0)
	if at < len(m.s) {
		which = p.first[min(m.s[at], 128)]
	}
	for i, h := range p.heads {
		if which>>i&1 == 0 {
			continue
		}
		if end := m.match(h, at); end >= 0 {
			return end
		}
	}
	return -1
}

func (m *run) match(s *step, at int) int {
	for {
		if m.spent++; m.spent > m.limit {
			return -1
		}
		switch s.op {
		case stepMatch:
			return at
		case stepSet:
			if s.low == 1 && s.high == 1 {
				n := m.matchOne(s.set, at)
				if n == 0 {
					return -1
				}
				at += n
				break
			}
			if s.lazy {
				return m.matchLazy(s, at)
			}
			end, count := m.matchMany(s.set, at, s.high)
			if count < s.low {
				return -1
			}
			if s.possessive || s.next.op == stepMatch {
				at = end
				break
			}
			return m.backtrack(s, at, end, count)
		case stepAlt:
			for _, b := range s.branches[:len(s.branches)-1] {
				if end := m.match(b, at); end >= 0 {
					return end
				}
			}
			s = s.branches[len(s.branches)-1]
			continue
		case stepLook:
			if (m.match(s.branches[0], at) >= 0) == s.negative {
				return -1
			}
		case stepAtomic:
			if at = m.match(s.branches[0], at); at < 0 {
				return -1
			}
		case stepAnchor:
			if !m.anchored(s.anchor, at) {
				return -1
			}
		}
		s = s.next
	}
}

func (m *run) matchOne(set *runeSet, at int) int {
	if at >= len(m.s) {
		return 0
	}
	if c := m.s[at]; c < utf8.RuneSelf {
		return int(set.ascii[c>>6] >> (c & 63) & 1)
	}
	r, n := utf8.DecodeRuneInString(m.s[at:])
	if !set.has(r) {
		return 0
	}
	return n
}

func (m *run) matchMany(set *runeSet, at, most int) (end, count int) {
	for count < most && at < len(m.s) {
		if c := m.s[at]; c < utf8.RuneSelf {
			if set.ascii[c>>6]>>(c&63)&1 == 0 {
				break
			}
			at++
		} else {
			r, n := utf8.DecodeRuneInString(m.s[at:])
			if !set.has(r) {
				break
			}
			at += n
		}
		count++
	}
	m.spent += count
	return at, count
}

// backtrack matches what follows a repeat, first after all count characters, then after
// one less each time.
func (m *run) backtrack(s *step, at, end, count int) int {
	for {
		if e := m.match(s.next, end); e >= 0 {
			return e
		}
		if count == s.low || m.spent > m.limit {
			return -1
		}
		count--
		m.spent++
		for end--; end > at && !utf8.RuneStart(m.s[end]); end-- {
		}
	}
}

func (m *run) matchLazy(s *step, at int) int {
	for count := 0; ; count++ {
		if count >= s.low {
			if e := m.match(s.next, at); e >= 0 {
				return e
			}
		}
		if count == s.high || m.spent > m.limit {
			return -1
		}
		m.spent++
		n := m.matchOne(s.set, at)
		if n == 0 {
			return -1
		}
		at += n
	}
}

func (m *run) anchored(anchor byte, at int) bool {
	switch anchor {
	case '^':
		return at == 0 || m.s[at-1] == '\n' && at < len(m.s)
	case '$':
		return at == len(m.s) || m.s[at] == '\n'
	case 'A':
		return at == 0
	case 'z':
		return at == len(m.s)
	case 'Z':
		return at == len(m.s) || at == len(m.s)-1 && m.s[at] == '\n'
	}
	before, _ := utf8.DecodeLastRuneInString(m.s[:at])
	behind, _ := utf8.DecodeRuneInString(m.s[at:])
	edge := (at > 0 && isOnigWord(before)) != (at < len(m.s) && isOnigWord(behind))
	return edge == (anchor == 'b')
}

func isOnigWord(r rune) bool {
	if r < 0x80 {
		return isWord(r)
	}
	t := unicodeTables()
	s := t.set("word.onig", "L M Nd Nl Pc")
	return s.has(t, r)
}
