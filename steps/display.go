package steps

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/quantity"
)

const (
	maxShownText    = 200 // characters of one text in a message
	maxShownEntries = 10  // entries of a list or an object
	maxShown        = 600 // characters of a value in a message
)

// shown writes a value for people: a text in quotes, a list with its entries separated by
// commas, true and false as yes and no, null as "absent". It is shortened if it is long.
func shown(v gjson.Result) string { return cut(shownAt(v, 0), maxShown) }

func shownAt(v gjson.Result, depth int) string {
	switch {
	case v.Type == gjson.Null:
		return "absent"
	case v.IsBool():
		return yesNo(v.Bool())
	case v.Type == gjson.Number:
		return shownNumber(v)
	case v.Type == gjson.String:
		return strconv.Quote(cut(v.Str, maxShownText))
	case v.IsArray():
		return shownEntries(v, "an empty list", depth)
	}
	return shownEntries(v, "an empty object", depth)
}

// shownEntries writes the entries of a list, or the fields of an object with their names.
func shownEntries(v gjson.Result, empty string, depth int) string {
	var parts []string
	entries, separator := 0, ", "
	v.ForEach(func(key, value gjson.Result) bool {
		if entries++; entries > maxShownEntries {
			return true
		}
		text := shownAt(value, depth+1)
		if value.IsObject() {
			separator = "; "
		}
		if depth > 0 && (value.IsObject() || value.IsArray()) {
			text = "(" + text + ")"
		}
		if v.IsObject() {
			text = strings.ReplaceAll(key.String(), "_", " ") + " " + text
		}
		parts = append(parts, text)
		return true
	})
	if entries == 0 {
		return empty
	}
	text := strings.Join(parts, separator)
	if more := entries - len(parts); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// cut shortens a text to at most limit characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}

// shownNumber writes a whole number with all its digits, and others without an exponent.
func shownNumber(v gjson.Result) string {
	if !strings.ContainsAny(v.Raw, ".eE") {
		return v.Raw
	}
	return plainNumber(v.Num)
}

// shownAmount writes a number, and behind it the size that it is if a step compares it with
// one.
func shownAmount(v gjson.Result, limit quantity.Amount) string {
	text := shownNumber(v)
	if !limit.IsSize {
		return text
	}
	return quantity.FormatSizeDigits(v.Num, 4) + " (" + text + " bytes)"
}

// plainNumber writes a number without an exponent.
func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// is returns the verb between the name of a field and its value.
func is(v gjson.Result) string {
	if v.IsArray() {
		return "are"
	}
	return "is"
}

// entryText is the text of an entry of a list, to compare with what a step says. Of an object
// it is what tells it from others: the code of a finding, the path of a place.
func entryText(entry gjson.Result) string {
	if entry.IsObject() {
		for _, key := range []string{"code", "path", "name"} {
			if v := entry.Get(key); v.Type == gjson.String {
				return v.Str
			}
		}
	}
	return entry.String()
}

// entryTexts are the texts of the entries of a list.
func entryTexts(list gjson.Result) []string {
	var texts []string
	for _, entry := range list.Array() {
		texts = append(texts, entryText(entry))
	}
	return texts
}

// decided are the fields that follow from the rule which the field decided_by names.
var decided = map[string]bool{
	"category": true, "task": true, "layout": true, "architecture": true, "model_type": true, "loads_as": true,
	"is_supported": true, "is_omni": true, "is_sae": true, "has_talker": true, "pipeline_kind": true,
}

// origin says where the value of a field came from, in brackets and after a space, as far as
// the answer says it: the file and key that give it, the place of the tokenizer, or the rule
// that decided it. It is "" if the answer does not say it.
func (w *world) origin(f answerField) string {
	text := func(v gjson.Result) string {
		if v.Type == gjson.String {
			return cut(v.Str, maxShownText)
		}
		return ""
	}
	key := f.keys[len(f.keys)-1]
	source := f.parent.Get("source")
	if beside := f.parent.Get(gjson.Escape(key + "_source")); beside.Exists() {
		source = beside
	}
	if s := text(source); s != "" && key != "source" {
		return " (from " + s + ")"
	}
	if from, place := text(f.parent.Get("origin")), text(f.parent.Get("path")); from != "" && place != "" && key != "origin" && key != "path" {
		return " (from the " + from + ": " + place + ")"
	}
	if rule := text(w.answer.root.Get("decided_by")); rule != "" && decided[f.keys[0]] {
		return " (decided by " + rule + ")"
	}
	return ""
}
