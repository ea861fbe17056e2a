package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	messages "github.com/cucumber/messages/go/v34"
)

// Status is how a step or a scenario ended.
type Status string

// The statuses, as Cucumber spells them.
const (
	Passed    Status = "passed"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
	Undefined Status = "undefined"
	Ambiguous Status = "ambiguous"
	Pending   Status = "pending"
)

// worse orders the statuses: a scenario has the worst of its steps'.
var worse = map[Status]int{Passed: 0, Skipped: 1, Pending: 2, Undefined: 3, Ambiguous: 4, Failed: 5}

func worst(a, b Status) Status {
	if worse[b] > worse[a] {
		return b
	}
	return a
}

// Options say how a scenario is carried out. Their zero value carries it out once,
// for as long as it takes.
type Options struct {
	// Attempts is how often a scenario that fails is carried out at most; below 2
	// means once. Only a failure is tried again: an undefined step stays undefined.
	Attempts int
	// Retry, where it is not nil, says whether there may be another attempt after one
	// that failed.
	Retry func(*Attempt) bool
	// Timeout bounds each attempt; 0 means no bound. The context of the steps ends
	// with it, and a step that comes back later has failed with a *TimeoutError. Hooks
	// before the scenario take of this time; the time of those after it is not bounded.
	Timeout time.Duration
	// Grace is how long a step or a hook before the scenario that is under way is
	// waited for when the time of its attempt is up, or the context of Run has ended; 0
	// means however long it takes. What has not come back by then is abandoned: its
	// goroutine goes on for as long as it likes, and nothing that it gives counts. The
	// other steps of an abandoned attempt are skipped, and its After hooks do not run,
	// since they would use the state that the abandoned call still uses.
	Grace time.Duration
	// JudgeAll carries out each Then behind a Then that did not hold, so that a
	// scenario says everything that is wrong. Behind any other step that did not pass,
	// the rest is skipped all the same.
	JudgeAll bool
	// Observe, where it is not nil, is told of each attempt and step as it begins and
	// ends. It is called from one goroutine at a time and holds the steps up.
	Observe func(Event)
}

// Event says that an attempt or a step of it begins or has ended.
type Event struct {
	Attempt int         // counted from 0
	Step    int         // which step of the scenario, or -1 for the attempt itself
	Ended   bool        // else it begins
	Result  *StepResult // of a step that has ended, else nil; it must not be kept
}

// Result is what became of a scenario.
type Result struct {
	Status   Status    // of the last attempt
	Attempts []Attempt // at least one
	// Interrupted says that the context ended before the scenario did.
	Interrupted bool
}

// Steps gives the results of the last attempt, one for each step.
func (r Result) Steps() []StepResult { return r.Attempts[len(r.Attempts)-1].Steps }

// Attempt is one way through a scenario.
type Attempt struct {
	Status      Status
	Err         error // what failed outside of the steps: a hook or the registration
	Interrupted bool
	Abandoned   bool   // a step or hook did not come back in time, see Options.Grace
	Stacks      string // of what was under way when the time was up, see TimeoutError
	Started     time.Time
	Duration    time.Duration
	Steps       []StepResult // one for each step of the scenario
}

// StepResult is what became of a step.
type StepResult struct {
	Status     Status
	Kind       messages.PickleStepType // as Engine.Kinds gives it
	Err        error                   // nil for a step that passed, or that was skipped with its scenario
	Started    time.Time               // zero where it was not carried out
	Duration   time.Duration
	Definition *Definition // nil where there is none, or several
	Groups     []int       // see Match
}

// ErrNoSteps is the error of a scenario that has no steps; its status is Undefined.
var ErrNoSteps = errors.New("the scenario has no steps")

// TimeoutError is the error of a step that was under way when the time of its
// attempt was up.
type TimeoutError struct {
	Limit time.Duration
	Err   error // of the step, or nil
	// Stacks are the calls that were under way at that moment in the goroutines of the
	// step, as in PanicError, with an empty line between two goroutines. It is "" where
	// the step came back at that very moment.
	Stacks    string
	Abandoned bool // the step did not come back within Options.Grace either
}

func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("not done within the %v that the scenario has", e.Limit)
	switch {
	case e.Abandoned:
		return text + "; it does not heed the end of its context, and was abandoned"
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", text, e.Err)
	}
	return text
}

