package registry

import (
	_ "embed"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/table"
)

//go:embed auto_classes.tsv
var autoClassesTSV string

// AutoClass is one row of auto_classes.tsv.
type AutoClass struct {
	Name     string
	Category answer.Category
	Task     answer.Task
	Priority string // "first" or "last": which rule "auto" of class_rules.tsv uses it
}

// AutoClasses gives the rows of auto_classes.tsv by the key of auto_map.
var AutoClasses = sync.OnceValue(func() map[string]AutoClass {
	m := map[string]AutoClass{}
	for f := range table.Rows(autoClassesTSV) {
		m[f[0]] = AutoClass{f[0], answer.Category(f[1]), answer.Task(f[2]), f[3]}
	}
	return m
})
