package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
)

// protocol is the version of the messages, that of the package that has their types.
const protocol = "34.2.1"

// Messages writes a run as Cucumber Messages, one JSON object a line: the features
// as they were read, the step definitions, and what happened to each scenario.
// Only the scenarios that were selected have a pickle. What was measured is attached
// to a scenario's last step, as in the Cucumber JSON.
//
// A file that does not parse has a source and a parseError for each problem. What belongs
// to no step of a scenario is the result of a hook. The messages have no status for what
// could not be judged: such a step is FAILED, with the type "could-not-judge" in its
// exception. A failed step of an expected failure is SKIPPED, with the type
// "expected-failure". Each attempt has a testCaseStarted. The headline is an attachment to
// the run.
//
// The messages are those of https://github.com/cucumber/messages. Their order is that
// of cucumber-js: a message comes after those that it refers to.
func Messages(w io.Writer, run *outcome.Run, _ Options) error {
	s := &messageStream{encoder: json.NewEncoder(w), run: run, newID: (&messages.Incrementing{}).NewId, definitions: map[definition]string{}}
	s.sendMeta()
	var all []testCase
	for i := range run.Features {
		f := &run.Features[i]
		if len(f.Scenarios) == 0 && len(f.Problems) == 0 {
			continue
		}
		s.send(&messages.Envelope{Source: &messages.Source{Uri: f.URI, Data: string(f.Source), MediaType: mediaType(f.URI)}})
		if len(f.Scenarios) > 0 {
			cases, err := s.sendFeature(f)
			if err != nil {
				return err
			}
			all = append(all, cases...)
		}
		s.sendParseErrors(f)
	}
	for _, c := range all {
		s.sendStepDefinitions(c)
	}
	s.runID = s.newID()
	s.send(&messages.Envelope{TestRunStarted: &messages.TestRunStarted{Id: s.runID, Timestamp: timestamp(run.Started)}})
	s.sendHooks(all)
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
	runID       string
	hooks       map[messages.HookType]string // the id of each that is used
	err         error
}

// definition identifies a step definition.
type definition struct{ pattern, location string }

// testCase is a scenario with its pickle.
type testCase struct {
	locatedScenario
	pickle *messages.Pickle
	id     string
	before []located // results of the hook before the steps
	after  []located // and of the one behind them
	tests  []testStep
}

