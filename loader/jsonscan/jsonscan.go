// Package jsonscan scans a JSON text once, in place, without building a tree.
//
// It accepts what model repositories contain beyond RFC 8259: a byte order mark is
// skipped, and NaN, Infinity and -Infinity, which Python writes, are numbers. Both are
// recorded, so that the caller can report them. Nesting is bounded and not handled by
// recursion, so no input can exhaust the stack.
//
// It is not a decoder: it returns the bytes of a value, which the caller interprets.
package jsonscan

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// maxDepth is how many levels of arrays and objects there may be. Real configurations
// have fewer than 20; Python's json module fails near 1,000.
const maxDepth = 512

// Kind is the type of a value, as its first byte shows it.
type Kind byte

// The kinds of value. Invalid is the end of the text, or a byte that no value begins
// with.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}

// String names the kind for messages: "null", "a string", "an object".
func (k Kind) String() string { return kindNames[k] }

// Scanner is a position in a JSON text. The zero value scans the empty text.
type Scanner struct {
	data []byte
	pos  int
	base int // bytes of the byte order mark, which data does not include

	// NonFinite is the offset of the first NaN or Infinity scanned so far, or -1.
	NonFinite int
	// BOM reports that the text begins with a byte order mark.
	BOM bool
	// LoneSurrogate is the offset of the first escape of half a surrogate pair, such as
	// \ud800 alone, in the strings scanned so far, or -1. JSON allows it, and there is no
	// character of that kind: some readers refuse the text.
	LoneSurrogate int
	// Deepest is how many levels of arrays and objects the deepest value of Raw had.
	Deepest int
}

// New returns a Scanner at the start of data, which is neither copied nor changed.
func New(data []byte) Scanner {
	s := Scanner{data: data, NonFinite: -1, LoneSurrogate: -1}
	if len(data) >= 3 && data[0] == 0xEF && data[1] == 0xBB && data[2] == 0xBF {
		s.BOM, s.data, s.base = true, data[3:], 3
	}
	return s
}

// Offset is the byte of the original text that is read next.
func (s *Scanner) Offset() int { return s.base + s.pos }

// Kind returns the type of the next value. It consumes white space only.
func (s *Scanner) Kind() Kind {
	s.space()
	if s.pos >= len(s.data) {
		return Invalid
	}
	switch c := s.data[s.pos]; {
	case c == '"':
		return String
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == 't' || c == 'f':
		return Bool
	case c == 'n':
		return Null
	case c == '-' || c >= '0' && c <= '9' || c == 'N' || c == 'I':
		return Number
	}
	return Invalid
}

// End fails unless only white space is left.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.data) {
		return s.errorf("text goes on after the value")
	}
	return nil
}

// Object consumes an object. It calls member before each value with the member's
// name, unescaped; member must consume exactly that value. The name is valid until
// member returns.
func (s *Scanner) Object(member func(name []byte) error) error {
	if err := s.expect('{', "an object"); err != nil {
		return err
	}
	if s.accept('}') {
		return nil
	}
	for {
		name, err := s.Text()
		if err != nil {
			return err
		}
		if err := s.expect(':', "a colon"); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if s.accept(',') {
			continue
		}
		return s.expect('}', "a comma or the end of the object")
	}
}

// Array consumes an array. It calls element before each value with its index; element
// must consume exactly that value.
func (s *Scanner) Array(element func(i int) error) error {
	if err := s.expect('[', "an array"); err != nil {
		return err
	}
	if s.accept(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		if s.accept(',') {
			continue
		}
		return s.expect(']', "a comma or the end of the array")
	}
}

// Text consumes a string and returns its content, unescaped. Where the string has no
// escape the result is a slice of the text, not a copy. Unpaired surrogates become
// U+FFFD.
func (s *Scanner) Text() ([]byte, error) {
	s.space()
	raw, escaped, err := s.text()
	if err != nil || !escaped {
		return raw, err
	}
	return unescape(raw), nil
}

// Raw consumes and checks the next value of any kind, and returns its bytes without
// white space around them.
func (s *Scanner) Raw() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

// skip consumes one value. The stack of open arrays and objects has one bit for each
// level: set for an object.
func (s *Scanner) skip() error {
	var stack [maxDepth / 64]uint64
	depth := 0
	for {
		s.space()
		if s.pos >= len(s.data) {
			return s.errorf("the text ends where a value is expected")
		}
		switch c := s.data[s.pos]; c {
		case '{', '[':
			if depth == maxDepth {
				return s.fail(fault.TooDeep, "more than "+strconv.Itoa(maxDepth)+" levels of arrays and objects")
			}
			s.pos++
			closing := c + 2 // in ASCII, ']' is '[' + 2 and '}' is '{' + 2
			if s.accept(closing) {
				s.Deepest = max(s.Deepest, depth+1)
				break
			}
			if c == '{' {
				stack[depth/64] |= 1 << (depth % 64)
				if err := s.name(); err != nil {
					return err
				}
			} else {
				stack[depth/64] &^= 1 << (depth % 64)
			}
			depth++
			s.Deepest = max(s.Deepest, depth)
			continue
		default:
			if err := s.scalar(c); err != nil {
				return err
			}
		}
		// A value has ended: consume the comma behind it, or the ends of the arrays and
		// objects that end with it.
		for {
			if depth == 0 {
				return nil
			}
			object := stack[(depth-1)/64]&(1<<((depth-1)%64)) != 0
			if s.accept(',') {
				if object {
					if err := s.name(); err != nil {
						return err
					}
				}
				break
			}
			if object {
				if err := s.expect('}', "a comma or the end of the object"); err != nil {
					return err
				}
			} else if err := s.expect(']', "a comma or the end of the array"); err != nil {
				return err
			}
			depth--
		}
	}
}

