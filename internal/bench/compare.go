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

// DefaultThreshold is the relative change above which a verdict is red or green.
const DefaultThreshold = 0.05

// Verdict is what a comparison says of one benchmark.
type Verdict string

// The verdicts, in the order a comparison lists them.
const (
	Red           Verdict = "red"               // slower by more than the threshold, or needs more memory
	Green         Verdict = "green"             // faster by more than the threshold
	NotComparable Verdict = "not comparable"    // not measured under the same conditions
	Unconverged   Verdict = "unconverged"       // sampled, but the floor was not found
	NotTold       Verdict = "not told by means" // the means changed, for no more than noise explains; see WithholdDoubtful
	Removed       Verdict = "removed"           // only in the old file
	Added         Verdict = "added"             // only in the new file
	NotRun        Verdict = "not run"           // only in one file, as the other has only a part of the benchmarks
	Neutral       Verdict = "neutral"           // within the threshold
)

var verdictOrder = []Verdict{Red, Green, NotComparable, Unconverged, NotTold, Removed, Added, NotRun, Neutral}

// Basis is the kind of time that a benchmark was judged by.
type Basis string

// The kinds.
const (
	ByFloor Basis = "floor" // the fastest batches of several processes
	ByMean  Basis = "mean"  // the mean of single calls, where a side was not sampled
)

// Change is one benchmark in a comparison.
type Change struct {
	Name      string   `json:"name"`
	Loader    string   `json:"loader,omitempty"` // name of the loader under test; "" for the built-in one
	Model     string   `json:"model,omitempty"`  // label of the real checkpoint in a run with several; else ""
	Category  string   `json:"category"`
	Verdict   Verdict  `json:"verdict"`
	Basis     Basis    `json:"basis,omitempty"` // empty where only one file has it
	OldMean   *float64 `json:"old_mean_time"`   // seconds; nil where it was added
	NewMean   *float64 `json:"new_mean_time"`   // seconds; nil where it was removed
	OldFloor  *float64 `json:"old_floor_ns,omitempty"`
	NewFloor  *float64 `json:"new_floor_ns,omitempty"`
	Ratio     *float64 `json:"ratio"` // new by old, of floors or means as Basis says; nil where there is none
	Threshold float64  `json:"threshold"`
	Reason    string   `json:"reason,omitempty"` // why, where the ratio does not show it
	// Doubtful says that noise alone may have caused the verdict: it is red or green by
	// mean times, and the times of single calls of the two sides overlap. After
	// WithholdDoubtful such a change has the verdict NotTold.
	Doubtful bool    `json:"doubtful,omitempty"`
	Old      *Result `json:"-"` // nil where it was added
	New      *Result `json:"-"` // nil where it was removed
}

// Key returns the key of the benchmark.
func (c *Change) Key() Key { return Key{Loader: c.Loader, Benchmark: c.Name, Model: c.Model} }

// Side is one of the two files of a comparison.
type Side struct {
	Timestamp string `json:"timestamp"`
	Platform  string `json:"platform"`
	Version   string `json:"version"`          // of Go, or of Python in the predecessor's files
	Commit    string `json:"commit,omitempty"` // "" where the file has none
	Dirty     bool   `json:"dirty,omitempty"`  // there were changes to that commit
}

// Comparison is the comparison of two results files.
type Comparison struct {
	Threshold float64         `json:"threshold"`
	Old       Side            `json:"old"`
	New       Side            `json:"new"`
	Counts    map[Verdict]int `json:"counts"`  // every verdict, 0 included
	Changes   []Change        `json:"changes"` // sorted by verdict, then reds and greens by size, then by name
	Notes     []string        `json:"notes,omitempty"`

	// Preview is what was known before any benchmark was judged.
	Preview Preview `json:"-"`

	compatibility  compatibility
	partialReasons [2]string // why the old and the new file may lack benchmarks; "" where they have all
	oldPlan        *Sampling // of the old file, nil where it was not sampled
}

