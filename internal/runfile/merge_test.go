package runfile

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

// shardsOfSample divides the run of the sample into so many shards, as if they had run
// one after the other, a second apart, on machines of their own.
func shardsOfSample(t testing.TB, total int) []Part {
	t.Helper()
	whole := FromOutcome(sample(t), sampleHeader(), sampleDetails)
	whole.Comparison = nil
	parts := make([]Part, total)
	for i := range parts {
		h := whole.Header
		h.RunID = fmt.Sprintf("run%d", i+1)
		h.Selection.Shard = &Shard{Index: i + 1, Total: total}
		h.Started = whole.Header.Started.Add(time.Duration(i) * time.Second)
		h.Host.Environment = map[string]any{"cpu": "AMD EPYC 7763", "hostname": fmt.Sprintf("node-%d", i)}
		h.Planned = 0
		file := &File{Header: h, End: &End{Duration: 2 * time.Second, Statuses: map[outcome.Status]int{}}}
		file.End.Ended = h.Started.Add(file.End.Duration)
		for j, f := range whole.Features {
			f.Problems = nil
			if j%total == i {
				f.Problems = whole.Features[j].Problems
			}
			file.Features = append(file.Features, f)
		}
		for j, s := range whole.Scenarios {
			if j%total == i {
				file.Scenarios = append(file.Scenarios, s)
			}
		}
		file.Header.Planned, file.End.Scenarios = len(file.Scenarios), len(file.Scenarios)
		parts[i] = Part{Path: fmt.Sprintf("shard-%d.json", i+1), File: written(t, file)}
	}
	return parts
}

func TestMergeKeepsWhatWasPlanned(t *testing.T) {
	parts := shardsOfSample(t, 2)
	parts[0].File.Header.PlanIDs = []string{"a", "on two models", "on two models", "left out"}
	parts[1].File.Header.PlanIDs = []string{"b", "left out", "a"}
	merged, err := Merge(parts)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "on two models", "on two models", "left out", "b"}, merged.Header.PlanIDs)
}

func TestMergeMakesOneRunOfItsShards(t *testing.T) {
	parts := shardsOfSample(t, 3)
	parts[0], parts[2] = parts[2], parts[0]
	merged, err := Merge(parts)
	require.NoError(t, err)
	h := merged.Header
	assert.Nil(t, h.Selection.Shard)
	assert.Equal(t, 12, h.Planned)
	assert.Equal(t, 12, merged.End.Scenarios)
	assert.Equal(t, began, h.Started, "the earliest")
	assert.Equal(t, 4*time.Second, merged.End.Duration, "up to the latest end")
	assert.Equal(t, map[string]any{"cpu": "AMD EPYC 7763"}, h.Host.Environment, "what all hosts have in common")
	require.Len(t, h.Shards, 3)
	for i, s := range h.Shards {
		assert.Equal(t, i+1, s.Index)
		assert.Equal(t, fmt.Sprintf("run%d", i+1), s.RunID)
		assert.Equal(t, fmt.Sprintf("node-%d", i), s.Host.Environment["hostname"])
		assert.Equal(t, 4, s.Planned)
	}
	assert.Equal(t, []LeftOut{{Reason: "@wip", Count: 3}}, h.LeftOut, "of all shards together, once")
	assert.Empty(t, merged.Notes())

	run, want := merged.ToOutcome(), sample(t)
	want.Started, want.Duration, want.Comparison, want.Problems = run.Started, run.Duration, nil, nil
	want.LeftOut, want.Origin = run.LeftOut, run.Origin
	for _, f := range want.Features {
		for i := range f.Scenarios {
			f.Scenarios[i].Change = nil
		}
	}
	assert.Equal(t, renderings(t, want), renderings(t, run))
	assert.Equal(t, renderings(t, run), renderings(t, written(t, merged).ToOutcome()))

	again, err := Merge([]Part{{Path: "merged.json", File: merged}})
	require.NoError(t, err)
	assert.Equal(t, merged, again, "a single file is given back")
}

