package steps

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cucumber/godog"

	"omniloader/internal/suggest"
)

// registrationSteps are the Given steps about class names that the loader is told
// of when it is made.
func (w *world) registrationSteps(v stepRegistrar) {
	v.group("Class names that are added when the program runs")
	v.Given(`^these classes are registered:$`, w.registerClasses, stepDoc{
		meaning: "The loader is told of more class names: a table with the columns class and category, and perhaps task, model type and real name. What is wrong in it is a failure of kind \"malformed\" in \"registered classes\".",
		example: `these classes are registered:`,
	})
	v.Given(`^([0-9]+) other classes are registered$`, w.registerManyClasses, stepDoc{
		meaning: "The loader is told of so many class names that no checkpoint has.",
		example: `10000 other classes are registered`,
	})
}

// classColumns are the columns of a table of classes, in the order of the loader's.
var classColumns = []string{"class", "category", "task", "model type", "real name"}

func (w *world) registerClasses(table *godog.Table) error {
	if len(table.Rows) < 2 {
		return errors.New("the table has no classes: its first row names the columns (class, category, …)")
	}
	var places []int
	for _, cell := range table.Rows[0].Cells {
		place := slices.Index(classColumns, cell.Value)
		if place < 0 {
			return fmt.Errorf("a table of classes has no column %q, %s", cell.Value, suggest.DidYouMean(cell.Value, classColumns))
		}
		places = append(places, place)
	}
	for _, row := range table.Rows[1:] {
		fields := slices.Repeat([]string{"-"}, len(classColumns))
		for i, cell := range row.Cells {
			if cell.Value != "" {
				fields[places[i]] = cell.Value
			}
		}
		w.options.Architectures += strings.Join(fields, "\t") + "\n"
	}
	return nil
}

func (w *world) registerManyClasses(n int) error {
	const most = 50_000
	if n > most {
		return fmt.Errorf("%d classes: at most %d are possible", n, most)
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Registered%05dForCausalLM\ttransformers\tcausal_lm\n", i)
	}
	w.options.Architectures += b.String()
	return nil
}
