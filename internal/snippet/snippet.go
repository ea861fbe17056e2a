// Package snippet writes the Go code that defines a step, for who embeds the steps of
// omniloader in a program of their own and adds some.
package snippet

import (
	"fmt"
	"go/format"
	"regexp"
	"strings"
)

// Parameter is a parameter of the function of a step.
type Parameter struct {
	Name, Type string // "value1", "string"
}

// Snippet is the definition of a step.
type Snippet struct {
	Text       string      // of the step, without its keyword
	Method     string      // of godog's ScenarioContext: "Given", "When", "Then", or "Step" for any keyword
	Expression string      // the regular expression: `^the moon is "([^"]*)"$`
	Parameters []Parameter // in the order of the function
}

var (
	keyword = regexp.MustCompile(`^\s*(Given|When|Then|And|But|\*)\s+`)
	// value finds what differs from use to use: a text in quotes, a whole number or a
	// number with a fraction. The groups say which.
	value = regexp.MustCompile(`("[^"]*")|(-?\b[0-9]+\.[0-9]+\b)|(-?\b[0-9]+\b)`)
)

// Of gives the definition of a step with this text, whose keyword may stand before it. A
// text that ends in a colon takes a text or table below it.
func Of(text string) Snippet {
	s := Snippet{Method: "Step"}
	if m := keyword.FindStringSubmatch(text); m != nil {
		switch m[1] {
		case "Given", "When", "Then":
			s.Method = m[1]
		}
		text = text[len(m[0]):]
	}
	text = strings.TrimSpace(text)
	s.Text = text
	var expression strings.Builder
	expression.WriteString("^")
	from := 0
	for _, at := range value.FindAllStringSubmatchIndex(text, -1) {
		expression.WriteString(regexp.QuoteMeta(text[from:at[0]]))
		from = at[1]
		typ, group := "int", `(-?\d+)`
		switch {
		case at[2] >= 0:
			typ, group = "string", `"([^"]*)"`
		case at[4] >= 0:
			typ, group = "float64", `(-?\d+\.\d+)`
		}
		expression.WriteString(group)
		s.Parameters = append(s.Parameters, Parameter{fmt.Sprintf("value%d", len(s.Parameters)+1), typ})
	}
	expression.WriteString(regexp.QuoteMeta(text[from:]) + "$")
	s.Expression = expression.String()
	if strings.HasSuffix(text, ":") {
		s.Parameters = append(s.Parameters, Parameter{"below", "*godog.DocString"})
	}
	return s
}

// Go gives the Go code that defines the step in a function InitializeScenario(ctx
// *godog.ScenarioContext).
func (s Snippet) Go() string {
	quoted := "`" + s.Expression + "`"
	if strings.Contains(s.Expression, "`") {
		quoted = fmt.Sprintf("%q", s.Expression)
	}
	var parameters []string
	comment := ""
	for _, p := range s.Parameters {
		parameters = append(parameters, p.Name+" "+p.Type)
		if p.Name == "below" {
			comment = "// The text below the step; *godog.Table for a table.\n"
		}
	}
	code := fmt.Sprintf("%sctx.%s(%s, func(%s) error {\nreturn godog.ErrPending\n})\n", comment, s.Method, quoted, strings.Join(parameters, ", "))
	formatted, err := format.Source([]byte(code))
	if err != nil {
		return code // cannot be: what varies is quoted, and the test formats many texts
	}
	return string(formatted)
}
