package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
)

// comparisonOf makes a comparison of all benchmarks: some with these verdicts, the others
// neutral.
func comparisonOf(all int, verdicts ...bench.Change) *bench.Comparison {
	c := &bench.Comparison{Counts: map[bench.Verdict]int{}, Threshold: 0.05, Preview: bench.Preview{SmallestChange: 0.05}}
	for i := range all {
		change := bench.Change{Verdict: bench.Neutral, Basis: bench.ByFloor}
		if i < len(verdicts) {
			change = verdicts[i]
		}
		change.Old, change.New = new(bench.Result), new(bench.Result)
		if change.Verdict == bench.Removed {
			change.New = nil
		}
		c.Changes = append(c.Changes, change)
		c.Counts[change.Verdict]++
	}
	return c
}

func TestVerdictsFailAsFailOnLists(t *testing.T) {
	red := bench.Change{Verdict: bench.Red, Basis: bench.ByFloor}
	doubtful := bench.Change{Verdict: bench.Red, Basis: bench.ByMean, Doubtful: true}
	incomparable := bench.Change{Verdict: bench.NotComparable, Basis: bench.ByFloor}
	unconverged := bench.Change{Verdict: bench.Unconverged, Basis: bench.ByFloor}
	removed := bench.Change{Verdict: bench.Removed}
	for _, c := range []struct {
		name       string
		words      string // of --fail-on, "" for the default of run
		comparison *bench.Comparison
		code       int
		message    string
	}{
		{"all neutral", "", comparisonOf(70), 0, ""},
		{"one red", "", comparisonOf(70, red), 1, ""},
		{"one of many not comparable", "", comparisonOf(70, incomparable), 0, ""},
		{"a tenth", "", comparisonOf(70, incomparable, incomparable, incomparable, unconverged, unconverged, unconverged, unconverged), 0, ""},
		{"more than a tenth", "", comparisonOf(70, incomparable, incomparable, incomparable, unconverged, unconverged, unconverged, unconverged, unconverged), 2, "could not judge 8 of 70 benchmarks: 3 not comparable, 5 unconverged"},
		{"red beats what could not be judged", "", comparisonOf(4, red, incomparable, unconverged), 1, ""},
		{"the only one unconverged", "", comparisonOf(1, unconverged), 2, "could not judge 1 of 1 benchmark: 1 unconverged"},
		{"one of many, if listed", "not-comparable", comparisonOf(70, incomparable), 2, "1 not comparable"},
		{"one of many, if listed", "unconverged", comparisonOf(70, incomparable, unconverged), 2, "70 benchmarks: 1 unconverged"},
		{"by means, in a run", "", comparisonOf(4, doubtful), 0, ""},
		{"all by means, in a run", "", comparisonOf(2, doubtful, doubtful), 0, ""},
		{"for sure, where means are listed", "means", comparisonOf(4, red), 1, ""},
		{"for sure, where neither is listed", "unjudged", comparisonOf(4, red), 0, ""},
		{"by means, few in a run", "", comparisonOf(70, doubtful), 0, ""},
		{"by means, if listed", "means", comparisonOf(70, doubtful), 1, ""},
		{"by means, between files", "red,means,unjudged", comparisonOf(4, doubtful), 1, ""},
		{"not by means", "red", comparisonOf(4, doubtful), 0, ""},
		{"removed", "", comparisonOf(4, removed), 0, ""},
		{"removed, if listed", "red,removed", comparisonOf(4, removed), 2, "could not judge 1 of 4 benchmarks: 1 removed"},
		{"anything", "none", comparisonOf(3, red, incomparable, unconverged), 0, ""},
	} {
		f := failOnOfRun()
		if c.words != "" {
			require.NoError(t, f.Set(c.words))
		}
		err := f.judge(c.comparison)
		switch c.code {
		case 0:
			assert.NoError(t, err, c.name)
		case 1:
			assert.ErrorIs(t, err, errFailed, c.name)
		default:
			require.Error(t, err, c.name)
			assert.NotErrorIs(t, err, errFailed, c.name)
			assert.ErrorContains(t, err, c.message, c.name)
		}
	}
}

func TestTheHintNamesACommandThatCanJudge(t *testing.T) {
	c := comparisonOf(1, bench.Change{Verdict: bench.NotComparable, Basis: bench.ByFloor})
	c.Preview.SmallestChange, c.Old.Commit = 0.3, "0123abc"
	assert.Equal(t, "`omniloader bench --against 0123abc`, in a checkout, builds both revisions and judges changes of 5%", hintToJudge(c))
	c.Preview.UnknownConditions = []string{"CPU: only one of the files says it (X)"}
	assert.Contains(t, hintToJudge(c), "on one machine")
	c.Preview.Differences = []string{"CPU: X and Y"}
	assert.Contains(t, hintToJudge(c), "on one machine")
	assert.Contains(t, hintToJudge(comparisonOf(1, bench.Change{Verdict: bench.Red, Basis: bench.ByMean, Doubtful: true})), "--save-baseline")
	assert.Contains(t, hintToJudge(comparisonOf(1, bench.Change{Verdict: bench.Unconverged, Basis: bench.ByFloor})), "sample again")
}

