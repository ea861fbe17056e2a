// Package quantity reads and writes durations, sizes in bytes and counts as people
// write them: "2 ms", "1.05 MB", "3 files". Whatever the program says of a quantity is
// written here.
package quantity

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"
)

// unit is one way to write a quantity: its symbol and its size in the base unit.
type unit struct {
	symbol string
	size   float64
}

// toBase converts a value in this unit to the base unit. Units smaller than the base
// unit divide, because 10 * 1e-6 is not exactly 0.00001.
func (u unit) toBase(value float64) float64 {
	if u.size < 1 {
		return value / math.Round(1/u.size)
	}
	return value * u.size
}

// The units that can be read, ascending. The base unit of durations is the second, that
// of sizes the byte; kB, MB and GB are powers of 1000, KiB, MiB and GiB powers of 1024.
var (
	durationUnits = []unit{{"ns", 1e-9}, {"µs", 1e-6}, {"us", 1e-6}, {"μs", 1e-6}, {"ms", 1e-3}, {"s", 1}}
	sizeUnits     = []unit{
		{"B", 1}, {"kB", 1e3}, {"KiB", 1 << 10}, {"MB", 1e6}, {"MiB", 1 << 20}, {"GB", 1e9}, {"GiB", 1 << 30},
	}
)

// The units that are written, ascending.
var (
	writtenDurationUnits = []unit{{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}}
	writtenSizeUnits     = []unit{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}
)

// Digits is the number of significant digits that a quantity is written with unless
// more are asked for.
const Digits = 3

// ParseDuration reads a duration such as "2 ms", "0.5ms" or "300 µs" and gives it in
// seconds. The units are ns, µs (also us), ms and s; the number must be finite
// and not negative. It is not time.ParseDuration, which takes no space.
func ParseDuration(text string) (seconds float64, err error) {
	return parseQuantity(text, "duration", durationUnits, "2 ms")
}

// ParseSize reads a size such as "1 MB" or "512KiB" and gives it in bytes. The units
// are B, kB, MB, GB (powers of 1000) and KiB, MiB, GiB (powers of 1024); the
// number must be finite and not negative.
func ParseSize(text string) (bytes float64, err error) {
	return parseQuantity(text, "size", sizeUnits, "1 MB")
}

func parseQuantity(text, what string, units []unit, example string) (float64, error) {
	trimmed := strings.TrimSpace(text)
	end := strings.IndexFunc(trimmed, func(r rune) bool { return !strings.ContainsRune("0123456789.+-", r) })
	if end < 0 {
		end = len(trimmed)
	}
	number, symbol := trimmed[:end], strings.TrimSpace(trimmed[end:])
	if number == "" {
		return 0, fmt.Errorf("%q is no %s: it does not begin with a number, as in %q", text, what, example)
	}
	value, err := ParseNumber(number)
	if err != nil {
		return 0, fmt.Errorf("%q is no %s: %w", text, what, err)
	}
	if symbol == "" {
		return 0, fmt.Errorf("%q is no %s: it has no unit, as in %q", text, what, example)
	}
	symbols := make([]string, 0, len(units))
	for _, u := range units {
		if u.symbol == symbol {
			return u.toBase(value), nil
		}
		if u.symbol != "μs" { // the Greek letter looks like the micro sign
			symbols = append(symbols, u.symbol)
		}
	}
	for _, u := range units {
		if strings.EqualFold(u.symbol, symbol) { // symbols are too short for other typing errors to be recognised
			return 0, fmt.Errorf("%q is no %s: unknown unit %q, did you mean %q?", text, what, symbol, u.symbol)
		}
	}
	return 0, fmt.Errorf("%q is no %s: unknown unit %q, known: %s", text, what, symbol, strings.Join(symbols, ", "))
}

// ParseNumber reads a plain decimal number, which must be finite and not negative.
func ParseNumber(text string) (float64, error) {
	value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no number", text)
	case math.IsNaN(value) || math.IsInf(value, 0):
		return 0, fmt.Errorf("%q is no finite number", text)
	case value < 0 || math.Signbit(value):
		return 0, fmt.Errorf("%q is negative", text)
	}
	return value, nil
}

// FormatDuration writes seconds with Digits significant digits in the unit that
// fits: "456 ns", "1.23 ms", "61.2 s".
func FormatDuration(seconds float64) string { return FormatDurationDigits(seconds, Digits) }

// FormatDurationDigits is FormatDuration with another number of significant digits.
func FormatDurationDigits(seconds float64, digits int) string {
	return formatQuantity(seconds, writtenDurationUnits, digits)
}

// FormatSize writes bytes with Digits significant digits in powers of 1000:
// "512 B", "1.05 MB". The size may be negative, as a difference is.
func FormatSize(bytes float64) string { return FormatSizeDigits(bytes, Digits) }

// FormatSizeDigits is FormatSize with another number of significant digits.
func FormatSizeDigits(bytes float64, digits int) string {
	return formatQuantity(bytes, writtenSizeUnits, digits)
}

// FormatNumber writes a number with so many significant digits, and with all digits
// before the decimal point.
func FormatNumber(value float64, digits int) string {
	if value == 0 {
		return "0"
	}
	const maxDecimals = 12 // smaller values are written as 0
	decimals := digits - 1 - int(math.Floor(math.Log10(math.Abs(value))))
	text := strconv.FormatFloat(value, 'f', max(0, min(decimals, maxDecimals)), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

func formatQuantity(value float64, units []unit, digits int) string {
	u := units[0]
	for _, candidate := range units {
		// 0.9995 of a unit is written as 1 of it
		if math.Abs(value) >= candidate.size*0.9995 {
			u = candidate
		}
	}
	return FormatNumber(value/u.size, digits) + " " + u.symbol
}

// Count writes a number with its noun, which is given in the singular: "1 file",
// "3 files", "2 processes".
func Count(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, english.PluralWord(n, noun, ""))
}
