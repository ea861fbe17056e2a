package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"omniloader/internal/bench"
)

// FreshJob is an operation on a checkpoint of the real disk, for a process that is
// started for it and has done nothing before. It has a JSON form.
type FreshJob struct {
	Operation      string  `json:"operation"`
	Root           string  `json:"root"` // the real directory that Dir and those of Options are in
	Dir            string  `json:"dir"`
	Options        Options `json:"options"`
	ExpectsFailure bool    `json:"failure_awaited"`
	Cold           bool    `json:"cold"` // with the checkpoint's files out of the page cache
}

// Do carries the job out in this process.
func (j FreshJob) Do(subject LoaderUnderTest) (*bench.Fresh, error) {
	operation, ok := subject(j.Options)[j.Operation]
	if !ok {
		return nil, fmt.Errorf("the loader under test has no operation %q", j.Operation)
	}
	if j.Cold {
		if err := bench.DropCache(filepath.Join(j.Root, filepath.FromSlash(j.Dir))); err != nil {
			return &bench.Fresh{NotCold: "the page cache cannot be dropped here: " + err.Error()}, nil
		}
	}
	fsys := os.DirFS(j.Root)
	call := func() (any, error) { return operation(fsys, j.Dir) }
	if j.ExpectsFailure {
		call = failureAsAnswer(call)
	}
	return bench.FirstCall(call)
}

// ErrNoProcess is the error of Setup.Fresh where no process can be started.
var ErrNoProcess = errors.New("no process of its own can be started here")

// fresh calls the operation in processes of its own, on a checkpoint laid out on
// the real disk for them. It gives nil, and notes why, where that is not possible.
func (w *world) fresh(ctx context.Context) (f *bench.Fresh, err error) {
	if w.setup.Fresh == nil {
		w.noProcess = ErrNoProcess.Error()
		return nil, nil
	}
	job := FreshJob{Operation: w.operation, Root: w.tempRoot, Dir: w.dir, Options: w.options, ExpectsFailure: w.expectsFailure}
	switch {
	case w.realRoot != "":
		job.Root = w.realRoot
	case w.tempRoot == "":
		on := newWorld(w.setup)
		on.pickle = w.pickle
		if err := on.temporaryDirectory(); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(on.tempRoot)) }()
		if err := w.given.replay(on); err != nil {
			return nil, fmt.Errorf("laying the checkpoint out on the disk: %w", err)
		}
		job.Root, job.Dir = on.tempRoot, on.dir
	}
	f, err = w.setup.Fresh(ctx, job)
	if err == nil && w.coldBounded {
		job.Cold = true
		var cold *bench.Fresh
		if cold, err = w.setup.Fresh(ctx, job); err == nil {
			if f.NotCold = cold.NotCold; f.NotCold == "" {
				f.Cold = &cold.First
			}
		}
	}
	if errors.Is(err, ErrNoProcess) {
		w.noProcess = err.Error()
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("calling the %s in a process of its own: %w", w.operation, err)
	}
	return f, nil
}