func (e *TimeoutError) Unwrap() error { return e.Err }

// Is makes it a context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// AbandonedError is the error of a step that did not come back within Options.Grace
// after the context of Run had ended.
type AbandonedError struct {
	Cause  error  // of the end of the context
	Stacks string // as in TimeoutError
}

func (e *AbandonedError) Error() string {
	return fmt.Sprintf("abandoned, as it does not heed the end of its context: %v", e.Cause)
}

func (e *AbandonedError) Unwrap() error { return e.Cause }

// Run carries a scenario out. register is called for each attempt and must register
// the steps that the engine was made with. When ctx ends, the step under way is
// waited for (see Options.Grace), the others are skipped, and the After hooks run.
func (e *Engine) Run(ctx context.Context, pickle *messages.Pickle, register func(*Scope), options Options) Result {
	var result Result
	for number := range max(1, options.Attempts) {
		a := &attempt{engine: e, run: ctx, pickle: pickle, register: register, options: options, number: number, position: begin}
		a.result.Status = Passed
		a.carryOut()
		result.Attempts = append(result.Attempts, a.result)
		result.Status, result.Interrupted = a.result.Status, a.result.Interrupted
		if result.Status != Failed || result.Interrupted || ctx.Err() != nil {
			break
		}
		if options.Retry != nil && number+1 < options.Attempts && !options.Retry(&a.result) {
			break
		}
	}
	return result
}

// attempt is the state of one attempt. Its goroutine holds mu but for the calls of
// functions that are not the engine's, so that carryOut can see where it is, and abandon it.
type attempt struct {
	engine   *Engine
	run      context.Context // ends when the run is interrupted
	timed    context.Context // ends with the time of the attempt too
	ctx      context.Context // of the next step: timed, or what a step or hook made of it
	pickle   *messages.Pickle
	register func(*Scope)
	options  Options
	number   int

	scope    Scope
	result   Attempt
	position int  // what is next: begin, a step, or the hooks behind the last
	over     bool // the remaining steps are skipped
	judging  bool // ... but for Then steps, while JudgeAll
	failure  error

	mu        sync.Mutex
	calling   int              // the step that is under way, begin for what runs before it, or idle
	abandoned bool             // the goroutine must change nothing any more
	expired   <-chan time.Time // just before the time of the attempt is up
	label     string           // of the goroutines that belong to it
	stacks    string           // of the call that was under way when the time was up
}

// begin is the position before the first step. idle is the value of calling while
// nothing is called that may be abandoned.
const (
	begin = -1
	idle  = -2
)

// leadOf is how long before the end of the context the stacks of what is under way are
// taken: what heeds its context is gone from its place a moment later.
func leadOf(limit time.Duration) time.Duration { return min(limit/100, 100*time.Millisecond) }

// carryOut goes through the attempt in a goroutine of its own, and in another where
// a step ends that one with runtime.Goexit, as FailNow of a testing.T does.
func (a *attempt) carryOut() {
	a.calling, a.label = idle, nextLabel()
	a.result.Started = time.Now()
	a.result.Steps = make([]StepResult, len(a.pickle.Steps))
	a.tell(Event{Step: begin})
	ctx, cancel := context.WithCancel(a.run)
	defer cancel()
	if a.options.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, a.options.Timeout+leadOf(a.options.Timeout))
		defer cancel()
		expired := time.NewTimer(a.options.Timeout)
		defer expired.Stop()
		a.expired = expired.C
	}
	a.timed, a.ctx = ctx, ctx
	if len(a.pickle.Steps) == 0 {
		a.result.Status, a.result.Err = Undefined, ErrNoSteps
		a.position = len(a.pickle.Steps) + 1
	}
	for a.position <= len(a.pickle.Steps) && !a.abandoned {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			setLabel(a.label)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.advance()
		}()
		a.await(ended)
	}
	for _, s := range a.result.Steps {
		a.result.Status = worst(a.result.Status, s.Status)
	}
	a.result.Duration = time.Since(a.result.Started)
	a.tell(Event{Step: begin, Ended: true})
}