// testStep is a step of a test case: a step of the pickle, or the result of a hook.
type testStep struct {
	id     string
	step   int // of the pickle, -1 for a hook
	result located
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

// mediaType gives the kind of a feature file.
func mediaType(uri string) messages.SourceMediaType {
	if engine.IsMarkdown(uri) {
		return messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_MARKDOWN
	}
	return messages.SourceMediaType_TEXT_X_CUCUMBER_GHERKIN_PLAIN
}

// sendParseErrors sends the problems of a file.
func (s *messageStream) sendParseErrors(f *outcome.Feature) {
	for _, p := range f.Problems {
		source := &messages.SourceReference{Uri: f.URI}
		if p.Line > 0 {
			source.Location = &messages.Location{Line: int64(p.Line), Column: int64(p.Column)}
		}
		s.send(&messages.Envelope{ParseError: &messages.ParseError{Source: source, Message: ofProblem(p).plain()}})
	}
}

// sendFeature sends a feature's document and the pickles of its scenarios.
func (s *messageStream) sendFeature(f *outcome.Feature) ([]testCase, error) {
	document, err := engine.Document(context.Background(), f.URI, f.Source, s.newID)
	if err == nil && document.Feature == nil {
		err = fmt.Errorf("there is no feature in it")
	}
	if err != nil {
		return nil, fmt.Errorf("parsing the source of %s again: %w", f.URI, err)
	}
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
		c := testCase{locatedScenario: locatedScenario{scenario, f}, pickle: p}
		if group := c.Status.Group(); group != outcome.Passed && group != outcome.Skipped && group != outcome.Flaky {
			for _, r := range c.reasons() {
				switch {
				case r.at != nil:
				case c.unjudged():
					c.before = append(c.before, r)
				default:
					c.after = append(c.after, r)
				}
			}
		}
		if len(c.after) == 0 && slices.ContainsFunc(c.Earlier, func(a outcome.Attempt) bool { return a.Err != nil }) {
			c.after = []located{{}}
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// sendHooks sends the hooks that have a result in any test case.
func (s *messageStream) sendHooks(all []testCase) {
	s.hooks = map[messages.HookType]string{}
	for _, h := range []struct {
		kind messages.HookType
		name string
		of   func(*testCase) []located
	}{
		{messages.HookType_BEFORE_TEST_CASE, "the scenario is checked", func(c *testCase) []located { return c.before }},
		{messages.HookType_AFTER_TEST_CASE, "the scenario ends", func(c *testCase) []located { return c.after }},
	} {
		if slices.ContainsFunc(all, func(c testCase) bool { return len(h.of(&c)) > 0 }) {
			s.hooks[h.kind] = s.newID()
			s.send(&messages.Envelope{Hook: &messages.Hook{Id: s.hooks[h.kind], Name: h.name, Type: h.kind, SourceReference: &messages.SourceReference{Uri: "omniloader"}}})
		}
	}
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
	message := &messages.TestCase{Id: c.id, PickleId: c.pickle.Id, TestSteps: []*messages.TestStep{}, TestRunStartedId: s.runID}
	add := func(test *messages.TestStep, step int, result located) {
		test.Id = s.newID()
		c.tests = append(c.tests, testStep{test.Id, step, result})
		message.TestSteps = append(message.TestSteps, test)
	}
	for _, r := range c.before {
		add(&messages.TestStep{HookId: s.hooks[messages.HookType_BEFORE_TEST_CASE]}, -1, r)
	}
	for i, p := range c.pickle.Steps {
		test := &messages.TestStep{PickleStepId: p.Id}
		step := stepAt(c.Steps, i)
		if id := s.definitions[definition{step.Pattern, step.Definition}]; id != "" {
			test.StepDefinitionIds = []string{id}
			test.StepMatchArgumentsLists = []*messages.StepMatchArgumentsList{{StepMatchArguments: matchArguments(step.Pattern, p.Text)}}
		}
		add(test, i, located{})
	}
	for _, r := range c.after {
		add(&messages.TestStep{HookId: s.hooks[messages.HookType_AFTER_TEST_CASE]}, -1, r)
	}
	s.send(&messages.Envelope{TestCase: message})
}

// stepAt gives what happened to the nth step of the pickle.
func stepAt(steps []outcome.Step, n int) outcome.Step {
	if n < len(steps) {
		return steps[n]
	}
	return outcome.Step{Status: outcome.Skipped}
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

// sendTestCaseEvents sends what happened to a scenario, attempt by attempt.
func (s *messageStream) sendTestCaseEvents(c *testCase) {
	for i := range c.Earlier {
		s.sendAttempt(c, i, &c.Earlier[i])
	}
	s.sendAttempt(c, len(c.Earlier), &outcome.Attempt{Started: c.Started, Duration: c.Duration, Steps: c.Steps})
}

// sendAttempt sends the nth attempt, counted from 0.
func (s *messageStream) sendAttempt(c *testCase, n int, a *outcome.Attempt) {
	isLast := n == len(c.Earlier)
	started := a.Started
	if started.IsZero() { // it was skipped before it started
		started = s.run.Started
	}
	id := s.newID()
	s.send(&messages.Envelope{TestCaseStarted: &messages.TestCaseStarted{Attempt: int64(n), Id: id, TestCaseId: c.id, Timestamp: timestamp(started)}})
	now := started
	for i, test := range c.tests {
		step := outcome.Step{}
		if test.step >= 0 {
			step = stepAt(a.Steps, test.step)
		}
		if step.Started.After(now) {
			now = step.Started
		}
		s.send(&messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: id, TestStepId: test.id, Timestamp: timestamp(now)}})
		if isLast && i == len(c.tests)-1 {
			s.sendAttachments(c, id, test.id)
		}
		now = now.Add(step.Duration)
		result := c.result(&step, isLast)
		if test.step < 0 {
			result = c.hookResult(test.result, a, isLast)
		}
		s.send(&messages.Envelope{TestStepFinished: &messages.TestStepFinished{
			TestCaseStartedId: id, TestStepId: test.id, TestStepResult: result, Timestamp: timestamp(now),
		}})
	}
	if isLast && len(c.tests) == 0 {
		s.sendAttachments(c, id, "")
	}
	if end := started.Add(a.Duration); end.After(now) {
		now = end
	}
	s.send(&messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: id, Timestamp: timestamp(now), WillBeRetried: !isLast}})
}

