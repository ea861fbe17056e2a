package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// difference describes the first difference between two answers, "" if they are equal.
// Of objects it is the first member that differs, of lists the elements that only one
// of them has.
func difference(want, got []byte) string {
	return differenceAt("", gjson.ParseBytes(want), gjson.ParseBytes(got))
}

// differenceAt describes the difference between two values that are at the same place
// in two answers.
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
		return "" // equal, with the members in another order
	case want.IsArray() && got.IsArray():
		lost, added := missingFrom(want.Array(), got.Array()), missingFrom(got.Array(), want.Array())
		var parts []string
		if len(lost) > 0 {
			parts = append(parts, "would not have "+valueList(lost))
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

// members returns the names of the members of these objects, sorted.
func members(objects ...gjson.Result) (names []string) {
	for _, o := range objects {
		for name := range o.Map() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missingFrom returns the elements of list that other does not have. Duplicates count:
// an element that is in list twice must be in other twice.
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

// valueList writes at most five values, and the number of the others.
func valueList(values []gjson.Result) string {
	const limit = 5
	var parts []string
	for _, v := range values[:min(limit, len(values))] {
		parts = append(parts, valueText(v))
	}
	if left := len(values) - limit; left > 0 {
		parts = append(parts, fmt.Sprintf("%d more", left))
	}
	return strings.Join(parts, ", ")
}

// valueText writes a value for people: a finding as its code and file, anything else as
// JSON of limited length.
func valueText(v gjson.Result) string {
	const limit = 300 // bytes
	switch code := v.Get("code").Str; {
	case v.Raw == "":
		return "missing"
	case v.IsObject() && code != "":
		if file := v.Get("file").Str; file != "" {
			return code + " for " + file
		}
		return code
	case len(v.Raw) > limit:
		return strings.ToValidUTF8(v.Raw[:limit], "") + " …"
	}
	return v.Raw
}
