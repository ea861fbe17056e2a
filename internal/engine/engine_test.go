package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// run carries the only scenario of a feature out.
func run(t *testing.T, ctx context.Context, source string, options engine.Options, register func(*engine.Scope)) engine.Result {
	t.Helper()
	e, err := engine.New(register)
	require.NoError(t, err)
	return e.Run(ctx, only(t, source), register, options)
}

func only(t testing.TB, source string) *messages.Pickle {
	t.Helper()
	f, err := engine.Parse(t.Context(), "some.feature", []byte(source))
	require.NoError(t, err)
	for s := range f.Scenarios() {
		return s.Pickle
	}
	require.Fail(t, "no scenario")
	return nil
}

func statuses(r engine.Result) string {
	var steps []engine.Status
	for _, s := range r.Steps() {
		steps = append(steps, s.Status)
	}
	return string(newVerdict(r.Status, steps))
}

func TestRegistrationNamesWhatDoesNotFit(t *testing.T) {
	var nilFunction func()
	for _, c := range []struct {
		expression, function any
		want                 string
	}{
		{`^a`, nil, "the function is a <nil>"},
		{`^a`, 3, "the function is a int"},
		{`^a`, nilFunction, "the function is nil"},
		{`^a(`, func() {}, "missing closing )"},
		{[]byte(`^a`), func() {}, "the expression is a []uint8"},
		{(*regexp.Regexp)(nil), func() {}, "the expression is nil"},
		{`^a (b)`, func() {}, "it takes 0 parts of the step's text, and the expression has 1 group"},
		{`^a`, func(int) {}, "it takes 1 part of the step's text, and the expression has 0 groups"},
		{`^a (?:b)`, func(_, _ string) {}, "it takes 2 parts of the step's text, and the expression has 0 groups"},
		{`^a (b)`, func(...string) {}, "a fixed number of arguments"},
		{`^a (b)`, func(complex128) {}, "a parameter cannot be a complex128"},
		{`^a (b)`, func(*string) {}, "a parameter cannot be a *string"},
		{`^a (b)`, func(map[string]int) {}, "a parameter cannot be a map[string]int"},
		{`^a (b)`, func(string, context.Context) {}, "the context is the first parameter"},
		{`^a (b)`, func(*engine.Table, string) {}, "the table is the last parameter"},
		{`^a`, func(_, _ *engine.DocString) {}, "a step has one doc string at most"},
		{`^a`, func(*engine.Table, *engine.DocString, *engine.Table) {}, "a step has one table at most"},
		{`^a`, func() int { return 0 }, "a step's function gives"},
		{`^a`, func() (context.Context, int) { return nil, 0 }, "a step's function gives"},
		{`^a`, func() (int, string, error) { return 0, "", nil }, "a step's function gives"},
		{`^a`, func() []string { return nil }, "a step's function gives"},
	} {
		_, err := engine.New(func(s *engine.Scope) { s.Given(c.expression, c.function) })
		if assert.ErrorContains(t, err, c.want, "%v %T", c.expression, c.function) {
			assert.ErrorContains(t, err, "engine/engine_test.go:", "it says where")
		}
	}
	_, err := engine.New(func(s *engine.Scope) {
		s.Given(`^a (b)`, func() {})
		s.When(`(`, func() {})
	})
	assert.Equal(t, 2, strings.Count(fmt.Sprint(err), "engine_test.go"), "all that do not fit are named: %v", err)
}

func TestRegistrationIsTheSameEachTime(t *testing.T) {
	first := func(s *engine.Scope) { s.Given(`^a$`, func() {}); s.When(`^b$`, func() {}) }
	e, err := engine.New(first)
	require.NoError(t, err)
	pickle := only(t, feature("Given a", "When b"))
	assert.Equal(t, engine.Passed, e.Run(t.Context(), pickle, first, engine.Options{}).Status)
	for want, register := range map[string]func(*engine.Scope){
		"1 steps are registered where the engine was made with 2": func(s *engine.Scope) { s.Given(`^a$`, func() {}) },
		`step "^c$" was not registered`:                           func(s *engine.Scope) { first(s); s.Then(`^c$`, func() {}) },
		`step "^x$" stands where`:                                 func(s *engine.Scope) { s.Given(`^x$`, func() {}); s.When(`^b$`, func() {}) },
		`stands where the engine was made with Given ^a$`:         func(s *engine.Scope) { s.When(`^a$`, func() {}); s.When(`^b$`, func() {}) },
		`stands where the engine was made with When ^b$`:          func(s *engine.Scope) { s.Given(`^a$`, func() {}); s.When(`^b$`, func() error { return nil }) },
	} {
		result := e.Run(t.Context(), pickle, register, engine.Options{})
		assert.Equal(t, "failed: skipped skipped", statuses(result))
		assert.ErrorContains(t, result.Attempts[0].Err, want)
	}
	result := e.Run(t.Context(), pickle, func(*engine.Scope) { panic("in the registration") }, engine.Options{})
	assert.Equal(t, engine.Failed, result.Status)
	assert.ErrorContains(t, result.Attempts[0].Err, "registering the steps: panic: in the registration")
}

