package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// difference says where two answers differ, and only that: "" where they do not.
// Of two objects it is the first member that differs, of two lists what one has
// and the other has not.
func difference(want, got []byte) string {
	return differenceAt("", gjson.ParseBytes(want), gjson.ParseBytes(got))
}

// differenceAt compares two values of the same place in two answers.
func differenceAt(at string, want, got gjson.Result) (different string) {
	switch {
	case want.Raw == got.Raw:
		return ""
	case want.IsObject() && got.IsObject():
		for _, name := range members(want, got) {
			inner := name
			if at != "" {
				inner = at + "." + name
			}
			if different = differenceAt(inner, want.Map()[name], got.Map()[name]); different != "" {
				return different
			}
		}
		return "" // the same members in another order
	case want.IsArray() && got.IsArray():
		lost, added := missingFrom(want.Array(), got.Array()), missingFrom(got.Array(), want.Array())
		var parts []string
		if len(lost) > 0 {
			parts = append(parts, "would lose "+valueList(lost))
		}
		if len(added) > 0 {
			parts = append(parts, "would also have "+valueList(added))
		}
		if len(parts) == 0 {
			return at + " would have another order"
		}
		return at + " " + strings.Join(parts, " and ")
	}
	return fmt.Sprintf("%s is %s, and would be %s", at, valueText(want), valueText(got))
}

// members are the names in either object, sorted.
func members(objects ...gjson.Result) (names []string) {
	for _, o := range objects {
		for name := range o.Map() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missingFrom gives the elements of a list that another lacks; one that stands there
// twice has to be there twice.
func missingFrom(list, other []gjson.Result) (left []gjson.Result) {
	count := map[string]int{}
	for _, v := range other {
		count[v.Raw]++
	}
	for _, v := range list {
		if count[v.Raw]--; count[v.Raw] < 0 {
			left = append(left, v)
		}
	}
	return left
}

func valueList(values []gjson.Result) string {
	const most = 5
	var parts []string
	for _, v := range values[:min(most, len(values))] {
		parts = append(parts, valueText(v))
	}
	if left := len(values) - most; left > 0 {
		parts = append(parts, fmt.Sprintf("%d more", left))
	}
	return strings.Join(parts, ", ")
}

// valueText writes a value for people: a finding by its code and file, anything else
// as JSON, shortened.
func valueText(v gjson.Result) string {
	const most = 300
	switch code := v.Get("code").Str; {
	case v.Raw == "":
		return "missing"
	case v.IsObject() && code != "":
		if file := v.Get("file").Str; file != "" {
			return code + " for " + file
		}
		return code
	case len(v.Raw) > most:
		return strings.ToValidUTF8(v.Raw[:most], "") + " …"
	}
	return v.Raw
}
