package config

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Members are the members of a JSON object, found in one pass: dozens of keys are looked
// up in a config, most of which it does not have. The zero value has no members.
type Members struct{ list []member }

type member struct {
	key string
	raw string // the value's JSON
}

// NewMembers gives the members of v, which must be valid JSON; none where v is no object.
func NewMembers(v gjson.Result) Members {
	if !v.IsObject() {
		return Members{}
	}
	m := Members{make([]member, 0, 32)}
	v.ForEach(func(key, value gjson.Result) bool {
		m.list = append(m.list, member{key.Str, value.Raw})
		return true
	})
	return m
}

// IsEmpty tells whether there are no members.
func (m Members) IsEmpty() bool { return len(m.list) == 0 }

// Get gives the value of a member as gjson does: the first one where the name occurs
// twice. "a.b" is the member b of the object a.
func (m Members) Get(path string) gjson.Result {
	name, rest, inner := strings.Cut(path, ".")
	for i := range m.list {
		if m.list[i].key != name {
			continue
		}
		v := gjson.Parse(m.list[i].raw)
		if inner {
			return v.Get(rest)
		}
		return v
	}
	return gjson.Result{}
}
