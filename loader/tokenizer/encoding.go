package tokenizer

import (
	"strconv"

	"omniloader/loader/fault"
)

// Offset is a range of bytes of the text; End is exclusive.
type Offset struct{ Start, End int }

// Encoding is an encoded text. All slices have one element for each token.
type Encoding struct {
	IDs      []uint32
	Tokens   []string
	Offsets  []Offset // in the text, or in the second of a pair; 0, 0 for added tokens
	TypeIDs  []uint32 // 0, or 1 for the second of a pair, unless the post-processor sets others
	Words    []int32  // index of the piece that the token is a part of, -1 for added tokens
	Special  []bool   // added by the post-processor or by padding
	Attended []bool   // attention mask: false for padding

	// Overflow holds what truncation cut off, in parts of the maximum length, as in the
	// Rust library 0.22.1 and 0.23.3. Version 0.23.2 stops encoding a text when it has
	// the maximum length, and so loses parts of a text of several pieces.
	Overflow []*Encoding
}

// Len is the number of tokens.
func (e *Encoding) Len() int { return len(e.IDs) }

func (e *Encoding) add(id uint32, text string, o Offset, typeID uint32, word int32, special bool) {
	e.IDs = append(e.IDs, id)
	e.Tokens = append(e.Tokens, text)
	e.Offsets = append(e.Offsets, o)
	e.TypeIDs = append(e.TypeIDs, typeID)
	e.Words = append(e.Words, word)
	e.Special = append(e.Special, special)
	e.Attended = append(e.Attended, true)
}

func (e *Encoding) slice(from, to int) *Encoding {
	return &Encoding{
		IDs: e.IDs[from:to:to], Tokens: e.Tokens[from:to:to], Offsets: e.Offsets[from:to:to], TypeIDs: e.TypeIDs[from:to:to],
		Words: e.Words[from:to:to], Special: e.Special[from:to:to], Attended: e.Attended[from:to:to],
	}
}

func (e *Encoding) setType(id uint32) {
	ids := make([]uint32, len(e.IDs)) // entries of Overflow may share the old slice
	for i := range ids {
		ids[i] = id
	}
	e.TypeIDs = ids
}

// maxOverflow bounds the tokens of all entries of Overflow together: with a stride just
// below the length their number is quadratic.
const maxOverflow = 1 << 24

// append appends o to e, and pairs the overflow of both in every combination, which have
// overflow themselves (encoding.rs, merge_with). room is what is left of maxOverflow.
func (e *Encoding) append(o *Encoding, room *int) error {
	var over []*Encoding
	pair := func(a, b *Encoding) error {
		if *room -= a.Len() + b.Len(); *room < 0 {
			return errOverflow()
		}
		c := &Encoding{Overflow: a.Overflow}
		c.join(a)
		if err := c.append(b, room); err != nil {
			return err
		}
		over = append(over, c)
		return nil
	}
	for _, a := range e.Overflow {
		if err := pair(a, o); err != nil {
			return err
		}
		for _, b := range o.Overflow {
			if err := pair(a, b); err != nil {
				return err
			}
		}
	}
	for _, b := range o.Overflow {
		if err := pair(e, b); err != nil {
			return err
		}
	}
	e.join(o)
	e.Overflow = over
	return nil
}

func errOverflow() error {
	return fault.New(fault.TooLarge, "", "truncation leaves more than 16 million tokens of overflow").
		WithHint("choose a smaller stride, or a shorter text")
}

func (e *Encoding) join(o *Encoding) {
	e.IDs = append(e.IDs, o.IDs...)
	e.Tokens = append(e.Tokens, o.Tokens...)
	e.Offsets = append(e.Offsets, o.Offsets...)
	e.TypeIDs = append(e.TypeIDs, o.TypeIDs...)
	e.Words = append(e.Words, o.Words...)
	e.Special = append(e.Special, o.Special...)
	e.Attended = append(e.Attended, o.Attended...)
}

// TruncationStrategy says which text of a pair is truncated.
type TruncationStrategy string

