package safetensors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/window"
)

// lengthSize is the size in bytes of the header's length.
const lengthSize = 8

// Scan reads the header of a file of size bytes, and calls visit for its tensors in
// the order of their offsets; visit may be nil, and is not called unless the whole
// header is valid. An error of visit ends the scan and is returned unchanged; any
// other is a *fault.Error of one of this package's kinds, or fault.Unreadable. Where
// the file is recognized as something else, such as a git-lfs pointer, that kind is in
// the error's chain too, and its hint is the error's. A file that ends too early is
// also fault.Truncated.
//
// It reads 8 bytes and the header, and allocates memory for the metadata only.
func Scan(path string, r io.ReaderAt, size int64, visit func(Entry) error) (Summary, error) {
	w := scanPool.Get().(*scanState)
	defer w.release()
	w.path, w.size = path, size

	if err := w.load(r); err != nil {
		return Summary{}, explain(err, path, r, size)
	}
	if err := w.parse(); err != nil {
		return Summary{}, explain(err, path, r, size)
	}
	if err := w.validate(); err != nil {
		return Summary{}, w.noteRepeated(err)
	}
	if visit != nil {
		if err := w.visitAll(visit); err != nil {
			return Summary{}, err
		}
	}
	return w.summary, nil
}

// record is a tensor as the header describes it, before it is checked.
type record struct {
	name       []byte // in the header, or unescaped
	begin, end uint64
	elements   uint64
	at         uint32 // offset of the description in the header
	shape      uint32 // offset of the shape's bracket in the header
	rank       uint32
	dtype      DType
	overflow   bool // elements is beyond 64 bits
}

// scanState is the working memory of one scan. It is pooled: reading the shards of a
// checkpoint takes no more memory than the largest header.
type scanState struct {
	path    string
	size    int64
	header  []byte
	records []record
	ordered bool // records are in the order of their offsets
	names   nameSet
	dims    []uint64
	summary Summary
}

var scanPool = sync.Pool{New: func() any { return new(scanState) }}

// usualDescription is about how many bytes of the header describe a tensor, for the
// first allocation. The least possible is 49.
const usualDescription = 100

// maxPooledHeader is the longest header, in bytes, whose memory returns to the pool.
// Real headers are shorter than a megabyte.
const maxPooledHeader = 4 << 20

func (w *scanState) release() {
	if cap(w.header) > maxPooledHeader || cap(w.dims) > maxPooledHeader/8 {
		return
	}
	clear(w.records)
	*w = scanState{header: w.header, records: w.records[:0], names: w.names, dims: w.dims[:0]}
	scanPool.Put(w)
}

// load reads the header, after comparing its length with the limit and the file.
func (w *scanState) load(r io.ReaderAt) *fault.Error {
	if w.size < lengthSize {
		return w.fail(HeaderTooSmall, 0, "%d bytes, the header's length alone takes %d", w.size, lengthSize).
			WithCause(shortFileKind(w.size)).WithHint("the file is empty or was cut: download it again")
	}
	w.header = slices.Grow(w.header[:0], lengthSize)[:lengthSize]
	if err := w.read(r, w.header, 0); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(w.header)
	if n > MaxHeader {
		return w.fail(HeaderTooLarge, 0, "header claims %d bytes, the limit is %d", n, MaxHeader).
			WithHint("these are hardly the first bytes of a safetensors file: see what the file really is")
	}
	if int64(n) > w.size-lengthSize {
		return w.fail(InvalidHeaderLength, 0, "header claims %d bytes, the file has %d behind its length", n, w.size-lengthSize).
			WithCause(fault.Truncated).WithHint("the file was cut, most likely: download it again")
	}
	w.header = slices.Grow(w.header[:0], int(n))[:n]
	if err := w.read(r, w.header, lengthSize); err != nil {
		return err
	}
	if !utf8.Valid(w.header) {
		return w.fail(InvalidHeader, lengthSize+firstInvalid(w.header), "the header is not a text").
			WithHint("the file is damaged, or no safetensors file")
	}
	return nil
}

// shortFileKind distinguishes an empty file from one that was cut.
func shortFileKind(size int64) error {
	if size <= 0 {
		return fault.Empty
	}
	return fault.Truncated
}

// firstInvalid is the offset of the first byte of b that is not UTF-8.
func firstInvalid(b []byte) (at int) {
	for at < len(b) {
		c, width := utf8.DecodeRune(b[at:])
		if c == utf8.RuneError && width <= 1 {
			break
		}
		at += width
	}
	return at
}

