package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/bench"
)

// world is the state of one scenario: what was laid out, what was read, and what
// came of it. It is used by one goroutine.
type world struct {
	setup  *Setup
	record *Record

	// Known before the first step.
	pickle         *godog.Scenario
	name           string
	tags           []string
	measured       bool // the operation is measured
	memoryBounded  bool // a step bounds memory
	callersBounded bool // a step bounds what callers get done
	processBounded bool // a step bounds what a process of its own costs
	coldBounded    bool // the same with the page cache dropped
	failureAwaited bool // a step asserts that reading fails
	threshold      *float64
	iterations     int // timed calls at most, 0 for as many as the plan says

	// Laid out by Given.
	disk    afero.Fs // where fixtures are written
	temp    string   // the real directory under disk, or "" where it is in memory
	real    string   // the directory that the real checkpoint lies in, or ""
	fsys    fs.FS    // what the operation is given: disk, or a real checkpoint's surroundings
	dir     string   // the checkpoint's directory in fsys
	current *fixtures.Checkpoint
	options Options
	laid    *layout // how all that can be done again
	sizes   []int64 // bytes of a checkpoint that is laid out in several sizes; the first is this one

	// Come of When.
	operation   string // "" before the When step
	callers     int    // at once; 0 for one
	answer      answer
	err         error                                             // why reading failed
	sample      func(context.Context) (*bench.Measurement, error) // measures the operation, nil where it is not measured
	measurement *bench.Measurement
	noProcess   string        // why there was no process of its own, for people
	bounds      []bench.Bound // what the measurement was judged by, in the order of the steps
	again       int           // how often it was measured again
}

// home is the directory that checkpoints lie in where a scenario does not say.
const (
	home       = "models"
	defaultDir = home + "/checkpoint"
)

func newWorld(s *Setup) *world {
	disk := fixtures.NewFs()
	return &world{
		setup:   s,
		record:  new(Record),
		disk:    disk,
		fsys:    afero.NewIOFS(disk),
		dir:     defaultDir,
		options: Options{Architectures: s.Architectures},
	}
}

// vocabulary registers every step, heading by heading.
func (w *world) vocabulary(v vocabulary) {
	w.layoutSteps(v)
	w.surroundingSteps(v)
	w.registrationSteps(v)
	w.alterationSteps(v)
	w.operationSteps(v)
	w.tokenizeSteps(v)
	w.callerSteps(v)
	w.verdictSteps(v)
	w.fieldSteps(v)
	w.tokenizerSteps(v)
	w.findingSteps(v)
	w.failureSteps(v)
	w.boundSteps(v)
}

// begin reads from the scenario what has to be known before its first step.
func (w *world) begin(p *godog.Scenario) error {
	resolve := w.setup.Tags
	if resolve == nil {
		resolve = w.setup.files.tags
	}
	tags, err := resolve(p)
	if err != nil {
		return err
	}
	w.pickle, w.name, w.tags = p, p.Name, tags
	texts := make([]string, len(p.Steps))
	kinds := make([]messages.PickleStepType, len(p.Steps))
	for i, step := range p.Steps {
		texts[i], kinds[i] = step.Text, step.Type
		if step.Type == messages.PickleStepType_OUTCOME {
			for _, e := range matching(step.Type, step.Text) {
				w.memoryBounded = w.memoryBounded || e.about.bounds == memory
				w.callersBounded = w.callersBounded || e.about.bounds == contention
				w.coldBounded = w.coldBounded || e.about.bounds == cold
				w.processBounded = w.processBounded || e.about.bounds == process || e.about.bounds == cold
				w.failureAwaited = w.failureAwaited || e.about.failure
			}
		}
	}
	w.measured = Measured(tags, texts)
	if w.threshold, err = Threshold(tags); err != nil {
		return err
	}
	if w.iterations, err = Iterations(tags); err != nil {
		return err
	}
	_, err = Grammar(kinds)
	return err
}

// end puts the result beside the scenario's last step, for reports made of
// godog's messages, and removes what the scenario put on the real disk.
func (w *world) end(ctx context.Context) (context.Context, error) {
	if r := w.record.Benchmark; r != nil {
		w.rates(r)
		body, err := json.Marshal(r)
		if err != nil {
			return ctx, fmt.Errorf("the result of %s has no JSON form: %w", r.Name, err)
		}
		ctx = godog.Attach(ctx, godog.Attachment{Body: body, FileName: r.Name + ".json", MediaType: "application/json"})
	}
	if w.temp == "" {
		return ctx, nil
	}
	return ctx, os.RemoveAll(w.temp)
}

// read carries out an operation: once, or as often as the plan says where the
// scenario is measured. A failure that no step of the scenario asserts ends the
// scenario here.
func (w *world) read(ctx context.Context, operation string) error {
	call, err := w.call(operation)
	if err != nil {
		return err
	}
	w.operation = operation
	switch {
	case w.measured && w.setup.Collect != nil:
		var subject bench.Subject
		if subject, err = w.subject(operation); err == nil {
			w.setup.Collect(subject)
			err = w.once(call)
		}
	case w.measured:
		err = w.measure(ctx, call)
	default:
		err = w.once(call)
	}
	if err != nil {
		return err
	}
	if w.err != nil && !w.failureAwaited {
		return fmt.Errorf("reading the %s: %w", operation, w.err)
	}
	return nil
}

// call binds an operation of the subject to the checkpoint of the scenario.
func (w *world) call(operation string) (func() (any, error), error) {
	if w.setup.Subject == nil {
		return nil, errors.New("no loader to test: Setup.Subject is not set")
	}
	read, ok := w.setup.Subject(w.options)[operation]
	if !ok {
		return nil, fmt.Errorf("the loader under test has no operation %q", operation)
	}
	fsys, dir := w.fsys, w.dir
	return func() (any, error) { return read(fsys, dir) }, nil
}

// once carries the operation out beside other scenarios, but not beside a
// measured one.
func (w *world) once(call func() (any, error)) error {
	w.setup.lane.RLock()
	value, err := call()
	w.setup.lane.RUnlock()
	return w.take(value, err)
}

// take keeps what the operation gave. Its own failure is not an error here.
func (w *world) take(value any, failure error) (err error) {
	if failure != nil {
		w.err = failure
		return nil
	}
	w.answer, err = newAnswer(value)
	return err
}
