package safetensors

import (
	"io"

	"omniloader/loader/fault"
	"omniloader/loader/sniff"
)

// explain adds to the error of a header what the file looks like instead. The first
// bytes of a git-lfs pointer, a web page or another format, read as a length, are some
// billions, and "header too large" alone does not tell users the cause.
func explain(e *fault.Error, path string, r io.ReaderAt, size int64) error {
	if e.Kind == fault.Unreadable || e.Kind == fault.Truncated {
		return e
	}
	content, err := sniff.File(path, r, size)
	switch {
	case err != nil || content.Format == sniff.Safetensors:
	case content.Problem != nil:
		e.Detail += "; found: " + string(content.Problem.Kind) + ", " + content.Problem.Detail
		_ = e.WithCause(content.Problem).WithHint(content.Problem.Advice)
	case content.Format != "":
		e.Detail += "; the file looks like " + string(content.Format)
		_ = e.WithHint("open the file as " + string(content.Format))
	}
	return e
}
