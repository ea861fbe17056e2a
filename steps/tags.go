package steps

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
)

// ExpandTags returns the tags of a pickle, each with its @, inherited ones first, with
// <placeholders> replaced by the values of its Examples row. Gherkin itself replaces
// placeholders in names and steps, but not in tags. The pickle must have been compiled
// from doc.
func ExpandTags(doc *messages.GherkinDocument, pickle *messages.Pickle) []string {
	tags := make([]string, len(pickle.Tags))
	for i, tag := range pickle.Tags {
		tags[i] = tag.Name
	}
	if len(pickle.AstNodeIds) < 2 || doc.Feature == nil {
		return tags
	}
	header, row := examplesRow(doc.Feature, pickle.AstNodeIds[1])
	for i := range tags {
		for j, cell := range header {
			tags[i] = strings.ReplaceAll(tags[i], "<"+cell.Value+">", row[j].Value)
		}
	}
	return tags
}

// examplesRow finds the row with this id, and the header above it.
func examplesRow(feature *messages.Feature, id string) (header, row []*messages.TableCell) {
	var scenarios []*messages.Scenario
	for _, child := range feature.Children {
		if child.Scenario != nil {
			scenarios = append(scenarios, child.Scenario)
		}
		if child.Rule != nil {
			for _, c := range child.Rule.Children {
				if c.Scenario != nil {
					scenarios = append(scenarios, c.Scenario)
				}
			}
		}
	}
	for _, scenario := range scenarios {
		for _, examples := range scenario.Examples {
			for _, r := range examples.TableBody {
				if r.Id == id {
					return examples.TableHeader.Cells, r.Cells
				}
			}
		}
	}
	return nil, nil
}

// featureFiles finds the tags of scenarios when the parsed feature is not available, as
// under godog's own command, by reading the feature file again. Its zero value is ready
// to use.
type featureFiles struct {
	mu     sync.Mutex
	parsed map[string]*parsedFeature
}

type parsedFeature struct {
	doc     *messages.GherkinDocument
	pickles []*messages.Pickle
	err     error
}

// lineSuffix is the line that godog appends to the path of a feature.
var lineSuffix = regexp.MustCompile(`:[0-9]+$`)

// tags returns the tags of a scenario with the values of its Examples row filled in.
func (f *featureFiles) tags(pickle *messages.Pickle) ([]string, error) {
	tags := ExpandTags(&messages.GherkinDocument{}, pickle)
	if len(pickle.AstNodeIds) < 2 || !slices.ContainsFunc(tags, func(t string) bool { return strings.Contains(t, "<") }) {
		return tags, nil
	}
	feature := f.feature(lineSuffix.ReplaceAllString(pickle.Uri, ""))
	if feature.err != nil {
		return nil, fmt.Errorf("filling in the tags of an outline: %w", feature.err)
	}
	// Ids differ each time a file is parsed, so the scenario is found by its text.
	var found []string
	for _, p := range feature.pickles {
		if !sameScenario(p, pickle) {
			continue
		}
		expanded := ExpandTags(feature.doc, p)
		if found != nil && !slices.Equal(found, expanded) {
			return nil, fmt.Errorf("%s: two Examples rows give the same scenario %q with different tags: use the column in its name or in a step", pickle.Uri, pickle.Name)
		}
		found = expanded
	}
	if found == nil {
		return nil, fmt.Errorf("%s has no scenario %q any more: the file changed during the run", pickle.Uri, pickle.Name)
	}
	return found, nil
}

func (f *featureFiles) feature(path string) *parsedFeature {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.parsed[path]; ok {
		return p
	}
	p := new(parsedFeature)
	if text, err := os.ReadFile(path); err != nil {
		p.err = err
	} else {
		newID := (&messages.Incrementing{}).NewId
		if p.doc, p.err = gherkin.ParseGherkinDocument(bytes.NewReader(text), newID); p.err == nil {
			p.pickles = gherkin.Pickles(*p.doc, path, newID)
		}
	}
	if f.parsed == nil {
		f.parsed = make(map[string]*parsedFeature)
	}
	f.parsed[path] = p
	return p
}

// sameScenario says whether two pickles of one file have the same text.
func sameScenario(a, b *messages.Pickle) bool {
	return a.Name == b.Name &&
		slices.EqualFunc(a.Tags, b.Tags, func(x, y *messages.PickleTag) bool { return x.Name == y.Name }) &&
		slices.EqualFunc(a.Steps, b.Steps, func(x, y *messages.PickleStep) bool {
			return x.Text == y.Text && argumentText(x) == argumentText(y)
		})
}

func argumentText(step *messages.PickleStep) string {
	switch {
	case step.Argument == nil:
		return ""
	case step.Argument.DocString != nil:
		return step.Argument.DocString.Content
	case step.Argument.DataTable != nil:
		var b strings.Builder
		for _, row := range step.Argument.DataTable.Rows {
			for _, cell := range row.Cells {
				fmt.Fprintf(&b, "%q ", cell.Value)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	return ""
}
