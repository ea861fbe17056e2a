package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"omniloader/internal/runfile"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
)

// writesRunFile is false in tests, whose working directory is the source tree.
var writesRunFile = true

// runFilePath is where the run file goes, "" for nowhere: where the flags say, else beside
// the features, which for the built-in ones is the working directory.
func (f *runFlags) runFilePath(paths []string) (string, error) {
	switch {
	case f.noRunFile && f.runFile != "":
		return "", errorWithHint("leave one of them out", "--run-file names a file, and --no-run-file asks for none")
	case f.given("run-file") && f.runFile == "":
		return "", errorWithHint("name a file, or leave the flag out", "--run-file: empty")
	case f.runFile != "":
		return f.runFile, nil
	case f.noRunFile || !writesRunFile:
		return "", nil
	}
	return defaultRunFile(paths), nil
}

// defaultRunFile is where the run file of a run of features is where no flag says it.
func defaultRunFile(paths []string) string {
	if len(paths) == 0 {
		return filepath.FromSlash(runfile.DefaultPath)
	}
	dir := paths[0]
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return filepath.Join(dir, filepath.FromSlash(runfile.DefaultPath))
}

// createRunFile starts the run file of a run; the writer is nil where none is written. A
// file that cannot be written is an error only if a flag names it.
func (p *program) createRunFile(ctx context.Context, plan *suite.Plan, s *runSettings, l undertest.Loader) (*runfile.Writer, error) {
	if s.runFile == "" {
		return nil, nil
	}
	origin := originOf(time.Now())
	header := runfile.Header{
		Version: ownVersion(), Started: time.Now(), Host: runfile.NewHost(origin), Workers: s.jobs,
		Loaders:   []runfile.Loader{{Name: l.Name(), Version: l.Version()}},
		Selection: runfile.Selection{Tags: s.selection.Tags, Categories: s.selection.Categories, Name: s.selection.Name},
		Planned:   len(plan.Scenarios()), PlanIDs: plan.IDs(), PlanHash: plan.PlanHash(), FeaturesHash: plan.FeaturesHash(), LeftOut: plan.LeftOut(),
	}
	header.Order, header.Seed = s.control.orderName()
	if s.rerun != nil {
		header.Selection.RerunOf = s.rerun.runID
		header.PlanIDs = append(header.PlanIDs, s.rerun.notSelected(header.PlanIDs)...)
	}
	for _, path := range s.paths {
		header.Selection.Paths = append(header.Selection.Paths, runfile.Text(path))
	}
	for _, model := range s.selection.Models {
		header.Selection.Models = append(header.Selection.Models, runfile.Text(model))
	}
	if s.shard != nil {
		header.Selection.Shard = &s.shard.Shard
	}
	if commit, ok := origin.Environment["commit"].(string); ok {
		header.Commit = commit
	}
	w, err := runInterruptible(ctx, func() (*runfile.Writer, error) { // a pipe waits for a reader
		return runfile.Create(s.runFile, header, plan.RunFileFeatures(), func(err error) { p.note("the run file is incomplete: %v", err) })
	})
	if err != nil {
		if s.runFileNamed || ctx.Err() != nil {
			return nil, err
		}
		p.note("no run file is kept: %v", err)
	}
	return w, nil
}
