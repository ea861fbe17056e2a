package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"omniloader/internal/quantity"
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
	// Doubtful says that noise alone can make the verdict: it is red or green by
	// mean times, and the calls of the two sides overlap.
	Doubtful bool    `json:"doubtful,omitempty"`
	Old      *Result `json:"-"` // nil where it was added
	New      *Result `json:"-"` // nil where it was removed
}

// Side is one of the two files of a comparison.
type Side struct {
	Timestamp string `json:"timestamp"`
	Platform  string `json:"platform"`
	Version   string `json:"version"`          // of Go, or of Python in the predecessor's files
	Commit    string `json:"commit,omitempty"` // "" where the file does not say one
	Dirty     bool   `json:"dirty,omitempty"`  // the code is that commit's with changes
}

// Comparison is what two results files say of each other.
type Comparison struct {
	Threshold float64         `json:"threshold"`
	Old       Side            `json:"old"`
	New       Side            `json:"new"`
	Counts    map[Verdict]int `json:"counts"`  // every verdict, 0 included
	Changes   []Change        `json:"changes"` // by verdict, then reds and greens by size, then by name
	Notes     []string        `json:"notes,omitempty"`

	// Preview is what was known before any benchmark was looked at.
	Preview Preview `json:"-"`

	common comparability
	parts  [2]string // why the old and the new file have a part of the benchmarks, "" where they have all
	plan   *Sampling // of the old file, nil where it was not sampled
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
		Notes:   slices.Concat(prefixed("old: ", old.Notes), prefixed("new: ", new.Notes)),
		Preview: PreviewComparison(old, new, threshold),
		common:  compatibility(old, new), plan: old.Plan,
		parts: [2]string{old.part(new), new.part(old)},
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
		// the first reason stands with the verdicts
		for _, r := range c.common.reasons[min(1, len(c.common.reasons)):] {
			c.Notes = append(c.Notes, "nor would they be comparable for this: "+r)
		}
		c.Notes = append(c.Notes, c.common.warn...)
		if has(ByFloor) && c.common.rule == otherBuild && len(c.common.reasons)+len(c.common.unknown) == 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("the two files are not known to come from one build: only changes of more than %.0f %% are judged, as where the linker puts code alone can make that; `omniloader bench --against %s` judges less", layoutAllowance*100, cmp.Or(old.Commit(), "REV")))
		}
	case old.Platform != "" && new.Platform != "" && old.Platform != new.Platform:
		c.Notes = append(c.Notes, fmt.Sprintf("measured on different platforms: %s and %s", old.Platform, new.Platform))
	}
	if looser := c.looser(); len(looser) > 0 {
		c.Notes = append(c.Notes, "a tag allows more than before: "+strings.Join(looser, ", "))
	}
	byMean := slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Basis == ByMean && change.Verdict != NotComparable })
	if byMean {
		which := ""
		if has(ByFloor) {
			which = " where the table says mean"
		}
		c.Notes = append(c.Notes, "judged by mean times"+which+", for want of anything better in the files: on a shared machine that rule called 45 % of unchanged benchmarks changed; files written with --save-baseline are judged by their floors")
	}
}

// looser names the benchmarks that have a larger threshold than they had, with both: a
// slowdown and the leave for it may come in one commit.
func (c *Comparison) looser() []string {
	threshold := func(r *Result) float64 {
		if r.Threshold != nil {
			return *r.Threshold
		}
		return c.Threshold
	}
	var names []string
	for _, change := range c.Changes {
		if change.Old != nil && change.New != nil && threshold(change.New) > threshold(change.Old) {
			names = append(names, fmt.Sprintf("%s (±%s %%, before ±%s %%)", change.Name,
				quantity.FormatNumber(threshold(change.New)*100, quantity.Digits), quantity.FormatNumber(threshold(change.Old)*100, quantity.Digits)))
		}
	}
	return names
}

