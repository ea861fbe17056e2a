package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// means makes a results file of mean times by name.
func means(pairs ...any) *File {
	f := &File{Platform: "linux/amd64", GoVersion: "go1.26.8", Timestamp: "2026-01-30T08:00:00Z"}
	for i := 0; i < len(pairs); i += 2 {
		f.Results = append(f.Results, Result{Name: pairs[i].(string), Category: "detection", MeanTime: pairs[i+1].(float64)})
	}
	return f
}

func verdicts(c *Comparison) []string {
	var out []string
	for _, change := range c.Changes {
		out = append(out, change.Name+" "+string(change.Verdict))
	}
	return out
}

func TestCompareJudgesEachBenchmarkByItsMean(t *testing.T) {
	old := means("same", 1.0, "slower", 1.0, "much slower", 1.0, "faster", 1.0, "gone", 1.0, "a bit slower", 1.0, "a bit faster", 1.0)
	now := means("new", 1.0, "a bit faster", 0.951, "a bit slower", 1.049, "faster", 0.5, "much slower", 3.0, "slower", 1.06, "same", 1.0)
	c, err := Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"much slower red", "slower red", "faster green", "gone removed", "new added",
		"a bit faster neutral", "a bit slower neutral", "same neutral",
	}, verdicts(c))
	assert.Equal(t, map[Verdict]int{Red: 2, Green: 1, NotComparable: 0, Unconverged: 0, NotTold: 0, Removed: 1, Added: 1, NotRun: 0, Neutral: 3}, c.Counts)
	assert.Equal(t, 3.0, *c.Changes[0].Ratio)
	assert.Nil(t, c.Changes[3].Ratio)
	assert.Nil(t, c.Changes[3].NewMean)
	assert.Nil(t, c.Changes[4].OldMean)
	assert.Positive(t, c.Counts[Red])
}

func TestAChangeOfExactlyTheThresholdIsNeutral(t *testing.T) {
	for _, old := range []float64{1, 0.1, 0.3, 7e-6, 123e-9} {
		c, err := Compare(means("up", old, "down", old), means("up", old*1.05, "down", old*0.95), 0.05)
		require.NoError(t, err)
		assert.Equal(t, 2, c.Counts[Neutral], old)
	}
}

func TestAFileComparedWithItselfIsAllNeutral(t *testing.T) {
	f := means("a", 1.0, "b", 0.0)
	c, err := Compare(f, f, 0)
	require.NoError(t, err)
	assert.Equal(t, 2, c.Counts[Neutral])
	assert.Zero(t, c.Counts[Red])
}

func TestAMeanOfZeroHasNoRatio(t *testing.T) {
	c, err := Compare(means("a", 0.0, "b", 1.0), means("a", 1.0, "b", 0.0), 0.05)
	require.NoError(t, err)
	assert.Equal(t, []string{"a red", "b green"}, verdicts(c))
	assert.Nil(t, c.Changes[0].Ratio)
	assert.Equal(t, 0.0, *c.Changes[1].Ratio)
}

func TestFilesWithNothingInCommonAreNotCompared(t *testing.T) {
	for _, pair := range [][2]*File{{means(), means()}, {means("a", 1.0), means("b", 1.0)}, {means(), means("b", 1.0)}} {
		_, err := Compare(pair[0], pair[1], 0.05)
		assert.ErrorIs(t, err, ErrNothingToCompare)
	}
}

func TestAThresholdOutOfRangeIsRefused(t *testing.T) {
	f := means("a", 1.0)
	for _, threshold := range []float64{-0.1, 1, 5} {
		_, err := Compare(f, f, threshold)
		assert.ErrorContains(t, err, "threshold")
	}
}

func TestCompareNotesDifferentPlatformsAndMissingKeys(t *testing.T) {
	old, err := ReadFile("testdata/predecessor.json")
	require.NoError(t, err)
	c, err := Compare(old, means("architecture_detection_llama", 0.0004), 0.05)
	require.NoError(t, err)
	assert.Equal(t, "Python 3.11.9", c.Old.Version)
	assert.Equal(t, []string{
		`old: result "memory_sae_detection" lacks mean_time, median_time, p95_time, p99_time, std_dev`,
		"measured on different platforms: Linux-6.8.0-x86_64-with-glibc2.39 and linux/amd64",
	}, c.Notes[:2])
	assert.Contains(t, c.Notes[2], "judged by mean times", "with its error rate")
}

func TestAComparisonAsJSON(t *testing.T) {
	c, err := Compare(means("a", 1e-6, "b", 1e-6), means("a", 2e-6, "c", 1e-6), 0.05)
	require.NoError(t, err)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(c))
	golden(t, "comparison.golden.json", out.Bytes())
}

func TestTheVerdictFollowsTheInjectedSlowdown(t *testing.T) {
	order := map[Verdict]int{Green: 0, Neutral: 1, Red: 2}
	last := 0
	for percent := -50; percent <= 50; percent++ {
		c, err := Compare(means("a", 3e-6), means("a", 3e-6*(1+float64(percent)/100)), 0.05)
		require.NoError(t, err)
		now := order[c.Changes[0].Verdict]
		assert.GreaterOrEqual(t, now, last, percent)
		last = now
	}
	assert.Equal(t, 2, last)
}