func TestUnknownWordsOfFailOnAreRefused(t *testing.T) {
	for word, want := range map[string]string{"grey": "known: none, red", "unjuged": `did you mean "unjudged"?`, "red,none": "none cannot be combined"} {
		f := failOnOfRun()
		assert.ErrorContains(t, f.Set(word), want)
	}
}

func TestABaselineWithMeansOnlyTellsLittleAndDoesNotFailAnUnchangedBuild(t *testing.T) {
	feature, file := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "plain.json")
	require.Equal(t, 0, call(t, "run", feature, "--all", "--output", file).code)
	a := call(t, "run", feature, "--all", "--baseline", file)
	assert.NotEqual(t, 2, a.code, "it is judged, whatever a busy machine makes of it: %s", a.err)

	editResults(t, file, func(f *bench.File) { // much faster on average, but its slowest call is slower
		f.Results[0].MeanTime, f.Results[0].MinTime, f.Results[0].MaxTime = 1e-12, 1e-12, 1000
	})
	xml := filepath.Join(t.TempDir(), "r.xml")
	a = call(t, "run", feature, "--baseline", file, "--format", "junit:"+xml)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "the baseline was not sampled, and has only mean times")
	assert.Contains(t, a.out, "not told by means")
	assert.Contains(t, a.out, "1 benchmark: 1 not told by means")
	assert.Contains(t, a.out, "--save-baseline FILE` makes a baseline that can tell")
	text, err := os.ReadFile(xml)
	require.NoError(t, err)
	assert.Contains(t, string(text), `<skipped message="not told by means: mean `)

	a = call(t, "run", feature, "--baseline", file, "--fail-on", "means")
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "1 benchmark: 1 red", "means are to be judged")
	a = call(t, "compare", file, file, "--fail-on", "red")
	assert.Equal(t, 0, a.code, a.err)

	editResults(t, file, func(f *bench.File) { f.Results[0].MaxTime = 1e-12 })
	a = call(t, "run", feature, "--baseline", file)
	assert.Equal(t, 1, a.code, "even its slowest call was faster: %s", a.err)
	assert.Contains(t, a.out, "1 benchmark: 1 red")
}

func TestWhatIsRedByMeansIsMeasuredAgain(t *testing.T) {
	two := passingFeature + "\n" + strings.Replace(passingFeature[strings.Index(passingFeature, "  @memory"):], "measured one", "another", 1)
	feature, file := write(t, "a.feature", two), filepath.Join(t.TempDir(), "plain.json")
	require.Equal(t, 0, call(t, "run", feature, "--output", file).code)
	pauses := 0
	run := func() result {
		pauses = 0
		return callProgram(t, program{pause: func(context.Context, time.Duration) { pauses++ }}, "", "run", feature, "--baseline", file)
	}
	editResults(t, file, func(f *bench.File) {
		f.Results[1].MeanTime, f.Results[1].MinTime, f.Results[1].MaxTime = 1e-12, 1e-12, 1e-12
	})
	a := run()
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "1 red")
	assert.Equal(t, len(meansPauses), pauses)

	assert.Contains(t, a.err, "note: 1 benchmark seems slower than the slowest call of the baseline: measuring again in 10s")

	p := &program{err: newOutput(io.Discard)}
	o := &runOutputs{failOn: failOnOfRun()}
	p.pause = func(context.Context, time.Duration) {}
	old := &bench.File{Schema: bench.Schema, Results: []bench.Result{{Name: "a", MeanTime: 1, MinTime: 1, MaxTime: 1}}}
	now := &bench.File{Schema: bench.Schema, Results: []bench.Result{{Name: "a", MeanTime: 3, MinTime: 2, MaxTime: 4}}}
	c, err := bench.Compare(old, now, bench.DefaultThreshold)
	require.NoError(t, err)
	asked := 0
	require.NoError(t, p.confirmMeans(t.Context(), c, o, func(_ context.Context, wanted map[bench.Key]bool) ([]bench.Result, error) {
		asked++
		assert.Equal(t, map[bench.Key]bool{{Benchmark: "a"}: true}, wanted)
		return []bench.Result{{Name: "a", MinTime: []float64{2, 0.9}[asked-1], MaxTime: 4}}, nil
	}))
	assert.Equal(t, 2, asked)
	assert.Empty(t, c.RedByMeans(), "the machine was slow the first two times")
}