func TestArgumentsOfEveryType(t *testing.T) {
	type size uint32
	var got []any
	keep := func(v any) { got = append(got, v) }
	register := func(s *engine.Scope) {
		s.Given(`^string (.*)$`, func(v string) { keep(v) })
		s.Given(`^bytes (.*)$`, func(v []byte) { keep(string(v)) })
		s.Given(`^bool (.*)$`, func(v bool) { keep(v) })
		s.Given(`^int (.*)$`, func(v int) { keep(v) })
		s.Given(`^int8 (.*)$`, func(v int8) { keep(v) })
		s.Given(`^int16 (.*)$`, func(v int16) { keep(v) })
		s.Given(`^int32 (.*)$`, func(v int32) { keep(v) })
		s.Given(`^int64 (.*)$`, func(v int64) { keep(v) })
		s.Given(`^uint (.*)$`, func(v uint) { keep(v) })
		s.Given(`^uint8 (.*)$`, func(v uint8) { keep(v) })
		s.Given(`^uint16 (.*)$`, func(v uint16) { keep(v) })
		s.Given(`^uint32 (.*)$`, func(v uint32) { keep(v) })
		s.Given(`^uint64 (.*)$`, func(v uint64) { keep(v) })
		s.Given(`^float32 (.*)$`, func(v float32) { keep(v) })
		s.Given(`^float64 (.*)$`, func(v float64) { keep(v) })
		s.Given(`^size (.*)$`, func(v size) { keep(v) })
		s.Given(`^two (\S+)(?: (\S+))?$`, func(a, b string) { keep(a + "|" + b) })
	}
	result := run(t, t.Context(), feature("Given string ä|b", "* bytes x", "* bool true", "* int -9223372036854775808", "* int8 -128", "* int16 32767",
		"* int32 -2147483648", "* int64 1", "* uint 18446744073709551615", "* uint8 255", "* uint16 65535", "* uint32 4294967295", "* uint64 0",
		"* float32 1.5", "* float64 -1e-3", "* size 7", "* two a", "* two a b"), engine.Options{}, register)
	for _, s := range result.Steps() {
		require.NoError(t, s.Err)
	}
	assert.Equal(t, []any{"ä|b", "x", true, math.MinInt64, int8(-128), int16(32767), int32(math.MinInt32), int64(1), uint(math.MaxUint64), uint8(255),
		uint16(65535), uint32(math.MaxUint32), uint64(0), float32(1.5), -1e-3, size(7), "a|", "a|b"}, got)

	for text, want := range map[string]string{
		"bool maybe": `"maybe" is no bool`, "int 1.5": `"1.5" is no int`, "int8 128": `"128" is too large for the type int8`, "uint -1": `"-1" is no uint`,
		"float32 1e99": `"1e99" is too large for the type float32`, "float64 x": `"x" is no float64`, "int ": `"" is no int`,
		"size 4294967296": `"4294967296" is too large for the type engine_test.size`,
	} {
		e, err := engine.New(register)
		require.NoError(t, err)
		step := &messages.PickleStep{Text: text}
		result := e.Run(t.Context(), &messages.Pickle{Steps: []*messages.PickleStep{step}}, register, engine.Options{})
		var argument *engine.ArgumentError
		require.ErrorAs(t, result.Steps()[0].Err, &argument, text)
		assert.Equal(t, want, argument.Error())
		assert.Equal(t, engine.Failed, result.Status)
		m, err := e.Resolve(step)
		assert.EqualError(t, err, want, "a dry run says so too")
		assert.NotNil(t, m.Definition)
	}
}