func TestMeansOfDifferentMachinesAreNotComparable(t *testing.T) {
	old, now := means("a", 1.0), means("a", 2.0)
	old.Schema, now.Schema = 1, 2
	old.Environment, now.Environment = map[string]any{"cpu": "X"}, map[string]any{"cpu": "Y"}
	c, err := Compare(old, now, 0.05)
	require.NoError(t, err)
	assert.Equal(t, NotComparable, c.Changes[0].Verdict)
	assert.Equal(t, "CPU: X and Y", c.Changes[0].Reason)
	assert.Equal(t, 2.0, *c.Changes[0].Ratio, "both means are kept")
}

func TestABenchmarkThatWasNotSelectedIsNotRemoved(t *testing.T) {
	file := func(names ...string) *File {
		var all []Result
		for _, name := range names {
			all = append(all, Result{Name: name, MeanTime: 1})
		}
		f, err := NewFile(all, origin())
		require.NoError(t, err)
		return f
	}
	whole, part, selected := file("a", "b"), file("a"), file("a", "b")
	selected.Selection = "my.feature"
	for _, c := range []struct {
		old, new  *File
		selection string
		cut       bool
		want      Verdict
		reason    string
	}{
		{whole, part, "", false, Removed, ""},
		{part, whole, "", false, Added, ""},
		{whole, part, "--category sae", false, NotRun, "the new run was of --category sae"},
		{part, whole, "--tags @sae", false, NotRun, "the old run was of --tags @sae"},
		{whole, part, "--tags @sae", true, NotRun, "the new run was interrupted"},
		{selected, part, "my.feature", false, Removed, ""},
	} {
		part.Selection, part.Interrupted = c.selection, c.cut
		comparison, err := Compare(c.old, c.new, DefaultThreshold)
		require.NoError(t, err)
		i := slices.IndexFunc(comparison.Changes, func(change Change) bool { return change.Name == "b" })
		assert.Equal(t, c.want, comparison.Changes[i].Verdict)
		assert.Equal(t, c.reason, comparison.Changes[i].Reason)
	}
}

func TestManySlowerBenchmarksAtOnceNeedConfirmation(t *testing.T) {
	file := func(slower, all int) *File {
		f := sampled("x", 100, 5, 1000)
		for i := range all {
			floor := 100.0
			if i < slower {
				floor = 150
			}
			r := sampled("x", floor, 5, 1000).Results[0]
			r.Name = fmt.Sprint(i)
			f.Results = append(f.Results, r)
		}
		f.Results = f.Results[1:]
		return f
	}
	for _, c := range []struct {
		slower, all int
		want        bool
	}{{0, 6, false}, {2, 6, false}, {3, 6, true}, {1, 2, false}, {1, 1, false}, {2, 2, true}} {
		comparison, err := Compare(file(0, c.all), file(c.slower, c.all), DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, c.want, comparison.ManyNeedConfirmation(), c)
		assert.Equal(t, c.slower > 0, comparison.NeedsConfirmation(), c)
	}
}

func TestALargerThresholdThanBeforeIsNoted(t *testing.T) {
	tagged := func(threshold float64) *File {
		return with(sampled("x", 100, 5, 1000), func(f *File) {
			if threshold > 0 {
				f.Results[0].Threshold = &threshold
			}
		})
	}
	notes := func(old, now *File) []string {
		c, err := Compare(old, now, DefaultThreshold)
		require.NoError(t, err)
		return c.Notes
	}
	assert.Equal(t, []string{"a tag allows larger changes than before: a (±20 %, before ±10 %)"}, notes(tagged(0.1), tagged(0.2)))
	assert.Equal(t, []string{"a tag allows larger changes than before: a (±20 %, before ±5 %)"}, notes(tagged(0), tagged(0.2)))
	assert.Empty(t, notes(tagged(0.2), tagged(0.2)))
	assert.Empty(t, notes(tagged(0.2), tagged(0)), "a smaller threshold hides nothing")
}

func TestFloorsAreOfOneCallerWhateverTheConcurrency(t *testing.T) {
	concurrented := func(callers int) *File {
		return with(sampled("x", 100, 5, 1000), func(f *File) {
			r := &f.Results[0]
			r.Concurrency = &ConcurrencyResult{Callers: callers, Iterations: r.Iterations, MeanTime: r.MeanTime}
		})
	}
	assert.Equal(t, Neutral, verdictOf(t, concurrented(8), concurrented(2)).Verdict)
}

func TestDifferentOperationsAreNotComparable(t *testing.T) {
	file := func(operation string, callers int) *File {
		r := Result{Name: "a", MeanTime: 1, Iterations: 10, Metadata: map[string]any{"operation": operation}}
		if callers > 1 {
			r.Concurrency = &ConcurrencyResult{Callers: callers, Iterations: 10, MeanTime: 1} // the times are those of the callers
		}
		f, err := NewFile([]Result{r}, origin())
		require.NoError(t, err)
		return f
	}
	withBoth := func(callers int) *File {
		return with(file("category", callers), func(f *File) { f.Results[0].Concurrency.MeanTime = 1.5 })
	}
	for _, c := range []struct {
		old, new *File
		reason   string
	}{
		{file("category", 1), file("category", 1), ""},
		{file("category", 1), file("model info", 1), "another operation: the category and the model info"},
		{file("category", 8), file("category", 2), "another number of callers at once: 8 and 2"},
		{file("category", 8), file("category", 1), "another number of callers at once: 8 and 1"},
		{withBoth(2), file("category", 1), ""}, // the same number of calls, but the times are of one caller
		{withBoth(2), withBoth(8), ""},
	} {
		comparison, err := Compare(c.old, c.new, DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, c.reason, comparison.Changes[0].Reason)
		assert.Equal(t, c.reason != "", comparison.Changes[0].Verdict == NotComparable)
	}
}
