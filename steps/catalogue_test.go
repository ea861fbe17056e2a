package steps

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Editors find a step only if it is registered in a direct statement of a named
// function with its pattern as a string literal, and they cannot read syntax of regular
// expressions that only Go has.
func TestStepsAreRegisteredWhereEditorsFindThem(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	fset := token.NewFileSet()
	registrations, statements := 0, 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isRegistration(call) {
				registrations++
			}
			return true
		})
		for _, decl := range file.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, statement := range function.Body.List {
				expression, ok := statement.(*ast.ExprStmt)
				if !ok {
					continue
				}
				call, ok := expression.X.(*ast.CallExpr)
				if !ok || !isRegistration(call) {
					continue
				}
				statements++
				at := fset.Position(call.Pos()).String()
				pattern, ok := call.Args[0].(*ast.BasicLit)
				if !assert.True(t, ok && pattern.Kind == token.STRING, "%s: the pattern is no string literal", at) {
					continue
				}
				for _, arg := range call.Args[1:] {
					lit, ok := arg.(*ast.BasicLit)
					assert.False(t, ok && lit.Kind == token.STRING, "%s: a second literal would be taken for a pattern", at)
				}
				text, err := strconv.Unquote(pattern.Value)
				require.NoError(t, err)
				assert.NotRegexp(t, `\(\?[^:]|\\[AzQEpP]|\[\[:`, text, "%s: syntax of regular expressions that only Go has", at)
				assert.Regexp(t, `^\^.*\$$`, text, "%s: a pattern that matches part of a text", at)
			}
		}
	}
	assert.Equal(t, registrations, statements, "every registration is a direct statement of a named function")
	assert.Len(t, catalogue(), statements)
}

// isRegistration says whether a call is r.Given, r.When or r.Then with a pattern, a
// handler and a stepDoc.
func isRegistration(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && len(call.Args) == 3 && slices.Contains([]string{"Given", "When", "Then"}, selector.Sel.Name)
}

func TestEveryStepSaysWhatItIsFor(t *testing.T) {
	for _, d := range Catalogue() {
		assert.Regexp(t, `^[A-Z].*[.]$`, d.Meaning, d.Pattern)
		assert.NotEmpty(t, d.Group, d.Pattern)
		assert.NotEmpty(t, d.Example, d.Pattern)
	}
}

func TestTheExampleOfAStepMatchesThatStepAlone(t *testing.T) {
	for _, d := range catalogue() {
		var patterns []string
		for _, m := range Match(messages.PickleStepType_UNKNOWN, d.Example) {
			patterns = append(patterns, m.Pattern)
		}
		assert.Equal(t, []string{d.Pattern}, patterns, "example %q", d.Example)
	}
}

func TestTheLocationOfAStepIsTheLineThatRegistersIt(t *testing.T) {
	for _, d := range Catalogue() {
		file, line, ok := strings.Cut(strings.TrimPrefix(d.Location, "steps/"), ":")
		require.True(t, ok, d.Location)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		n, err := strconv.Atoi(line)
		require.NoError(t, err)
		assert.Contains(t, strings.Split(string(text), "\n")[n-1], fmt.Sprintf("%s(`%s`", d.Keyword, d.Pattern))
	}
}

func TestPatternsAreCompiledOnce(t *testing.T) {
	assert.Same(t, patterns()[Catalogue()[0].Pattern], catalogue()[0].pattern)
	assert.Len(t, patterns(), len(catalogue()), "two steps have one pattern")
}

func TestMatchConsidersTheKeyword(t *testing.T) {
	const text = "the model info is read"
	assert.Len(t, Match(messages.PickleStepType_ACTION, text), 1)
	assert.Empty(t, Match(messages.PickleStepType_CONTEXT, text))
	assert.Empty(t, Match(messages.PickleStepType_OUTCOME, text))
	assert.Len(t, Match(messages.PickleStepType_UNKNOWN, text), 1)
	assert.Empty(t, Match(messages.PickleStepType_ACTION, "the model info is raed"))
}

func TestNoHandlerTakesMoreThanItsPatternGives(t *testing.T) {
	// godog notices a wrong number of arguments only when the step runs.
	r := new(argumentCounter)
	newWorld(new(Setup)).registerSteps(r)
	for pattern, takes := range r.takes {
		gives := regexp.MustCompile(pattern).NumSubexp()
		if strings.HasSuffix(pattern, ":$") {
			gives++ // the text or table below the step
		}
		assert.Equal(t, gives, takes, pattern)
	}
}

// argumentCounter is a stepRegistrar that counts the arguments of handlers.
type argumentCounter struct{ takes map[string]int }

func (c *argumentCounter) group(string)                                 {}
func (c *argumentCounter) Given(pattern string, handler any, _ stepDoc) { c.count(pattern, handler) }
func (c *argumentCounter) When(pattern string, handler any, _ stepDoc)  { c.count(pattern, handler) }
func (c *argumentCounter) Then(pattern string, handler any, _ stepDoc)  { c.count(pattern, handler) }

func (c *argumentCounter) count(pattern string, handler any) {
	if c.takes == nil {
		c.takes = make(map[string]int)
	}
	function := reflect.TypeOf(handler)
	for i := range function.NumIn() {
		if function.In(i) != reflect.TypeFor[context.Context]() {
			c.takes[pattern]++
		}
	}
}
