package bench

import (
	"cmp"
	"fmt"
	"go/version"
	"math"
	"slices"
	"strings"

	"omniloader/internal/quantity"
)

// comparability is what is known of two files before any benchmark is judged.
type comparability struct {
	reasons []string // why times cannot be compared; empty where they can
	unknown []string // why floors cannot: only one of the files says what they depend on
	warn    []string // what may have moved the times a little
	ours    bool     // both were written by this program, which says where it ran
	memory  bool     // bytes and allocations can be compared
	rule    rule
}

// conditions are what the environment of a file must say, and say alike, for times
// to be compared: by the key, and in words.
var conditions = []struct{ key, words string }{
	{"cpu", "CPU"}, {"goamd64", "GOAMD64"}, {"gomaxprocs", "GOMAXPROCS"}, {"hypervisor", "hypervisor"}, {"funcalign", "alignment of functions, which bench sets and run does not"},
}

// The collector is steered by GOGC; a file that says nothing ran with
// the default.
const collectorKey, collectorDefault = "gogc", "100"

// How this program samples is a version, see SamplingVersion; a file that says nothing
// was sampled by the first.
const (
	samplingKey     = "sampling"
	samplingDefault = "1"
)

// modulesKey is where an environment has the modules that the program was linked with.
const modulesKey = "modules"

