package bench

import (
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// with gives a file that is changed.
func with(f *File, change func(*File)) *File {
	change(f)
	return f
}

func TestAnEnvironmentOfAnyFormIsCompared(t *testing.T) {
	for _, key := range []string{"build", "link_order", "kernel", "governor", "cpu", "funcalign", "yardstick_floor_ns", "modules", "sampling"} {
		for _, value := range []any{map[string]any{}, []any{1.0}, nil, true, "", 1.5} {
			old := with(sampled("x", 100, 5, 1000), func(f *File) { f.Environment[key] = value })
			now := with(sampled("x", 100, 5, 1000), func(f *File) { f.Environment[key] = value })
			assert.NotEqual(t, Red, verdictOf(t, old, now).Verdict, "%s: %v", key, value)
		}
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add(`{"build": {}}`, `{"kernel": [1], "build": null}`)
	f.Add(`{"cpu": "X", "link_order": 1}`, `{"cpu": "Y", "yardstick_floor_ns": 1e300}`)
	f.Add(`{"funcalign": 64, "yardstick_floor_ns": -1}`, `{"funcalign": "64", "governor": {"a": []}}`)
	f.Add(`{"modules": {"a": "v1", "b": null}, "sampling": 1}`, `{"modules": {"a": ["v2"], "b": 1}, "sampling": "1"}`)
	f.Fuzz(func(t *testing.T, old, now string) {
		files := [2]*File{sampled("x", 100, 5, 1000), sampled("x", 100, 5, 1000)}
		for i, text := range []string{old, now} {
			var environment map[string]any
			if json.Unmarshal([]byte(text), &environment) != nil {
				return
			}
			files[i].Environment, files[i].Schema = environment, Schema
		}
		c, err := Compare(files[0], files[1], DefaultThreshold)
		if err != nil || c.Counts[Red]+c.Counts[Green] > 0 {
			t.Fatalf("equal floors are red or green, or not compared: %v, %v", c, err)
		}
		PreviewComparison(files[0], files[1], DefaultThreshold)
	})
}

func TestAConditionOfOnlyOneFileIsUnknown(t *testing.T) {
	for name, change := range map[string]func(*File){
		"CPU":       func(f *File) { delete(f.Environment, "cpu") },
		"alignment": func(f *File) { f.Environment["funcalign"] = 64.0 },
		"Go":        func(f *File) { f.GoVersion = "" },
		"platform":  func(f *File) { f.Platform = "" },
		"plan":      func(f *File) { f.Plan = nil },
	} {
		changed := verdictOf(t, sampled("x", 100, 5, 1000), with(sampled("x", 300, 5, 1000), change))
		assert.Equal(t, NotComparable, changed.Verdict, name)
		assert.Contains(t, changed.Reason, name)
	}
	// mean times vary so much that the processor does not matter
	old, now := means("a", 1.0), means("a", 1.0)
	old.Schema, now.Schema, now.Environment = 2, 2, map[string]any{"cpu": "X"}
	assert.Equal(t, Neutral, verdictOf(t, old, now).Verdict)
}

func TestMemoryOfAnUnknownVersionOfGoIsNotJudged(t *testing.T) {
	more := func(change func(*File)) Verdict {
		old, now := sampled("x", 100, 5, 1000), sampled("x", 100, 6, 1000)
		change(old)
		return verdictOf(t, old, now).Verdict
	}
	assert.Equal(t, Red, more(func(*File) {}))
	assert.Equal(t, NotComparable, more(func(f *File) { f.GoVersion = "" }))
	assert.Equal(t, NotComparable, more(func(f *File) { f.Platform = "" }))
	assert.Equal(t, Red, more(func(f *File) { delete(f.Environment, "cpu") }), "allocations do not depend on the processor")
}

func TestAPlatformThatNeitherFileHasIsANote(t *testing.T) {
	without := func() *File {
		return with(sampled("x", 100, 5, 1000), func(f *File) { f.Schema, f.Platform, f.GoVersion = 2, "", "" })
	}
	c, err := Compare(without(), without(), DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, Neutral, c.Changes[0].Verdict)
	assert.Contains(t, strings.Join(c.Notes, "\n"), "neither file says for which platform it was measured")
}

func TestBuildsOfOneLinkOrderAreTheSameBuild(t *testing.T) {
	// the builds have other names, but the same addresses of functions: 10 % are judged
	old, now := sampled("x", 100, 5, 1000), sampled("y", 110, 5, 1000)
	old.Environment[LinkOrderKey], now.Environment[LinkOrderKey] = "a", "a"
	assert.Equal(t, Red, verdictOf(t, old, now).Verdict)
	now.Environment[LinkOrderKey] = "b"
	assert.Equal(t, NotComparable, verdictOf(t, old, now).Verdict)
	assert.Equal(t, Red, verdictOf(t, old, with(sampled("y", 131, 5, 1000), func(f *File) { f.Environment[LinkOrderKey] = "b" })).Verdict)
	// files of earlier versions have a build and no link order
	delete(old.Environment, LinkOrderKey)
	assert.Equal(t, NotComparable, verdictOf(t, old, now).Verdict)
	delete(now.Environment, "build")
	assert.Equal(t, NotComparable, verdictOf(t, old, now).Verdict)
}

func TestFilesWithoutABuildAreDifferentBuilds(t *testing.T) {
	without := func(floor float64) *File {
		return with(sampled("x", floor, 5, 1000), func(f *File) { delete(f.Environment, BuildKey) })
	}
	assert.Equal(t, NotComparable, verdictOf(t, without(100), without(115)).Verdict)
	assert.Equal(t, Neutral, verdictOf(t, without(100), without(100)).Verdict)
	assert.Equal(t, Red, verdictOf(t, without(100), without(131)).Verdict)
}

func TestSamplesOfAnotherSamplingVersionAreNotComparable(t *testing.T) {
	first, second := sampled("x", 100, 5, 1000), sampled("x", 100, 5, 1000)
	second.Environment["sampling"] = 1.0
	assert.Equal(t, Neutral, verdictOf(t, first, second).Verdict, "an earlier version did not write it")
	second.Environment["sampling"] = 2.0
	change := verdictOf(t, first, second)
	assert.Equal(t, NotComparable, change.Verdict)
	assert.Equal(t, "version of the sampling: 1 and 2", change.Reason)

	for _, f := range []*File{first, second} {
		f.Plan, f.Results[0].Processes = nil, nil
	}
	change = verdictOf(t, first, second)
	assert.Equal(t, Neutral, change.Verdict, "means do not depend on it")
	assert.Equal(t, ByMean, change.Basis)
	*second.Results[0].AllocsPerOp++
	assert.Equal(t, Neutral, verdictOf(t, first, second).Verdict, "memory is counted differently")
	second.Environment["sampling"] = 1.0
	assert.Equal(t, Red, verdictOf(t, first, second).Verdict)
}

func TestOtherVersionsOfModulesAreANote(t *testing.T) {
	notes := func(a, b any) string {
		old, now := sampled("x", 100, 5, 1000), sampled("x", 120, 5, 1000)
		old.Environment["modules"], now.Environment["modules"] = a, b
		c, err := Compare(old, now, DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, Red, c.Changes[0].Verdict, "slower is slower, whatever the reason")
		return strings.Join(c.Notes, "\n")
	}
	type modules = map[string]any
	assert.Empty(t, notes(modules{"a": "v1", "b": "v1"}, modules{"a": "v1", "b": "v1"}))
	assert.Empty(t, notes(nil, modules{"a": "v1"}), "a file without modules")
	assert.Empty(t, notes(modules{"a": "v1"}, modules{"b": "v1"}), "a module of only one file has no other version")
	assert.Empty(t, notes("v1", []any{1.0}))
	assert.Equal(t, "measured with other versions of modules: a v1 and v2", notes(modules{"a": "v1", "b": "v1"}, modules{"a": "v2", "b": "v1"}))
	assert.Equal(t, "measured with other versions of modules: a 1 and 2, b 1 and 2, c 1 and 2 and 1 more",
		notes(modules{"a": 1, "b": 1, "c": 1, "d": 1}, modules{"a": 2, "b": 2, "c": 2, "d": 2}))
}

func TestAReplacedModuleNamesItsReplacement(t *testing.T) {
	got := moduleVersions(&debug.BuildInfo{Deps: []*debug.Module{
		{Path: "a", Version: "v1.2.3"},
		{Path: "b", Version: "v1.0.0", Replace: &debug.Module{Path: "../b"}},
		{Path: "c", Version: "v1.0.0", Replace: &debug.Module{Path: "d", Version: "v2.0.0"}},
	}})
	assert.Equal(t, map[string]any{"a": "v1.2.3", "b": "../b", "c": "d v2.0.0"}, got)
}

func TestThePreviewGivesTheSmallestChange(t *testing.T) {
	old := sampled("x", 100, 5, 1000)
	empty := func(change func(*File)) *File {
		return with(sampled("x", 0, 0, 0), func(f *File) { f.Results = nil; change(f) })
	}
	f := PreviewComparison(old, empty(func(*File) {}), 0.05)
	assert.Equal(t, Preview{SmallestChange: 0.05}, f)
	f = PreviewComparison(old, empty(func(f *File) { f.Environment["build"] = "y" }), 0.05)
	assert.Equal(t, Preview{SmallestChange: 0.3}, f)
	f = PreviewComparison(old, empty(func(f *File) { f.Environment["cpu"] = "Y" }), 0.05)
	assert.Equal(t, []string{"CPU: X and Y"}, f.Differences)
}

func TestFloorsOfFewerRoundsThanThePlanAreNotJudged(t *testing.T) {
	old, now := sampled("x", 100, 5, 1000), sampled("x", 100, 5, 1000)
	for _, f := range []*File{old, now} {
		f.Plan.Rounds = 40
	}
	change := verdictOf(t, old, now)
	assert.Equal(t, Unconverged, change.Verdict)
	assert.Equal(t, "a process has 3 rounds, and the plan 40", change.Reason)

	full := Process{RoundMin: slices.Repeat([]float64{100}, 40)}
	old.Results[0].Processes = []Process{full, full}
	now.Results[0].Processes = []Process{full, full}
	assert.Equal(t, Neutral, verdictOf(t, old, now).Verdict)
	now.Results[0].Processes[1].RoundMin = full.RoundMin[:39]
	assert.Equal(t, Unconverged, verdictOf(t, old, now).Verdict, "one process, one round")
	slow := Process{BatchCalls: 1, RoundMin: slices.Repeat([]float64{200e6}, 10)} // 200 ms a call: it is sampled in fewer rounds
	old.Results[0].Processes, now.Results[0].Processes = []Process{slow, slow}, []Process{slow, slow}
	assert.Equal(t, Neutral, verdictOf(t, old, now).Verdict)
}

func TestTheConfirmationsOfABaselineAreLeftOut(t *testing.T) {
	at := func(floor float64) Process { return Process{RoundMin: []float64{floor, floor, floor}} }
	old := sampled("x", 100, 5, 1000)
	old.Results[0].Processes = []Process{at(100), at(100), at(94), at(94)} // two confirmations that were faster
	now := sampled("x", 100, 5, 1000)
	change := verdictOf(t, old, now)
	assert.Equal(t, Neutral, change.Verdict)
	assert.Equal(t, 100.0, *change.OldFloor)
}

func TestAVerdictByMeansIsDoubtfulWhereTheCallsOverlap(t *testing.T) {
	file := func(least, mean, most float64) *File {
		f := means("a", mean)
		f.Results[0].MinTime, f.Results[0].MaxTime = least, most
		return f
	}
	for _, c := range []struct {
		old, now *File
		want     Verdict
		doubtful bool
	}{
		{file(1, 2, 9), file(1, 3, 9), Red, true},
		{file(1, 2, 9), file(9.1, 10, 12), Red, false}, // its fastest call is slower than the slowest was
		{file(9.1, 10, 12), file(1, 2, 9), Green, false},
		{file(1, 2, 9), file(1, 2, 9), Neutral, false},
		{file(0, 2, 0), file(0, 200, 0), Red, true}, // a file without its fastest and slowest call
	} {
		change := verdictOf(t, c.old, c.now)
		assert.Equal(t, c.want, change.Verdict)
		assert.Equal(t, c.doubtful, change.Doubtful, c)
	}
	c, err := Compare(file(1, 2, 9), file(1, 3, 9), DefaultThreshold)
	require.NoError(t, err)
	sure, doubtful := c.Regressions()
	assert.Equal(t, [3]int{0, 1, 1}, [3]int{sure, doubtful, c.InBoth()})

	notes := len(c.Notes)
	for range 2 { // the second time changes nothing
		c.WithholdDoubtful()
	}
	sure, doubtful = c.Regressions()
	assert.Equal(t, [3]int{0, 0, 1}, [3]int{sure, doubtful, c.InBoth()})
	assert.Equal(t, [2]int{0, 1}, [2]int{c.Counts[Red], c.Counts[NotTold]})
	assert.Equal(t, NotTold, c.Changes[0].Verdict)
	require.Len(t, c.Notes, notes+1)
	assert.Contains(t, c.Notes[notes], "--save-baseline FILE` makes a baseline that can tell")
	sureOne, err := Compare(file(1, 2, 9), file(9.1, 10, 12), DefaultThreshold)
	require.NoError(t, err)
	sureOne.RecheckMeans(file(9.2, 9.3, 9.4).Results)
	sureOne.RecheckMeans([]Result{{Name: "another", MinTime: 1, MaxTime: 2}})
	sureOne.WithholdDoubtful()
	assert.Equal(t, Red, sureOne.Changes[0].Verdict)
	assert.Equal(t, map[Key]bool{{Benchmark: "a"}: true}, sureOne.RedByMeans())
	sureOne.RecheckMeans(file(8.9, 9.3, 9.4).Results)
	assert.Empty(t, sureOne.RedByMeans())
	sureOne.WithholdDoubtful()
	assert.Equal(t, NotTold, sureOne.Changes[0].Verdict, "measured again, a call was as fast as before")
}

func TestGreenInEveryLinkOrderIsBelowTheBaselinesMedian(t *testing.T) {
	at := func(floors ...float64) []Process {
		var all []Process
		for i, f := range floors {
			all = append(all, Process{LinkSeed: i + 1, RoundMin: []float64{f, f, f}})
		}
		return all
	}
	for _, c := range []struct {
		old, now []Process
		want     Verdict
	}{
		{at(1024.7, 1019.9, 946.4, 1010.2), at(967.4, 948.6, 947.9, 974.7), Green}, // one old link order is as fast
		{at(1000, 1000, 1000, 1000), at(951, 951, 951, 951), Neutral},              // 4.9 % faster, though the old is 5.15 % slower
		{at(1000, 1000, 1000, 1000), at(900, 900, 900, 1000), Neutral},             // one new link order is not
	} {
		v, _, _ := judgeFloors(linkOrders, c.old, c.now, 0.05)
		assert.Equal(t, c.want, v)
	}
}

func TestRandomLinkOrdersAreJudgedByTheirMedianWhateverTheBuild(t *testing.T) {
	linked := func(floors ...float64) *File {
		f := sampled("x", 100, 5, 1000)
		f.Plan.Processes = len(floors)
		var all []Process
		for i, floor := range floors {
			all = append(all, Process{LinkSeed: i + 1, RoundMin: slices.Repeat([]float64{floor}, f.Plan.Rounds)})
		}
		f.Results[0].Processes = all
		delete(f.Environment, LinkOrderKey)
		f.Environment["funcalign"], f.Environment[BuildKey] = FunctionAlignment, "one name"
		return f
	}
	change := verdictOf(t, linked(940, 1060, 1060, 1060), linked(1000, 1060, 1060, 1060))
	assert.Equal(t, Neutral, change.Verdict, "one fast link order of the old side does not make the new side slower")
	change = verdictOf(t, linked(1000, 1000, 1000, 1000), linked(1040, 1100, 1100, 1100))
	assert.Equal(t, Red, change.Verdict, "the median is 10 % above, and so is every link order")
}

func TestAPlanThatTakesTooLongIsRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*Sampling)
		want   string
	}{
		{func(s *Sampling) { s.Rounds = 0 }, "rounds is 0"},
		{func(s *Sampling) { s.Rounds = 1_000_000_000 }, "rounds is 1000000000"},
		{func(s *Sampling) { s.Rounds, s.RoundMS = 600, 60000 }, "600 rounds of 60000 ms take 10h0m0s"},
		{func(s *Sampling) { s.GC = "off" }, `gc is "off"`},
		{func(s *Sampling) { s.Order = "sequential" }, `order is "sequential"`},
	} {
		plan := DefaultSampling()
		c.change(&plan)
		assert.ErrorContains(t, plan.Validate(), c.want)
	}
	assert.NoError(t, DefaultSampling().Validate())
	_, err := Read(strings.NewReader(`{"plan": {"rounds": 0}, "results": []}`), "x.json")
	assert.EqualError(t, err, "x.json: sampling plan: rounds is 0, it must be from 3 to 10000")
}
