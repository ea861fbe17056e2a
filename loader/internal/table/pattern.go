package table

import "strings"

// Match tells whether a name fits a pattern of the tables, in which * stands for any
// text and # for a number, of one digit or more. It takes time in proportion to the
// name for each *, and allocates nothing.
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

// matchStart gives the length of what part, which has no *, fits at the start of s.
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

// matchEnd tells whether part fits the end of s.
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

// find gives the end of the first place in s that part fits, -1 where there is none.
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

// CommonPrefixFold gives the length of what two names begin with in common, without
// regard to case.
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
