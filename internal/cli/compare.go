package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/report"
)

func (p *program) compareCommand() *cobra.Command {
	format := "text"
	threshold, fails := share{bench.DefaultThreshold}, failOnOfCompare()
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two results files",
		Long: `Compares two results files, benchmark by benchmark. Where both were sampled, by a
run with --baseline or --save-baseline, their floors are judged: red where the new
one is slower by more than the threshold in every process, green where it is
faster, unconverged where the machine was too busy to tell, neutral between. Files
from another CPU, Go version or sampling plan are not comparable. Between builds
that differ in the code that is measured only changes of more than 30 % are judged,
because the places where the linker puts code can make smaller ones: what is below is
not comparable, and "omniloader bench --against REV" can judge it.

Other files are compared by their mean times, which on a shared machine is worth
little: it called 45 % of unchanged benchmarks changed. A call that allocates more is
red in any case. Benchmarks that only one of the files has are listed, and fail
nothing unless --fail-on names them.`,
		Example: `  omniloader compare main.json branch.json
  omniloader compare --format markdown main.json branch.json >> "$GITHUB_STEP_SUMMARY"`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errorWithHint("omniloader compare OLD NEW", "compare takes two results files, found %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return p.compare(args[0], args[1], format, threshold.value, fails)
		},
		ValidArgsFunction: completeFiles("json"),
		Annotations: map[string]string{
			meaningOf0: "no benchmark is red",
			meaningOf1: "a benchmark is red",
			meaningOf2: "could not judge: a file that is missing or no results file, no benchmark\n     that both have, or more than a tenth of them without a verdict",
		},
	}
	help := "write it as `NAME`:"
	for _, f := range report.ComparisonFormats() {
		help += fmt.Sprintf("\n  %-10s %s", f.Name, f.Description)
	}
	c.Flags().StringVar(&format, "format", format, help)
	c.Flags().Var(&threshold, "threshold", "slower by more than this is red, where a scenario's\ntag @threshold:10% did not say otherwise")
	c.Flags().Var(&fails, "fail-on", failOnHelp)
	p.completeFlag(c, "format", report.ComparisonFormatNames)
	p.completeFailOn(c, &fails)
	return c
}

func (p *program) compare(oldPath, newPath, formatName string, threshold float64, fails failOn) error {
	format, err := report.ComparisonFormatByName(formatName)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	oldFile, err := bench.ReadFile(oldPath)
	if err != nil {
		return err
	}
	newFile, err := bench.ReadFile(newPath)
	if err != nil {
		return err
	}
	comparison, err := bench.Compare(oldFile, newFile, threshold)
	if err != nil {
		return err
	}
	fails.withhold(comparison)
	if err := format.Render(p.out, comparison, p.out.options()); err != nil {
		return standardOutput(err)
	}
	return p.judgeComparison(&fails, comparison)
}

// renderComparison writes a comparison for people, behind the report on standard output
// where that is for people too, else to standard error; and to the files.
func (p *program) renderComparison(c *bench.Comparison, files []comparisonFile, onStdout bool) error {
	format, err := report.ComparisonFormatByName("text")
	if err != nil {
		return err
	}
	to := p.err
	if onStdout {
		to = p.out
	}
	fmt.Fprintln(to)
	err = format.Render(to, c, to.options())
	for _, file := range files {
		err = errors.Join(err, atomicfile.Write(file.path, func(w io.Writer) error { return file.format.Render(w, c, report.Options{}) }))
	}
	return err
}
