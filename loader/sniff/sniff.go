// Package sniff recognizes a file by its name, its size and a few of its bytes: the
// container format, and whether the file has its content at all or something else in
// place of it, such as a git-lfs pointer, a web page or only zeros.
//
// It is not a validator: it reads at most MaxRead bytes, and does not check the rest
// of the file.
package sniff

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

const (
	blockSize   = 4096
	zeroSamples = 16

	// MaxRead is the most bytes of a file that File reads. It reads only the first 4 kB
	// unless those are all zero.
	MaxRead = blockSize * zeroSamples
)

// Format is a container format, spelled as in findings and feature files. The empty
// Format is an unknown one.
type Format string

// The formats of the table in formats.go.
const (
	Safetensors   Format = "safetensors"
	GGUF          Format = "gguf"
	WhisperCPP    Format = "whisper.cpp"
	GGML          Format = "ggml"
	Zip           Format = "zip" // torch, npz, Keras: their entries distinguish them
	TorchLegacy   Format = "torch legacy pickle"
	Pickle        Format = "pickle"
	NPY           Format = "npy"
	HDF5          Format = "hdf5"
	SevenZip      Format = "7z"
	Gzip          Format = "gzip"
	Zstandard     Format = "zstd"
	XZ            Format = "xz"
	Bzip2         Format = "bzip2"
	Tar           Format = "tar"
	TFLite        Format = "tflite"
	CTranslate2   Format = "ctranslate2"
	SentencePiece Format = "sentencepiece"
	Tiktoken      Format = "tiktoken"
	SavedModel    Format = "saved model"
	ONNX          Format = "onnx"
	JSON          Format = "json"
	XML           Format = "xml"
	Text          Format = "text"
)

// Pointer is what a git-lfs pointer says of its content.
type Pointer struct {
	OID  string // the content's SHA-256 in hexadecimal, or ""
	Size int64  // the content's bytes, or -1
}

// Content is what a file was recognized as.
type Content struct {
	// Format is the container, and Detail what else its first bytes say:
	// "version 3, little endian", "TransformerSpec, binary version 6".
	Format Format
	Detail string
	// Problem is set where the file does not have its content: fault.LFSPointer,
	// fault.HTMLPage, ServerReply, fault.ZeroFilled, fault.Empty or fault.Incomplete.
	Problem *fault.Error
	// Pointer is set where Problem is a git-lfs pointer.
	Pointer *Pointer
	// BytesRead is how many bytes of the file were read.
	BytesRead int64
}

// Err returns Problem as an error, nil where there is none.
func (c *Content) Err() error {
	if c.Problem == nil {
		return nil
	}
	return c.Problem
}

// source is the file under examination.
type source struct {
	path  string
	size  int64
	r     io.ReaderAt // nil where there is no more than head
	head  []byte      // the first bytes, up to blockSize
	read  int64
	err   error // of the first read that failed
	block [blockSize]byte
}

// sources is the pool of sources, for the memory of their blocks.
var sources = sync.Pool{New: func() any { return new(source) }}

func open(path string, r io.ReaderAt, size int64) *source {
	s := sources.Get().(*source)
	s.path, s.size, s.r, s.head, s.read, s.err = path, max(size, 0), r, nil, 0, nil
	return s
}

func (s *source) close() {
	s.path, s.r, s.head, s.err = "", nil, nil, nil
	sources.Put(s)
}

// File recognizes a file of size bytes. path is its name: errors name it, and
// unfinished downloads are recognized by it. The error is fault.Unreadable, or
// fault.Truncated where r ends before size; problems of the content are in Content.
func File(path string, r io.ReaderAt, size int64) (Content, error) {
	s := open(path, r, size)
	defer s.close()
	s.head = s.block[:min(s.size, blockSize)]
	if !s.readAt(s.head, 0) {
		return Content{BytesRead: s.read}, s.err
	}
	c := s.content()
	return c, s.err
}

// Head recognizes a file of size bytes by its first bytes alone, which the caller has
// read: all of the file, or at least 4 kB. It does not detect that a longer file is
// zero-filled.
func Head(path string, size int64, head []byte) Content {
	s := open(path, nil, size)
	defer s.close()
	s.head = head[:min(int64(len(head)), s.size, blockSize)]
	return s.content()
}

// content tries the rows of both tables in their order.
func (s *source) content() Content {
	var c Content
	for i := range problems {
		if problems[i](s, &c) {
			break
		}
	}
	for i := range formats {
		f := &formats[i]
		if !hasMagic(s.head, f.offset, f.magic) {
			continue
		}
		if f.examine == nil {
			c.Format = f.format
			break
		}
		if detail, ok := f.examine(s); ok {
			c.Format, c.Detail = f.format, detail
			break
		}
	}
	c.BytesRead = s.read
	return c
}

// hasMagic reports whether b has magic at offset; ? matches any byte.
func hasMagic(b []byte, offset int, magic string) bool {
	if len(b) < offset+len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != b[offset+i] {
			return false
		}
	}
	return true
}

// readAt fills b from an offset of the file, and sets err where that fails.
func (s *source) readAt(b []byte, offset int64) bool {
	n, err := window.ReadFull(s.r, b, offset)
	s.read += int64(n)
	switch {
	case err == nil:
		return true
	case errors.Is(err, io.EOF):
		s.err = fault.At(fault.Truncated, s.path, offset+int64(n), fmt.Sprintf("the file ends here, though it should have %d bytes", s.size)).
			WithCause(io.ErrUnexpectedEOF).WithHint("the file changed while it was read: try again")
	default:
		s.err = fault.At(fault.Unreadable, s.path, offset+int64(n), "reading the file's first bytes").WithCause(err)
	}
	return false
}