// read fills b from an offset of the file.
func (w *scanState) read(r io.ReaderAt, b []byte, offset int64) *fault.Error {
	n, err := window.ReadFull(r, b, offset)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return w.fail(fault.Truncated, int(offset)+n, "the file ends here, though it should have %d bytes", w.size).
			WithCause(io.ErrUnexpectedEOF).WithHint("the file changed while it was read: try again")
	}
	return w.fail(fault.Unreadable, int(offset)+n, "reading the header").WithCause(err)
}

const metadataKey = "__metadata__"

// parse scans the JSON once and collects a record for each tensor.
func (w *scanState) parse() *fault.Error {
	w.ordered = true
	likely := len(w.header) / usualDescription
	w.records = slices.Grow(w.records[:0], likely)
	w.names.reset(likely)
	s := jsonscan.New(w.header)
	var metadata bool
	err := s.Object(func(name []byte) error {
		if string(name) == metadataKey {
			if metadata {
				return w.headerError(s.Offset(), "%s occurs twice", metadataKey)
			}
			metadata = true
			return w.metadata(&s)
		}
		return w.tensor(&s, name)
	})
	if err == nil {
		err = s.End()
	}
	switch {
	case err != nil:
		return w.notJSON(err)
	case s.BOM:
		return w.headerError(0, "the header begins with a byte order mark")
	case s.NonFinite >= 0:
		return w.headerError(s.NonFinite, "a number that is not finite")
	case s.LoneSurrogate >= 0:
		return w.headerError(s.LoneSurrogate, "half of a surrogate pair, which is no character")
	case s.Deepest > maxNested:
		return w.headerError(0, "more than %d levels of arrays and objects", maxNested+levelsAround)
	}
	if w.names.repeated {
		w.dropRepeated()
	}
	return nil
}

// The reference implementation reads at most 127 levels of arrays and objects. levelsAround
// are those around a value that this package does not use: the header and a tensor's
// description.
const (
	levelsAround = 2
	maxNested    = 127 - levelsAround
)

// notJSON converts an error of the JSON scanner to one of this package, which has its
// offset in the file. Errors of this package are returned unchanged.
func (w *scanState) notJSON(err error) *fault.Error {
	e, ok := err.(*fault.Error)
	if !ok {
		return w.fail(InvalidHeaderDeserialization, lengthSize, "the header is not JSON").WithCause(err)
	}
	if e.Kind == InvalidHeaderDeserialization {
		return e
	}
	return w.fail(InvalidHeaderDeserialization, lengthSize+int(e.Offset), "%s", e.Detail).WithCause(fault.NotJSON)
}

// metadata reads the map from string to string, or null.
func (w *scanState) metadata(s *jsonscan.Scanner) error {
	switch k := s.Kind(); k {
	case jsonscan.Null:
		_, err := s.Raw()
		return err
	case jsonscan.Object:
	default:
		return w.headerError(s.Offset(), "%s is %s, an object is needed", metadataKey, k)
	}
	w.summary.Metadata = map[string]string{}
	return s.Object(func(name []byte) error {
		if k := s.Kind(); k != jsonscan.String {
			return w.headerError(s.Offset(), "%s holds %s under %q, a string is needed", metadataKey, k, clip(name))
		}
		text, err := s.Text()
		if err == nil {
			w.summary.Metadata[string(name)] = string(text)
		}
		return err
	})
}

// The members of a tensor's description, as bits.
const (
	seenDType = 1 << iota
	seenShape
	seenOffsets

	seenAll = seenDType | seenShape | seenOffsets
)

// tensor reads one description.
func (w *scanState) tensor(s *jsonscan.Scanner, name []byte) error {
	kind := s.Kind()
	rec := record{name: name, at: uint32(s.Offset())}
	var seen uint8
	read := func(member []byte) (err error) {
		var bit uint8
		switch string(member) {
		case "dtype":
			bit = seenDType
			rec.dtype, err = w.dtype(s, name)
		case "shape":
			bit = seenShape
			err = w.shape(s, &rec)
		case "data_offsets":
			bit = seenOffsets
			err = w.offsets(s, &rec)
		default:
			err = w.ignore(s)
		}
		if err == nil && seen&bit != 0 {
			err = w.headerError(s.Offset(), "tensor %q has %s twice", clip(name), member)
		}
		seen |= bit
		return err
	}
	var err error
	switch kind {
	case jsonscan.Object:
		err = s.Object(read)
	case jsonscan.Array: // the reference implementation's JSON library reads an object's members in a fixed order from it
		err = s.Array(func(i int) error {
			if i >= len(membersInOrder) {
				return w.headerError(s.Offset(), "tensor %q is an array of more than %d elements", clip(name), len(membersInOrder))
			}
			return read(membersInOrder[i])
		})
	default:
		err = w.headerError(s.Offset(), "tensor %q is %s, an object is needed", clip(name), kind)
	}
	if err != nil {
		return err
	}
	if seen != seenAll {
		return w.headerError(int(rec.at), "tensor %q has no %s", clip(name), missing(seen))
	}
	if n := len(w.records); n > 0 && w.ordered {
		w.ordered = compareOffsets(&w.records[n-1], &rec) <= 0
	}
	w.names.add(name)
	w.records = append(w.records, rec)
	return nil
}

