package steps

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// callerSteps are the When steps whose operation several callers call at once.
func (w *world) callerSteps(r stepRegistrar) {
	r.group("Several callers at once: the operation of another When step")
	r.When(`^(.+) by ([0-9]+) callers at once$`, w.byCallers, stepDoc{
		meaning: "The callers start together and share one loader. Each answer must equal the answer to a single caller; latencies are those that the callers see. The text before \"by\" is any other When step without a text block.",
		example: callersExample,
		bounds:  concurrency,
		check:   checkCallers,
	})
}

// callersExample is the example of the step with several callers.
const callersExample = `the model info is read by 8 callers at once`

func callersInRange(n int) error {
	if n < 2 || n > bench.MaxCallers {
		return fmt.Errorf("%d callers at once: write from 2 to %d", n, bench.MaxCallers)
	}
	return nil
}

func noQuestion(question string, known []string) error {
	if near, ok := suggest.Nearest(question, known); ok {
		return fmt.Errorf("there is no When step %q for callers to make, %s", question, suggest.Question(near))
	}
	return errorWithHint(`write the text of a When step before "by", as in "`+callersExample+`"`, "there is no When step %q for callers to make", question)
}

func errTextBlock() error {
	return errorWithHint("write a step that has its text in quotes", "callers at once cannot be given a text block")
}

// checkCallers checks the number of callers, and the When step that they carry out.
func checkCallers(c *argumentCheck, parts []string) {
	if n, err := strconv.Atoi(parts[1]); err == nil { // another check tells a number that cannot be read
		c.add(NoLimit, callersInRange(n))
	}
	var known []string
	for _, e := range c.entries {
		if e.Keyword != "When" || e.doc.bounds == concurrency {
			continue
		}
		known = append(known, e.Example)
		question := e.pattern.FindStringSubmatch(parts[0])
		switch {
		case question == nil:
			continue
		case strings.HasSuffix(e.Example, ":"):
			c.add(MissingBlock, errTextBlock())
		case e.doc.check != nil:
			e.doc.check(c, question[1:])
		}
		return
	}
	c.add(UndefinedCall, noQuestion(parts[0], known))
}

// byCallers carries out the operation of another When step, whose text is question.
func (w *world) byCallers(ctx context.Context, question string, callers int) error {
	if err := callersInRange(callers); err != nil {
		return &ScenarioError{err}
	}
	w.callers = callers
	handlers := whenHandlers{}
	w.registerSteps(handlers)
	var known []string
	for pattern, step := range handlers {
		parts := regexp.MustCompile(pattern).FindStringSubmatch(question)
		if parts == nil || step.doc.bounds == concurrency {
			known = append(known, step.doc.example)
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
	return &ScenarioError{noQuestion(question, known)}
}

// arguments converts the parts of a step's text to the arguments of its handler.
func arguments(ctx context.Context, handler reflect.Type, parts []string) ([]reflect.Value, error) {
	values := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < handler.NumIn(); i++ {
		switch handler.In(i) {
		case reflect.TypeFor[*engine.DocString]():
			return nil, &ScenarioError{errTextBlock()}
		case reflect.TypeFor[int]():
			n, err := strconv.Atoi(parts[i-1])
			if err != nil {
				return nil, scenarioErrorf("%q is not a number", parts[i-1])
			}
			values = append(values, reflect.ValueOf(n))
		default:
			values = append(values, reflect.ValueOf(parts[i-1]))
		}
	}
	return values, nil
}

// whenHandlers is a stepRegistrar that keeps the When steps, by pattern.
type whenHandlers map[string]whenHandler

type whenHandler struct {
	handler any
	doc     stepDoc
}

func (h whenHandlers) group(string)               {}
func (h whenHandlers) Given(string, any, stepDoc) {}
func (h whenHandlers) When(pattern string, handler any, a stepDoc) {
	h[pattern] = whenHandler{handler, a}
}
func (h whenHandlers) Then(string, any, stepDoc) {}

// sameAnswer returns a check that an answer equals first, the answer to a single
// caller. It makes the JSON of first only once.
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
			return fmt.Errorf("an answer differs from that of the first call:\nfirst %s\nthis  %s", texts[0], texts[1])
		}
		return nil
	}
}
