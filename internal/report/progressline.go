package report

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"

	"omniloader/internal/outcome"
)

// ProgressLine is the progress line of a run on a terminal: how many scenarios have ended,
// how many failed, which one is running. It draws only when it gets an event, in
// the caller's goroutine, so that it does not run while a scenario is measured.
// The zero ProgressLine draws nothing.
type ProgressLine struct {
	mu       sync.Mutex
	w        io.Writer
	width    int
	bar      *progressbar.ProgressBar
	total    int
	ended    int
	failed   int
	unjudged int
	running  string
}

// NewProgressLine makes a progress line on a terminal; where w is no terminal, use the
// zero ProgressLine.
func NewProgressLine(w io.Writer, opts Options) *ProgressLine {
	if opts.Width <= 0 {
		opts.Width = defaultWidth
	}
	return &ProgressLine{w: w, width: opts.Width}
}

// Listen takes an event of the run; it is an outcome.Listener.
func (l *ProgressLine) Listen(e outcome.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.w == nil:
	case e.Selected != nil:
		l.total = e.Selected.Scenarios
		l.bar = l.newBar()
	case l.bar == nil:
	case e.Started != nil:
		l.running = oneLine(e.Started.Name)
		l.bar.Describe(l.describe()) // draws
	case e.Ended != nil:
		l.ended++
		switch e.Ended.Status.Group() {
		case outcome.Failed:
			l.failed++
		case outcome.CouldNotJudge:
			l.unjudged++
		}
		l.bar.Describe(l.describe())
		_ = l.bar.Set(min(l.ended, l.total)) // draws; an error of the terminal does not end the run
	}
}

// Stop removes the line. It may be called more than once; later events draw nothing.
func (l *ProgressLine) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bar == nil {
		return
	}
	_ = l.bar.Clear()
	l.bar = nil
}

const (
	maxBarWidth  = 20 // columns of the bar itself
	otherColumns = 12 // of the bar's edges, the percentage and the blanks
	defaultWidth = 80 // columns of a terminal whose width is not known
)

// barWidth is at most a quarter of a line of this width, so that there is room for the text
// beside the bar: a line that is too long for the terminal is not removed.
func barWidth(width int) int { return min(maxBarWidth, width/4) }

func (l *ProgressLine) newBar() *progressbar.ProgressBar {
	return progressbar.NewOptions(max(l.total, 1),
		progressbar.OptionSetWriter(l.w),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetWidth(barWidth(l.width)),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionClearOnFinish(),
	)
}

// describe gives the text beside the bar, cut to the rest of the line.
func (l *ProgressLine) describe() string {
	parts := []string{fmt.Sprintf("%d/%d", l.ended, l.total)}
	if l.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", l.failed))
	}
	if l.unjudged > 0 {
		parts = append(parts, fmt.Sprintf("%d could not be judged", l.unjudged))
	}
	if l.running != "" {
		parts = append(parts, l.running)
	}
	return text.Snip(strings.Join(parts, " · "), max(0, l.width-barWidth(l.width)-otherColumns), "…")
}