// messageStatuses maps statuses to those of the messages.
var messageStatuses = map[outcome.Status]messages.TestStepResultStatus{
	outcome.Passed:    messages.TestStepResultStatus_PASSED,
	outcome.Failed:    messages.TestStepResultStatus_FAILED,
	outcome.Skipped:   messages.TestStepResultStatus_SKIPPED,
	outcome.Undefined: messages.TestStepResultStatus_UNDEFINED,
	outcome.Ambiguous: messages.TestStepResultStatus_AMBIGUOUS,
	outcome.Pending:   messages.TestStepResultStatus_PENDING,
	// A step that could not be judged failed, and is known by the type of its exception.
	outcome.CouldNotJudge: messages.TestStepResultStatus_FAILED,
	outcome.NotOffered:    messages.TestStepResultStatus_SKIPPED,

	"": messages.TestStepResultStatus_SKIPPED, // the run ended before it
}

// result gives the result of a step in the last attempt, or in an earlier one.
func (c *testCase) result(step *outcome.Step, isLast bool) *messages.TestStepResult {
	duration := messages.GoDurationToDuration(step.Duration)
	status, known := messageStatuses[step.Status]
	if !known {
		status = messages.TestStepResultStatus_UNKNOWN
	}
	result := &messages.TestStepResult{Duration: &duration, Status: status}
	switch status {
	case messages.TestStepResultStatus_PASSED:
	case messages.TestStepResultStatus_SKIPPED:
		if c.Status.Group() == outcome.Skipped {
			result.Message = c.SkipReason
		}
	default:
		c.explain(result, reasonOf(step), step.Status, isLast)
	}
	return result
}

// hookResult gives the result of a hook. In an earlier attempt it is the error of that one.
func (c *testCase) hookResult(r located, a *outcome.Attempt, isLast bool) *messages.TestStepResult {
	result := &messages.TestStepResult{Duration: &messages.Duration{}, Status: messages.TestStepResultStatus_FAILED}
	switch {
	case isLast && r.text != "":
		c.explain(result, r.reason, r.status, true)
	case !isLast && a.Err != nil:
		c.explain(result, reasonOfError(a.Err), outcome.Failed, false)
	default:
		result.Status = messages.TestStepResultStatus_PASSED
	}
	return result
}

// explain adds the message to a result that is no success, and the type to one whose status
// the messages do not have.
func (c *testCase) explain(result *messages.TestStepResult, r reason, status outcome.Status, isLast bool) {
	result.Message = r.plain()
	switch {
	case isLast && c.Status == outcome.ExpectedFailure:
		result.Status = messages.TestStepResultStatus_SKIPPED
		result.Exception = &messages.Exception{Type: string(outcome.ExpectedFailure), Message: r.firstLine()}
	case status == outcome.CouldNotJudge:
		result.Message = couldNotBeJudged + result.Message
		result.Exception = &messages.Exception{Type: string(outcome.CouldNotJudge), Message: r.firstLine()}
	}
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
	s.send(&messages.Envelope{Attachment: &messages.Attachment{
		Body: Headline(s.run, Options{}), ContentEncoding: messages.AttachmentContentEncoding_IDENTITY, MediaType: "text/plain", FileName: "headline",
		TestRunStartedId: s.runID,
	}})
	totals := s.run.Totals()
	message := &messages.TestRunFinished{
		Success:   totals.Failed+totals.Unjudged == 0 && !s.run.Interrupted && !s.run.Unsuccessful,
		Timestamp: timestamp(s.run.Started.Add(s.run.Duration)), TestRunStartedId: s.runID,
	}
	var why []string
	if s.run.Interrupted {
		why = append(why, "interrupted")
	}
	for _, p := range s.run.Problems {
		l := ofProblem(p)
		text := l.plain()
		if l.place != "" {
			text = l.place + ": " + text
		}
		why = append(why, text)
	}
	for _, change := range regressions(s.run.Comparison) {
		why = append(why, oneLine(change.Key().String())+": "+changeInWords(s.run.Comparison, change))
	}
	message.Message = strings.Join(why, "\n")
	s.send(&messages.Envelope{TestRunFinished: message})
}

func timestamp(t time.Time) *messages.Timestamp {
	if t.IsZero() {
		return &messages.Timestamp{}
	}
	stamp := messages.GoTimeToTimestamp(t)
	return &stamp
}
