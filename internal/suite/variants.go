package suite

import (
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"omniloader/internal/suggest"
	"omniloader/steps"
)

// maxVariants bounds the texts that are made for one definition.
const maxVariants = 64

// variants gives the texts that a step can have, its values taken from its example: of
// "^the model is (not )?supported$" there are two. Where the pattern cannot be written out,
// it is the example alone. Every text is matched by the pattern.
func variants(d steps.Definition) []string {
	texts := []string{d.Example}
	expression, err := regexp.Compile(d.Pattern)
	if err != nil {
		return texts
	}
	tree, err := syntax.Parse(d.Pattern, syntax.Perl)
	if err != nil {
		return texts
	}
	w := variantWriter{values: expression.FindStringSubmatch(d.Example)}
	for _, text := range w.write(tree) {
		if !slices.Contains(texts, text) && expression.MatchString(text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// variantWriter writes out the texts of a regular expression.
type variantWriter struct {
	values []string // of the groups in the example
}

// write gives the texts of a part of an expression, and none where they cannot be listed.
func (w *variantWriter) write(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpCharClass:
		return classTexts(re.Rune)
	case syntax.OpQuest:
		return append(w.write(re.Sub[0]), "")
	case syntax.OpCapture:
		if texts := w.write(re.Sub[0]); len(texts) > 0 {
			return texts
		}
		if re.Cap < len(w.values) {
			return []string{w.values[re.Cap]}
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, w.write(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			all = product(all, w.write(sub))
		}
		return all
	}
	return nil
}

// classTexts gives the characters of a class of few, such as [ab].
func classTexts(ranges []rune) []string {
	const most = 4
	var texts []string
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(texts) == most {
				return nil
			}
			texts = append(texts, string(r))
		}
	}
	return texts
}

// product joins every text with every end, at most maxVariants.
func product(texts, ends []string) []string {
	var all []string
	for _, text := range texts {
		for _, end := range ends {
			if len(all) == maxVariants {
				return all
			}
			all = append(all, text+end)
		}
	}
	return all
}

// stepTexts are the texts that an undefined step is compared with.
type stepTexts struct {
	compared suggest.Words // without their values
	shown    map[string]string

	mu    sync.Mutex
	found map[string]string // what nearest gave, as the rows of an outline ask again and again
}

// nearest gives the text that is nearest to a mistyped one without its values, as in
// compared, or "".
func (t *stepTexts) nearest(typed string) string {
	const most = 10_000 // texts that are kept
	t.mu.Lock()
	defer t.mu.Unlock()
	near, known := t.found[typed]
	if !known {
		near, _ = t.compared.Nearest(typed)
		if len(t.found) < most {
			t.found[typed] = near
		}
	}
	return near
}

// knownTexts gives the texts of all steps of the catalogue.
func (p *Plan) knownTexts() *stepTexts {
	p.once.Do(func() {
		p.texts = &stepTexts{shown: map[string]string{}, found: map[string]string{}}
		for _, d := range p.steps.catalogue() {
			for _, text := range variants(d) {
				compared := withoutValues(text)
				if _, known := p.texts.shown[compared]; !known {
					p.texts.shown[compared] = strings.TrimSpace(d.Keyword + " " + text)
				}
			}
		}
		p.texts.compared = suggest.NewWords(slices.Collect(maps.Keys(p.texts.shown)))
	})
	return p.texts
}
