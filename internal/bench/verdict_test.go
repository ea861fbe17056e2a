package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noise makes the smallest batch of a round out of the floor.
type noiseModel func(r *rand.Rand, floor float64, round int) float64

// The kinds of noise that were seen on shared machines, none of which is normal.
var noiseModels = map[string]noiseModel{
	"quiet": func(r *rand.Rand, floor float64, _ int) float64 { return floor * (1 + 0.01*r.ExpFloat64()) },
	"two states": func(r *rand.Rand, floor float64, _ int) float64 {
		if r.Float64() < 0.7 {
			floor *= 1.9
		}
		return floor * (1 + 0.005*r.ExpFloat64())
	},
	"drift": func(r *rand.Rand, floor float64, round int) float64 {
		return floor * (1 + 0.3*math.Abs(math.Sin(float64(round)/9)) + 0.005*r.ExpFloat64())
	},
	"outliers": func(r *rand.Rand, floor float64, _ int) float64 {
		if r.Float64() < 0.05 {
			floor *= 50
		}
		return floor * (1 + 0.01*r.ExpFloat64())
	},
	"heavy tails": func(r *rand.Rand, floor float64, _ int) float64 {
		return floor * math.Pow(1-r.Float64(), -0.1) // Pareto
	},
}

func processes(r *rand.Rand, n int, floor float64, of noiseModel) []Process {
	all := emptyProcesses(n)
	for i := range all {
		for round := range DefaultSampling().Rounds {
			all[i].RoundMin = append(all[i].RoundMin, of(r, floor, round))
		}
	}
	return all
}

func emptyProcesses(n int) []Process { return make([]Process, n) }

// verdictAfterConfirmation judges as a run with a baseline does: two processes,
// and up to two more where it looks red.
func verdictAfterConfirmation(r *rand.Rand, base []Process, floor float64, n noiseModel, threshold float64) Verdict {
	now := processes(r, 2, floor, n)
	for range 2 {
		if v, _, _ := judgeFloors(sameBuild, base, now, threshold); v != Red {
			return v
		}
		now = append(now, processes(r, 1, floor, n)...)
	}
	v, _, _ := judgeFloors(sameBuild, base, now, threshold)
	return v
}

func TestUnchangedBenchmarksAreNotCalledSlowerUnderAnyNoise(t *testing.T) {
	for name, n := range noiseModels {
		r := rand.New(rand.NewPCG(1, 2))
		const trials = 2000
		red := 0
		for range trials {
			base := processes(r, 2, 1000, n)
			if verdictAfterConfirmation(r, base, 1000, n, DefaultThreshold) == Red {
				red++
			}
		}
		assert.LessOrEqual(t, red, trials*3/1000, "%s: %d of %d", name, red, trials)
	}
}

func TestASlowdownOfATenthIsFoundUnderAnyNoise(t *testing.T) {
	for name, n := range noiseModels {
		r := rand.New(rand.NewPCG(3, 4))
		const trials = 1000
		found := 0
		for range trials {
			base := processes(r, 2, 1000, n)
			if verdictAfterConfirmation(r, base, 1100, n, DefaultThreshold) == Red {
				found++
			}
		}
		assert.GreaterOrEqual(t, found, trials*95/100, "%s: %d of %d", name, found, trials)
	}
}

func TestOneSlowProcessIsNoRegression(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	quiet := noiseModels["quiet"]
	base := processes(r, 2, 1000, quiet)
	slow := append(processes(r, 1, 2900, quiet), processes(r, 1, 1000, quiet)...)
	v, _, _ := judgeFloors(sameBuild, base, slow, DefaultThreshold)
	assert.Equal(t, Neutral, v)
	v, _, _ = judgeFloors(sameBuild, slow, base, DefaultThreshold)
	assert.Equal(t, Neutral, v, "and no improvement in the other direction")
}

func TestTwoLuckyRoundsOfTheBaselineMakeNothingRed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	quiet := noiseModels["quiet"]
	base, now := processes(r, 2, 1000, quiet), processes(r, 2, 1000, quiet)
	base[0].RoundMin[3], base[0].RoundMin[20] = 900, 905
	v, ratio, _ := judgeFloors(sameBuild, base, now, DefaultThreshold)
	assert.NotEqual(t, Red, v)
	assert.Greater(t, ratio, 1.05)
}

