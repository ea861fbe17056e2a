// Package npz reads the headers of numpy's .npy and .npz files: the arrays' names,
// types and shapes. It never reads the arrays, and never unpickles: an array of
// Python objects is reported as such.
//
// The format: numpy/lib/format.py, versions 1.0 to 3.0.
package npz

import (
	"archive/zip"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/internal/ndarray"
	"omniloader/loader/window"
)

// The limits of this reader.
const (
	// maxHeader is the longest header read, in bytes. numpy's own limit is 10,000
	// unless the caller raises it.
	maxHeader = 64 << 10
	maxArrays = 1 << 18 // arrays of one file
	maxDims   = 64      // dimensions of an array, as for numpy 2
)

// The kinds of error of this format.
const (
	NotNPY       fault.Kind = "not a numpy array"           // another magic
	NotNPZ       fault.Kind = "not a numpy archive"         // a zip without .npy files
	BadVersion   fault.Kind = "unknown npy version"         // not 1, 2 or 3
	BadHeader    fault.Kind = "broken npy header"           // not the dictionary that the format asks for
	BadDType     fault.Kind = "unknown numpy type"          // a description numpy would not write
	WrongSize    fault.Kind = "array of another size"       // more data than its shape and type need
	SizeOverflow fault.Kind = "array size overflows"        // in elements or in bytes
	Duplicate    fault.Kind = "two arrays of the same name" // in one archive
)

const damaged = "the file is damaged or cut short: download it again"

// Array describes one array.
type Array struct {
	Name string // without .npy; empty for a file of one array
	// Descr is the type as the file describes it: "<f4", or the whole list of a
	// structured type.
	Descr string
	// DType is the element type, spelled as in safetensors: "F32". It is empty where
	// safetensors has no such type.
	DType     string
	BigEndian bool
	// Pickled reports that the elements are Python objects: loading them unpickles.
	Pickled bool
	Fortran bool // Fortran order: the first index varies fastest
	Shape   []int64
	// ItemBytes is the size of an element in bytes, 0 where it is not known.
	ItemBytes int64
	// Compressed reports that the array is compressed, so that the file cannot be
	// mapped into memory.
	Compressed bool
}

// Elements is the product of the dimensions.
func (a *Array) Elements() int64 {
	n, _ := ndarray.Elements(a.Shape)
	return n
}

// Bytes is the size of the array's data in bytes, 0 where it is not known.
func (a *Array) Bytes() int64 { return a.Elements() * a.ItemBytes }

// Read reads the headers of a .npz archive of size bytes, in the archive's order;
// errors name path. It returns the arrays it could read together with the first
// error, so that one broken array does not hide the others.
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
	if len(archive.File) > maxArrays {
		return nil, fault.New(fault.TooLarge, path, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), maxArrays))
	}
	var arrays []Array
	var firstErr error
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
			if firstErr == nil {
				firstErr = err
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
	return arrays, firstErr
}

// readMember reads one array's header; of a compressed one no more than the header is
// decompressed.
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
	a, header, err := readHeader(in, path, offset)
	if err != nil {
		return Array{}, err
	}
	a.Compressed = member.Method != zip.Store
	if err := a.checkSize(member.UncompressedSize64, header, path, member.Name); err != nil {
		return Array{}, err
	}
	return a, nil
}

// ReadArray reads the header of a .npy file of size bytes.
func ReadArray(r io.ReaderAt, size int64, path string) (Array, error) {
	if size <= 0 {
		return Array{}, fault.New(fault.Empty, path, "no bytes")
	}
	a, header, err := readHeader(io.NewSectionReader(window.Bounded(r, size), 0, size), path, 0)
	if err != nil {
		return Array{}, err
	}
	return a, a.checkSize(uint64(size), header, path, path)
}

