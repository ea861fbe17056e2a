package tokenizer

import (
	"strconv"
	"time"

	"omniloader/loader/fault"
)

// maxText is the longest text that is encoded, before and after normalization.
const maxText = 1 << 30

// maxWord is the longest piece that a model gets, in bytes: merging takes about a
// hundred times its size.
const maxWord = 1 << 24

// mostKept is how many tokens, or characters, of one piece a work may have had and be
// used again.
const mostKept = 1 << 16

// budget bounds the work that one call may spend on what is not linear by nature:
// patterns that backtrack, vocabularies whose tokens overlap, replacements that make
// a text longer. Sound tokenizers spend a few steps on a byte, and write a few bytes
// for one.
type budget struct {
	left   int
	room   int           // bytes by which the text may still grow
	engine time.Duration // that the backtracking engine may still take
	err    error         // the first bound that was met, where the work has no error of its own
}

// What one call may spend. Of all texts U+FDFA grows most in a normal form, by the
// factor 11.
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

// grow accounts for a text that got n bytes longer.
func (b *budget) grow(n int) error {
	if n <= 0 {
		return nil
	}
	if b.room -= n; b.room < 0 {
		if b.err == nil {
			b.err = fault.New(fault.TooLarge, "", "the tokenizer makes the text more than "+strconv.Itoa(growthFactor)+" times as long").
				WithHint("its replacements feed one another; mend the file")
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
		WithHint("the tokenizer's pattern or vocabulary makes encoding quadratic; cut the text, or mend the file")
}

func errWordTooLong(n int) error {
	return fault.New(fault.TooLarge, "", "the tokenizer leaves "+strconv.Itoa(n)+" bytes in one piece, the limit is "+strconv.Itoa(maxWord)).
		WithHint("encode the text in parts")
}

func errTextTooLong(n int) error {
	return fault.New(fault.TooLarge, "", "text of "+strconv.Itoa(n)+" bytes, the limit is 1 GiB").
		WithHint("encode it in parts")
}
