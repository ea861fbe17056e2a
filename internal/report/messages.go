package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
)

// protocol is the version of the messages, that of the package that has their types.
const protocol = "34.2.1"

// Messages writes a run as Cucumber Messages, one JSON object a line: the features
// as they were read, the step definitions, and what happened to each scenario.
// Only the scenarios that were selected have a pickle. What was measured is attached
// to a scenario's last step, as in the Cucumber JSON.
//
// The messages are those of https://github.com/cucumber/messages. Their order is that
// of cucumber-js: a message comes after those that it refers to.
func Messages(w io.Writer, run *outcome.Run, _ Options) error {
	s := &messageStream{encoder: json.NewEncoder(w), run: run, newID: (&messages.Incrementing{}).NewId, definitions: map[definition]string{}}
	s.sendMeta()
	var all []testCase
	for i := range run.Features {
		f := &run.Features[i]
		if len(f.Scenarios) == 0 {
			continue
		}
		cases, err := s.sendFeature(f)
		if err != nil {
			return err
		}
		all = append(all, cases...)
	}
	for _, c := range all {
		s.sendStepDefinitions(c)
	}
	s.send(&messages.Envelope{TestRunStarted: &messages.TestRunStarted{Timestamp: timestamp(run.Started)}})
	for i := range all {
		s.sendTestCase(&all[i])
	}
	for i := range all {
		s.sendTestCaseEvents(&all[i])
	}
	s.sendRunFinished()
	return s.err
}

// messageStream writes messages. It keeps the first error of the writer and writes nothing
// after it.
type messageStream struct {
	encoder     *json.Encoder
	run         *outcome.Run
	newID       func() string
	definitions map[definition]string // the id of each
	err         error
}

// definition identifies a step definition.
type definition struct{ pattern, location string }

// testCase is a scenario with its pickle.
type testCase struct {
	locatedScenario
	pickle  *messages.Pickle
	id      string
	stepIDs []string // of the test steps, one for each step of the pickle
}

func (s *messageStream) send(e *messages.Envelope) {
	if s.err == nil {
		s.err = s.encoder.Encode(e)
	}
}

func (s *messageStream) sendMeta() {
	goos, goarch, _ := strings.Cut(s.run.Origin.Platform, "/")
	s.send(&messages.Envelope{Meta: &messages.Meta{
		ProtocolVersion: protocol,
		Implementation:  &messages.Product{Name: "omniloader", Version: cmp.Or(s.run.Version, "(devel)")},
		Runtime:         &messages.Product{Name: "go", Version: s.run.Origin.GoVersion},
		Os:              &messages.Product{Name: cmp.Or(goos, "unknown")},
		Cpu:             &messages.Product{Name: cmp.Or(goarch, "unknown")},
	}})
}

// sendFeature sends a feature's source, its document and the pickles of its scenarios.
func (s *messageStream) sendFeature(f *outcome.Feature) ([]testCase, error) {
	document, err := gherkin.ParseGherkinDocumentForLanguage(bytes.NewReader(f.Source), gherkin.DefaultDialect, s.newID)
	if err == nil && document.Feature == nil {
		err = fmt.Errorf("there is no feature in it")
	}
	if err != nil {
		return nil, fmt.Errorf("parsing the source of %s again: %w", f.URI, err)
	}
	document.Uri = f.URI
	s.send(&messages.Envelope{Source: &messages.Source{Uri: f.URI, Data: string(f.Source), MediaType: messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN}})
	s.send(&messages.Envelope{GherkinDocument: document})
	lines := outcome.ScenarioLines(document.Feature)
	pickles := map[int]*messages.Pickle{} // by the line of their scenario or row
	for _, p := range gherkin.Pickles(*document, f.URI, s.newID) {
		pickles[lines[p.AstNodeIds[len(p.AstNodeIds)-1]]] = p
	}
	var cases []testCase
	for i := range f.Scenarios {
		scenario := &f.Scenarios[i]
		p := pickles[scenario.Line]
		if p == nil {
			return nil, fmt.Errorf("parsing the source of %s again: there is no scenario at line %d", f.URI, scenario.Line)
		}
		for j, tag := range p.Tags { // gherkin leaves <value> in the tags of an outline
			if j < len(scenario.Tags) {
				tag.Name = scenario.Tags[j].Name
			}
		}
		s.send(&messages.Envelope{Pickle: p})
		cases = append(cases, testCase{locatedScenario: locatedScenario{scenario, f}, pickle: p})
	}
	return cases, nil
}

// step gives what happened to the nth step of the pickle.
func (c *testCase) step(n int) outcome.Step {
	if n < len(c.Steps) {
		return c.Steps[n]
	}
	return outcome.Step{Status: outcome.Skipped}
}

