// Package sniff tells what a file is from its name, its size and a few of its
// bytes: the container format, and above all whether the file holds content at
// all or what was left in the content's place, such as a git-lfs pointer, a web
// page or nothing but zeros.
//
// It is not a validator: it reads at most MaxRead bytes and does not know
// whether the rest of the file is sound.
package sniff

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"omniloader/loader/fault"
)

const (
	blockSize   = 4096
	zeroSamples = 16

	// MaxRead is the most bytes of a file that File reads. It reads the first
	// 4 kB alone unless those are all zero.
	MaxRead = blockSize * zeroSamples
)

// Format is a container format, spelled as findings and features spell it. The
// empty Format stands for none that is known.
type Format string

// The formats told apart, those of the table in formats.go.
const (
	Safetensors   Format = "safetensors"
	GGUF          Format = "gguf"
	WhisperCPP    Format = "whisper.cpp"
	GGML          Format = "ggml"
	Zip           Format = "zip" // torch, npz, Keras: told apart by their entries
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

// Pointer is what a git-lfs pointer says of the content it stands for.
type Pointer struct {
	OID  string // the content's SHA-256 in hexadecimal, or ""
	Size int64  // the content's bytes, or -1
}

// Content is what a file looks like.
type Content struct {
	// Format is the container, and Detail what else its first bytes say:
	// "version 3, little endian", "TransformerSpec, binary version 6".
	Format Format
	Detail string
	// Problem says that this is no content, and why: fault.LFSPointer,
	// fault.HTMLPage, ServerReply, fault.ZeroFilled, fault.Empty or
	// fault.Incomplete. It is nil where nothing is wrong so far.
	Problem *fault.Error
	// Pointer is set where Problem is a git-lfs pointer.
	Pointer *Pointer
	// BytesRead is what it took.
	BytesRead int64
}

// Err is Problem as an error, nil where there is none.
func (c *Content) Err() error {
	if c.Problem == nil {
		return nil
	}
	return c.Problem
}

// source is a file in the hands of the rules.
type source struct {
	path  string
	size  int64
	r     io.ReaderAt // nil where there is no more than head
	head  []byte      // the first bytes, up to blockSize
	read  int64
	err   error // the first failure to read on
	block [blockSize]byte
}

// sources keeps the blocks for further files.
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

// File tells what the file of size bytes that r gives looks like. path is its
// name, for the errors and because an unfinished download is told by it. The
// error is fault.Unreadable, or fault.Truncated where r ends before size;
// everything else is an answer.
func File(path string, r io.ReaderAt, size int64) (Content, error) {
	s := open(path, r, size)
	defer s.close()
	s.head = s.block[:min(s.size, blockSize)]
	if !s.at(s.head, 0) {
		return Content{BytesRead: s.read}, s.err
	}
	c := s.content()
	return c, s.err
}

// Head tells what a file of size bytes looks like by its first bytes alone, for
// a caller who has read them: all of the file, or 4 kB and more. Whether a
// longer file is zero-filled, it cannot tell.
func Head(path string, size int64, head []byte) Content {
	s := open(path, nil, size)
	defer s.close()
	s.head = head[:min(int64(len(head)), s.size, blockSize)]
	return s.content()
}

// content asks the rules in their order.
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
		if f.look == nil {
			c.Format = f.format
			break
		}
		if detail, ok := f.look(s); ok {
			c.Format, c.Detail = f.format, detail
			break
		}
	}
	c.BytesRead = s.read
	return c
}

// hasMagic compares b from offset; ? stands for any byte.
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

// at fills b from offset, and notes the error where that fails. It goes by the
// count alone: some readers return a short one without an error.
func (s *source) at(b []byte, offset int64) bool {
	for done := 0; done < len(b); {
		n, err := s.r.ReadAt(b[done:], offset+int64(done))
		done += n
		s.read += int64(n)
		if done == len(b) {
			break
		}
		if err == nil && n > 0 {
			continue
		}
		if err == nil || errors.Is(err, io.EOF) {
			s.err = fault.At(fault.Truncated, s.path, offset+int64(done), fmt.Sprintf("the file ends here, though it should have %d bytes", s.size)).
				WithCause(io.ErrUnexpectedEOF).WithHint("the file changed while it was read: try again")
		} else {
			s.err = fault.At(fault.Unreadable, s.path, offset+int64(done), "reading the file's first bytes").WithCause(err)
		}
		return false
	}
	return true
}
