package lint

import (
	"strings"
	"unicode"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v42"

	"omniloader/internal/suggest"
)

// keywords are those of the language of a file.
type keywords struct {
	steps    []string // as the language has them, most with a space behind; without the star
	headings []string // without the colon
	outline  []string // headings of outlines that are not those of plain scenarios too
	longest  int      // letters of the longest keyword of a step
	known    map[string]nearKeyword
}

// nearKeyword is what nearStep returns.
type nearKeyword struct {
	keyword  string
	distance int
}

// maxKnown bounds how many beginnings of lines are remembered.
const maxKnown = 1 << 12

func newKeywords(d *gherkin.Dialect) *keywords {
	k := &keywords{known: map[string]nearKeyword{}}
	for _, s := range d.StepKeywords() {
		if strings.TrimSpace(s) == "*" {
			continue
		}
		k.steps = append(k.steps, s)
		k.longest = max(k.longest, utf8.RuneCountInString(s))
	}
	plain := map[string]bool{}
	for _, h := range d.ScenarioKeywords() {
		plain[h] = true
	}
	for _, h := range d.ScenarioOutlineKeywords() {
		if !plain[h] {
			k.outline = append(k.outline, h)
		}
	}
	for _, list := range [][]string{d.FeatureKeywords(), d.RuleKeywords(), d.BackgroundKeywords(), d.ScenarioKeywords(), d.ScenarioOutlineKeywords(), d.ExamplesKeywords()} {
		k.headings = append(k.headings, list...)
	}
	return k
}

// slips is how many typing errors a keyword of so many letters may have.
func slips(letters int) int { return max(1, letters/3) }

// misreadStep is the keyword that a line was most likely meant to begin with.
type misreadStep struct {
	keyword  string // as the language has it
	length   int    // letters in front of the text of the step
	sameWord bool   // only the case differs
}

// step finds the keyword of a step that a text begins with, in any case and with slips or
// not at all, if a defined step is behind it. The text has no invisible characters, and no
// white space at its ends.
func (k *keywords) step(text string, defined func(string) bool) (m misreadStep, found bool) {
	runes := []rune(text)
	best := -1
	for i := range runes {
		prefix := strings.Join(strings.Fields(withoutMarks.Replace(string(runes[:i]))), " ")
		if utf8.RuneCountInString(prefix) > k.longest+2 {
			break
		}
		rest := strings.TrimSpace(string(runes[i:]))
		near, distance := k.nearStep(prefix)
		if rest == "" || near == "" || best >= 0 && distance >= best || !defined(rest) {
			continue
		}
		best, m = distance, misreadStep{near, i, distance == 0}
	}
	if best >= 0 {
		return m, true
	}
	// Any word with a colon in front of the text of a step.
	word, ok := looksLikeHeading(text)
	return misreadStep{"* ", utf8.RuneCountInString(word) + 1, false}, ok && defined(strings.TrimSpace(text[len(word)+1:]))
}

// withoutMarks removes the marks of lists and headings in Markdown.
var withoutMarks = strings.NewReplacer("*", "", "+", "", "-", "", "#", "")

// nearStep is findNearStep, and remembers what it returned: many lines begin alike.
func (k *keywords) nearStep(text string) (keyword string, distance int) {
	near, ok := k.known[text]
	if !ok {
		near.keyword, near.distance = k.findNearStep(text)
		if len(k.known) < maxKnown {
			k.known[text] = near
		}
	}
	return near.keyword, near.distance
}

// findNearStep returns the keyword of a step that a text is or may be meant as, and the number of
// slips; "" if there is none. Nothing is taken for a star.
func (k *keywords) findNearStep(text string) (keyword string, distance int) {
	if text == "" {
		return "* ", 1 // of which a star is left, or nothing
	}
	letters := utf8.RuneCountInString(text)
	best := slips(letters) + 1
	for _, s := range k.steps {
		if d := suggest.Distance(text, strings.TrimSpace(s), best); d < best {
			best, keyword = d, s
		}
	}
	// A sign or letter in front of the keyword.
	if first, rest, ok := strings.Cut(text, " "); ok && keyword == "" && utf8.RuneCountInString(first) == 1 {
		if near, distance := k.nearStep(rest); distance == 0 {
			return near, 1
		}
	}
	if keyword == "" && letters == 1 {
		return "* ", 1
	}
	return keyword, best
}

// startsLikeStep returns the keyword of a step, written as the language has it, that a text
// begins with, or "".
func (k *keywords) startsLikeStep(text string) string {
	for _, s := range k.steps {
		if strings.HasPrefix(text, s) {
			return strings.TrimSpace(s)
		}
	}
	return ""
}

// heading returns the keyword of a heading that a text with a colon begins with, in any
// case and with slips. word is what stands before the colon; sameWord says that only the
// case differs.
func (k *keywords) heading(text string) (word, keyword string, sameWord, found bool) {
	word, _, colon := strings.Cut(withoutInvisible(text), ":")
	letters := utf8.RuneCountInString(word)
	if !colon || letters == 0 || letters > 40 {
		return word, "", false, false
	}
	best := slips(letters+1) + 1
	for _, h := range k.headings {
		// A short keyword is near to too many words.
		if limit := min(best, utf8.RuneCountInString(h)); suggest.Distance(strings.TrimSpace(word), h, limit) < limit {
			best = suggest.Distance(strings.TrimSpace(word), h, limit)
			keyword = h
		}
	}
	return word, keyword, best == 0, keyword != ""
}

// looksLikeHeading says whether a text is some words and a colon, and perhaps more.
func looksLikeHeading(text string) (word string, ok bool) {
	word, rest, colon := strings.Cut(text, ":")
	if !colon || word == "" || utf8.RuneCountInString(word) > 40 || strings.ContainsAny(word, `"<>|@`) {
		return "", false
	}
	return word, rest == "" || rest[0] == ' ' || rest[0] == '\t'
}

// withoutInvisible removes characters that cannot be seen, and makes every space a plain
// one.
func withoutInvisible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case invisible(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, text)
}

// invisible says whether a character cannot be seen, and has no use in any script.
func invisible(r rune) bool {
	switch {
	case r == 0x00AD, r == 0x200B, r == 0x2060, r == 0xFEFF: // soft hyphen, zero-width space, word joiner, byte order mark
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // text in another direction
		return true
	}
	return false
}
