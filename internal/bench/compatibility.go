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

// compatibility is what is known of two files before any benchmark is judged.
type compatibility struct {
	differences      []string // why times cannot be compared; empty where they can
	unknown          []string // why floors cannot: conditions that only one of the files has
	warnings         []string // what may have changed the times a little
	bothOurs         bool     // both were written by this program, which records its environment
	memoryComparable bool     // bytes and allocations can be compared
	rule             rule
}

// conditions are the keys of an environment that both files must have, with one value, for
// times to be compared; words are for people.
var conditions = []struct{ key, words string }{
	{"cpu", "CPU"}, {"goamd64", "GOAMD64"}, {"gomaxprocs", "GOMAXPROCS"}, {"hypervisor", "hypervisor"}, {"funcalign", "alignment of functions, which bench sets and run does not"},
}

// collectorKey is where an environment has GOGC; a file without it ran with the default.
const collectorKey, collectorDefault = "gogc", "100"

// samplingKey is where an environment has the SamplingVersion; a file without it was
// sampled by the first version.
const (
	samplingKey     = "sampling"
	samplingDefault = "1"
)

// modulesKey is where an environment has the modules that the program was linked with, by
// path, and their versions.
const modulesKey = "modules"

// environmentText gives a value of a file's environment as a text, "" where it has none.
func (f *File) environmentText(key string) string {
	v, ok := f.Environment[key]
	if !ok || v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// checkCompatibility compares the conditions under which two files were measured.
func checkCompatibility(old, new *File) compatibility {
	c := compatibility{memoryComparable: true, bothOurs: old.Schema > 0 && new.Schema > 0}
	for _, fact := range []struct{ what, a, b string }{
		{"platform", old.Platform, new.Platform}, {"Go", goRelease(old.GoVersion), goRelease(new.GoVersion)},
	} {
		c.compare(fact.what, fact.a, fact.b)
		c.memoryComparable = c.memoryComparable && fact.a == fact.b
		if c.bothOurs && fact.a == "" && fact.b == "" {
			c.warnings = append(c.warnings, fmt.Sprintf("neither file says for which %s it was measured", fact.what))
		}
	}
	for _, condition := range conditions {
		c.compare(condition.words, old.environmentText(condition.key), new.environmentText(condition.key))
	}
	c.compare("GOGC", cmp.Or(old.environmentText(collectorKey), collectorDefault), cmp.Or(new.environmentText(collectorKey), collectorDefault))
	before, now := cmp.Or(old.environmentText(samplingKey), samplingDefault), cmp.Or(new.environmentText(samplingKey), samplingDefault)
	c.memoryComparable = c.memoryComparable && before == now // each version counts allocations in its own way
	if old.Plan != nil || new.Plan != nil {
		c.compare("version of the sampling", before, now)
	}
	c.comparePlans(old.Plan, new.Plan)
	c.rule = ruleFor(old, new)
	c.addWarnings(old, new)
	return c
}

// compare adds a condition to those that differ, or to those that only one file has.
func (c *compatibility) compare(what, old, new string) {
	switch {
	case old == new:
	case old == "" || new == "":
		c.unknown = append(c.unknown, fmt.Sprintf("%s: only one of the files says it (%s)", what, old+new))
	default:
		c.differences = append(c.differences, fmt.Sprintf("%s: %s and %s", what, old, new))
	}
}

// addWarnings adds what may have changed the times a little.
func (c *compatibility) addWarnings(old, new *File) {
	if text := moduleChanges(old, new); text != "" {
		c.warnings = append(c.warnings, text)
	}
	for _, key := range []string{"kernel", "governor"} {
		if a, b := old.environmentText(key), new.environmentText(key); a != "" && b != "" && a != b {
			c.warnings = append(c.warnings, fmt.Sprintf("%s differs: %s and %s", key, a, b))
		}
	}
	c.warnIfBusy("old", old)
	c.warnIfBusy("new", new)
	a, okA := old.Environment[yardstickKey].(float64)
	b, okB := new.Environment[yardstickKey].(float64)
	const drift = 0.01
	if okA && okB && a > 0 && math.Abs(b/a-1) > drift {
		corrected := "; the changes of floors are corrected for that"
		if c.rule == linkOrders {
			corrected = ""
		}
		c.warnings = append(c.warnings, fmt.Sprintf("the speed of the machine differs by %+.1f %%: a fixed piece of work took %s ns, before %s ns"+corrected,
			(b/a-1)*100, quantity.FormatNumber(b, quantity.Digits), quantity.FormatNumber(a, quantity.Digits)))
	}
}

// Where an environment has what else the machine did while a file was sampled: the share of
// the processors' time that the host gave to other machines, and the number of processors
// that other processes kept busy. Above the limits, floors are found less reliably.
const (
	StealKey    = "steal"
	OtherCPUKey = "other_cpu"

	stealLimit    = 0.2
	otherCPULimit = 1.5
)

// warnIfBusy adds a warning where a side was sampled on a busy machine.
func (c *compatibility) warnIfBusy(side string, f *File) {
	if steal, ok := f.Environment[StealKey].(float64); ok && steal > stealLimit {
		c.warnings = append(c.warnings, fmt.Sprintf("%s: the host gave %.0f %% of the processors' time to other machines", side, steal*100))
	}
	if other, ok := f.Environment[OtherCPUKey].(float64); ok && other > otherCPULimit {
		c.warnings = append(c.warnings, fmt.Sprintf("%s: other processes kept %.1f processors busy meanwhile", side, other))
	}
}

// moduleChanges names the modules whose version differs between the two files; "" where
// none does. The verdicts stay, as such a slowdown is real for users too; the warning
// says where to look.
func moduleChanges(old, new *File) string {
	const maxNamed = 3
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
	if len(differ) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(differ)-maxNamed)
		differ = differ[:maxNamed]
	}
	return "measured with other versions of modules: " + strings.Join(differ, ", ") + more
}

