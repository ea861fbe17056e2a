package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/term"

	"omniloader/internal/report"
)

// output is standard output or standard error. Once the reading end of a pipe is
// closed it discards what is written; any other failure to write is kept in err.
type output struct {
	w        io.Writer
	terminal bool
	width    int // columns, 0 where it is no terminal
	closed   bool
	err      error
}

func newOutput(w io.Writer) *output {
	o := &output{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.width = width
		}
	}
	return o
}

func (o *output) Write(b []byte) (int, error) {
	if o.closed {
		return len(b), nil
	}
	n, err := o.w.Write(b)
	switch {
	case err == nil:
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe):
		o.closed = true
		return len(b), nil
	case o.err == nil:
		o.err = err
	}
	return n, err
}

// sharesPlaceWith tells whether what is written to both outputs goes to one place: a terminal, a
// pipe or a file.
func (o *output) sharesPlaceWith(other *output) bool {
	a, aIsFile := o.w.(*os.File)
	b, bIsFile := other.w.(*os.File)
	if !aIsFile || !bIsFile {
		return false
	}
	infoA, errA := a.Stat()
	infoB, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// options says what the output can show. NO_COLOR and TERM=dumb ask for no
// colours; see https://no-color.org.
func (o *output) options() report.Options {
	return report.Options{
		Width: o.width,
		Color: o.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// standardOutput says of an error that it is one of writing to standard output.
func standardOutput(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("standard output: %w", err)
}

// printJSON writes values to standard output as JSON, one line each.
func printJSON[T any](p *program, values ...T) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	for _, v := range values {
		if err := encoder.Encode(v); err != nil {
			return standardOutput(err)
		}
	}
	return nil
}
