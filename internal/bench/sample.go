package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// Sampling is how benchmarks are sampled so that two runs of them can be compared.
//
// On a machine that others share, an operation takes its floor or about twice
// that, in phases of 30 µs to half a minute; means, medians and all central
// quantiles flip between the two states, and only the lower edge stays. So the
// plan looks for the floor: batches short enough to fit a fast phase, in visits
// spread over seconds. Neighbouring batches are not independent, which is why no
// textbook test of their distribution is worth its p-value here.
type Sampling struct {
	Rounds int `json:"rounds"`
	// RoundMS is how long a round lasts at least: passes over few benchmarks are
	// repeated until then, as a slow phase may outlast them.
	RoundMS     int    `json:"round_ms"`
	VisitUS     int    `json:"visit_us"` // batches of one benchmark in one pass, together
	BatchUS     int    `json:"batch_us"` // calls timed together, at least
	SingleCalls int    `json:"single_calls"`
	Processes   int    `json:"processes"`
	GC          string `json:"gc"`
	Order       string `json:"order"`
}

// DefaultSampling is the plan that the rates in the documentation were measured
// with.
func DefaultSampling() Sampling {
	return Sampling{
		Rounds: 40, RoundMS: 60, VisitUS: 1000, BatchUS: 50, SingleCalls: 5, Processes: 2,
		GC: "per-round", Order: "random",
	}
}

// longestRounds bounds how long the rounds of a process may last at least.
const longestRounds = 10 * time.Minute

// Validate tells whether the plan can be carried out, and in a time that somebody
// would wait for.
func (s Sampling) Validate() error {
	if err := s.possible(); err != nil {
		return err
	}
	only := DefaultSampling() // there is one way to do it
	for _, word := range []struct{ key, value, only string }{{"gc", s.GC, only.GC}, {"order", s.Order, only.Order}} {
		if word.value != word.only {
			return fmt.Errorf("sampling plan: %s is %q, this program only knows %q", word.key, word.value, word.only)
		}
	}
	return nil
}

// possible tells whether the numbers of the plan can be those of a plan.
func (s Sampling) possible() error {
	const second = 1_000_000 // in microseconds
	for _, n := range []struct {
		key                string
		value, least, most int
	}{
		{"rounds", s.Rounds, settledBy, 10_000}, {"round_ms", s.RoundMS, 0, 60_000}, {"visit_us", s.VisitUS, 1, second}, {"batch_us", s.BatchUS, 1, second},
		{"single_calls", s.SingleCalls, 0, 10_000}, {"processes", s.Processes, 1, 1000},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("sampling plan: %s is %d, it must be from %d to %d", n.key, n.value, n.least, n.most)
		}
	}
	least := time.Duration(s.Rounds) * max(time.Duration(s.RoundMS)*time.Millisecond, time.Duration(s.VisitUS)*time.Microsecond)
	if least > longestRounds {
		return fmt.Errorf("sampling plan: %d rounds of %d ms take %s, more than %s", s.Rounds, s.RoundMS, least, longestRounds)
	}
	return nil
}

// lacking says why some processes have fewer rounds than the plan, or "". A floor
// that was looked for less often is higher, and would make the other side look
// faster. An operation so slow that it takes its whole share of the time, see
// shareOfSlow, is looked at in fewer rounds.
func (s *Sampling) lacking(processes []Process) string {
	if s == nil {
		return ""
	}
	for _, p := range processes {
		const slack = 4 // calls may have been slower when the rounds were chosen
		batch := p.floor() * float64(max(p.BatchCalls, 1))
		visit := max(float64(s.VisitUS)*1e3, 2*batch) + float64(s.SingleCalls+1)*p.floor()
		slow := slack*visit*float64(s.Rounds) > float64(shareOfSlow)
		if n := len(p.RoundMin); n < settledBy || n < s.Rounds && !slow {
			return fmt.Sprintf("a process has %d rounds, and the plan %d", n, s.Rounds)
		}
	}
	return ""
}

// Operation is an operation that can be sampled again and again, on fixtures laid out
// afresh.
type Operation struct {
	Name     string
	Category string
	// Lay lays the fixture out and gives the operation on it, and what removes the
	// fixture, which may be nil.
	Prepare func() (call func() (any, error), remove func() error, err error)
}

// Process is what one process sampled of one benchmark.
type Process struct {
	LinkSeed   int       `json:"layout_seed,omitempty"` // of the linker, 0 where it is the default order
	BatchCalls int       `json:"batch_n"`
	RoundMin   []float64 `json:"round_min_ns"` // the smallest batch of each round, per call
	// Weather are the smallest and the third smallest round minimum of a piece of work
	// that shows whether the process had its core for itself, see weather.go. It is empty
	// where that is not known.
	Contention []float64 `json:"weather_ns,omitempty"`
	// Yardstick is the floor of a link of the yardstick in that process; 0 where it is not
	// known. It shows the clock that the processor ran at.
	Yardstick float64 `json:"yardstick_ns,omitempty"`
}

