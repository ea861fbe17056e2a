package suite

import (
	"io"
	"sync"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
)

// listener is the name of our formatter: godog tells a formatter, and nobody
// else, which file and line its ids stand for. It writes nothing.
const listener = "omniloader"

// listeners holds the function to tell, by the name of the run. godog's
// formatters are registered for the whole process, so this must be too.
var listeners sync.Map

var register = sync.OnceFunc(func() {
	godog.Format(listener, "tells the suite where scenarios stand", func(run string, _ io.Writer) godog.Formatter {
		tell, _ := listeners.Load(run)
		f, _ := tell.(func(string, map[string]int))
		return placeFormatter{tell: f}
	})
})

// listen has tell called for each feature of a run before its first scenario
// starts, with the lines of its scenarios and rows by godog's ids.
func listen(run string, tell func(uri string, lines map[string]int)) {
	register()
	listeners.Store(run, tell)
}

func unlisten(run string) { listeners.Delete(run) }

type placeFormatter struct {
	tell func(uri string, lines map[string]int)
}

func (f placeFormatter) Feature(doc *messages.GherkinDocument, uri string, _ []byte) {
	if f.tell != nil {
		f.tell(uri, outcome.ScenarioLines(doc.Feature))
	}
}

func (placeFormatter) TestRunStarted()                                                         {}
func (placeFormatter) Pickle(*messages.Pickle)                                                 {}
func (placeFormatter) Defined(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)   {}
func (placeFormatter) Passed(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)    {}
func (placeFormatter) Skipped(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)   {}
func (placeFormatter) Undefined(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition) {}
func (placeFormatter) Pending(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)   {}
func (placeFormatter) Failed(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition, error) {
}
func (placeFormatter) Ambiguous(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition, error) {
}
func (placeFormatter) Summary() {}
