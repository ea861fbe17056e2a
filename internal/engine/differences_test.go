package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// differences are where the engine is meant to differ, each with the reason and the
// place in godog 0.16.0 or gherkin 42.0.1 that makes godog's verdict.
var differences = []struct {
	name     string
	source   string
	register func(hooker)
	godog    []verdict
	engine   []verdict
	reason   string
	place    string
}{
	{
		name: "a table that the step does not take", source: feature("* anything goes", "  | a |"),
		godog: []verdict{"passed: passed"}, engine: []verdict{"failed: failed"},
		reason: "godog drops what a function has no parameter for, so a table that was meant to be read is not",
		place:  "internal/models/stepdef.go, Run: it compares only len(sd.Args) < numIn",
	},
	{
		name: "a doc string that the step does not take", source: feature("* anything goes", `  """`, "  a", `  """`),
		godog: []verdict{"passed: passed"}, engine: []verdict{"failed: failed"},
		reason: "as above", place: "internal/models/stepdef.go, Run",
	},
	{
		name: "a doc string where a table is taken", source: feature(`Given the table joins to "a"`, `  """`, "  a", `  """`),
		register: func(r hooker) { r.Given(`^the table joins to "(.*)"$`, func(string, *engine.Table) {}) },
		godog:    []verdict{"passed: passed"}, engine: []verdict{"failed: failed"},
		reason: "godog calls the function with a nil table",
		place:  "internal/models/stepdef.go, Run: reflect.ValueOf(v.DataTable) without a check",
	},
	{
		name: "a table where a doc string is taken", source: feature(`Given the text`, "  | a |"),
		register: func(r hooker) { r.Given(`^the text$`, func(*engine.DocString) {}) },
		godog:    []verdict{"passed: passed"}, engine: []verdict{"failed: failed"},
		reason: "godog calls the function with a nil doc string", place: "internal/models/stepdef.go, Run: reflect.ValueOf(v.DocString)",
	},
	{
		name: "a table and a doc string", source: feature(`Given both`, "  | a |", `  """`, "  b", `  """`),
		register: func(r hooker) { r.Given(`^both$`, func(*engine.Table) {}) },
		godog:    []verdict{"passed: passed"}, engine: []verdict{"failed: failed"},
		reason: "gherkin 42 takes both below one step, and godog drops one of them",
		place:  "suite.go, matchStep: one argument is appended for both",
	},
	{
		name: "a table and a doc string, both taken", source: feature(`Given both`, "  | a |", `  """`, "  b", `  """`),
		register: func(r hooker) { r.Given(`^both$`, func(*engine.Table, *engine.DocString) {}) },
		godog:    []verdict{"failed: failed"}, engine: []verdict{"passed: passed"},
		reason: "as above: godog has one argument for two parameters", place: "suite.go, matchStep",
	},
	{
		name: "a type of one's own", source: feature("Given 3 bytes"),
		register: func(r hooker) {
			type bytes int
			r.Given(`^(\d+) bytes$`, func(bytes) {})
		},
		godog: []verdict{"failed: failed"}, engine: []verdict{"passed: passed"},
		reason: "godog makes an int, and the call panics", place: "internal/models/stepdef.go, Run: reflect.ValueOf(int(v))",
	},
	{
		name: "a truth value", source: feature("Given true"),
		register: func(r hooker) { r.Given(`^(true|false)$`, func(bool) {}) },
		godog:    []verdict{"failed: failed"}, engine: []verdict{"passed: passed"},
		reason: "godog has no bool among the types of parameters", place: "internal/models/stepdef.go, Run: the default of the switch",
	},
	{
		name: "a byte order mark", source: "\ufeff" + feature("* anything goes"),
		godog: unread, engine: []verdict{"passed: passed"},
		reason: "editors on Windows write it; gherkin takes it for text", place: "gherkin.go, Scan",
	},
	{
		name: "a line of more than 64 KiB", source: feature("* anything goes", "# "+strings.Repeat("x", 70_000)),
		godog: []verdict{"godog panicked"}, engine: []verdict{"passed: passed"},
		reason: "the scanner's buffer is full, and the parser goes on with a nil line", place: "gherkin.go, NewScanner; parser.go, Parse",
	},
	{
		name: "skipped by a hook, with an undefined step behind the first", source: feature("* nobody knows", "* nobody knows"),
		register: func(r hooker) {
			r.hooks(func(ctx context.Context) (context.Context, error) { return ctx, r.skip() },
				func(ctx context.Context, _ error) (context.Context, error) { return ctx, nil })
		},
		godog: []verdict{"undefined: skipped undefined"}, engine: []verdict{"skipped: skipped skipped"},
		reason: "godog skips the first step unseen and looks at the others: a scenario of one undefined step is skipped, one of two fails",
		place:  "suite.go, runStep: it returns the hook's error before that of the match, and has hooks in the first step only",
	},
	{
		name: "an error behind a scenario whose last step skips it", source: feature("When it is skipped"),
		register: func(r hooker) {
			toy(r)
			r.hooks(func(ctx context.Context) (context.Context, error) { return ctx, nil },
				func(ctx context.Context, _ error) (context.Context, error) {
					return ctx, errors.New("could not clean up")
				})
		},
		godog: []verdict{"skipped: skipped"}, engine: []verdict{"failed: skipped"},
		reason: "godog joins the hook's error with ErrSkip, and takes the two for a skip; where another step follows it does not", place: "suite.go, runAfterScenarioHooks and shouldFail",
	},
}

