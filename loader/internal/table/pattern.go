package table

import "strings"

// Pattern is a pattern of Match that was prepared for many names.
type Pattern struct {
	text       string
	start, end string   // before the first * and behind the last
	between    []string // in this order
	exact      bool     // there is no *
	hasNumber  bool     // there is a #
}

// NewPattern prepares a pattern.
func NewPattern(text string) Pattern {
	p := Pattern{text: text, hasNumber: strings.Contains(text, "#")}
	parts := strings.Split(text, "*")
	last := len(parts) - 1
	p.exact, p.start = last == 0, parts[0]
	if !p.exact {
		p.end, p.between = parts[last], parts[1:last]
	}
	return p
}

// Match is the function Match with the prepared pattern.
func (p *Pattern) Match(name string) bool {
	switch {
	case p.hasNumber:
		return Match(p.text, name)
	case p.exact:
		return name == p.start
	case len(name) < len(p.start)+len(p.end) || !strings.HasPrefix(name, p.start) || !strings.HasSuffix(name, p.end):
		return false
	}
	name = name[len(p.start) : len(name)-len(p.end)]
	for _, part := range p.between {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

// Match tells whether a name matches a pattern, in which * stands for any text, also
// none, and # for one or more digits. It does not allocate; the time is proportional to
// the length of the name times the number of *.
func Match(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	n, ok := matchStart(first, name)
	if !ok || !star {
		return ok && n == len(name)
	}
	name = name[n:]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return matchEnd(part, name)
		}
		end := find(part, name)
		if end < 0 {
			return false
		}
		name, rest = name[end:], more
	}
}

// matchStart matches part, which has no *, with the start of s; n is the number of bytes
// matched.
func matchStart(part, s string) (n int, ok bool) {
	for i := 0; i < len(part); i++ {
		switch {
		case part[i] != '#':
			if n == len(s) || s[n] != part[i] {
				return 0, false
			}
			n++
		default:
			digits := n
			for n < len(s) && s[n] >= '0' && s[n] <= '9' {
				n++
			}
			if n == digits {
				return 0, false
			}
		}
	}
	return n, true
}

// matchEnd tells whether part, which has no *, matches the end of s.
func matchEnd(part, s string) bool {
	if strings.IndexByte(part, '#') < 0 {
		return strings.HasSuffix(s, part)
	}
	for i := range len(s) {
		if n, ok := matchStart(part, s[i:]); ok && i+n == len(s) {
			return true
		}
	}
	return false
}

// find gives the end of the first match of part in s, -1 where there is none.
func find(part, s string) int {
	if strings.IndexByte(part, '#') < 0 {
		if i := strings.Index(s, part); i >= 0 {
			return i + len(part)
		}
		return -1
	}
	for i := range len(s) {
		if n, ok := matchStart(part, s[i:]); ok {
			return i + n
		}
	}
	return -1
}

// CommonPrefixLenFold is CommonPrefixLen with ASCII letters compared without case.
func CommonPrefixLenFold(a, b string) (n int) {
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
