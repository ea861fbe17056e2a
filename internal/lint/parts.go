package lint

import (
	"fmt"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"
)

// tagWIP marks what is unfinished.
const tagWIP = "@wip"

func isWIP(lists ...[]*messages.Tag) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(t *messages.Tag) bool { return t.Name == tagWIP })
}

// checkParts finds headings with nothing below them.
func (c *checker) checkParts() {
	for _, p := range c.parts {
		switch p.kind {
		case featurePart:
			c.checkName(p, c.node.Location, c.node.Keyword, c.node.Name)
		case scenarioPart:
			c.checkName(p, p.scenario.Location, p.scenario.Keyword, p.scenario.Name)
		case rulePart:
			c.checkName(p, p.rule.Location, p.rule.Keyword, p.rule.Name)
			if !slices.ContainsFunc(p.rule.Children, func(child *messages.RuleChild) bool { return child.Scenario != nil }) && !isWIP(c.node.Tags, p.rule.Tags) {
				c.addAt("empty-rule", Scope{}, p.rule.Location, "add a scenario below it, or leave the rule out", "the rule %q has no scenario", p.rule.Name)
			}
		case examplesPart:
			c.checkName(p, p.examples.Location, p.examples.Keyword, p.examples.Name)
		case backgroundPart:
			c.checkName(p, p.background.Location, p.background.Keyword, p.background.Name)
			if len(p.background.Steps) == 0 {
				c.addAt("empty-background", Scope{}, p.background.Location, "add steps below it, or leave it out", "this background has no steps")
			}
		}
	}
}

// unfinished says whether an outline has no rows, so that there is no scenario to be left
// out, and the tag @wip.
func (c *checker) unfinished(p part) bool {
	for _, e := range p.scenario.Examples {
		if len(e.TableBody) > 0 {
			return false
		}
	}
	return isWIP(c.node.Tags, p.scenario.Tags) || p.rule != nil && isWIP(p.rule.Tags)
}

// checkName finds a step that stands behind the keyword of a heading. The name of a feature or
// a scenario may be that of a step without its keyword.
func (c *checker) checkName(p part, at *messages.Location, keyword, name string) {
	find := c.keywords.exactStep
	if p.kind != featurePart && p.kind != scenarioPart {
		find = c.keywords.step
	}
	defined := c.definedIn(p)
	step, found := find(visible(name), defined)
	if !found {
		step, found = c.keywords.lastStep(visible(name), defined)
	}
	if found {
		c.addAt("step-in-heading", p.scope, at, fmt.Sprintf("write %q in a line of its own; a name that is meant can have other words", strings.TrimSpace(step.keyword)+" "+step.text),
			"this step is read as the name of a heading, and not carried out: %q", keyword+": "+name)
	}
}

// checkOutlines finds outlines whose placeholders and columns do not fit.
func (c *checker) checkOutlines() {
	columns := map[string]bool{} // of every outline
	for _, p := range c.parts {
		if p.kind != scenarioPart {
			continue
		}
		s := p.scenario
		if len(s.Examples) == 0 {
			if slices.Contains(c.keywords.outline, s.Keyword) {
				c.addAt("outline-without-examples", p.scope, s.Location, `add "Examples:" with a table below the steps, or write "Scenario:"`, "the outline %q has no examples", s.Name)
			}
			continue
		}
		if c.unfinished(p) {
			continue
		}
		o := &outline{checker: c, scenario: s, scope: p.scope}
		o.collect(p.rule)
		o.check()
		for _, e := range s.Examples {
			for _, cell := range header(e) {
				columns[cell.Value] = true
			}
		}
	}
	for _, p := range c.parts {
		if p.kind != backgroundPart {
			continue
		}
		for _, t := range stepTexts(p.background.Steps) {
			for _, m := range placeholder().FindAllStringSubmatch(t.text, -1) {
				if columns[m[1]] {
					line, column := c.find(t, m[0])
					c.add("placeholder-in-background", p.scope, line, column, "move the step into the outline", "%s is never filled in: a background stands before every scenario", m[0])
				}
			}
		}
	}
}

// placeholder is what may be filled in. Texts such as <|endoftext|> are none.
var placeholder = lazily(`<([^<>\n]+)>`)

var columnName = lazily(`^[\p{L}_][\p{L}\p{M}\p{N}_ .-]*$`)

// outline is an outline that is checked.
type outline struct {
	*checker
	scenario *messages.Scenario
	scope    Scope
	texts    []placedText // in which placeholders are filled in
	others   []string     // in which a column is used too: tags above it, values of its rows
}

// placedText is a text of a feature with its first and last line.
type placedText struct {
	text        string
	first, last int
}

// collect lists the texts in which placeholders are filled in.
func (o *outline) collect(rule *messages.Rule) {
	s := o.scenario
	o.texts = append(o.texts, placedText{s.Name, int(s.Location.Line), int(s.Location.Line)})
	for _, t := range s.Tags {
		o.texts = append(o.texts, placedText{t.Name, int(t.Location.Line), int(t.Location.Line)})
	}
	o.texts = append(o.texts, stepTexts(s.Steps)...)
	inherited := o.node.Tags
	if rule != nil {
		inherited = slices.Concat(inherited, rule.Tags)
	}
	for _, e := range s.Examples {
		inherited = slices.Concat(inherited, e.Tags)
		for _, row := range e.TableBody {
			for _, cell := range row.Cells {
				o.others = append(o.others, cell.Value)
			}
		}
	}
	for _, t := range inherited {
		o.others = append(o.others, t.Name)
	}
}