func TestMergeSaysWhichShardsAreMissing(t *testing.T) {
	parts := shardsOfSample(t, 4)
	merged, err := Merge([]Part{parts[3], parts[1]})
	require.NoError(t, err)
	require.Len(t, merged.End.Problems, 1)
	assert.EqualValues(t, "shards 1, 3 of 4: no run file", merged.End.Problems[0].Message)
	assert.Len(t, merged.Scenarios, 6, "what is there is kept")
	assert.Len(t, merged.ToOutcome().Problems, 1)

	parts = shardsOfSample(t, 1)
	parts[0].File.Header.Selection.Shard.Total = 900
	merged, err = Merge(parts)
	require.NoError(t, err)
	assert.Contains(t, merged.End.Problems[0].Message, "shards 2, 3, 4,")
	assert.Contains(t, merged.End.Problems[0].Message, " and 879 more of 900: no run file")
}

func TestMergeSaysWhichShardsDidNotComeToTheirEnd(t *testing.T) {
	parts := shardsOfSample(t, 3)
	parts[0].File.End, parts[0].File.Cut = nil, true
	parts[0].File.Header.Planned = 9
	parts[1].File.End.Interrupted = true
	parts[2].File.End.Lost = 2
	merged, err := Merge(parts)
	require.NoError(t, err)
	var messages []string
	for _, p := range merged.End.Problems {
		messages = append(messages, string(p.Message))
		assert.Contains(t, p.Hint, "run this shard again")
	}
	assert.Equal(t, []string{
		"shard 1/3, shard-1.json: the last record was cut off and is left out",
		"shard 1/3, shard-1.json: the run did not come to its end: 4 of 9 scenarios had ended",
		"shard 2/3, shard-2.json: the run was interrupted: 4 of 4 scenarios had ended",
		"shard 3/3, shard-3.json: 2 records could not be written",
	}, messages)
	assert.True(t, merged.End.Interrupted)
	assert.Len(t, merged.Scenarios, 12)

	// so does the file of an undivided run
	file := FromOutcome(sample(t), Header{}, nil)
	file.End = nil
	merged, err = Merge([]Part{{"a.json", file}})
	require.NoError(t, err)
	require.Len(t, merged.End.Problems, 1)
	assert.EqualValues(t, "a.json: the run did not come to its end: 12 of 12 scenarios had ended", merged.End.Problems[0].Message)
	assert.True(t, merged.ToOutcome().Interrupted)
	assert.Nil(t, file.End, "the given file is not changed")
}

func TestMergeRefusesWhatDoesNotBelongTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(parts []Part) []Part
		want   string
	}{
		"a shard of two runs": {func(p []Part) []Part { p[1].File.Header.Selection.Shard.Index = 1; return p }, "shard-1.json and shard-2.json both have shard 1/3: two runs"},
		"a file twice":        {func(p []Part) []Part { return append(p, Part{"copy.json", p[2].File}) }, "shard-3.json and copy.json both have shard 3/3: one run, twice"},
		"an undivided run": {func(p []Part) []Part { p[0].File.Header.Selection.Shard = nil; return p },
			"shard-1.json: this run was not divided into shards"},
		"another division": {func(p []Part) []Part { p[2].File.Header.Selection.Shard.Total = 4; return p },
			"shard-3.json: not a shard of the same run as shard-1.json: the number of shards: 4 here, 3 there"},
		"another plan, the first": {func(p []Part) []Part { p[0].File.Header.PlanHash = "x"; return p },
			"shard-1.json: not a shard of the same run as shard-2.json: the selected scenarios differ"},
		"other features": {func(p []Part) []Part { p[1].File.Header.FeaturesHash = "x"; return p },
			"shard-2.json: not a shard of the same run as shard-1.json: the feature files differ"},
		"other durations": {func(p []Part) []Part { p[1].File.Header.Selection.Shard.DurationsHash = "x"; return p },
			"shard-2.json: not a shard of the same run as shard-1.json: the shards were divided by other durations"},
		"another version and other tags": {func(p []Part) []Part {
			p[1].File.Header.Version, p[1].File.Header.Selection.Tags = "v9", ""
			return p
		}, `shard-2.json: not a shard of the same run as shard-1.json: the version of omniloader: v9 here, v1.2.3 there; the tags: none here, not @slow there`},
		"another commit":    {func(p []Part) []Part { p[1].File.Header.Commit = "abc"; return p }, "the commit: abc here, 0123456789abcdef there"},
		"a shard of none":   {func(p []Part) []Part { p[1].File.Header.Selection.Shard = &Shard{Index: 7, Total: 3}; return p }, "shard-2.json: there is no shard 7/3"},
		"far too many":      {func(p []Part) []Part { p[1].File.Header.Selection.Shard = &Shard{Index: 7, Total: 1 << 40}; return p }, "shard-2.json: there is no shard 7/1099511627776"},
		"a scenario of two": {func(p []Part) []Part { p[1].File.Scenarios[0] = p[0].File.Scenarios[0]; return p }, `shard-1.json and shard-2.json both have the scenario "Llama is recognised"`},
	} {
		t.Run(name, func(t *testing.T) {
			merged, err := Merge(tt.change(shardsOfSample(t, 3)))
			assert.Nil(t, merged)
			var problems outcome.Problems
			require.ErrorAs(t, err, &problems)
			assert.Contains(t, err.Error(), tt.want)
			assert.NotEmpty(t, problems[0].Advice)
			assert.Len(t, problems, 1)
		})
	}
}

