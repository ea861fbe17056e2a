package snippet

import (
	"go/format"
	"regexp"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

func TestGoCodeOfASnippet(t *testing.T) {
	for text, want := range map[string]string{
		`Given the moon is "full" for 3 nights and 1.5 hours`: "ctx.Given(`^the moon is \"([^\"]*)\" for (-?\\d+) nights and (-?\\d+\\.\\d+) hours$`, func(value1 string, value2 int, value3 float64) error {\n\treturn godog.ErrPending\n})\n",
		"When it rises":          "ctx.When(`^it rises$`, func() error {\n\treturn godog.ErrPending\n})\n",
		"And the tide (a) is up": "ctx.Step(`^the tide \\(a\\) is up$`, func() error {\n\treturn godog.ErrPending\n})\n",
		"Then it holds:":         "// The text below the step; *godog.Table for a table.\nctx.Then(`^it holds:$`, func(below *godog.DocString) error {\n\treturn godog.ErrPending\n})\n",
		"Then a `b` is":          "ctx.Then(\"^a `b` is$\", func() error {\n\treturn godog.ErrPending\n})\n",
	} {
		assert.Equal(t, want, Of(text).Go(), text)
	}
}

// The expression matches the text, has a group for each value, and the engine takes a
// function with these parameters.
func TestASnippetDefinesItsStep(t *testing.T) {
	functions := map[string]any{
		"": func() error { return nil }, "string": func(string) error { return nil }, "int": func(int) error { return nil },
		"float64": func(float64) error { return nil }, "string int": func(string, int) error { return nil },
		"*godog.DocString": func(*engine.DocString) error { return nil }, "string string": func(string, string) error { return nil },
	}
	for _, text := range []string{
		"Given the moon", `Given "a" is 5`, "Given -3 degrees", "Given 2.5 m", `Given the model "x" costs $5 (or *more*) [a] {b} ^ \ ?`, "Given it holds:",
		`Given "a" and "b"`, `Given the version is v2 or 1.2.3-rc`, "Given ünï 模型", "Given `x`", "Given a\tb", "Given x86 and 3.x", `Given an "open quote`,
	} {
		s := Of(text)
		bare := strings.TrimPrefix(text, "Given ")
		expression := regexp.MustCompile(s.Expression)
		match := expression.FindStringSubmatch(bare)
		require.NotNil(t, match, text)
		var types []string
		values := 0
		for _, p := range s.Parameters {
			types = append(types, p.Type)
			if p.Name != "below" {
				values++
			}
		}
		assert.Equal(t, values, expression.NumSubexp(), text)
		_, err := format.Source([]byte(s.Go()))
		require.NoError(t, err, text)
		function, known := functions[strings.Join(types, " ")]
		if !known {
			continue
		}
		e, err := engine.New(func(scope *engine.Scope) { scope.Given(s.Expression, function) })
		require.NoError(t, err, text)
		assert.Len(t, e.Matches(messages.PickleStepType_CONTEXT, bare), 1, text)
	}
}
