package runfile

import (
	"cmp"
	"io"

	"omniloader/internal/outcome"
)

// FromOutcome makes a run file of a run that is over. header has what the run does not
// know: the selection, the loaders, the order; details gives it for each scenario, nil
// where nothing is known. Where details gives no position or no number of an identity, it
// is counted.
//
// ToOutcome of the file is the run again, with these differences: an error is a *ReadError
// of the same text and hint; times are in UTC and of the wall clock alone, so that two of
// them compare as they read; and features without scenarios and problems are left out.
func FromOutcome(run *outcome.Run, header Header, details func(*outcome.Feature, *outcome.Scenario) Details) *File {
	file := &File{Header: header, Comparison: run.Comparison}
	h := &file.Header
	h.complete()
	h.Version, h.Started, h.Host = run.Version, utc(run.Started), NewHost(run.Origin)
	if commit, ok := run.Origin.Environment["commit"].(string); ok && h.Commit == "" {
		h.Commit = commit
	}
	if h.LeftOut == nil {
		h.LeftOut = run.LeftOut
	}
	numberings := map[[2]string]*Numbering{} // by loader and model: each has every scenario
	end := newEnd(run, h.LeftOut)
	end.Statuses = map[outcome.Status]int{}
	for i := range run.Features {
		f := &run.Features[i]
		feature := NewFeature(f)
		feature.Position = i + 1
		file.Features = append(file.Features, feature)
		for j := range f.Scenarios {
			s := &f.Scenarios[j]
			var d Details
			if details != nil {
				d = details(f, s)
			}
			if d.Position == 0 {
				d.Position = len(file.Scenarios) + 1
			}
			if d.Identity.Number == 0 {
				d.Identity.File = cmp.Or(d.Identity.File, f.URI)
				d.Identity.Rule, d.Identity.Name = s.Rule, s.NameInFile()
				of := [2]string{d.Loader, d.Model}
				if numberings[of] == nil {
					numberings[of] = new(Numbering)
				}
				numberings[of].Assign(&d.Identity)
			}
			record := NewScenario(f, s, d)
			end.Statuses[record.Status]++
			file.Scenarios = append(file.Scenarios, record)
		}
	}
	end.Scenarios = len(file.Scenarios)
	h.Planned = max(h.Planned, end.Scenarios)
	file.End = end
	return file
}

// Read reads a run file as a whole, at most MaxFile bytes. path is for errors only, which
// are *Error.
func Read(r io.Reader, path string) (*File, error) {
	reader, err := NewReader(r, path)
	if err != nil {
		return nil, err
	}
	return reader.all()
}

// Statuses lists the statuses that this version knows. A reader keeps one that it does not
// know.
func Statuses() []outcome.Status {
	return []outcome.Status{outcome.Passed, outcome.Failed, outcome.Skipped, outcome.Undefined, outcome.Ambiguous, outcome.Pending,
		outcome.CouldNotJudge, outcome.Flaky, outcome.ExpectedFailure, outcome.NotOffered}
}
