// Package lint finds what stands in a feature file and is not read, or has no effect: text
// that is meant as a step and is read as description, placeholders without a column, tags
// that change nothing. Its table of rules has those of package suite too, which checks the
// steps themselves. It runs nothing.
package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
)

// Problem is a problem of a feature file, and the part of the file that it concerns.
type Problem struct {
	outcome.Problem
	Scope Scope
	Fix   *Fix // nil if it cannot be mended without a decision
}

// Scope is the part of a feature that a problem concerns: one scenario or outline, all
// scenarios below a background, or, as the zero value, none of these.
type Scope struct {
	Scenario   *messages.Scenario
	Background bool           // all scenarios of Rule, or of the feature if that is nil
	Rule       *messages.Rule // of the background
}

// Fix replaces a line.
type Fix struct {
	Line     int // from 1
	Old, New string
}

// Tag is a tag with a meaning.
type Tag struct {
	Name         string // with the @, without a value
	TakesValue   bool   // it may be written as NAME:VALUE
	NeedsValue   bool   // without a value it has no effect
	OnlyMeasured bool   // it has an effect only on scenarios that are measured
}

// Vocabulary is what is known of the steps and tags of the scenarios.
type Vocabulary struct {
	// Defined says whether a step of any keyword has this text.
	Defined func(text string) bool
	// Measured says whether a scenario with these tags and texts of steps is measured.
	Measured func(tags, texts []string) bool
	// ValidTag says whether the value of a tag can be read. What cannot is left to others.
	ValidTag func(tag string) bool
	Tags     []Tag
}

// Check returns the problems of a feature file that was parsed, errors and warnings, in the
// order of the lines.
func Check(f *engine.Feature, v Vocabulary) []Problem {
	if f.Document == nil || f.Document.Feature == nil {
		return nil
	}
	language := f.Document.Feature.Language
	dialect := gherkin.DialectsBuiltin().GetDialect(language)
	if dialect == nil {
		dialect = gherkin.DialectsBuiltin().GetDialect(gherkin.DefaultDialect)
	}
	c := &checker{
		feature: f, vocabulary: v, node: f.Document.Feature, keywords: newKeywords(dialect),
		lines: bytes.Split(f.Source, []byte("\n")), markdown: strings.HasSuffix(f.URI, ".md"),
	}
	c.listParts()
	c.checkDescriptions()
	c.checkDocStrings()
	c.checkLineEnds()
	c.checkCharacters()
	c.checkParts()
	c.checkOutlines()
	c.checkTags()
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.problems
}

// checker collects the problems of a feature.
type checker struct {
	feature    *engine.Feature
	vocabulary Vocabulary
	node       *messages.Feature
	keywords   *keywords
	lines      [][]byte
	markdown   bool
	parts      []part // in the order of the file
	problems   []Problem

	measuredNodes map[any]bool // see measured; nil until it is asked
}

// part is a heading of the file with what is below it, up to the next one.
type part struct {
	line       int
	kind       partKind
	scope      Scope
	rule       *messages.Rule
	scenario   *messages.Scenario
	background *messages.Background
	examples   *messages.Examples
}

type partKind int

const (
	featurePart partKind = iota
	rulePart
	backgroundPart
	scenarioPart
	examplesPart
)

// listParts lists the headings of the feature.
func (c *checker) listParts() {
	c.parts = append(c.parts, part{line: int(c.node.Location.Line), kind: featurePart})
	add := func(rule *messages.Rule, b *messages.Background, s *messages.Scenario) {
		if b != nil {
			c.parts = append(c.parts, part{line: int(b.Location.Line), kind: backgroundPart, scope: Scope{Background: true, Rule: rule}, rule: rule, background: b})
		}
		if s == nil {
			return
		}
		c.parts = append(c.parts, part{line: int(s.Location.Line), kind: scenarioPart, scope: Scope{Scenario: s}, rule: rule, scenario: s})
		for _, e := range s.Examples {
			c.parts = append(c.parts, part{line: int(e.Location.Line), kind: examplesPart, scope: Scope{Scenario: s}, rule: rule, scenario: s, examples: e})
		}
	}
	for _, child := range c.node.Children {
		add(nil, child.Background, child.Scenario)
		if child.Rule != nil {
			c.parts = append(c.parts, part{line: int(child.Rule.Location.Line), kind: rulePart, rule: child.Rule})
			for _, inner := range child.Rule.Children {
				add(child.Rule, inner.Background, inner.Scenario)
			}
		}
	}
	slices.SortStableFunc(c.parts, func(a, b part) int { return cmp.Compare(a.line, b.line) })
}

// partAt returns the part that a line is in. Tags above a heading are in the part before it.
func (c *checker) partAt(line int) part {
	i, found := slices.BinarySearchFunc(c.parts, line, func(p part, line int) int { return cmp.Compare(p.line, line) })
	if !found {
		i--
	}
	return c.parts[max(i, 0)]
}

// text returns a line of the file without its end.
func (c *checker) text(line int) string {
	if line < 1 || line > len(c.lines) {
		return ""
	}
	return string(bytes.TrimSuffix(c.lines[line-1], []byte("\r")))
}

// kind returns what the parser took a line for.
func (c *checker) kind(line int) engine.LineKind {
	if line < 1 || line > len(c.feature.Lines) {
		return engine.BlankLine
	}
	return c.feature.Lines[line-1]
}

// add adds a problem at a place. The column counts characters from 1.
func (c *checker) add(code string, scope Scope, line, column int, advice, format string, args ...any) {
	c.problems = append(c.problems, Problem{Scope: scope, Problem: outcome.Problem{
		URI: c.feature.URI, Line: line, Column: column, Code: code, Message: fmt.Sprintf(format, args...), Advice: advice,
	}})
}

// addAt is add at the place of a part of the document.
func (c *checker) addAt(code string, scope Scope, at *messages.Location, advice, format string, args ...any) {
	c.add(code, scope, int(at.Line), max(1, int(at.Column)), advice, format, args...)
}

// fixLast gives the problem that was added last a fix.
func (c *checker) fixLast(line int, text string) {
	c.problems[len(c.problems)-1].Fix = &Fix{Line: line, Old: c.text(line), New: text}
}

// columnOf returns the column, from 1, of the byte at an offset in a line.
func columnOf(text string, offset int) int { return utf8.RuneCountInString(text[:offset]) + 1 }

// indentOf returns the white space that a line begins with.
func indentOf(text string) string { return text[:len(text)-len(strings.TrimLeft(text, " \t"))] }