// comparePlans compares the sampling plans, but for the number of processes: more of them
// only find the floor better.
func (c *compatibility) comparePlans(old, new *Sampling) {
	if old == nil || new == nil {
		c.unknown = append(c.unknown, "a file has no sampling plan")
		return
	}
	a, b := *old, *new
	a.Processes, b.Processes = 0, 0
	if a != b {
		c.differences = append(c.differences, "sampled by different plans")
	}
}

// Where an environment says which code was measured. The link order is a hash of the
// addresses of all functions in the binary: two builds with the same one differ
// only in what their functions do, which is what a comparison judges. The build
// names the code where it has several link orders, or one that could not be read.
const (
	LinkOrderKey = "link_order"
	BuildKey     = "build"
)

// ruleFor chooses the rule that two files are judged by.
func ruleFor(old, new *File) rule {
	same := func(key string) bool {
		return old.environmentText(key) != "" && old.environmentText(key) == new.environmentText(key)
	}
	switch {
	case hasLinkOrders(old) && hasLinkOrders(new): // each process has another one, also of one build
		return linkOrders
	case old.environmentText(LinkOrderKey) != "" && new.environmentText(LinkOrderKey) != "":
		if same(LinkOrderKey) {
			return sameBuild
		}
	case same(BuildKey):
		return sameBuild
	}
	return differentBuilds
}

// Commit gives the hash of the commit that a file was measured at; "" where it has none, or
// one that is no hash.
func (f *File) Commit() string {
	commit := f.environmentText("commit")
	if len(commit) < 7 || strings.Trim(commit, "0123456789abcdef") != "" {
		return ""
	}
	return commit
}

// Preview is what is known of a comparison before the new side is sampled.
type Preview struct {
	Differences       []string // why times cannot be compared; empty where they can
	UnknownConditions []string // why floors cannot: conditions that only one of the files has
	// SmallestChange is the smallest relative change that can be judged: the threshold, or
	// more where the two sides are different builds.
	SmallestChange float64
}

// PreviewComparison compares the conditions of two files. It does not read the results of
// the new one.
func PreviewComparison(old, new *File, threshold float64) Preview {
	c := checkCompatibility(old, new)
	f := Preview{Differences: c.differences, UnknownConditions: c.unknown, SmallestChange: threshold}
	if c.rule == differentBuilds {
		f.SmallestChange = max(threshold, linkOrderAllowance)
	}
	return f
}

// hasLinkOrders tells whether every benchmark was sampled in enough random link orders of
// binaries whose functions have the alignment FunctionAlignment.
func hasLinkOrders(f *File) bool {
	if f.environmentText("funcalign") != fmt.Sprint(FunctionAlignment) {
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
		return len(seeds) < minLinkOrders || seeds[0]
	})
}

// goRelease gives the release of a Go version: "go1.26" for "go1.26.3", "go1.27" for
// "go1.27rc1" and "devel go1.27-abcdef Mon Jan 2". Any other text stays as it is.
func goRelease(text string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(text, "devel "), " ")
	return cmp.Or(version.Lang(word), text)
}
