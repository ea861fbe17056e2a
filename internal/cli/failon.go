package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"omniloader/internal/bench"
	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
)

// failOn is the value of --fail-on: which verdicts of a comparison make a command
// fail, and with which exit code.
type failOn struct {
	words []string
	flaky bool // failFlaky may be listed: the command runs scenarios
}

var _ pflag.Value = (*failOn)(nil)

// What --fail-on may list. The first two give exit code 1, the others 2.
const (
	failRed           = "red"            // a benchmark is red, for more than noise explains
	failMeans         = "means"          // as red, and also where a mean time is larger, which noise alone may explain
	failUnjudged      = "unjudged"       // too many have no verdict, see unjudgedShare
	failNotComparable = "not-comparable" // any benchmark is
	failUnconverged   = "unconverged"    // any benchmark is
	failRemoved       = "removed"        // any benchmark is only in the old file
	failFlaky         = "flaky"          // a scenario of the run is, with exit code 1
)

var failWords = []string{failRed, failMeans, failUnjudged, failNotComparable, failUnconverged, failRemoved}

// failOnHelp is the help of --fail-on.
const failOnHelp = "what fails: red, means (red, and larger mean times that noise\nalone may explain), with exit code 1; unjudged (more than a tenth\nhave no verdict), not-comparable, unconverged, removed (any\none is), with exit code 2; or none"

// failOnHelpOfRun is that of commands that run scenarios.
var failOnHelpOfRun = strings.Replace(failOnHelp, "or none", "flaky (a scenario\nis), with exit code 1; or none", 1)

// unjudgedShare is the share of the benchmarks of a comparison that may be left
// without a verdict. On a machine that others use there are one or two now and then,
// and in another build too; where there are more, the comparison has not judged.
const unjudgedShare = 0.1

// failOnOfRun, failOnOfBench and failOnOfCompare are the defaults. A run can sample, so that it need
// not take a verdict by means for a regression; compare has only what is in its files.
func failOnOfRun() failOn     { return failOn{[]string{failRed, failUnjudged}, true} }
func failOnOfBench() failOn   { return failOn{failOnOfRun().words, false} }
func failOnOfCompare() failOn { return failOn{[]string{failRed, failMeans, failUnjudged}, false} }

func (f *failOn) Type() string { return "LIST" }

func (f *failOn) String() string {
	if len(f.words) == 0 {
		return "none"
	}
	return strings.Join(f.words, ",")
}

func (f *failOn) Set(text string) error {
	f.words = nil
	if text == "none" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if word == "none" {
			return errors.New("none cannot be combined with others")
		}
		known := f.known()
		if !slices.Contains(known, word) {
			return fmt.Errorf("%q is unknown, %s", word, suggest.DidYouMean(word, append([]string{"none"}, known...)))
		}
		f.words = append(f.words, word)
	}
	return nil
}

// known returns the words that the list may have, but none.
func (f *failOn) known() []string {
	if f.flaky {
		return append(slices.Clone(failWords), failFlaky)
	}
	return failWords
}

// allowsRegressions tells whether nothing fails because a benchmark is slower.
func (f *failOn) allowsRegressions() bool { return !f.has(failRed) && !f.has(failMeans) }

func (f *failOn) has(word string) bool { return slices.Contains(f.words, word) }

// withhold takes the verdicts by means that noise alone may explain out of a comparison,
// unless means are to be judged.
func (f *failOn) withhold(c *bench.Comparison) {
	if !f.has(failMeans) {
		c.WithholdDoubtful()
	}
}

// judgeComparison is judge, and says so where a benchmark is red and red is not listed.
func (p *program) judgeComparison(f *failOn, c *bench.Comparison) error {
	if sure, _ := c.Regressions(); sure > 0 && !f.has(failRed) {
		consequence := "does not list red, so that this fails nothing"
		if f.has(failMeans) {
			consequence = "lists means, which includes red"
		}
		p.note("%s red; --fail-on %s %s", areBenchmarks(sure), f, consequence)
	}
	return f.judge(c)
}

// areBenchmarks writes "1 benchmark is" or "2 benchmarks are".
func areBenchmarks(n int) string {
	if n == 1 {
		return "1 benchmark is"
	}
	return quantity.Count(n, "benchmark") + " are"
}

// judge gives errFailed for a comparison with a regression, another error for one that
// could not judge enough, and nil where neither is asked for.
func (f *failOn) judge(c *bench.Comparison) error {
	sure, doubtful := c.Regressions()
	if f.has(failRed) && sure > 0 || f.has(failMeans) && sure+doubtful > 0 {
		return errFailed
	}
	notComparable, unconverged, removed := c.Counts[bench.NotComparable], c.Counts[bench.Unconverged], c.Counts[bench.Removed]
	tooMany := float64(notComparable+unconverged) > unjudgedShare*float64(c.InBoth())
	total := 0
	var unjudged []string
	for _, verdict := range []struct {
		count int
		what  string
		fails bool
	}{
		{notComparable, "not comparable", f.has(failNotComparable) || f.has(failUnjudged) && tooMany},
		{unconverged, "unconverged", f.has(failUnconverged) || f.has(failUnjudged) && tooMany},
		{removed, "removed", f.has(failRemoved)},
	} {
		if verdict.count > 0 && verdict.fails {
			total += verdict.count
			unjudged = append(unjudged, fmt.Sprintf("%d %s", verdict.count, verdict.what))
		}
	}
	if len(unjudged) == 0 {
		return nil
	}
	all := c.InBoth()
	if f.has(failRemoved) {
		all += removed
	}
	return errorWithHint(hintToJudge(c)+"; --fail-on chooses what fails",
		"could not judge %d of %s: %s", total, quantity.Count(all, "benchmark"), strings.Join(unjudged, ", "))
}

// hintToJudge says how to get verdicts for the benchmarks that a comparison left
// without one.
func hintToJudge(c *bench.Comparison) string {
	byMean := slices.ContainsFunc(c.Changes, func(change bench.Change) bool { return change.Basis == bench.ByMean })
	const sameMachine = "sample both sides on one machine, with one version of Go and one plan: omniloader run --save-baseline FILE"
	switch {
	case len(c.Preview.Differences) > 0:
		return sameMachine
	case byMean:
		return "write both files with `omniloader run --save-baseline FILE`, which samples the benchmarks: noise alone moves means by more"
	case c.Counts[bench.NotComparable] > 0 && c.Preview.SmallestChange > c.Threshold && len(c.Preview.UnknownConditions) == 0:
		return againstHint(c.Old.Commit, c.Threshold)
	case c.Counts[bench.NotComparable] > 0 && len(c.Preview.UnknownConditions) > 0:
		return sameMachine
	case c.Counts[bench.NotComparable] > 0:
		return "the comparison says why; where the change was made on purpose, save a new baseline"
	case c.Counts[bench.Unconverged] > 0:
		return "the machine was too busy, or sampling too short: sample again"
	}
	return "where a benchmark was removed on purpose, save a new baseline"
}

// againstHint names the command that compares two builds.
func againstHint(revision string, threshold float64) string {
	return fmt.Sprintf("`omniloader bench --against %s`, in a checkout, builds both revisions and judges changes of %s", cmp.Or(revision, "REV"), (&share{threshold}).String())
}