// checkSize compares size, the bytes of header and data, with what shape and type
// need.
func (a *Array) checkSize(size uint64, header int64, path, name string) error {
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

// readHeader reads the header of an array that begins at offset of the file, and
// checks its shape and type. header is the number of bytes before the data.
//
// A header is the magic, the version, its length, and a Python dictionary of descr,
// fortran_order and shape.
func readHeader(in io.Reader, path string, offset int64) (a Array, header int64, err error) {
	prefix, length, err := readPrefix(in, path, offset)
	if err != nil {
		return a, 0, err
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(length)))
	if err == nil && len(body) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return a, 0, readError(path, offset+prefix, err)
	}
	header = prefix + int64(length)
	at, detail := a.parseDictionary(string(body))
	if detail != "" {
		return a, 0, fault.At(BadHeader, path, offset+prefix+int64(at), detail).WithHint(damaged)
	}
	elements, ok := ndarray.Elements(a.Shape)
	if !ok {
		return a, 0, fault.At(SizeOverflow, path, offset, fmt.Sprintf("shape %v", a.Shape))
	}
	if !a.parseDescr() {
		return a, 0, fault.At(BadDType, path, offset, fmt.Sprintf("%.80q", a.Descr))
	}
	if hi, lo := bits.Mul64(uint64(elements), uint64(a.ItemBytes)); hi != 0 || lo > math.MaxInt64-maxHeader-16 {
		return a, 0, fault.At(SizeOverflow, path, offset, fmt.Sprintf("shape %v in %.80s", a.Shape, a.Descr))
	}
	return a, header, nil
}

// readPrefix reads magic, version and length of a header. prefix is the number of
// bytes they take, length that of the dictionary behind them.
func readPrefix(in io.Reader, path string, offset int64) (prefix int64, length int, err error) {
	var start [12]byte
	if n, err := io.ReadFull(in, start[:8]); err != nil {
		return 0, 0, readError(path, offset+int64(n), err)
	}
	if string(start[:6]) != magic {
		kind := NotNPY
		if string(start[:8]) == "\x00\x00\x00\x00\x00\x00\x00\x00" {
			kind = fault.ZeroFilled
		}
		return 0, 0, fault.At(kind, path, offset, fmt.Sprintf("begins with %q", start[:6]))
	}
	major := start[6]
	width := 4
	if major == 1 {
		width = 2
	} else if major < 1 || major > 3 {
		return 0, 0, fault.At(BadVersion, path, offset+6, fmt.Sprintf("version %d.%d", major, start[7]))
	}
	if _, err := io.ReadFull(in, start[8:8+width]); err != nil {
		return 0, 0, readError(path, offset+8, err)
	}
	n := uint32(binary.LittleEndian.Uint16(start[8:]))
	if width == 4 {
		n = binary.LittleEndian.Uint32(start[8:])
	}
	if n > maxHeader {
		return 0, 0, fault.At(fault.TooLarge, path, offset+8, fmt.Sprintf("header of %d bytes, the limit is %d", n, maxHeader))
	}
	return int64(8 + width), int(n), nil
}

// readError is the error of a read that failed at a byte of the file.
func readError(path string, at int64, err error) error {
	kind := fault.Truncated
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		kind = fault.Unreadable
		var corrupt flate.CorruptInputError
		if errors.As(err, &corrupt) || errors.Is(err, zip.ErrChecksum) {
			kind = fault.Malformed
		}
	}
	return fault.At(kind, path, at, "inside an array's header").WithCause(err).WithHint(damaged)
}

// parseDictionary reads the dictionary of a header. Where it is not valid, at is the
// byte and detail the reason; otherwise detail is empty.
func (a *Array) parseDictionary(header string) (at int, detail string) {
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

// parseDescr sets the fields that follow from Descr; it returns false for a
// description that numpy would not write.
func (a *Array) parseDescr() bool {
	if strings.HasPrefix(a.Descr, "[") {
		// A structured type, whose fields may be objects.
		a.Pickled = hasObject(a.Descr)
		return true
	}
	if len(a.Descr) < 2 || a.Descr[0] != '\'' && a.Descr[0] != '"' {
		return strings.HasPrefix(a.Descr, "(") // a subarray type: (type, shape)
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
	a.DType = ndarray.NumpyDType(order)
	return true
}

// hasObject reports whether a structured type has a field of Python objects: whether
// any string of the list is the code of an object. It is true, too, for a field that
// is named "O".
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
