package steps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/suggest"
)

// reservedTags have another meaning and are never a category.
var reservedTags = []string{"@real", "@slow", "@wip"}

var categories = []string{"architecture", "comparison", "detection", "memory", "regression", "sae", "support", "tokenizer"}

// Categories returns the built-in categories of scenarios, sorted. With an @ before it,
// each is a tag.
func Categories() []string { return slices.Clone(categories) }

// Category returns the category of a scenario with these tags: the last tag that is a
// built-in category, else the last that is not reserved and has no colon, else "". The
// tags have their @, and inherited ones come first.
func Category(tags []string) string {
	for _, tag := range slices.Backward(tags) {
		if name := strings.TrimPrefix(tag, "@"); slices.Contains(categories, name) {
			return name
		}
	}
	for _, tag := range slices.Backward(tags) {
		if !slices.Contains(reservedTags, tag) && tag != benchmarkTag && !strings.Contains(tag, ":") {
			return strings.TrimPrefix(tag, "@")
		}
	}
	return ""
}

const benchmarkTag = "@benchmark"

// BenchmarkName returns the name of a measured scenario in the results file: what
// follows "@benchmark:" in its tags, else the scenario's name in snake case. The tags
// are those of ExpandTags.
func BenchmarkName(tags []string, scenario string) string {
	for _, tag := range slices.Backward(tags) {
		if name, ok := strings.CutPrefix(tag, benchmarkTag+":"); ok && name != "" {
			return name
		}
	}
	return snakeCase(scenario)
}

// snakeCase keeps letters and digits of any script, in lower case, and replaces each
// sequence of other characters by one underscore.
func snakeCase(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "_")
}

// Measured says whether the operation of a scenario with these tags and step texts is
// measured: because a step bounds its cost, several callers call it at once, or it has
// the tag @benchmark.
func Measured(tags []string, steps []string) bool {
	for _, tag := range tags {
		if tag == benchmarkTag || strings.HasPrefix(tag, benchmarkTag+":") {
			return true
		}
	}
	return slices.ContainsFunc(steps, func(text string) bool {
		return slices.ContainsFunc(matching(messages.PickleStepType_UNKNOWN, text), func(e *entry) bool { return e.doc.bounds != noBound })
	})
}

const thresholdTag = "@threshold:"

// Threshold returns the share in a tag such as @threshold:10% (0.1), by which a
// benchmark may get slower before it is a regression; nil if there is no such tag. Of
// several, the last one counts, which is the scenario's own.
func Threshold(tags []string) (*float64, error) {
	var threshold *float64
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, thresholdTag)
		if !ok {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || !strings.HasSuffix(text, "%") || !(percent >= 0 && percent < 100) {
			return nil, fmt.Errorf("tag %s: write it as %s10%%, a share from 0 to below 100", tag, thresholdTag)
		}
		share := percent / 100
		threshold = &share
	}
	return threshold, nil
}

const iterationsTag = "@iterations:"

// valueTags are the tags with a value that this package reads.
var valueTags = []string{benchmarkTag + ":", iterationsTag, thresholdTag, retryTag, timeoutTag, failsTag}

// CheckTags returns an error for a tag with an invalid value, and for one with a value
// that would have no effect, since it looks like a mistyped tag.
func CheckTags(tags []string) error {
	for _, tag := range tags {
		key, _, valued := strings.Cut(tag, ":")
		if key += ":"; !valued || slices.Contains(valueTags, key) {
			continue
		}
		if near, ok := suggest.Nearest(key, valueTags); ok {
			return fmt.Errorf("unknown tag %s; %s", tag, suggest.Question(near))
		}
	}
	if err := checkControlTags(tags); err != nil {
		return err
	}
	if _, err := Threshold(tags); err != nil {
		return err
	}
	_, err := Iterations(tags)
	return err
}

// Iterations returns the number in a tag such as @iterations:10, which limits the timed
// calls of a slow operation; 0 if there is no such tag. Of several, the last one counts.
func Iterations(tags []string) (int, error) {
	iterations := 0
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, iterationsTag)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("tag %s: write it as %s10, a whole number above 0", tag, iterationsTag)
		}
		iterations = n
	}
	return iterations, nil
}
