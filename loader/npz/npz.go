// Package npz reads the headers of numpy's .npy and .npz files: the arrays' names,
// types and shapes. It never reads the arrays, and never unpickles: an array of
// Python objects is reported as such.
//
// The format: numpy/lib/format.py, versions 1.0 to 3.0.
package npz

import (
	"archive/zip"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// The limits of this reader.
const (
	// MaxHeader is the longest header read. numpy itself stops at 10,000 bytes
	// unless told otherwise.
	MaxHeader = 64 << 10
	MaxArrays = 1 << 18 // arrays of one file
	MaxDims   = 64      // dimensions of an array, as for numpy 2
)

// The kinds of error of this format.
const (
	NotNPY       fault.Kind = "not a numpy array"           // another magic
	NotNPZ       fault.Kind = "not a numpy archive"         // a zip without .npy files
	BadVersion   fault.Kind = "unknown npy version"         // not 1, 2 or 3
	BadHeader    fault.Kind = "broken npy header"           // not the dictionary it should be
	BadDType     fault.Kind = "unknown numpy type"          // a description numpy would not write
	WrongSize    fault.Kind = "array of another size"       // than its shape and type say
	SizeOverflow fault.Kind = "array size overflows"        // in elements or in bytes
	Duplicate    fault.Kind = "two arrays of the same name" // in one archive
)

const damaged = "the file is damaged or cut short: download it again"

// Array is one array.
type Array struct {
	Name string // without .npy; empty for a file of one array
	// Descr is numpy's description as it stands, "<f4"; of a structured type the
	// whole list.
	Descr string
	// DType is spelled as in safetensors, "F32", and empty where the type has no
	// equal there.
	DType     string
	BigEndian bool
	// Pickled says that the elements are Python objects: loading them unpickles.
	Pickled bool
	Fortran bool // the first index runs fastest
	Shape   []int64
	// ItemBytes is the size of an element, 0 where it is not known.
	ItemBytes int64
	// Compressed says that the array is packed, so that it cannot be mapped.
	Compressed bool
}

// Elements is the product of the dimensions.
func (a *Array) Elements() int64 {
	n, _ := product(a.Shape)
	return n
}

// Bytes is the size of the array's data, 0 where it is not known.
func (a *Array) Bytes() int64 { return a.Elements() * a.ItemBytes }

// Read reads the headers of a .npz archive of size bytes, in the archive's order;
// path is what errors name. It gives the arrays it could read with the first error
// it met, so that one broken array does not hide the others.
func Read(r io.ReaderAt, size int64, path string) ([]Array, error) {
	if size <= 0 {
		return nil, fault.New(fault.Empty, path, "no bytes")
	}
	head, err := window.New(r, size, path, 0).Peek(6)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(string(head), "PK") {
		if string(head) == magic {
			return nil, fault.At(NotNPZ, path, 0, "a single array").WithHint("rename it to .npy")
		}
		if strings.Trim(string(head), "\x00") == "" {
			return nil, fault.At(fault.ZeroFilled, path, 0, "zeros where the archive should begin").WithHint("an interrupted download: download it again")
		}
		return nil, fault.At(NotNPZ, path, 0, fmt.Sprintf("begins with %q", head))
	}
	archive, err := zip.NewReader(window.Bounded(r, size), size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fault.New(fault.Truncated, path, "a zip archive without its directory, which stands at the end").
			WithCause(err).WithHint("the download did not end, or the file was cut: download it again")
	}
	if len(archive.File) > MaxArrays {
		return nil, fault.New(fault.TooLarge, path, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), MaxArrays))
	}
	var arrays []Array
	var failed error
	seen := make(map[string]bool, len(archive.File))
	found := false
	for _, member := range archive.File {
		name, is := strings.CutSuffix(member.Name, ".npy")
		if !is {
			continue
		}
		found = true
		a, err := readMember(member, path)
		if err == nil && seen[name] {
			err = fault.New(Duplicate, path, fmt.Sprintf("%.80q", name))
		}
		if err != nil {
			if failed == nil {
				failed = err
			}
			continue
		}
		seen[name] = true
		a.Name = name
		arrays = append(arrays, a)
	}
	if !found {
		return nil, fault.New(NotNPZ, path, fmt.Sprintf("a zip archive of %d files, none of them .npy", len(archive.File)))
	}
	return arrays, failed
}

