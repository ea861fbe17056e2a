package lint

import (
	"slices"
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
	features []string // headings of features, of English too
	outline  []string // headings of outlines that are not those of plain scenarios too
	longest  int      // letters of the longest keyword of a step
	known    map[string]nearKeyword
	english  map[string]string // keywords of English that the language lacks, steps without their space, and those of the language for the same
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
	k.addEnglish(d)
	return k
}

// addEnglish notes the keywords of English, which people write in features of every language.
func (k *keywords) addEnglish(d *gherkin.Dialect) {
	k.english = map[string]string{}
	english := gherkin.DialectsBuiltin().GetDialect(gherkin.DefaultDialect)
	k.features = slices.Concat(d.FeatureKeywords(), english.FeatureKeywords())
	for kind, words := range english.Keywords {
		own := d.Keywords[kind]
		i := slices.IndexFunc(own, func(s string) bool { return strings.TrimSpace(s) != "*" })
		for _, word := range words {
			if word = strings.TrimSpace(word); i >= 0 && word != "*" && !k.has(word) {
				k.english[word] = own[i]
			}
		}
	}
}

// has says whether a word is a keyword of the language.
func (k *keywords) has(word string) bool {
	return slices.Contains(k.headings, word) || slices.ContainsFunc(k.steps, func(s string) bool { return strings.TrimSpace(s) == word })
}

// ofEnglish returns the keyword of the language for one of English, in any case, or "".
func (k *keywords) ofEnglish(word string) string {
	for english, own := range k.english {
		if strings.EqualFold(english, word) {
			return own
		}
	}
	return ""
}

// slips is how many typing errors a keyword of so many letters may have.
func slips(letters int) int { return max(1, letters/3) }

// misreadStep is a step that a line was most likely meant as.
type misreadStep struct {
	keyword  string // as the language has it
	text     string // the step without its keyword
	sameWord bool   // only the case of the keyword differs
}

// step finds the step that a text is, if a defined one is behind the keyword of a step in any
// case, with slips, in English or in decoration such as quotation marks, behind no keyword, or
// behind one other word and perhaps a keyword. The text has no invisible characters, and no white space at its ends.
// Placeholders are filled in by defined.
func (k *keywords) step(text string, defined func(string) bool) (m misreadStep, found bool) {
	text = singleSpaced(text)
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
		best, m = distance, misreadStep{near, rest, distance == 0}
	}
	if best >= 0 {
		return m, true
	}
	if m, found = k.decoratedStep(runes, defined); found {
		return m, true
	}
	// Some words with a colon in front of the text of a step.
	word, ok := looksLikeHeading(text)
	if !ok {
		return misreadStep{}, false
	}
	rest := strings.TrimSpace(text[len(word)+1:])
	return misreadStep{"* ", rest, false}, defined(rest)
}

// exactStep finds the step that a text is, if it begins with the keyword of a step in the language
// or in English, in any case, or with a star, and the rest is a defined step.
func (k *keywords) exactStep(text string, defined func(string) bool) (m misreadStep, found bool) {
	text = singleSpaced(text)
	if rest, ok := strings.CutPrefix(text, "* "); ok {
		if defined(rest) {
			return misreadStep{"* ", rest, true}, true
		}
		text = rest
	}
	try := func(word, keyword string) bool {
		head, rest := cutLetters(text, utf8.RuneCountInString(word))
		if rest = strings.TrimSpace(rest); strings.EqualFold(head, word) && defined(rest) {
			m, found = misreadStep{keyword, rest, true}, true
		}
		return found
	}
	for _, keyword := range k.steps {
		if try(keyword, keyword) {
			return m, true
		}
	}
	for english, own := range k.english {
		if try(english+" ", own) {
			return m, true
		}
	}
	return misreadStep{}, false
}