func TestDurationsAreThoseOfTheLastRecordOfAllModels(t *testing.T) {
	file := FromOutcome(sample(t), Header{RunID: "x"}, nil)
	first := file.Scenarios[0]
	again, onModel := first, first
	again.Duration = 3 * time.Second
	onModel.Model, onModel.Duration = "/models/x", 4*time.Second
	file.Scenarios = append(file.Scenarios, again, onModel)
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, file.Write(path))
	d, err := ReadDurations(path)
	require.NoError(t, err)
	assert.Len(t, d.ByID, 12)
	assert.Equal(t, 7*time.Second, d.ByID[first.ID])
	assert.Equal(t, file.Scenarios[1].Duration, d.ByID[file.Scenarios[1].ID])
	assert.Len(t, d.Hash, 64)

	copied := filepath.Join(t.TempDir(), "sub", "copy.json")
	require.NoError(t, file.Write(copied))
	same, err := ReadDurations(copied)
	require.NoError(t, err)
	assert.Equal(t, d, same)
	file.Scenarios[3].Duration++
	require.NoError(t, file.Write(copied))
	other, err := ReadDurations(copied)
	require.NoError(t, err)
	assert.NotEqual(t, d.Hash, other.Hash)

	file.Scenarios = nil
	require.NoError(t, file.Write(copied))
	_, err = ReadDurations(copied)
	assert.ErrorIs(t, err, ErrNoDurations)
	assert.ErrorContains(t, err, "no scenario has ended in it")
	_, err = ReadDurations(filepath.Join(t.TempDir(), "none.json"))
	assert.ErrorContains(t, err, "there is no such file")
}

// Whatever the headers say, files are merged or refused.
func FuzzMerge(f *testing.F) {
	f.Add(3, 3, 1, 2, 3, "a", "a")
	f.Add(2, 1<<40, -1, 0, 2, "", "b")
	f.Fuzz(func(t *testing.T, total, otherTotal, a, b, c int, hash, otherHash string) {
		part := func(index, total int, hash string) Part {
			return Part{Path: "x.json", File: &File{Header: Header{PlanHash: hash, Selection: Selection{Shard: &Shard{Index: index, Total: total}}}, Features: []Feature{{URI: "a.feature"}}}}
		}
		merged, err := Merge([]Part{part(a, total, hash), part(b, otherTotal, otherHash), part(c, total, hash)})
		if (merged == nil) == (err == nil) {
			t.Fatal(merged, err)
		}
		if err == nil {
			merged.ToOutcome()
		}
	})
}
