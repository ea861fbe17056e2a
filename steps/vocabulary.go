package steps

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"omniloader/internal/suggest"
	"omniloader/loader/undertest"
)

// Vocabulary is what a loader under test says beforehand of its answers: the fields of each
// operation and the codes of findings, see undertest.Described. It may be used by several
// goroutines at once. A nil Vocabulary knows nothing, and takes every name for a right one.
type Vocabulary struct {
	described undertest.Described
	codes     []string
	classes   undertest.ClassTable // nil if the loader does not check tables of class names

	mu     sync.Mutex
	fields map[string][]knownField // by operation
}

// knownField is a field of which the loader says that its answer has it.
type knownField struct {
	fieldName
	undertest.Field
}

// NewVocabulary returns what a loader says of its answers, and nil if it is not an
// undertest.Described.
func NewVocabulary(loader undertest.Loader) *Vocabulary {
	described, ok := loader.(undertest.Described)
	if !ok {
		return nil
	}
	classes, _ := loader.(undertest.ClassTable)
	return &Vocabulary{described: described, codes: described.FindingCodes(), classes: classes, fields: make(map[string][]knownField)}
}

// checkClasses returns what the loader finds wrong in a table of class names.
func (v *Vocabulary) checkClasses(table string) error {
	if v == nil || v.classes == nil {
		return nil
	}
	return v.classes.CheckArchitectures(table)
}

// ofOperation returns the fields of the answer to an operation, nil if they are not known.
func (v *Vocabulary) ofOperation(operation string) []knownField {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	fields, known := v.fields[operation]
	if !known {
		for _, f := range v.described.Fields(operation) {
			fields = append(fields, knownField{newFieldName(f.Keys), f})
		}
		v.fields[operation] = fields
	}
	return fields
}

// field finds a field of the answer to an operation by its name in plain words. It returns
// nil without an error where the fields are not known, or the name may mean several of
// them, of which not every checkpoint has all.
func (v *Vocabulary) field(operation, name string) (*knownField, error) {
	fields := v.ofOperation(operation)
	if fields == nil {
		if negation := negationIn(words(name)); negation != "" {
			return nil, fmt.Errorf("%q is no name of a field, %w", name, unknownField(words(name), nil))
		}
		return nil, nil
	}
	var names []fieldName
	for _, f := range fields {
		if f.Keys[len(f.Keys)-1] != undertest.AnyKey {
			names = append(names, f.fieldName)
		}
	}
	i, err := findField(name, names)
	if err == nil {
		at := slices.IndexFunc(fields, func(f knownField) bool { return f.name == names[i].name })
		return &fields[at], nil
	}
	if ambiguous := new(ambiguousField); errors.As(err, &ambiguous) {
		return nil, nil
	}
	if open := openField(words(name), fields); open != nil {
		return open, nil
	}
	return nil, fmt.Errorf("the answer of the %s has no field %q, %w", operation, name, v.elsewhere(name, err))
}

// openField finds the field for further keys of an object in whose place the name has a key:
// "special tokens image token" is one of special_tokens.
func openField(wanted string, fields []knownField) *knownField {
	for i, f := range fields {
		last := len(f.Keys) - 1
		if f.Keys[last] != undertest.AnyKey {
			continue
		}
		enclosing := newFieldName(f.Keys[:last])
		for _, prefix := range append(slices.Clone(enclosing.ends), enclosing.name) {
			if rest, ok := strings.CutPrefix(wanted, prefix+" "); ok && negationIn(rest) == "" {
				return &fields[i]
			}
		}
	}
	return nil
}

// elsewhere returns what to say of a field that an answer does not have: that the inspection
// has it, where it does, else otherwise.
func (v *Vocabulary) elsewhere(name string, otherwise error) error {
	if step := boundOf(name); step != "" {
		return errors.New(suggest.Question(step))
	}
	if v.known(undertest.Inspection, name) {
		return errors.New(`but that of the inspection has: write "When the checkpoint is inspected"`)
	}
	return otherwise
}

// known says whether the answer to an operation is known to have a field.
func (v *Vocabulary) known(operation, name string) bool {
	if v.ofOperation(operation) == nil {
		return false
	}
	name = cmp.Or(otherNames[words(name)], name)
	for _, f := range v.ofOperation(operation) {
		if wanted := words(name); f.name == wanted || slices.Contains(f.ends, wanted) {
			return true
		}
	}
	return openField(words(name), v.ofOperation(operation)) != nil
}

// checkCode returns an error if the loader reports no finding with this code.
func (v *Vocabulary) checkCode(code string) error {
	if v == nil || v.codes == nil || slices.Contains(v.codes, code) {
		return nil
	}
	if near, ok := suggest.Nearest(code, v.codes); ok {
		return fmt.Errorf("there is no finding %q, %s", code, suggest.Question(near))
	}
	if strings.ContainsAny(code, " ") && !strings.Contains(code, ",") {
		return fmt.Errorf("there is no finding %q: a code has no spaces; \"omniloader findings WORD\" finds it", code)
	}
	return fmt.Errorf("there is no finding %q; \"omniloader findings WORD\" finds codes by a word", code)
}
