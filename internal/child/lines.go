package child

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The errors of [Lines], besides io.EOF and those of reading.
var (
	ErrLineTooLong = errors.New("line too long")
	ErrPartialLine = errors.New("ended in the middle of a line")
)

// Lines reads a stream of lines, each at most so many bytes long, as a protocol needs that
// sends one message a line. It never holds more than one line in memory.
type Lines struct {
	scanner *bufio.Scanner
	limit   int
	err     error // the one that Next gave last
}

// NewLines reads lines of at most limit bytes from r.
func NewLines(r io.Reader, limit int) *Lines {
	l := &Lines{scanner: bufio.NewScanner(r), limit: limit}
	const lineEnd = len("\r\n")
	l.scanner.Buffer(nil, limit+lineEnd)
	l.scanner.Split(l.split)
	return l
}

// Next gives the next line without its end, \n or \r\n. It is valid until Next is called
// again. The error is io.EOF after the last line, ErrPartialLine where the stream ends in
// a line, ErrLineTooLong where a line exceeds the limit, or that of reading. After an
// error, Next only gives that error.
func (l *Lines) Next() ([]byte, error) {
	if l.err != nil {
		return nil, l.err
	}
	if l.scanner.Scan() {
		return l.scanner.Bytes(), nil
	}
	switch l.err = l.scanner.Err(); {
	case l.err == nil:
		l.err = io.EOF
	case errors.Is(l.err, bufio.ErrTooLong):
		l.err = l.tooLong()
	}
	return nil, l.err
}

func (l *Lines) tooLong() error {
	return fmt.Errorf("%w: more than %d bytes", ErrLineTooLong, l.limit)
}

func (l *Lines) split(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		line = bytes.TrimSuffix(data[:i], []byte("\r"))
		if len(line) > l.limit {
			return 0, nil, l.tooLong()
		}
		return i + 1, line, nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, fmt.Errorf("%w: %q", ErrPartialLine, data[:min(len(data), 80)])
	}
	return 0, nil, nil
}