// Sample is one benchmark in the sample of a process.
type Sample struct {
	Name     string          `json:"name"`
	Category string          `json:"category"`
	Process  Process         `json:"process"`
	Singles  []time.Duration `json:"singles"`          // calls timed one by one, in nanoseconds
	Memory   *Memory         `json:"memory,omitempty"` // nil where it was not asked for
}

// SamplingVersion is the version of how TakeSamples samples, and of the form that the
// job and its answer have between two processes. It grows with every change that
// makes samples incomparable with earlier ones.
const SamplingVersion = 2

// Samples is what one process sampled.
type Samples struct {
	Version   int      `json:"version"` // SamplingVersion of the program that took them
	Plan      Sampling `json:"plan"`    // as it was carried out
	GoVersion string   `json:"go_version"`
	// Environment is what Host says in that process.
	Environment map[string]any `json:"environment"`

	Benchmarks   []Sample      `json:"benchmarks"` // in the order of the subjects
	InOperations time.Duration `json:"inside"`     // time in measured operations
	Wall         time.Duration `json:"wall"`       // time of all rounds
	// Yardstick is the floor of a fixed chain of multiplications, in nanoseconds
	// for each: what the machine itself did meanwhile.
	Yardstick float64 `json:"yardstick_ns"`
}

// Check tells whether the samples were taken by a plan, in the way that this program
// takes them: only such samples can be compared.
func (s *Samples) Check(plan Sampling) error {
	switch {
	case s.Version != SamplingVersion:
		return fmt.Errorf("samples of version %d: %w, which is version %d", s.Version, ErrSamplingMismatch, SamplingVersion)
	case s.Plan != plan:
		return fmt.Errorf("asked for the plan %+v, it carried out %+v: %w", plan, s.Plan, ErrSamplingMismatch)
	}
	return nil
}

// ErrSamplingMismatch is the error of samples that this program would have taken in
// another way.
var ErrSamplingMismatch = errors.New("not sampled as this program samples")

// SampleOptions are what may differ between the processes of one plan.
type SampleOptions struct {
	Seed   uint64 // of the order
	Memory bool   // measure memory too, before the rounds
	// Slowdown adds a fixed piece of work of so many seconds to each call, by the
	// name of the benchmark: a regression of a size that is known.
	Slowdown map[string]float64
	// Turn is called before each round, and waits until it is this process's turn,
	// where it takes turns with others; nil where it does not.
	AwaitTurn func() error
}

// heapLimit is where the collector steps in although it is off: a visit to a large
// operation must not exhaust the machine.
const heapLimit = 2 << 30

const (
	// shareOfSlow bounds the time that one slow benchmark takes of a process: it is
	// visited in fewer rounds, but in settledBy at least.
	shareOfSlow = time.Second
	// slowCall is a call from which on a visit makes one batch, of one call, and one
	// single call: such a call outlasts most of the phases that a visit looks between.
	slowCall = 20 * time.Millisecond
)

// TakeSamples samples the subjects in this process, as the plan says: rounds in
// random order, each benchmark's fixture laid out again for each visit, or for every
// few where that takes longer than the visit, the collector off but for one forced
// collection at the start of each round.
//
// The first failing call ends it with an error that names the benchmark, the end
// of the context with one that is ErrInterrupted. Nothing else should run in the
// process meanwhile.
func TakeSamples(ctx context.Context, plan Sampling, subjects []Operation, options SampleOptions) (samples *Samples, err error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	alone.Lock()
	defer alone.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	s := &sampling{plan: plan, random: rand.New(rand.NewPCG(options.Seed, 0))}
	var cost delayCost
	if len(options.Slowdown) > 0 {
		cost = measureDelay()
	}
	for _, subject := range subjects {
		v := &visited{Operation: subject}
		if seconds := options.Slowdown[subject.Name]; seconds > 0 {
			v.links = cost.links(seconds)
		}
		s.all = append(s.all, v)
	}
	if options.Memory {
		for _, v := range s.all {
			if err := v.measureMemory(ctx); err != nil {
				return nil, err
			}
		}
	}
	s.weather = &visited{Operation: Operation{Name: "weather", Prepare: layWeather}}
	s.yardstick = &visited{Operation: Operation{Name: "yardstick", Prepare: layYardstick}}
	defer func() {
		for _, v := range s.all {
			if left := v.clear(); left != nil {
				samples, err = nil, errors.Join(err, fmt.Errorf("sampling %s: %w", v.Name, left))
			}
		}
	}()

	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(heapLimit))
	for round := range plan.Rounds {
		if options.AwaitTurn != nil {
			if err := options.AwaitTurn(); err != nil {
				return nil, err
			}
		}
		if err := s.round(ctx, round); err != nil {
			return nil, err
		}
	}
	yardstick := slices.Min(s.yardstick.minima) / yardstickLinks
	samples = &Samples{
		Version: SamplingVersion, Plan: plan, GoVersion: runtime.Version(), Environment: Host(),
		InOperations: s.inside, Wall: s.wall, Yardstick: yardstick,
	}
	weather := slices.Sorted(slices.Values(s.weather.minima))
	for _, v := range s.all {
		process := Process{BatchCalls: v.calls, RoundMin: v.minima, Contention: []float64{weather[0], weather[settledBy-1]}, Yardstick: yardstick}
		samples.Benchmarks = append(samples.Benchmarks, Sample{Name: v.Name, Category: v.Category, Process: process, Singles: v.singles, Memory: v.memory})
	}
	return samples, nil
}