func TestWhatStandsBelowAStepIsExactlyWhatItTakes(t *testing.T) {
	table, doc := "| a |", "\"\"\"\n    b\n    \"\"\""
	calls := 0
	register := func(s *engine.Scope) {
		s.Step(`^none$`, func() { calls++ })
		s.Step(`^table$`, func(*engine.Table) { calls++ })
		s.Step(`^doc$`, func(context.Context, *engine.DocString) { calls++ })
		s.Step(`^text (.*)$`, func(_, text string) { calls++ })
		s.Step(`^bytes$`, func([]byte) { calls++ })
		s.Step(`^both$`, func(d *engine.DocString, t *engine.Table) { calls++ })
	}
	for _, c := range []struct{ step, below, want string }{
		{"none", "", ""}, {"none", table, "the step takes no table, and one stands below it"}, {"none", doc, "the step takes no doc string, and one stands below it"},
		{"none", table + "\n" + doc, "the step takes no table and no doc string, and one stands below it"},
		{"table", "", "the step needs a table below it"}, {"table", table, ""}, {"table", doc, "the step needs a table below it"},
		{"table", doc + "\n" + table, "the step takes no doc string, and one stands below it"},
		{"doc", "", "the step needs a doc string below it"}, {"doc", table, "the step needs a doc string below it"}, {"doc", doc, ""},
		{"text x", "", "the step needs a doc string below it"}, {"text x", doc, ""}, {"text x", table, "the step needs a doc string below it"},
		{"bytes", doc, ""}, {"bytes", "", "the step needs a doc string below it"},
		{"both", table + "\n" + doc, ""}, {"both", doc + "\n" + table, ""}, {"both", doc, "the step needs a table below it"},
	} {
		calls = 0
		r := run(t, t.Context(), feature("* "+c.step, c.below), engine.Options{}, register).Steps()[0]
		if c.want == "" {
			assert.NoError(t, r.Err, c)
			assert.Equal(t, 1, calls)
			continue
		}
		assert.EqualError(t, r.Err, c.want, c)
		assert.Zero(t, calls, "it is said before the step is called")
	}
}

func TestAmbiguousNamesTheDefinitions(t *testing.T) {
	r := run(t, t.Context(), feature("* twice over"), engine.Options{}, func(s *engine.Scope) { toy(ourHooks{s}) }).Steps()[0]
	assert.ErrorIs(t, r.Err, engine.ErrAmbiguous)
	assert.Regexp(t, `^ambiguous step: it matches Step \^twice \(\.\*\)\$ \(engine/godog_test.go:\d+\) and Step \^twice over\$ \(engine/godog_test.go:\d+\)$`, r.Err.Error())
}

func deref(p *int) int { return *p }

func TestAPanicKeepsItsStack(t *testing.T) {
	cause := errors.New("cause")
	register := func(s *engine.Scope) {
		s.Given(`^nil$`, func() { deref(nil) })
		s.Given(`^error$`, func() { panic(cause) })
		s.Given(`^endless$`, func() {
			var f func(int)
			f = func(n int) {
				if n == 0 {
					panic("deep")
				}
				f(n - 1)
			}
			f(1000)
		})
	}
	stackOf := func(step string) *engine.PanicError {
		var p *engine.PanicError
		require.ErrorAs(t, run(t, t.Context(), feature("Given "+step), engine.Options{}, register).Steps()[0].Err, &p)
		return p
	}
	p := stackOf("nil")
	assert.ErrorContains(t, p, "panic: runtime error: invalid memory address")
	lines := strings.Split(p.Stack, "\n")
	require.Len(t, lines, 4, p.Stack)
	assert.Contains(t, lines[0], "engine_test.deref")
	assert.Regexp(t, `engine_test.go:\d+$`, lines[1])
	assert.Contains(t, lines[2], "TestAPanicKeepsItsStack")
	assert.ErrorIs(t, stackOf("error"), cause)
	assert.Less(t, len(stackOf("endless").Stack), 20_000, "a runaway recursion has a bounded stack")
}

func TestAStepThatEndsItsGoroutineHasFailed(t *testing.T) {
	var after []string
	result := run(t, t.Context(), feature("Given it leaves", "When not reached"), engine.Options{}, func(s *engine.Scope) {
		s.Given(`^it leaves$`, func() { runtime.Goexit() })
		s.When(`^not reached$`, func() { after = append(after, "reached") })
		s.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
			after = append(after, fmt.Sprint(err))
			runtime.Goexit()
			return ctx, nil
		})
		s.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
			after = append(after, "second")
			return ctx, nil
		})
	})
	assert.Equal(t, "failed: failed skipped", statuses(result))
	assert.Equal(t, []string{"the step ended its goroutine", "second"}, after, "the hooks run all the same, each once")
	assert.ErrorIs(t, result.Attempts[0].Err, engine.ErrGoexit)
}

