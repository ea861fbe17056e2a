package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"omniloader/internal/quantity"
	"omniloader/internal/runfile"
	"omniloader/internal/suite"
)

// usageFlags are the flags of steps that ask where steps are used.
type usageFlags struct {
	usage, unused bool
	runFile       string
}

// stepUsage is what "steps --usage --json" prints for a step.
type stepUsage struct {
	Keyword  string    `json:"keyword"`
	Pattern  string    `json:"pattern"`
	Example  string    `json:"example"`
	Location string    `json:"location"`
	Mean     *float64  `json:"mean_seconds,omitempty"`  // of the uses whose duration is known
	Total    *float64  `json:"total_seconds,omitempty"` // the same
	Uses     []stepUse `json:"uses"`                    // slowest first
}

// stepUse is a step of a scenario.
type stepUse struct {
	URI      string   `json:"uri"`
	Line     int      `json:"line"`
	Scenario string   `json:"scenario"`
	Text     string   `json:"text"`
	Seconds  *float64 `json:"duration_seconds,omitempty"` // in the run file, where it is there
}

// showUsage prints the steps that scenarios use, slowest first, or those that none uses.
func (p *program) showUsage(ctx context.Context, f *usageFlags, paths []string, asJSON bool) error {
	loaded, err := loadFeatures(ctx, paths)
	if err != nil {
		return err
	}
	usages, unclear := suite.Usage(loaded)
	if unclear > 0 {
		p.note("%s undefined or ambiguous; omniloader run --dry-run says which", quantity.Count(unclear, "step")+map[bool]string{true: " is", false: " are"}[unclear == 1])
	}
	if f.unused {
		return p.showUnused(usages, asJSON)
	}
	durations, err := p.stepDurations(f.runFile, paths)
	if err != nil {
		return err
	}
	entries := usageEntries(usages, durations)
	if asJSON {
		return printJSON(p, entries...)
	}
	unused := 0
	for _, e := range entries {
		if len(e.Uses) == 0 {
			unused++
			continue
		}
		p.printUsage(e)
	}
	if unused > 0 {
		fmt.Fprintf(p.out, "not used: %s; --unused lists them\n", quantity.Count(unused, "step"))
	}
	return nil
}

// showUnused prints the steps that no scenario uses.
func (p *program) showUnused(usages []suite.StepUsage, asJSON bool) error {
	var entries []stepEntry
	for _, u := range usages {
		if len(u.Uses) == 0 {
			entries = append(entries, stepEntry(u.Definition))
		}
	}
	if asJSON {
		return printJSON(p, entries...)
	}
	for _, e := range entries {
		fmt.Fprintf(p.out, "%s %s\n", e.Keyword, strings.ReplaceAll(e.Example, "\n", "\n  "))
	}
	if len(entries) == 0 {
		p.note("every step is used")
	}
	return nil
}

// usageEntries gives the steps by the mean of their durations, slowest first, then by how
// often they are used.
func usageEntries(usages []suite.StepUsage, durations stepDurations) []stepUsage {
	var entries []stepUsage
	for _, u := range usages {
		e := stepUsage{Keyword: u.Keyword, Pattern: u.Pattern, Example: u.Example, Location: u.Location, Uses: []stepUse{}}
		total, known := 0.0, 0
		for _, use := range u.Uses {
			step := use.Scenario.Steps[use.Index]
			s := stepUse{URI: use.Scenario.URI, Line: step.Line, Scenario: use.Scenario.Name, Text: step.Text}
			if d, ok := durations[stepPlace{use.Scenario.URI, use.Scenario.Line, use.Index, step.Text}]; ok {
				seconds := d.Seconds()
				s.Seconds = &seconds
				total += seconds
				known++
			}
			e.Uses = append(e.Uses, s)
		}
		if known > 0 {
			mean := total / float64(known)
			e.Mean, e.Total = &mean, &total
		}
		slices.SortStableFunc(e.Uses, func(a, b stepUse) int { return cmp.Compare(secondsOf(b.Seconds), secondsOf(a.Seconds)) })
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b stepUsage) int {
		return cmp.Or(cmp.Compare(secondsOf(b.Mean), secondsOf(a.Mean)), cmp.Compare(len(b.Uses), len(a.Uses)))
	})
	return entries
}

// secondsOf is a duration for sorting: one that is not known is the shortest.
func secondsOf(seconds *float64) float64 {
	if seconds == nil {
		return -1
	}
	return *seconds
}

// printUsage prints a step with the scenarios in which it took longest.
func (p *program) printUsage(e stepUsage) {
	const most = 5 // scenarios; --json has all of them
	fmt.Fprintf(p.out, "%s\n", p.bold(e.Keyword+" "+strings.SplitN(e.Example, "\n", 2)[0]))
	line := quantity.Count(len(e.Uses), "use")
	if e.Mean != nil {
		line += fmt.Sprintf(", mean %s, total %s", quantity.FormatDuration(*e.Mean), quantity.FormatDuration(*e.Total))
	}
	fmt.Fprintf(p.out, "  %s  (%s)\n", line, e.Location)
	lines := linesOf(e.Uses)
	for _, use := range lines[:min(most, len(lines))] {
		duration := ""
		if use.Seconds != nil {
			duration = quantity.FormatDuration(*use.Seconds)
		}
		text := fmt.Sprintf("    %-8s  %s:%d  %s", duration, printable(use.URI), use.Line, printable(use.Scenario))
		if use.rows > 1 {
			text += fmt.Sprintf("  (%d rows)", use.rows)
		}
		fmt.Fprintln(p.out, text)
	}
	if more := len(lines) - most; more > 0 {
		fmt.Fprintf(p.out, "    and %s\n", quantity.Count(more, "more line"))
	}
	fmt.Fprintln(p.out)
}

// usedLine is a line of a feature with a step: the slowest of its uses, which are several
// where it is in an outline.
type usedLine struct {
	stepUse
	rows int
}

// linesOf gives the lines of the uses of a step, in the same order.
func linesOf(uses []stepUse) []*usedLine {
	type place struct {
		uri  string
		line int
	}
	var lines []*usedLine
	byPlace := map[place]*usedLine{}
	for _, use := range uses {
		at := place{use.URI, use.Line}
		if byPlace[at] == nil {
			byPlace[at] = &usedLine{stepUse: use}
			lines = append(lines, byPlace[at])
		}
		byPlace[at].rows++
	}
	return lines
}

// stepPlace is a step of a scenario in a run file.
type stepPlace struct {
	uri   string
	line  int // of the scenario or Examples row
	index int
	text  string
}

type stepDurations map[stepPlace]time.Duration

// stepDurations reads how long each step took from a run file: the named one, else that
// which a run of the features leaves, where it is there.
func (p *program) stepDurations(named string, paths []string) (stepDurations, error) {
	path := cmp.Or(named, defaultRunFile(paths))
	file, err := runfile.ReadFile(path)
	if err != nil {
		if named == "" && errors.Is(err, fs.ErrNotExist) {
			p.note("durations are not known: there is no run file %s; omniloader run writes it", printable(path))
			return nil, nil
		}
		return nil, err
	}
	durations := stepDurations{}
	for _, s := range file.Scenarios {
		for i, step := range s.Steps {
			if step.Start != nil {
				durations[stepPlace{string(s.URI), s.Line, i, step.Text}] = step.Duration
			}
		}
	}
	return durations, nil
}