// The strategies, spelled as tokenizer.json spells them.
const (
	LongestFirst TruncationStrategy = "LongestFirst"
	OnlyFirst    TruncationStrategy = "OnlyFirst"
	OnlySecond   TruncationStrategy = "OnlySecond"
)

// Truncation cuts encodings to a length.
type Truncation struct {
	MaxLength int // tokens, those of the post-processor included
	Stride    int // tokens that each part of the overflow repeats of the one before
	Strategy  TruncationStrategy
	Left      bool // truncate at the start instead of the end

	dropOverflow bool // do not return the overflow
}

// Padding pads encodings to a length.
type Padding struct {
	Length     int // in tokens; 0 means that of the longest of the batch, for one text its own
	MultipleOf int // round the length up to a multiple; 0 means no rounding
	Left       bool
	ID, TypeID uint32
	Token      string
}

func parseTruncation(n node) (*Truncation, error) {
	if n.isNull() {
		return nil, nil
	}
	o, err := n.object("truncation")
	if err != nil {
		return nil, err
	}
	t := &Truncation{}
	if d, ok := o.lookup("direction"); ok {
		if t.Left, err = parseDirection(d); err != nil {
			return nil, err
		}
	}
	length, err := o.needUint("max_length", 1<<62)
	if err != nil {
		return nil, err
	}
	stride, err := o.needUint("stride", 1<<62)
	if err != nil {
		return nil, err
	}
	t.MaxLength, t.Stride = int(length), int(stride)
	s, err := o.needStr("strategy")
	if err != nil {
		return nil, err
	}
	switch t.Strategy = TruncationStrategy(s); t.Strategy {
	case LongestFirst, OnlyFirst, OnlySecond:
		return t, nil
	}
	return nil, o.fail(UnknownComponent, "truncation strategy %q is none of [LongestFirst OnlyFirst OnlySecond]", clip(s))
}

func parseDirection(n node) (left bool, err error) {
	s, err := n.str(`"direction"`)
	if err == nil && s != "Left" && s != "Right" {
		err = n.fail(UnknownComponent, "direction %q is none of [Left Right]", clip(s))
	}
	return s == "Left", err
}

func parsePadding(n node) (*Padding, error) {
	if n.isNull() {
		return nil, nil
	}
	o, err := n.object("padding")
	if err != nil {
		return nil, err
	}
	p := &Padding{}
	s, err := o.need("strategy")
	if err != nil {
		return nil, err
	}
	if err := p.parseStrategy(s); err != nil {
		return nil, err
	}
	d, err := o.need("direction")
	if err != nil {
		return nil, err
	}
	if p.Left, err = parseDirection(d); err != nil {
		return nil, err
	}
	if m, ok := o.optional("pad_to_multiple_of"); ok {
		multiple, err := m.uint(`"pad_to_multiple_of"`, 1<<62)
		if err != nil {
			return nil, err
		}
		p.MultipleOf = int(multiple)
	}
	id, err := o.needUint("pad_id", 1<<32-1)
	if err != nil {
		return nil, err
	}
	typeID, err := o.needUint("pad_type_id", 1<<32-1)
	if err != nil {
		return nil, err
	}
	p.ID, p.TypeID = uint32(id), uint32(typeID)
	p.Token, err = o.needStr("pad_token")
	return p, err
}

// maxPadding bounds the padding tokens of one call, overflow included.
const maxPadding = 1 << 20

func (p *Padding) parseStrategy(n node) error {
	if s, err := n.str("padding strategy"); err == nil {
		if s == "BatchLongest" {
			return nil
		}
		return n.fail(UnknownComponent, "padding strategy %q is none of [BatchLongest Fixed]", clip(s))
	}
	o, err := n.object("padding strategy")
	if err != nil {
		return err
	}
	if len(o.names) != 1 || o.names[0] != "Fixed" {
		return n.fail(UnknownComponent, "padding strategy must be \"BatchLongest\" or {\"Fixed\": length}")
	}
	length, err := o.values[0].uint(`"Fixed"`, 1<<62)
	p.Length = int(length)
	return err
}

