package npz

import (
	"strconv"
	"strings"
)

// literal parses the Python literals that occur in a header: strings, numbers, True
// and False, tuples and lists. err keeps the first error.
type literal struct {
	text string
	pos  int
	err  string
}

// maxNesting bounds the levels of a structured type; numpy writes one or two.
const maxNesting = 32

func (l *literal) fail(detail string) {
	if l.err == "" {
		l.err = detail
	}
}

func (l *literal) space() {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
}

// accept consumes c, after white space, where it is the next character.
func (l *literal) accept(c byte) bool {
	l.space()
	if l.err != "" || l.pos == len(l.text) || l.text[l.pos] != c {
		return false
	}
	l.pos++
	return true
}

func (l *literal) expect(c byte) {
	if !l.accept(c) {
		l.fail("expected " + strconv.QuoteRune(rune(c)))
	}
}

// str consumes a string and returns what is between its quotes, escapes unresolved.
func (l *literal) str() string {
	l.space()
	if l.err != "" {
		return ""
	}
	if l.pos == len(l.text) || l.text[l.pos] != '\'' && l.text[l.pos] != '"' {
		l.fail("expected a string")
		return ""
	}
	quote := l.text[l.pos]
	for end := l.pos + 1; end < len(l.text); end++ {
		switch l.text[end] {
		case '\\':
			end++
		case quote:
			s := l.text[l.pos+1 : end]
			l.pos = end + 1
			return s
		}
	}
	l.fail("string without an end")
	return ""
}

// word consumes letters, digits, hyphens and underscores.
func (l *literal) word() string {
	l.space()
	start := l.pos
	for l.pos < len(l.text) && (l.text[l.pos] == '-' || l.text[l.pos] == '_' || l.text[l.pos] >= '0' && l.text[l.pos] <= '9' ||
		l.text[l.pos]|0x20 >= 'a' && l.text[l.pos]|0x20 <= 'z') {
		l.pos++
	}
	return l.text[start:l.pos]
}

func (l *literal) boolean() bool {
	start := l.pos
	w := l.word()
	if w != "True" && w != "False" {
		l.pos = start
		l.fail("expected True or False")
	}
	return w == "True"
}

// ints consumes a tuple of non-negative integers.
func (l *literal) ints() []int64 {
	l.expect('(')
	all := []int64{}
	for l.err == "" && !l.accept(')') {
		start := l.pos
		// Python 2 wrote 3L for a long.
		n, err := strconv.ParseInt(strings.TrimSuffix(l.word(), "L"), 10, 64)
		if err != nil || n < 0 {
			l.pos = start
			l.fail("expected a length")
			break
		}
		if all = append(all, n); len(all) > maxDims {
			l.fail("more than " + strconv.Itoa(maxDims) + " dimensions")
			break
		}
		if !l.accept(',') {
			l.expect(')')
			break
		}
	}
	return all
}

// value consumes a literal of any kind.
func (l *literal) value(depth int) {
	l.space()
	if l.err != "" {
		return
	}
	if depth > maxNesting {
		l.fail("nested too deeply")
		return
	}
	if l.pos == len(l.text) {
		l.fail("expected a value")
		return
	}
	switch c := l.text[l.pos]; c {
	case '\'', '"':
		l.str()
	case '(', '[':
		l.pos++
		end := byte(')')
		if c == '[' {
			end = ']'
		}
		for l.err == "" && !l.accept(end) {
			l.value(depth + 1)
			if !l.accept(',') {
				l.expect(end)
				return
			}
		}
	default:
		if l.word() == "" {
			l.fail("expected a value")
		}
	}
}
