package suite

import (
	"io"
	"sync"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
)

// placeFormat is the name of a formatter that writes nothing: godog passes the parsed
// features, which are needed to find the line that an id stands for, only to formatters.
const placeFormat = "omniloader"

// listeners holds the function to call for each feature, by the name of the run. It is
// global because godog's formatters are.
var listeners sync.Map

var register = sync.OnceFunc(func() {
	godog.Format(placeFormat, "passes the lines of scenarios to the suite", func(run string, _ io.Writer) godog.Formatter {
		listener, _ := listeners.Load(run)
		f, _ := listener.(func(string, map[string]int))
		return placeFormatter{onFeature: f}
	})
})

// listen has onFeature called for each feature of a run, before its first scenario
// starts, with the lines of its scenarios and Examples rows by godog's ids.
func listen(run string, onFeature func(uri string, lines map[string]int)) {
	register()
	listeners.Store(run, onFeature)
}

func unlisten(run string) { listeners.Delete(run) }

type placeFormatter struct {
	onFeature func(uri string, lines map[string]int)
}

func (f placeFormatter) Feature(doc *messages.GherkinDocument, uri string, _ []byte) {
	if f.onFeature != nil {
		f.onFeature(uri, outcome.ScenarioLines(doc.Feature))
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
