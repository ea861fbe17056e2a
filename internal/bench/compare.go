package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// DefaultThreshold is the change from which on a verdict is red or green.
const DefaultThreshold = 0.05

// Verdict is what a comparison says of one benchmark.
type Verdict string

// The verdicts, in the order a comparison lists them.
const (
	Red           Verdict = "red"            // slower by more than the threshold, or it costs more memory
	Green         Verdict = "green"          // faster by more than the threshold
	NotComparable Verdict = "not comparable" // the two were not measured under the same conditions
	Unconverged   Verdict = "unconverged"    // sampled, and the floor was not found
	Removed       Verdict = "removed"        // only in the old file
	Added         Verdict = "added"          // only in the new file
	NotRun        Verdict = "not run"        // only in one file, as the other is of a part of the benchmarks
	Neutral       Verdict = "neutral"        // within the threshold
)

var verdictOrder = []Verdict{Red, Green, NotComparable, Unconverged, Removed, Added, NotRun, Neutral}

// Basis is what a benchmark was judged by.
type Basis string

// The bases.
const (
	ByFloor Basis = "floor" // the fastest batches of several processes
	ByMean  Basis = "mean"  // the mean of single calls, where a side has nothing else
)

// Change is one benchmark in a comparison.
type Change struct {
	Name      string   `json:"name"`
	Category  string   `json:"category"`
	Verdict   Verdict  `json:"verdict"`
	Basis     Basis    `json:"basis,omitempty"` // empty where it stands in one file only
	OldMean   *float64 `json:"old_mean_time"`   // seconds; nil where it was added
	NewMean   *float64 `json:"new_mean_time"`   // seconds; nil where it was removed
	OldFloor  *float64 `json:"old_floor_ns,omitempty"`
	NewFloor  *float64 `json:"new_floor_ns,omitempty"`
	Ratio     *float64 `json:"ratio"` // new by old, of floors or means as Basis says; nil where there is none
	Threshold float64  `json:"threshold"`
	Reason    string   `json:"reason,omitempty"` // why, where the ratio does not say it
	Old       *Result  `json:"-"`                // nil where it was added
	New       *Result  `json:"-"`                // nil where it was removed
}

// Side is one of the two files of a comparison.
type Side struct {
	Timestamp string `json:"timestamp"`
	Platform  string `json:"platform"`
	Version   string `json:"version"` // of Go, or of Python in the predecessor's files
	Commit    string `json:"commit,omitempty"`
}

// Comparison is what two results files say of each other.
type Comparison struct {
	Threshold float64         `json:"threshold"`
	Old       Side            `json:"old"`
	New       Side            `json:"new"`
	Counts    map[Verdict]int `json:"counts"`  // every verdict, 0 included
	Changes   []Change        `json:"changes"` // by verdict, then reds and greens by size, then by name
	Notes     []string        `json:"notes,omitempty"`

	common comparability
	parts  [2]string // why the old and the new file have a part of the benchmarks, "" where they have all
}

// ErrNothingToCompare is the error of a comparison of files that share no benchmark.
var ErrNothingToCompare = errors.New("the two results files have no benchmark in common")