// lastStep finds the step that a text ends in: a keyword of the language or of English, as it is
// written and behind other words, and a defined step. Lines that were joined have one.
func (k *keywords) lastStep(text string, defined func(string) bool) (m misreadStep, found bool) {
	for i := 1; i < len(text); i++ {
		if text[i-1] != ' ' {
			continue
		}
		for _, keyword := range k.steps {
			if rest, ok := strings.CutPrefix(text[i:], keyword); ok && defined(rest) {
				return misreadStep{keyword, rest, false}, true
			}
		}
		if word, rest, ok := strings.Cut(text[i:], " "); ok && k.english[word] != "" && defined(rest) {
			return misreadStep{k.english[word], rest, false}, true
		}
	}
	return misreadStep{}, false
}

// cutLetters splits a text behind its first n characters.
func cutLetters(text string, n int) (head, rest string) {
	for i := range text {
		if n == 0 {
			return text[:i], text[i:]
		}
		n--
	}
	return text, ""
}

// maxDecoration bounds how many characters in front of a step are looked at, beside its keyword.
const maxDecoration = 20

var (
	decoration = lazily(`^\[[xX ]\]|<[^<>]*>|\b[0-9]+[.)]|^\p{L}+:`) // a box to tick, HTML, a number in a list, TODO:
	closing    = lazily("(?:</[^<>]*>|\\]\\([^()]*\\)|[\"'”’»)\\]}_*`~>.]+)$")
)

// decoratedStep finds a defined step behind signs, and perhaps a keyword or one other word.
// What is behind it may be signs only where there are some in front of it.
func (k *keywords) decoratedStep(runes []rune, defined func(string) bool) (m misreadStep, found bool) {
	for i := 1; i < len(runes) && i <= k.longest+maxDecoration; i++ {
		last := runes[i-1]
		if unicode.IsLetter(last) && unicode.IsLetter(runes[i]) || unicode.IsSpace(runes[i]) {
			continue // within a word
		}
		before := string(runes[:i])
		words := strings.Fields(strings.Map(func(r rune) rune {
			if isDecoration(r) {
				return ' '
			}
			return r
		}, decoration().ReplaceAllString(strings.TrimSpace(before), " ")))
		keyword := "* "
		if len(words) > 0 {
			near := k.plainStep(strings.Join(words, " "))
			if near == "" && wholeWord(words[0]) && len(words) > 1 {
				near = k.plainStep(strings.Join(words[1:], " "))
			}
			switch {
			case near != "":
				keyword = near
			case len(words) > 1 || !wholeWord(words[0]):
				continue
			}
		}
		rest := strings.TrimSpace(string(runes[i:]))
		if defined(rest) {
			return misreadStep{keyword, rest, false}, true
		}
		if strings.ContainsFunc(before, isDecoration) {
			for at := closing().FindStringIndex(rest); at != nil; at = closing().FindStringIndex(rest) {
				// The text of a step may end with such a sign itself.
				for _, end := range []int{at[0], min(at[0]+1, at[1])} {
					if text := strings.TrimSpace(rest[:end]); text != "" && defined(text) {
						return misreadStep{keyword, text, false}, true
					}
				}
				rest = strings.TrimSpace(rest[:at[0]])
			}
		}
	}
	return misreadStep{}, false
}

// plainStep returns the keyword of a step, of English too, that a text is, in any case and with
// one slip, or "". A star is none.
func (k *keywords) plainStep(text string) string {
	if own := k.ofEnglish(text); own != "" {
		return own
	}
	if near, distance := k.nearStep(text); distance <= 1 && near != "* " {
		return near
	}
	return ""
}

// isDecoration says whether a character may stand around a step without a meaning.
func isDecoration(r rune) bool {
	return unicode.IsPunct(r) || strings.ContainsRune("<>|+=~^`$", r)
}

// wholeWord says whether a text has letters alone.
func wholeWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
}

// singleSpaced makes one space of several, but not between quotation marks.
func singleSpaced(text string) string {
	parts := strings.Split(text, `"`)
	for i := 0; i < len(parts); i += 2 {
		for strings.Contains(parts[i], "  ") {
			parts[i] = strings.ReplaceAll(parts[i], "  ", " ")
		}
	}
	return strings.Join(parts, `"`)
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
	if keyword == "" {
		if own := k.english[strings.TrimSpace(word)]; !slices.Contains(k.steps, own) {
			return word, own, false, own != ""
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
