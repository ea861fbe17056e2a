package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/afero"
	"github.com/tidwall/gjson"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/loader/undertest"
)

// measure measures the operation as the plan says, while no other operation runs, and
// stores the result under the scenario's benchmark name.
func (w *world) measure(ctx context.Context, call undertest.Call) error {
	name, err := w.benchmarkName()
	if err != nil {
		return err
	}
	plan := w.setup.Plan
	plan.Memory = plan.Memory || w.memoryBounded
	if w.iterations > 0 {
		plan.Iterations, plan.Warmup = min(plan.Iterations, w.iterations), min(plan.Warmup, w.iterations)
	}
	if w.expectsFailure {
		call = failureAsAnswer(call)
	}
	w.sample = func(ctx context.Context) (*bench.Measurement, error) {
		exclusive := &w.setup.state().exclusive
		release, err := w.lock.hold(exclusive.Lock, exclusive.Unlock)
		if err != nil {
			return nil, err
		}
		defer release()
		m, err := w.setup.measure(ctx, plan, func() (any, error) { return call(ctx) })
		if err != nil {
			return nil, err
		}
		return m, w.measureExtras(ctx, m, call)
	}

	m, err := w.sample(ctx)
	var failed *bench.CallError
	switch {
	case errors.As(err, &failed) && failedAtFirstCall(failed, plan):
		return w.setResult(nil, failed.Err)
	case err != nil:
		return fmt.Errorf("measuring the %s: %w", w.operation, err)
	}
	if err := w.setMeasuredResult(m); err != nil {
		return err
	}
	if ctx.Err() != nil { // nobody may wait for the result any more
		return fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	w.measurement = m
	r := bench.NewResult(w.key(name), Category(w.tags), m, w.metadata())
	r.Threshold = w.threshold
	if err := w.setup.state().store.add(r); err != nil {
		return err
	}
	w.record.Benchmark = r
	return nil
}

// measureExtras adds to a measurement what the steps or the setup ask for in addition:
// several callers at once, other sizes, a process started for the first call.
func (w *world) measureExtras(ctx context.Context, m *bench.Measurement, call undertest.Call) (err error) {
	if callers := max(w.callers, w.setup.Callers, 1); callers > 1 || w.concurrencyBounded {
		if w.callers > 0 {
			callers = w.callers
		}
		if m.Concurrency, err = bench.MeasureConcurrency(ctx, callers, m.Plan.Iterations, func() (any, error) { return panicAsError(call)(ctx) }, sameAnswer(m.FirstAnswer)); err != nil {
			return fmt.Errorf("%d callers at once: %w", callers, err)
		}
		if w.callers > 0 {
			m.Calls = m.Concurrency.Calls // latencies are those that the callers see
		}
	}
	if len(w.sizes) > 1 {
		if m.Growth, err = w.measureGrowth(ctx, call, m.FirstAnswer); err != nil {
			return err
		}
	}
	if w.processBounded {
		m.FreshProcess, err = w.fresh(ctx)
	}
	return err
}

// measureGrowth measures the operation on the scenario's checkpoint in each of its
// sizes. All answers must be equal, except those of the inspection, which contain sizes.
func (w *world) measureGrowth(ctx context.Context, call undertest.Call, first any) (*bench.Growth, error) {
	sizes := []bench.SizedOperation{{Bytes: float64(w.sizes[0]), Call: func() (any, error) { return call(ctx) }}}
	checkSame := sameAnswer(first)
	for _, size := range w.sizes[1:] {
		disk := fixtures.NewFs()
		if err := fixtures.New(disk, w.dir).AddConfigOfSize(size); err != nil {
			return nil, err
		}
		other := *w
		other.fsys = afero.NewIOFS(disk)
		call, err := other.call(w.operation)
		if err != nil {
			return nil, err
		}
		if w.expectsFailure {
			call = failureAsAnswer(call)
		}
		answer, err := call(ctx)
		if err == nil && w.operation != undertest.Inspection {
			err = checkSame(answer)
		}
		if err != nil {
			return nil, fmt.Errorf("at %s: %w", quantity.FormatSize(float64(size)), err)
		}
		sizes = append(sizes, bench.SizedOperation{Bytes: float64(size), Call: func() (any, error) { return call(ctx) }})
	}
	return bench.MeasureGrowth(ctx, sizes)
}

// key is the key of a benchmark of the loader under test.
func (w *world) key(benchmark string) bench.Key {
	return bench.Key{Loader: w.setup.LoaderKey(), Benchmark: benchmark, Model: w.source.ModelLabel}
}

// reference returns the measurement of another benchmark of the same loader, or nil: on
// the same real checkpoint, else of a scenario without one.
func (w *world) reference(benchmark string) *bench.Measurement {
	key := w.key(benchmark)
	if m := w.setup.state().store.measurement(key); m != nil {
		return m
	}
	key.Model = ""
	return w.setup.state().store.measurement(key)
}

// benchmarkName returns the scenario's name in the results.
func (w *world) benchmarkName() (string, error) {
	name := BenchmarkName(w.tags, w.name)
	if name == "" {
		return "", fmt.Errorf("the scenario is measured and has no name: give it one, or a tag %s:NAME", benchmarkTag)
	}
	return name, nil
}

// failedAtFirstCall says whether the first call of all failed: such a failure is the
// operation's answer, and not one that occurs now and then.
func failedAtFirstCall(failed *bench.CallError, plan bench.Plan) bool {
	return failed.Call == 1 && (failed.Phase == "warm-up" || failed.Phase == "timed" && plan.Warmup == 0)
}

// setMeasuredResult takes the first answer of a measurement as that of the scenario and
// checks that the last one is the same. It removes both from the measurement, which is
// kept for longer than the scenario.
func (w *world) setMeasuredResult(m *bench.Measurement) error {
	first, last := m.FirstAnswer, m.LastAnswer
	m.FirstAnswer, m.LastAnswer = nil, nil
	if err := w.setAnswerOrFailure(first); err != nil {
		return err
	}
	return w.checkUnchanged(last)
}

// setAnswerOrFailure sets the scenario's answer, or its failure if value is an error.
func (w *world) setAnswerOrFailure(value any) error {
	if failure, ok := value.(error); ok {
		return w.setResult(nil, failure)
	}
	return w.setResult(value, nil)
}

// checkUnchanged checks that a later call returned the same as the first one.
func (w *world) checkUnchanged(value any) error {
	later := world{}
	if err := later.setAnswerOrFailure(value); err != nil {
		return err
	}
	if before, after := w.resultText(), later.resultText(); before != after {
		return &outcome.Mismatch{
			Message:  "the answer changed between the first call and the last",
			Expected: "as in the first call: " + w.differingFields(&later), Got: "in the last call: " + later.differingFields(w),
		}
	}
	return nil
}

// differingFields lists the fields in which an answer differs from another one, with its
// own values: "category: sae; task: causal_lm". Of a failure it is the text.
func (w *world) differingFields(other *world) string {
	if w.err != nil {
		return w.resultText()
	}
	const most = 10
	values := map[string]string{}
	for _, f := range other.answer.fields() {
		values[f.name] = f.value.Raw
	}
	var differing []string
	for _, f := range w.answer.fields() {
		if raw, ok := values[f.name]; !f.value.IsObject() && (!ok || raw != f.value.Raw) {
			differing = append(differing, f.name+": "+cmp.Or(f.value.String(), "none"))
		}
	}
	if len(differing) > most {
		differing = append(differing[:most], fmt.Sprintf("and %d more", len(differing)-most))
	}
	return cmp.Or(strings.Join(differing, "; "), "no field differs")
}

// resultText returns the answer or failure as a text that can be compared.
func (w *world) resultText() string {
	if w.err != nil {
		return "failure: " + w.err.Error()
	}
	return w.answer.text
}

// metadataFields are the fields of the answer that are copied to the results file, to
// say what was measured.
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

// check judges the measurement by a bound and adds the judgement to the result.
func (w *world) check(ctx context.Context, bound bench.Bound, err error) error {
	if err != nil {
		return &ScenarioError{err} // a limit that is none
	}
	if w.setup.Collect != nil {
		return nil // nothing is measured in this run
	}
	if w.unmeasured != "" {
		w.record.NotJudged = append(w.record.NotJudged, bench.NotJudged{Bound: bound.String(), Reason: w.unmeasured})
		return nil
	}
	if w.measurement == nil {
		return errors.New("nothing was measured")
	}
	if why := cmp.Or(w.setup.whyNotJudged(bound), w.whyMissing(bound)); why != "" {
		w.record.NotJudged = append(w.record.NotJudged, bound.NotJudged(why))
		return nil
	}
	judgement, err := bound.Check(w.measurement, w.reference)
	var exceeded *bench.ExceededError
	if err != nil && !errors.As(err, &exceeded) {
		return err
	}
	w.bounds = append(w.bounds, bound)
	if exceeded != nil && exceeded.Repeatable() && !w.setup.LaterRounds {
		held, failure := w.measureAgain(ctx, exceeded)
		if held {
			return nil
		}
		err = failure
	}
	w.record.Benchmark.Bounds = append(w.record.Benchmark.Bounds, judgement)
	return err
}

// checkDefaultBound judges the default bound on the memory delta, of a scenario that was
// measured with its memory and has no step with a bound on it. A checkpoint in several sizes is
// excepted: its answers grow with it.
func (w *world) checkDefaultBound() error {
	if w.measurement == nil || w.measurement.Memory == nil || w.deltaBounded || len(w.sizes) > 1 {
		return nil
	}
	return w.check(context.Background(), bench.DefaultMemoryDelta(), nil)
}

// boundsMemoryDelta says whether the text of a step is a bound on the memory delta.
func boundsMemoryDelta(text string) bool {
	bound, err := bench.ParseBound(text)
	return err == nil && bound.Metric == bench.MemoryDelta
}

// whyNotJudged says why bounds like this one are not judged in this run, "" if they are.
func (s *Setup) whyNotJudged(bound bench.Bound) string {
	if bound.Metric.OfTime() {
		return s.TimeNotJudged
	}
	return s.MemoryNotJudged
}

// whyMissing says why there is no value for a bound on a process started for the first
// call, because the system cannot provide it; "" if there is a value.
func (w *world) whyMissing(bound bench.Bound) string {
	switch f := w.measurement.FreshProcess; {
	case !bound.Metric.NeedsFreshProcess():
		return ""
	case f == nil:
		return w.noProcess
	case bound.Metric == bench.ColdLatency:
		return f.ColdMissing
	case bound.Metric == bench.PeakMemory:
		return f.PeakMissing
	}
	return ""
}
