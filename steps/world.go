package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/spf13/afero"
	"github.com/tidwall/gjson"

	"omniloader/fixtures"
	"omniloader/internal/bench"
)

// world is the state of one scenario: what was laid out, what was read, and what
// came of it. It is used by one goroutine.
type world struct {
	setup  *Setup
	record *Record

	// Known before the first step.
	name           string
	tags           []string
	measured       bool // the operation is measured
	memoryBounded  bool // a step bounds memory
	failureAwaited bool // a step asserts that reading fails

	// Laid out by Given.
	disk    afero.Fs // where fixtures are written
	temp    string   // the real directory under disk, or "" where it is in memory
	fsys    fs.FS    // what the operation is given: disk, or a real checkpoint's surroundings
	dir     string   // the checkpoint's directory in fsys
	current *fixtures.Checkpoint
	options Options

	// Come of When.
	operation   string // "" before the When step
	answer      answer
	err         error // why reading failed
	measurement *bench.Measurement
}

// home is the directory that checkpoints lie in where a scenario does not say.
const (
	home       = "models"
	defaultDir = home + "/checkpoint"
)

func newWorld(s *Setup) *world {
	disk := fixtures.NewFs()
	return &world{
		setup:  s,
		record: new(Record),
		disk:   disk,
		fsys:   afero.NewIOFS(disk),
		dir:    defaultDir,
	}
}

// vocabulary registers every step, heading by heading.
func (w *world) vocabulary(v vocabulary) {
	w.layoutSteps(v)
	w.surroundingSteps(v)
	w.alterationSteps(v)
	w.operationSteps(v)
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
	w.name, w.tags = p.Name, tags
	texts := make([]string, len(p.Steps))
	whens, thens := 0, 0
	for i, step := range p.Steps {
		texts[i] = step.Text
		switch step.Type {
		case messages.PickleStepType_ACTION:
			whens++
		case messages.PickleStepType_OUTCOME:
			thens++
			for _, e := range matching(step.Type, step.Text) {
				w.memoryBounded = w.memoryBounded || e.about.bounds == memory
				w.failureAwaited = w.failureAwaited || e.about.failure
			}
		}
	}
	w.measured = Measured(tags, texts)
	switch {
	case whens != 1:
		return fmt.Errorf("the scenario has %d When steps: it reads exactly one thing", whens)
	case thens == 0:
		return errors.New("the scenario promises nothing: it has no Then step")
	}
	return nil
}

// end puts the result beside the scenario's last step, for reports made of
// godog's messages, and removes what the scenario put on the real disk.
func (w *world) end(ctx context.Context) (context.Context, error) {
	if r := w.record.Benchmark; r != nil {
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
	if w.measured {
		err = w.measure(ctx, call)
	} else {
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

// result of an operation as data that bench keeps alive: the answer, or the
// failure that the scenario awaits.
type result struct {
	value   any
	failure error
}

// measure carries the operation out as the plan says, alone, and keeps the
// figures under the scenario's benchmark name.
func (w *world) measure(ctx context.Context, call func() (any, error)) error {
	name := BenchmarkName(w.tags, w.name)
	if name == "" {
		return fmt.Errorf("the scenario is measured and has no name: give it one, or a tag %s:NAME", benchmarkTag)
	}
	plan := w.setup.Plan
	plan.Memory = plan.Memory || w.memoryBounded

	if w.failureAwaited {
		// The promise is about the failure: what it costs to say no.
		answering := call
		call = func() (any, error) {
			value, failure := answering()
			return result{value, failure}, nil
		}
	}
	w.setup.lane.Lock()
	m, err := bench.Measure(ctx, plan, call)
	w.setup.lane.Unlock()
	var failed *bench.CallError
	switch {
	case errors.As(err, &failed) && failed.Phase == firstPhase(plan) && failed.Call == 1:
		return w.take(nil, failed.Err)
	case err != nil:
		return fmt.Errorf("measuring the %s: %w", w.operation, err)
	}

	first, last := m.First, m.Last
	m.First, m.Last = nil, nil // the figures outlive the scenario, the answers need not
	if err := w.takeMeasured(first, last); err != nil {
		return err
	}
	w.measurement = m
	r := bench.NewResult(name, Category(w.tags), m, w.metadata())
	if err := w.setup.store.add(r); err != nil {
		return err
	}
	w.record.Benchmark = r
	return nil
}

// takeMeasured keeps the first answer, and checks that the last is the same.
func (w *world) takeMeasured(first, last any) error {
	if r, ok := first.(result); ok {
		end := last.(result)
		if describe(r.failure) != describe(end.failure) {
			return fmt.Errorf("the first call gave %s, the last %s", describe(r.failure), describe(end.failure))
		}
		if r.failure != nil {
			return w.take(nil, r.failure)
		}
		first, last = r.value, end.value
	}
	if err := w.take(first, nil); err != nil {
		return err
	}
	again, err := newAnswer(last)
	if err != nil {
		return err
	}
	if w.answer.text != again.text {
		return fmt.Errorf("the answer changed between the first call and the last:\nfirst %s\nlast  %s", w.answer.text, again.text)
	}
	return nil
}

func describe(err error) string {
	if err == nil {
		return "an answer"
	}
	return fmt.Sprintf("the error %q", err)
}

func firstPhase(p bench.Plan) string {
	if p.Warmup > 0 {
		return "warm-up"
	}
	return "timed"
}

// fields of the answer that say in the results file what was measured.
var metadataFields = []string{"architecture", "model_type", "category", "base_model"}

func (w *world) metadata() map[string]any {
	m := map[string]any{"operation": w.operation}
	for _, field := range metadataFields {
		if v := w.answer.root.Get(field); v.Type == gjson.String {
			m[field] = v.String()
		}
	}
	return m
}