func TestHooksSurroundTheSteps(t *testing.T) {
	type key struct{}
	var order []string
	result := run(t, t.Context(), feature("Given a step"), engine.Options{}, func(s *engine.Scope) {
		for _, name := range []string{"first", "second"} {
			s.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
				order = append(order, "before "+name+" "+p.Name)
				return context.WithValue(ctx, key{}, name), nil
			})
			s.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
				order = append(order, fmt.Sprintf("after %s %v %v", name, err, ctx.Value(key{})))
				return nil, errors.New("error of " + name)
			})
		}
		s.Given(`^a step$`, func(ctx context.Context) context.Context {
			order = append(order, "step "+ctx.Value(key{}).(string))
			return context.WithValue(ctx, key{}, "step")
		})
	})
	assert.Equal(t, []string{"before first s", "before second s", "step second", "after first <nil> step", "after second the hook after the scenario: error of first step"}, order)
	assert.Equal(t, "failed: passed", statuses(result))
	assert.EqualError(t, result.Attempts[0].Err, "the hook after the scenario: error of first\nthe hook after the scenario: error of second")
}

func TestAHookThatFailsSkipsTheRest(t *testing.T) {
	ran := ""
	result := run(t, t.Context(), feature("Given a", "And b"), engine.Options{}, func(s *engine.Scope) {
		s.Before(func(ctx context.Context, _ *messages.Pickle) (context.Context, error) {
			return ctx, errors.New("no disk")
		})
		s.Before(func(ctx context.Context, _ *messages.Pickle) (context.Context, error) {
			ran += "before"
			return ctx, nil
		})
		s.Given(`^a$`, func() { ran += "a" })
		s.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
			ran += err.Error()
			return ctx, nil
		})
	})
	assert.Equal(t, "failed: skipped skipped", statuses(result))
	assert.Equal(t, "the hook before the scenario: no disk", ran)
}

func TestAttempts(t *testing.T) {
	attempts := 0
	flaky := func(passesAt int) func(*engine.Scope) {
		attempts = 0
		return func(s *engine.Scope) {
			world := new(int) // a new one for each attempt
			s.Given(`^a step$`, func() error {
				attempts++
				if *world++; *world > 1 {
					return errors.New("the world is that of the attempt before")
				}
				if attempts < passesAt {
					return fmt.Errorf("attempt %d", attempts)
				}
				return nil
			})
			s.Given(`^pending$`, func() error { attempts++; return engine.ErrPending })
		}
	}
	result := run(t, t.Context(), feature("Given a step"), engine.Options{Attempts: 3}, flaky(2))
	assert.Equal(t, engine.Passed, result.Status)
	require.Len(t, result.Attempts, 2)
	assert.EqualError(t, result.Attempts[0].Steps[0].Err, "attempt 1")
	assert.Equal(t, engine.Failed, result.Attempts[0].Status)

	result = run(t, t.Context(), feature("Given a step"), engine.Options{Attempts: 3}, flaky(9))
	assert.Equal(t, engine.Failed, result.Status)
	assert.Len(t, result.Attempts, 3)

	for _, step := range []string{"pending", "nobody knows"} {
		result = run(t, t.Context(), feature("Given "+step), engine.Options{Attempts: 3}, flaky(1))
		assert.Len(t, result.Attempts, 1, "only a failure is tried again")
	}
	assert.Len(t, run(t, t.Context(), feature("Given a step"), engine.Options{Attempts: -1}, flaky(9)).Attempts, 1)
}

func TestTimeout(t *testing.T) { synctest.Test(t, timeout) }

