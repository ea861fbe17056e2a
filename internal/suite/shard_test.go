package suite

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	builtinfeatures "omniloader/features"
	"omniloader/internal/builtin"
	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/runfile"
	"omniloader/steps"
)

// builtinPlan selects all built-in scenarios.
func builtinPlan(t *testing.T) *Plan {
	t.Helper()
	loaded, err := LoadFS(t.Context(), builtinfeatures.FS, "features")
	require.NoError(t, err)
	return selectAll(t, loaded)
}

// shardsOf gives all shards of a plan.
func shardsOf(p *Plan, total int, durations *runfile.Durations) []*Plan {
	all := make([]*Plan, total)
	for i := range all {
		all[i] = p.Shard(runfile.Shard{Index: i + 1, Total: total}, durations)
	}
	return all
}

// shardByID gives the shard, from 1, that has each scenario of a plan, by its id.
func shardByID(t *testing.T, p *Plan, total int, durations *runfile.Durations) map[string]int {
	t.Helper()
	found := map[string]int{}
	identities := p.newRecords(nil).identities
	for i, units := range p.divide(total, durations) {
		for _, u := range units {
			for _, s := range u.scenarios {
				id := identities[s].ID()
				assert.Zero(t, found[id], "%s is in two shards", s.Name)
				found[id] = i + 1
			}
		}
	}
	return found
}

func TestShardsHaveEachScenarioOnce(t *testing.T) {
	p := builtinPlan(t)
	n := len(p.Scenarios())
	for _, total := range []int{1, 2, 3, 8, 64, n + 10} {
		of := shardByID(t, p, total, nil)
		assert.Len(t, of, n, "%d shards", total)
		used := map[int]bool{}
		for _, shard := range of {
			used[shard] = true
		}
		if total < n {
			assert.Len(t, used, total, "none of %d shards is empty", total)
		}
	}
	chosen := 0
	for _, part := range shardsOf(p, 3, nil) {
		chosen += len(part.Scenarios())
	}
	assert.Equal(t, n, chosen)
}

func TestTheDivisionDoesNotDependOnTheOrder(t *testing.T) {
	texts := map[string]string{}
	for i := range 20 {
		texts[fmt.Sprintf("f%d.feature", i)] = fmt.Sprintf("Feature: f\n  Scenario: a\n    When it passes\n\n  Scenario Outline: b <n>\n    When it passes\n\n    Examples:\n      | n |\n      | 1 |\n      | %d |\n", i+2)
	}
	fs := features(t, texts)
	want := shardByID(t, selectAll(t, fs), 4, nil)
	require.Len(t, want, 60)
	slices.Reverse(fs)
	assert.Equal(t, want, shardByID(t, selectAll(t, fs), 4, nil), "files in another order")
	for name, text := range texts {
		texts[name] = "# a comment\n\n" + text
	}
	assert.Equal(t, want, shardByID(t, selectAll(t, features(t, texts)), 4, nil), "scenarios on other lines")
	shards := map[int]bool{}
	for _, s := range selectAll(t, fs).Scenarios() {
		if s.URI == "f7.feature" {
			shards[want[runfile.Identity{File: s.URI, Name: s.Name, Row: s.row}.ID()]] = true
		}
	}
	assert.Greater(t, len(shards), 1, "rows of an outline can be in several shards")
}

const relativeBounds = `Feature: f
  @benchmark:first
  Scenario: first
    Given the checkpoint "gpt2"
    When the model info is read
    Then the model is supported

  @benchmark:second
  Scenario: second
    Given the checkpoint "gpt2"
    When the model info is read
    Then the median latency is below 20 times that of "first"

  @benchmark:third
  Scenario: third
    Given the checkpoint "gpt2"
    When the model info is read
    Then the median latency is below 20 times that of "second"
`

func TestScenariosThatNeedEachOtherAreInOneShard(t *testing.T) {
	text := relativeBounds
	for i := range 30 {
		text += fmt.Sprintf("\n  @benchmark:other_%d\n  Scenario: other %d\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n", i/2, i)
	}
	p := selectAll(t, features(t, map[string]string{"a.feature": text}))
	for _, total := range []int{2, 3, 7, 40} {
		of := map[string]int{}
		for i, part := range shardsOf(p, total, nil) {
			for _, s := range part.Scenarios() {
				of[s.Name] = i + 1
			}
		}
		assert.Equal(t, of["first"], of["second"], "%d shards", total)
		assert.Equal(t, of["first"], of["third"], "%d shards", total)
		for i := 0; i < 30; i += 2 { // two benchmarks of one name: the second cannot be judged, in a shard too
			assert.Equal(t, of[fmt.Sprintf("other %d", i)], of[fmt.Sprintf("other %d", i+1)])
		}
	}
}

