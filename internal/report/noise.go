package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"omniloader/internal/bench"
)

// Noise writes the error rates of verdicts on a machine as a table for people.
func Noise(w io.Writer, n *bench.Noise, opts Options) error {
	p := &printer{w: w, opts: opts}
	t := plainTable()
	t.AppendHeader(table.Row{p.styled(styleHeading, "what happened"), p.styled(styleHeading, "by floors"), p.styled(styleHeading, "by means")})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight},
	})
	row := func(what string, ours, naive bench.Rate) {
		if ours.Of > 0 {
			t.AppendRow(table.Row{what, rateText(ours), rateText(naive)})
		}
	}
	row("unchanged, called slower", n.Unchanged.Benchmarks, n.ByMean.Benchmarks)
	row("unchanged, called faster", n.Unchanged.Green, n.ByMean.Green)
	row("unchanged, unconverged", n.Unchanged.Unconverged, bench.Rate{})
	row("unchanged, runs with any red", n.Unchanged.Suites, n.ByMean.Suites)
	row("unchanged beside busy loops, called slower", n.Busy.Benchmarks, n.BusyByMean.Benchmarks)
	row("unchanged beside busy loops, runs with any red", n.Busy.Suites, n.BusyByMean.Suites)
	row("unchanged beside busy loops, unconverged", n.Busy.Unconverged, bench.Rate{})
	for _, power := range n.Power {
		row(fmt.Sprintf("slowed by %.0f %% (measured %.1f %%), found", power.Slowdown*100, power.Measured*100), power.Found, power.FoundByMean)
	}
	if n.MemoryExact.Of > 0 {
		t.AppendRow(table.Row{"bytes and allocations the same in every process", rateText(n.MemoryExact), fmt.Sprintf("%d processes", n.MemoryProcesses)})
	}
	p.table(t)
	p.line("")
	for _, text := range n.MemoryInexact {
		p.paragraph("", styleWarning, "memory differs: "+oneLine(text))
	}
	for _, reds := range []struct {
		where string
		of    map[string]int
	}{{"", n.Unchanged.Reds}, {" beside busy loops", n.Busy.Reds}} {
		if len(reds.of) > 0 {
			p.paragraph("", styleFaint, "unchanged"+reds.where+", called slower: "+mostFrequent(reds.of))
		}
	}
	p.line(fmt.Sprintf("%d benchmarks, %d processes of %.1f s, %.0f %% of it inside operations; threshold ±%g %%",
		n.Benchmarks, n.Processes, n.ProcessSeconds, n.InOperationsShare*100, n.Threshold*100))
	p.paragraph("", styleFaint, evidence(n))
	budget := fmt.Sprintf("a comparison takes %.0f s, of which %.0f s are rounds in %d processes, and about as long again where something looks slower (%s before confirmation)",
		n.RunSeconds, float64(n.Plan.Processes)*n.ProcessSeconds, n.Plan.Processes, rateText(n.BeforeConfirmation))
	p.paragraph("", styleFaint, budget)
	return p.err
}

// mostFrequent lists names with their counts, the most frequent first: "a 3 times, b once and
// 2 more".
func mostFrequent(counts map[string]int) string {
	const maxNames = 5
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	texts := make([]string, len(names))
	for i, name := range names {
		times := fmt.Sprintf("%d times", counts[name])
		if counts[name] == 1 {
			times = "once"
		}
		texts[i] = oneLine(name) + " " + times
	}
	return firstNames(texts, maxNames)
}

// evidence says how exact the rates of false alarms are.
func evidence(n *bench.Noise) string {
	u := n.Unchanged
	text := fmt.Sprintf("%d runs make %d comparisons, of which %d share no run; red benchmarks %.2f %%, standard error %.2f %% over the runs (by means %.1f %%, standard error %.1f %%)",
		n.Runs, u.Suites.Of, u.IndependentComparisons, u.Benchmarks.Share()*100, u.StandardError*100, n.ByMean.Benchmarks.Share()*100, n.ByMean.StandardError*100)
	if u.Suites.Count == 0 {
		text += fmt.Sprintf("; no run with any red among %d says: in at most %.0f %% of runs, at 95 %% confidence", u.IndependentComparisons, u.SuitesAtMost*100)
	}
	return text
}

// NoiseJSON writes the same as indented JSON.
func NoiseJSON(w io.Writer, n *bench.Noise) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(n)
}

// rateText writes a count with its share: "3 of 1860 (0.16 %)".
func rateText(r bench.Rate) string {
	if r.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d (%.3g %%)", r.Count, r.Of, r.Share()*100)
}