func timeout(t *testing.T) {
	register := func(s *engine.Scope) {
		s.Given(`^it waits$`, func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("reading: %w", ctx.Err()) })
		s.Given(`^it overruns$`, func(ctx context.Context) { <-ctx.Done() })
		s.Given(`^it is quick$`, func() {})
	}
	for _, step := range []string{"it waits", "it overruns"} {
		result := run(t, t.Context(), feature("Given it is quick", "And "+step, "And it is quick"), engine.Options{Timeout: 50 * time.Millisecond}, register)
		assert.Equal(t, "failed: passed failed skipped", statuses(result))
		assert.False(t, result.Interrupted)
		err := result.Steps()[1].Err
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "not done within the 50ms that the scenario has")
		var timeout *engine.TimeoutError
		require.ErrorAs(t, err, &timeout)
		assert.Equal(t, step == "it waits", timeout.Err != nil)
	}
	result := run(t, t.Context(), feature("Given it waits"), engine.Options{Timeout: 50 * time.Millisecond, Attempts: 2}, register)
	assert.Len(t, result.Attempts, 2, "each attempt has the whole time")

	result = run(t, t.Context(), feature("Given it is quick"), engine.Options{Timeout: 50 * time.Millisecond, Attempts: 2}, func(s *engine.Scope) {
		register(s)
		s.Before(func(ctx context.Context, _ *messages.Pickle) (context.Context, error) { <-ctx.Done(); return ctx, nil })
	})
	assert.Equal(t, "failed: failed", statuses(result), "the time ended in a hook")
	assert.Len(t, result.Attempts, 2)
	var timeout *engine.TimeoutError
	assert.ErrorAs(t, result.Steps()[0].Err, &timeout)

	result = run(t, t.Context(), feature("Given it skips late"), engine.Options{Timeout: 50 * time.Millisecond}, func(s *engine.Scope) {
		s.Given(`^it skips late$`, func(ctx context.Context) error { <-ctx.Done(); return engine.ErrSkip })
	})
	assert.Equal(t, "failed: failed", statuses(result))
}

// panickingError is an error whose methods panic on a nil pointer.
type panickingError struct{ text string }

func (e *panickingError) Error() string { return e.text }

func TestAnErrorWhoseMethodsPanicIsAFailure(t *testing.T) {
	result := run(t, t.Context(), feature("Given a step"), engine.Options{}, func(s *engine.Scope) {
		s.Given(`^a step$`, func() error { var e *panickingError; return e })
	})
	assert.Equal(t, "failed: failed", statuses(result))
	err := result.Steps()[0].Err
	var panicked *engine.PanicError
	require.ErrorAs(t, err, &panicked)
	assert.Contains(t, err.Error(), "in a method of the error of type *engine_test.panickingError")
}

func TestAPanicThatWrapsASkipIsAFailure(t *testing.T) {
	result := run(t, t.Context(), feature("Given a step"), engine.Options{}, func(s *engine.Scope) {
		s.Given(`^a step$`, func() { panic(fmt.Errorf("broken: %w", engine.ErrSkip)) })
	})
	assert.Equal(t, "failed: failed", statuses(result))
}

func TestInterruption(t *testing.T) {
	stop := errors.New("stop")
	for _, c := range []struct {
		name, source, want string
		interrupted        bool
	}{
		{"before", feature("Given a step"), "skipped: skipped", true},
		{"in a step that heeds it", feature("Given it stops", "Then a step"), "failed: failed skipped", true},
		{"in the last step, which passes", feature("Given it stops and passes"), "passed: passed", false},
		{"between steps", feature("Given it stops and passes", "Then a step"), "skipped: passed skipped", true},
		{"in a step that fails by itself", feature("Given it stops and fails", "Then a step"), "failed: failed skipped", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if c.name == "before" {
				cancel(stop)
			}
			cleaned := false
			result := run(t, ctx, c.source, engine.Options{Attempts: 5}, func(s *engine.Scope) {
				s.Step(`^a step$`, func() {})
				s.Given(`^it stops$`, func(ctx context.Context) error { cancel(stop); return context.Cause(ctx) })
				s.Given(`^it stops and passes$`, func() { cancel(stop) })
				s.Given(`^it stops and fails$`, func() error { cancel(stop); return errors.New("by itself") })
				s.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
					cleaned = true
					return ctx, nil
				})
			})
			assert.Equal(t, c.want, statuses(result))
			assert.Equal(t, c.interrupted, result.Interrupted)
			assert.Len(t, result.Attempts, 1, "what was interrupted is not tried again")
			assert.True(t, cleaned)
		})
	}
}

