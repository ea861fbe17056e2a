package report

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

func TestMessages(t *testing.T) {
	golden(t, "messages.golden.ndjson", []byte(render(t, Messages, everyStatus(t), Options{})))
}

func envelopes(t *testing.T, text string) (all []messages.Envelope) {
	t.Helper()
	for line := range strings.Lines(text) {
		var e messages.Envelope
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&e), line)
		all = append(all, e)
	}
	return all
}

// references walks a message and calls back for every id that it defines or refers to.
func references(value any, key string, gives, names func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for k, child := range v {
			references(child, k, gives, names)
		}
	case []any:
		for _, child := range v {
			references(child, key, gives, names)
		}
	case string:
		switch {
		case key == "id":
			gives(v)
		case strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "Ids"):
			names(v)
		}
	}
}

func TestEveryIDInTheMessagesIsDefinedOnceBeforeItsUse(t *testing.T) {
	given := map[string]bool{}
	named := 0
	for line := range strings.Lines(render(t, Messages, sample(t), Options{})) {
		var message any
		require.NoError(t, json.Unmarshal([]byte(line), &message))
		references(message, "", func(id string) {
			assert.False(t, given[id], "%s is given twice", id)
			given[id] = true
		}, func(string) {})
		references(message, "", func(string) {}, func(id string) {
			assert.True(t, given[id], "%s in %s", id, line)
			named++
		})
		assert.NotContains(t, line, ":null", "what there is must be there")
	}
	assert.Greater(t, named, 50)
}

func TestMessagesAreInOrder(t *testing.T) {
	var kinds []string
	all := envelopes(t, render(t, Messages, sample(t), Options{}))
	for _, e := range all {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var one map[string]any
		require.NoError(t, json.Unmarshal(text, &one))
		require.Len(t, one, 1, "one message a line")
		for kind := range one {
			if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
				kinds = append(kinds, kind)
			}
		}
	}
	assert.Equal(t, []string{"meta", "source", "gherkinDocument", "pickle", "source", "gherkinDocument", "pickle", "stepDefinition", "testRunStarted", "testCase"}, kinds[:10])
	assert.Equal(t, "testRunFinished", kinds[len(kinds)-1])
	last := all[len(all)-1].TestRunFinished
	assert.False(t, last.Success)
	assert.Equal(t, began.Add(3123*time.Millisecond), messages.TimestampToGoTime(*last.Timestamp).UTC())
}

// results gives the statuses of the steps by the name of their pickle.
func results(t *testing.T, all []messages.Envelope) map[string][]messages.TestStepResult {
	t.Helper()
	pickles, cases, found := map[string]string{}, map[string]string{}, map[string][]messages.TestStepResult{}
	for _, e := range all {
		switch {
		case e.Pickle != nil:
			pickles[e.Pickle.Id] = e.Pickle.Name
		case e.TestCase != nil:
			cases[e.TestCase.Id] = pickles[e.TestCase.PickleId]
		case e.TestCaseStarted != nil:
			cases[e.TestCaseStarted.Id] = cases[e.TestCaseStarted.TestCaseId]
		case e.TestStepFinished != nil:
			name := cases[e.TestStepFinished.TestCaseStartedId]
			found[name] = append(found[name], *e.TestStepFinished.TestStepResult)
		}
	}
	return found
}

func TestMessagesHaveTheResultOfEveryStep(t *testing.T) {
	found := results(t, envelopes(t, render(t, Messages, sample(t), Options{})))
	wrong := found[`names with <angle> & "quotes"`]
	require.Len(t, wrong, 2)
	assert.Equal(t, messages.TestStepResultStatus_PASSED, wrong[0].Status)
	assert.Equal(t, int64(1_500_000), wrong[0].Duration.Nanos)
	assert.Equal(t, messages.TestStepResultStatus_FAILED, wrong[1].Status)
	assert.Contains(t, wrong[1].Message, `architecture is "Lama\x1b[31m"`)
	assert.Contains(t, wrong[1].Message, "\nhint: look at config.json")
	assert.Equal(t, messages.TestStepResultStatus_UNDEFINED, found["a mistyped line"][1].Status)
	assert.Equal(t, messages.TestStepResult{Duration: &messages.Duration{Nanos: 1_500_000}, Status: messages.TestStepResultStatus_SKIPPED, Message: "@real: no --model given"}, found["a real one"][0])
	assert.Len(t, found["a family is recognised"], 4, "two rows of two steps")
}