// membersInOrder are the members of a tensor's description in the order that an array in
// its place has them.
var membersInOrder = [...][]byte{[]byte("dtype"), []byte("shape"), []byte("data_offsets")}

// ignore reads a value that this package does not use. Like the reference implementation
// it refuses numbers beyond those of 64-bit floating point.
func (w *scanState) ignore(s *jsonscan.Scanner) error {
	kind, at := s.Kind(), s.Offset()
	raw, err := s.Raw()
	if err != nil || kind != jsonscan.Number && kind != jsonscan.Array && kind != jsonscan.Object {
		return err
	}
	if number := tooLarge(raw); number != nil {
		return w.headerError(at, "the number %s is out of range", clip(number))
	}
	return nil
}

// tooLarge gives the first number in a JSON value that is beyond the range of 64-bit
// floating point, nil where there is none.
func tooLarge(raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '-' || c >= '0' && c <= '9'):
			end := i + 1
			for end < len(raw) && strings.IndexByte("0123456789+-.eE", raw[end]) >= 0 {
				end++
			}
			if f, err := strconv.ParseFloat(string(raw[i:end]), 64); err != nil && math.IsInf(f, 0) {
				return raw[i:end]
			}
			i = end - 1
		}
	}
	return nil
}

func missing(seen uint8) string {
	switch {
	case seen&seenDType == 0:
		return "dtype"
	case seen&seenShape == 0:
		return "shape"
	}
	return "data_offsets"
}

// dtype reads an element type: "F32", or {"F32":null}, which the reference
// implementation's JSON library takes too.
func (w *scanState) dtype(s *jsonscan.Scanner, name []byte) (d DType, err error) {
	k, at := s.Kind(), s.Offset()
	switch k {
	case jsonscan.String:
		text, err := s.Text()
		if err != nil {
			return 0, err
		}
		return w.dtypeNamed(text, at, name)
	case jsonscan.Object:
		members := 0
		err = s.Object(func(text []byte) error {
			if members++; members > 1 || s.Kind() != jsonscan.Null {
				return w.headerError(at, "tensor %q: dtype is an object with other content than a type's name and null", clip(name))
			}
			if d, err = w.dtypeNamed(text, at, name); err != nil {
				return err
			}
			_, err = s.Raw()
			return err
		})
		if err == nil && members == 0 {
			err = w.headerError(at, "tensor %q: dtype is an empty object", clip(name))
		}
		return d, err
	}
	return 0, w.headerError(at, "tensor %q: dtype is %s, a string is needed", clip(name), k)
}

// dtypeNamed gives the element type of a name at an offset of the header. Most tensors
// have that of the tensor before.
func (w *scanState) dtypeNamed(text []byte, at int, name []byte) (DType, error) {
	if n := len(w.records); n > 0 && string(text) == dtypes[w.records[n-1].dtype].name {
		return w.records[n-1].dtype, nil
	}
	d, ok := ParseDType(string(text))
	if !ok {
		return 0, w.headerError(at, "tensor %q: unknown dtype %q", clip(name), clip(text))
	}
	return d, nil
}

// shape reads a shape: its offset for visitAll, its rank, and the product of its
// dimensions. As in the reference implementation the product is computed from the
// left, so a zero after an overflow does not cancel it.
func (w *scanState) shape(s *jsonscan.Scanner, rec *record) error {
	if k := s.Kind(); k != jsonscan.Array {
		return w.headerError(s.Offset(), "tensor %q: shape is %s, an array is needed", clip(rec.name), k)
	}
	at := s.Offset()
	raw, err := s.Raw()
	if err != nil {
		return err
	}
	rec.shape, rec.rank, rec.elements, rec.overflow = uint32(at), 0, 1, false
	for i := 1; ; rec.rank++ {
		dim, next, state := nextUnsigned(raw, i)
		switch state {
		case foundOther:
			return w.headerError(at+next, "tensor %q: shape %s, whole numbers of 64 bits are needed", clip(rec.name), clip(raw))
		case foundEnd:
			return nil
		}
		high, low := bits.Mul64(rec.elements, dim)
		rec.overflow = rec.overflow || high != 0
		rec.elements, i = low, next
	}
}

