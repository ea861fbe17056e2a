package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/record"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// recordSettings are the flags of record, as given.
type recordSettings struct {
	output string
	name   string
	force  bool
}

const (
	featureSuffix = ".feature"
	fixtureSuffix = ".fixture"
)

func (p *program) recordCommand() *cobra.Command {
	s := &recordSettings{}
	c := &cobra.Command{
		Use:   "record PATH",
		Short: "Write a feature file that describes a real checkpoint",
		Long: `Writes a feature file about a real checkpoint: a fixture that stands for it, what the
loader finds in it, and bounds with head-room over what was measured. The feature
runs without the checkpoint, on any machine, and fails on the day the loader finds
something else. It has passed once before it is written.

The fixture has every file by name and size. Small files that describe the model
(configs, indexes, tokenizers, code) are kept as they are; of weights only the
headers, so that parameters, types and shapes stay true. A tokenizer.json of more
than 1 MiB is kept without most of its vocabulary where the answers stay the same.
What lies outside the checkpoint, and what begins with a dot, is never read; names
of users, paths of this machine, addresses and secrets are written as xxx. A short
fixture stands in the feature; a longer one lies beside it: FILE.fixture.

Look at both before you publish them: configs and code are somebody's work.`,
		Example: `  omniloader record ~/models/llama-3-8b                            to standard output
  omniloader record ~/models/llama-3-8b --output llama.feature     and llama.fixture
  omniloader run llama.feature                                     needs both, and no checkpoint
  omniloader record ~/.cache/huggingface/hub/models--gpt2/snapshots/607a30d --name gpt2`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return unable("omniloader record PATH", "record takes the directory of one checkpoint, found %d arguments", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.record(c.Context(), args[0], s) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		Annotations: map[string]string{
			"held":   "written",
			"unable": "could not be recorded: no such directory, a link that leads out of it, the\n     output is there already, or the feature would not pass",
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&s.output, "output", "", "write to this feature `FILE`; its fixture lies beside it")
	f.StringVar(&s.name, "name", "", "call the checkpoint this `NAME` (default: the name of its directory)")
	f.BoolVar(&s.force, "force", false, "replace an output that is there already")
	_ = c.MarkFlagFilename("output", "feature")
	return c
}

// record refuses an output that cannot be written before it looks at anything.
func (p *program) record(ctx context.Context, path string, s *recordSettings) error {
	if err := isDirectory(path); err != nil {
		advice := "name the directory that has the checkpoint's config.json"
		if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
			advice = "name its directory: " + filepath.Dir(path)
		}
		return unable(advice, "%w", err)
	}
	fixture, err := s.places(path)
	if err != nil {
		return err
	}
	options := record.Options{Name: s.name}
	if fixture != "" {
		options.Fixture = filepath.Base(fixture)
	}
	recorded, err := awaited(ctx, func() (*record.Recorded, error) { return record.Checkpoint(ctx, path, options) })
	if err != nil {
		return err
	}
	if err := proved(ctx, recorded, options.Fixture); err != nil {
		return err
	}
	for _, note := range recorded.Notes {
		p.note("%s", printable(note))
	}
	if s.output == "" {
		_, err := p.out.Write(recorded.Feature)
		return standardOutput(err)
	}
	return p.writeRecorded(recorded, s.output, fixture)
}

// places checks where the feature goes, and gives where its fixture would: "" for
// standard output.
func (s *recordSettings) places(checkpoint string) (fixture string, err error) {
	if s.output == "" {
		return "", nil
	}
	stem, ok := strings.CutSuffix(s.output, featureSuffix)
	if base := filepath.Base(stem); !ok || base == "." || stem == "" || os.IsPathSeparator(stem[len(stem)-1]) || strings.ContainsAny(base, "\"\\") {
		return "", unable("name a file such as checkpoint.feature", "--output %s: a feature file ends in %s", s.output, featureSuffix)
	}
	if err := writable(s.output, nil); err != nil {
		return "", err
	}
	fixture = stem + fixtureSuffix
	for _, file := range []string{s.output, fixture} {
		if within(checkpoint, file) {
			return "", unable("name a file elsewhere: what is recorded is not written to", "--output %s: it lies in the checkpoint itself", s.output)
		}
		if _, err := os.Lstat(file); err == nil && !s.force {
			return "", unable("choose another name, or replace it with --force", "--output %s: %s is there already", s.output, file)
		}
	}
	return fixture, nil
}

// within tells whether a file to be would lie in a directory.
func within(dir, file string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return false
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return false
	}
	if parent, err = filepath.Abs(parent); err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, parent)
	return err == nil && filepath.IsLocal(rel)
}

// proved runs what was recorded as "omniloader run" will, from memory. A feature
// that does not pass is not written.
func proved(ctx context.Context, r *record.Recorded, fixture string) error {
	const feature = "recorded" + featureSuffix
	archive := &txtar.Archive{Files: []txtar.File{{Name: feature, Data: r.Feature}}}
	if r.Fixture != nil {
		archive.Files = append(archive.Files, txtar.File{Name: fixture, Data: r.Fixture})
	}
	fsys, err := txtar.FS(archive)
	if err != nil {
		return err
	}
	loaded, err := suite.LoadFS(fsys, "")
	if err != nil {
		return err
	}
	plan, err := suite.Select(loaded, suite.Selection{})
	if err != nil {
		return err
	}
	run, err := plan.Run(ctx, suite.Options{Setup: &steps.Setup{Loader: steps.BuiltinLoader, Plan: bench.Plan{Iterations: 3, Warmup: 1}}, Jobs: 1})
	if err != nil {
		return err
	}
	if run.Interrupted {
		return unable("nothing was written", "interrupted")
	}
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			if s.Status == outcome.Passed {
				continue
			}
			err := errors.New("it did not run")
			where := s.Name
			if step := s.FailedStep(); step != nil {
				err, where = step.Err, strings.TrimSpace(step.Keyword)+" "+step.Text
			}
			return unable("nothing was written; this is a fault of omniloader, or the checkpoint changes while it is read",
				"the feature does not pass: %s: %w", where, err)
		}
	}
	return nil
}

// writeRecorded writes the fixture first, so that a feature never stands without
// its own.
func (p *program) writeRecorded(r *record.Recorded, output, fixture string) error {
	write := func(path string, content []byte) error {
		return atomicfile.Write(path, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
	}
	written := output
	if r.Fixture != nil {
		_, err := os.Lstat(fixture)
		fresh := errors.Is(err, fs.ErrNotExist)
		if err := write(fixture, r.Fixture); err != nil {
			return err
		}
		if err := write(output, r.Feature); err != nil {
			if fresh {
				os.Remove(fixture)
			}
			return err
		}
		written += fmt.Sprintf(" and %s (%s)", fixture, bench.FormatSize(float64(len(r.Fixture))))
	} else if err := write(output, r.Feature); err != nil {
		return err
	}
	fmt.Fprintf(p.err, "wrote %s; to run it: omniloader run %s\n", printable(written), printable(output))
	return nil
}