// name consumes a member's name and its colon.
func (s *Scanner) name() error {
	s.space()
	if _, _, err := s.text(); err != nil {
		return err
	}
	return s.expect(':', "a colon")
}

func (s *Scanner) scalar(c byte) error {
	switch c {
	case '"':
		_, _, err := s.text()
		return err
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	case 'N':
		s.noteNonFinite()
		return s.word("NaN")
	case 'I':
		s.noteNonFinite()
		return s.word("Infinity")
	}
	return s.number()
}

func (s *Scanner) noteNonFinite() {
	if s.NonFinite < 0 {
		s.NonFinite = s.Offset()
	}
}

func (s *Scanner) word(w string) error {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.errorf("expected " + w)
	}
	s.pos += len(w)
	return nil
}

func (s *Scanner) number() error {
	if s.peek() == '-' {
		if s.pos+1 < len(s.data) && s.data[s.pos+1] == 'I' {
			s.noteNonFinite()
			return s.word("-Infinity")
		}
		s.pos++
	}
	switch {
	case s.peek() == '0':
		s.pos++
	case s.digits() == 0:
		return s.errorf("expected a value, found " + s.found())
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			return s.errorf("a number needs a digit after its point")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			return s.errorf("a number needs a digit in its exponent")
		}
	}
	return nil
}

func (s *Scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

// text consumes a string and returns the bytes between its quotes.
func (s *Scanner) text() (raw []byte, escaped bool, err error) {
	if s.peek() != '"' {
		return nil, false, s.errorf("expected a string, found " + s.found())
	}
	start := s.pos + 1
	ascii := true
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			raw = s.data[start:i]
			if !ascii && !utf8.Valid(raw) {
				s.pos = start
				return nil, false, s.errorf("the string is not UTF-8")
			}
			return raw, escaped, nil
		case c == '\\':
			escaped = true
			n := escapeLen(s.data[i:])
			if n == 0 {
				s.pos = i
				return nil, false, s.errorf("unknown escape in a string")
			}
			if n == 6 {
				n = s.surrogates(i)
			}
			i += n - 1
		case c < 0x20:
			s.pos = i
			return nil, false, s.errorf("control character in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	s.pos = len(s.data)
	return nil, false, s.errorf("the text ends inside a string")
}

// escapeLen is the length of the escape sequence at the start of b, 0 where it is not
// valid.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

// surrogates gives the length of the \u escape at byte i, which is valid: of both, where
// it is the first of a surrogate pair. It records a surrogate that is in no pair.
func (s *Scanner) surrogates(i int) int {
	const escape = len(`\u0000`)
	r, _ := hex4(s.data[i+2:])
	if !utf16.IsSurrogate(r) {
		return escape
	}
	if next := s.data[i+escape:]; len(next) > 0 && next[0] == '\\' && escapeLen(next) == escape {
		if low, _ := hex4(next[2:]); utf16.DecodeRune(r, low) != utf8.RuneError {
			return 2 * escape
		}
	}
	if s.LoneSurrogate < 0 {
		s.LoneSurrogate = s.base + i
	}
	return escape
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape resolves the escapes of a checked string.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(raw[i+2:])
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(raw) >= i+12 && raw[i+6] == '\\' && raw[i+7] == 'u' {
					low, _ = hex4(raw[i+8:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			i += 6
			continue
		default:
			out = append(out, c)
		}
		i += 2
	}
	return out
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *Scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// accept consumes white space, and then c where it is the next byte.
func (s *Scanner) accept(c byte) bool {
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *Scanner) expect(c byte, what string) error {
	if s.accept(c) {
		return nil
	}
	return s.errorf("expected " + what + ", found " + s.found())
}

// found names the next byte for messages.
func (s *Scanner) found() string {
	if s.pos >= len(s.data) {
		return "the end of the text"
	}
	if c := s.data[s.pos]; c < utf8.RuneSelf {
		return strconv.QuoteRune(rune(c))
	}
	r, _ := utf8.DecodeRune(s.data[s.pos:])
	return strconv.QuoteRune(r)
}

func (s *Scanner) errorf(detail string) error {
	kind := fault.NotJSON
	if s.pos >= len(s.data) && len(s.data) > 0 {
		kind = fault.Truncated
	}
	return s.fail(kind, detail)
}

func (s *Scanner) fail(kind fault.Kind, detail string) error {
	line, column := s.lineColumn()
	place := "line " + strconv.Itoa(line) + " column " + strconv.Itoa(column)
	return &fault.Error{Offset: int64(s.Offset()), Kind: kind, Detail: place + ": " + strings.TrimSpace(detail)}
}

// lineColumn counts from 1; the column is in bytes.
func (s *Scanner) lineColumn() (line, column int) {
	line, column = 1, 1
	for _, c := range s.data[:min(s.pos, len(s.data))] {
		if c == '\n' {
			line, column = line+1, 0
		}
		column++
	}
	return line, column
}