// offsets reads data_offsets, the bounds of a tensor's bytes.
func (w *scanState) offsets(s *jsonscan.Scanner, rec *record) error {
	if k := s.Kind(); k != jsonscan.Array {
		return w.headerError(s.Offset(), "tensor %q: data_offsets is %s, an array is needed", clip(rec.name), k)
	}
	at := s.Offset()
	raw, err := s.Raw()
	if err != nil {
		return err
	}
	begin, next, first := nextUnsigned(raw, 1)
	end, next, second := nextUnsigned(raw, next)
	_, next, third := nextUnsigned(raw, next)
	if first != foundNumber || second != foundNumber || third != foundEnd {
		return w.headerError(at+next, "tensor %q: data_offsets %s, two whole numbers of 64 bits are needed", clip(rec.name), clip(raw))
	}
	rec.begin, rec.end = begin, end
	return nil
}

// What nextUnsigned found.
const (
	foundNumber = iota
	foundOther  // another value, or a number with a sign, point or exponent
	foundEnd
)

// nextUnsigned reads the next element of raw, a valid JSON array, from byte i: an
// integer of at most 64 bits, without sign, point or exponent. next is the byte after
// it; at anything else, the end included, next is where that begins.
func nextUnsigned(raw []byte, i int) (n uint64, next, found int) {
	for ; i < len(raw); i++ {
		switch c := raw[i]; {
		case c >= '0' && c <= '9':
			return parseUnsigned(raw, i)
		case c == ']':
			return 0, i, foundEnd
		case c != ',' && c != ' ' && c != '\t' && c != '\n' && c != '\r':
			return 0, i, foundOther
		}
	}
	return 0, i, foundOther
}

// parseUnsigned reads digits. A point or an exponent after them makes the next call
// return foundOther.
func parseUnsigned(raw []byte, i int) (n uint64, next, found int) {
	start := i
	for ; i < len(raw); i++ {
		digit := uint64(raw[i] - '0')
		if digit > 9 {
			break
		}
		if i-start < 19 { // 19 digits always fit 64 bits
			n = n*10 + digit
			continue
		}
		high, low := bits.Mul64(n, 10)
		sum, carry := bits.Add64(low, digit, 0)
		if high != 0 || carry != 0 {
			return 0, start, foundOther
		}
		n = sum
	}
	return n, i, foundNumber
}

func compareOffsets(a, b *record) int {
	if c := cmp.Compare(a.begin, b.begin); c != 0 {
		return c
	}
	return cmp.Compare(a.end, b.end)
}

// dropRepeated leaves of the tensors of one name the last, as the reference implementation
// does, and records the names. There may be none: the set compares hashes, which may be
// equal for two names.
func (w *scanState) dropRepeated() {
	last := make(map[string]int, len(w.records))
	for i := range w.records {
		last[string(w.records[i].name)] = i
	}
	if len(last) == len(w.records) {
		return
	}
	reported := map[string]bool{}
	kept := w.records[:0]
	w.ordered = true
	for i := range w.records {
		rec := w.records[i]
		if last[string(rec.name)] != i {
			if name := string(rec.name); !reported[name] {
				reported[name] = true
				w.summary.Repeated = append(w.summary.Repeated, name)
			}
			continue
		}
		if n := len(kept); n > 0 && w.ordered {
			w.ordered = compareOffsets(&kept[n-1], &rec) <= 0
		}
		kept = append(kept, rec)
	}
	w.records = kept
}

// noteRepeated adds to an error of the offsets that a name stands twice in the header,
// since the bytes of the one that does not count belong to no tensor.
func (w *scanState) noteRepeated(e *fault.Error) *fault.Error {
	if len(w.summary.Repeated) > 0 {
		e.Detail += fmt.Sprintf("; the header has tensor %q twice, and the last one counts", clip([]byte(w.summary.Repeated[0])))
	}
	return e
}

