package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// Kinds of failure of tokenizer files; see package fault for the others.
const (
	UnknownComponent fault.Kind = "unknown component" // a normalizer, model … that this package does not know
	MissingField     fault.Kind = "missing field"     // a required field
	BadVocabulary    fault.Kind = "bad vocabulary"    // tokens, ids, merges or scores that contradict each other
	BadPattern       fault.Kind = "bad pattern"       // a regular expression that cannot be used
)

// node is a value of a JSON file, already checked to be valid JSON.
type node struct {
	path string
	raw  []byte
	off  int64 // of raw in the file
}

func (n node) fail(kind fault.Kind, format string, args ...any) error {
	return fault.At(kind, n.path, n.off, fmt.Sprintf(format, args...))
}

func (n node) kind() jsonscan.Kind {
	s := jsonscan.New(n.raw)
	return s.Kind()
}

func (n node) isNull() bool { return n.kind() == jsonscan.Null }

// want fails unless the value is of the kind.
func (n node) want(k jsonscan.Kind, what string) error {
	if got := n.kind(); got != k {
		return n.fail(fault.WrongType, "%s must be %s, found %s", what, k, got)
	}
	return nil
}

// locate sets path and offset in the file in an error of a scan over n.
func (n node) locate(err error) error {
	var e *fault.Error
	if errors.As(err, &e) && e.Path == "" {
		c := *e
		c.Path = n.path
		if c.Offset >= 0 {
			c.Offset += n.off
		}
		return &c
	}
	return err
}

// object is a JSON object whose members are looked up by name. Of members with the same
// name the last counts.
type object struct {
	node
	names  []string
	values []node
}

func (n node) object(what string) (object, error) {
	o := object{node: n}
	if err := n.want(jsonscan.Object, what); err != nil {
		return o, err
	}
	const few = 8 // the members of most objects
	o.names, o.values = make([]string, 0, few), make([]node, 0, few)
	s := jsonscan.New(n.raw)
	err := s.Object(func(name []byte) error {
		v, err := n.value(&s)
		o.names = append(o.names, string(name))
		o.values = append(o.values, v)
		return err
	})
	return o, n.locate(err)
}

// pick is object with only the members of the given names.
func (n node) pick(what string, keys ...string) (object, error) {
	o := object{node: n, names: make([]string, 0, len(keys)), values: make([]node, 0, len(keys))}
	if err := n.want(jsonscan.Object, what); err != nil {
		return o, err
	}
	s := jsonscan.New(n.raw)
	err := s.Object(func(name []byte) error {
		i := slices.IndexFunc(keys, func(key string) bool { return key == string(name) })
		v, err := n.value(&s)
		if i >= 0 {
			o.names, o.values = append(o.names, keys[i]), append(o.values, v)
		}
		return err
	})
	return o, n.locate(err)
}

// value consumes the next value of a scan over n.
func (n node) value(s *jsonscan.Scanner) (node, error) {
	s.Kind() // skips white space
	at := s.Offset()
	raw, err := s.Raw()
	return node{n.path, raw, n.off + int64(at)}, err
}

func (n node) array(what string) ([]node, error) {
	if err := n.want(jsonscan.Array, what); err != nil {
		return nil, err
	}
	var out []node
	s := jsonscan.New(n.raw)
	err := s.Array(func(int) error {
		v, err := n.value(&s)
		out = append(out, v)
		return err
	})
	return out, n.locate(err)
}

// lookup returns the member, and false where it is absent.
func (o *object) lookup(name string) (node, bool) {
	for i := len(o.names) - 1; i >= 0; i-- {
		if o.names[i] == name {
			return o.values[i], true
		}
	}
	return node{}, false
}

// has reports whether all the members are there.
func (o *object) has(names ...string) bool {
	for _, name := range names {
		if _, ok := o.lookup(name); !ok {
			return false
		}
	}
	return true
}

func (o *object) need(name string) (node, error) {
	n, ok := o.lookup(name)
	if !ok {
		return n, o.fail(MissingField, "%s", strconv.Quote(name)+" is missing")
	}
	return n, nil
}

// optional returns the member, and false where it is absent or null.
func (o *object) optional(name string) (node, bool) {
	n, ok := o.lookup(name)
	return n, ok && !n.isNull()
}

