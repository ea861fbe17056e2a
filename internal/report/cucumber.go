package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"omniloader/internal/outcome"
)

// The objects of Cucumber JSON, as cucumber-jvm writes them, which most consumers expect.
type (
	cucumberFeature struct {
		URI         string            `json:"uri"`
		ID          string            `json:"id"`
		Keyword     string            `json:"keyword"`
		Name        string            `json:"name"`
		Description string            `json:"description"`
		Line        int               `json:"line"`
		Tags        []cucumberTag     `json:"tags"`
		Elements    []cucumberElement `json:"elements"`
	}
	cucumberTag struct {
		Name string `json:"name"`
		Line int    `json:"line"`
	}
	cucumberElement struct {
		ID             string         `json:"id,omitempty"`
		Keyword        string         `json:"keyword"`
		Type           string         `json:"type"`
		Name           string         `json:"name"`
		Description    string         `json:"description"`
		Line           int            `json:"line"`
		StartTimestamp string         `json:"start_timestamp,omitempty"`
		Tags           []cucumberTag  `json:"tags,omitempty"`
		Before         []cucumberHook `json:"before,omitempty"`
		Steps          []cucumberStep `json:"steps"`
		After          []cucumberHook `json:"after,omitempty"`
	}
	cucumberHook struct {
		Match  cucumberMatch  `json:"match"`
		Result cucumberResult `json:"result"`
	}
	cucumberStep struct {
		Keyword    string              `json:"keyword"`
		Name       string              `json:"name"`
		Line       int                 `json:"line"`
		Match      cucumberMatch       `json:"match"`
		Result     cucumberResult      `json:"result"`
		DocString  *cucumberDocString  `json:"doc_string,omitempty"`
		Rows       []cucumberRow       `json:"rows,omitempty"`
		Embeddings []cucumberEmbedding `json:"embeddings,omitempty"`
	}
	cucumberMatch struct {
		Location string `json:"location,omitempty"`
	}
	cucumberResult struct {
		Status       string `json:"status"`
		Duration     int64  `json:"duration"` // nanoseconds
		ErrorMessage string `json:"error_message,omitempty"`
	}
	cucumberDocString struct {
		Value       string `json:"value"`
		ContentType string `json:"content_type"`
		Line        int    `json:"line"`
	}
	cucumberRow struct {
		Cells []string `json:"cells"`
	}
	cucumberEmbedding struct {
		Data     []byte `json:"data"` // base64 in JSON
		MimeType string `json:"mime_type"`
		Name     string `json:"name"`
	}
)

