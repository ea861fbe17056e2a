package finding

import (
	"strings"

	"omniloader/loader/fault"
)

// HintOf is the way out that an error names, "" where it names none.
func HintOf(err error) string { return fault.HintOf(err) }

// WithoutPath is an error's text without the file's name in front.
func MessageOf(err error) string {
	return strings.TrimPrefix(err.Error(), fault.PathOf(err)+": ")
}