func TestShardsAreBalancedByDurations(t *testing.T) {
	p := builtinPlan(t)
	durations := &runfile.Durations{ByID: map[string]time.Duration{}}
	var all time.Duration
	i := 0
	for _, identity := range p.newRecords(nil).identities {
		d := time.Duration(1+i%97) * time.Millisecond
		i++
		durations.ByID[identity.ID()] = d
		all += d
	}
	of := shardByID(t, p, 8, durations)
	loads := map[int]time.Duration{}
	for id, shard := range of {
		loads[shard] += durations.ByID[id]
	}
	for shard, load := range loads {
		assert.InDelta(t, float64(all)/8, float64(load), float64(100*time.Millisecond), "shard %d", shard)
	}
	assert.NotEqual(t, of, shardByID(t, p, 8, nil))

	// One that takes as long as all others together is alone, and one of which nothing is
	// known is taken to last as long as most of its kind.
	fs := features(t, map[string]string{"a.feature": "Feature: f\n  Scenario: long\n    When it passes\n  Scenario: b\n    When it passes\n  Scenario: c\n    When it passes\n  Scenario: new\n    When it passes\n"})
	byName := func(name string) string { return runfile.Identity{File: "a.feature", Name: name}.ID() }
	durations = &runfile.Durations{ByID: map[string]time.Duration{byName("long"): 3 * time.Second, byName("b"): time.Second, byName("c"): time.Second}}
	of = shardByID(t, selectAll(t, fs), 2, durations)
	for _, name := range []string{"b", "c", "new"} {
		assert.NotEqual(t, of[byName("long")], of[byName(name)], name)
	}
}

func TestTheProblemsOfAFileAreInOneShard(t *testing.T) {
	p := selectAll(t, features(t, map[string]string{
		"a.feature": "Feature: f\n  Scenario: a\n    When it passes\n  Scenario: b\n    When it passes\n  Scenario: c\n    When it passes\n",
		"b.feature": "Feature: f\n  Scenario: a\n    Given x\n    Nonsense\n",
	}))
	problems := 0
	for _, part := range shardsOf(p, 4, nil) {
		for _, f := range part.RunFileFeatures() {
			problems += len(f.Problems)
		}
	}
	assert.Equal(t, 1, problems)
}

func TestAShardKeepsPositionsAndIdentitiesOfThePlan(t *testing.T) {
	p := selectAll(t, featureOf(t, "Feature: f", "  Scenario: twin", "    When it passes", "  Scenario: twin", "    When it passes", "  Scenario: twin", "    When it passes"))
	whole := p.newRecords(nil)
	ids := map[string]bool{}
	for _, part := range shardsOf(p, 3, nil) {
		r := part.newRecords(nil)
		assert.Equal(t, whole.identities, r.identities)
		assert.Equal(t, whole.positions, r.positions)
		assert.Equal(t, p.PlanHash(), part.PlanHash())
		assert.Equal(t, p.FeaturesHash(), part.FeaturesHash())
		for _, s := range part.Scenarios() {
			ids[r.identities[s].ID()] = true
		}
	}
	assert.Len(t, ids, 3)
	changed := selectAll(t, featureOf(t, "Feature: f", "  Scenario: twin", "    When it fails", "  Scenario: twin", "    When it passes", "  Scenario: twin", "    When it passes"))
	assert.Equal(t, p.PlanHash(), changed.PlanHash())
	assert.NotEqual(t, p.FeaturesHash(), changed.FeaturesHash(), "a step is another")
}

func TestAShardOfRealScenariosAloneIsSkippedWithoutAModel(t *testing.T) {
	y := newFakeSteps()
	plan := func(fs []*Feature) *Plan {
		p := selectAll(t, fs)
		p.steps = y.stepLibrary
		return p
	}
	mixed := plan(featureOf(t, "Feature: f", "  @real", "  Scenario: real", "    When it passes", "  Scenario: other", "    When it passes"))
	scenarios := 0
	for _, part := range shardsOf(mixed, 2, nil) {
		run, err := part.Run(t.Context(), Options{Setup: &steps.Setup{}})
		require.NoError(t, err)
		scenarios += run.Totals().Scenarios
	}
	assert.Equal(t, 2, scenarios)
	onlyReal := plan(featureOf(t, "Feature: f", "  @real", "  Scenario: real", "    When it passes", "  @real", "  Scenario: other", "    When it passes"))
	for _, part := range shardsOf(onlyReal, 2, nil) {
		_, err := part.Run(t.Context(), Options{Setup: &steps.Setup{}})
		assert.ErrorContains(t, err, "needs a real checkpoint")
	}
}