// ErrNothingToCompare is the error of a comparison of files that share no benchmark.
var ErrNothingToCompare = errors.New("the two results files have no benchmark in common")

// Compare judges every benchmark of two files. threshold is 0.05 for 5 %; a
// benchmark of the new file may have one of its own.
//
// Where both files were sampled, by a run with a baseline, the floors are
// judged, see judgeFloors; otherwise the mean times are: red where the new one is
// slower than the old by more than the threshold, green where it is faster by more
// than that, else neutral, with a note that such verdicts are often wrong. A benchmark
// whose calls need more memory is red in any case.
//
// It fails where the threshold is not a number in [0, 1) or the files have no
// benchmark in common.
func Compare(old, new *File, threshold float64) (*Comparison, error) {
	if !(threshold >= 0 && threshold < 1) {
		return nil, fmt.Errorf("threshold %v: it must be from 0 to below 1 (0.05 for 5 %%)", threshold)
	}
	c := &Comparison{
		Threshold: threshold, Old: old.side(), New: new.side(),
		Counts: map[Verdict]int{}, Changes: []Change{},
		Notes:         slices.Concat(prefixed("old: ", old.Notes), prefixed("new: ", new.Notes)),
		Preview:       PreviewComparison(old, new, threshold),
		compatibility: checkCompatibility(old, new), oldPlan: old.Plan,
		partialReasons: [2]string{old.partialReason(new), new.partialReason(old)},
	}
	for _, v := range verdictOrder {
		c.Counts[v] = 0
	}
	olds := make(map[Key]*Result, len(old.Results))
	for i := range old.Results {
		olds[old.Results[i].Key()] = &old.Results[i]
	}
	both := 0
	for i := range new.Results {
		n := &new.Results[i]
		o := olds[n.Key()]
		if o != nil {
			both++
			delete(olds, n.Key())
		}
		c.add(o, n)
	}
	if both == 0 {
		return nil, fmt.Errorf("%w (%d in the old one, %d in the new one)", ErrNothingToCompare, len(old.Results), len(new.Results))
	}
	for i := range old.Results {
		if olds[old.Results[i].Key()] != nil {
			c.add(&old.Results[i], nil)
		}
	}
	c.addNotes(old, new)
	slices.SortStableFunc(c.Changes, compareChanges)
	return c, nil
}

// addNotes adds what a reader must know to understand the verdicts.
func (c *Comparison) addNotes(old, new *File) {
	has := func(b Basis) bool {
		return slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Basis == b })
	}
	switch {
	case has(ByFloor) || c.compatibility.bothOurs:
		// the first difference is the reason of every verdict
		for _, r := range c.compatibility.differences[min(1, len(c.compatibility.differences)):] {
			c.Notes = append(c.Notes, "another reason why they are not comparable: "+r)
		}
		c.Notes = append(c.Notes, c.compatibility.warnings...)
		if has(ByFloor) && c.compatibility.rule == differentBuilds && len(c.compatibility.differences)+len(c.compatibility.unknown) == 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("the two files are not known to come from one build: only changes of more than %.0f %% are judged, as the order in which the linker places code can alone cause smaller ones; `omniloader bench --against %s` judges smaller changes", linkOrderAllowance*100, cmp.Or(old.Commit(), "REV")))
		}
	case old.Platform != "" && new.Platform != "" && old.Platform != new.Platform:
		c.Notes = append(c.Notes, fmt.Sprintf("measured on different platforms: %s and %s", old.Platform, new.Platform))
	}
	if loosened := c.loosenedThresholds(); len(loosened) > 0 {
		c.Notes = append(c.Notes, "a tag allows larger changes than before: "+strings.Join(loosened, ", "))
	}
	byMean := slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Basis == ByMean && change.Verdict != NotComparable })
	if byMean {
		which := ""
		if has(ByFloor) {
			which = " where the table says mean"
		}
		c.Notes = append(c.Notes, "judged by mean times"+which+", as the files have nothing better: on a shared machine that rule called 45 % of unchanged benchmarks changed; files written with --save-baseline are judged by their floors")
	}
}