// Compare judges every benchmark of two files. threshold is 0.05 for 5 %; a
// benchmark of the new file may have one of its own.
//
// Where both files were sampled, by a run with a baseline, the floors are
// judged, see judgeFloors; otherwise the mean times are: red where the new one is
// slower than the old by more than the threshold, green where it is faster by more
// than that, else neutral, with a note of how little that is worth. A benchmark
// whose calls cost more memory is red in any case.
//
// It fails where the threshold is not a number in [0, 1) or the files have no
// benchmark in common, as then nothing was compared.
func Compare(old, new *File, threshold float64) (*Comparison, error) {
	if !(threshold >= 0 && threshold < 1) {
		return nil, fmt.Errorf("threshold %v: it must be from 0 to below 1 (0.05 for 5 %%)", threshold)
	}
	c := &Comparison{
		Threshold: threshold, Old: old.side(), New: new.side(),
		Counts: map[Verdict]int{}, Changes: []Change{},
		Notes:  slices.Concat(prefixed("old: ", old.Notes), prefixed("new: ", new.Notes)),
		common: compatibility(old, new),
		parts:  [2]string{old.part(new), new.part(old)},
	}
	for _, v := range verdictOrder {
		c.Counts[v] = 0
	}
	olds := make(map[string]*Result, len(old.Results))
	for i := range old.Results {
		olds[old.Results[i].Name] = &old.Results[i]
	}
	both := 0
	for i := range new.Results {
		n := &new.Results[i]
		o := olds[n.Name]
		if o != nil {
			both++
			delete(olds, n.Name)
		}
		c.add(o, n)
	}
	if both == 0 {
		return nil, fmt.Errorf("%w (%d in the old one, %d in the new one)", ErrNothingToCompare, len(old.Results), len(new.Results))
	}
	for i := range old.Results {
		if olds[old.Results[i].Name] != nil {
			c.add(&old.Results[i], nil)
		}
	}
	c.explain(old, new)
	slices.SortStableFunc(c.Changes, compareChanges)
	return c, nil
}

// explain adds what a reader must know to judge the verdicts.
func (c *Comparison) explain(old, new *File) {
	has := func(b Basis) bool {
		return slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Basis == b })
	}
	switch {
	case has(ByFloor) || c.common.ours:
		for _, r := range c.common.reasons {
			c.Notes = append(c.Notes, "not comparable: "+r)
		}
		c.Notes = append(c.Notes, c.common.warn...)
		if c.common.rule == otherBuild && len(c.common.reasons) == 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("the two files come from different builds: only changes of more than %.0f %% are judged, as the layout of code alone can make that", layoutAllowance*100))
		}
	case old.Platform != "" && new.Platform != "" && old.Platform != new.Platform:
		c.Notes = append(c.Notes, fmt.Sprintf("measured on different platforms: %s and %s", old.Platform, new.Platform))
	}
	if has(ByMean) {
		c.Notes = append(c.Notes, "judged by mean times, for want of anything better in the files: on a shared machine that rule called 45 % of unchanged benchmarks changed; files written with --save-baseline are judged by their floors")
	}
}

func (f *File) side() Side {
	version := f.GoVersion
	if version == "" && f.PythonVersion != "" {
		version = "Python " + f.PythonVersion
	}
	commit, _ := f.Environment["commit"].(string)
	return Side{Timestamp: f.Timestamp, Platform: f.Platform, Version: version, Commit: commit}
}

// part says why the file need not have every benchmark of another, or "".
func (f *File) part(other *File) string {
	switch {
	case f.Interrupted:
		return "was interrupted"
	case f.Selection != "" && f.Selection != other.Selection:
		return "was of " + f.Selection
	}
	return ""
}

func prefixed(prefix string, texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, prefix+t)
	}
	return out
}

// add judges one benchmark; one of the two is nil where it stands in one file only.
func (c *Comparison) add(old, new *Result) {
	change := Change{Old: old, New: new, Threshold: c.Threshold}
	if old != nil {
		change.Name, change.Category, change.OldMean = old.Name, old.Category, &old.MeanTime
		change.OldFloor = old.floor(c.common.rule)
	}
	if new != nil {
		change.Name, change.Category, change.NewMean = new.Name, new.Category, &new.MeanTime
		change.NewFloor = new.floor(c.common.rule)
		if new.Threshold > 0 {
			change.Threshold = new.Threshold
		}
	}
	switch {
	case old == nil && c.parts[0] != "":
		change.Verdict, change.Reason = NotRun, "the old run "+c.parts[0]
	case new == nil && c.parts[1] != "":
		change.Verdict, change.Reason = NotRun, "the new run "+c.parts[1]
	case old == nil:
		change.Verdict = Added
	case new == nil:
		change.Verdict = Removed
	default:
		c.judge(&change)
	}
	c.Counts[change.Verdict]++
	c.Changes = append(c.Changes, change)
}

