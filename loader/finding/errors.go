package finding

import (
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
)

func Add(info *answer.Info, code, file, message, hint string) {
	info.Findings = append(info.Findings, New(code, file, message, hint))
}

func HintOf(err error) string { return fault.HintOf(err) }

// WithoutPath is an error's text without the file's name in front.
func WithoutPath(err error) string {
	return strings.TrimPrefix(err.Error(), fault.PathOf(err)+": ")
}
