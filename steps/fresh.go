package steps

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
)

// FreshJob describes one call of an operation on a checkpoint on the real disk, in a
// process that is started for it and has done nothing before. It is passed as JSON.
type FreshJob struct {
	Loader         string          `json:"loader"` // the name of the loader under test
	Operation      string          `json:"operation"`
	Input          undertest.Input `json:"input"` // its Root is set, its FS is not
	ExpectsFailure bool            `json:"expects_failure"`
	Cold           bool            `json:"cold"`               // drop the checkpoint's files from the page cache first
	Confined       bool            `json:"confined,omitempty"` // follow no link that leads out of the Root of the Input
}

// freshGrace is how long a call in a process started for it is waited for when it has to end.
const freshGrace = time.Second

// Do calls the operation in this process and measures the call. Where the call does not
// come back when ctx ends, or panics, the error has its stacks.
func (j FreshJob) Do(ctx context.Context, loader undertest.Loader) (*bench.FreshProcess, error) {
	var fresh *bench.FreshProcess
	err := engine.Call(ctx, freshGrace, func(ctx context.Context) (err error) {
		fresh, err = j.do(ctx, loader)
		return err
	})
	if err != nil {
		return nil, engine.WithStacks(err)
	}
	return fresh, nil
}

// do is Do in the goroutine of the call.
func (j FreshJob) do(ctx context.Context, loader undertest.Loader) (f *bench.FreshProcess, err error) {
	files, done, err := place{root: j.Input.Root, confined: j.Confined}.open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	j.Input.FS = files
	call, err := loader.Prepare(j.Operation, j.Input)
	if err != nil {
		return nil, prepareError(j.Operation, err)
	}
	if j.Cold {
		if err := bench.DropCache(filepath.Join(j.Input.Root, filepath.FromSlash(j.Input.Dir))); err != nil {
			return &bench.FreshProcess{ColdMissing: "the page cache cannot be dropped here: " + err.Error()}, nil
		}
	}
	if j.ExpectsFailure {
		call = failureAsAnswer(call)
	}
	return bench.FirstCall(func() (any, error) { return call(ctx) })
}

// ErrNoProcess is the error of Setup.Fresh where no process can be started.
var ErrNoProcess = errors.New("no process can be started for the call here")

// ErrProcessFailed is the error of Setup.Fresh where the process was killed or stopped, so
// that it says nothing about the loader under test.
var ErrProcessFailed = errors.New("the process for the call has failed")

// fresh measures first calls of the operation in processes started for them, on a copy
// of the checkpoint on the real disk. If no process can be started it returns nil, and
// w.noProcess says why.
func (w *world) fresh(ctx context.Context) (f *bench.FreshProcess, err error) {
	if w.setup.Fresh == nil {
		w.noProcess = ErrNoProcess.Error()
		return nil, nil
	}
	job := FreshJob{Loader: w.setup.Loader.Name(), Operation: w.operation, Input: w.input(), ExpectsFailure: w.expectsFailure, Confined: w.real != nil && w.real.confined}
	if job.Input.Root == "" {
		if w.real != nil && w.real.root != "" {
			return nil, scenarioErrorf("a real checkpoint that Given steps change is not copied to the disk for a process of its own: leave the changes or the bound out")
		}
		copied := newWorld(w.setup)
		copied.source, copied.copiesReal = w.source, true
		if err := copied.temporaryDirectory(); err != nil {
			return nil, scenarioErrorf("copying the checkpoint to the disk: %w", err)
		}
		defer func() { err = errors.Join(err, copied.end()) }()
		if err := w.given.replay(copied); err != nil {
			return nil, scenarioErrorf("writing the checkpoint to the disk, below TMPDIR: %w", err)
		}
		job.Input.Root, job.Input.Dir = copied.tempRoot, copied.dir
	}
	f, err = w.setup.Fresh(ctx, job)
	if err == nil && w.coldBounded {
		job.Cold = true
		var cold *bench.FreshProcess
		if cold, err = w.setup.Fresh(ctx, job); err == nil {
			if f.ColdMissing = cold.ColdMissing; f.ColdMissing == "" {
				f.Cold = &cold.First
			}
		}
	}
	if errors.Is(err, ErrNoProcess) {
		w.noProcess = err.Error()
		return nil, nil
	}
	if err != nil {
		err = fmt.Errorf("calling the %s in a process started for it: %w", w.operation, err)
	}
	if errors.Is(err, ErrProcessFailed) {
		return nil, &ScenarioError{err}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}