// said gives what a file's environment says under a key as a text, "" where it
// says nothing.
func (f *File) said(key string) string {
	v, ok := f.Environment[key]
	if !ok || v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// compatibility says what two files have in common.
func compatibility(old, new *File) comparability {
	c := comparability{memory: true, ours: old.Schema > 0 && new.Schema > 0}
	differ := func(what, a, b string) {
		switch {
		case a == b:
		case a == "" || b == "":
			c.unknown = append(c.unknown, fmt.Sprintf("%s: only one of the files says it (%s)", what, a+b))
		default:
			c.reasons = append(c.reasons, fmt.Sprintf("%s: %s and %s", what, a, b))
		}
	}
	for _, fact := range []struct{ what, a, b string }{
		{"platform", old.Platform, new.Platform}, {"Go", goMinor(old.GoVersion), goMinor(new.GoVersion)},
	} {
		differ(fact.what, fact.a, fact.b)
		c.memory = c.memory && fact.a == fact.b
		if c.ours && fact.a == "" && fact.b == "" {
			c.warn = append(c.warn, fmt.Sprintf("neither file says for which %s it was measured", fact.what))
		}
	}
	for _, condition := range conditions {
		differ(condition.words, old.said(condition.key), new.said(condition.key))
	}
	differ("GOGC", cmp.Or(old.said(collectorKey), collectorDefault), cmp.Or(new.said(collectorKey), collectorDefault))
	before, now := cmp.Or(old.said(samplingKey), samplingDefault), cmp.Or(new.said(samplingKey), samplingDefault)
	c.memory = c.memory && before == now // each version counts in its own way
	if old.Plan != nil || new.Plan != nil {
		differ("version of the sampling", before, now)
	}
	c.plans(old.Plan, new.Plan)
	if text := otherModules(old, new); text != "" {
		c.warn = append(c.warn, text)
	}
	c.rule = ruleFor(old, new)
	for _, key := range []string{"kernel", "governor"} {
		if a, b := old.said(key), new.said(key); a != "" && b != "" && a != b {
			c.warn = append(c.warn, fmt.Sprintf("%s differs: %s and %s", key, a, b))
		}
	}
	c.busy("old", old)
	c.busy("new", new)
	a, okA := old.Environment["yardstick_floor_ns"].(float64)
	b, okB := new.Environment["yardstick_floor_ns"].(float64)
	const drift = 0.01
	if okA && okB && a > 0 && math.Abs(b/a-1) > drift {
		without := "; the changes of floors are without that"
		if c.rule == layouts {
			without = ""
		}
		c.warn = append(c.warn, fmt.Sprintf("the machine itself was %+.1f %% off: a fixed piece of work took %s ns, before %s ns"+without,
			(b/a-1)*100, quantity.FormatNumber(b, quantity.Digits), quantity.FormatNumber(a, quantity.Digits)))
	}
	return c
}

// What else the machine did while a file was sampled: the share of the processors'
// time that the host gave to others, and the processors that other processes took.
// Beyond the limits floors are found less surely.
const (
	StealKey    = "steal"
	OtherCPUKey = "other_cpu"

	stealLimit    = 0.2
	otherCPULimit = 1.5
)

// busy warns of a side that was sampled on a busy machine.
func (c *comparability) busy(side string, f *File) {
	if steal, ok := f.Environment[StealKey].(float64); ok && steal > stealLimit {
		c.warn = append(c.warn, fmt.Sprintf("%s: the host gave %.0f %% of the processors' time to others", side, steal*100))
	}
	if other, ok := f.Environment[OtherCPUKey].(float64); ok && other > otherCPULimit {
		c.warn = append(c.warn, fmt.Sprintf("%s: other processes kept %.1f processors busy meanwhile", side, other))
	}
}

// otherModules names the modules that the two files were measured with in different
// versions, or says "". What is slower for that is slower for who uses it, so that the
// verdicts stand; the note says where to look.
func otherModules(old, new *File) string {
	const most = 3
	a, okA := old.Environment[modulesKey].(map[string]any)
	b, okB := new.Environment[modulesKey].(map[string]any)
	if !okA || !okB {
		return ""
	}
	var differ []string
	for path := range a {
		if x, y := fmt.Sprint(a[path]), fmt.Sprint(b[path]); b[path] != nil && x != y {
			differ = append(differ, fmt.Sprintf("%s %s and %s", path, x, y))
		}
	}
	if len(differ) == 0 {
		return ""
	}
	slices.Sort(differ)
	more := ""
	if len(differ) > most {
		more = fmt.Sprintf(" and %d more", len(differ)-most)
		differ = differ[:most]
	}
	return "measured with other versions of modules: " + strings.Join(differ, ", ") + more
}

// plans compares the sampling plans. More processes only find the floor better.
func (c *comparability) plans(old, new *Sampling) {
	if old == nil || new == nil {
		c.unknown = append(c.unknown, "a file does not say by which plan it was sampled")
		return
	}
	a, b := *old, *new
	a.Processes, b.Processes = 0, 0
	if a != b {
		c.reasons = append(c.reasons, "sampled by different plans")
	}
}

// Where a file's environment says which code was measured. The layout is where
// each function lies in the binary, see cli; two builds with the same one differ
// in nothing but what their functions do, which is what is to be judged. A build
// names code that has more than one layout, or one that could not be read.
const (
	LinkOrderKey = "layout"
	BuildKey     = "build"
)

// ruleFor chooses the rule that two files are judged by.
func ruleFor(old, new *File) rule {
	same := func(key string) bool { return old.said(key) != "" && old.said(key) == new.said(key) }
	switch {
	case aligned(old) && aligned(new): // each process another layout, also of one build
		return layouts
	case old.said(LinkOrderKey) != "" && new.said(LinkOrderKey) != "":
		if same(LinkOrderKey) {
			return sameBuild
		}
	case same(BuildKey):
		return sameBuild
	}
	return otherBuild
}

// Commit gives the commit that a file was measured at, "" where it does not say
// one that git could be given.
func (f *File) Commit() string {
	commit := f.said("commit")
	if len(commit) < 7 || strings.Trim(commit, "0123456789abcdef") != "" {
		return ""
	}
	return commit
}

// Preview is what can be said of a comparison before the new side is sampled.
type Preview struct {
	Differences       []string // why times cannot be compared; empty where they can
	UnknownConditions []string // why floors cannot: only one of the files says it
	// Least is the smallest change that can be told from none: the threshold, or
	// more where the two sides are different builds.
	SmallestChange float64
}

// PreviewComparison says what a comparison can tell. Of the new file no result is looked at.
func PreviewComparison(old, new *File, threshold float64) Preview {
	c := compatibility(old, new)
	f := Preview{Differences: c.reasons, UnknownConditions: c.unknown, SmallestChange: threshold}
	if c.rule == otherBuild {
		f.SmallestChange = max(threshold, layoutAllowance)
	}
	return f
}

// aligned tells whether every benchmark was sampled in enough random layouts, of
// a build whose functions are aligned so that few of them matter.
func aligned(f *File) bool {
	if f.said("funcalign") != fmt.Sprint(FunctionAlignment) {
		return false
	}
	return !slices.ContainsFunc(f.Results, func(r Result) bool {
		if len(r.Processes) == 0 {
			return false
		}
		seeds := map[int]bool{}
		for _, p := range r.Processes {
			seeds[p.LinkSeed] = true
		}
		return len(seeds) < leastLayouts || seeds[0]
	})
}

// goMinor cuts a Go version down to the release that its compiler is of: "go1.26" for
// "go1.26.3", "go1.27rc1" and "devel go1.27-abcdef Mon Jan 2". What it does not know
// stays as it is.
func goMinor(text string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(text, "devel "), " ")
	return cmp.Or(version.Lang(word), text)
}
