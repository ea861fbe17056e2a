package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
)

// MaxSource bounds a feature file, in bytes. A hand-written one has a few kB.
const MaxSource = 8 << 20

// IsFeature says whether a file's name is that of a feature: it ends in .feature,
// or in .feature.md for one written in Markdown.
func IsFeature(name string) bool {
	return path.Ext(name) == ".feature" || IsMarkdown(name)
}

// IsMarkdown says whether the name is that of a feature written in Markdown.
func IsMarkdown(name string) bool { return strings.HasSuffix(name, ".feature.md") }

// Feature is a feature file that was read.
type Feature struct {
	URI string
	// Source is the file without its byte order mark.
	Source []byte
	// Document is the tree that the file was parsed into. Its Feature is nil where
	// there is none in the file.
	Document *messages.GherkinDocument
	// Lines says what the parser took each line of the source for. The line n is at n-1.
	Lines []LineKind

	lastID int           // of the document's nodes
	makeID func() string // instead of counting, or nil
}

// ParseError is something in a feature file that is no Gherkin.
type ParseError struct {
	URI          string
	Line, Column int // counted from 1; the column in characters, 0 where it is not known
	Message      string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.URI, e.Line, e.Column, e.Message)
}

// Parse parses a feature file. One whose URI ends in .feature.md is taken for
// Markdown. A first line "# language: fr" chooses one of Gherkin's languages; the
// default is English. The error is that of ctx where it ended,
// otherwise one or several joined *ParseError, in the order of the lines.
func Parse(ctx context.Context, uri string, source []byte) (*Feature, error) {
	return parse(ctx, &Feature{URI: uri, Source: source})
}

// Document parses a feature file as Parse does; newID makes the ids of the nodes.
func Document(ctx context.Context, uri string, source []byte, newID func() string) (*messages.GherkinDocument, error) {
	f, err := parse(ctx, &Feature{URI: uri, Source: source, makeID: newID})
	if err != nil {
		return nil, err
	}
	return f.Document, nil
}

func parse(ctx context.Context, f *Feature) (*Feature, error) {
	uri, source := f.URI, f.Source
	source = bytes.TrimPrefix(source, []byte("\ufeff")) // editors on Windows write it
	if len(source) > MaxSource {
		return nil, &ParseError{uri, 1, 0, fmt.Sprintf("larger than %d MiB, the limit for a feature file", MaxSource>>20)}
	}
	if at := invalidUTF8(source); at >= 0 {
		line := bytes.Count(source[:at], []byte("\n")) + 1
		column := utf8.RuneCount(source[bytes.LastIndexByte(source[:at], '\n')+1:at]) + 1
		return nil, &ParseError{uri, line, column, "not UTF-8"}
	}
	f.Source = source
	err := f.parse(ctx, true, 0)
	if err != nil && ctx.Err() == nil {
		// Each line that does not fit makes an error, and a file may have millions: what
		// stands a while behind the first is not parsed.
		if first := parseErrors(uri, err); first != nil {
			last := first[0].Line + linesAfterError
			if err = f.parse(ctx, false, last); ctx.Err() == nil {
				err = joinParseErrors(parseErrors(uri, err), first, last)
			}
		} else {
			err = &ParseError{uri, 1, 0, err.Error()}
		}
	}
	if err != nil {
		return nil, err
	}
	if f.Document == nil {
		return nil, &ParseError{uri, 1, 0, "the parser gave nothing"}
	}
	f.Document.Uri = uri
	return f, nil
}

// linesAfterError is how many lines behind the first error are looked at.
const linesAfterError = 200

