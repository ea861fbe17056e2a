package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// ErrPipeHeld is what reading Stdout gives where the program has ended, but a process that
// has left its group holds the pipe open and writes nothing.
var ErrPipeHeld = errors.New("standard output is held open by a process that has left the program's group")

// output reads the standard output of a program. exec.Cmd cannot be left to do it: it
// closes the pipe some time after the end of the program, read or not.
type output struct {
	file  *os.File
	grace time.Duration // how long a Read may wait after the end of the program

	mu      sync.Mutex
	ended   bool        // the program has
	reading bool        // a Read waits
	timer   *time.Timer // closes file under that Read
	gaveUp  bool        // it did
}

func (o *output) Read(b []byte) (int, error) {
	o.mu.Lock()
	o.reading = true
	o.limitRead()
	o.mu.Unlock()

	n, err := o.file.Read(b)

	o.mu.Lock()
	defer o.mu.Unlock()
	o.reading = false
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if o.gaveUp && errors.Is(err, os.ErrClosed) {
		err = ErrPipeHeld
	}
	return n, err
}

// end notes that the program has ended, and with it all that should write.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.limitRead()
}

// limitRead starts the timer where it is needed. o.mu is held.
func (o *output) limitRead() {
	if !o.ended || !o.reading || o.timer != nil {
		return
	}
	o.timer = time.AfterFunc(o.grace, func() {
		o.mu.Lock()
		o.gaveUp = true
		o.mu.Unlock()
		_ = o.file.Close()
	})
}

// limitedBuffer keeps what is written to it up to a limit, and calls exceeded once when it
// is more. What is beyond is dropped.
type limitedBuffer struct {
	content  bytes.Buffer
	limit    int
	exceeded func()
	full     bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := len(p)
	if remaining := b.limit - b.content.Len(); n > remaining {
		p = p[:max(remaining, 0)]
		if !b.full {
			b.full = true
			b.exceeded()
		}
	}
	b.content.Write(p)
	return n, nil
}

// tail keeps the last bytes that are written to it, and passes all on to copyTo.
type tail struct {
	limit  int
	copyTo io.Writer // or nil

	mu    sync.Mutex
	kept  []byte // at most 2*limit
	total int64
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.total += int64(len(p))
	last := p[max(len(p)-t.limit, 0):]
	if len(t.kept)+len(last) > 2*t.limit {
		t.kept = append(t.kept[:0], t.kept[max(len(t.kept)-t.limit, 0):]...)
	}
	t.kept = append(t.kept, last...)
	t.mu.Unlock()
	if t.copyTo != nil {
		_, _ = t.copyTo.Write(p)
	}
	return len(p), nil
}

// text gives the last lines that fit into the limit, and how many bytes were dropped
// before them. Where a single line is longer than the limit, it is its end.
func (t *tail) text() (text string, dropped int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.kept[max(len(t.kept)-t.limit, 0):]
	if int64(len(last)) < t.total {
		if i := bytes.IndexByte(last, '\n'); i >= 0 && i+1 < len(last) {
			last = last[i+1:]
		}
	}
	return string(last), t.total - int64(len(last))
}