func (f *File) side() Side {
	version := f.GoVersion
	if version == "" && f.PythonVersion != "" {
		version = "Python " + f.PythonVersion
	}
	dirty, _ := f.Environment["dirty"].(bool)
	return Side{Timestamp: f.Timestamp, Platform: f.Platform, Version: version, Commit: f.Commit(), Dirty: dirty}
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
		change.OldFloor = floorOf(c.common.rule, c.planned(old))
	}
	if new != nil {
		change.Name, change.Category, change.NewMean = new.Name, new.Category, &new.MeanTime
		change.NewFloor = floorOf(c.common.rule, new.Processes)
		if new.Threshold != nil {
			change.Threshold = *new.Threshold
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

// floorOf gives what the processes of a benchmark are compared by, in nanoseconds,
// or nil where it was not sampled.
func floorOf(by rule, processes []Process) *float64 {
	f := figure(by, processes)
	if len(processes) == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
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
	return ""
}

// otherCallers says that the times of two results are those that another number of
// callers at once saw, or "". Floors are always of one caller.
func otherCallers(old, new *Result) string {
	callers := func(r *Result) int {
		if r.Concurrency == nil {
			return 1
		}
		return r.Concurrency.Callers
	}
	// where the figures of one caller stand beside, the callers do not matter
	crowd := func(r *Result) bool {
		c := r.Concurrency
		return c != nil && c.Iterations == r.Iterations && c.MeanTime == r.MeanTime && c.MaxTime == r.MaxTime
	}
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
	against := c.common.reasons
	if change.OldFloor == nil || change.NewFloor == nil {
		change.Basis = ByMean
		change.Verdict, change.Ratio = judgeMeans(*change.OldMean, *change.NewMean, change.Threshold)
		change.Doubtful = (change.Verdict == Red || change.Verdict == Green) && overlap(change.Old, change.New)
		if !c.common.ours {
			against = nil
		}
		if why := otherCallers(change.Old, change.New); why != "" {
			against = []string{why}
		}
	} else {
		change.Basis = ByFloor
		var ratio float64
		change.Verdict, ratio, change.Reason = judgeFloors(c.common.rule, c.planned(change.Old), change.New.Processes, change.Threshold)
		if !math.IsNaN(ratio) {
			change.Ratio = &ratio
		}
		if few := cmp.Or(c.plan.lacking(change.Old.Processes), c.plan.lacking(change.New.Processes)); few != "" {
			change.Verdict, change.Reason = Unconverged, few
		}
		against = slices.Concat(against, c.common.unknown)
	}
	if len(against) > 0 {
		change.Verdict, change.Reason, change.Doubtful = NotComparable, against[0], false
	}
	if c.common.memory {
		if more := judgeMemory(change.Old, change.New); more != "" {
			change.Verdict, change.Reason, change.Doubtful = Red, more, false
		}
	}
}

// planned gives the processes of a baseline that its plan asks for. Where it was
// itself confirmed it has more, and a floor that is the smallest of more looks:
// what is compared with it would seem slower.
func (c *Comparison) planned(old *Result) []Process {
	if c.plan == nil || c.plan.Processes >= len(old.Processes) || c.common.rule == layouts { // whose floor is a median
		return old.Processes
	}
	return old.Processes[:c.plan.Processes]
}

// overlap tells whether any call of one side took as long as one of the other. A
// file that does not say its fastest and slowest call has them at zero, and nothing
// is then known.
func overlap(old, new *Result) bool {
	apart := old.MaxTime > 0 && new.MinTime > old.MaxTime || new.MaxTime > 0 && old.MinTime > new.MaxTime
	return !apart
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

// Regressions counts the red benchmarks: those that can be acted on, and those that
// noise alone can make red.
func (c *Comparison) Regressions() (sure, doubtful int) {
	for _, change := range c.Changes {
		switch {
		case change.Verdict != Red:
		case change.Doubtful:
			doubtful++
		default:
			sure++
		}
	}
	return sure, doubtful
}

// InBoth counts the benchmarks that stand in both files.
func (c *Comparison) InBoth() int {
	n := 0
	for _, change := range c.Changes {
		if change.Old != nil && change.New != nil {
			n++
		}
	}
	return n
}

// NeedsConfirmation tells whether any benchmark is red by its floor, so that a fresh
// process may show that it was bad luck. What costs more memory is no such case.
func (c *Comparison) NeedsConfirmation() bool { return c.suspects() > 0 }

// ManyNeedConfirmation tells whether more than a third of the benchmarks in both files are suspects,
// and more than one. So much at once is the machine as often as the code: a virtual
// machine was seen to be slow for 40 s on end while nothing else ran in it, so that a
// second look is worth more some time later.
func (c *Comparison) ManyNeedConfirmation() bool {
	n := c.suspects()
	return n > 1 && 3*n > c.InBoth()
}

func (c *Comparison) suspects() int {
	n := 0
	for _, change := range c.Changes {
		if change.Basis == ByFloor && suspicious(change.Verdict, change.Reason) {
			n++
		}
	}
	return n
}

// NeedsMoreSamples tells whether a longer look may change the verdict of any benchmark: it is
// red or green by its floor, or its floor was not found.
func (c *Comparison) NeedsMoreSamples() bool {
	return slices.ContainsFunc(c.Changes, func(change Change) bool {
		judged := change.Verdict == Red || change.Verdict == Green
		return change.Basis == ByFloor && (judged && change.Reason == "" || change.Verdict == Unconverged)
	})
}

// Verdicts lists the verdicts in the order a comparison lists them.
func Verdicts() []Verdict { return slices.Clone(verdictOrder) }
