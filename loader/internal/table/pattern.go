package table

import "strings"

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