func TestMessagesAttachBenchmarkResults(t *testing.T) {
	var names []string
	for _, e := range envelopes(t, render(t, Messages, sample(t), Options{})) {
		if e.Attachment != nil {
			names = append(names, e.Attachment.FileName)
			if e.Attachment.MediaType == "application/json" {
				assert.True(t, json.Valid([]byte(e.Attachment.Body)))
			}
		}
	}
	assert.Equal(t, []string{"benchmark architecture_detection_llama", "benchmark architecture_detection_qwen", "warnings", "benchmark category_detection_diffusers", "benchmark sae_detection_sae_resid_post", "warnings", "skipped", "skipped", "headline"}, names)
}

func TestMessagesHaveEachStepDefinitionOnce(t *testing.T) {
	run := sample(t)
	for _, s := range scenarios(run) {
		for i := range s.Steps {
			if s.Steps[i].Text == "the model info is read" {
				s.Steps[i].Pattern, s.Steps[i].Definition = `^the model (\w+) is read$`, "steps/when.go:31"
			}
		}
	}
	var definitions []*messages.StepDefinition
	var arguments []*messages.StepMatchArgument
	for _, e := range envelopes(t, render(t, Messages, run, Options{})) {
		if e.StepDefinition != nil && e.StepDefinition.SourceReference.Uri == "steps/when.go" {
			definitions = append(definitions, e.StepDefinition)
		}
		if e.TestCase != nil {
			for _, step := range e.TestCase.TestSteps {
				for _, list := range step.StepMatchArgumentsLists {
					arguments = append(arguments, list.StepMatchArguments...)
				}
			}
		}
	}
	require.Len(t, definitions, 1)
	assert.Equal(t, int64(31), definitions[0].SourceReference.Location.Line)
	require.Len(t, arguments, 2)
	assert.Equal(t, "info", arguments[0].Group.Value)
	assert.Equal(t, int64(10), arguments[0].Group.Start)
	astral := matchArguments(`^(🚀)?.* (\d+)(x)?$`, "🚀 in 12")
	assert.Equal(t, int64(6), astral[1].Group.Start, "in UTF-16 code units")
	assert.Empty(t, astral[2].Group.Value, "a group that matched nothing")
}

func TestAFeatureInMarkdownHasMessages(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{
		URI: "a.feature.md", Name: "f", Line: 1, Source: []byte("# Feature: f\n\n## Scenario: s\n\n* Given a\n"),
		Scenarios: []outcome.Scenario{{Name: "s", Line: 3, Status: outcome.Passed, Steps: []outcome.Step{{Keyword: "Given ", Text: "a", Line: 5, Status: outcome.Passed}}}},
	}}}
	all := envelopes(t, render(t, Messages, run, Options{}))
	assert.Equal(t, messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_MARKDOWN, all[1].Source.MediaType)
	assert.Equal(t, messages.TestStepResultStatus_PASSED, results(t, all)["s"][0].Status)
}

func TestMessagesFailIfTheSourceCannotBeParsedAgain(t *testing.T) {
	for want, change := range map[string]func(*outcome.Feature){
		"there is no feature in it":                func(f *outcome.Feature) { f.Source = nil },
		"there is no scenario at line 4000":        func(f *outcome.Feature) { f.Scenarios[0].Line = 4000 },
		"the source of features/sae.feature again": func(f *outcome.Feature) { f.Source = []byte("nonsense") },
	} {
		run := sample(t)
		change(&run.Features[1])
		assert.ErrorContains(t, Messages(&strings.Builder{}, run, Options{}), want)
	}
}

func TestSpecialCharactersKeepMessagesValid(t *testing.T) {
	for _, s := range specialTexts {
		run := sample(t)
		for _, f := range run.Features {
			for i := range f.Scenarios {
				f.Scenarios[i].Warnings, f.Scenarios[i].SkipReason = []string{s}, s
				for j := range f.Scenarios[i].Steps {
					f.Scenarios[i].Steps[j].Status, f.Scenarios[i].Steps[j].Err = outcome.Failed, hinted{errors.New(s), s}
				}
			}
		}
		all := envelopes(t, render(t, Messages, run, Options{}))
		assert.True(t, slices.ContainsFunc(all, func(e messages.Envelope) bool { return e.TestRunFinished != nil }), "%q", s)
	}
}
