package table

import (
	"strings"
)

// Pattern is a pattern in which * stands for any text, split once at its stars. A
// match takes time in proportion to the name and allocates nothing.
type Pattern struct {
	begins, ends string   // before the first star and behind the last
	between      []string // in this order
	exact        bool     // there is no star
}

func NewPattern(pattern string) Pattern {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return Pattern{begins: pattern, exact: true}
	}
	return Pattern{begins: parts[0], ends: parts[last], between: parts[1:last]}
}

func (g *Pattern) Match(name string) bool {
	if g.exact {
		return name == g.begins
	}
	if len(name) < len(g.begins)+len(g.ends) || !strings.HasPrefix(name, g.begins) || !strings.HasSuffix(name, g.ends) {
		return false
	}
	name = name[len(g.begins) : len(name)-len(g.ends)]
	for _, part := range g.between {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

func CommonPrefixFold(a, b string) (n int) {
	for n < len(a) && n < len(b) && lower(a[n]) == lower(b[n]) {
		n++
	}
	return n
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// MatchStars tells whether a name fits a pattern whose stars stand for anything: one
// at its beginning, one at its end, and at most one between.
func MatchStars(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, first)
	for ok && rest != "" {
		var part string
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return ok
}

// ContainsWords tells whether the parts of a pattern between its stars stand in
// s in their order, anywhere; slashes are text like any other.
func ContainsWords(s, pattern string) bool {
	for word := range strings.SplitSeq(pattern, "*") {
		i := strings.Index(s, word)
		if i < 0 {
			return false
		}
		s = s[i+len(word):]
	}
	return true
}