// readMember reads one array's header; of a packed one no more is unpacked than
// the header takes.
func readMember(member *zip.File, path string) (Array, error) {
	fail := func(err error) (Array, error) {
		kind := fault.Malformed
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			kind = fault.Truncated
		}
		return Array{}, fault.New(kind, path, fmt.Sprintf("%.80q in the archive", member.Name)).WithCause(err).WithHint(damaged)
	}
	offset, err := member.DataOffset()
	if err != nil {
		return fail(err)
	}
	in, err := member.Open()
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	a, header, err := parse(in, path, offset)
	if err != nil {
		return Array{}, err
	}
	a.Compressed = member.Method != zip.Store
	if err := a.fits(member.UncompressedSize64, header, path, member.Name); err != nil {
		return Array{}, err
	}
	return a, nil
}

// ReadArray reads the header of a .npy file of size bytes.
func ReadArray(r io.ReaderAt, size int64, path string) (Array, error) {
	if size <= 0 {
		return Array{}, fault.New(fault.Empty, path, "no bytes")
	}
	a, header, err := parse(io.NewSectionReader(window.Bounded(r, size), 0, size), path, 0)
	if err != nil {
		return Array{}, err
	}
	return a, a.fits(uint64(size), header, path, path)
}

// fits compares the size of the data with what shape and type ask for.
func (a *Array) fits(size uint64, header int64, path, name string) error {
	if a.ItemBytes == 0 {
		return nil // objects are pickled, and other types unknown
	}
	if want := uint64(header) + uint64(a.Bytes()); size != want {
		kind := WrongSize
		if size < want {
			kind = fault.Truncated
		}
		return fault.New(kind, path, fmt.Sprintf("%.80q of shape %v in %.80s takes %d bytes, there are %d", name, a.Shape, a.Descr, want, size)).WithHint(damaged)
	}
	return nil
}

const magic = "\x93NUMPY"

// parse reads a header: magic, version, length, and a Python dictionary of descr,
// fortran_order and shape. header is the number of bytes before the data.
func parse(in io.Reader, path string, offset int64) (a Array, header int64, err error) {
	cut := func(at int64, err error) error {
		kind := fault.Truncated
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			kind = fault.Unreadable
			var corrupt flate.CorruptInputError
			if errors.As(err, &corrupt) || errors.Is(err, zip.ErrChecksum) {
				kind = fault.Malformed
			}
		}
		return fault.At(kind, path, offset+at, "inside an array's header").WithCause(err).WithHint(damaged)
	}
	var start [12]byte
	if n, err := io.ReadFull(in, start[:8]); err != nil {
		return a, 0, cut(int64(n), err)
	}
	if string(start[:6]) != magic {
		kind := NotNPY
		if string(start[:8]) == "\x00\x00\x00\x00\x00\x00\x00\x00" {
			kind = fault.ZeroFilled
		}
		return a, 0, fault.At(kind, path, offset, fmt.Sprintf("begins with %q", start[:6]))
	}
	major := start[6]
	width := 4
	if major == 1 {
		width = 2
	} else if major < 1 || major > 3 {
		return a, 0, fault.At(BadVersion, path, offset+6, fmt.Sprintf("version %d.%d", major, start[7]))
	}
	if _, err := io.ReadFull(in, start[8:8+width]); err != nil {
		return a, 0, cut(8, err)
	}
	n := uint32(binary.LittleEndian.Uint16(start[8:]))
	if width == 4 {
		n = binary.LittleEndian.Uint32(start[8:])
	}
	if n > MaxHeader {
		return a, 0, fault.At(fault.TooLarge, path, offset+8, fmt.Sprintf("header of %d bytes, the limit is %d", n, MaxHeader))
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(n)))
	if err == nil && len(body) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return a, 0, cut(int64(8+width), err)
	}
	header = int64(8 + width + int(n))
	at, detail := a.take(string(body))
	if detail != "" {
		return a, 0, fault.At(BadHeader, path, offset+int64(8+width+at), detail).WithHint(damaged)
	}
	elements, ok := product(a.Shape)
	if !ok {
		return a, 0, fault.At(SizeOverflow, path, offset, fmt.Sprintf("shape %v", a.Shape))
	}
	if !a.typed() {
		return a, 0, fault.At(BadDType, path, offset, fmt.Sprintf("%.80q", a.Descr))
	}
	if hi, lo := bits.Mul64(uint64(elements), uint64(a.ItemBytes)); hi != 0 || lo > math.MaxInt64-MaxHeader-16 {
		return a, 0, fault.At(SizeOverflow, path, offset, fmt.Sprintf("shape %v in %.80s", a.Shape, a.Descr))
	}
	return a, header, nil
}