func TestDifferencesFromGodog(t *testing.T) {
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			register := d.register
			if register == nil {
				register = toy
			}
			assert.Equal(t, d.godog, byGodog(t, d.source, register), "godog no longer does what the list says: %s (%s)", d.reason, d.place)
			assert.Equal(t, d.engine, byEngine(t, d.source, register, engine.Options{}), d.reason)
		})
	}
}

// TestHooksAsInGodog compares what the hooks of a scenario make of it.
func TestHooksAsInGodog(t *testing.T) {
	fail := errors.New("a hook failed")
	pass := func(hooker) error { return nil }
	for name, before := range map[string]func(hooker) error{
		"passes": pass, "fails": func(hooker) error { return fail }, "skips": hooker.skip, "is pending": hooker.pending,
	} {
		for behind, after := range map[string]func(hooker) error{"passes": pass, "fails": func(hooker) error { return fail }} {
			for _, source := range []string{feature("* anything goes"), feature("* anything goes", "* it does not hold", "* it holds"), "Feature: f\n  Scenario: s\n"} {
				t.Run("before "+name+", after "+behind, func(t *testing.T) {
					called := 0
					register := func(r hooker) {
						toy(r)
						r.hooks(func(ctx context.Context) (context.Context, error) { return ctx, before(r) },
							func(ctx context.Context, _ error) (context.Context, error) { called++; return ctx, after(r) })
					}
					ours := byEngine(t, source, register, engine.Options{})
					calledByEngine := called
					called = 0
					theirs := byGodog(t, source, register)
					if name == "skips" && behind == "fails" && strings.Count(source, "*") == 1 {
						t.Skip("one of the differences: an error behind a scenario whose last step skips it")
					}
					assert.Equal(t, called, calledByEngine, "calls of the hook behind the scenario")
					require.Len(t, ours, len(theirs))
					for i := range ours { // a hook's error stands at a step in godog, and beside the steps here
						a, _, _ := strings.Cut(string(theirs[i]), ":")
						b, _, _ := strings.Cut(string(ours[i]), ":")
						if name == "is pending" && behind == "fails" && len(source) > 30 {
							assert.Equal(t, []string{"pending", "failed"}, []string{a, b}, "of two faults, Cucumber's order names the worse")
							continue
						}
						assert.Equal(t, a, b)
					}
				})
			}
		}
	}
}
