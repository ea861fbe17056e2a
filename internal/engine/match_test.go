package engine

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiterals(t *testing.T) {
	for pattern, want := range map[string]literals{
		`^the model is loaded$`:       {prefix: "the model is loaded"},
		`^a (\d+) layer model$`:       {prefix: "a ", needle: " layer model"},
		`the (.*) has "([^"]*)" here`: {needle: ` has "`},
		`^(?:the )?model`:             {needle: "model"},
		`^(the model)s?`:              {prefix: "the model"},
		`^(?i)the model`:              {},
		`a|b`:                         {},
		`^(ab)+cde`:                   {prefix: "ab", needle: "cde"},
		`^(?:ab){2}`:                  {prefix: "abab"},
		`^x*abc`:                      {needle: "abc"},
		`x^abc`:                       {needle: "xabc"},
		"a\ufffdbc":                   {needle: "bc"},
		``:                            {},
		`(`:                           {},
	} {
		assert.Equal(t, want, newLiterals(pattern, true), pattern)
	}
	assert.Equal(t, literals{needle: " model"}, newLiterals(`^a.* model$`, false), "a ^ that may be the start of a line is not relied on")
}

func TestPOSIXExpressionsMatchInTheMiddle(t *testing.T) {
	e, err := New(func(s *Scope) { s.Step(regexp.MustCompilePOSIX(`^second$`), func() {}) })
	require.NoError(t, err)
	assert.Len(t, e.Matches(messages.PickleStepType_UNKNOWN, "first\nsecond"), 1)
}

func TestTheMatcherForgets(t *testing.T) {
	e, err := New(func(s *Scope) {
		s.Given(`^step (\d+)$`, func(int) {})
		s.Then(`^step (\d+)$`, func(int) {})
	})
	require.NoError(t, err)
	for round := range 2 {
		for i := range 3 * maxCached {
			text := fmt.Sprintf("step %d", i)
			for kind, n := range map[messages.PickleStepType]int{messages.PickleStepType_CONTEXT: 1, messages.PickleStepType_ACTION: 0, messages.PickleStepType_UNKNOWN: 2, "": 2} {
				matches := e.Matches(kind, text)
				require.Len(t, matches, n, "%d %s %s", round, kind, text)
				for _, m := range matches {
					require.Equal(t, []string{fmt.Sprint(i)}, m.Parts(text))
				}
			}
		}
	}
	assert.LessOrEqual(t, len(e.matcher.young)+len(e.matcher.older), 2*maxCached)
	before := len(e.matcher.young)
	assert.Len(t, e.Matches(messages.PickleStepType_CONTEXT, "step "+strings.Repeat("1", maxCachedText)), 1)
	assert.Len(t, e.matcher.young, before, "a very long text is not kept")
}

// FuzzMatch compares the matcher with the expressions alone, and what a match says
// with what the expression says.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{`^a (\d+) b$`, "a 12 b"}, {`(?i)abc`, "xABCx"}, {`^(x|y)+z`, "xyz"}, {`(?s)a.b$`, "a\nb"}, {`(?m)^b$`, "a\nb"}, {"\ufffd", "\xff"}, {`a{2,3}b?c+`, "aacc"},
		{`(?:ab|ac)d`, "acd"}, {`\bword\b`, "a word."}, {`^$`, ""}, {`(a)?(b)`, "b"}, {`(?U)a+b`, "aab"}, {`^^a`, "a"}, {`()^a`, "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		expression, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 200 || len(text) > 2000 {
			return
		}
		want := expression.FindStringSubmatch(text)
		for _, given := range []any{pattern, expression} {
			d := &Definition{given: given}
			_ = d.define(given, func() {}) // the function need not fit
			m := newMatcher([]*Definition{d})
			for range 2 { // found, then remembered
				matches := m.find(messages.PickleStepType_UNKNOWN, text)
				require.Equal(t, want != nil, len(matches) == 1, "%q in %q: %+v", pattern, text, d.literals)
				if want != nil {
					require.Equal(t, want[1:], append([]string{}, matches[0].Parts(text)...))
				}
			}
		}
	})
}

// FuzzArguments converts texts to every type that a parameter may have.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "1e400", "0x10", "1_000", "+5", "NaN", "true", "T", "９", " 1", "18446744073709551616"} {
		f.Add(seed)
	}
	var calls int
	e, err := New(func(s *Scope) {
		s.Step(`(?s)^(.*)$`, func(bool) { calls++ })
		s.Step(`(?s)^(.*)$`, func(int8) { calls++ })
		s.Step(`(?s)^(.*)$`, func(uint64) { calls++ })
		s.Step(`(?s)^(.*)$`, func(float32) { calls++ })
		s.Step(`(?s)^(.*)$`, func([]byte) { calls++ })
		s.Step(`(?s)^(.*)$`, func(string) { calls++ })
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range e.definitions {
			arguments, err := d.arguments([]string{text}, nil)
			if err != nil {
				require.IsType(t, &ArgumentError{}, err)
				require.NotContains(t, []string{"string", "[]uint8"}, d.function.typ.In(0).String(), "a text is always one")
				continue
			}
			require.Len(t, arguments, 1)
			if v := arguments[0]; v.Kind().String() == "string" {
				require.Equal(t, text, v.String())
			}
		}
	})
}
