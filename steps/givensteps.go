package steps

import (
	"context"
	"reflect"

	"omniloader/internal/bench"
	"omniloader/loader/undertest"
)

// givenSteps records the calls of a scenario's Given steps, so that its checkpoint can
// be created again without reading the feature again.
type givenSteps struct {
	calls []givenCall
}

// givenCall is one Given step and the arguments of its call.
type givenCall struct {
	pattern   string
	arguments []reflect.Value
}

// recording wraps the handler of a Given step in one that records each call.
func (l *givenSteps) recording(pattern string, handler any) any {
	f := reflect.ValueOf(handler)
	return reflect.MakeFunc(f.Type(), func(arguments []reflect.Value) []reflect.Value {
		l.calls = append(l.calls, givenCall{pattern, arguments})
		return f.Call(arguments)
	}).Interface()
}

// replay makes the recorded calls in another world.
func (l *givenSteps) replay(w *world) error {
	handlers := givenHandlers{}
	w.registerSteps(handlers)
	for _, call := range l.calls {
		for _, result := range handlers[call.pattern].Call(call.arguments) {
			if err, failed := result.Interface().(error); failed {
				return err
			}
		}
	}
	return nil
}

// givenHandlers is a stepRegistrar that keeps the handlers of Given steps, by pattern.
type givenHandlers map[string]reflect.Value

func (g givenHandlers) group(string) {}
func (g givenHandlers) Given(pattern string, handler any, _ stepDoc) {
	g[pattern] = reflect.ValueOf(handler)
}
func (g givenHandlers) When(string, any, stepDoc) {}
func (g givenHandlers) Then(string, any, stepDoc) {}

// sampledOperation returns the scenario's operation in a form that can be sampled later
// and repeatedly: it does not depend on this world, which ends with the scenario.
func (w *world) sampledOperation(operation string) (bench.Operation, error) {
	name, err := w.benchmarkName()
	if err != nil {
		return bench.Operation{}, err
	}
	setup, given, source, expectsFailure, input := w.setup, w.given, w.source, w.expectsFailure, w.options.Tokenizer
	return bench.Operation{Key: w.key(name), Category: Category(w.tags), Prepare: func(ctx context.Context) (func() (any, error), func() error, error) {
		fresh := newWorld(setup)
		fresh.source = source // for a fixture in the directory of the feature file
		fresh.options.Tokenizer = input
		remove := func() error { return nil }
		err := given.replay(fresh)
		if fresh.tempRoot != "" {
			remove = fresh.end
		}
		if err != nil {
			_ = remove() // the first error is the one to return
			return nil, nil, err
		}
		call, err := fresh.call(operation)
		if expectsFailure {
			call = failureAsAnswer(call)
		}
		return func() (any, error) { return call(ctx) }, remove, err
	}}, nil
}

// failureAsAnswer wraps call so that it returns an error of the operation as its answer:
// the cost of a failure can then be measured. The wrapper adds no allocation.
func failureAsAnswer(call undertest.Call) undertest.Call {
	return func(ctx context.Context) (any, error) {
		value, failure := call(ctx)
		if failure != nil {
			return failure, nil
		}
		return value, nil
	}
}