// stepTexts lists the texts of steps, and of what is below them.
func stepTexts(steps []*messages.Step) []placedText {
	var texts []placedText
	for _, step := range steps {
		line := int(step.Location.Line)
		texts = append(texts, placedText{step.Text, line, line})
		if d := step.DocString; d != nil {
			first := int(d.Location.Line)
			texts = append(texts, placedText{d.MediaType + "\n" + d.Content, first, first + 1 + strings.Count(d.Content, "\n")})
		}
		if t := step.DataTable; t != nil {
			for _, row := range t.Rows {
				for _, cell := range row.Cells {
					texts = append(texts, placedText{cell.Value, int(row.Location.Line), int(row.Location.Line)})
				}
			}
		}
	}
	return texts
}

// find returns the place of a part of a text in the file.
func (c *checker) find(t placedText, part string) (line, column int) {
	for line := t.first; line <= t.last; line++ {
		if at := strings.Index(c.text(line), part); at >= 0 {
			return line, columnOf(c.text(line), at)
		}
	}
	return t.first, columnOf(c.text(t.first), len(indentOf(c.text(t.first))))
}

func header(e *messages.Examples) []*messages.TableCell {
	if e.TableHeader == nil {
		return nil
	}
	return e.TableHeader.Cells
}

func hasColumn(e *messages.Examples, name string) bool {
	return slices.ContainsFunc(header(e), func(cell *messages.TableCell) bool { return cell.Value == name })
}

func (o *outline) check() {
	for _, e := range o.scenario.Examples {
		if len(e.TableBody) == 0 {
			if !isWIP(e.Tags) {
				o.addAt("examples-without-rows", o.scope, e.Location, "add a row below the names of the columns, or leave these Examples out", "these examples have no row")
			}
			if e.TableHeader == nil {
				continue
			}
		}
		o.checkColumns(e)
	}
	reported := map[string]bool{}
	for _, t := range o.texts {
		for _, m := range placeholder().FindAllStringSubmatch(t.text, -1) {
			lacking, somewhere := o.lacking(m[1])
			if lacking == nil || reported[m[0]] || !somewhere && !o.meantAsColumn(m[1], lacking) {
				continue
			}
			reported[m[0]] = true
			line, column := o.find(t, m[0])
			where := "the Examples"
			if len(o.scenario.Examples) > 1 {
				where = fmt.Sprintf("the Examples at line %d", lacking.Location.Line)
			}
			o.add("placeholder-without-column", o.scope, line, column, o.columnAdvice(lacking, m[1]), "%s have no column %q, so that %s is not filled in", where, m[1], m[0])
		}
	}
}

// meantAsColumn says whether a text in angle brackets, which no Examples have as a column, is
// meant as one.
func (o *outline) meantAsColumn(name string, e *messages.Examples) bool {
	if !columnName().MatchString(name) {
		return false
	}
	return !specialToken().MatchString(name) || nearest(name, columnNames(e)) != ""
}

// specialToken has what tokenizers write in angle brackets.
var specialToken = lazily(`^(s|unk|pad|mask|cls|sep|bos|eos|image|img|video|audio|think|tool_call|tool_response|extra_id_[0-9]+|unused[0-9]+|reserved_.*|(start|begin|end)_of_.*)$`)

func columnNames(e *messages.Examples) []string {
	var names []string
	for _, cell := range header(e) {
		names = append(names, cell.Value)
	}
	return names
}

// lacking returns the first Examples that lack a column, or nil, and whether others have it.
func (o *outline) lacking(name string) (lacking *messages.Examples, somewhere bool) {
	for _, e := range o.scenario.Examples {
		switch {
		case e.TableHeader == nil:
		case hasColumn(e, name):
			somewhere = true
		case lacking == nil:
			lacking = e
		}
	}
	return lacking, somewhere
}

func (o *outline) columnAdvice(e *messages.Examples, name string) string {
	if near := nearest(name, columnNames(e)); near != "" {
		return fmt.Sprintf("did you mean <%s>?", near)
	}
	return fmt.Sprintf("add a column %q; a text that is meant to have <%s> can be the value of a column", name, name)
}

// checkColumns finds columns without a name, of the same name, and without use.
func (o *outline) checkColumns(e *messages.Examples) {
	seen := map[string]bool{}
	for _, cell := range header(e) {
		name := "<" + cell.Value + ">"
		used := slices.ContainsFunc(o.texts, func(t placedText) bool { return strings.Contains(t.text, name) }) ||
			slices.ContainsFunc(o.others, func(text string) bool { return strings.Contains(text, name) })
		switch {
		case seen[cell.Value]:
			o.addAt("repeated-column", o.scope, cell.Location, "give it another name, or leave it out", "a second column %q: only the values of the first are used", cell.Value)
		case !used:
			o.addAt("column-without-placeholder", o.scope, cell.Location, o.unusedAdvice(cell.Value), "the column %q is used nowhere in the outline", cell.Value)
		}
		seen[cell.Value] = true
	}
}

func (o *outline) unusedAdvice(name string) string {
	if name == "" {
		return "give the column a name, and use it"
	}
	return fmt.Sprintf("write <%s> in a step, a tag or the name of the outline, or leave the column out; notes can be comments", name)
}