// judgedByEveryRule gives the verdicts of all rules.
func judgedByEveryRule(old, new []Process, threshold float64) string {
	text := ""
	for _, r := range []rule{sameBuild, linkOrders, differentBuilds} {
		v, _, _ := judgeFloors(r, old, new, threshold)
		text += string(v) + " "
	}
	return text
}

func TestTheVerdictDoesNotDependOnTheUnit(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for name, n := range noiseModels {
		for range 200 {
			old, now := processes(r, 4, 1000, n), processes(r, 4, 1000*(0.8+0.4*r.Float64()), n)
			want := judgedByEveryRule(old, now, 0.05)
			for _, scale := range []float64{1.0 / 1024, 64, 1 << 20} { // exact in binary
				scaled := func(all []Process) []Process {
					out := emptyProcesses(len(all))
					for i, p := range all {
						for _, ns := range p.RoundMin {
							out[i].RoundMin = append(out[i].RoundMin, ns*scale)
						}
					}
					return out
				}
				assert.Equal(t, want, judgedByEveryRule(scaled(old), scaled(now), 0.05), name)
			}
		}
	}
}

func TestTheVerdictDoesNotDependOnTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	shuffled := func(all []Process) []Process {
		out := emptyProcesses(len(all))
		for i, j := range r.Perm(len(all)) {
			out[i].RoundMin = slices.Clone(all[j].RoundMin)
			r.Shuffle(len(out[i].RoundMin), func(a, b int) {
				m := out[i].RoundMin
				m[a], m[b] = m[b], m[a]
			})
		}
		return out
	}
	for name, n := range noiseModels {
		for range 200 {
			old, now := processes(r, 3, 1000, n), processes(r, 4, 1000*(0.8+0.4*r.Float64()), n)
			assert.Equal(t, judgedByEveryRule(old, now, 0.05), judgedByEveryRule(shuffled(old), shuffled(now), 0.05), name)
		}
	}
}

func TestASlowerSideNeverGetsABetterVerdict(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	// unconverged says nothing of the direction, and depends on neither side's scale
	order := map[Verdict]int{Green: 0, Neutral: 1, NotComparable: 2, Red: 3}
	for name, n := range noiseModels {
		for _, by := range []rule{sameBuild, linkOrders} {
			old, now := processes(r, 4, 1000, n), processes(r, 4, 1000, n)
			last := -1
			for percent := -40; percent <= 60; percent++ {
				slowed := emptyProcesses(len(now))
				for i, p := range now {
					for _, ns := range p.RoundMin {
						slowed[i].RoundMin = append(slowed[i].RoundMin, ns*(1+float64(percent)/100))
					}
				}
				v, _, _ := judgeFloors(by, old, slowed, 0.05)
				if v == Unconverged {
					continue
				}
				assert.GreaterOrEqual(t, order[v], last, "%s at %d %%", name, percent)
				last = order[v]
			}
			assert.Equal(t, order[Red], last, name)
		}
	}
}

func TestOneFastProcessOfTheBaselineMakesNothingRed(t *testing.T) {
	processAt := func(floor float64) Process {
		return Process{RoundMin: []float64{floor, floor, floor, floor}}
	}
	now := []Process{processAt(107), processAt(108)}
	v, _, _ := judgeFloors(sameBuild, []Process{processAt(100), processAt(106)}, now, DefaultThreshold)
	assert.Equal(t, Neutral, v)
	v, _, _ = judgeFloors(sameBuild, []Process{processAt(100), processAt(103)}, now, DefaultThreshold)
	assert.Equal(t, Red, v)
}

