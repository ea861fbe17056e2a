package steps

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// registrationSteps are the Given steps that add class names to those that the loader
// knows.
func (w *world) registrationSteps(r stepRegistrar) {
	r.group("Class names added to the built-in ones")
	r.Given(`^these classes are registered:$`, w.registerClasses, stepDoc{
		meaning: "Adds class names from a table with the columns class and category, and optionally task, model type and real name. An error in the table makes reading fail with \"malformed\" in \"registered classes\".",
		example: `these classes are registered:`,
		check:   checkClasses,
		below:   "| class          | category     | task      | model type | real name |\n| OurForCausalLM | transformers | causal_lm |            |           |",
	})
	r.Given(`^([0-9]+) other classes are registered$`, w.registerManyClasses, stepDoc{
		meaning: "Adds this many class names that no checkpoint has.",
		example: `10000 other classes are registered`,
	})
}

// classColumns are the columns of a table of classes, in the order that the loader
// reads.
var classColumns = []string{"class", "category", "task", "model type", "real name"}

// checkClasses checks a table of classes. What the loader finds wrong in one may be what the
// scenario is about.
func checkClasses(c *argumentCheck, _ []string) {
	if c.table() == nil {
		return
	}
	classes, err := readClasses(c.table())
	if err == nil && !c.expectsFailure {
		if err = c.Vocabulary.checkClasses(classes); err != nil {
			err = errorWithHint(`mend the table; a scenario about a wrong one says 'Then reading fails with "malformed"'`, "%w", err)
		}
	}
	c.add(BadTable, err)
}

func (w *world) registerClasses(table *engine.Table) error {
	classes, err := readClasses(table)
	w.options.Architectures += classes
	return err
}

// readClasses reads a table of classes. Its first row names the columns. The result is a table
// as the loader reads it.
func readClasses(table *engine.Table) (string, error) {
	if len(table.Rows) < 2 {
		return "", errors.New("the table has no classes: its first row names the columns (class, category, …)")
	}
	var columns []int // in classColumns
	for _, cell := range table.Rows[0].Cells {
		column := slices.Index(classColumns, cell.Value)
		if column < 0 {
			return "", fmt.Errorf("a table of classes has no column %q, %s", cell.Value, suggest.DidYouMean(cell.Value, classColumns))
		}
		columns = append(columns, column)
	}
	for i, name := range classColumns[:2] {
		if !slices.Contains(columns, i) {
			return "", fmt.Errorf("the table of classes has no column %q: write its name into the first row", name)
		}
	}
	var classes strings.Builder
	for _, row := range table.Rows[1:] {
		fields := slices.Repeat([]string{"-"}, len(classColumns))
		for i, cell := range row.Cells {
			if cell.Value != "" {
				fields[columns[i]] = cell.Value
			}
		}
		classes.WriteString(strings.Join(fields, "\t") + "\n")
	}
	return classes.String(), nil
}

func (w *world) registerManyClasses(n int) error {
	const limit = 50_000
	if n > limit {
		return fmt.Errorf("%d classes: at most %d are possible", n, limit)
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Registered%05dForCausalLM\ttransformers\tcausal_lm\n", i)
	}
	w.options.Architectures += b.String()
	return nil
}
