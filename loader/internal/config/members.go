package config

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Members are those of a JSON object that was checked to be JSON, found in one pass:
// a config is asked for dozens of keys, and has few of them. The zero value has none.
type Members struct{ list []member }

type member struct {
	key string
	raw string // the value's JSON
}

// IsEmpty tells whether there are no members.
func (m Members) IsEmpty() bool { return len(m.list) == 0 }

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

// Get gives a member as gjson does: of several of one name the first, and behind a
// point the member of a member.
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
