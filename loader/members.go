package loader

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"
)

// members are those of a JSON object that was checked to be JSON, found in one pass:
// a config is asked for dozens of keys, and has few of them. The zero value has none.
type members struct{ list []member }

type member struct {
	key string
	raw string // the value's JSON
}

func newMembers(v gjson.Result) members {
	if !v.IsObject() {
		return members{}
	}
	m := members{make([]member, 0, 32)}
	v.ForEach(func(key, value gjson.Result) bool {
		m.list = append(m.list, member{key.Str, value.Raw})
		return true
	})
	return m
}

// Get gives a member as gjson does: of several of one name the first, and behind a
// point the member of a member.
func (m members) Get(path string) gjson.Result {
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

// config gives the members of the file that says what the directory is.
func (c *checkpoint) config() members {
	if c.top.list == nil && len(c.doc.data) > 0 {
		c.top = newMembers(gjson.ParseBytes(bytes.TrimPrefix(c.doc.data, []byte("\xEF\xBB\xBF"))))
	}
	return c.top
}
