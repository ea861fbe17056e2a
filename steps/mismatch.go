package steps

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/outcome"
)

// fieldDecidedBy is the field of an answer with the rule and the file that detection used.
const fieldDecidedBy = "decided_by"

// detectedFields are the fields, in plain words, that detection decides together.
var detectedFields = []string{
	"layout", "category", "task", "pipeline kind", "architecture", "architectures", "model type", "is supported", "loads as", "remote code",
	"is omni", "has talker", "is sae",
}

// mismatch returns the error of a Then step that compared a field of the answer. expected
// and got are texts for people; name is the field as the step has it.
func (w *world) mismatch(name, expected, got string) *outcome.Mismatch {
	return &outcome.Mismatch{Subject: "the " + name, Expected: expected, Got: got, DecidedBy: w.answer.decidedBy(name)}
}

// decidedBy says where a field of the answer comes from, as far as the answer says it: what
// a field beside it with the same name and "source" has, else the source of the object that
// has the field, else, of a field that detection decides, the rule and the file. "" means
// that the answer says nothing.
func (a answer) decidedBy(name string) string {
	wanted := words(name)
	fields := a.fields()
	at := slices.IndexFunc(fields, func(f field) bool { return f.name == wanted })
	if at < 0 {
		at = slices.IndexFunc(fields, func(f field) bool { return slices.Contains(f.ends, wanted) })
	}
	if at < 0 {
		return ""
	}
	full := fields[at].name
	sources := []string{full + " source"}
	for inner := full; ; {
		i := strings.LastIndexByte(inner, ' ')
		if i < 0 {
			break
		}
		inner = inner[:i]
		sources = append(sources, inner+" source")
	}
	for _, source := range sources {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == source })
		if i >= 0 && fields[i].value.Type == gjson.String && fields[i].value.Str != "" {
			return fields[i].value.Str
		}
	}
	if slices.Contains(detectedFields, full) {
		return a.root.Get(fieldDecidedBy).String()
	}
	return ""
}
