package tokenizer

import (
	"strconv"

	"omniloader/loader/fault"
)

// maxText is the longest text that is encoded, before and after normalization.
const maxText = 1 << 30

// budget bounds the work that one call may spend on what is not linear by nature:
// patterns that backtrack, vocabularies whose tokens overlap. Sound tokenizers spend
// a few steps on a byte.
type budget struct{ left int }

func newBudget(textLen int) *budget { return &budget{1<<23 + 64*textLen} }

func (b *budget) spend(steps int) bool {
	b.left -= steps
	return b.left >= 0
}

func errBudget(what string) error {
	return fault.New(fault.TooLarge, "", what+" needs more steps than this text allows").
		WithHint("the tokenizer's pattern or vocabulary makes encoding quadratic; cut the text, or mend the file")
}

func errTextTooLong(n int) error {
	return fault.New(fault.TooLarge, "", "text of "+strconv.Itoa(n)+" bytes, the limit is 1 GiB").
		WithHint("encode it in parts")
}
