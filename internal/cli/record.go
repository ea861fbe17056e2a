package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/record"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// recordFlags are the flags of record, as given.
type recordFlags struct {
	output string
	name   string
	force  bool
}

const (
	featureSuffix = ".feature"
	fixtureSuffix = ".fixture"
)

func (p *program) recordCommand() *cobra.Command {
	s := &recordFlags{}
	c := &cobra.Command{
		Use:   "record PATH",
		Short: "Write a feature file that describes a real checkpoint",
		Long: `Writes a feature file about a real checkpoint: a fixture that stands for it, what the
loader finds in it, and bounds somewhat above what was measured. The feature runs
without the checkpoint, on any machine, and fails when the loader finds something
else. It has passed once before it is written.

The fixture has every file by name and size. Small files that describe the model
(configs, indexes, tokenizers, code) are kept as they are; of weights only the
headers, so that parameters, types and shapes stay true. A tokenizer.json of more
than 1 MiB is kept without most of its vocabulary where the answers stay the same.
Files outside the checkpoint, and files whose name begins with a dot, are never read;
names of users, paths of this machine, addresses and secrets are written as xxx. A
short fixture is part of the feature; a longer one is a file beside it: FILE.fixture.

Look at both before you publish them: configs and code may be under copyright.`,
		Example: `  omniloader record ~/models/llama-3-8b                            to standard output
  omniloader record ~/models/llama-3-8b --output llama.feature     and llama.fixture
  omniloader run llama.feature                                     needs both, and no checkpoint
  omniloader record ~/.cache/huggingface/hub/models--gpt2/snapshots/607a30d --name gpt2`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errorWithHint("omniloader record PATH", "record takes the directory of one checkpoint, found %d arguments", len(args))
			}
			return nil
		},
		RunE:              func(c *cobra.Command, args []string) error { return p.record(c.Context(), args[0], s) },
		ValidArgsFunction: completeDirectories,
		Annotations: map[string]string{
			meaningOf0: "written",
			meaningOf2: "could not be recorded: no such directory, a link that leads out of it, the\n     output exists already, or the feature would not pass",
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&s.output, "output", "", "write to this feature `FILE`; its fixture is written beside it")
	f.StringVar(&s.name, "name", "", "call the checkpoint this `NAME` (default: the name of its directory)")
	f.BoolVar(&s.force, "force", false, "replace an output that exists already")
	_ = c.MarkFlagFilename("output", "feature")
	return c
}

// record checks where the output goes before it reads the checkpoint.
func (p *program) record(ctx context.Context, path string, s *recordFlags) error {
	if err := checkpointDirectory(path, "name the directory that has the checkpoint's config.json"); err != nil {
		return err
	}
	fixture, err := s.fixturePath(path)
	if err != nil {
		return err
	}
	options := record.Options{Name: s.name}
	if fixture != "" {
		options.Fixture = filepath.Base(fixture)
	}
	recorded, err := runInterruptible(ctx, func() (*record.Recorded, error) { return record.Checkpoint(ctx, path, options) })
	if err != nil {
		return err
	}
	if err := checkPasses(ctx, recorded, options.Fixture); err != nil {
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

// fixturePath checks the path of the feature, and gives that of its fixture, should it
// need a file of its own: "" where the feature goes to standard output.
func (s *recordFlags) fixturePath(checkpoint string) (string, error) {
	if s.output == "" {
		return "", nil
	}
	stem, ok := strings.CutSuffix(s.output, featureSuffix)
	if base := filepath.Base(stem); !ok || base == "." || stem == "" || os.IsPathSeparator(stem[len(stem)-1]) || strings.ContainsAny(base, "\"\\") {
		return "", errorWithHint("name a file such as checkpoint.feature", "--output %s: a feature file ends in %s", s.output, featureSuffix)
	}
	if err := refuseUnwritable(namedFile{"--output", s.output}); err != nil {
		return "", err
	}
	fixture := stem + fixtureSuffix
	for _, file := range []string{s.output, fixture} {
		if withinDirectory(checkpoint, file) {
			return "", errorWithHint("name a file elsewhere: nothing is written into the checkpoint", "--output %s: it is in the checkpoint itself", s.output)
		}
		if _, err := os.Lstat(file); err == nil && !s.force {
			return "", errorWithHint("choose another name, or replace it with --force", "--output %s: %s exists already", s.output, file)
		}
	}
	return fixture, nil
}

// checkPasses runs a recorded feature from memory, as "omniloader run" will, and gives
// an error where it does not pass: it must not be written then.
func checkPasses(ctx context.Context, r *record.Recorded, fixture string) error {
	const feature = "recorded" + featureSuffix
	archive := &txtar.Archive{Files: []txtar.File{{Name: feature, Data: r.Feature}}}
	if r.Fixture != nil {
		archive.Files = append(archive.Files, txtar.File{Name: fixture, Data: r.Fixture})
	}
	fsys, err := txtar.FS(archive)
	if err != nil {
		return err
	}
	loaded, err := suite.LoadFS(ctx, fsys, "")
	if err != nil {
		return err
	}
	plan, err := suite.Select(loaded, suite.Selection{})
	if err == nil {
		err = plan.Check(ctx)
	}
	if err != nil {
		return err
	}
	var run *outcome.Run
	err = withLoader(ctx, undertest.Builtin, func(l undertest.Loader) (err error) {
		run, err = plan.Run(ctx, suite.Options{Setup: &steps.Setup{Loader: l, Plan: bench.Plan{Iterations: 3, Warmup: 1}}, Jobs: 1})
		return err
	})
	if err != nil {
		return err
	}
	if run.Interrupted {
		return errorWithHint("nothing was written", "interrupted")
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
			return errorWithHint("nothing was written; this is a fault of omniloader, or the checkpoint changes while it is read",
				"the feature does not pass: %s: %w", where, err)
		}
	}
	return nil
}

// writeRecorded writes the fixture first, so that a feature is never without its
// fixture.
func (p *program) writeRecorded(r *record.Recorded, output, fixture string) error {
	written := output
	if r.Fixture != nil {
		_, err := os.Lstat(fixture)
		isNew := errors.Is(err, fs.ErrNotExist)
		if err := writeBytes(fixture, r.Fixture); err != nil {
			return err
		}
		if err := writeBytes(output, r.Feature); err != nil {
			if isNew {
				os.Remove(fixture)
			}
			return err
		}
		written += fmt.Sprintf(" and %s (%s)", fixture, byteText(int64(len(r.Fixture))))
	} else if err := writeBytes(output, r.Feature); err != nil {
		return err
	}
	fmt.Fprintf(p.err, "wrote %s; to run it: omniloader run %s\n", printable(written), printable(output))
	return nil
}
