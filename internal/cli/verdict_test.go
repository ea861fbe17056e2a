package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
)

// compared makes a comparison of so many benchmarks with these verdicts, the rest
// neutral.
func compared(all int, verdicts ...bench.Change) *bench.Comparison {
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

func TestWhatFailsAndHow(t *testing.T) {
	red := bench.Change{Verdict: bench.Red, Basis: bench.ByFloor}
	doubtful := bench.Change{Verdict: bench.Red, Basis: bench.ByMean, Doubtful: true}
	grey := bench.Change{Verdict: bench.NotComparable, Basis: bench.ByFloor}
	lost := bench.Change{Verdict: bench.Unconverged, Basis: bench.ByFloor}
	gone := bench.Change{Verdict: bench.Removed}
	for _, c := range []struct {
		name  string
		words string // "" for those of a run
		what  *bench.Comparison
		code  int
		says  string
	}{
		{"all neutral", "", compared(70), 0, ""},
		{"one red", "", compared(70, red), 1, ""},
		{"one of many not comparable", "", compared(70, grey), 0, ""},
		{"a tenth", "", compared(70, grey, grey, grey, lost, lost, lost, lost), 0, ""},
		{"more than a tenth", "", compared(70, grey, grey, grey, lost, lost, lost, lost, lost), 2, "could not judge 8 of 70 benchmarks: 3 not comparable, 5 unconverged"},
		{"red beats what could not be judged", "", compared(4, red, grey, lost), 1, ""},
		{"the only one unconverged", "", compared(1, lost), 2, "could not judge 1 of 1 benchmark: 1 unconverged"},
		{"one of many, if asked for", "not-comparable", compared(70, grey), 2, "1 not comparable"},
		{"one of many, if asked for", "unconverged", compared(70, grey, lost), 2, "70 benchmarks: 1 unconverged"},
		{"by means, in a run", "", compared(4, doubtful), 2, "1 red by mean times alone"},
		{"by means, few in a run", "", compared(70, doubtful), 0, ""},
		{"by means, if asked for", "means", compared(70, doubtful), 1, ""},
		{"by means, between files", "red,means,unjudged", compared(4, doubtful), 1, ""},
		{"not by means", "red", compared(4, doubtful), 0, ""},
		{"gone", "", compared(4, gone), 0, ""},
		{"gone, if asked for", "red,removed", compared(4, gone), 2, "could not judge 1 of 4 benchmarks: 1 removed"},
		{"anything", "none", compared(3, red, grey, lost), 0, ""},
	} {
		f := failOnByDefault()
		if c.words != "" {
			require.NoError(t, f.Set(c.words))
		}
		err := f.judge(c.what)
		switch c.code {
		case 0:
			assert.NoError(t, err, c.name)
		case 1:
			assert.ErrorIs(t, err, errBroken, c.name)
		default:
			require.Error(t, err, c.name)
			assert.NotErrorIs(t, err, errBroken, c.name)
			assert.ErrorContains(t, err, c.says, c.name)
		}
	}
}

func TestTheHintSaysWhatCanJudge(t *testing.T) {
	c := compared(1, bench.Change{Verdict: bench.NotComparable, Basis: bench.ByFloor})
	c.Preview.SmallestChange, c.Old.Commit = 0.3, "0123abc"
	assert.Equal(t, "`omniloader bench --against 0123abc`, in a checkout, builds both revisions and judges changes of 5%", wayOut(c))
	c.Preview.UnknownConditions = []string{"CPU: only one of the files says it (X)"}
	assert.Contains(t, wayOut(c), "on one machine")
	c.Preview.Differences = []string{"CPU: X and Y"}
	assert.Contains(t, wayOut(c), "on one machine")
	assert.Contains(t, wayOut(compared(1, bench.Change{Verdict: bench.Red, Basis: bench.ByMean, Doubtful: true})), "--save-baseline")
	assert.Contains(t, wayOut(compared(1, bench.Change{Verdict: bench.Unconverged, Basis: bench.ByFloor})), "sample again")
}

func TestWordsOfFailOnThatAreNone(t *testing.T) {
	for word, want := range map[string]string{"grey": "known: none, red", "unjuged": `did you mean "unjudged"?`, "red,none": "none stands alone"} {
		f := failOnByDefault()
		assert.ErrorContains(t, f.Set(word), want)
	}
}

func TestABaselineThatWasNotSampledIsToldBefore(t *testing.T) {
	feature, file := write(t, "a.feature", holds), filepath.Join(t.TempDir(), "plain.json")
	require.Equal(t, 0, call(t, "run", feature, "--output", file).code)
	edited(t, file, func(f *bench.File) { // much faster on the average, and calls overlap
		f.Results[0].MeanTime, f.Results[0].MinTime, f.Results[0].MaxTime = 1e-12, 1e-12, 1000
	})
	a := call(t, "run", feature, "--baseline", file)
	assert.Equal(t, 2, a.code, a.err)
	assert.Contains(t, a.err, "the baseline was not sampled, and is compared by mean times")
	assert.Contains(t, a.err, "1 red by mean times alone")
	assert.Contains(t, a.err, "--save-baseline")
	assert.Equal(t, 1, call(t, "run", feature, "--baseline", file, "--fail-on", "means").code)
}

func TestWhatCannotBeComparedIsNotSampled(t *testing.T) {
	feature, file := baseline(t)
	edited(t, file, func(f *bench.File) { f.Environment["cpu"] = "another" })
	a := sampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 2, a.code, a.err)
	assert.Contains(t, a.err, "times cannot be compared with the baseline's: CPU: another and ")
	assert.NotContains(t, a.err, "fresh processes")
	assert.Contains(t, a.out, "not comparable")

	saved := filepath.Join(t.TempDir(), "new.json")
	a = sampling(t, "run", feature, "--baseline", file, "--save-baseline", saved)
	if !suite.RaceDetector { // under it pools forget, so that what a call allocates differs, which is red
		assert.Equal(t, 2, a.code, a.err)
	}
	assert.FileExists(t, saved, "a new baseline is sampled all the same")
}

