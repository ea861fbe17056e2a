package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	messages "github.com/cucumber/messages/go/v34"
)

var (
	typeContext   = reflect.TypeFor[context.Context]()
	typeError     = reflect.TypeFor[error]()
	typeBytes     = reflect.TypeFor[[]byte]()
	typeTable     = reflect.TypeFor[*Table]()
	typeDocString = reflect.TypeFor[*DocString]()
)

// function is what the signature of a step's function says.
type function struct {
	typ     reflect.Type
	context bool           // it takes one, first
	values  []reflect.Type // of the parameters for the groups of the expression
	blocks  []reflect.Type // of those for what stands below the step
}

// block says what a parameter for something below a step takes.
func block(t reflect.Type) string {
	if t == typeTable {
		return "table"
	}
	return "doc string"
}

// newFunction checks that fn can be called with what an expression of so many
// groups matches.
func newFunction(fn any, groups int) (*function, error) {
	typ := reflect.TypeOf(fn)
	switch {
	case typ == nil || typ.Kind() != reflect.Func:
		return nil, fmt.Errorf("the function is a %T", fn)
	case reflect.ValueOf(fn).IsNil():
		return nil, fmt.Errorf("the function is nil")
	case typ.IsVariadic():
		return nil, fmt.Errorf("%s: a step's function takes a fixed number of arguments", typ)
	}
	f := &function{typ: typ}
	for i := range typ.NumIn() {
		t := typ.In(i)
		switch {
		case t == typeContext && i == 0:
			f.context = true
		case t == typeContext:
			return nil, fmt.Errorf("%s: the context is the first parameter, or there is none", typ)
		case t == typeTable || t == typeDocString:
			if len(f.blocks) > 0 && f.blocks[len(f.blocks)-1] == t || len(f.blocks) > 1 {
				return nil, fmt.Errorf("%s: a step has one %s at most", typ, block(t))
			}
			f.blocks = append(f.blocks, t)
		case len(f.blocks) > 0:
			return nil, fmt.Errorf("%s: the %s is the last parameter", typ, block(f.blocks[0]))
		case !convertible(t):
			return nil, fmt.Errorf("%s: a parameter cannot be a %s", typ, t)
		default:
			f.values = append(f.values, t)
		}
	}
	// A last text that no group is left for is the content of a doc string.
	if last := len(f.values) - 1; len(f.blocks) == 0 && last == groups && (f.values[last].Kind() == reflect.String || f.values[last] == typeBytes) {
		f.blocks, f.values = f.values[last:], f.values[:last]
	}
	if len(f.values) != groups {
		return nil, fmt.Errorf("%s: it takes %s of the step's text, and the expression has %s", typ, count(len(f.values), "part"), count(groups, "group"))
	}
	results := typ.NumOut()
	if results > 2 || results == 2 && (typ.Out(0) != typeContext || typ.Out(1) != typeError) ||
		results == 1 && typ.Out(0) != typeError && typ.Out(0) != typeContext {
		return nil, fmt.Errorf("%s: a step's function gives nothing, an error, a context.Context, or (context.Context, error)", typ)
	}
	return f, nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func convertible(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return t == typeBytes
}

// convert makes a value of type t of a text; convertible(t) holds.
func convert(text string, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	var err error
	switch {
	case t == typeBytes:
		v.SetBytes([]byte(text))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, t.Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, t.Bits())
		v.SetUint(n)
	case v.CanFloat():
		var x float64
		x, err = strconv.ParseFloat(text, t.Bits())
		v.SetFloat(x)
	}
	return v, err
}

// ArgumentError says that a step has what its definition does not take, lacks what
// it takes, or has a part that is not of the type that it takes.
type ArgumentError struct {
	Definition *Definition
	Kind       ArgumentErrorKind
	Unused     string // "table" or "doc string", the first that the step does not take
	Message    string // `"12x" is no int`
}

// ArgumentErrorKind is what is wrong with an argument of a step.
type ArgumentErrorKind int

// The kinds.
const (
	UnreadableValue ArgumentErrorKind = iota // a part of the text is not of the type
	MissingArgument                          // a table or doc string is missing
	UnusedArgument                           // there is one that the step does not take
)

func (e *ArgumentError) Error() string { return e.Message }

// arguments makes the arguments of a call, without the context, from the parts of
// a step's text and from what stands below it. The error is an *ArgumentError.
func (d *Definition) arguments(parts []string, below *messages.PickleStepArgument) ([]reflect.Value, error) {
	fail := func(kind ArgumentErrorKind, format string, args ...any) ([]reflect.Value, error) {
		return nil, &ArgumentError{Definition: d, Kind: kind, Message: fmt.Sprintf(format, args...)}
	}
	if below == nil {
		below = &messages.PickleStepArgument{}
	}
	f := d.function
	arguments := make([]reflect.Value, 0, len(f.values)+len(f.blocks)+1)
	for i, t := range f.values {
		v, err := convert(parts[i], t)
		if err != nil {
			reason := "is no"
			if errors.Is(err, strconv.ErrRange) {
				reason = "is too large for the type"
			}
			return fail(UnreadableValue, "%q %s %s", parts[i], reason, t)
		}
		arguments = append(arguments, v)
	}
	table, docString := false, false
	for _, t := range f.blocks {
		if t == typeTable {
			if table = true; below.DataTable == nil {
				return fail(MissingArgument, "the step needs a table below it")
			}
			arguments = append(arguments, reflect.ValueOf(below.DataTable))
			continue
		}
		if docString = true; below.DocString == nil {
			return fail(MissingArgument, "the step needs a doc string below it")
		}
		if t == typeDocString {
			arguments = append(arguments, reflect.ValueOf(below.DocString))
			continue
		}
		v, _ := convert(below.DocString.Content, t) // a text becomes any text
		arguments = append(arguments, v)
	}
	var extra []string
	if below.DataTable != nil && !table {
		extra = append(extra, "table")
	}
	if below.DocString != nil && !docString {
		extra = append(extra, "doc string")
	}
	if extra != nil {
		return nil, &ArgumentError{Definition: d, Kind: UnusedArgument, Unused: extra[0],
			Message: fmt.Sprintf("the step takes no %s, and one stands below it", strings.Join(extra, " and no "))}
	}
	return arguments, nil
}

// call calls fn, which has the type of f.
func (f *function) call(ctx context.Context, fn any, arguments []reflect.Value) (context.Context, error) {
	if f.context {
		arguments = append([]reflect.Value{reflect.ValueOf(&ctx).Elem()}, arguments...)
	}
	results := reflect.ValueOf(fn).Call(arguments)
	switch {
	case len(results) == 0:
		return ctx, nil
	case len(results) == 1 && f.typ.Out(0) == typeError:
		err, _ := results[0].Interface().(error)
		return ctx, err
	case len(results) == 1:
		if next, ok := results[0].Interface().(context.Context); ok {
			return next, nil
		}
		return ctx, nil
	}
	err, _ := results[1].Interface().(error)
	next, ok := results[0].Interface().(context.Context)
	if !ok {
		next, err = ctx, errors.Join(errors.New("the step gave nil for the context of the steps behind it"), err)
	}
	return next, err
}