// sampling is the state of TakeSamples.
type sampling struct {
	plan      Sampling
	random    *rand.Rand
	all       []*visited
	yardstick *visited
	weather   *visited
	inside    time.Duration
	wall      time.Duration // of the rounds so far
}

// visited is a subject with what was sampled of it.
type visited struct {
	Operation
	links   int // of the chain that is added to each call
	calls   int // in a batch; 0 before the first visit
	slow    bool
	every   int // visited in each round that this divides
	minima  []float64
	singles []time.Duration
	memory  *Memory
	laid    fixture
}

// fixture is what a benchmark's calls are made on.
type fixture struct {
	call   func() (any, error)
	remove func() error
	visits int // that it is still kept for
}

// lay lays the fixture out afresh, so that where it lies in memory is no part of the
// figures, and times that. Where it takes longer than visits do, it is kept for some:
// most of the time should go into calls.
func (v *visited) lay(visit time.Duration) error {
	if v.laid.call != nil && v.laid.visits > 0 {
		v.laid.visits--
		return nil
	}
	if err := v.clear(); err != nil {
		return err
	}
	start := time.Now()
	call, remove, err := v.Prepare()
	if err != nil {
		return err
	}
	const longest = 10 // visits, so that there are several fixtures in a process
	v.laid = fixture{call, remove, min(int(time.Since(start)/visit), longest-1)}
	if v.links > 0 {
		v.laid.call = slowed(call, v.links)
	}
	return nil
}

// clear removes the fixture, if there is one.
func (v *visited) clear() error {
	remove := v.laid.remove
	v.laid = fixture{}
	if remove == nil {
		return nil
	}
	return remove()
}

func (s *sampling) round(ctx context.Context, round int) error {
	start := time.Now()
	defer func() { s.wall += time.Since(start) }()
	order := append(slices.Clone(s.all), s.yardstick, s.weather)
	for pass := 0; pass == 0 || time.Since(start) < time.Duration(s.plan.RoundMS)*time.Millisecond; pass++ {
		s.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if pass == 0 {
			runtime.GC()
		}
		for _, v := range order {
			if v.every > 0 && round%v.every != 0 {
				continue
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
			}
			if err := s.visit(v, pass == 0); err != nil {
				return fmt.Errorf("sampling %s: %w", v.Name, err)
			}
		}
	}
	return nil
}

// visit samples one benchmark: a call that is not timed, batches, single calls.
func (s *sampling) visit(v *visited, firstOfRound bool) error {
	visit := time.Duration(s.plan.VisitUS) * time.Microsecond
	if err := v.lay(visit); err != nil {
		return err
	}
	call := v.laid.call
	batch := time.Duration(s.plan.BatchUS) * time.Microsecond
	start := time.Now()
	if _, err := timed(call, 1); err != nil {
		return err
	}
	if v.calls == 0 {
		if err := s.calibrate(v, call, batch); err != nil {
			return err
		}
	}
	least := math.Inf(1)
	batches, singles := 2, s.plan.SingleCalls
	if v.slow {
		batches, singles = 1, min(singles, 1)
	}
	for n, began := 0, time.Now(); n < batches || time.Since(began) < visit; n++ {
		elapsed, err := timed(call, v.calls)
		if err != nil {
			return err
		}
		least = min(least, float64(elapsed)/float64(v.calls))
	}
	if firstOfRound {
		for range singles {
			elapsed, err := timed(call, 1)
			if err != nil {
				return err
			}
			v.singles = append(v.singles, elapsed)
			if v.calls == 1 {
				least = min(least, float64(elapsed))
			}
		}
	}
	s.inside += time.Since(start)
	// a hundredth of a nanosecond is finer than any batch can tell
	least = math.Round(least*100) / 100
	if firstOfRound {
		v.minima = append(v.minima, least)
	} else if last := len(v.minima) - 1; last >= 0 {
		v.minima[last] = min(v.minima[last], least)
	}
	return nil
}

