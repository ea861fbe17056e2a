package quantity

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Amount is a number as a person wrote it, with or without a unit.
type Amount struct {
	Value float64
	// Precision is half a unit of the last digit that was written: 0.005e9 for "4.08 GB".
	// It is 0 for a number without a unit, which means exactly that number.
	Precision float64
	IsSize    bool // the unit is one of sizes: Value is in bytes
}

// Is says whether value is the amount, to the digits that were written.
func (a Amount) Is(value float64) bool {
	return value == a.Value || math.Abs(value-a.Value) < a.Precision
}

// countUnits are the words that multiply a count, ascending.
var countUnits = []unit{{"thousand", 1e3}, {"million", 1e6}, {"billion", 1e9}, {"trillion", 1e12}}

// AmountUnits lists the units that ParseAmount knows.
func AmountUnits() []string {
	var symbols []string
	for _, u := range slices.Concat(sizeUnits, countUnits) {
		symbols = append(symbols, u.symbol)
	}
	return symbols
}

// ParseAmount reads a number that may be negative, such as "-1" or "0.5", one with a unit
// of sizes, such as "16 GB", or one with a word that multiplies it, such as "7 billion".
func ParseAmount(text string) (Amount, error) {
	trimmed := strings.TrimSpace(text)
	end := strings.IndexFunc(trimmed, func(r rune) bool { return !strings.ContainsRune("0123456789.-+", r) })
	if end < 0 {
		end = len(trimmed)
	}
	digits, symbol := trimmed[:end], strings.TrimSpace(trimmed[end:])
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return Amount{}, fmt.Errorf("%q is not a number", text)
	}
	if symbol == "" {
		return Amount{Value: value}, nil
	}
	half := 0.5
	if _, decimals, ok := strings.Cut(digits, "."); ok {
		half *= math.Pow10(-len(decimals))
	}
	for _, u := range sizeUnits {
		if u.symbol == symbol {
			if value < 0 {
				return Amount{}, fmt.Errorf("%q is negative: no size is", text)
			}
			return Amount{u.toBase(value), half * u.size, true}, nil
		}
	}
	for _, u := range countUnits {
		if u.symbol == symbol {
			return Amount{u.toBase(value), half * u.size, false}, nil
		}
	}
	for _, known := range AmountUnits() {
		if strings.EqualFold(known, symbol) {
			return Amount{}, fmt.Errorf("%q: unknown unit %q, did you mean %q?", text, symbol, known)
		}
	}
	return Amount{}, fmt.Errorf("%q: unknown unit %q, known: %s", text, symbol, strings.Join(AmountUnits(), ", "))
}
