// Package steps turns the lines of a feature file into calls: it holds the
// vocabulary of the scenarios, one world per scenario, and the narrow door
// through which a loader under test is reached. It reads no bytes of a
// checkpoint and does no arithmetic: fixtures lay checkpoints out, the loader
// reads them, bench measures.
package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
)

// Setup is what the scenarios of one run share. Its fields are set before the
// first scenario and not changed after it. A Setup serves scenarios that run
// side by side, and must not be copied.
type Setup struct {
	// Subject is the loader under test; Loader gives ours.
	Subject Subject
	// Plan says how often a measured operation is called. Where Plan.Memory is
	// false, memory is measured only for the scenarios that bound it.
	Plan bench.Plan
	// Model is the directory of the real checkpoint for scenarios that ask for
	// one, or "": then they are skipped.
	Model string
	// Tags gives the tags of a scenario with the values of its Examples row
	// filled in, which a pickle does not carry. Where it is nil, the feature file
	// is read from the disk at the scenario's URI.
	Tags func(*godog.Scenario) ([]string, error)
	// Instrumented says that the program was built to find faults, which slows
	// every call several times: latency bounds are then noted and not judged.
	Instrumented bool
	// Collect takes the operation of each measured scenario, which is then carried
	// out once and not measured; its bounds are not judged. Nil measures.
	Collect func(bench.Subject)
	// Architectures is a table of class names that the loader is told of in every
	// scenario, see Options.
	Architectures string
	// LaterRounds says that whoever runs the scenarios runs one again, in a later
	// round, whose measurement exceeds a bound, see NextRound. Otherwise it is measured
	// again at once, after a breather.
	LaterRounds bool
	// Callers is how many callers at once each measured operation is made by, besides
	// the one that latencies are those of; below 2 means none.
	Callers int
	// Fresh carries a job out in a process that is started for it. The error is of
	// the kind ErrNoProcess where that cannot be done; so it is where Fresh is nil.
	Fresh func(context.Context, FreshJob) (*bench.Fresh, error)
	// Beside reads a file that lies beside, or below, the feature file of a
	// scenario. Where it is nil, it is read from the disk beside the scenario's
	// URI.
	Beside func(feature *godog.Scenario, name string) ([]byte, error)

	lane  sync.RWMutex                                                                       // held for writing by a measured operation, for reading by any other
	bench func(context.Context, bench.Plan, func() (any, error)) (*bench.Measurement, error) // nil means bench.Measure
	pause func()                                                                             // nil means a breather
	store store
	files featureFiles
}

// Record is what one scenario leaves behind besides its verdict. It is filled
// while the scenario runs and may be read when it has ended.
type Record struct {
	Benchmark  *bench.Result // nil where nothing was measured
	Warnings   []string      // notes on the measurement, for people
	SkipReason string        // why the scenario was skipped, for people
}

// Register gives one scenario a fresh world: all steps and the hooks around
// them. It is called once for each scenario, from a ScenarioInitializer.
func (s *Setup) Register(sc *godog.ScenarioContext) *Record {
	w := newWorld(s)
	w.laid = new(layout)
	v := &scenarioVocabulary{sc: sc, laid: w.laid}
	w.vocabulary(v)
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		return ctx, w.begin(p)
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
		return w.end(ctx)
	})
	return w.record
}

// Results gives what was measured, in the order in which it was measured. It is
// called when the scenarios have ended: a running one still adds to its result.
func (s *Setup) Results() []*bench.Result { return s.store.all() }

// measure samples an operation.
func (s *Setup) measure(ctx context.Context, plan bench.Plan, call func() (any, error)) (*bench.Measurement, error) {
	if s.bench != nil {
		return s.bench(ctx, plan, call)
	}
	return bench.Measure(ctx, plan, call)
}

// Reserved tags have a meaning of their own and are never a category.
var reservedTags = []string{"@real", "@slow", "@wip"}

var categories = []string{"architecture", "comparison", "detection", "memory", "regression", "sae", "support", "tokenizer"}

// Categories gives the built-in categories of scenarios, sorted. Each is a tag
// with an @ before it.
func Categories() []string { return slices.Clone(categories) }

// Category gives the category that a scenario's tags put it in: the last of the
// built-in ones among them, else the last tag that has no meaning of its own and
// no colon, else "". The tags carry their @, inherited ones first.
func Category(tags []string) string {
	for _, tag := range slices.Backward(tags) {
		if name := strings.TrimPrefix(tag, "@"); slices.Contains(categories, name) {
			return name
		}
	}
	for _, tag := range slices.Backward(tags) {
		if !slices.Contains(reservedTags, tag) && tag != benchmarkTag && !strings.Contains(tag, ":") {
			return strings.TrimPrefix(tag, "@")
		}
	}
	return ""
}

const benchmarkTag = "@benchmark"

// BenchmarkName gives the name under which a measured scenario stands in the
// results file: what follows "@benchmark:" in its tags, else the scenario's name
// in snake case. The tags are those of ExpandTags.
func BenchmarkName(tags []string, scenario string) string {
	for _, tag := range slices.Backward(tags) {
		if name, ok := strings.CutPrefix(tag, benchmarkTag+":"); ok && name != "" {
			return name
		}
	}
	return snakeCase(scenario)
}

// snakeCase keeps letters and digits of any script, in lower case, and puts one
// underscore for each run of anything else.
func snakeCase(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "_")
}

// Measured says whether the operation of a scenario with these tags and step
// texts is measured: one of its steps bounds what it may cost, several callers make
// it at once, or it carries @benchmark.
func Measured(tags []string, steps []string) bool {
	for _, tag := range tags {
		if tag == benchmarkTag || strings.HasPrefix(tag, benchmarkTag+":") {
			return true
		}
	}
	return slices.ContainsFunc(steps, func(text string) bool {
		return slices.ContainsFunc(matching(messages.PickleStepType_UNKNOWN, text), func(e *entry) bool { return e.about.bounds != none })
	})
}

// store keeps the results of a run. Its zero value is empty and ready.
type store struct {
	mu      sync.Mutex
	order   []*bench.Result
	results map[string]*bench.Result
	earlier map[string]bool // names of what was measured in a round before this one, and not yet in it
}

// nextRound begins a round in which what was measured may be measured again.
func (s *store) nextRound() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier = make(map[string]bool, len(s.results))
	for name := range s.results {
		s.earlier[name] = true
	}
}

// add keeps a result. Two of one name in one round are an error: the second would
// hide the first in the results file.
func (s *store) add(r *bench.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, taken := s.results[r.Name]; taken {
		if s.earlier[r.Name] {
			delete(s.earlier, r.Name)
			s.order[slices.Index(s.order, before)], s.results[r.Name] = r, r
			return nil
		}
		return fmt.Errorf("two benchmarks of this run are called %q: give one of them a tag %s:NAME", r.Name, benchmarkTag)
	}
	if s.results == nil {
		s.results = make(map[string]*bench.Result)
	}
	s.results[r.Name] = r
	s.order = append(s.order, r)
	return nil
}

// replace puts a better measurement in the place of a result that was added.
func (s *store) replace(r, better *bench.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*r = *better
}

// measurement gives what was measured under a name, or nil.
func (s *store) measurement(name string) *bench.Measurement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.results[name]; ok {
		return r.Measurement
	}
	return nil
}

// names gives the names of what was measured, in the order of measuring.
func (s *store) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.order))
	for i, r := range s.order {
		names[i] = r.Name
	}
	return names
}

func (s *store) all() []*bench.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}
