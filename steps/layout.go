package steps

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
)

// givenSteps is the Given lines of a scenario as they ran, so that its fixture can be
// laid out again without reading the feature again.
type givenSteps struct {
	calls []givenCall
}

// givenCall is one Given step with the arguments it was called with.
type givenCall struct {
	pattern   string
	arguments []reflect.Value
}

// recording wraps the handler of a Given step so that each call is noted.
func (l *givenSteps) recording(pattern string, handler any) any {
	f := reflect.ValueOf(handler)
	return reflect.MakeFunc(f.Type(), func(arguments []reflect.Value) []reflect.Value {
		l.calls = append(l.calls, givenCall{pattern, arguments})
		return f.Call(arguments)
	}).Interface()
}

// replay lays the fixture out in another world.
func (l *givenSteps) replay(w *world) error {
	handlers := givenHandlers{}
	w.registerSteps(handlers)
	for _, line := range l.calls {
		for _, result := range handlers[line.pattern].Call(line.arguments) {
			if err, failed := result.Interface().(error); failed {
				return err
			}
		}
	}
	return nil
}

// givenHandlers is the vocabulary that keeps the handlers of Given steps, by pattern.
type givenHandlers map[string]reflect.Value

func (g givenHandlers) group(string) {}
func (g givenHandlers) Given(pattern string, handler any, _ stepDoc) {
	g[pattern] = reflect.ValueOf(handler)
}
func (g givenHandlers) When(string, any, stepDoc) {}
func (g givenHandlers) Then(string, any, stepDoc) {}

// sampledOperation gives the scenario's operation in a form that can be sampled, whatever
// becomes of this world.
func (w *world) sampledOperation(operation string) (bench.Subject, error) {
	name, err := w.benchmarkName()
	if err != nil {
		return bench.Subject{}, err
	}
	setup, laid, pickle, failureAwaited, input := w.setup, w.given, w.pickle, w.expectsFailure, w.options.Input
	return bench.Subject{Name: name, Category: Category(w.tags), Lay: func() (func() (any, error), func() error, error) {
		fresh := newWorld(setup)
		fresh.pickle = pickle // a fixture may be read from beside its feature file
		fresh.options.Input = input
		remove := func() error { return nil }
		err := laid.replay(fresh)
		if fresh.tempRoot != "" {
			remove = func() error { return os.RemoveAll(fresh.tempRoot) }
		}
		if err != nil {
			_ = remove() // the first error is the one to tell
			return nil, nil, err
		}
		call, err := fresh.call(operation)
		if failureAwaited {
			call = failureAsAnswer(call)
		}
		return call, remove, err
	}}, nil
}

// failureAsAnswer gives a failure as the answer, for a promise about the failure:
// what it costs to say no. That costs nothing more.
func failureAsAnswer(call func() (any, error)) func() (any, error) {
	return func() (any, error) {
		value, failure := call()
		if failure != nil {
			return failure, nil
		}
		return value, nil
	}
}

const thresholdTag = "@threshold:"

// Threshold gives the change that a tag such as @threshold:10% makes the limit of
// a regression for a scenario: 0.1; nil where there is no such tag. Of several, the
// last one counts, which is the scenario's own.
func Threshold(tags []string) (*float64, error) {
	var threshold *float64
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, thresholdTag)
		if !ok {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || !strings.HasSuffix(text, "%") || !(percent >= 0 && percent < 100) {
			return nil, fmt.Errorf("tag %s: write it as %s10%%, a share from 0 to below 100", tag, thresholdTag)
		}
		share := percent / 100
		threshold = &share
	}
	return threshold, nil
}

const iterationsTag = "@iterations:"

// valueTags are the tags that carry a value and mean something.
var valueTags = []string{benchmarkTag + ":", iterationsTag, thresholdTag}

// CheckTags refuses a tag whose value says nothing, and one that looks like a
// mistyped tag with a value: it would be a tag of its own, and change nothing.
func CheckTags(tags []string) error {
	for _, tag := range tags {
		key, _, valued := strings.Cut(tag, ":")
		if key += ":"; !valued || slices.Contains(valueTags, key) {
			continue
		}
		if near, ok := suggest.Nearest(key, valueTags); ok {
			return fmt.Errorf("tag %s means nothing; did you mean %q?", tag, near)
		}
	}
	if _, err := Threshold(tags); err != nil {
		return err
	}
	_, err := Iterations(tags)
	return err
}

// Iterations gives the number of timed calls that a tag such as @iterations:10
// allows a scenario at most, for an operation that takes long; 0 where there is no
// such tag. Of several, the last one counts.
func Iterations(tags []string) (int, error) {
	iterations := 0
	for _, tag := range tags {
		text, ok := strings.CutPrefix(tag, iterationsTag)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("tag %s: write it as %s10, a whole number above 0", tag, iterationsTag)
		}
		iterations = n
	}
	return iterations, nil
}
