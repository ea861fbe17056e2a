package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"omniloader/internal/suggest"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// controlFlags are the flags of run that say how long, how often and in which order
// scenarios run, and after which failures the run ends.
type controlFlags struct {
	timeout     timeLimit
	runTimeout  timeLimit
	retries     count
	failFast    bool
	maxFailures count
	name        string
	order       order
	lastFailed  bool
}

func (f *controlFlags) define(set *pflag.FlagSet) {
	f.retries, f.maxFailures = count{0, 0}, count{0, 0}
	set.StringVar(&f.name, "name", "", "only scenarios whose name this `REGEXP` matches")
	set.BoolVar(&f.lastFailed, "last-failed", false, "only scenarios that failed, could not be judged or did not end\nin the last run, as its run file has it")
	set.Var(&f.order, "order", "defined, or random:SEED; random alone chooses a seed and says\nit. Reports keep the order of the files")
	set.Var(&f.timeout, "timeout", "a scenario that takes longer has failed (default 1m, and 10m\nif it is measured); a tag @timeout:5s says it for one")
	set.Var(&f.runTimeout, "run-timeout", "end the run after this time; what is not done by then could not\nbe judged (default: no limit)")
	set.Var(&f.retries, "retry", "try a scenario that fails so often again, unless it is measured;\nif it then passes it is flaky. A tag @retry:2 says it for one")
	set.BoolVar(&f.failFast, "fail-fast", false, "start no further scenario after the first failure")
	set.Var(&f.maxFailures, "max-failures", "start no further scenario after so many failures; 0 for no limit")
	for _, flag := range []string{"timeout", "run-timeout", "max-failures", "retry"} {
		set.Lookup(flag).DefValue = "0" // not printed
	}
}

// runControl is what the controlFlags amount to.
type runControl struct {
	timeout     time.Duration // of a scenario; 0 for the default
	runTimeout  time.Duration // 0 for no limit
	retries     int
	maxFailures int     // 0 for no limit
	seed        *uint64 // of a random order, or nil
}

// control checks the flags against each other.
func (f *controlFlags) control(given func(string) bool) (runControl, error) {
	c := runControl{timeout: time.Duration(f.timeout), runTimeout: time.Duration(f.runTimeout), retries: f.retries.n, seed: f.order.seed}
	switch {
	case f.failFast && given("max-failures"):
		return c, errorWithHint("leave one of them out", "--fail-fast is --max-failures 1, and --max-failures is given too")
	case f.failFast:
		c.maxFailures = 1
	case given("max-failures"):
		c.maxFailures = f.maxFailures.n
	}
	if c.retries > steps.MaxRetries {
		return c, errorWithHint("a scenario that passes so seldom does not hold", "--retry %d: at most %d are possible", c.retries, steps.MaxRetries)
	}
	if given("name") && f.name == "" {
		return c, errorWithHint("name a regular expression, or leave the flag out", "--name: empty")
	}
	return c, nil
}

// bound returns a context that ends when the time of the run is up.
func (c runControl) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.runTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, c.runTimeout, fmt.Errorf("%w (--run-timeout %s)", suite.ErrTimeUp, (*timeLimit)(&c.runTimeout)))
}

// orderName is how a run file has the order, and seedText its seed, "" for none.
func (c runControl) orderName() (name, seedText string) {
	if c.seed == nil {
		return orderDefined, ""
	}
	return orderRandom, strconv.FormatUint(*c.seed, 10)
}

// whyEnded says why a context has ended, for people.
func whyEnded(ctx context.Context) string {
	if errors.Is(context.Cause(ctx), suite.ErrTimeUp) {
		return context.Cause(ctx).Error()
	}
	return "interrupted"
}

// timeLimit is the value of a flag that takes a time above 0.
type timeLimit time.Duration

var _ pflag.Value = (*timeLimit)(nil)

func (t *timeLimit) Type() string { return "DURATION" }

func (t *timeLimit) String() string {
	if *t == 0 {
		return noTimeLimit
	}
	text := time.Duration(*t).String() // "1m0s"
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// noTimeLimit is the default of flags for a time.
const noTimeLimit = "default"

func (t *timeLimit) Set(text string) error {
	if text == noTimeLimit {
		*t = 0
		return nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d <= 0 {
		return errors.New("not a time above 0 such as 30s, 5m or 1h30m")
	}
	*t = timeLimit(d)
	return nil
}

// order is the value of --order.
type order struct{ seed *uint64 }

const (
	orderDefined = "defined"
	orderRandom  = "random"
)

var _ pflag.Value = (*order)(nil)

func (o *order) Type() string { return "ORDER" }

func (o *order) String() string {
	name, seed := runControl{seed: o.seed}.orderName()
	return strings.TrimSuffix(name+":"+seed, ":")
}

func (o *order) Set(text string) error {
	name, number, seeded := strings.Cut(text, ":")
	switch {
	case text == orderDefined:
		o.seed = nil
	case text == orderRandom:
		seed := uint64(rand.Uint32())
		o.seed = &seed
	case name == orderRandom && seeded:
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return fmt.Errorf("the seed %q is not a whole number", number)
		}
		o.seed = &seed
	default:
		return errors.New(suggest.DidYouMean(text, []string{orderDefined, orderRandom, orderRandom + ":SEED"}))
	}
	return nil
}