// floor gives what the benchmark's processes are compared by, in nanoseconds, or
// nil where it was not sampled.
func (r *Result) floor(by rule) *float64 {
	f := figure(by, r.Processes)
	if len(r.Processes) == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

// another says in which way two results of one name are of different things, or "".
func another(old, new *Result) string {
	a, b := old.Metadata["operation"], new.Metadata["operation"]
	if a != nil && b != nil && fmt.Sprint(a) != fmt.Sprint(b) {
		return fmt.Sprintf("another operation: the %v and the %v", a, b)
	}
	callers := func(r *Result) int {
		if r.Concurrency == nil {
			return 1
		}
		return r.Concurrency.Callers
	}
	// where the figures of one caller stand beside, the callers do not matter
	crowd := func(r *Result) bool { return r.Concurrency != nil && r.Concurrency.Iterations == r.Iterations }
	if (crowd(old) || crowd(new)) && callers(old) != callers(new) {
		return fmt.Sprintf("another number of callers at once: %d and %d", callers(old), callers(new))
	}
	return ""
}

// judge judges a benchmark that stands in both files.
func (c *Comparison) judge(change *Change) {
	if why := another(change.Old, change.New); why != "" {
		change.Verdict, change.Reason = NotComparable, why
		return
	}
	if change.OldFloor == nil || change.NewFloor == nil {
		change.Basis = ByMean
		change.Verdict, change.Ratio = judgeMeans(*change.OldMean, *change.NewMean, change.Threshold)
	} else {
		change.Basis = ByFloor
		var ratio float64
		change.Verdict, ratio, change.Reason = judgeFloors(c.common.rule, change.Old.Processes, change.New.Processes, change.Threshold)
		if !math.IsNaN(ratio) {
			change.Ratio = &ratio
		}
	}
	if len(c.common.reasons) > 0 && (change.Basis == ByFloor || c.common.ours) {
		change.Verdict, change.Reason = NotComparable, c.common.reasons[0]
	}
	if c.common.memory {
		if more := judgeMemory(change.Old, change.New); more != "" {
			change.Verdict, change.Reason = Red, more
		}
	}
}

// judgeMeans compares two means. A mean of zero comes from a clock too coarse for
// the operation; there is no ratio to it.
func judgeMeans(old, new, threshold float64) (Verdict, *float64) {
	if old == 0 {
		if new == 0 {
			return Neutral, nil
		}
		return Red, nil
	}
	// exactly the threshold is neutral, also after rounding
	const rounding = 1e-9
	ratio := new / old
	switch {
	case math.IsInf(ratio, 0):
		return Red, nil
	case ratio > 1+threshold+rounding:
		return Red, &ratio
	case ratio < 1-threshold-rounding:
		return Green, &ratio
	}
	return Neutral, &ratio
}

func compareChanges(a, b Change) int {
	return cmp.Or(
		cmp.Compare(slices.Index(verdictOrder, a.Verdict), slices.Index(verdictOrder, b.Verdict)),
		cmp.Compare(b.distance(), a.distance()),
		cmp.Compare(a.Name, b.Name),
	)
}

// distance is how far a red or green change is from no change, as a factor.
func (c Change) distance() float64 {
	if c.Verdict != Red && c.Verdict != Green {
		return 0
	}
	if c.Ratio == nil || *c.Ratio == 0 {
		return math.Inf(1)
	}
	return math.Abs(math.Log(*c.Ratio))
}

// Regressed tells whether any benchmark is red.
func (c *Comparison) Regressed() bool { return c.Counts[Red] > 0 }

// Suspects tells whether any benchmark is red by its floor, so that a fresh
// process may show that it was bad luck. What costs more memory is no such case.
func (c *Comparison) Suspects() bool {
	return slices.ContainsFunc(c.Changes, func(change Change) bool {
		return change.Verdict == Red && change.Basis == ByFloor && change.Reason == ""
	})
}

// Verdicts lists the verdicts in the order a comparison lists them.
func Verdicts() []Verdict { return slices.Clone(verdictOrder) }