// take reads the dictionary. detail is empty where it is sound, and at is where it
// is not.
func (a *Array) take(header string) (at int, detail string) {
	l := &literal{text: header}
	have := map[string]bool{}
	l.expect('{')
	for l.err == "" && !l.accept('}') {
		key := l.str()
		if l.err == "" && have[key] {
			l.fail("two values of " + strconv.Quote(key))
		}
		have[key] = true
		l.expect(':')
		switch {
		case l.err != "":
		case key == "descr":
			l.space()
			start := l.pos
			l.value(0)
			a.Descr = l.text[start:l.pos]
		case key == "fortran_order":
			a.Fortran = l.boolean()
		case key == "shape":
			a.Shape = l.ints()
		default:
			l.fail("unknown key " + strconv.Quote(key))
		}
		if l.err == "" && !l.accept(',') {
			l.expect('}')
			break
		}
	}
	l.space()
	if l.err == "" && l.pos < len(l.text) {
		l.fail("something behind the dictionary")
	}
	if l.err == "" && len(have) != 3 {
		l.fail("descr, fortran_order and shape are needed")
	}
	return l.pos, l.err
}

//go:embed types.tsv
var typesTSV string

// types maps a type without its byte order to the dtype.
var types = sync.OnceValue(func() map[string]string {
	_, table, _ := strings.Cut(typesTSV, "\n")
	all := map[string]string{}
	for line := range strings.Lines(table) {
		code, dtype, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[code] = dtype
	}
	return all
})

// typed takes Descr apart; it is false for what numpy would not write.
func (a *Array) typed() bool {
	if strings.HasPrefix(a.Descr, "[") {
		// A structured type. Objects may hide in its fields.
		a.Pickled = hasObject(a.Descr)
		return true
	}
	if len(a.Descr) < 2 || a.Descr[0] != '\'' && a.Descr[0] != '"' {
		return strings.HasPrefix(a.Descr, "(") // a type with a shape of its own
	}
	code := a.Descr[1 : len(a.Descr)-1]
	a.Descr = code
	order := strings.TrimLeft(code, "<>|=")
	if len(code)-len(order) > 1 || order == "" {
		return false
	}
	a.BigEndian = code[0] == '>'
	if order[0] == 'O' {
		a.Pickled = true
		return true
	}
	size, unit, _ := strings.Cut(order[1:], "[")
	n, err := strconv.ParseInt(size, 10, 32)
	if err != nil || n < 0 || !strings.ContainsRune("biufcSUVmMat?", rune(order[0])) || unit != "" && !strings.HasSuffix(unit, "]") {
		return false
	}
	if order[0] == 'U' {
		n *= 4 // code points
	}
	a.ItemBytes = n
	a.DType = types()[order]
	return true
}

// hasObject looks for a field of Python objects in a structured type: any string
// of the list that is an object's code. A field may be called "O" as well, and
// then the answer errs on the side of caution.
func hasObject(descr string) bool {
	for _, quote := range []string{"'", `"`} {
		for _, order := range []string{"", "|", "<", ">", "="} {
			if strings.Contains(descr, quote+order+"O"+quote) || strings.Contains(descr, quote+order+"O8"+quote) || strings.Contains(descr, quote+order+"O4"+quote) {
				return true
			}
		}
	}
	return strings.Contains(descr, "\\") // an escape, which numpy does not write for a type
}

// product multiplies the dimensions; ok is false beyond 2^63-1.
func product(shape []int64) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d == 0 {
			return 0, true
		}
	}
	for _, d := range shape {
		hi, lo := bits.Mul64(uint64(n), uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = int64(lo)
	}
	return n, true
}
