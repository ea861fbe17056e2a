package steps

import "slices"

// Tag is a tag with a meaning of its own. Any other tag is the user's.
type Tag struct {
	Name         string // with the @, without a value
	TakesValue   bool   // it may be written as NAME:VALUE
	NeedsValue   bool   // without a value it has no effect
	OnlyMeasured bool   // it has an effect only on scenarios that are measured
}

var tagTable = []Tag{
	{Name: "@benchmark", TakesValue: true},
	{Name: "@fails", TakesValue: true, NeedsValue: true},
	{Name: "@iterations", TakesValue: true, NeedsValue: true, OnlyMeasured: true},
	{Name: "@real"},
	{Name: "@retry", TakesValue: true, NeedsValue: true},
	{Name: "@slow"},
	{Name: "@threshold", TakesValue: true, NeedsValue: true, OnlyMeasured: true},
	{Name: "@timeout", TakesValue: true, NeedsValue: true},
	{Name: "@wip"},
}

// Tags returns the tags with a meaning of their own, sorted by name.
func Tags() []Tag { return slices.Clone(tagTable) }