// loosenedThresholds names the benchmarks whose threshold became larger, with both
// thresholds: a commit may make a benchmark slower and allow it at the same time.
func (c *Comparison) loosenedThresholds() []string {
	threshold := func(r *Result) float64 {
		if r.Threshold != nil {
			return *r.Threshold
		}
		return c.Threshold
	}
	var names []string
	for _, change := range c.Changes {
		if change.Old != nil && change.New != nil && threshold(change.New) > threshold(change.Old) {
			names = append(names, fmt.Sprintf("%s (±%s %%, before ±%s %%)", change.Key(),
				quantity.FormatNumber(threshold(change.New)*100, quantity.Digits), quantity.FormatNumber(threshold(change.Old)*100, quantity.Digits)))
		}
	}
	return names
}

// side describes the file in a comparison.
func (f *File) side() Side {
	version := f.GoVersion
	if version == "" && f.PythonVersion != "" {
		version = "Python " + f.PythonVersion
	}
	dirty, _ := f.Environment["dirty"].(bool)
	return Side{Timestamp: f.Timestamp, Platform: f.Platform, Version: version, Commit: f.Commit(), Dirty: dirty}
}

// partialReason says why the file may lack benchmarks of another; "" where it may not.
func (f *File) partialReason(other *File) string {
	switch {
	case f.Interrupted:
		return "was interrupted"
	case f.Selection != "" && f.Selection != other.Selection:
		return "was of " + f.Selection
	}
	return ""
}

// prefixed puts a prefix before each text.
func prefixed(prefix string, texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, prefix+t)
	}
	return out
}