// await waits for the end of the goroutine, or abandons it.
func (a *attempt) await(ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-a.timed.Done():
		if a.run.Err() == nil || errors.Is(a.run.Err(), context.DeadlineExceeded) {
			a.takeStacks()
		}
	case <-a.expired:
		a.takeStacks()
		select {
		case <-ended:
			return
		case <-a.timed.Done():
		}
	}
	if a.options.Grace > 0 {
		grace := time.NewTimer(a.options.Grace)
		defer grace.Stop()
		select {
		case <-ended:
			return
		case <-grace.C:
		}
		if a.abandon() {
			return
		}
	}
	<-ended
}

// takeStacks keeps the stacks of the call that is under way.
func (a *attempt) takeStacks() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calling != idle {
		a.stacks = stacksOf(a.label)
		a.result.Stacks = a.stacks
	}
}

// abandon ends the attempt without the call that is under way. It gives false where none
// is that may be abandoned; the goroutine is then about to end by itself.
func (a *attempt) abandon() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calling == idle {
		return false
	}
	at := a.calling
	a.abandoned, a.result.Abandoned = true, true
	var err error = &TimeoutError{Limit: a.options.Timeout, Stacks: a.stacks, Abandoned: true}
	if a.run.Err() != nil {
		a.result.Interrupted = true
		err = &AbandonedError{Cause: context.Cause(a.run), Stacks: a.stacks}
	}
	if at == begin {
		a.result.Status, a.result.Err = Failed, fmt.Errorf("the hook before the scenario: %w", err)
		a.failure = err
	} else {
		r := &a.result.Steps[at]
		r.Status, r.Err, r.Duration = Failed, err, time.Since(r.Started)
		a.failed(r)
		a.tell(Event{Step: at, Ended: true, Result: r})
	}
	a.over, a.judging = true, false
	for i := at + 1; i < len(a.pickle.Steps); i++ {
		a.step(i)
	}
	return true
}

// outside calls a function that is not the engine's. Behind it the caller must change
// nothing if the attempt was abandoned meanwhile.
func (a *attempt) outside(calling int, call func()) {
	a.calling = calling
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		if !a.abandoned {
			a.calling = idle
		}
	}()
	call()
}

func (a *attempt) advance() {
	for a.position <= len(a.pickle.Steps) && !a.abandoned {
		position := a.position
		a.position++ // first: what ends the goroutine is behind us then
		switch position {
		case begin:
			a.begin()
		case len(a.pickle.Steps):
			a.position = position
			a.end()
			a.position++
		default:
			a.step(position)
		}
	}
}

func (a *attempt) tell(event Event) {
	if a.options.Observe != nil {
		event.Attempt = a.number
		a.options.Observe(event)
	}
}

// begin registers the steps and runs the Before hooks.
func (a *attempt) begin() {
	a.scope.definitions = a.engine.definitions
	a.scope.functions = make([]any, 0, len(a.engine.definitions))
	a.protected("registering the steps", begin, func() (context.Context, error) {
		a.register(&a.scope)
		return nil, a.scope.registered()
	})
	if a.abandoned {
		return
	}
	for _, hook := range a.scope.before {
		if a.over || a.abandoned {
			return
		}
		a.protected("the hook before the scenario", begin, func() (context.Context, error) { return hook(a.ctx, a.pickle) })
	}
}

// end runs the After hooks.
func (a *attempt) end() {
	if a.run.Err() != nil && a.over && (a.failure == nil || a.cutOff(a.failure)) {
		a.result.Interrupted = true
	}
	for len(a.scope.after) > 0 {
		hook := a.scope.after[0]
		a.scope.after = a.scope.after[1:] // first: a hook may end the goroutine
		a.protected("the hook after the scenario", idle, func() (context.Context, error) { return hook(a.ctx, a.pickle, a.failure) })
	}
}

func (a *attempt) follow(ctx context.Context) {
	if ctx != nil {
		a.ctx = ctx
	}
}

// protected runs what is no step. Its error is the attempt's. calling is begin for what
// may be abandoned, else idle.
func (a *attempt) protected(what string, calling int, run func() (context.Context, error)) {
	returned := false
	var ctx context.Context
	var err error
	defer func() {
		if !returned {
			err = unwound(recover())
		}
		if err == nil || a.abandoned {
			return
		}
		a.over, a.judging = true, false
		var status Status
		status, err = classify(err)
		if status == Failed {
			err = fmt.Errorf("%s: %w", what, err)
		}
		a.result.Status = worst(a.result.Status, status)
		a.result.Err = joined(a.result.Err, err)
		a.failure = joined(a.failure, err)
	}()
	a.outside(calling, func() { ctx, err = run() })
	if !a.abandoned {
		a.follow(ctx)
	}
	returned = true
}

