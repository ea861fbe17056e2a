package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// unit is one way to write a quantity: its symbol and its size in the base unit.
type unit struct {
	symbol string
	size   float64
}

// base gives so many of the unit in the base unit. Parts of it are divided, as 10
// times 1e-6 is not 0.00001.
func (u unit) base(value float64) float64 {
	if u.size < 1 {
		return value / math.Round(1/u.size)
	}
	return value * u.size
}

// The units that can be written, ascending. Times are in seconds, sizes in bytes:
// kB, MB, GB are powers of 1000, KiB, MiB, GiB powers of 1024.
var (
	latencyUnits = []unit{{"ns", 1e-9}, {"µs", 1e-6}, {"us", 1e-6}, {"μs", 1e-6}, {"ms", 1e-3}, {"s", 1}}
	sizeUnits    = []unit{
		{"B", 1}, {"kB", 1e3}, {"KiB", 1 << 10}, {"MB", 1e6}, {"MiB", 1 << 20}, {"GB", 1e9}, {"GiB", 1 << 30},
	}
)

// ParseLatency reads a time such as "2 ms", "0.5ms" or "300 µs", and gives
// seconds. The units are ns, µs (also us), ms and s; the number must be finite
// and not negative.
func ParseLatency(text string) (float64, error) {
	return parseQuantity(text, "latency", latencyUnits, "2 ms")
}

// ParseSize reads a size such as "1 MB" or "512KiB", and gives bytes. The units
// are B, kB, MB, GB (powers of 1000) and KiB, MiB, GiB (powers of 1024); the
// number must be finite and not negative.
func ParseSize(text string) (float64, error) {
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
	value, err := parseNumber(number)
	if err != nil {
		return 0, fmt.Errorf("%q is no %s: %w", text, what, err)
	}
	if symbol == "" {
		return 0, fmt.Errorf("%q is no %s: it has no unit, as in %q", text, what, example)
	}
	symbols := make([]string, 0, len(units))
	for _, u := range units {
		if u.symbol == symbol {
			return u.base(value), nil
		}
		if u.symbol != "μs" { // the Greek letter looks like the micro sign
			symbols = append(symbols, u.symbol)
		}
	}
	for _, u := range units {
		if strings.EqualFold(u.symbol, symbol) { // the only likely slip: symbols are too short for others
			return 0, fmt.Errorf("%q is no %s: unknown unit %q, did you mean %q?", text, what, symbol, u.symbol)
		}
	}
	return 0, fmt.Errorf("%q is no %s: unknown unit %q, known: %s", text, what, symbol, strings.Join(symbols, ", "))
}

// parseNumber reads a plain decimal that is finite and not negative.
func parseNumber(text string) (float64, error) {
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

// FormatLatency writes seconds with three significant digits in the unit that
// fits: "456 ns", "1.23 ms", "61.2 s".
func FormatLatency(seconds float64) string { return latency.format(seconds, digits) }

// FormatSize writes bytes with three significant digits in powers of 1000:
// "512 B", "1.05 MB". It may be negative, as a difference is.
func FormatSize(bytes float64) string { return size.format(bytes, digits) }

// digits is how many significant digits a figure is written with.
const digits = 3

func formatLatency(seconds float64, digits int) string {
	return formatQuantity(seconds, []unit{{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}}, digits)
}

func formatSize(bytes float64, digits int) string {
	return formatQuantity(bytes, []unit{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}, digits)
}

func formatCount(v float64, _ int) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func formatFactor(v float64, digits int) string { return formatNumber(v, digits) + " times" }

func formatRate(v float64, digits int) string {
	return formatNumber(v, digits) + " operations per second"
}

func formatQuantity(value float64, units []unit, digits int) string {
	u := units[0]
	for _, candidate := range units {
		// 0.9995 of a unit is written as 1 of it
		if math.Abs(value) >= candidate.size*0.9995 {
			u = candidate
		}
	}
	return formatNumber(value/u.size, digits) + " " + u.symbol
}

// formatNumber writes so many significant digits, and all digits before the point.
func formatNumber(value float64, digits int) string {
	if value == 0 {
		return "0"
	}
	const most = 12 // digits behind the point; what is smaller is 0
	decimals := digits - 1 - int(math.Floor(math.Log10(math.Abs(value))))
	text := strconv.FormatFloat(value, 'f', max(0, min(decimals, most)), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}
