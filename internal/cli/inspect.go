package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/internal/report"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

func (p *program) inspectCommand() *cobra.Command {
	f := &inspectFlags{}
	c := &cobra.Command{
		Use:   "inspect PATH…",
		Short: "Say what a checkpoint on disk is, without loading its weights",
		Long: `Says what each checkpoint is: category, architecture, tokenizer, weights, the memory
they take, and what is wrong with it. PATH is the directory that has its config.json,
or one of its weights files, which is then inspected alone. Of the weights only the
headers are read, and no code of the checkpoint is run.
"omniloader findings" explains what can be found.`,
		Example: `  omniloader inspect ~/models/llama-3-8b
  omniloader inspect models/*             several at once
  omniloader inspect --context 32768 .    with the memory for a context of that length
  omniloader inspect --verify .           reads every file, and compares it with its hash
  omniloader inspect --json . | jq -r .category`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errorWithHint("omniloader inspect PATH…", "inspect takes the directory of a checkpoint, found none")
			}
			return nil
		},
		RunE: func(c *cobra.Command, paths []string) error {
			l, err := f.loader(c.Flags().Changed("architectures"))
			if err != nil {
				return err
			}
			return p.inspect(c.Context(), paths, &inspector{l, f.verify, p.newBytesBar}, f.asJSON)
		},
		ValidArgsFunction: completeDirectories,
		Annotations: map[string]string{
			meaningOf0: "no checkpoint has an error-level finding",
			meaningOf1: "a checkpoint has an error-level finding",
			meaningOf2: "could not judge: no such directory, or it cannot be listed",
		},
	}
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object a line, one for each path")
	c.Flags().BoolVar(&f.verify, "verify", false, "read every file, weights as well, and compare it with the hash that its\ndownload left: in a Hugging Face cache, or where hf download put it")
	c.Flags().Int64Var(&f.context, "context", 0, "size the key-value cache for so many `tokens`, not\nthe model's own context")
	c.Flags().StringVar(&f.architectures, "architectures", "", architecturesHelp)
	_ = c.MarkFlagFilename("architectures", "tsv")
	return c
}

// inspectFlags are the flags of inspect, as given.
type inspectFlags struct {
	asJSON, verify bool
	context        int64 // tokens, 0 for the model's own
	architectures  string
}

// loader makes the loader that the flags ask for. hasArchitectures tells whether
// --architectures is given, be it with an empty value.
func (f *inspectFlags) loader(hasArchitectures bool) (*loader.Loader, error) {
	if f.context < 0 {
		return nil, errorWithHint("give the number of tokens, such as --context 32768", "a context of %d tokens", f.context)
	}
	options := []loader.Option{loader.WithContext(f.context)}
	table, err := readArchitectures(f.architectures, hasArchitectures)
	if err != nil {
		return nil, err
	}
	if table != "" {
		added, err := loader.ReadArchitectures(f.architectures, strings.NewReader(table))
		if err != nil {
			return nil, err
		}
		options = append(options, loader.WithArchitectures(added))
	}
	return loader.New(options...), nil
}

// inspect reports on every path in order, also behind one that cannot be read.
func (p *program) inspect(ctx context.Context, paths []string, in *inspector, asJSON bool) error {
	var unreadable error
	failed := false
	next := in.inspectAll(ctx, paths)
	for i := range paths {
		info, err := runInterruptible(ctx, next)
		if ctx.Err() != nil {
			return errorWithHint("the checkpoints printed so far are complete", "interrupted")
		}
		if err != nil {
			if unreadable != nil {
				p.complain(unreadable) // execute writes the last one
			}
			unreadable = err
			continue
		}
		failed = failed || slices.ContainsFunc(info.Findings, func(f answer.Finding) bool { return f.Severity == answer.SeverityError })
		if asJSON {
			if err := printJSON(p, info); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		p.describeCheckpoint(info)
	}
	switch {
	case unreadable != nil:
		return unreadable
	case failed:
		return errFailed
	}
	return nil
}

// inspector inspects checkpoints on the real disk.
type inspector struct {
	loader *loader.Loader
	verify bool                    // read every file, and compare it with its hash
	newBar func() *report.BytesBar // shows the progress of that
}

// inspectAll starts to inspect the paths and gives a function that waits for the next
// one, in their order. Several are inspected at once, a few ahead of the one that is
// waited for; with verify, which reads whole files, one by one.
func (in *inspector) inspectAll(ctx context.Context, paths []string) (next func() (*answer.Info, error)) {
	i := -1
	if in.verify || len(paths) == 1 {
		return func() (*answer.Info, error) {
			i++
			return in.inspect(ctx, paths[i])
		}
	}
	type result struct {
		info *answer.Info
		err  error
	}
	concurrent := runtime.GOMAXPROCS(0)
	slots := make(chan struct{}, concurrent)
	results := make([]chan result, min(4*concurrent, len(paths))) // that of path i is at i modulo the length
	start := func(i int) {
		c := make(chan result, 1)
		results[i%len(results)] = c
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := ctx.Err(); err != nil {
				c <- result{nil, err}
				return
			}
			info, err := in.inspect(ctx, paths[i])
			c <- result{info, err}
		}()
	}
	for i := range results {
		start(i)
	}
	return func() (*answer.Info, error) {
		i++
		r := <-results[i%len(results)]
		if ahead := i + len(results); ahead < len(paths) {
			start(ahead)
		}
		return r.info, r.err
	}
}

// inspect inspects one path: a directory, or one weights file, which is then inspected
// as if it were alone in its directory.
func (in *inspector) inspect(ctx context.Context, path string) (*answer.Info, error) {
	isFile, err := in.isWeightsFile(path)
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	disk := diskOf(absolute)
	dir, err := disk.nameInFS(absolute)
	if err != nil {
		return nil, err
	}
	fsys := os.DirFS(disk.root)
	if isFile {
		fsys, dir, _ = loader.OnlyWeights(fsys, dir)
	}
	info, err := in.loader.Inspect(fsys, dir)
	if err == nil && in.verify {
		bar := in.newBar()
		var findings []answer.Finding
		info.Verified, findings, err = in.loader.Verify(ctx, fsys, dir, bar.Progress)
		info.Findings = finding.Merge(info.Findings, findings)
		bar.Stop()
	}
	if err != nil {
		var fileErr *fault.Error
		if errors.As(err, &fileErr) {
			fileErr.Path = disk.path(fileErr.Path)
		}
		return nil, err
	}
	info.Path, info.Name = path, filepath.Base(absolute)
	if t := info.Tokenizer; t != nil {
		t.MapPaths(disk.path)
	}
	return info, nil
}

// isWeightsFile tells a weights file from a directory, and gives an error for a path
// that is neither.
func (in *inspector) isWeightsFile(path string) (bool, error) {
	err := checkpointDirectory(path, "name the directory that has the checkpoint's config.json")
	if err == nil {
		return false, nil
	}
	if info, statErr := os.Stat(path); statErr == nil && info.Mode().IsRegular() {
		if _, _, ok := loader.OnlyWeights(os.DirFS("."), filepath.ToSlash(path)); ok {
			return true, nil
		}
	}
	return false, err
}

// newBytesBar shows the progress of reading large files, on a terminal with colours
// only.
func (p *program) newBytesBar() *report.BytesBar {
	if o := p.err.options(); p.err.terminal && o.Color {
		return report.NewBytesBar(p.err, o)
	}
	return &report.BytesBar{}
}
