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
	const bytesColumns = 36 // of the sizes, the speed and the time left
	showsBytes := b.width >= 2*bytesColumns
	rest := b.width - barWidth(b.width) - otherColumns
	if showsBytes {
		rest -= bytesColumns
	}
	if b.bar == nil {
		const interval = 100 * time.Millisecond
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetWidth(barWidth(b.width)),
			progressbar.OptionShowBytes(showsBytes),
			progressbar.OptionSetPredictTime(showsBytes),
			progressbar.OptionThrottle(interval),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionClearOnFinish(),
		)
	}
	b.bar.Describe(text.Snip(oneLine(path.Base(file)), max(0, rest), "…"))
	_ = b.bar.Set64(min(done, total)) // draws; an error of the terminal does not end the reading
}

// Stop removes the bar.
func (b *BytesBar) Stop() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