// add judges one benchmark; one of the two results is nil where only one file has it.
func (c *Comparison) add(old, new *Result) {
	change := Change{Old: old, New: new, Threshold: c.Threshold}
	if old != nil {
		change.Name, change.Loader, change.Model, change.Category, change.OldMean = old.Name, old.Loader, old.Model, old.Category, &old.MeanTime
		change.OldFloor = floorOf(c.compatibility.rule, c.plannedProcesses(old))
	}
	if new != nil {
		change.Name, change.Loader, change.Model, change.Category, change.NewMean = new.Name, new.Loader, new.Model, new.Category, &new.MeanTime
		change.NewFloor = floorOf(c.compatibility.rule, new.Processes)
		if new.Threshold != nil {
			change.Threshold = *new.Threshold
		}
	}
	switch {
	case old == nil && c.partialReasons[0] != "":
		change.Verdict, change.Reason = NotRun, "the old run "+c.partialReasons[0]
	case new == nil && c.partialReasons[1] != "":
		change.Verdict, change.Reason = NotRun, "the new run "+c.partialReasons[1]
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

// floorOf gives the time that the processes of a benchmark are compared by, in nanoseconds,
// or nil where it was not sampled.
func floorOf(by rule, processes []Process) *float64 {
	f := comparedTime(by, processes)
	if len(processes) == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

// differentOperation says which operations two results of one name are of; "" where it is
// the same one, or not known.
func differentOperation(old, new *Result) string {
	a, b := old.Metadata["operation"], new.Metadata["operation"]
	if a != nil && b != nil && fmt.Sprint(a) != fmt.Sprint(b) {
		return fmt.Sprintf("another operation: the %v and the %v", a, b)
	}
	return ""
}

// differentCallers says with how many callers at once the times of two results were
// measured; "" where with the same number. Floors are always of one caller.
func differentCallers(old, new *Result) string {
	callers := func(r *Result) int {
		if r.Concurrency == nil {
			return 1
		}
		return r.Concurrency.Callers
	}
	// where the result also has times of one caller, the number of callers does not matter
	onlyConcurrent := func(r *Result) bool {
		c := r.Concurrency
		return c != nil && c.Iterations == r.Iterations && c.MeanTime == r.MeanTime && c.MaxTime == r.MaxTime
	}
	if (onlyConcurrent(old) || onlyConcurrent(new)) && callers(old) != callers(new) {
		return fmt.Sprintf("another number of callers at once: %d and %d", callers(old), callers(new))
	}
	return ""
}

// judge judges a benchmark that both files have.
func (c *Comparison) judge(change *Change) {
	if why := differentOperation(change.Old, change.New); why != "" {
		change.Verdict, change.Reason = NotComparable, why
		return
	}
	against := c.compatibility.differences
	if change.OldFloor == nil || change.NewFloor == nil {
		change.Basis = ByMean
		change.Verdict, change.Ratio = judgeMeans(*change.OldMean, *change.NewMean, change.Threshold)
		change.Doubtful = (change.Verdict == Red || change.Verdict == Green) && durationsOverlap(change.Old, change.New)
		if !c.compatibility.bothOurs {
			against = nil
		}
		if why := differentCallers(change.Old, change.New); why != "" {
			against = []string{why}
		}
	} else {
		change.Basis = ByFloor
		var ratio float64
		change.Verdict, ratio, change.Reason = judgeFloors(c.compatibility.rule, c.plannedProcesses(change.Old), change.New.Processes, change.Threshold)
		if !math.IsNaN(ratio) {
			change.Ratio = &ratio
		}
		if few := cmp.Or(c.oldPlan.missingRounds(change.Old.Processes), c.oldPlan.missingRounds(change.New.Processes)); few != "" {
			change.Verdict, change.Reason = Unconverged, few
		}
		against = slices.Concat(against, c.compatibility.unknown)
	}
	if len(against) > 0 {
		change.Verdict, change.Reason, change.Doubtful = NotComparable, against[0], false
	}
	if c.compatibility.memoryComparable {
		if more := judgeMemory(change.Old, change.New); more != "" {
			change.Verdict, change.Reason, change.Doubtful = Red, more, false
		}
	}
}

// plannedProcesses gives the processes of a baseline that its plan asks for. A baseline
// that was itself confirmed has more of them, and the smallest floor of more processes is
// lower: whatever is compared with it would look slower.
func (c *Comparison) plannedProcesses(old *Result) []Process {
	if c.oldPlan == nil || c.oldPlan.Processes >= len(old.Processes) || c.compatibility.rule == linkOrders { // a median does not get lower
		return old.Processes
	}
	return old.Processes[:c.oldPlan.Processes]
}

// durationsOverlap tells whether the ranges of durations of two results, each from its
// fastest to its slowest call, overlap. They are taken to overlap where a file lacks these
// two calls, which are then 0.
func durationsOverlap(old, new *Result) bool {
	separate := old.MaxTime > 0 && new.MinTime > old.MaxTime || new.MaxTime > 0 && old.MinTime > new.MaxTime
	return !separate
}

// judgeMeans compares two means. A mean of zero comes from a clock too coarse for
// the operation; the ratio is then nil.
func judgeMeans(old, new, threshold float64) (Verdict, *float64) {
	if old == 0 {
		if new == 0 {
			return Neutral, nil
		}
		return Red, nil
	}
	// a change of exactly the threshold is neutral, also after rounding
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
		cmp.Compare(b.size(), a.size()),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Loader, b.Loader),
		cmp.Compare(a.Model, b.Model),
	)
}

// size is the logarithm of a red or green change, without its sign; 0 for other verdicts.
func (c Change) size() float64 {
	if c.Verdict != Red && c.Verdict != Green {
		return 0
	}
	if c.Ratio == nil || *c.Ratio == 0 {
		return math.Inf(1)
	}
	return math.Abs(math.Log(*c.Ratio))
}

// Regressions counts the red benchmarks: those that are reliable, and those that noise alone
// may have caused.
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

// isRedByMeans tells whether a benchmark is red because its fastest call is slower than the
// slowest of the old file. Memory is exact, and is told by the reason.
func (c *Change) isRedByMeans() bool {
	return c.Verdict == Red && c.Basis == ByMean && !c.Doubtful && c.Reason == ""
}

// RedByMeans gives the keys of the benchmarks that are red because their fastest call is
// slower than the slowest of the old file.
func (c *Comparison) RedByMeans() map[Key]bool {
	keys := map[Key]bool{}
	for i := range c.Changes {
		if c.Changes[i].isRedByMeans() {
			keys[c.Changes[i].Key()] = true
		}
	}
	return keys
}

// RecheckMeans makes a benchmark that is red by means doubtful where another measurement of
// the new side has a call that is as fast as the slowest of the old one.
func (c *Comparison) RecheckMeans(again []Result) {
	for i := range c.Changes {
		change := &c.Changes[i]
		at := slices.IndexFunc(again, func(r Result) bool { return r.Key() == change.Key() })
		if at >= 0 && change.isRedByMeans() && durationsOverlap(change.Old, &again[at]) {
			change.Doubtful = true
		}
	}
}

// WithholdDoubtful gives each change that noise alone may explain the verdict NotTold, in
// place of the red or green by means, and adds a note with the way to a better baseline.
// It is for those who do not take a change of the means alone for a regression.
func (c *Comparison) WithholdDoubtful() {
	withheld := 0
	for i := range c.Changes {
		if change := &c.Changes[i]; change.Doubtful && change.Verdict != NotTold {
			c.Counts[change.Verdict]--
			change.Verdict = NotTold
			withheld++
		}
	}
	if withheld == 0 {
		return
	}
	c.Counts[NotTold] += withheld
	slices.SortStableFunc(c.Changes, compareChanges)
	c.Notes = append(c.Notes, fmt.Sprintf("not told by means: %s changed by more than the threshold on average, but the times of single calls overlap, as they do by noise alone; `omniloader run --save-baseline FILE` makes a baseline that can tell", quantity.Count(withheld, "benchmark")))
}

// InBoth counts the benchmarks that both files have.
func (c *Comparison) InBoth() int {
	n := 0
	for _, change := range c.Changes {
		if change.Old != nil && change.New != nil {
			n++
		}
	}
	return n
}

// NeedsConfirmation tells whether sampling again in further processes may change a verdict:
// whether any benchmark is red by its floor, or was sampled on a shared core. Memory is
// exact and needs no confirmation.
func (c *Comparison) NeedsConfirmation() bool { return c.toConfirm() > 0 }

// ManyNeedConfirmation tells whether more than a third of the benchmarks in both files need
// confirmation, and more than one. That many at once is as often due to the machine as to
// the code: a virtual machine was seen to be slow for 40 s at a time while nothing else ran
// in it, so that it is better to wait before sampling again.
func (c *Comparison) ManyNeedConfirmation() bool {
	n := c.toConfirm()
	return n > 1 && 3*n > c.InBoth()
}

// toConfirm counts the benchmarks that need confirmation.
func (c *Comparison) toConfirm() int {
	n := 0
	for _, change := range c.Changes {
		if change.Basis == ByFloor && needsConfirmation(change.Verdict, change.Reason) {
			n++
		}
	}
	return n
}

// NeedsMoreSamples tells whether more processes may change the verdict of any benchmark: one
// is red or green by its floor, or its floor was not found.
func (c *Comparison) NeedsMoreSamples() bool {
	return slices.ContainsFunc(c.Changes, func(change Change) bool {
		judged := change.Verdict == Red || change.Verdict == Green
		return change.Basis == ByFloor && (judged && change.Reason == "" || change.Verdict == Unconverged)
	})
}

// Verdicts lists the verdicts in the order a comparison lists them.
func Verdicts() []Verdict { return slices.Clone(verdictOrder) }
