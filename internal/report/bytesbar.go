package report

import (
	"io"
	"path"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
)

// BytesBar shows the progress of reading files on a terminal: the share of all bytes, the
// speed, and the file. The zero BytesBar draws nothing.
type BytesBar struct {
	w     io.Writer
	width int
	bar   *progressbar.ProgressBar
}

// NewBytesBar makes a bar on a terminal; where w is no terminal, use the zero
// BytesBar.
func NewBytesBar(w io.Writer, opts Options) *BytesBar {
	if opts.Width <= 0 {
		opts.Width = defaultWidth
	}
	return &BytesBar{w: w, width: opts.Width}
}

// Progress draws how many of all bytes were read, and which file is being read.
func (b *BytesBar) Progress(file string, done, total int64) {
	if b.w == nil || total <= 0 {
		return
	}
	if b.bar == nil {
		const interval = 100 * time.Millisecond
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetWidth(barWidth),
			progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(interval),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionClearOnFinish(),
		)
	}
	const otherColumns = barWidth + 48 // the bar's edges, percentage, sizes, speed and time left
	b.bar.Describe(text.Snip(oneLine(path.Base(file)), max(10, b.width-otherColumns), "…"))
	_ = b.bar.Set64(min(done, total)) // draws; an error of the terminal does not end the reading
}

// Stop removes the bar.
func (b *BytesBar) Stop() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