// truncate truncates e to length tokens. The overflow is kept unless t.dropOverflow.
func (e *Encoding) truncate(length int, t *Truncation) error {
	n := e.Len()
	if length >= n {
		return nil
	}
	if length == 0 {
		whole := *e
		*e = Encoding{Overflow: append([]*Encoding(nil), &whole)}
		return nil
	}
	if t.Stride >= length {
		return fault.New(fault.Malformed, "", "the stride of truncation must be below the length that is left for the text")
	}
	if t.dropOverflow {
		from := 0
		if t.Left {
			from = n - length
		}
		*e = *e.slice(from, from+length)
		return nil
	}
	step := length - t.Stride
	if (n/step+1)*length > maxOverflow {
		return errOverflow()
	}
	var parts []*Encoding
	if t.Left {
		for stop := n; stop > 0; stop -= step {
			from := max(0, stop-length)
			parts = append(parts, e.slice(from, stop))
			if from == 0 {
				break
			}
		}
	} else {
		for from := 0; from < n; from += step {
			to := min(from+length, n)
			parts = append(parts, e.slice(from, to))
			if to == n {
				break
			}
		}
	}
	*e = *parts[0]
	e.Overflow = parts[1:]
	return nil
}

// truncatePair truncates one text, or two if second is not nil, to length tokens
// together (truncation.rs).
func truncatePair(first, second *Encoding, length int, t *Truncation) error {
	if length == 0 {
		if second != nil {
			if err := second.truncate(0, t); err != nil {
				return err
			}
		}
		return first.truncate(0, t)
	}
	total := first.Len()
	if second != nil {
		total += second.Len()
	}
	if total <= length {
		return nil
	}
	excess := total - length
	target := first
	switch {
	case t.Strategy == LongestFirst && second != nil:
		n1, n2 := first.Len(), second.Len()
		swap := n1 > n2
		if swap {
			n1, n2 = n2, n1
		}
		if n1 > length {
			n2 = n1
		} else {
			n2 = max(n1, length-n1)
		}
		if n1+n2 > length {
			n1 = length / 2
			n2 = n1 + length%2
		}
		if swap {
			n1, n2 = n2, n1
		}
		if err := first.truncate(n1, t); err != nil {
			return err
		}
		return second.truncate(n2, t)
	case t.Strategy == LongestFirst:
		return first.truncate(total-excess, t)
	case t.Strategy == OnlySecond:
		if second == nil {
			return fault.New(fault.Malformed, "", "truncation cuts the second text only, and there is none")
		}
		target = second
	}
	if target.Len() <= excess {
		return fault.New(fault.Malformed, "", "the text that truncation cuts is too short to reach the length")
	}
	return target.truncate(target.Len()-excess, t)
}

func (p *Padding) apply(e *Encoding) error {
	length := p.Length
	if length == 0 {
		length = e.Len()
	}
	if length > maxPadding || p.MultipleOf > maxPadding {
		return errPadding()
	}
	return p.fill(e, p.rounded(length), new(maxPadding))
}

func errPadding() error {
	return fault.New(fault.TooLarge, "", "padding fills up with more than "+strconv.Itoa(maxPadding)+" tokens").
		WithHint("choose a shorter length of padding, or a longer one of truncation")
}

func (p *Padding) rounded(length int) int {
	if m := p.MultipleOf; m > 0 && length%m > 0 {
		length += m - length%m
	}
	return length
}

// fill pads e and its overflow to a length; room is what is left of maxPadding.
func (p *Padding) fill(e *Encoding, length int, room *int) error {
	for _, o := range e.Overflow {
		if err := p.fill(o, length, room); err != nil {
			return err
		}
	}
	n := length - e.Len()
	if n <= 0 {
		return nil
	}
	if *room -= n; *room < 0 {
		return errPadding()
	}
	pad := &Encoding{}
	for range n {
		pad.add(p.ID, p.Token, Offset{}, p.TypeID, -1, true)
	}
	clear(pad.Attended)
	if !p.Left {
		e.join(pad)
		return nil
	}
	over := e.Overflow
	pad.join(e)
	*e = *pad
	e.Overflow = over
	return nil
}