func TestTheReasonSaysWhyAFloorWasNotFound(t *testing.T) {
	unconverged := func(rounds int) []Process {
		p := Process{RoundMin: []float64{100, 120, 130}}
		for len(p.RoundMin) < rounds {
			p.RoundMin = append(p.RoundMin, 140)
		}
		return []Process{p, p}
	}
	_, _, reason := judgeFloors(sameBuild, unconverged(40), unconverged(40), DefaultThreshold)
	assert.Equal(t, "the floor was not found: the machine was too busy", reason)
	_, _, reason = judgeFloors(sameBuild, unconverged(40), unconverged(3), DefaultThreshold)
	assert.Equal(t, "the floor was not found in 3 rounds, which is all that such a slow operation is given", reason)
}

func TestAFloorThatIsNotFoundIsUnconverged(t *testing.T) {
	unstable := []Process{{RoundMin: []float64{100, 150, 180, 200}}, {RoundMin: []float64{100, 160, 170, 210}}}
	stable := []Process{{RoundMin: []float64{100, 101, 102, 103}}, {RoundMin: []float64{101, 102, 103, 104}}}
	for _, pair := range [][2][]Process{{unstable, stable}, {stable, unstable}} {
		v, _, reason := judgeFloors(sameBuild, pair[0], pair[1], 0.05)
		assert.Equal(t, Unconverged, v)
		assert.NotEmpty(t, reason)
	}
	v, _, _ := judgeFloors(sameBuild, stable, []Process{unstable[0], stable[0]}, 0.05)
	assert.Equal(t, Neutral, v, "one process of two may fail to find its floor")
	v, _, reason := judgeFloors(sameBuild, stable, stable[:1], 0.05)
	assert.Equal(t, Unconverged, v)
	assert.Contains(t, reason, "fewer than 2 processes")
}

func TestASmallChangeBetweenBuildsIsNotComparable(t *testing.T) {
	at := func(floor float64) []Process {
		p := Process{RoundMin: []float64{floor, floor, floor, floor}}
		return []Process{p, p}
	}
	for floor, want := range map[float64]Verdict{103: Neutral, 110: NotComparable, 129: NotComparable, 131: Red, 90: NotComparable, 60: Green} {
		v, _, _ := judgeFloors(differentBuilds, at(100), at(floor), 0.05)
		assert.Equal(t, want, v, floor)
	}
}

func TestLinkOrdersAreJudgedByTheirMedian(t *testing.T) {
	at := func(floors ...float64) []Process {
		var all []Process
		for i, f := range floors {
			all = append(all, Process{LinkSeed: i + 1, RoundMin: []float64{f, f, f}})
		}
		return all
	}
	base := at(98, 100, 100, 103)
	for _, c := range []struct {
		now  []Process
		want Verdict
	}{
		{at(99, 101, 100, 130), Neutral}, // one link order is slower
		{at(106, 108, 104, 107), Red},
		{at(99, 108, 109, 107), Neutral}, // the median is slower, one link order is not
		{at(80, 82, 81, 83), Green},
	} {
		v, _, _ := judgeFloors(linkOrders, base, c.now, 0.05)
		assert.Equal(t, c.want, v, fmt.Sprint(c.now))
	}
}

func sampled(build string, floor float64, allocs, bytes uint64) *File {
	p := DefaultSampling()
	p.Rounds = 3
	return &File{
		GoVersion: "go1.26.8", Platform: "linux/amd64", Plan: &p,
		Environment: map[string]any{"build": build, "cpu": "X", "gomaxprocs": 2, "yardstick_floor_ns": 1.0},
		Results: []Result{{
			Name: "a", MeanTime: 1, BytesPerOp: &bytes, AllocsPerOp: &allocs,
			Processes: []Process{{RoundMin: []float64{floor, floor, floor}}, {RoundMin: []float64{floor, floor, floor}}},
		}},
	}
}

func verdictOf(t *testing.T, old, now *File) Change {
	t.Helper()
	c, err := Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	return c.Changes[0]
}

func TestSampledFilesAreJudgedByTheirFloors(t *testing.T) {
	now := sampled("x", 112, 5, 1000)
	now.Results[0].MeanTime = 0.5
	change := verdictOf(t, sampled("x", 100, 5, 1000), now)
	assert.Equal(t, Red, change.Verdict)
	assert.Equal(t, ByFloor, change.Basis)
	assert.InDelta(t, 1.12, *change.Ratio, 1e-12)
	own := 0.2
	now.Results[0].Threshold = &own
	change = verdictOf(t, sampled("x", 100, 5, 1000), now)
	assert.Equal(t, Neutral, change.Verdict, "the scenario's own threshold counts")
	assert.Equal(t, 0.2, change.Threshold)
}

