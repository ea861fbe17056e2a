package steps

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strconv"

	"github.com/cucumber/godog"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
)

// callerSteps are the When steps that several callers make at once.
func (w *world) callerSteps(v stepRegistrar) {
	v.group("Several callers: the operation of another step, by all of them at once")
	v.When(`^(.+) by ([0-9]+) callers at once$`, w.byCallers, stepDoc{
		meaning: "Callers begin at one moment and share one loader. The answers must agree with that of a caller alone; latencies are those that the callers see. What stands before \"by\" is any other When step without a text block.",
		example: `the model info is read by 8 callers at once`,
		bounds:  concurrency,
	})
}

// byCallers carries out the operation of another step.
func (w *world) byCallers(ctx context.Context, question string, callers int) error {
	if callers < 2 || callers > bench.MaxCallers {
		return scenarioErrorf("%d callers at once: write from 2 to %d", callers, bench.MaxCallers)
	}
	w.callers = callers
	asked := whenHandlers{}
	w.registerSteps(asked)
	var known []string
	for pattern, step := range asked {
		parts := regexp.MustCompile(pattern).FindStringSubmatch(question)
		if parts == nil || step.about.bounds == concurrency {
			known = append(known, step.about.example)
			continue
		}
		handler := reflect.ValueOf(step.handler)
		arguments, err := arguments(ctx, handler.Type(), parts[1:])
		if err != nil {
			return err
		}
		failure, _ := handler.Call(arguments)[0].Interface().(error)
		return failure
	}
	return scenarioErrorf("there is no When step %q for callers to make, %s", question, suggest.DidYouMean(question, known))
}

// arguments turns the parts of a step's text into what its handler takes.
func arguments(ctx context.Context, handler reflect.Type, parts []string) ([]reflect.Value, error) {
	values := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < handler.NumIn(); i++ {
		switch handler.In(i) {
		case reflect.TypeFor[*godog.DocString]():
			return nil, scenarioErrorf("callers at once cannot be given a text block: write a step that has its text in quotes")
		case reflect.TypeFor[int]():
			n, err := strconv.Atoi(parts[i-1])
			if err != nil {
				return nil, scenarioErrorf("%q is no number", parts[i-1])
			}
			values = append(values, reflect.ValueOf(n))
		default:
			values = append(values, reflect.ValueOf(parts[i-1]))
		}
	}
	return values, nil
}

// whenHandlers is the vocabulary that keeps the When steps, by pattern.
type whenHandlers map[string]whenHandler

type whenHandler struct {
	handler any
	about   stepDoc
}

func (h whenHandlers) group(string)               {}
func (h whenHandlers) Given(string, any, stepDoc) {}
func (h whenHandlers) When(pattern string, handler any, a stepDoc) {
	h[pattern] = whenHandler{handler, a}
}
func (h whenHandlers) Then(string, any, stepDoc) {}

// sameAnswer gives the check that each of other answers is that of the first call,
// which one caller made alone.
func sameAnswer(first any) func(answer any) error {
	outcome := ""
	return func(answer any) error {
		if reflect.DeepEqual(first, answer) {
			return nil
		}
		texts := [2]string{outcome}
		for i, value := range [2]any{first, answer} {
			if texts[i] != "" {
				continue
			}
			one := world{}
			if err := one.setAnswerOrFailure(value); err != nil {
				return err
			}
			texts[i] = one.resultText()
		}
		if outcome = texts[0]; texts[0] != texts[1] {
			return fmt.Errorf("an answer is not that of the first call:\nfirst %s\nthis  %s", texts[0], texts[1])
		}
		return nil
	}
}