// sendStepDefinitions sends those definitions of a scenario's steps that were not sent
// before.
func (s *messageStream) sendStepDefinitions(c testCase) {
	for _, step := range c.Steps {
		key := definition{step.Pattern, step.Definition}
		if step.Pattern == "" || s.definitions[key] != "" {
			continue
		}
		s.definitions[key] = s.newID()
		reference := &messages.SourceReference{Uri: step.Definition}
		var line int64
		if uri, number, ok := cutLast(step.Definition, ":"); ok {
			if _, err := fmt.Sscan(number, &line); err == nil {
				reference = &messages.SourceReference{Uri: uri, Location: &messages.Location{Line: line}}
			}
		}
		s.send(&messages.Envelope{StepDefinition: &messages.StepDefinition{
			Id:              s.definitions[key],
			Pattern:         &messages.StepDefinitionPattern{Source: step.Pattern, Type: messages.StepDefinitionPatternType_REGULAR_EXPRESSION},
			SourceReference: reference,
		}})
	}
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

func (s *messageStream) sendTestCase(c *testCase) {
	c.id = s.newID()
	message := &messages.TestCase{Id: c.id, PickleId: c.pickle.Id, TestSteps: []*messages.TestStep{}}
	for i, p := range c.pickle.Steps {
		test := &messages.TestStep{Id: s.newID(), PickleStepId: p.Id}
		step := c.step(i)
		if id := s.definitions[definition{step.Pattern, step.Definition}]; id != "" {
			test.StepDefinitionIds = []string{id}
			test.StepMatchArgumentsLists = []*messages.StepMatchArgumentsList{{StepMatchArguments: matchArguments(step.Pattern, p.Text)}}
		}
		c.stepIDs = append(c.stepIDs, test.Id)
		message.TestSteps = append(message.TestSteps, test)
	}
	s.send(&messages.Envelope{TestCase: message})
}

// matchArguments gives what the groups of a pattern match in a step's text. Offsets count
// UTF-16 code units, as the JavaScript readers of messages do.
func matchArguments(pattern, text string) []*messages.StepMatchArgument {
	arguments := []*messages.StepMatchArgument{}
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return arguments
	}
	match := expression.FindStringSubmatchIndex(text)
	for i := 2; i+1 < len(match); i += 2 {
		group := &messages.Group{Children: []*messages.Group{}}
		if match[i] >= 0 {
			group.Start = int64(len(utf16.Encode([]rune(text[:match[i]]))))
			group.Value = text[match[i]:match[i+1]]
		}
		arguments = append(arguments, &messages.StepMatchArgument{Group: group})
	}
	return arguments
}

// sendTestCaseEvents sends what happened to a scenario.
func (s *messageStream) sendTestCaseEvents(c *testCase) {
	started := c.Started
	if started.IsZero() { // it was skipped before it started
		started = s.run.Started
	}
	id := s.newID()
	s.send(&messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Id: id, TestCaseId: c.id, Timestamp: timestamp(started)}})
	now := started
	for i, stepID := range c.stepIDs {
		step := c.step(i)
		if step.Started.After(now) {
			now = step.Started
		}
		s.send(&messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: id, TestStepId: stepID, Timestamp: timestamp(now)}})
		if i == len(c.stepIDs)-1 {
			s.sendAttachments(c, id, stepID)
		}
		now = now.Add(step.Duration)
		s.send(&messages.Envelope{TestStepFinished: &messages.TestStepFinished{
			TestCaseStartedId: id, TestStepId: stepID, TestStepResult: c.result(&step), Timestamp: timestamp(now),
		}})
	}
	if end := started.Add(c.Duration); end.After(now) {
		now = end
	}
	s.send(&messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: id, Timestamp: timestamp(now)}})
}

// messageStatuses maps statuses to those of the messages.
var messageStatuses = map[outcome.Status]messages.TestStepResultStatus{
	outcome.Passed:    messages.TestStepResultStatus_PASSED,
	outcome.Failed:    messages.TestStepResultStatus_FAILED,
	outcome.Skipped:   messages.TestStepResultStatus_SKIPPED,
	outcome.Undefined: messages.TestStepResultStatus_UNDEFINED,
	outcome.Ambiguous: messages.TestStepResultStatus_AMBIGUOUS,
	outcome.Pending:   messages.TestStepResultStatus_PENDING,
	// A step that could not be judged failed, and is known by its message.
	outcome.CouldNotJudge: messages.TestStepResultStatus_FAILED,

	"": messages.TestStepResultStatus_SKIPPED, // the run ended before it
}

func (c *testCase) result(step *outcome.Step) *messages.TestStepResult {
	duration := messages.GoDurationToDuration(step.Duration)
	status, known := messageStatuses[step.Status]
	if !known {
		status = messages.TestStepResultStatus_UNKNOWN
	}
	result := &messages.TestStepResult{Duration: &duration, Status: status}
	switch status {
	case messages.TestStepResultStatus_PASSED:
	case messages.TestStepResultStatus_SKIPPED:
		if c.Status == outcome.Skipped {
			result.Message = c.SkipReason
		}
	default:
		result.Message = printable(failureReason(step))
		if advice := hintOf(step); advice != "" {
			result.Message += "\nhint: " + printable(advice)
		}
	}
	return result
}

func (s *messageStream) sendAttachments(c *testCase, caseStarted, step string) {
	embeddings, err := cucumberEmbeddings(c.locatedScenario)
	if err != nil && s.err == nil {
		s.err = err
	}
	for _, e := range embeddings {
		s.send(&messages.Envelope{Attachment: &messages.Attachment{
			Body: string(e.Data), ContentEncoding: messages.AttachmentContentEncoding_IDENTITY, MediaType: e.MimeType, FileName: e.Name,
			TestCaseStartedId: caseStarted, TestStepId: step,
		}})
	}
}

func (s *messageStream) sendRunFinished() {
	totals := s.run.Totals()
	message := &messages.TestRunFinished{
		Success:   totals.Failed+totals.Unjudged == 0 && !s.run.Interrupted && !s.run.Unsuccessful,
		Timestamp: timestamp(s.run.Started.Add(s.run.Duration)),
	}
	if s.run.Interrupted {
		message.Message = "interrupted"
	}
	s.send(&messages.Envelope{TestRunFinished: message})
}

func timestamp(t time.Time) *messages.Timestamp {
	if t.IsZero() {
		return &messages.Timestamp{}
	}
	stamp := messages.GoTimeToTimestamp(t)
	return &stamp
}
