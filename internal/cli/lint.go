package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"omniloader/internal/configfile"
	"omniloader/internal/lint"
	"omniloader/internal/lintreport"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// lintFlags are the flags of the command lint.
type lintFlags struct {
	format              string
	strict, fix, dryRun bool
	stdinName           string
	stdinNameIsDefault  bool
	checkpoints         checkpointFlags
	config              configFlags
}

const stdinArgument = "-"

var lintColors = map[lint.Severity]text.Color{lint.Error: text.FgRed, lint.Warning: text.FgYellow}

func (p *program) lintCommand() *cobra.Command {
	var flags lintFlags
	c := &cobra.Command{
		Use:   "lint [FEATURE…]",
		Short: "Find what stands in feature files and is not read",
		Long: `Finds what stands in feature files and is not read, or has no effect: undefined steps,
steps that are read as description, tables below steps that take none, placeholders
without a column, tags that change nothing. It runs nothing. Without a path it reads the
built-in features, with - the standard input.

An error makes its scenario, or its file, one that cannot be judged, in a run too. A
warning is only told here. Each has the code of its rule; docs/lint.md lists them.

Of omniloader.yaml, a config file beside the features or in a folder above them, it
takes the keys paths, presets and allow-outside, so that it knows what a run knows.`,
		Example: `  omniloader lint features/                     feature files and folders
  omniloader lint --fix features/               mend what has only one meaning
  omniloader lint --fix --dry-run features/     show what --fix would change
  omniloader lint --format sarif features/ > lint.sarif
  omniloader lint --format github features/     annotations in a pull request on GitHub
  omniloader lint - < my.feature                what an editor has not saved yet`,
		RunE: func(c *cobra.Command, paths []string) error {
			flags.stdinNameIsDefault = !c.Flags().Changed("stdin-name")
			beside := paths
			if slices.Contains(paths, stdinArgument) {
				beside = []string{flags.stdinName}
			}
			configured, err := p.configure(&flags.config, beside)
			if err != nil {
				return err
			}
			if configured.isUsed() {
				p.noteConfig(configured)
			}
			if len(paths) == 0 {
				paths = configured.paths
			}
			if err := flags.check(paths); err != nil {
				return err
			}
			allowed, err := flags.checkpoints.allowed(c.Flags())
			if err != nil {
				return err
			}
			return p.lint(c.Context(), flags, allowed, paths, c.InOrStdin())
		},
		ValidArgsFunction: completeFiles("feature"),
		Annotations: map[string]string{
			meaningOf0: "nothing was found, or only warnings",
			meaningOf2: "an error was found, with --strict a warning; or a wrong flag, or a file that\n     cannot be read or written",
			"environment": `  OMNILOADER_PRESETS        used where --presets is not given; a list, as PATH is one
  OMNILOADER_ALLOW_OUTSIDE  used where --allow-outside is not given; 1 allows it`,
		},
	}
	c.Flags().StringVar(&flags.format, "format", "text", "how to print what was found: `FORMAT` is\n"+strings.Join(lintreport.Formats(), ", "))
	c.Flags().BoolVar(&flags.strict, "strict", false, "end with exit code 2 for warnings too")
	c.Flags().BoolVar(&flags.fix, "fix", false, "mend what has only one meaning, in the files: keywords in the wrong\ncase, a tag that an element has twice")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "with --fix: show the changes, and write nothing")
	c.Flags().StringVar(&flags.stdinName, "stdin-name", "stdin.feature", "the `PATH` of what is on standard input, for messages\nand fixtures")
	flags.checkpoints.defineAllowed(c.Flags())
	flags.config.keys = []string{configfile.PathsKey, "presets", "allow-outside"}
	flags.config.defineSource(c.Flags())
	p.completeFlag(c, "format", lintreport.Formats)
	p.completeFlag(c, "profile", flags.config.profileNames)
	_ = c.MarkFlagFilename("config", "yaml")
	_ = c.MarkFlagDirname("presets")
	_ = c.MarkFlagFilename("stdin-name", "feature")
	return c
}

// check refuses flags and arguments that do not fit.
func (f *lintFlags) check(paths []string) error {
	fromStdin := slices.Contains(paths, stdinArgument)
	switch {
	case !slices.Contains(lintreport.Formats(), f.format):
		return errorWithHint(suggest.DidYouMean(f.format, lintreport.Formats()), "--format: unknown format %q", f.format)
	case f.dryRun && !f.fix:
		return errorWithHint("lint changes nothing unless --fix is given", "--dry-run needs --fix")
	case fromStdin && len(paths) > 1:
		return errorWithHint("lint the files in a call of their own", "standard input (-) and files at once")
	case fromStdin && f.fix:
		return errorWithHint("name the file", "--fix cannot change standard input")
	case f.fix && len(paths) == 0:
		return errorWithHint("name files or folders", "--fix cannot change the built-in features")
	case !fromStdin && !f.stdinNameIsDefault:
		return errorWithHint("add the argument -", "--stdin-name needs standard input as the file")
	case !suite.IsFeature(f.stdinName):
		return errorWithHint("feature files end in .feature or .feature.md", "--stdin-name %q: not a feature file", f.stdinName)
	}
	return nil
}

