// Package engine carries out scenarios written in Gherkin: it parses feature
// files, finds the definition of each step, turns the parts of its text into
// values, and calls the function. It works on one scenario at a time and keeps
// nothing of one that has ended; which scenarios run, in which order and how many
// side by side is decided by its caller. It knows no steps, prints nothing and
// starts no program.
//
// An [Engine] is made once, from a function that registers steps. That function is
// called again for each attempt at a scenario, so that it can bind the steps to
// state of its own, as a ScenarioInitializer of godog does:
//
//	register := func(s *engine.Scope) {
//		w := new(world)
//		s.Given(`^a checkpoint of (\d+) layers$`, w.checkpoint)
//		s.Then(`^it has (\d+) layers$`, w.layers)
//	}
//	e, err := engine.New(register)
//	feature, err := engine.Parse(ctx, "load.feature", source)
//	for scenario := range feature.Scenarios() {
//		result := e.Run(ctx, scenario.Pickle, register, engine.Options{})
//	}
//
// What it does differently from godog, and why, is the list in the package's
// differential test.
package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"

	messages "github.com/cucumber/messages/go/v34"
)

// Table and DocString are the types of the parameters that take what stands below
// a step.
type (
	Table     = messages.PickleTable
	DocString = messages.PickleDocString
)

// Registrar takes the registration of steps. [Scope] is one, and so is godog's
// ScenarioContext.
//
// The expression is a string with a regular expression or a *regexp.Regexp. The
// function takes a context.Context if it wants one, then a value for each group of
// the expression (a string, []byte, bool, or a number of any size), then what
// stands below the step: a *Table, a *DocString, both in either order, or a last
// string or []byte for the content of a doc string. It gives nothing, an error, a
// context.Context for the steps behind it, or both.
//
// Given, When and Then match steps of their keyword, and steps that have none of
// their own: those with a star, and those with And or But behind no other keyword
// of their scenario. Step matches under every keyword.
type Registrar interface {
	Given(expression, function any)
	When(expression, function any)
	Then(expression, function any)
	Step(expression, function any)
}

// ErrSkip, given by a step or a Before hook, ends the scenario as skipped.
// ErrPending says that a step is not finished.
var (
	ErrSkip    = errors.New("skipped")
	ErrPending = errors.New("pending")
)

// Definition is a registered step.
type Definition struct {
	// Index counts the registrations, from 0.
	Index int
	// Keyword is "Given", "When" or "Then", and empty for what Step registered.
	Keyword string
	// Pattern is the regular expression.
	Pattern string
	// Location is where it was registered: "steps/given.go:31", the last directory
	// of the file and the line.
	Location string

	given      any // the expression as it was given
	expression *regexp.Regexp
	literals   literals
	function   *function
}

func (d *Definition) String() string {
	keyword := d.Keyword
	if keyword == "" {
		keyword = "Step"
	}
	return fmt.Sprintf("%s %s (%s)", keyword, d.Pattern, d.Location)
}

// Engine knows the definitions of steps. It does not change, and serves any number
// of goroutines.
type Engine struct {
	definitions []*Definition
	matcher     *matcher
}

// New learns the steps that register registers. The error names every expression
// that is not one, and every function whose parameters do not fit its expression,
// with the place of the registration.
func New(register func(*Scope)) (*Engine, error) {
	s := &Scope{learning: true}
	register(s)
	if err := errors.Join(s.errs...); err != nil {
		return nil, err
	}
	return &Engine{definitions: s.definitions, matcher: newMatcher(s.definitions)}, nil
}

// BeforeHook runs before the first step of a scenario, and AfterHook behind its
// last. The context that a hook gives is that of the steps and hooks behind it; nil
// changes nothing.
type (
	BeforeHook func(ctx context.Context, pickle *messages.Pickle) (context.Context, error)
	AfterHook  func(ctx context.Context, pickle *messages.Pickle, err error) (context.Context, error)
)

