package undertest

// Described is a Loader that says beforehand what its answers have. A scenario that names a
// field or a finding that it does not list is then refused before it runs; of a loader that
// is not Described, a misspelled field is found when the answer is there.
type Described interface {
	// Fields lists the fields of the answer to an operation, each once, the enclosing ones
	// before those inside them. It returns nil for an operation of which they are not known.
	Fields(operation string) []Field
	// FindingCodes lists the codes of all findings that the loader may report. It returns nil
	// if they are not known.
	FindingCodes() []string
}

// Field is one field of an answer.
type Field struct {
	// Keys are the JSON keys that lead to it, outermost first: {"weights", "tensor_bytes"}.
	// A last key AnyKey stands for further keys, which depend on the checkpoint.
	Keys []string
	Kind FieldKind
	// Bytes says that a number, or each number of an object, is a size in bytes.
	Bytes bool
	// Signed says that a number may be negative.
	Signed bool
}

// AnyKey is the last key of a Field that stands for all keys of its object that are not
// listed.
const AnyKey = "*"

// FieldKind is the kind of a field's value. A value may always be null as well.
type FieldKind string

// The kinds of values.
const (
	KindText    FieldKind = "text"
	KindNumber  FieldKind = "number"
	KindBoolean FieldKind = "true or false"
	KindList    FieldKind = "list"
	KindObject  FieldKind = "object"
)

// ClassTable is a Loader that checks a table of class names, see Options.Architectures, without
// reading a checkpoint. A scenario with a table in which something is wrong is then refused
// before it runs, unless it expects that reading fails.
type ClassTable interface {
	CheckArchitectures(table string) error
}