func TestASureRegressionIsSaidWhereRedIsNotListed(t *testing.T) {
	feature, file := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "plain.json")
	require.Equal(t, 0, call(t, "run", feature, "--output", file).code)
	editResults(t, file, func(f *bench.File) {
		f.Results[0].MeanTime, f.Results[0].MinTime, f.Results[0].MaxTime = 1e-12, 1e-12, 1e-12
	})
	now := filepath.Join(t.TempDir(), "now.json")
	for list, want := range map[string]struct {
		code int
		note string
	}{
		"red":            {1, ""},
		"means":          {1, "note: 1 benchmark is red; --fail-on means lists means, which includes red"},
		"unjudged":       {0, "note: 1 benchmark is red; --fail-on unjudged does not list red, so that this fails nothing"},
		"none":           {0, "note: 1 benchmark is red; --fail-on none does not list red, so that this fails nothing"},
		"means,unjudged": {1, "which includes red"},
	} {
		for _, args := range [][]string{{"run", feature, "--baseline", file, "--output", now}, {"compare", file, now}} {
			a := call(t, append(args, "--fail-on", list)...)
			assert.Equal(t, want.code, a.code, "%s %s: %s", args[0], list, a.err)
			if want.note == "" {
				assert.NotContains(t, a.err, "--fail-on", list)
			} else {
				assert.Contains(t, a.err, want.note, args[0])
			}
		}
	}
}

func TestWhatCannotBeComparedIsNotSampled(t *testing.T) {
	feature, file := sampledBaseline(t)
	editResults(t, file, func(f *bench.File) { f.Environment["cpu"] = "another" })
	a := callSampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 2, a.code, a.err)
	assert.Contains(t, a.err, "times cannot be compared with the baseline's: CPU: another and ")
	assert.NotContains(t, a.err, "fresh processes")
	assert.Contains(t, a.out, "not comparable")

	saved := filepath.Join(t.TempDir(), "new.json")
	a = callSampling(t, "run", feature, "--baseline", file, "--save-baseline", saved)
	if !suite.RaceDetector { // under it a sync.Pool drops items at random, so that allocations differ, which is red
		assert.Equal(t, 2, a.code, a.err)
	}
	assert.FileExists(t, saved, "a new baseline is sampled anyway")
}

func TestABaselineOfOtherCodeIsNotedBeforehand(t *testing.T) {
	feature, file := sampledBaseline(t)
	editResults(t, file, func(f *bench.File) {
		delete(f.Environment, bench.BuildKey)
		f.Environment[bench.LinkOrderKey], f.Environment["commit"] = "another", "0123456789abcdef"
	})
	a := callSampling(t, "run", feature, "--baseline", file, "--fail-on", "none")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "only changes of more than 30% will be judged; `omniloader bench --against 0123456789abcdef`")
	editResults(t, file, func(f *bench.File) { f.Environment["commit"] = "$(reboot)" })
	a = callSampling(t, "run", feature, "--baseline", file, "--fail-on", "none")
	assert.Contains(t, a.err, "bench --against REV`", "text of a file must not become part of a command")
}

func TestABaselineWithAnInvalidPlanIsRefused(t *testing.T) {
	feature, file := sampledBaseline(t)
	editResults(t, file, func(f *bench.File) { f.Plan.GC = "off" })
	a := callSampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--baseline: "+file+`: sampling plan: gc is "off"`)
	assert.Empty(t, a.out, "nothing ran")
	assert.Equal(t, 0, call(t, "compare", file, file, "--fail-on", "red").code, "two files can be compared anyway")
}

func TestAFailedScenarioIsExitCode1WhateverElseGoesWrong(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base.json")
	require.NoError(t, os.WriteFile(base, []byte(`{"results": [{"name": "another", "mean_time": 1}]}`), 0o644))
	a := call(t, "run", write(t, "a.feature", failingFeature), "--baseline", base)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.err, "no benchmark in common")
}

func TestTheComparisonIsInEveryReportThatSupportsIt(t *testing.T) {
	feature, file := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "plain.json")
	require.Equal(t, 0, call(t, "run", feature, "--output", file).code)
	dir := t.TempDir()
	xml, md := filepath.Join(dir, "r.xml"), filepath.Join(dir, "c.md")
	a := call(t, "run", feature, "--baseline", file, "--fail-on", "none", "--format", "junit:"+xml, "--format", "junit", "--comparison", "markdown:"+md)
	require.Equal(t, 0, a.code, a.err)
	text, err := os.ReadFile(xml)
	require.NoError(t, err)
	for _, report := range []string{string(text), a.out} {
		assert.Contains(t, report, `name="comparison with the baseline"`)
	}
	text, err = os.ReadFile(md)
	require.NoError(t, err)
	assert.Contains(t, string(text), "| verdict | benchmark |")

	for _, c := range []struct{ value, want string }{
		{"markdown", "no file"}, {"markdwn:x", `did you mean "markdown"?`}, {"json:" + feature + "/x", "is no directory"},
	} {
		a := call(t, "run", feature, "--baseline", file, "--comparison", c.value)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, c.want)
	}
	assert.Contains(t, call(t, "run", feature, "--comparison", "json:x").err, "nothing to compare with")
}