// runInto runs a plan with the built-in loader, and gives the run file.
func runInto(t *testing.T, p *Plan, shard *runfile.Shard) *runfile.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := runfile.Create(path, runfile.Header{
		Started: time.Now(), Selection: runfile.Selection{Shard: shard}, Planned: len(p.Scenarios()),
		PlanHash: p.PlanHash(), FeaturesHash: p.FeaturesHash(), LeftOut: p.LeftOut(),
	}, p.RunFileFeatures(), func(err error) { assert.NoError(t, err) })
	require.NoError(t, err)
	run, err := p.Run(t.Context(), Options{Setup: &steps.Setup{Loader: builtin.New("")}, Jobs: 2, RunFile: w})
	require.NoError(t, err)
	w.Finish(run)
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	require.Empty(t, file.Notes())
	return file
}

// withoutTimes sets all times of a run to zero.
func withoutTimes(run *outcome.Run) *outcome.Run {
	run.Started, run.Duration = time.Time{}, 0
	for i := range run.Features {
		for j := range run.Features[i].Scenarios {
			s := &run.Features[i].Scenarios[j]
			s.Started, s.Duration = time.Time{}, 0
			for k := range s.Steps {
				s.Steps[k].Started, s.Steps[k].Duration = time.Time{}, 0
			}
		}
	}
	return run
}

// The functional built-in scenarios, and some that fail or cannot be judged, divided into
// eight shards and merged, are the undivided run in every report.
func TestMergedShardsAreTheUndividedRun(t *testing.T) {
	loaded, err := LoadFS(t.Context(), builtinfeatures.FS, "features")
	require.NoError(t, err)
	loaded = append(loaded, features(t, map[string]string{
		"broken/torn.feature": "Feature: torn\n  Scenario: a\n    Given x\n    Nonsense\n",
		"broken/wrong.feature": `Feature: wrong
  Scenario: fails
    Given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "Other"
    And the architecture is "Another"

  Scenario: undefined
    Given nobody

  Scenario: without a step

  @wip
  Scenario: unfinished
    Given nobody
`})...)
	p := selectAll(t, loaded)
	leftOut := p.LeftOut()
	require.NotEmpty(t, leftOut)
	n := 0
	p = p.Keep(func(s *Scenario) bool { // every third one, and all of those above
		n++
		return !p.measured(s) && (n%3 == 0 || strings.HasPrefix(s.URI, "broken/"))
	})
	p.leftOut = leftOut
	require.Greater(t, len(p.Scenarios()), 200)

	whole := runInto(t, p, nil)
	var parts []runfile.Part
	for i, part := range shardsOf(p, 8, nil) {
		shard := runfile.Shard{Index: i + 1, Total: 8}
		parts = append(parts, runfile.Part{Path: shard.String(), File: runInto(t, part, &shard)})
	}
	slices.SortFunc(parts, func(a, b runfile.Part) int { return cmp.Compare(b.Path, a.Path) }) // whatever their order
	merged, err := runfile.Merge(parts)
	require.NoError(t, err)
	assert.Equal(t, whole.Header.Planned, merged.Header.Planned)
	assert.Equal(t, whole.End.Statuses, merged.End.Statuses)
	want, got := withoutTimes(whole.ToOutcome()), withoutTimes(merged.ToOutcome())
	assert.Equal(t, want, got)
	assert.Equal(t, Unjudged(want), Unjudged(got))
	assert.Equal(t, 1, got.Totals().Failed)
	assert.Equal(t, 2, got.Totals().Unjudged)
	for _, f := range report.Formats() {
		var of [2]bytes.Buffer
		require.NoError(t, f.Render(&of[0], want, report.Options{}))
		require.NoError(t, f.Render(&of[1], got, report.Options{}))
		assert.True(t, of[0].String() == of[1].String(), "%s differs", f.Name)
	}
	var text bytes.Buffer
	require.NoError(t, report.Pretty(&text, got, report.Options{}))
	assert.Contains(t, text.String(), "could not be judged")
}