func joinParseErrors(all, first []*ParseError, last int) error {
	if len(all) == 0 {
		all = first
	}
	var errs []error
	for _, e := range all {
		if e.Line <= last { // behind it, the file was cut
			errs = append(errs, e)
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

func invalidUTF8(source []byte) int {
	if utf8.Valid(source) {
		return -1
	}
	for i := 0; i < len(source); {
		r, size := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// parse fills the document in. Lines behind the last are not read, where it is not 0.
func (f *Feature) parse(ctx context.Context, stopAtFirstError bool, last int) (err error) {
	defer func() {
		switch recovered := recover().(type) {
		case nil:
		case interrupted:
			err = recovered.err
		default:
			err = fmt.Errorf("the parser gave up: %v", recovered)
		}
	}()
	f.lastID = 0
	b := &builder{AstBuilder: gherkin.NewAstBuilder(f.newID), lines: newLineKinds(f.Source)}
	parser := gherkin.NewParser(b)
	parser.StopAtFirstError(stopAtFirstError)
	var m gherkin.Matcher
	if IsMarkdown(f.URI) {
		markdown := newMarkdownMatcher(f.Source)
		m, b.lines.code = markdown, markdown.code
	} else {
		m = gherkin.NewMatcher(gherkin.DialectsBuiltin())
	}
	err = parser.Parse(&lineScanner{ctx: ctx, rest: f.Source, last: last}, &interruptible{m, ctx})
	f.Document, f.Lines = b.GetGherkinDocument(), b.lines.kinds
	return err
}

func (f *Feature) newID() string {
	if f.makeID != nil {
		return f.makeID()
	}
	id := strconv.Itoa(f.lastID)
	f.lastID++
	return id
}

// interrupted is panicked with to leave the parser, which knows no context.
type interrupted struct{ err error }

func checkInterrupted(ctx context.Context) {
	if ctx.Err() != nil {
		panic(interrupted{context.Cause(ctx)})
	}
}

// lineScanner gives the lines of a source to the parser. Unlike gherkin's it has no
// limit for the length of a line (there, a longer one ends in a panic).
type lineScanner struct {
	ctx  context.Context
	rest []byte
	line int
	last int // where it ends, or 0
}

func (s *lineScanner) Scan() (*gherkin.Line, bool, error) {
	checkInterrupted(s.ctx)
	s.line++
	if len(s.rest) == 0 || s.last > 0 && s.line > s.last {
		return &gherkin.Line{LineNumber: s.line, AtEof: true}, true, nil
	}
	line, rest, _ := bytes.Cut(s.rest, []byte("\n"))
	s.rest = rest
	text := string(bytes.TrimSuffix(line, []byte("\r")))
	return &gherkin.Line{LineText: text, LineNumber: s.line, TrimmedLineText: strings.TrimLeft(text, " \t")}, false, nil
}

// interruptible looks at the context where the parser looks ahead, which takes the
// square of the time for a run of lines with tags.
type interruptible struct {
	gherkin.Matcher
	ctx context.Context
}

func (m *interruptible) MatchTagLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	checkInterrupted(m.ctx)
	return m.Matcher.MatchTagLine(line)
}

// builder hands the lines of a doc string on as one. Gherkin's puts them together
// one by one, which takes the square of their number.
type builder struct {
	gherkin.AstBuilder
	first *gherkin.Token // of the doc string that is being read
	text  []byte
	doc   bool
	lines *lineKinds
}

func (b *builder) StartRule(rule gherkin.RuleType) (bool, error) {
	if rule == gherkin.RuleTypeDocString {
		b.doc, b.first, b.text = true, nil, nil
	}
	return b.AstBuilder.StartRule(rule)
}

func (b *builder) Build(token *gherkin.Token) (bool, error) {
	b.lines.add(token, b.doc)
	if !b.doc || token.Type != gherkin.TokenTypeOther {
		return b.AstBuilder.Build(token)
	}
	if b.first == nil {
		b.first = token
	} else {
		b.text = append(b.text, '\n')
	}
	b.text = append(b.text, token.Text...)
	return true, nil
}

func (b *builder) EndRule(rule gherkin.RuleType) (bool, error) {
	if rule == gherkin.RuleTypeDocString {
		if b.first != nil {
			b.first.Text = string(b.text)
			if ok, err := b.AstBuilder.Build(b.first); err != nil {
				return ok, err
			}
		}
		b.doc, b.first, b.text = false, nil, nil
	}
	return b.AstBuilder.EndRule(rule)
}

var gherkinError = regexp.MustCompile(`(?m)^\((\d+):(\d+)\): (.*)$`)

// parseErrors reads the places out of gherkin's error, whose types are not exported.
func parseErrors(uri string, err error) []*ParseError {
	if err == nil {
		return nil
	}
	var all []*ParseError
	for _, m := range gherkinError.FindAllStringSubmatch(err.Error(), -1) {
		line, _ := strconv.Atoi(m[1])
		column, _ := strconv.Atoi(m[2])
		all = append(all, &ParseError{uri, line, column, m[3]})
	}
	return all
}

// Scenario is a scenario of a feature, or one row of an outline's examples, with
// where it comes from.
type Scenario struct {
	// Pickle is the scenario with the values of the row and the steps of backgrounds
	// filled in.
	Pickle   *messages.Pickle
	Node     *messages.Scenario // the scenario or outline itself
	Rule     *messages.Rule     // that it stands under, or nil
	Examples *messages.Examples // nil where it is no outline
	Row      *messages.TableRow // of the examples, or nil
	// Steps are the steps as they stand in the file, one for each of the pickle's; the
	// first Background of them come from backgrounds.
	Steps      []*messages.Step
	Background int
}

// Tags gives the names of the scenario's tags, inherited ones first, with the values
// of its row filled in; those of the pickle have <placeholders> left.
func (s *Scenario) Tags() []string {
	tags := make([]string, len(s.Pickle.Tags))
	for i, tag := range s.Pickle.Tags {
		tags[i] = tag.Name
		if s.Row == nil || !strings.Contains(tag.Name, "<") {
			continue
		}
		for j, cell := range s.Examples.TableHeader.Cells {
			tags[i] = strings.ReplaceAll(tags[i], "<"+cell.Value+">", s.Row.Cells[j].Value)
		}
	}
	return tags
}

// Scenarios goes through the scenarios in the order of the file. Each is made when
// it is asked for and is not kept, so that a file with very many rows takes no more
// memory than its source and tree. The ids of pickles are the same each time.
func (f *Feature) Scenarios() iter.Seq[*Scenario] {
	return func(yield func(*Scenario) bool) {
		if f.Document.Feature == nil {
			return
		}
		next := f.lastID
		c := &compiler{feature: f, yield: yield, newID: func() string {
			next++
			return strconv.Itoa(next - 1)
		}}
		c.compile()
	}
}

// compiler makes scenarios with gherkin's own compiler, which it gives a document
// of one scenario at a time.
type compiler struct {
	feature *Feature
	yield   func(*Scenario) bool
	newID   func() string
}

func (c *compiler) compile() {
	node := c.feature.Document.Feature
	var background *messages.Background
	for _, child := range node.Children {
		switch {
		case child.Background != nil:
			background = child.Background
		case child.Scenario != nil:
			if !c.scenario(child.Scenario, nil, background, nil) {
				return
			}
		case child.Rule != nil:
			var own *messages.Background
			for _, inner := range child.Rule.Children {
				if inner.Background != nil {
					own = inner.Background
				}
				if inner.Scenario != nil && !c.scenario(inner.Scenario, child.Rule, background, own) {
					return
				}
			}
		}
	}
}

// scenario makes a scenario, or all rows of an outline. It gives false where no
// more are wanted.
func (c *compiler) scenario(node *messages.Scenario, rule *messages.Rule, background, ruleBackground *messages.Background) bool {
	s := Scenario{Node: node, Rule: rule}
	if len(node.Steps) > 0 {
		for _, b := range []*messages.Background{background, ruleBackground} {
			if b != nil {
				s.Steps = append(s.Steps, b.Steps...)
			}
		}
		s.Background = len(s.Steps)
		s.Steps = append(s.Steps, node.Steps...)
	}
	one := *node // a scenario with at most one row
	document := c.document(&one, rule, background, ruleBackground)
	emit := func() bool {
		made := s
		made.Pickle = gherkin.Pickles(document, c.feature.URI, c.newID)[0]
		return c.yield(&made)
	}
	if len(node.Examples) == 0 {
		return emit()
	}
	for _, examples := range node.Examples {
		table := *examples
		one.Examples = []*messages.Examples{&table}
		for i, row := range examples.TableBody {
			table.TableBody = examples.TableBody[i : i+1]
			s.Examples, s.Row = examples, row
			if !emit() {
				return false
			}
		}
	}
	return true
}

// document gives the document that has one scenario alone.
func (c *compiler) document(node *messages.Scenario, rule *messages.Rule, background, ruleBackground *messages.Background) messages.GherkinDocument {
	feature := *c.feature.Document.Feature
	feature.Children = nil
	if background != nil {
		feature.Children = append(feature.Children, &messages.FeatureChild{Background: background})
	}
	if rule == nil {
		feature.Children = append(feature.Children, &messages.FeatureChild{Scenario: node})
	} else {
		inner := *rule
		inner.Children = nil
		if ruleBackground != nil {
			inner.Children = append(inner.Children, &messages.RuleChild{Background: ruleBackground})
		}
		inner.Children = append(inner.Children, &messages.RuleChild{Scenario: node})
		feature.Children = append(feature.Children, &messages.FeatureChild{Rule: &inner})
	}
	return messages.GherkinDocument{Uri: c.feature.URI, Feature: &feature}
}