// timed makes some calls and gives the time of all of them. The answers are kept
// alive, and the operation is not known to the compiler: no call is optimised away.
func timed(call func() (any, error), calls int) (time.Duration, error) {
	var answer any
	var err error
	start := time.Now()
	for range calls {
		if answer, err = call(); err != nil {
			return 0, err
		}
	}
	elapsed := time.Since(start)
	runtime.KeepAlive(answer)
	return elapsed, nil
}

// calibrate finds how many calls a batch takes, from the fastest of a few: a slow
// phase would make batches too short.
func (s *sampling) calibrate(v *visited, call func() (any, error), batch time.Duration) error {
	v.calls = 1
	for {
		const looks = 5
		fastest := time.Duration(math.MaxInt64)
		for range looks {
			elapsed, err := timed(call, v.calls)
			if err != nil {
				return err
			}
			fastest = min(fastest, elapsed)
			if v.slow = v.calls == 1 && fastest >= slowCall; v.slow {
				break
			}
		}
		if fastest >= batch || v.calls >= int(batch) {
			visit := max(time.Duration(s.plan.VisitUS)*time.Microsecond, 2*fastest) + time.Duration(s.plan.SingleCalls+1)*fastest/time.Duration(v.calls)
			rounds := min(s.plan.Rounds, max(settledBy, int(shareOfSlow/visit)))
			v.every = (s.plan.Rounds + rounds - 1) / rounds
			for v.every > 1 && (s.plan.Rounds+v.every-1)/v.every < settledBy {
				v.every--
			}
			return nil
		}
		grown := float64(v.calls) * 1.1 * float64(batch) / float64(max(fastest, 1))
		v.calls = max(v.calls+1, min(int(math.Ceil(grown)), 100*v.calls))
	}
}

func (v *visited) measureMemory(ctx context.Context) (err error) {
	call, remove, err := v.Prepare()
	if err != nil {
		return fmt.Errorf("sampling %s: %w", v.Name, err)
	}
	if remove != nil {
		defer func() { err = errors.Join(err, remove()) }()
	}
	s := sampler{ctx: ctx, call: call}
	if err := s.once("memory", 0); err != nil { // what is made once, at the first call, is not counted
		return fmt.Errorf("sampling %s: %w", v.Name, err)
	}
	if v.memory, err = s.memory(); err != nil {
		return fmt.Errorf("sampling %s: %w", v.Name, err)
	}
	return nil
}

// chain is a fixed piece of work: multiplications of which each needs the one
// before, so that it takes the same time whatever else the processor does.
//
//go:noinline
func chain(links int, x uint64) uint64 {
	for range links {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

var chained uint64 // keeps the chain from being optimised away

// delay takes the time of so many links. A processor works ahead: between two fences
// the chain runs neither beside the end of one call nor beside the start of the next,
// where a delay of 100 ns would cost some 60.
func delay(links int) {
	fence()
	chained = chain(links, chained)
	fence()
}

func slowed(call func() (any, error), links int) func() (any, error) {
	return func() (any, error) {
		answer, err := call()
		delay(links)
		return answer, err
	}
}

// delayCost is what a delay takes at its fastest, in seconds.
type delayCost struct{ fixed, link float64 }

// links gives the length of the delay that takes so many seconds.
func (c delayCost) links(seconds float64) int {
	return max(1, int(math.Round((seconds-c.fixed)/c.link)))
}

// measureDelay measures delays of two lengths, each as long as it takes to find its
// floor.
func measureDelay() delayCost {
	const short, long, calls, looks = 100, 1100, 20, 2000
	fastest := func(links int) float64 {
		least := time.Duration(math.MaxInt64)
		for range looks {
			start := time.Now()
			for range calls {
				delay(links)
			}
			least = min(least, time.Since(start))
		}
		return least.Seconds() / calls
	}
	a, b := fastest(short), fastest(long)
	link := (b - a) / (long - short)
	return delayCost{fixed: a - short*link, link: link}
}

// yardstickLinks is the length of the yardstick's chain: about a microsecond.
const yardstickLinks = 1000

func layYardstick() (func() (any, error), func() error, error) {
	return func() (any, error) {
		delay(yardstickLinks)
		return nil, nil
	}, nil, nil
}