// lint prints what is found in feature files, after mending what can be mended.
func (p *program) lint(ctx context.Context, flags lintFlags, allowed steps.Checkpoints, paths []string, stdin io.Reader) error {
	load := func() (*suite.Plan, error) {
		loaded, err := lintedFeatures(ctx, flags, paths, stdin)
		if err == nil {
			return suite.Select(loaded, suite.Selection{Checkpoints: allowed})
		}
		if ctx.Err() != nil {
			return nil, errors.New("interrupted")
		}
		return nil, err
	}
	plan, err := load()
	if err != nil {
		return err
	}
	if flags.fix {
		if plan, err = p.fixFeatures(plan, load, flags.dryRun); err != nil {
			return err
		}
	}
	plan.Expect(vocabularyOf(p.loader), false)
	problems, err := plan.Lint(ctx)
	if err != nil {
		return errors.New("interrupted")
	}
	options := lintreport.Options{Version: ownVersion(), Style: func(s lint.Severity, word string) string {
		return p.color(word, lintColors[s])
	}}
	if err := lintreport.Write(p.out, flags.format, problems, options); err != nil {
		return standardOutput(err)
	}
	return p.concludeLint(plan, problems, flags)
}

func lintedFeatures(ctx context.Context, flags lintFlags, paths []string, stdin io.Reader) ([]*suite.Feature, error) {
	if len(paths) == 0 || paths[0] != stdinArgument {
		return loadFeatures(ctx, paths)
	}
	loaded, err := runInterruptible(ctx, func() ([]*suite.Feature, error) { return suite.LoadSource(ctx, flags.stdinName, stdin) })
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return loaded, nil
}

// concludeLint says what was found in a line, and gives the error that the exit code comes
// from.
func (p *program) concludeLint(plan *suite.Plan, problems outcome.Problems, flags lintFlags) error {
	errorCount, files := 0, map[string]bool{}
	for _, problem := range problems {
		files[problem.URI] = true
		if lint.SeverityOf(problem.Code) == lint.Error {
			errorCount++
		}
	}
	of, leftOut := quantity.Count(len(plan.Files()), "file"), outcome.LeftOutText(plan.LeftOut())
	if leftOut != "" {
		leftOut = "; " + leftOut
	}
	hint := ""
	if fixable := countFixes(plan); fixable > 0 {
		hint = fmt.Sprintf("--fix mends %d of them", fixable)
	}
	counts := []string{}
	if errorCount > 0 {
		counts = append(counts, quantity.Count(errorCount, "error"))
	}
	if warnings := len(problems) - errorCount; warnings > 0 {
		counts = append(counts, quantity.Count(warnings, "warning"))
	}
	switch {
	case errorCount > 0 || flags.strict && len(problems) > 0:
		return errorWithHint(hint, "%s in %d of %s%s", strings.Join(counts, " and "), len(files), of, leftOut)
	case len(problems) > 0:
		p.note("%s in %d of %s%s", strings.Join(counts, " and "), len(files), of, leftOut)
	case flags.format == "text":
		fmt.Fprintf(p.out, "%s, %s: nothing found%s\n", of, quantity.Count(len(plan.Scenarios()), "scenario"), leftOut)
	}
	return nil
}

func countFixes(plan *suite.Plan) int {
	n := 0
	for _, fixes := range plan.Fixes() {
		n += len(fixes)
	}
	return n
}

// maxFixRounds bounds how often files are read again for what became visible by mending.
const maxFixRounds = 10

// fixFeatures mends the files of a plan, and gives the plan of the mended files.
func (p *program) fixFeatures(plan *suite.Plan, load func() (*suite.Plan, error), dryRun bool) (*suite.Plan, error) {
	for range maxFixRounds {
		fixes := plan.Fixes()
		for _, uri := range plan.Files() {
			if len(fixes[uri]) == 0 {
				continue
			}
			if err := p.fixFile(filepath.FromSlash(uri), fixes[uri], dryRun); err != nil {
				return nil, err
			}
		}
		if len(fixes) == 0 || dryRun {
			return plan, nil
		}
		var err error
		if plan, err = load(); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// fixFile changes lines of a file, and prints each change.
func (p *program) fixFile(path string, fixes []lint.Fix, dryRun bool) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fixed, made := lint.Apply(source, fixes)
	if len(made) == 0 {
		return nil
	}
	if !dryRun {
		if err := writeBytes(path, fixed); err != nil {
			return err
		}
	}
	for _, f := range made {
		fmt.Fprintf(p.err, "%s:%d\n  - %s\n", printable(path), f.Line, printable(strings.TrimSpace(f.Old)))
		if line := strings.TrimSpace(f.New); line != "" {
			fmt.Fprintf(p.err, "  + %s\n", printable(line))
		}
	}
	return nil
}
