package suite

import (
	"errors"
	"maps"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
	"omniloader/steps"
)

// RunFileFeatures returns the records of the features that have a selected scenario or a
// problem.
func (p *Plan) RunFileFeatures() []runfile.Feature {
	var records []runfile.Feature
	for i, f := range p.features {
		problems := p.fileProblems(f)
		if len(problems) > 0 || slices.ContainsFunc(f.Scenarios, func(s *Scenario) bool { return p.chosen[s] }) {
			feature := f.outcome()
			feature.Problems = problems
			record := runfile.NewFeature(&feature)
			record.Position = i + 1
			records = append(records, record)
		}
	}
	return records
}

// FeaturesHash returns the hash of the feature files of the plan. All shards of a plan have
// the same.
func (p *Plan) FeaturesHash() string { return runfile.FeaturesHash(p.undivided().RunFileFeatures()) }

// PlanHash returns the hash of the identities of the selected scenarios, and of their
// models where the run has several. All shards of a plan have the same.
func (p *Plan) PlanHash() string { return runfile.PlanHash(maps.Keys(p.newRecords(nil).ids())) }

// records writes the records of scenarios to a run file. A nil *records writes nothing.
type records struct {
	plan       *Plan
	file       *runfile.Writer
	features   map[string]*outcome.Feature // by URI
	identities map[*Scenario]runfile.Identity
	positions  map[*Scenario]int
	loader     string // in the keys of results; "" for the built-in one
}

func (p *Plan) newRecords(file *runfile.Writer) *records {
	r := &records{plan: p, file: file, features: map[string]*outcome.Feature{}, identities: map[*Scenario]runfile.Identity{}, positions: map[*Scenario]int{}}
	for _, f := range p.features {
		feature := f.outcome()
		r.features[f.URI] = &feature
	}
	all := identities(p.features)
	for i, s := range p.undivided().Scenarios() {
		r.identities[s], r.positions[s] = all[s], i+1
	}
	return r
}

func (r *records) ids() map[string]bool {
	ids := map[string]bool{}
	for s, identity := range r.identities {
		id := identity.ID()
		if s.Model != "" {
			id += " " + s.Model
		}
		ids[id] = true
	}
	return ids
}

// write writes the record of a scenario that has ended. worker is 0 where it is not known.
func (r *records) write(s *Scenario, o *outcome.Scenario, worker int) {
	if r == nil || o == nil {
		return
	}
	record := runfile.NewScenario(r.features[s.URI], o, runfile.Details{
		Identity: r.identities[s], Position: r.positions[s], Kinds: kindNames(r.plan.kinds(s)), Worker: worker, Loader: r.loader, Model: s.modelDir,
		Errors: runfile.Errors{Explain: explainFailure},
	})
	r.file.Scenario(&record)
}

var kindName = map[messages.PickleStepType]string{
	messages.PickleStepType_CONTEXT: runfile.Given, messages.PickleStepType_ACTION: runfile.When, messages.PickleStepType_OUTCOME: runfile.Then,
}

func kindNames(kinds []messages.PickleStepType) []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kindName[kind]
	}
	return names
}

// explainFailure gives what an error says besides its message.
func explainFailure(err error) (f runfile.Failure) {
	var p *PanicError
	if errors.As(err, &p) {
		f.Stack = runfile.Text(p.Stack)
	}
	var hung *HungError
	if errors.As(err, &hung) {
		f.Stack = runfile.Text(hung.Stack)
	}
	return f
}

// newEvidence describes what a failed scenario was judged on.
func newEvidence(e steps.Evidence) *outcome.Evidence {
	evidence := &runfile.Evidence{Operation: e.Operation, DecidedBy: runfile.Text(e.DecidedBy)}
	if e.FS != nil { // fake steps have none
		evidence.Tree = runfile.NewTree(e.FS, e.Dir)
	}
	if e.Answer != "" {
		evidence.Answer = runfile.NewExcerpt(e.Answer, runfile.MaxAnswer)
		evidence.Answer.Text = runfile.Text(strings.Clone(string(evidence.Answer.Text))) // keeps no large answer alive
	}
	return evidence.ToOutcome()
}
