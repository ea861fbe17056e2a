package lint

import (
	"slices"
	"strings"
	"unicode/utf8"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// nearest returns the known word nearest to a mistyped one, or "".
func nearest(word string, known []string) string {
	near, _ := suggest.Nearest(word, known)
	return near
}

// element is a part of a feature that can have tags.
type element struct {
	tags  []*messages.Tag
	scope Scope
	node  any // of the document
}

// checkTags finds tags that change nothing.
func (c *checker) checkTags() {
	elements := []element{{c.node.Tags, Scope{}, c.node}}
	for _, p := range c.parts {
		switch p.kind {
		case rulePart:
			elements = append(elements, element{p.rule.Tags, p.scope, p.rule})
		case scenarioPart:
			elements = append(elements, element{p.scenario.Tags, p.scope, p.scenario})
		case examplesPart:
			elements = append(elements, element{p.examples.Tags, p.scope, p.examples})
		}
	}
	for _, e := range elements {
		c.checkRepeatedTags(e)
		for _, t := range e.tags {
			c.checkTag(e, t)
		}
	}
	c.checkEmptyTags()
}

// meaning returns the tag with a meaning that has this name.
func (c *checker) meaning(name string) (Tag, bool) {
	i := slices.IndexFunc(c.vocabulary.Tags, func(t Tag) bool { return t.Name == name })
	if i < 0 {
		return Tag{}, false
	}
	return c.vocabulary.Tags[i], true
}

func (c *checker) checkRepeatedTags(e element) {
	seen := map[string]string{}
	for _, t := range e.tags {
		key, _, valued := strings.Cut(t.Name, ":")
		if known, ok := c.meaning(key); !valued || !ok || !known.TakesValue {
			key = t.Name
		} else {
			key += ":"
		}
		first, repeated := seen[key]
		seen[key] = t.Name
		switch {
		case repeated && first == t.Name:
			c.addAt("repeated-tag", e.scope, t.Location, "leave one of them out", "the tag %s is here twice", t.Name)
			c.fixRepeatedTag(t)
		case repeated:
			c.addAt("repeated-tag", e.scope, t.Location, "leave one of them out", "the tag %s has no effect: %s is here too, and only the last one counts", first, t.Name)
		}
	}
}

// fixRepeatedTag gives the problem that was added last the fix to remove the tag.
func (c *checker) fixRepeatedTag(t *messages.Tag) {
	line, start := c.text(int(t.Location.Line)), int(t.Location.Column)-1
	runes := []rune(line)
	length := utf8.RuneCountInString(t.Name)
	if c.markdown || start < 0 || start+length > len(runes) || string(runes[start:start+length]) != t.Name {
		return
	}
	before, after := string(runes[:start]), string(runes[start+length:])
	if strings.TrimSpace(before) == "" {
		after = strings.TrimLeft(after, " \t")
	} else {
		before = strings.TrimRight(before, " \t")
	}
	c.fixLast(int(t.Location.Line), strings.TrimRight(before+after, " \t"))
}

func (c *checker) checkTag(e element, t *messages.Tag) {
	name, value, valued := strings.Cut(t.Name, ":")
	known, ok := c.meaning(name)
	switch {
	case !ok:
		c.checkUnknownTag(e, t, name, valued)
	case !valued && known.NeedsValue && c.vocabulary.ValidTag(t.Name): // else the tag is refused
		c.addAt("tag-without-effect", e.scope, t.Location, "write a value behind it: "+name+":VALUE", "the tag %s has no effect without a value", t.Name)
	case valued && !known.TakesValue:
		c.addAt("tag-without-effect", e.scope, t.Location, "write "+name, "the tag %s has no effect: %s takes no value", t.Name, name)
	case valued && value == "" && !known.NeedsValue:
		c.addAt("tag-without-effect", e.scope, t.Location, "write "+name+":NAME, or "+name+" alone", "the tag %s has no name behind the colon", t.Name)
	case known.OnlyMeasured && value != "" && c.vocabulary.ValidTag(t.Name) && !c.measured(e.node):
		c.addAt("tag-without-effect", e.scope, t.Location, "add a bound on time or memory, or the tag @benchmark, or leave the tag out", "the tag %s has no effect: no scenario below it is measured", t.Name)
	}
}

// checkUnknownTag looks at a tag that is the user's, or a mistyped one.
func (c *checker) checkUnknownTag(e element, t *messages.Tag, name string, valued bool) {
	var names []string
	for _, known := range c.vocabulary.Tags {
		if strings.EqualFold(withoutInvisible(name), known.Name) {
			c.addAt("tag-case", e.scope, t.Location, suggest.Question(known.Name+t.Name[len(name):]), "the tag %s has no effect", t.Name)
			return
		}
		names = append(names, known.Name)
	}
	if valued {
		return // what is mistyped with a value is refused
	}
	for _, known := range names {
		if letters := utf8.RuneCountInString(known); letters >= 5 && suggest.Distance(name, known, 2) == 1 {
			c.addAt("mistyped-tag", e.scope, t.Location, suggest.Question(known), "the tag %s is nearly %s, and has no effect", t.Name, known)
			return
		}
	}
}

// measured says whether a scenario below a feature, rule, outline or Examples, or the
// scenario itself, is measured.
func (c *checker) measured(node any) bool {
	if c.measuredNodes == nil {
		c.measuredNodes = map[any]bool{}
		for s := range c.feature.Scenarios() {
			texts := make([]string, len(s.Pickle.Steps))
			for i, step := range s.Pickle.Steps {
				texts[i] = step.Text
			}
			if c.vocabulary.Measured(s.Tags(), texts) {
				for _, node := range []any{c.node, s.Rule, s.Node, s.Examples} {
					c.measuredNodes[node] = true
				}
			}
		}
	}
	return c.measuredNodes[node]
}

// checkEmptyTags finds an @ without a name, which the parser drops.
func (c *checker) checkEmptyTags() {
	if c.markdown {
		return
	}
	for line := 1; line <= len(c.feature.Lines); line++ {
		if c.kind(line) != engine.TagLine {
			continue
		}
		text := c.text(line)
		if i := strings.Index(text, " #"); i >= 0 {
			text = text[:i]
		}
		if i := strings.Index(text, "\t#"); i >= 0 {
			text = text[:i]
		}
		offset := strings.IndexByte(text, '@') // the line begins with it
		for part := range strings.SplitSeq(text[offset+1:], "@") {
			if strings.TrimSpace(part) == "" {
				c.add("empty-tag", c.scopeOf(line), line, columnOf(text, offset), "write a name behind it, or leave it out", "an @ without a name tags nothing")
			}
			offset += 1 + len(part)
		}
	}
}
