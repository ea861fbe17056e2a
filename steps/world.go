package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/loader/undertest"
)

// world is the state of one scenario: the checkpoint it created, the operation it
// called, and the result. It is used by one goroutine.
type world struct {
	setup  *Setup
	record *Record
	lock   *callLock // that the scenario holds

	// Known before the first step.
	source             Source
	uri                string // of the feature
	name               string
	tags               []string
	measured           bool // the operation is measured
	memoryBounded      bool // a step bounds memory
	deltaBounded       bool // a step bounds the memory delta
	concurrencyBounded bool // a step bounds the throughput of callers at once
	processBounded     bool // a step bounds the first call in a process started for it
	coldBounded        bool // a step bounds that call with the page cache dropped
	expectsFailure     bool // a step asserts that reading fails
	threshold          *float64
	iterations         int // timed calls at most, 0 for as many as the plan says

	// Set by Given steps.
	disk       afero.Fs   // where fixtures are written
	tempRoot   string     // the real directory of disk; "" if disk is in memory
	realRoot   string     // the directory below which the real checkpoint is; "" for a created or changed one
	real       *realFiles // of a real checkpoint, changed or not; nil for a created one
	copiesReal bool       // a real checkpoint is copied to disk instead of being read in its place
	fsys       fs.FS      // what the operation reads: disk, or realRoot
	dir        string     // the checkpoint's directory in fsys
	checkpoint *fixtures.Checkpoint
	options    undertest.Options
	given      *givenSteps // the Given steps, to repeat them
	laidOut    bool        // only the Given steps are carried out, in memory, before the run
	sizes      []int64     // bytes of the config, for a checkpoint in several sizes; the first is this checkpoint

	// Set by the When step.
	operation   string // "" before the When step
	callers     int    // at once; 0 for one
	answer      answer
	err         error                                             // the operation's error
	sample      func(context.Context) (*bench.Measurement, error) // measures the operation; nil if it is not measured
	measurement *bench.Measurement
	unmeasured  string        // why the operation was called without being measured, for people
	noProcess   string        // why no process was started for the first call, for people
	bounds      []bench.Bound // the bounds judged so far, in the order of the steps
	remeasured  int           // how often the measurement was repeated
}

// modelsDir is the directory in which checkpoints are created if the scenario does not
// give one.
const (
	modelsDir  = "models"
	defaultDir = modelsDir + "/checkpoint"
)

func newWorld(s *Setup) *world {
	disk := fixtures.NewFs()
	return &world{
		setup:   s,
		record:  new(Record),
		lock:    new(callLock),
		disk:    disk,
		fsys:    afero.NewIOFS(disk),
		dir:     defaultDir,
		options: undertest.Options{Architectures: s.Architectures},
	}
}

// registerSteps registers every step, in the order of the catalogue.
func (w *world) registerSteps(r stepRegistrar) {
	w.checkpointSteps(r)
	w.placementSteps(r)
	w.registrationSteps(r)
	w.fileSteps(r)
	w.jsonSteps(r)
	w.damageSteps(r)
	w.operationSteps(r)
	w.tokenizeSteps(r)
	w.callerSteps(r)
	w.modelSteps(r)
	w.fieldSteps(r)
	w.configSteps(r)
	w.tableSteps(r)
	w.answerFileSteps(r)
	w.tokenizerSteps(r)
	w.findingSteps(r)
	w.failureSteps(r)
	w.boundSteps(r)
	w.olderSpellings(r)
}

// begin finds out what must be known about the scenario before its first step.
func (w *world) begin(p *messages.Pickle, source Source) (err error) {
	w.source, w.uri, w.name, w.tags = source, p.Uri, p.Name, source.Tags
	texts := make([]string, len(p.Steps))
	kinds := Engine().Kinds(p)
	for i, step := range p.Steps {
		texts[i] = step.Text
		if kinds[i] == messages.PickleStepType_OUTCOME {
			for _, e := range matching(kinds[i], step.Text) {
				w.deltaBounded = w.deltaBounded || boundsMemoryDelta(step.Text)
				w.memoryBounded = w.memoryBounded || e.doc.bounds == memory
				w.concurrencyBounded = w.concurrencyBounded || e.doc.bounds == concurrency
				w.coldBounded = w.coldBounded || e.doc.bounds == coldProcess
				w.processBounded = w.processBounded || e.doc.bounds == process || e.doc.bounds == coldProcess
				w.expectsFailure = w.expectsFailure || e.doc.expectsFailure
			}
		}
	}
	w.measured = Measured(w.tags, texts)
	if w.threshold, err = Threshold(w.tags); err != nil {
		return err
	}
	if w.iterations, err = Iterations(w.tags); err != nil {
		return err
	}
	_, err = CheckStepOrder(kinds)
	return err
}

