package suite

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
)

// maxSyntaxProblems limits the errors that are reported for one file: those after the first
// are mostly its consequences.
const maxSyntaxProblems = 3

// syntaxProblems converts the errors of a file that does not parse to problems.
func syntaxProblems(uri string, err error) outcome.Problems {
	var problems outcome.Problems
	for _, e := range parseErrors(err) {
		if len(problems) == maxSyntaxProblems {
			break
		}
		message, advice := explainSyntax(e.Message)
		problems = append(problems, outcome.Problem{URI: uri, Line: e.Line, Column: e.Column, Code: ruleSyntaxError, Message: message, Advice: advice})
	}
	if problems == nil {
		problems = outcome.Problems{{URI: uri, Code: ruleSyntaxError, Message: strings.TrimSpace(err.Error())}}
	}
	return problems
}

// parseErrors lists the errors that the engine has joined.
func parseErrors(err error) []*engine.ParseError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*engine.ParseError
		for _, e := range joined.Unwrap() {
			all = append(all, parseErrors(e)...)
		}
		return all
	}
	var e *engine.ParseError
	if errors.As(err, &e) {
		return []*engine.ParseError{e}
	}
	return nil
}

var (
	unexpected    = regexp.MustCompile(`^expected: (.*), got '(.*)'$`)
	unexpectedEnd = regexp.MustCompile(`^unexpected end of file, expected: (.*)$`)
)

// expectations has the text that people write for each of gherkin's tokens. Tokens that are
// possible nearly everywhere (comments, blank lines, the end) are left out.
var expectations = map[string]string{
	"#FeatureLine": "Feature:", "#RuleLine": "Rule:", "#BackgroundLine": "Background:", "#ScenarioLine": "Scenario:",
	"#ExamplesLine": "Examples:", "#StepLine": "a step (Given, When, Then, And, But)", "#TagLine": "tags (@sae)",
	"#TableRow": "a row of a table (| … |)", "#DocStringSeparator": `a doc string (""")`, "#Language": "# language: en",
}

// languageAdvice returns the advice for a language that Gherkin does not have: the one that has
// nearly this code, or this name.
func languageAdvice(language string) string {
	const list = "https://cucumber.io/docs/gherkin/languages has the list; English needs no such line"
	byName := map[string]string{}
	var codes, names []string
	for code, dialect := range engine.Languages() {
		codes = append(codes, code)
		for _, name := range []string{dialect.Name, dialect.Native} {
			byName[strings.ToLower(name)] = code
			names = append(names, strings.ToLower(name))
		}
	}
	near, ok := suggest.NearestWithin(language, codes, 1)
	if name, named := suggest.Nearest(strings.ToLower(language), names); named && len(language) > 3 {
		near, ok = byName[name], true
	}
	if base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(language, "_", "-")), "-"); !ok && slices.Contains(codes, base) {
		near, ok = base, true
	}
	if !ok {
		return list
	}
	return suggest.Question(near) + " " + list
}

// explainSyntax rewrites a message of gherkin's parser, and adds advice.
func explainSyntax(message string) (explained, advice string) {
	tokens, text := "", ""
	if m := unexpected.FindStringSubmatch(message); m != nil {
		tokens, text = m[1], strings.TrimSpace(m[2])
		explained = fmt.Sprintf("%q is not possible here", text)
	} else if m := unexpectedEnd.FindStringSubmatch(message); m != nil {
		tokens, explained = m[1], "the file ends too early"
	} else if message == "not UTF-8" {
		return message, "save the file as UTF-8"
	} else if language, ok := strings.CutPrefix(message, "Language not supported: "); ok {
		return fmt.Sprintf("there is no language %q", language), languageAdvice(language)
	} else if message == "A tag may not contain whitespace" {
		return "a tag may not have a space in it", "begin every tag with @; in Markdown, each stands in backquotes of its own"
	} else {
		return message, ""
	}
	var wanted []string
	for token := range strings.SplitSeq(tokens, ", ") {
		if w, ok := expectations[token]; ok {
			wanted = append(wanted, w)
		}
	}
	first, _, _ := strings.Cut(text, " ")
	keywords := []string{"Given", "When", "Then", "And", "But", "Feature:", "Rule:", "Background:", "Scenario:", "Outline:", "Examples:"}
	if near, ok := suggest.Nearest(first, keywords); ok && near != first {
		return explained, suggest.Question(near)
	}
	if len(wanted) > 0 {
		advice = "possible here: " + strings.Join(wanted, ", ")
	}
	return explained, advice
}