func joined(before, err error) error {
	if before == nil {
		return err
	}
	return errors.Join(before, err)
}

// classify gives the status that an error means. It calls the methods of the error; if
// one of them panics, such as on a nil pointer in an error interface, the panic is the
// error. A panic and a timeout are failures, whatever they wrap.
func classify(err error) (status Status, shown error) {
	if err == nil {
		return Passed, nil
	}
	defer func() {
		if v := recover(); v != nil {
			status, shown = Failed, &PanicError{Value: fmt.Sprintf("in a method of the error of type %T: %v", err, v), Stack: stack()}
		}
	}()
	_ = err.Error()
	var panicked *PanicError
	var late *TimeoutError
	switch {
	case errors.As(err, &panicked), errors.As(err, &late):
		return Failed, err
	case errors.Is(err, ErrSkip):
		return Skipped, err
	case errors.Is(err, ErrPending):
		return Pending, err
	}
	return Failed, err
}

// cutOff says whether an error comes from the end of the run.
func (a *attempt) cutOff(err error) bool {
	return a.run.Err() != nil && (errors.Is(err, a.run.Err()) || errors.Is(err, context.Cause(a.run)))
}

// step carries one step out, or skips it.
func (a *attempt) step(i int) {
	step, r := a.pickle.Steps[i], &a.result.Steps[i]
	r.Status = Skipped
	before := messages.PickleStepType_UNKNOWN
	if i > 0 {
		before = a.result.Steps[i-1].Kind
	}
	matches := a.engine.Matches(step.Type, step.Text)
	r.Kind = kindOf(step.Type, matches, before)
	match, err := resolve(matches)
	if err != nil {
		if a.result.Err == nil { // what a hook skipped is not judged
			r.Err, r.Status = err, Undefined
			if errors.Is(err, ErrAmbiguous) {
				r.Status = Ambiguous
			}
			a.failed(r)
		}
		return
	}
	r.Definition, r.Groups = match.Definition, match.Groups
	if a.timed.Err() != nil {
		if !a.over && a.run.Err() == nil { // the time ended in a hook or between two steps
			r.Status, r.Err = Failed, &TimeoutError{Limit: a.options.Timeout, Stacks: a.stacks}
			a.failed(r)
		}
		a.over, a.judging = true, false
		if r.Status == Failed {
			return
		}
	}
	if a.over && !(a.judging && r.Kind == messages.PickleStepType_OUTCOME) {
		return
	}
	a.call(i, match)
}

// failed notes that a step ended other than passed.
func (a *attempt) failed(r *StepResult) {
	if a.failure == nil {
		a.failure = r.Err
	}
	if !a.over {
		a.judging = a.options.JudgeAll
	}
	if r.Kind != messages.PickleStepType_OUTCOME || r.Status == Skipped {
		a.judging = false
	}
	a.over = true
}

// call runs the function of a step.
func (a *attempt) call(i int, match Match) {
	step, r := a.pickle.Steps[i], &a.result.Steps[i]
	r.Started = time.Now()
	a.tell(Event{Step: i})
	returned := false
	var err error
	defer func() {
		if !returned {
			err = unwound(recover())
		}
		if a.abandoned {
			return
		}
		r.Duration = time.Since(r.Started)
		if a.timed.Err() != nil && a.run.Err() == nil && a.options.Timeout > 0 {
			err = &TimeoutError{Limit: a.options.Timeout, Err: err, Stacks: a.stacks}
		}
		r.Status, err = classify(err)
		if err != nil {
			r.Err = err
			a.failed(r)
		}
		a.tell(Event{Step: i, Ended: true, Result: r})
	}()
	d := match.Definition
	arguments, err := d.arguments(match.Parts(step.Text), step.Argument)
	if err == nil {
		var ctx context.Context
		a.outside(i, func() { ctx, err = d.function.call(a.ctx, a.scope.functions[d.Index], arguments) })
		if !a.abandoned {
			a.follow(ctx)
		}
	}
	returned = true
}
