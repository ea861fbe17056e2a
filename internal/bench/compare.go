package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// DefaultThreshold is the change of the mean from which on a verdict is red or
// green.
const DefaultThreshold = 0.05

// Verdict is what a comparison says of one benchmark.
type Verdict string

// The verdicts, in the order a comparison lists them.
const (
	Red     Verdict = "red"     // slower by more than the threshold
	Green   Verdict = "green"   // faster by more than the threshold
	Removed Verdict = "removed" // only in the old file
	Added   Verdict = "added"   // only in the new file
	Neutral Verdict = "neutral" // within the threshold
)

var verdictOrder = []Verdict{Red, Green, Removed, Added, Neutral}

// Change is one benchmark in a comparison.
type Change struct {
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Verdict  Verdict  `json:"verdict"`
	OldMean  *float64 `json:"old_mean_time"` // seconds; nil where it was added
	NewMean  *float64 `json:"new_mean_time"` // seconds; nil where it was removed
	Ratio    *float64 `json:"ratio"`         // new mean by old mean; nil where there is none
	Old      *Result  `json:"-"`             // nil where it was added
	New      *Result  `json:"-"`             // nil where it was removed
}

// Side is one of the two files of a comparison.
type Side struct {
	Timestamp string `json:"timestamp"`
	Platform  string `json:"platform"`
	Version   string `json:"version"` // of Go, or of Python in the predecessor's files
}

// Comparison is what two results files say of each other.
type Comparison struct {
	Threshold float64         `json:"threshold"`
	Old       Side            `json:"old"`
	New       Side            `json:"new"`
	Counts    map[Verdict]int `json:"counts"`  // every verdict, 0 included
	Changes   []Change        `json:"changes"` // by verdict, then reds and greens by size, then by name
	Notes     []string        `json:"notes,omitempty"`
}

// ErrNothingToCompare is the error of a comparison of files that share no benchmark.
var ErrNothingToCompare = errors.New("the two results files have no benchmark in common")

// Compare judges every benchmark of two files by its mean time: red where the new
// one is slower than the old by more than threshold (0.05 for 5 %), green where it
// is faster by more than that, else neutral.
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
		Notes: slices.Concat(prefixed("old: ", old.Notes), prefixed("new: ", new.Notes)),
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
	if old.Platform != "" && new.Platform != "" && old.Platform != new.Platform {
		c.Notes = append(c.Notes, fmt.Sprintf("measured on different platforms: %s and %s", old.Platform, new.Platform))
	}
	slices.SortStableFunc(c.Changes, compareChanges)
	return c, nil
}

func (f *File) side() Side {
	version := f.GoVersion
	if version == "" && f.PythonVersion != "" {
		version = "Python " + f.PythonVersion
	}
	return Side{Timestamp: f.Timestamp, Platform: f.Platform, Version: version}
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
	change := Change{Old: old, New: new}
	if old != nil {
		change.Name, change.Category, change.OldMean = old.Name, old.Category, &old.MeanTime
	}
	if new != nil {
		change.Name, change.Category, change.NewMean = new.Name, new.Category, &new.MeanTime
	}
	switch {
	case old == nil:
		change.Verdict = Added
	case new == nil:
		change.Verdict = Removed
	default:
		change.Verdict, change.Ratio = judge(old.MeanTime, new.MeanTime, c.Threshold)
	}
	c.Counts[change.Verdict]++
	c.Changes = append(c.Changes, change)
}

// judge compares two means. A mean of zero comes from a clock too coarse for the
// operation; there is no ratio to it.
func judge(old, new, threshold float64) (Verdict, *float64) {
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

// Verdicts lists the verdicts in the order a comparison lists them.
func Verdicts() []Verdict { return slices.Clone(verdictOrder) }
