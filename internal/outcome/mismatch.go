package outcome

import (
	"errors"
	"fmt"
	"strings"
)

// Mismatch is the error of a Then step that compares: what was expected, what was found
// instead, and where that comes from. Its texts are for people, not JSON.
type Mismatch struct {
	// Subject is what was compared, such as "the architecture".
	Subject string
	// Message is the whole sentence; "" makes one of Subject, Got and Expected.
	Message string
	// Expected and Got may have several lines; "" where there is nothing to show.
	Expected, Got string
	// DecidedBy is the rule, the file or the key that Got comes from, "" where the answer
	// does not say it: "class name in architectures of config.json".
	DecidedBy string
	// Cause is the failure that was compared, or nil.
	Cause error
}

// Error returns one sentence: "the architecture is \"GPT2LMHeadModel\", expected
// \"LlamaForCausalLM\"", or the message, with Comparison behind it where it does not say both.
func (m *Mismatch) Error() string {
	switch {
	case m.Message == "":
		return fmt.Sprintf("%s is %s, expected %s", m.Subject, m.Got, m.Expected)
	case strings.Contains(m.Message, m.Expected) && strings.Contains(m.Message, m.Got):
		return m.Message
	}
	return m.Message + m.Comparison()
}

// Comparison returns "\nexpected: …\ngot: …".
func (m *Mismatch) Comparison() string { return "\nexpected: " + m.Expected + "\ngot: " + m.Got }

// Unwrap returns the cause.
func (m *Mismatch) Unwrap() error { return m.Cause }

// MismatchOf returns the mismatch in an error's chain, or nil.
func MismatchOf(err error) *Mismatch {
	var m *Mismatch
	errors.As(err, &m)
	return m
}