// Scope takes the steps and hooks of one attempt at a scenario. It is a [Registrar].
type Scope struct {
	learning    bool
	definitions []*Definition // grow while learning, else those of the engine
	functions   []any         // by Definition.Index, while not learning
	before      []BeforeHook
	after       []AfterHook
	errs        []error
}

// Given registers a step of what is there beforehand.
func (s *Scope) Given(expression, function any) { s.add("Given", expression, function) }

// When registers a step of what is done.
func (s *Scope) When(expression, function any) { s.add("When", expression, function) }

// Then registers a step of what must hold.
func (s *Scope) Then(expression, function any) { s.add("Then", expression, function) }

// Step registers a step that any keyword may stand before.
func (s *Scope) Step(expression, function any) { s.add("", expression, function) }

// Before adds a hook to run before the first step. Hooks run in the order in which
// they were added; behind one that fails no other runs, and no step.
func (s *Scope) Before(hook BeforeHook) { s.before = append(s.before, hook) }

// After adds a hook to run behind the last step, in the order of adding. Every
// After hook runs, whatever became of the steps and of other hooks; its err is the
// first error of the attempt so far, or nil. Its context is that of the steps, and
// has ended where the attempt ran out of time or was interrupted.
func (s *Scope) After(hook AfterHook) { s.after = append(s.after, hook) }

func (s *Scope) add(keyword string, expression, fn any) {
	if s.learning {
		_, file, line, _ := runtime.Caller(2) // the call of Given, When, Then or Step
		file = filepath.ToSlash(file)
		d := &Definition{Index: len(s.definitions), Keyword: keyword, given: expression,
			Location: fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(file)), filepath.Base(file), line)}
		s.definitions = append(s.definitions, d)
		if err := d.define(expression, fn); err != nil {
			s.errs = append(s.errs, fmt.Errorf("%s: %q: %w", d.Location, fmt.Sprint(expression), err))
		}
		return
	}
	i := len(s.functions)
	s.functions = append(s.functions, fn)
	if len(s.errs) > 0 {
		return
	}
	if i >= len(s.definitions) {
		s.errs = append(s.errs, fmt.Errorf("step %q was not registered when the engine was made", fmt.Sprint(expression)))
		return
	}
	if d := s.definitions[i]; d.Keyword != keyword || !sameExpression(d, expression) || reflect.TypeOf(fn) != d.function.typ {
		s.errs = append(s.errs, fmt.Errorf("step %q stands where the engine was made with %s: every registration must be the same", fmt.Sprint(expression), d))
	}
}

// registered gives the error of a registration for one attempt.
func (s *Scope) registered() error {
	if len(s.errs) == 0 && len(s.functions) < len(s.definitions) {
		s.errs = append(s.errs, fmt.Errorf("%d steps are registered where the engine was made with %d", len(s.functions), len(s.definitions)))
	}
	return errors.Join(s.errs...)
}

func sameExpression(d *Definition, expression any) bool {
	switch x := expression.(type) {
	case string:
		return x == d.Pattern
	case *regexp.Regexp:
		return x == d.given || x != nil && x.String() == d.Pattern
	}
	return false
}

// define fills in what is derived from the expression and the function.
func (d *Definition) define(expression, fn any) (err error) {
	anchors := true
	switch x := expression.(type) {
	case string:
		if d.expression, err = regexp.Compile(x); err != nil {
			return err
		}
	case *regexp.Regexp:
		if x == nil {
			return errors.New("the expression is nil")
		}
		d.expression, anchors = x, false // one made by CompilePOSIX reads ^ as the start of a line
	default:
		return fmt.Errorf("the expression is a %T, not a string or a *regexp.Regexp", expression)
	}
	d.Pattern = d.expression.String()
	d.literals = newLiterals(d.Pattern, anchors)
	d.function, err = newFunction(fn, d.expression.NumSubexp())
	return err
}
