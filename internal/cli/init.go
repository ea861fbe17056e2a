package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/internal/starter"
)

func (p *program) initCommand() *cobra.Command {
	source := ""
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first feature, an editor configuration and a CI job",
		Long: `Writes the first files of a project into a directory, the current one or DIR, which is
created where it is missing:

  features/first.feature            scenarios that pass unchanged, one of them measured
  .vscode/settings.json             tells the Cucumber extension where features and steps are
  .vscode/extensions.json           suggests that extension
  .vscode/omniloader-steps.js       every step, for completion; nothing runs it
  .github/workflows/omniloader.yml  a job for GitHub Actions: it installs omniloader, runs
                                    the features, compares with the branch main, keeps the
                                    reports and shows a summary

A file that exists already is not changed, and its name is printed.`,
		Example: `  omniloader init                              into this directory
  omniloader init checks                       into checks, which need not exist yet
  omniloader init --source example/omniloader  the CI job builds omniloader from there`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errorWithHint("omniloader init DIR", "init takes one directory, found %d arguments", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			if c.Flags().Changed("source") && !repositoryName.MatchString(source) {
				return errorWithHint("name the repository on GitHub as OWNER/NAME", "--source %q: no repository", source)
			}
			return p.init(dir, source)
		},
		ValidArgsFunction: completeDirectories,
		Annotations: map[string]string{
			meaningOf0: "written; files that existed already are not changed",
			meaningOf2: "nothing was written, as every file exists already; or a file could not be written",
		},
	}
	c.Flags().StringVar(&source, "source", "", "the CI job builds omniloader from this `REPOSITORY`, OWNER/NAME\non GitHub (default: the variable OMNILOADER_REPOSITORY)")
	p.completeFlag(c, "source", func() []string { return nil })
	return c
}

// repositoryName is the name of a repository on GitHub with its owner's.
var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$`)

// init writes the files that are not there yet, also behind one that cannot be written.
func (p *program) init(dir, source string) error {
	if dir == "" {
		return errorWithHint("name a directory, or none for this one", "init: the name of the directory is empty")
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return errorWithHint("name a directory", "%s: not a directory", printable(dir))
	}
	options := starter.Options{Source: source}
	if build, ok := debug.ReadBuildInfo(); ok && source != "" {
		options.Revision = cleanCommit(versionOf(build))
	}
	files, err := starter.Files(options)
	if err != nil {
		return err
	}
	written, left := map[string]bool{}, map[string]bool{}
	var failures []error
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		fresh, err := writeNew(path, f.Content)
		switch {
		case err != nil:
			failures = append(failures, err)
		case fresh:
			written[f.Path] = true
			fmt.Fprintf(p.err, "wrote %s: %s\n", printable(path), f.About)
		default:
			left[f.Path] = true
			fmt.Fprintf(p.err, "left %s as it is: it exists already\n", printable(path))
		}
	}
	switch {
	case len(written) > 0:
	case len(failures) == 0:
		return errorWithHint("name another directory: omniloader init DIR", "nothing was written: every file exists already")
	case len(left) == 0:
		return failures[0] // the directory itself cannot be written: every failure is the same
	}
	p.printNextSteps(dir, source, written, left)
	return p.complainAllButLast(failures)
}

// cleanCommit gives the commit that a program was built from, "" where there were
// changes that were not committed.
func cleanCommit(v versionInfo) string {
	if v.Modified {
		return ""
	}
	return v.Commit
}

// writeNew writes a file, whole or not at all, and makes the folders above it. It gives
// false where there already is anything of that name.
func writeNew(path string, content []byte) (bool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return false, errorWithHint("name a directory that you may write to: omniloader init DIR", "%s: no folder for it: %w", printable(path), err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	err := writeBytes(path, content)
	return err == nil, err
}

// printNextSteps says what the user has to do next.
func (p *program) printNextSteps(dir, source string, written, left map[string]bool) {
	enter := ""
	if dir != "." {
		enter = "cd " + shellQuote(dir) + " && "
	}
	var steps []string
	if written[starter.Feature] || left[starter.Feature] {
		steps = append(steps, "run the features: "+enter+"omniloader run features")
	}
	if left[starter.Settings] && written[starter.Steps] && !fileContains(filepath.Join(dir, filepath.FromSlash(starter.Settings)), starter.Steps) {
		steps = append(steps, fmt.Sprintf("for completion in the editor, add to %s: \"cucumber.features\": [\"features/**/*.feature\"], \"cucumber.glue\": [\"%s\"]", starter.Settings, starter.Steps))
	}
	if written[starter.Workflow] {
		if top := repositoryAbove(dir); top != "" {
			steps = append(steps, fmt.Sprintf("move %s to the top of the repository, %s, the only place where GitHub looks for it, and name the folder of the features in it",
				printable(filepath.Join(dir, ".github")), printable(top)))
		}
		if source == "" {
			steps = append(steps, "tell the CI job where omniloader is built from: set the variable OMNILOADER_REPOSITORY of the repository on GitHub to OWNER/NAME")
		}
		steps = append(steps, "commit the files; the first run on the branch main keeps its figures, and pull requests are compared with them from then on")
	}
	if len(steps) == 0 {
		return
	}
	fmt.Fprintln(p.err, "next:")
	for _, s := range steps {
		fmt.Fprintln(p.err, "  "+s)
	}
}

// fileContains tells whether the first MiB of a file, more than any editor's settings,
// contains a text. A file that cannot be read contains nothing.
func fileContains(file, text string) bool {
	const maxSettings = 1 << 20
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSettings))
	return err == nil && strings.Contains(string(content), text)
}

// repositoryAbove gives the top directory of the repository that a directory is in, ""
// where it is in none or is the top directory itself.
func repositoryAbove(dir string) string {
	at, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for first := true; ; first = false {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			if first {
				return ""
			}
			return at
		}
		above := filepath.Dir(at)
		if above == at {
			return ""
		}
		at = above
	}
}
