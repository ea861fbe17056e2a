package report

import (
	"fmt"
	"io"
	"sync"

	"github.com/schollz/progressbar/v3"

	"omniloader/internal/outcome"
)

// Live is the progress line of a run on a terminal. It draws only when an event
// arrives, so that nothing of it runs while a scenario is measured. The zero Live
// draws nothing.
type Live struct {
	mu      sync.Mutex
	w       io.Writer
	opts    Options
	bar     *progressbar.ProgressBar
	ended   int
	failed  int
	running string
}

// NewLive makes a progress line on a terminal; where w is no terminal, use the
// zero Live.
func NewLive(w io.Writer, opts Options) *Live { return &Live{w: w, opts: opts} }

// Listen takes an event of the run; it is an outcome.Listener.
func (l *Live) Listen(e outcome.Event) {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case e.Selected != nil:
		l.start(e.Selected.Scenarios)
	case l.bar == nil:
	case e.Started != nil:
		l.running = e.Started.Name
		l.describe()
	case e.Ended != nil:
		l.ended++
		if e.Ended.Status != outcome.Passed && e.Ended.Status != outcome.Skipped {
			l.failed++
		}
		l.describe()
		_ = l.bar.Add(1)
	}
}

// Stop takes the line away. It may be called more than once.
func (l *Live) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bar != nil {
		_ = l.bar.Clear()
		l.bar = nil
	}
}

func (l *Live) start(total int) {
	l.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(l.w),
		progressbar.OptionEnableColorCodes(false),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionClearOnFinish(),
	)
}

func (l *Live) describe() {
	text := fmt.Sprintf("%s", l.running)
	if l.failed > 0 {
		text = fmt.Sprintf("%d failed · %s", l.failed, l.running)
	}
	l.bar.Describe(text)
}