func TestMemoryIsJudgedWithoutStatistics(t *testing.T) {
	for _, c := range []struct {
		allocs, bytes uint64
		want          Verdict
	}{
		{5, 1000, Neutral}, {6, 1000, Red}, {5, 1016, Neutral}, {5, 1017, Red}, {4, 500, Neutral},
	} {
		change := verdictOf(t, sampled("x", 100, 5, 1000), sampled("x", 100, c.allocs, c.bytes))
		assert.Equal(t, c.want, change.Verdict, "%d allocations, %d bytes", c.allocs, c.bytes)
	}
	change := verdictOf(t, sampled("x", 100, 5, 100_000), sampled("x", 100, 5, 101_000))
	assert.Equal(t, Neutral, change.Verdict, "one percent is allowed")
	change = verdictOf(t, sampled("x", 100, 5, 100_000), sampled("x", 100, 5, 101_001))
	assert.Equal(t, Red, change.Verdict)
	assert.Equal(t, "101001 bytes per call, before 100000", change.Reason)
}

func TestFilesFromDifferentConditionsAreNotComparable(t *testing.T) {
	for name, change := range map[string]func(*File){
		"platform":   func(f *File) { f.Platform = "linux/arm64" },
		"go":         func(f *File) { f.GoVersion = "go1.27.1" },
		"cpu":        func(f *File) { f.Environment["cpu"] = "Y" },
		"gomaxprocs": func(f *File) { f.Environment["gomaxprocs"] = 4 },
		"plan":       func(f *File) { f.Plan.Rounds = 10 },
	} {
		now := sampled("x", 300, 5, 1000)
		change(now)
		c, err := Compare(sampled("x", 100, 5, 1000), now, DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, NotComparable, c.Changes[0].Verdict, name)
		assert.NotEmpty(t, c.Changes[0].Reason)
		assert.Equal(t, 100.0, *c.Changes[0].OldFloor, "both floors are kept")
		assert.Equal(t, 300.0, *c.Changes[0].NewFloor)
	}
	patch := sampled("x", 100, 5, 1000)
	patch.GoVersion = "go1.26.9"
	patch.Plan.Processes = 4
	patch.Environment["gomaxprocs"] = 2.0 // as read from JSON
	assert.Equal(t, Neutral, verdictOf(t, sampled("x", 100, 5, 1000), patch).Verdict)
}

func TestMemoryIsComparableWhereTimesAreNot(t *testing.T) {
	now := sampled("x", 100, 6, 1000)
	now.Environment["cpu"] = "Y"
	assert.Equal(t, Red, verdictOf(t, sampled("x", 100, 5, 1000), now).Verdict)
	now.Platform = "linux/arm64"
	assert.Equal(t, NotComparable, verdictOf(t, sampled("x", 100, 5, 1000), now).Verdict, "another architecture allocates differently")
}

func TestAChangedSpeedOfTheMachineIsANote(t *testing.T) {
	now := sampled("x", 100, 5, 1000)
	now.Environment["yardstick_floor_ns"] = 1.2
	c, err := Compare(sampled("x", 100, 5, 1000), now, DefaultThreshold)
	require.NoError(t, err)
	require.Len(t, c.Notes, 1)
	assert.Contains(t, c.Notes[0], "the speed of the machine differs by +20.0 %")
}

func TestGoReleaseLeavesOutThePatchVersion(t *testing.T) {
	for version, want := range map[string]string{"go1.26.8": "go1.26", "go1.26": "go1.26", "go1.27rc1": "go1.27", "go1.26.8 X:foo": "go1.26", "": "",
		"devel go1.27-abcdef Mon Jan 2 15:04:05 2026 +0000": "go1.27", "devel go1.28-123": "go1.28", "go1.26-custom": "go1.26", "gccgo 14": "gccgo 14"} {
		assert.Equal(t, want, goRelease(version))
	}
}
