package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/steps"
)

// How long each attempt at a scenario may take if neither the options nor a tag say it.
const (
	DefaultTimeout         = time.Minute      // of a scenario that is not measured
	DefaultMeasuredTimeout = 10 * time.Minute // of one that is
)

// stepGrace is how long a step is waited for after the end of its context before it is
// abandoned. It is longer than what a process that a step has started gets to end.
const stepGrace = 3 * time.Second

// ErrTimeUp is the cause of the end of a context whose time for the whole run is up: the
// run then keeps what had ended, and names what was under way as not judged.
var ErrTimeUp = errors.New("the time of the run was up")

func timeIsUp(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrTimeUp) }

// timeout returns how long each attempt at a scenario may take. limit is that of the
// options, 0 for the default. The tags have been checked.
func (p *Plan) timeout(s *Scenario, limit time.Duration) time.Duration {
	tag, _ := steps.Timeout(s.TagNames())
	usual := DefaultTimeout
	if p.measured(s) {
		usual = DefaultMeasuredTimeout
	}
	return cmp.Or(tag, limit, usual)
}

// LongestTimeout returns the longest time that a measured scenario of the plan may take,
// with the limit of the options, 0 for the default.
func (p *Plan) LongestTimeout(limit time.Duration) time.Duration {
	longest := time.Duration(0)
	for _, s := range p.Scenarios() {
		if p.measured(s) {
			longest = max(longest, p.timeout(s, limit))
		}
	}
	return cmp.Or(longest, limit, DefaultMeasuredTimeout)
}

// retries returns how often a scenario that fails is tried again. One that is measured or
// is expected to fail is not.
func (c *runner) retries(s *Scenario) int {
	n, given, _ := steps.Retries(s.TagNames())
	if !given {
		n = c.options.Retries
	}
	if issue, _ := steps.ExpectedFailure(s.TagNames()); issue != "" || c.plan.measured(s) {
		return 0
	}
	return n
}

// checkControlTags adds the problem of a tag that a measured scenario cannot have.
func (c *checker) checkControlTags(s *Scenario) {
	n, _, err := steps.Retries(s.TagNames())
	if err != nil || n == 0 || !c.plan.measured(s) {
		return
	}
	problem := outcome.Problem{URI: s.URI, Line: s.Line, Code: ruleTagWithoutEffect,
		Message: fmt.Sprintf("tag @retry:%d on a scenario that is measured", n),
		Advice:  "a bound that is exceeded is measured again anyway; leave the tag out, or overrule that of the feature with @retry:0"}
	for i, name := range s.TagNames() {
		if m, given, _ := steps.Retries([]string{name}); given && m == n { // the last one counts
			at := c.plan.tagPlace(s, i)
			problem.Line, problem.Column = int(at.Line), int(at.Column)
		}
	}
	c.problems = append(c.problems, problem)
}

// expectFailure changes the outcome of a scenario that is tagged as an expected failure.
func expectFailure(s *Scenario, o *outcome.Scenario) {
	issue, _ := steps.ExpectedFailure(s.TagNames())
	switch {
	case issue == "":
	case o.Status == outcome.Failed:
		o.Status = outcome.ExpectedFailure
	case o.Status == outcome.Passed:
		o.Status, o.Err = outcome.Failed, &UnexpectedPassError{issue}
	}
}

// UnexpectedPassError is the error of a scenario that passed, though a tag says that it
// fails.
type UnexpectedPassError struct{ Issue string }

func (e *UnexpectedPassError) Error() string {
	return fmt.Sprintf("it passed, and its tag @fails:%s says that it fails", e.Issue)
}

// Hint says what to do.
func (e *UnexpectedPassError) Hint() string {
	return fmt.Sprintf("if %s is solved, leave the tag out", e.Issue)
}

// stopped says whether no further scenario may start.
func (c *runner) stopped(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ctx.Err() != nil || c.round == 0 && c.options.MaxFailures > 0 && c.failures >= c.options.MaxFailures
}

// notRun adds to a run what it was to run and did not.
func (c *runner) notRun(ctx context.Context, run *outcome.Run) {
	for _, s := range c.order {
		if c.ended[s] == nil {
			run.NotRun = append(run.NotRun, fmt.Sprintf("%s:%d", s.URI, s.Line))
		}
	}
	n, reason := len(run.NotRun), "not run after "+quantity.Count(c.failures, "failure")
	if c.interrupted {
		why := "interrupted"
		if reason = "not run when the run was interrupted"; timeIsUp(ctx) {
			why, reason = context.Cause(ctx).Error(), "not run when the time was up"
		}
		were := "were"
		if n == 1 {
			were = "was"
		}
		run.Problems = append(run.Problems, outcome.Problem{
			Message: fmt.Sprintf("%s: %d of %s %s not run", why, n, quantity.Count(len(c.order), "scenario"), were),
			Advice:  "what had ended is kept; --last-failed runs the others, and what failed",
		})
	}
	if n > 0 {
		run.LeftOut = append(run.LeftOut, outcome.LeftOut{Reason: reason, Count: n})
	}
}

// runOrder returns the selected scenarios in the order to run them: as in the files, or
// with a seed in a random one. A scenario whose bound is relative to another benchmark
// comes after that one.
func (p *Plan) runOrder(seed *uint64) []*Scenario {
	all := p.Scenarios()
	if seed == nil {
		return all
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	references := p.referencesAmong(slices.Values(all))
	ordered, seen := make([]*Scenario, 0, len(all)), map[*Scenario]bool{}
	var add func(*Scenario)
	add = func(s *Scenario) {
		if seen[s] {
			return
		}
		seen[s] = true
		for _, first := range references(s) {
			add(first)
		}
		ordered = append(ordered, s)
	}
	for _, s := range all {
		add(s)
	}
	return ordered
}