func (n node) str(what string) (string, error) {
	if err := n.want(jsonscan.String, what); err != nil {
		return "", err
	}
	s := jsonscan.New(n.raw)
	b, err := s.Text()
	return string(b), err
}

func (n node) char(what string) (rune, error) {
	s, err := n.str(what)
	if err != nil {
		return 0, err
	}
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || size != len(s) {
		return 0, n.fail(fault.WrongType, "%s must be one character, found %q", what, s)
	}
	return r, nil
}

func (n node) boolean(what string) (bool, error) {
	if err := n.want(jsonscan.Bool, what); err != nil {
		return false, err
	}
	return n.raw[0] == 't', nil
}

func (n node) uint(what string, limit uint64) (uint64, error) {
	if err := n.want(jsonscan.Number, what); err != nil {
		return 0, err
	}
	u, err := strconv.ParseUint(string(n.raw), 10, 64)
	if err != nil || u > limit {
		return 0, n.fail(fault.WrongType, "%s must be a whole number from 0 to %d, found %s", what, limit, clip(n.raw))
	}
	return u, nil
}

func (n node) float(what string) (float64, error) {
	if err := n.want(jsonscan.Number, what); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(n.raw), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, n.fail(fault.WrongType, "%s must be a finite number, found %s", what, clip(n.raw))
	}
	return f, nil
}

func (o *object) needStr(name string) (string, error) {
	n, err := o.need(name)
	if err != nil {
		return "", err
	}
	return n.str(strconv.Quote(name))
}

func (o *object) needChar(name string) (rune, error) {
	n, err := o.need(name)
	if err != nil {
		return 0, err
	}
	return n.char(strconv.Quote(name))
}

func (o *object) needBool(name string) (bool, error) {
	n, err := o.need(name)
	if err != nil {
		return false, err
	}
	return n.boolean(strconv.Quote(name))
}

func (o *object) needUint(name string, limit uint64) (uint64, error) {
	n, err := o.need(name)
	if err != nil {
		return 0, err
	}
	return n.uint(strconv.Quote(name), limit)
}

// boolOr returns the member, or the fallback where it is absent or, if nullable, null.
func (o *object) boolOr(name string, fallback, nullable bool) (bool, error) {
	n, ok := o.lookup(name)
	if !ok || nullable && n.isNull() {
		return fallback, nil
	}
	return n.boolean(strconv.Quote(name))
}

// clip shortens text from the file for an error.
func clip[T string | []byte](s T) string {
	const most = 60
	if len(s) <= most {
		return string(s)
	}
	return string(s[:most]) + "…"
}

// typed is a component: an object whose member "type" is its tag.
type typed struct {
	object
	tag    string
	tagged bool
}

// component reads a component. ok is false for null.
func (n node) component(what string) (c typed, ok bool, err error) {
	if n.isNull() {
		return c, false, nil
	}
	if c.object, err = n.object(what); err != nil {
		return c, false, err
	}
	if t, found := c.lookup("type"); found {
		c.tagged = true
		if c.tag, err = t.str(what + " type"); err != nil {
			return c, false, err
		}
	}
	return c, true, nil
}

func (c *typed) unknown(what string, known []string) error {
	if !c.tagged {
		return c.fail(UnknownComponent, "a %s without \"type\" fits none of %v", what, known)
	}
	at := c.node
	if t, ok := c.lookup("type"); ok {
		at = t
	}
	return at.fail(UnknownComponent, "%s %s is none of %v", what, strconv.Quote(clip(c.tag)), known)
}

// parseSequence reads a member that is a list of components, none of which is null.
// part is their name in messages: "decoder".
func parseSequence[T any](c *typed, member, part string, parse func(node) (T, error)) ([]T, error) {
	list, err := c.need(member)
	if err != nil {
		return nil, err
	}
	items, err := list.array(strconv.Quote(member))
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(items))
	for _, item := range items {
		v, err := parse(item)
		if err != nil {
			return nil, err
		}
		if any(v) == nil {
			return nil, item.fail(fault.WrongType, "a %s must be an object, found null", part)
		}
		out = append(out, v)
	}
	return out, nil
}
