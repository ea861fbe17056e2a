package engine

import (
	"iter"
	"reflect"

	gherkin "github.com/cucumber/gherkin/go/v42"
)

// Languages gives the languages of Gherkin, each with its code, in any order.
func Languages() iter.Seq2[string, *gherkin.Dialect] {
	return func(yield func(string, *gherkin.Dialect) bool) {
		all := gherkin.DialectsBuiltin()
		table := reflect.ValueOf(all) // gherkin exports no list of what is in it
		if table.Kind() != reflect.Map {
			return
		}
		for _, key := range table.MapKeys() {
			if !yield(key.String(), all.GetDialect(key.String())) {
				return
			}
		}
	}
}
