package tokenizer

import (
	"strconv"
	"time"

	"omniloader/loader/fault"
)

// maxText is the longest text, in bytes, before and after normalization.
const maxText = 1 << 30

// maxWord is the longest piece, in bytes, that a model encodes: merging needs about a
// hundred times as much memory.
const maxWord = 1 << 24

// maxPooled is the largest capacity, in tokens or characters of one piece, with which a
// scratch returns to its pool.
const maxPooled = 1 << 16

// budget bounds the time and memory of one call for operations that are not linear in
// the length of the text: patterns that backtrack, vocabularies whose tokens overlap,
// replacements that make a text longer. Usual tokenizers need a few steps and a few
// bytes of output for each byte.
type budget struct {
	left   int
	room   int           // bytes by which the text may still become longer
	engine time.Duration // time left for the backtracking engine
	err    error         // the first limit that was exceeded, for decoders, which return no errors
}

// The budget of one call. Of all characters U+FDFA becomes longest in a normal form, by
// a factor of 11.
const (
	growthFactor = 64
	growthFree   = 1 << 16
	engineFree   = 2 * time.Second
	engineByByte = 10 * time.Microsecond
)

func newBudget(textLen int) *budget {
	return &budget{left: 1<<23 + 64*textLen, room: growthFree + growthFactor*textLen,
		engine: engineFree + time.Duration(textLen)*engineByByte}
}

// grow accounts for a text that became n bytes longer.
func (b *budget) grow(n int) error {
	if n <= 0 {
		return nil
	}
	if b.room -= n; b.room < 0 {
		if b.err == nil {
			b.err = fault.New(fault.TooLarge, "", "the tokenizer makes the text more than "+strconv.Itoa(growthFactor)+" times as long").
				WithHint("its replacements apply to the results of others; fix the file")
		}
		return b.err
	}
	return nil
}

func (b *budget) spend(steps int) bool {
	b.left -= steps
	return b.left >= 0
}

func errBudget(what string) error {
	return fault.New(fault.TooLarge, "", what+" needs more steps than this text allows").
		WithHint("the tokenizer's pattern or vocabulary makes encoding quadratic; shorten the text, or fix the file")
}

func errWordTooLong(n int) error {
	return fault.New(fault.TooLarge, "", "the tokenizer leaves "+strconv.Itoa(n)+" bytes in one piece, the limit is "+strconv.Itoa(maxWord)).
		WithHint("encode the text in parts")
}

func errTextTooLong(n int) error {
	return fault.New(fault.TooLarge, "", "text of "+strconv.Itoa(n)+" bytes, the limit is 1 GiB").
		WithHint("encode it in parts")
}
