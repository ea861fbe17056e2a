package finding

import (
	"fmt"
	"strconv"
	"strings"
)

// ExactBytes writes a number of bytes without rounding: "1234 bytes".
func ExactBytes(n int64) string { return fmt.Sprintf("%d bytes", n) }

// JoinFirst lists at most three names: "a, b, c and 2 more".
func JoinFirst(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
}

// Plural writes a number of things: "1 file", "3 files".
func Plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// Quote puts a text between quotation marks, without escaping.
func Quote(s string) string { return `"` + s + `"` }
