package steps_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// throughJSON is a loader whose answers and errors are written as JSON and read again.
type throughJSON struct{ undertest.Loader }

func (l throughJSON) Prepare(operation string, in undertest.Input) (undertest.Call, error) {
	call, err := l.Loader.Prepare(operation, in)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		answer, failure := call(ctx)
		if failure == nil {
			text, err := json.Marshal(answer)
			return json.RawMessage(text), err
		}
		text, err := json.Marshal(undertest.NewError(failure))
		if err != nil {
			return nil, err
		}
		read := new(undertest.Error)
		if err := json.Unmarshal(text, read); err != nil {
			return nil, err
		}
		return nil, read
	}, nil
}

// scenario is one scenario of the built-in features, or one row of an outline.
type scenario struct {
	file  string
	tags  []string
	name  string
	steps []*messages.PickleStep
}

func (s scenario) texts() []string {
	texts := make([]string, len(s.steps))
	for i, step := range s.steps {
		texts[i] = step.Text
	}
	return texts
}

func scenarios(t *testing.T) []scenario {
	t.Helper()
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all []scenario
	for _, file := range files {
		text, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		newID := (&messages.Incrementing{}).NewId
		doc, err := gherkin.ParseGherkinDocument(bytes.NewReader(text), newID)
		require.NoError(t, err, file)
		for _, p := range gherkin.Pickles(*doc, file, newID) {
			all = append(all, scenario{file, steps.ExpandTags(doc, p), p.Name, p.Steps})
		}
	}
	return all
}

func TestNoBuiltInScenarioIsLost(t *testing.T) {
	assert.GreaterOrEqual(t, len(scenarios(t)), 170)
}

func TestEveryLineOfTheFeaturesMatchesExactlyOneStep(t *testing.T) {
	for _, s := range scenarios(t) {
		for _, step := range s.steps {
			assert.Len(t, steps.Match(step.Type, step.Text), 1, "%s: %s: %s", s.file, s.name, step.Text)
		}
	}
}

func TestEveryStepIsUsedByAScenario(t *testing.T) {
	used := make(map[string]bool)
	for _, s := range scenarios(t) {
		for _, step := range s.steps {
			for _, d := range steps.Match(step.Type, step.Text) {
				used[d.Pattern] = true
			}
		}
	}
	for _, d := range steps.Catalogue() {
		assert.True(t, used[d.Pattern], "no scenario uses %s (%s)", d.Pattern, d.Location)
	}
}

func TestEveryScenarioHasACategory(t *testing.T) {
	known := append(steps.Categories(), "inspection")
	for _, s := range scenarios(t) {
		assert.Contains(t, known, steps.Category(s.tags), "%s: %s", s.file, s.name)
	}
}

//go:embed testdata/benchmarks.tsv
var benchmarksTSV string

// benchmark is one line of testdata/benchmarks.tsv, the benchmarks of this program's
// predecessor.
type benchmark struct{ name, category, operation, bound string }

func benchmarks(t *testing.T) []benchmark {
	t.Helper()
	var list []benchmark
	for line := range strings.Lines(strings.TrimSpace(benchmarksTSV)) {
		columns := strings.Split(strings.TrimRight(line, "\n"), "\t")
		require.Len(t, columns, 7)
		if columns[0] != "name" {
			list = append(list, benchmark{columns[0], columns[1], columns[2], columns[6]})
		}
	}
	require.Len(t, list, 62)
	return list
}

// whenSteps are the When steps for the operations in the list.
var whenSteps = map[string]string{
	"model info":     "the model info is read",
	"category":       "the category is detected",
	"support":        "support is checked",
	"omni":           "the omni check is made",
	"is SAE":         "the SAE check is made",
	"SAE base model": "the SAE base model is looked up",
	"tokenizer":      "the tokenizer is loaded",
}

// The list has a bound and a wider gate. Scenarios keep the bound with the mean, as the
// list does, and the gate with the 95th percentile, which a single slow call of a busy
// machine does not change.
var (
	latencyBound = regexp.MustCompile(`^mean < (\S+ ms) \(gate (\S+ ms)\)$`)
	memoryBound  = regexp.MustCompile(`^memory < (\S+ MB) \(gate \S+ MB\)$`)
)

func TestEveryBenchmarkOfThePredecessorHasAScenario(t *testing.T) {
	measured := make(map[string]scenario)
	for _, s := range scenarios(t) {
		if slices.Contains(s.tags, "@real") || !steps.Measured(s.tags, s.texts()) {
			continue
		}
		name := steps.BenchmarkName(s.tags, s.name)
		assert.NotContains(t, measured, name, "two benchmarks of one name")
		measured[name] = s
	}
	for _, b := range benchmarks(t) {
		s, ok := measured[b.name]
		if !assert.True(t, ok, "no scenario measures %s", b.name) {
			continue
		}
		delete(measured, b.name)
		assert.Equal(t, b.category, steps.Category(s.tags), b.name)
		assert.Contains(t, s.texts(), whenSteps[b.operation], b.name)
		if m := latencyBound.FindStringSubmatch(b.bound); m != nil {
			assert.Contains(t, s.texts(), "the mean latency is below "+m[1], b.name)
			assert.Contains(t, s.texts(), "the p95 latency is below "+m[2], b.name)
		} else {
			m := memoryBound.FindStringSubmatch(b.bound)
			require.NotNil(t, m, b.bound)
			assert.Contains(t, s.texts(), "the memory delta is below "+m[1], b.name)
			assert.Contains(t, s.texts(), "no more than "+m[1]+" is allocated per call", b.name)
		}
	}
}

//go:embed testdata/traps.tsv
var trapsTSV string

// testdata/traps.tsv lists what makes detection fail in practice. Each line has a number
// and a scenario with the tag @trap:NUMBER, and no scenario has another number.
func TestEveryTrapHasItsScenario(t *testing.T) {
	listed := map[string]bool{}
	for line := range strings.Lines(trapsTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimRight(line, "\n"), "\t")
		require.Len(t, columns, 8, line)
		require.False(t, listed[columns[0]], "%s is listed twice", columns[0])
		listed[columns[0]] = true
	}
	require.Len(t, listed, 91)
	covered := map[string]bool{}
	for _, s := range scenarios(t) {
		for _, tag := range s.tags {
			if id, ok := strings.CutPrefix(tag, "@trap:"); ok {
				assert.True(t, listed[id], "%s: testdata/traps.tsv has no line %s", s.name, id)
				assert.Contains(t, s.name, id)
				covered[id] = true
			}
		}
	}
	for id := range listed {
		assert.True(t, covered[id], "no scenario has the tag @trap:%s", id)
	}
}
