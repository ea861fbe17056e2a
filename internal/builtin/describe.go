package builtin

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/undertest"
)

var _ undertest.Described = builtin{}

// answers has a value of the type that the answer to each operation is encoded from.
var answers = map[string]any{
	undertest.ModelInfo:    answer.Info{},
	undertest.CategoryOnly: answer.Detection{},
	undertest.Support:      answer.Support{},
	undertest.OmniCheck: struct {
		Is bool `json:"is_omni"`
	}{},
	undertest.SAECheck: struct {
		Is bool `json:"is_sae"`
	}{},
	undertest.SAEBaseModel:   answer.BaseModel{},
	undertest.Tokenizer:      answer.TokenizerInfo{},
	undertest.Inspection:     answer.Info{},
	undertest.Verification:   answer.Info{},
	undertest.TokenizerLoad:  answer.TokenizerInfo{},
	undertest.TokenizerCheck: tokenizerCheck{},
	undertest.Encoding:       encodingFields{},
	undertest.EncodingSize:   encodingSize{},
	undertest.Decoding:       decoding{},
	undertest.RoundTrip:      decoding{},
}

// unfilled are the fields of an answer that an operation leaves null, so that it has no fields
// inside them.
var unfilled = map[string][]string{
	undertest.ModelInfo:  {"tokenizer", "weights", "memory", "chat_template", "card", "verified"},
	undertest.Inspection: {"verified"},
}

var answerFields = sync.OnceValue(func() map[string][]undertest.Field {
	fields := make(map[string][]undertest.Field, len(answers))
	for operation, value := range answers {
		fields[operation] = slices.DeleteFunc(fieldsOf(reflect.TypeOf(value), nil), func(f undertest.Field) bool {
			return len(f.Keys) > 1 && slices.Contains(unfilled[operation], f.Keys[0])
		})
	}
	return fields
})

func (b builtin) Fields(operation string) []undertest.Field {
	return slices.Clone(answerFields()[operation])
}

func (b builtin) FindingCodes() []string {
	var codes []string
	for _, e := range finding.Explanations() {
		codes = append(codes, e.Code)
	}
	return codes
}

// fieldsOf lists the fields of a struct, below the keys of the enclosing ones. Package answer
// describes the tags "unit" and "keys".
func fieldsOf(t reflect.Type, keys []string) []undertest.Field {
	var fields []undertest.Field
	add := func(key string, t reflect.Type, tag reflect.StructTag) {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f := undertest.Field{
			Keys: append(slices.Clone(keys), key), Kind: kindOf(t),
			Bytes: tag.Get("unit") == "bytes", Signed: tag.Get("unit") == "signed",
		}
		fields = append(fields, f)
		switch t.Kind() {
		case reflect.Struct:
			fields = append(fields, fieldsOf(t, f.Keys)...)
		case reflect.Map:
			keys := append(slices.DeleteFunc(strings.Split(tag.Get("keys"), ","), func(s string) bool { return s == "" }), undertest.AnyKey)
			for _, key := range keys {
				fields = append(fields, undertest.Field{Keys: append(slices.Clone(f.Keys), key), Kind: kindOf(t.Elem()), Bytes: f.Bytes})
			}
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case key == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && key == "":
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			fields = append(fields, fieldsOf(embedded, keys)...)
		default:
			add(cmp.Or(key, f.Name), f.Type, f.Tag)
		}
	}
	return fields
}

func kindOf(t reflect.Type) undertest.FieldKind {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return undertest.KindObject
	case reflect.Slice, reflect.Array:
		return undertest.KindList
	case reflect.Bool:
		return undertest.KindBoolean
	case reflect.String:
		return undertest.KindText
	}
	return undertest.KindNumber
}