// Cucumber writes Cucumber JSON: an array of features. A background is an element
// of its own before each scenario, of type "background", with that scenario's
// results, as consumers expect it. A benchmark's result, as in the results file,
// and its verdict in a comparison with a baseline are embedded in the last step as
// application/json; warnings, the reason of a skip, earlier attempts and what a failed
// scenario was judged on as text/plain.
//
// Consumers refuse statuses that they do not know. A step that is ambiguous or could not be
// judged is failed, with "could not be judged" at the start of its message; a failed step of
// an expected failure is skipped. What belongs to no step of a scenario is a failed hook.
// What belongs to no feature is in a feature "omniloader", with the headline as description:
// a file that does not parse, a problem of the run and a regression are failed elements of it.
func Cucumber(w io.Writer, run *outcome.Run, _ Options) error {
	features := make([]cucumberFeature, 0, len(run.Features)+1)
	if f, needed := cucumberRun(run); needed {
		features = append(features, f)
	}
	for i := range run.Features {
		if run.Features[i].Line == 0 && len(run.Features[i].Scenarios) == 0 && len(run.Features[i].Problems) > 0 {
			continue // did not parse; see cucumberRun
		}
		f, err := cucumberFeatureOf(&run.Features[i])
		if err != nil {
			return err
		}
		features = append(features, f)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(features)
}

// cucumberRun is a feature for what belongs to no other one. It is needed where they do
// not say all.
func cucumberRun(run *outcome.Run) (f cucumberFeature, needed bool) {
	f = cucumberFeature{
		ID: "omniloader", Keyword: "Feature", Name: "omniloader", Description: Headline(run, Options{}),
		Tags: []cucumberTag{}, Elements: []cucumberElement{},
	}
	add := func(name string, line int, status outcome.Status, message string) {
		f.Elements = append(f.Elements, cucumberElement{
			ID: fmt.Sprintf("omniloader;%d", len(f.Elements)+1), Keyword: "Scenario", Type: "scenario", Name: oneLine(name), Line: line, Steps: []cucumberStep{{
				Keyword: "* ", Name: oneLine(name), Line: line, Result: cucumberResult{Status: string(status), ErrorMessage: message},
			}},
		})
	}
	problems := func(name string, all outcome.Problems) {
		if len(all) > 0 {
			reasons := make([]located, len(all))
			for i, p := range all {
				reasons[i] = ofProblem(p)
			}
			add(name, all[0].Line, outcome.Failed, couldNotBeJudged+plainReasons(reasons))
		}
	}
	problems("the run", run.Problems)
	for i := range run.Features {
		problems(run.Features[i].URI, run.Features[i].Problems)
	}
	slower := outcome.Failed
	if run.RegressionsAllowed {
		slower = outcome.Skipped
	}
	for _, change := range regressions(run.Comparison) {
		add("slower than the baseline: "+change.Key().String(), 0, slower, changeInWords(run.Comparison, change))
	}
	return f, len(f.Elements)+len(run.LeftOut) > 0 || run.Interrupted
}

// couldNotBeJudged begins the messages of what could not be judged, in formats that have no
// status for it.
const couldNotBeJudged = "could not be judged: "

func cucumberFeatureOf(f *outcome.Feature) (cucumberFeature, error) {
	id := slug(f.Name)
	out := cucumberFeature{
		URI: f.URI, ID: id, Keyword: f.Keyword, Name: f.Name, Description: f.Description, Line: f.Line,
		Tags: cucumberTags(f.Tags), Elements: []cucumberElement{},
	}
	taken := map[string]bool{}
	for i := range f.Scenarios {
		s := locatedScenario{&f.Scenarios[i], f}
		elements, err := cucumberScenario(s, id)
		if err != nil {
			return out, err
		}
		scenario := &elements[len(elements)-1]
		if taken[scenario.ID] { // another scenario above has that name
			scenario.ID += fmt.Sprintf(";;%d", scenario.Line)
		}
		taken[scenario.ID] = true
		out.Elements = append(out.Elements, elements...)
	}
	return out, nil
}

func cucumberScenario(s locatedScenario, featureID string) ([]cucumberElement, error) {
	var background, steps []cucumberStep
	for i := range s.Steps {
		step := cucumberStepOf(s, &s.Steps[i])
		if s.Steps[i].Background {
			background = append(background, step)
		} else {
			steps = append(steps, step)
		}
	}
	embeddings, err := cucumberEmbeddings(s)
	if err != nil {
		return nil, err
	}
	if attempts := s.attempts(); len(attempts) > 0 {
		embeddings = append(embeddings, cucumberEmbedding{Data: []byte(strings.Join(attempts, "\n")), MimeType: "text/plain", Name: "attempts"})
	}
	last := steps
	if len(last) == 0 {
		last = background
	}
	if len(last) > 0 {
		last[len(last)-1].Embeddings = embeddings
	}

	started := ""
	if !s.Started.IsZero() {
		started = s.Started.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	var elements []cucumberElement
	if len(background) > 0 {
		elements = append(elements, cucumberElement{
			// the line before its first step, as a run does not keep the line of the background
			Keyword: "Background", Type: "background", Line: max(1, background[0].Line-1),
			StartTimestamp: started, Steps: background,
		})
		started = ""
	}
	if steps == nil {
		steps = []cucumberStep{}
	}
	id := featureID + ";" + slug(s.Name)
	if s.Rule != "" {
		id = featureID + ";" + slug(s.Rule) + ";" + slug(s.Name)
	}
	if s.Outline > 0 {
		id += fmt.Sprintf(";;%d", s.Line) // a different id for each row
	}
	before, after := cucumberHooks(s)
	return append(elements, cucumberElement{
		Before: before, After: after,
		ID: id, Keyword: s.Keyword, Type: "scenario", Name: s.Name, Description: s.Description, Line: s.Line,
		StartTimestamp: started, Tags: cucumberTags(s.Tags), Steps: steps,
	}), nil
}

// cucumberHooks gives the problems and the error of a scenario that belong to no step.
func cucumberHooks(s locatedScenario) (before, after []cucumberHook) {
	if !s.failed() && !s.unjudged() {
		return nil, nil
	}
	for _, r := range s.reasons() {
		if r.at != nil {
			continue
		}
		message := r.plain()
		if r.status.Unjudged() {
			message = couldNotBeJudged + message
		}
		hook := cucumberHook{Result: cucumberResult{Status: string(outcome.Failed), ErrorMessage: message}}
		if s.unjudged() {
			before = append(before, hook)
		} else {
			after = append(after, hook)
		}
	}
	return before, after
}

func cucumberStepOf(s locatedScenario, step *outcome.Step) cucumberStep {
	out := cucumberStep{
		Keyword: step.Keyword, Name: step.Text, Line: step.Line,
		Match:  cucumberMatch{Location: step.Definition},
		Result: cucumberResult{Status: string(step.Status), Duration: step.Duration.Nanoseconds()},
	}
	switch step.Status {
	case outcome.Passed, outcome.Skipped:
	case outcome.NotOffered:
		out.Result.Status = string(outcome.Skipped)
	default:
		out.Result.ErrorMessage = reasonOf(step).plain()
		switch {
		case s.Status == outcome.ExpectedFailure:
			out.Result.Status = string(outcome.Skipped)
		case step.Status == outcome.Ambiguous, step.Status == outcome.CouldNotJudge:
			out.Result.Status = string(outcome.Failed)
			out.Result.ErrorMessage = couldNotBeJudged + out.Result.ErrorMessage
		}
	}
	if step.Status == "" {
		out.Result.Status = string(outcome.Skipped)
		out.Result.ErrorMessage = ""
	}
	if d := step.DocString; d != nil {
		out.DocString = &cucumberDocString{Value: d.Content, ContentType: d.MediaType, Line: d.Line}
	}
	for _, cells := range step.Table {
		out.Rows = append(out.Rows, cucumberRow{Cells: cells})
	}
	return out
}

func cucumberEmbeddings(s locatedScenario) ([]cucumberEmbedding, error) {
	var all []cucumberEmbedding
	if s.Benchmark != nil {
		data, err := json.Marshal(s.Benchmark)
		if err != nil {
			return nil, fmt.Errorf("the result of %q: %w", s.Benchmark.Name, err)
		}
		all = append(all, cucumberEmbedding{Data: data, MimeType: "application/json", Name: "benchmark " + s.Benchmark.Name})
	}
	if s.Change != nil {
		data, err := json.Marshal(s.Change)
		if err != nil {
			return nil, fmt.Errorf("the comparison of %q: %w", s.Change.Name, err)
		}
		all = append(all, cucumberEmbedding{Data: data, MimeType: "application/json", Name: "comparison " + s.Change.Name})
	}
	if warnings := s.allWarnings(); len(warnings) > 0 {
		all = append(all, cucumberEmbedding{Data: []byte(strings.Join(warnings, "\n")), MimeType: "text/plain", Name: "warnings"})
	}
	text := func(name, content string) {
		if content != "" {
			all = append(all, cucumberEmbedding{Data: []byte(content), MimeType: "text/plain", Name: name})
		}
	}
	switch s.Status.Group() {
	case outcome.Skipped:
		text("skipped", s.SkipReason)
	case outcome.ExpectedFailure:
		text(string(outcome.ExpectedFailure), "failed as expected, "+s.expectedReason())
	case outcome.Failed:
		text("judged on", strings.TrimPrefix(s.judgedOn(), "\n"))
	}
	return all, nil
}

func cucumberTags(tags []outcome.Tag) []cucumberTag {
	out := make([]cucumberTag, len(tags))
	for i, t := range tags {
		out[i] = cucumberTag(t)
	}
	return out
}

// slug makes an id of a name: lower case, words joined by hyphens.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}