// end completes the result, judges the default bound, and removes what the scenario wrote to
// the real disk.
func (w *world) end() error {
	if r := w.record.Benchmark; r != nil {
		w.addRates(r)
	}
	return errors.Join(w.checkDefaultBound(), w.close())
}

// close ends the use of a real checkpoint, and removes what was written to the real disk.
func (w *world) close() error {
	return errors.Join(w.real.close(), w.setup.state().temporary.remove(w.tempRoot))
}

// read calls an operation: once, or as often as the plan says if the scenario is
// measured. A failure that no step of the scenario expects is returned as an error.
func (w *world) read(ctx context.Context, operation string) error {
	call, err := w.call(operation)
	if err != nil {
		return err
	}
	w.operation = operation
	switch {
	case w.measured && w.setup.Collect != nil:
		var sampled bench.Operation
		if sampled, err = w.sampledOperation(operation); err == nil {
			w.setup.Collect(sampled)
			err = w.callOnce(ctx, call)
		}
	case w.measured && w.setup.state().abandoned.Load():
		err = w.callUnmeasurable(ctx, call)
	case w.measured:
		err = w.measure(ctx, call)
	default:
		err = w.callOnce(ctx, call)
	}
	if err != nil {
		return err
	}
	if w.err != nil && !w.expectsFailure {
		return fmt.Errorf("reading the %s: %w", operation, w.err)
	}
	return nil
}

// call prepares an operation of the loader under test for the checkpoint of the scenario.
func (w *world) call(operation string) (undertest.Call, error) {
	if w.setup.Loader == nil {
		return nil, errors.New("no loader to test: Setup.Loader is not set")
	}
	call, err := w.setup.Loader.Prepare(operation, w.input())
	if err != nil {
		return nil, prepareError(operation, err)
	}
	return call, nil
}

// input is what an operation is called on.
func (w *world) input() undertest.Input {
	return undertest.Input{FS: w.fsys, Dir: w.dir, Root: cmp.Or(w.realRoot, w.tempRoot), Options: w.options}
}

// prepareError explains why an operation of the loader under test cannot be called. A
// loader that does not have the operation is no different from one that fails.
func prepareError(operation string, err error) error {
	if errors.Is(err, undertest.ErrNoOperation) {
		return fmt.Errorf("the loader under test has no operation %q", operation)
	}
	return fmt.Errorf("the loader under test cannot carry out the operation %q: %w", operation, err)
}

// callOnce calls the operation. Other scenarios may call theirs at the same time, but not
// while an operation is measured. The error is that of ctx if the call failed after its
// end.
func (w *world) callOnce(ctx context.Context, call undertest.Call) error {
	value, err := w.callUnmeasured(ctx, call)
	if err != nil {
		return w.setFailure(ctx, err)
	}
	return w.setResult(value, nil)
}

// callUnmeasured makes a call while no operation is measured.
func (w *world) callUnmeasured(ctx context.Context, call undertest.Call) (any, error) {
	exclusive := &w.setup.state().exclusive
	release, err := w.lock.hold(exclusive.RLock, exclusive.RUnlock)
	if err != nil {
		return nil, err
	}
	defer release()
	return call(ctx)
}

// setFailure keeps the failure of a call. If ctx has ended, the failure says nothing of the
// loader, and the error is that of ctx.
func (w *world) setFailure(ctx context.Context, failure error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	return w.setResult(nil, failure)
}

// setResult keeps the answer or the failure of the operation. A failure is not an error
// of setResult.
func (w *world) setResult(value any, failure error) (err error) {
	if failure != nil {
		w.err = failure
		return nil
	}
	w.answer, err = newAnswer(value)
	return err
}
