package registry

import (
	_ "embed"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/table"
)

//go:embed auto_classes.tsv
var autoClassesTSV string

// AutoClass is one line of auto_classes.tsv.
type AutoClass struct {
	Name     string
	Category answer.Category
	Task     answer.Task
	Priority string // "first" or "last"
}

// AutoClasses says which task a key of auto_map names.
var AutoClasses = sync.OnceValue(func() map[string]AutoClass {
	m := map[string]AutoClass{}
	for f := range table.Rows(autoClassesTSV) {
		m[f[0]] = AutoClass{f[0], answer.Category(f[1]), answer.Task(f[2]), f[3]}
	}
	return m
})
