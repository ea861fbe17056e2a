// Package window reads forward through an io.ReaderAt of known size with a buffer, and
// never past the end. It is for headers of many small fields: one read of the file
// serves thousands of them, and a length that comes from the file is compared with
// the bytes left before anything is allocated or skipped.
//
// It is independent of file formats, and not meant for weights.
package window

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"omniloader/loader/fault"
)

// Bytes is the size of the buffer, and the most that one read of the file fetches.
const Bytes = 64 << 10

// Reader is a position in a file. Its methods fail with fault.Truncated where the
// file ends too early, and fault.Unreadable where reading it fails.
type Reader struct {
	src  io.ReaderAt
	path string
	base int64 // offset of src's byte 0 in the file that errors name
	size int64 // bytes of src
	at   int64 // offset in src of buf[0]
	buf  []byte
	pos  int   // next byte of buf
	read int64 // bytes read from src
}

// New returns a Reader at byte 0 of src, which holds size bytes. Errors name path, and
// add base to their offsets: it is not 0 where src is a part of a larger file.
func New(src io.ReaderAt, size int64, path string, base int64) *Reader {
	return &Reader{src: src, path: path, base: base, size: max(size, 0)}
}

// Offset is the byte of src that is read next.
func (r *Reader) Offset() int64 { return r.at + int64(r.pos) }

// Left is the number of bytes from Offset to the end.
func (r *Reader) Left() int64 { return r.size - r.Offset() }

// Fetched is the number of bytes read from src so far.
func (r *Reader) Fetched() int64 { return r.read }

// Fault returns an error at the given offset of src.
func (r *Reader) Fault(kind fault.Kind, offset int64, format string, args ...any) *fault.Error {
	return fault.At(kind, r.path, r.base+offset, fmt.Sprintf(format, args...))
}

// Next consumes n bytes, at most Bytes, and returns them. They are valid until the
// next call.
func (r *Reader) Next(n int) ([]byte, error) {
	if n > len(r.buf)-r.pos {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	b := r.buf[r.pos : r.pos+n]
	r.pos += n
	return b, nil
}

// Peek returns the next n bytes, at most Bytes, without consuming them; fewer where
// fewer are left.
func (r *Reader) Peek(n int) ([]byte, error) {
	n = int(min(int64(n), r.Left()))
	if n > len(r.buf)-r.pos {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	return r.buf[r.pos : r.pos+n], nil
}

// Append consumes n bytes and appends them to dst. It compares n with the bytes left
// before dst grows; limits on n are the caller's to check before.
func (r *Reader) Append(dst []byte, n uint64) ([]byte, error) {
	if err := r.require(n); err != nil {
		return dst, err
	}
	for n > 0 {
		b, err := r.Next(int(min(n, Bytes)))
		if err != nil {
			return dst, err
		}
		dst = append(dst, b...)
		n -= uint64(len(b))
	}
	return dst, nil
}

// Skip passes over n bytes. Those outside the buffer are not read.
func (r *Reader) Skip(n uint64) error {
	if n <= uint64(len(r.buf)-r.pos) {
		r.pos += int(n)
		return nil
	}
	if err := r.require(n); err != nil {
		return err
	}
	r.MoveTo(r.Offset() + int64(n))
	return nil
}

// MoveTo goes to an offset of src, clipped to its bounds.
func (r *Reader) MoveTo(offset int64) {
	offset = min(max(offset, 0), r.size)
	if d := offset - r.at; d >= 0 && d <= int64(len(r.buf)) {
		r.pos = int(d)
		return
	}
	r.at, r.pos, r.buf = offset, 0, r.buf[:0]
}

// Line consumes the text up to and including the next line feed, and appends it to
// dst without the line feed. More than limit bytes are the error fault.TooLarge.
func (r *Reader) Line(dst []byte, limit int) ([]byte, error) {
	start := r.Offset()
	for had := 0; ; {
		b, err := r.Peek(Bytes)
		if err != nil {
			return dst, err
		}
		i := bytes.IndexByte(b, '\n')
		n := i
		if i < 0 {
			n = len(b)
		}
		if had += n; had > limit {
			return dst, r.Fault(fault.TooLarge, start, "line of more than %d bytes", limit)
		}
		dst = append(dst, b[:n]...)
		if i >= 0 {
			r.pos += n + 1
			return dst, nil
		}
		if r.pos += n; r.Left() == 0 {
			return dst, r.Fault(fault.Truncated, start, "line without an end")
		}
	}
}

// require fails where fewer than n bytes are left.
func (r *Reader) require(n uint64) error {
	if left := r.Left(); n > uint64(left) {
		return r.Fault(fault.Truncated, r.Offset(), "%d bytes needed, %d left", n, left)
	}
	return nil
}

// fill reads until the buffer has at least n unread bytes, n <= Bytes.
func (r *Reader) fill(n int) error {
	if err := r.require(uint64(n)); err != nil {
		return err
	}
	at := r.Offset()
	r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
	r.at, r.pos = at, 0
	want := int(min(Bytes, r.size-r.at))
	if cap(r.buf) < want {
		r.buf = append(make([]byte, 0, want), r.buf...)
	}
	had := len(r.buf)
	b := r.buf[had:want]
	m, err := ReadFull(r.src, b, r.at+int64(had))
	r.buf = r.buf[:had+m]
	r.read += int64(m)
	if len(r.buf) >= n {
		return nil
	}
	if err == io.EOF {
		return r.Fault(fault.Truncated, r.at+int64(len(r.buf)), "the file ends here, and its size is given as %d", r.base+r.size)
	}
	return r.Fault(fault.Unreadable, r.at+int64(len(r.buf)), "reading %d bytes", len(b)).WithCause(err)
}

// Bounded wraps src, of size bytes, so that it keeps the contract of io.ReaderAt: a
// read beyond the end is short with io.EOF, and a negative offset is an error. Some
// filesystems return no error for the first and panic for the second.
func Bounded(src io.ReaderAt, size int64) io.ReaderAt { return bounded{src, size} }

type bounded struct {
	src  io.ReaderAt
	size int64
}

func (b bounded) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= b.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), b.size-off))
	m, err := ReadFull(b.src, p[:n], off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return m, err
}

// ReadFull reads len(p) bytes at an offset of src. The error is io.EOF where src ends
// before, and else that of the read. It accepts sources that return short reads
// without an error: it continues after one, and takes a read of no bytes for the end,
// where io.ReadFull would loop for ever.
func ReadFull(src io.ReaderAt, p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := src.ReadAt(p[n:], off+int64(n))
		n += max(m, 0)
		if n < len(p) && err == nil && m <= 0 {
			err = io.EOF
		}
		if n < len(p) && err != nil {
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			return n, err
		}
	}
	return n, nil
}
