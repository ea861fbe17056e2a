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

// FormatBytes writes a number of bytes with a decimal unit: "1.5 GB".
func FormatBytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, i := float64(n)/1000, 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i:i+1] + "B"
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