func TestABaselineOfOtherCodeIsToldBefore(t *testing.T) {
	feature, file := baseline(t)
	edited(t, file, func(f *bench.File) {
		delete(f.Environment, bench.BuildKey)
		f.Environment[bench.LinkOrderKey], f.Environment["commit"] = "another", "0123456789abcdef"
	})
	a := sampling(t, "run", feature, "--baseline", file, "--fail-on", "none")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "only changes of more than 30% will be judged; `omniloader bench --against 0123456789abcdef`")
	edited(t, file, func(f *bench.File) { f.Environment["commit"] = "$(reboot)" })
	a = sampling(t, "run", feature, "--baseline", file, "--fail-on", "none")
	assert.Contains(t, a.err, "bench --against REV`", "what a file says is no command")
}

func TestABaselineWhosePlanCannotBeCarriedOutIsRefusedBefore(t *testing.T) {
	feature, file := baseline(t)
	edited(t, file, func(f *bench.File) { f.Plan.GC = "off" })
	a := sampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--baseline: "+file+`: sampling plan: gc is "off"`)
	assert.Empty(t, a.out, "nothing ran")
	assert.Equal(t, 0, call(t, "compare", file, file, "--fail-on", "red").code, "two files may be compared all the same")
}

func TestABrokenPromiseIsExitCode1WhateverElseGoesWrong(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base.json")
	require.NoError(t, os.WriteFile(base, []byte(`{"results": [{"name": "another", "mean_time": 1}]}`), 0o644))
	a := call(t, "run", write(t, "a.feature", breaks), "--baseline", base)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.err, "no benchmark in common")
}

func TestTheComparisonIsInEveryReportThatCanHoldIt(t *testing.T) {
	feature, file := write(t, "a.feature", holds), filepath.Join(t.TempDir(), "plain.json")
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
		{"markdown", "no file"}, {"markdwn:x", `did you mean "markdown"?`}, {"json:/no/such/folder/x", "no folder for it"},
	} {
		a := call(t, "run", feature, "--baseline", file, "--comparison", c.value)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, c.want)
	}
	assert.Contains(t, call(t, "run", feature, "--comparison", "json:x").err, "nothing to compare with")
}
