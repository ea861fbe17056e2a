package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/suggest"
)

// answer is the JSON of what an operation returned.
type answer struct {
	text string
	root gjson.Result
}

// newAnswer encodes the result of an operation. It must be a JSON object, because
// steps name its fields.
func newAnswer(value any) (answer, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // messages quote parts of it
	if err := encoder.Encode(value); err != nil {
		return answer{}, fmt.Errorf("encoding the answer as JSON: %w", err)
	}
	text := bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))
	a := answer{string(text), gjson.ParseBytes(text)}
	if !a.root.IsObject() {
		return answer{}, fmt.Errorf("the answer is %s: an object with named fields was expected", text)
	}
	return a, nil
}

// field finds a field by its name in plain words: "model type" is model_type, and
// "quantization method" is quantization.method. If no field has the whole name, a
// field whose name ends with it is taken, if there is only one: "eos token" is
// special_tokens.eos_token.
func (a answer) field(name string) (gjson.Result, error) {
	wanted := words(name)
	fields := a.fields()
	var ends []field
	for _, f := range fields {
		if f.name == wanted {
			return f.value, nil
		}
		if slices.Contains(f.ends, wanted) {
			ends = append(ends, f)
		}
	}
	if len(ends) == 1 {
		return ends[0].value, nil
	}
	if len(ends) > 1 {
		return gjson.Result{}, scenarioErrorf("the answer has more than one field %q: %s", name, names(ends))
	}
	for _, f := range fields {
		if f.value.Type == gjson.Null && strings.HasPrefix(wanted, f.name+" ") {
			return gjson.Result{}, fmt.Errorf("there is no %s: %s is null", name, f.name)
		}
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.name
	}
	return gjson.Result{}, scenarioErrorf("the answer has no field %q, %s", name, suggest.DidYouMean(wanted, known))
}

// field is one field of an answer, at any depth.
type field struct {
	name  string   // in plain words, the names of the enclosing fields first
	ends  []string // name without the first enclosing field, without the first two …
	value gjson.Result
}

// fields lists the fields of the answer, but not those of the elements of lists.
func (a answer) fields() []field {
	var fields []field
	var walk func(path []string, v gjson.Result)
	walk = func(path []string, v gjson.Result) {
		v.ForEach(func(key, value gjson.Result) bool {
			full := append(slices.Clone(path), words(key.String()))
			f := field{name: strings.Join(full, " "), value: value}
			for i := 1; i < len(full); i++ {
				f.ends = append(f.ends, strings.Join(full[i:], " "))
			}
			fields = append(fields, f)
			if value.IsObject() {
				walk(full, value)
			}
			return true
		})
	}
	walk(nil, a.root)
	return fields
}

// words converts a name such as "model_type" to plain words: lower case, separated by
// single spaces.
func words(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '.' || r == ' ' || r == '-' }), " ")
}

func names(fields []field) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = fmt.Sprintf("%q", f.name)
	}
	return strings.Join(list, ", ")
}