func TestJudgeAll(t *testing.T) {
	for _, c := range []struct{ source, one, all string }{
		{feature("Given there are 1 things", "Then it holds", "And it does not hold", "And there are 1 things", "And there are 2 things", "But it holds"),
			"failed: passed passed failed skipped skipped skipped", "failed: passed passed failed passed failed passed"},
		{feature("Given it does not exist", "Then it holds"), "undefined: undefined skipped", "undefined: undefined skipped"},
		{feature("When it panics", "Then it holds"), "failed: failed skipped", "failed: failed skipped"},
		{feature("Then it does not hold", "When 1 are added", "Then it holds"), "failed: failed skipped skipped", "failed: failed skipped passed"},
		{feature("* it does not hold", "* it holds", "* anything goes"), "failed: failed skipped skipped", "failed: failed passed passed"},
		{feature("Then nobody knows", "And it does not hold"), "undefined: undefined skipped", "failed: undefined failed"},
		{feature("When it is skipped", "Then it does not hold"), "skipped: skipped skipped", "skipped: skipped skipped"},
	} {
		register := func(s *engine.Scope) { toy(ourHooks{s}) }
		assert.Equal(t, c.one, statuses(run(t, t.Context(), c.source, engine.Options{}, register)), c.source)
		assert.Equal(t, c.all, statuses(run(t, t.Context(), c.source, engine.Options{JudgeAll: true}, register)), c.source)
	}
}

func TestKinds(t *testing.T) {
	e, err := engine.New(func(s *engine.Scope) { toy(ourHooks{s}) })
	require.NoError(t, err)
	kinds := func(source string) string {
		var b strings.Builder
		for _, k := range e.Kinds(only(t, source)) {
			b.WriteString(string(k) + " ")
		}
		return b.String()
	}
	assert.Equal(t, "Context Context Action Outcome Outcome ", kinds(feature("Given a context", "And nobody knows", "When it panics", "Then it holds", "But it holds")))
	assert.Equal(t, "Context Action Action Outcome Outcome ", kinds(feature("* a context", "* 1 are added", "* anything goes", "And it holds", "And anything goes")))
	assert.Equal(t, "Unknown Unknown Unknown Unknown ", kinds(feature("* anything goes", "* there are 1 things", "* nobody knows", "And anything goes")))
}

func TestEvents(t *testing.T) {
	var events []string
	observe := func(e engine.Event) {
		result := ""
		if e.Result != nil {
			result = " " + string(e.Result.Status)
		}
		events = append(events, fmt.Sprintf("%d.%d %t%s", e.Attempt, e.Step, e.Ended, result))
	}
	run(t, t.Context(), feature("Given there are 1 things", "Then there are 2 things", "Then it holds"), engine.Options{Attempts: 2, Observe: observe},
		func(s *engine.Scope) { toy(ourHooks{s}) })
	assert.Equal(t, []string{
		"0.-1 false", "0.0 false", "0.0 true passed", "0.1 false", "0.1 true failed", "0.-1 true",
		"1.-1 false", "1.0 false", "1.0 true passed", "1.1 false", "1.1 true failed", "1.-1 true",
	}, events)
}

func TestNothingIsKeptOfAScenario(t *testing.T) {
	freed := make(chan struct{})
	register := func(s *engine.Scope) {
		world := bytes.NewBuffer(make([]byte, 1<<20))
		s.Given(`^a step$`, func(ctx context.Context) context.Context { return context.WithValue(ctx, engine.Passed, world) })
		s.Then(`^it fails$`, func() error { return fmt.Errorf("%d", world.Len()) })
		runtime.AddCleanup(world, func(struct{}) { close(freed) }, struct{}{})
	}
	e, err := engine.New(func(s *engine.Scope) {
		s.Given(`^a step$`, func(context.Context) context.Context { return nil })
		s.Then(`^it fails$`, func() error { return nil })
	})
	require.NoError(t, err)
	pickle := only(t, feature("Given a step", "Then it fails"))
	result := e.Run(t.Context(), pickle, register, engine.Options{})
	for range 100 {
		runtime.GC()
		select {
		case <-freed:
			runtime.KeepAlive(e)
			assert.Equal(t, engine.Failed, result.Status)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the world of a scenario that has ended is still held")
}

func TestScenariosSideBySide(t *testing.T) {
	register := func(s *engine.Scope) { toy(ourHooks{s}) }
	e, err := engine.New(register)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for worker := range 8 {
		pickle := only(t, feature(fmt.Sprintf("Given there are %d things", worker), "When 1 are added", fmt.Sprintf("Then there are %d things", worker+1), "And it panics"))
		wg.Go(func() {
			for range 100 {
				assert.Equal(t, "undefined: passed passed passed undefined", statuses(e.Run(t.Context(), pickle, register, engine.Options{})))
			}
		})
	}
	wg.Wait()
}
