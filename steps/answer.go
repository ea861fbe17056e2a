package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// answer is the JSON of what an operation returned.
type answer struct {
	text string
	root gjson.Result
}

// newAnswer encodes the result of an operation. It must be a JSON object, because
// steps name its fields.
func newAnswer(value any) (answer, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read it
	if err := e.Encode(value); err != nil {
		return answer{}, fmt.Errorf("encoding the answer as JSON: %w", err)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	a := answer{text, gjson.Parse(text)}
	if !a.root.IsObject() {
		return answer{}, fmt.Errorf("the answer is %s: an object with named fields was expected", cut(text, maxShownText))
	}
	return a, nil
}

// answerField is one field of an answer, at any depth.
type answerField struct {
	fieldName
	value  gjson.Result
	parent gjson.Result // the object that has it
}

// absentError says that a field is not there because the field that would contain it is
// null.
type absentError struct{ name, enclosing string }

func (e *absentError) Error() string {
	return fmt.Sprintf("there is no %s: %s is null", e.name, e.enclosing)
}

// field finds a field by its name in plain words, see findField. The error is an
// *absentError if an enclosing field is null, and a ScenarioError if there is no such field.
func (a answer) field(name string) (answerField, error) {
	fields := a.fields()
	names := make([]fieldName, len(fields))
	for i, f := range fields {
		names[i] = f.fieldName
	}
	i, err := findField(name, names)
	if err == nil {
		return fields[i], nil
	}
	wanted := words(name)
	for _, f := range fields {
		if f.value.Type == gjson.Null && strings.HasPrefix(wanted, f.name+" ") {
			return answerField{}, &absentError{name, f.name}
		}
	}
	return answerField{}, &ScenarioError{fmt.Errorf("the answer has no field %q, %w", name, err)}
}

// fields lists the fields of the answer, but not those of the elements of lists.
func (a answer) fields() []answerField {
	var fields []answerField
	var walk func(keys []string, v gjson.Result)
	walk = func(keys []string, v gjson.Result) {
		v.ForEach(func(key, value gjson.Result) bool {
			full := append(keys[:len(keys):len(keys)], key.String())
			fields = append(fields, answerField{newFieldName(full), value, v})
			if value.IsObject() {
				walk(full, value)
			}
			return true
		})
	}
	walk(nil, a.root)
	return fields
}

// isAbsent says whether a value is null, empty text, or an empty list or object.
func isAbsent(v gjson.Result) bool {
	switch {
	case v.Type == gjson.Null:
		return true
	case v.Type == gjson.String:
		return v.Str == ""
	case v.IsArray():
		return len(v.Array()) == 0
	case v.IsObject():
		return len(v.Map()) == 0
	}
	return false
}