// validate checks the tensors in the order of their offsets, then that they cover the
// file.
func (w *scanState) validate() *fault.Error {
	if !w.ordered {
		slices.SortStableFunc(w.records, func(a, b record) int { return compareOffsets(&a, &b) })
	}
	data := uint64(w.size) - lengthSize - uint64(len(w.header))
	next := uint64(0)
	for i := range w.records {
		rec := &w.records[i]
		if rec.begin != next || rec.end < rec.begin {
			return w.badOffset(i, next)
		}
		next = rec.end
		size, err := w.bytes(rec)
		if err != nil {
			return err
		}
		if rec.end-rec.begin != size {
			return w.fail(TensorInvalidInfo, lengthSize+int(rec.at), "tensor %q: %s %s takes %d bytes, its offsets span %d",
				clip(rec.name), rec.dtype, w.shapeText(rec), size, rec.end-rec.begin)
		}
		// These sums may overflow, but not in a valid file: its bytes fit 63 bits, and
		// an element is at least half a byte.
		count := Count{Tensors: 1, Elements: int64(rec.elements), Bytes: int64(size)}
		w.summary.Total.add(count)
		w.summary.byDType[rec.dtype].add(count)
	}
	w.summary.HeaderBytes = int64(len(w.header))
	switch {
	case next > data:
		return w.fail(MetadataIncompleteBuffer, int(w.size), "the tensors take %d bytes, the file has %d: %d are missing", next, data, next-data).
			WithCause(fault.Truncated).WithHint("the file was cut: download it again")
	case next < data:
		return w.fail(MetadataIncompleteBuffer, lengthSize+len(w.header)+int(next), "the tensors take %d bytes, the file has %d: %d belong to none", next, data, data-next).
			WithHint("something was added behind the tensors: take the file from its source again")
	}
	return nil
}

// bytes is the size in bytes of a tensor by its shape and type.
func (w *scanState) bytes(rec *record) (uint64, *fault.Error) {
	high, total := bits.Mul64(rec.elements, uint64(dtypes[rec.dtype].bits))
	if rec.overflow || high != 0 {
		return 0, w.fail(ValidationOverflow, lengthSize+int(rec.at), "tensor %q: the size of %s %s does not fit 64 bits",
			clip(rec.name), rec.dtype, w.shapeText(rec))
	}
	if total%8 != 0 {
		return 0, w.fail(MisalignedSlice, lengthSize+int(rec.at), "tensor %q: %s %s takes %d bits, no whole number of bytes",
			clip(rec.name), rec.dtype, w.shapeText(rec), total)
	}
	return total / 8, nil
}

// badOffset says what is wrong with the offsets of record i.
func (w *scanState) badOffset(i int, next uint64) *fault.Error {
	rec := &w.records[i]
	var why string
	switch {
	case rec.end < rec.begin:
		why = "ends before it begins"
	case i == 0:
		why = "is the first and does not begin at 0"
	case rec.begin < next:
		why = "overlaps " + strconv.Quote(clip(w.records[i-1].name)) + ", which ends at " + strconv.FormatUint(next, 10)
	default:
		why = "leaves a hole behind " + strconv.Quote(clip(w.records[i-1].name)) + ", which ends at " + strconv.FormatUint(next, 10)
	}
	return w.fail(InvalidOffset, lengthSize+int(rec.at), "tensor %q at %d to %d %s", clip(rec.name), rec.begin, rec.end, why)
}

// visitAll calls visit for each tensor.
func (w *scanState) visitAll(visit func(Entry) error) error {
	for i := range w.records {
		rec := &w.records[i]
		w.dims = w.readShape(rec, w.dims[:0])
		err := visit(Entry{
			Name: rec.name, DType: rec.dtype, Shape: w.dims,
			Begin: int64(rec.begin), End: int64(rec.end), Elements: int64(rec.elements),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readShape reads the shape of a record from the header again; parse has checked it.
// Records hold offsets of shapes and not the dimensions, which saves memory.
func (w *scanState) readShape(rec *record, dims []uint64) []uint64 {
	dims = slices.Grow(dims, int(rec.rank))
	for i := int(rec.shape) + 1; ; {
		dim, next, found := nextUnsigned(w.header, i)
		if found != foundNumber {
			return dims
		}
		dims, i = append(dims, dim), next
	}
}

// shapeText is the shape as the header writes it, shortened.
func (w *scanState) shapeText(rec *record) string {
	for i, c := range w.header[rec.shape:] {
		if c == ']' {
			return clip(w.header[rec.shape : int(rec.shape)+i+1])
		}
	}
	return ""
}

// clip shortens text from the file for an error.
func clip(text []byte) string {
	const most = 120
	if len(text) <= most {
		return string(text)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "…"
}

func (w *scanState) fail(kind fault.Kind, offset int, format string, args ...any) *fault.Error {
	return fault.At(kind, w.path, int64(offset), fmt.Sprintf(format, args...))
}

// headerError is the error of a header that is valid JSON but not what the format
// needs; offset counts from the start of the header.
func (w *scanState) headerError(offset int, format string, args ...any) *fault.Error {
	return w.fail(InvalidHeaderDeserialization, lengthSize+offset, format, args...)
}
