package suite

import (
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"

	"omniloader/internal/suggest"
	"omniloader/steps"
)

func TestVariantsOfAStep(t *testing.T) {
	for _, c := range []struct {
		pattern, example string
		want             []string
	}{
		{`^the model is (not )?supported$`, "the model is supported", []string{"the model is supported", "the model is not supported"}},
		{`^the weights are (in)?complete$`, "the weights are incomplete", []string{"the weights are incomplete", "the weights are complete"}},
		{`^the ([a-z ]+) is at (least|most) ([0-9.]+)$`, "the size is at least 5", []string{"the size is at least 5", "the size is at most 5"}},
		{`^the file "([^"]*)" holds:$`, `the file "a" holds:`, []string{`the file "a" holds:`}},
		{`^an? (x|y) "([^"]*)"$`, `a x "1"`, []string{`a x "1"`, `an x "1"`, `an y "1"`, `a y "1"`}},
		{`^a*$`, "aa", []string{"aa"}},
	} {
		assert.ElementsMatch(t, c.want, variants(steps.Definition{Pattern: c.pattern, Example: c.example}), c.pattern)
	}
}

// negated gives texts that say the opposite of a step's text.
func negated(text string) []string {
	var all []string
	for _, r := range [][2]string{
		{"is ", "is not "}, {"are ", "are not "}, {"is not ", "is "}, {"are not ", "are "}, {"has a ", "has no "}, {"has no ", "has a "},
		{"has ", "has no "}, {"needs ", "needs no "}, {"needs no ", "needs "}, {" complete", " incomplete"}, {" incomplete", " complete"},
		{" supported", " unsupported"}, {"at least", "at most"}, {"at most", "at least"}, {"below", "above"}, {"no ", "a "},
		{"no more than", "more than"}, {"an error", "no error"}, {"a warning", "no warning"}, {"without ", "with "},
		{"encoded", "decoded"}, {"decoded", "encoded"}, {"contains ", "does not contain "}, {"contain ", "do not contain "},
		{"does not contain", "contains"}, {"do not contain", "contain"}, {"before", "after"}, {"loads as", "does not load as"},
	} {
		if strings.Contains(text, r[0]) {
			all = append(all, strings.Replace(text, r[0], r[1], 1))
		}
	}
	return all
}

// slips gives a text with typing errors, one in each.
func slips(text string) []string {
	var all []string
	words := strings.Fields(text)
	for i, word := range words {
		if len(word) < 3 || strings.ContainsAny(word, `"0123456789`) {
			continue
		}
		for _, slip := range []string{word[:1] + word[2:], word[:len(word)-1], word + word[len(word)-1:], word[:1] + word[2:3] + word[1:2] + word[3:]} {
			changed := append(append(append([]string{}, words[:i]...), slip), words[i+1:]...)
			all = append(all, strings.Join(changed, " "))
		}
	}
	return all
}

// Whatever is said, and with whatever typing error, the step that says the opposite is not
// suggested: of every text of every step, of its opposites, and of both with errors in them.
func TestTheOppositeIsNeverSuggested(t *testing.T) {
	p := &Plan{steps: builtinSteps}
	checked := 0
	for _, d := range steps.Catalogue() {
		for _, text := range variants(d) {
			for _, opposite := range negated(text) {
				for _, typed := range append(slips(opposite), opposite) {
					advice := p.nearestStep(messages.PickleStepType_UNKNOWN, typed)
					checked++
					assert.NotEqual(t, suggest.Question(d.Keyword+" "+text), advice, "for %q", typed)
				}
			}
		}
	}
	assert.Greater(t, checked, 1000)
}

// A typing error in a text that is defined finds that text.
func TestASlipFindsItsStep(t *testing.T) {
	p := &Plan{steps: builtinSteps}
	for typed, want := range map[string]string{
		"the model is not suported":       "Then the model is not supported",
		"the weights are incomplte":       "Then the weights are incomplete",
		"the weights are complte":         "Then the weights are complete",
		"loading needs no remot code":     "Then loading needs no remote code",
		"the model has no talkr":          "Then the model has no talker",
		"the median latncy is below 1 ms": `Then the median latency is below 2 ms`,
	} {
		assert.Equal(t, suggest.Question(want), p.nearestStep(messages.PickleStepType_OUTCOME, typed), typed)
	}
}
