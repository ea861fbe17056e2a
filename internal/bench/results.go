package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"omniloader/internal/atomicfile"
)

// Result is one benchmark in a results file. The keys down to Metadata are those of the
// predecessor's files and never change. Times are in seconds.
type Result struct {
	Name          string         `json:"name"`
	Category      string         `json:"category"`
	Iterations    int            `json:"iterations"`
	TotalTime     float64        `json:"total_time"`
	MeanTime      float64        `json:"mean_time"`
	MedianTime    float64        `json:"median_time"`
	StdDev        float64        `json:"std_dev"` // of the sample, divisor n-1
	MinTime       float64        `json:"min_time"`
	MaxTime       float64        `json:"max_time"`
	P95Time       float64        `json:"p95_time"`        // nearest rank
	P99Time       float64        `json:"p99_time"`        // nearest rank
	MemoryDeltaMB float64        `json:"memory_delta_mb"` // 10^6 bytes; 0 where memory was not measured; Metadata says so, and nothing may be concluded from it
	Metadata      map[string]any `json:"metadata"`

	Loader      string      `json:"loader,omitempty"` // name of the loader under test; "" for the built-in one
	Model       string      `json:"model,omitempty"`  // label of the real checkpoint in a run with several; else ""
	Warmup      int         `json:"warmup,omitempty"`
	ColdTime    float64     `json:"cold_time,omitempty"`     // of the very first call, warm-up included, in seconds
	BytesPerOp  *uint64     `json:"bytes_per_op,omitempty"`  // nil where memory was not measured
	AllocsPerOp *uint64     `json:"allocs_per_op,omitempty"` // nil where memory was not measured
	Bounds      []Judgement `json:"bounds,omitempty"`
	// TimesMeasured is the number of measurements where there was more than one because a
	// bound was exceeded. The figures are then those of the first measurement that
	// kept every bound, so that they are lower than those of an average measurement, or
	// those of the first one where none did.
	TimesMeasured int      `json:"times_measured,omitempty"`
	Threshold     *float64 `json:"threshold,omitempty"` // of the scenario itself, 0.1 for 10 %; nil where it has none

	Concurrency  *ConcurrencyResult `json:"concurrency,omitempty"` // nil where there were no callers at once
	Growth       *Growth            `json:"growth,omitempty"`      // nil where there was one size
	FreshProcess *FreshProcess      `json:"fresh_process,omitempty"`

	// What a run with a baseline adds, see Sampling: the raw samples that every
	// verdict can be computed from again. Floors are in nanoseconds.
	FloorNS   float64   `json:"floor_ns,omitempty"`
	Processes []Process `json:"processes,omitempty"`
	// Singles describes the calls that were timed one by one, also without a baseline.
	Singles *Sketch `json:"single_ns_sketch,omitempty"`

	// Measurement holds the raw samples while the program runs; nil in a result
	// that was read from a file.
	Measurement *Measurement `json:"-"`
}

// Key identifies a benchmark in a results file, a run or a comparison: the same benchmark of
// two loaders is two entries.
type Key struct {
	Loader    string // name of the loader under test; "" for the built-in one
	Benchmark string // name of the benchmark
	Model     string // label of the real checkpoint in a run with several; else ""
}

// String reads "name", "name [MODEL]" where the run has several real checkpoints, and
// "name of LOADER" for a loader that is not the built-in one.
func (k Key) String() string {
	text := k.Benchmark
	if k.Model != "" {
		text += " [" + k.Model + "]"
	}
	if k.Loader != "" {
		text += " of " + k.Loader
	}
	return text
}

// Key returns the key of the result.
func (r *Result) Key() Key { return Key{Loader: r.Loader, Benchmark: r.Name, Model: r.Model} }

// ConcurrencyResult is a Concurrency in a results file.
type ConcurrencyResult struct {
	Callers         int     `json:"callers"`
	Iterations      int     `json:"iterations"`       // calls of all callers
	Throughput      float64 `json:"throughput"`       // calls a second of all callers together
	ThroughputAlone float64 `json:"throughput_alone"` // calls a second of one caller
	Scaling         float64 `json:"scaling"`          // Throughput by ThroughputAlone
	MeanTime        float64 `json:"mean_time"`        // of a call beside the other callers, in seconds, as the following
	MedianTime      float64 `json:"median_time"`
	P95Time         float64 `json:"p95_time"`
	P99Time         float64 `json:"p99_time"`
	MaxTime         float64 `json:"max_time"`
}

func newConcurrency(c *Concurrency) *ConcurrencyResult {
	if c == nil {
		return nil
	}
	s := Summarize(c.Calls)
	return &ConcurrencyResult{
		Callers: c.Callers, Iterations: s.Samples, Throughput: c.Throughput, ThroughputAlone: c.Alone, Scaling: c.Scaling(),
		MeanTime: s.Mean, MedianTime: s.Median, P95Time: s.P95, P99Time: s.P99, MaxTime: s.Max,
	}
}

// What the metadata of a result have where memory was not measured: the predecessor's key for
// the memory delta is there in any case.
const (
	memoryKey         = "memory"
	memoryNotMeasured = "not measured"
)

// setMemory sets what was measured of memory, or that nothing was for nil. The metadata must
// not be nil.
func (r *Result) setMemory(m *Memory) {
	if m == nil {
		r.MemoryDeltaMB, r.BytesPerOp, r.AllocsPerOp = 0, nil, nil
		r.Metadata[memoryKey] = memoryNotMeasured
		return
	}
	r.MemoryDeltaMB, r.BytesPerOp, r.AllocsPerOp = float64(m.LiveDelta)/1e6, &m.BytesPerCall, &m.AllocsPerCall
	if r.Metadata[memoryKey] == memoryNotMeasured {
		delete(r.Metadata, memoryKey)
	}
}

// NewResult makes the result of a measurement. metadata may be nil; the result has a copy,
// which says where memory was not measured.
func NewResult(key Key, category string, m *Measurement, metadata map[string]any) *Result {
	s := m.Summary()
	if metadata = maps.Clone(metadata); metadata == nil {
		metadata = map[string]any{}
	}
	r := &Result{
		Name: key.Benchmark, Loader: key.Loader, Model: key.Model, Category: category, Iterations: s.Samples,
		TotalTime: s.Total, MeanTime: s.Mean, MedianTime: s.Median, StdDev: s.StdDev,
		MinTime: s.Min, MaxTime: s.Max, P95Time: s.P95, P99Time: s.P99,
		Metadata: metadata, Warmup: m.Plan.Warmup, ColdTime: m.FirstDuration.Seconds(), Measurement: m,
		Concurrency: newConcurrency(m.Concurrency), Growth: m.Growth, FreshProcess: m.FreshProcess,
		Singles: sketch(m.Calls),
	}
	r.setMemory(m.Memory)
	return r
}

// Held tells whether every bound that was judged held; true where there is none.
func (r *Result) Held() bool {
	return !slices.ContainsFunc(r.Bounds, func(j Judgement) bool { return !j.Held })
}

// times gives the times of a result by key.
func (r *Result) times() []keyedTime {
	return []keyedTime{
		{"total_time", r.TotalTime}, {"mean_time", r.MeanTime}, {"median_time", r.MedianTime}, {"std_dev", r.StdDev},
		{"min_time", r.MinTime}, {"max_time", r.MaxTime}, {"p95_time", r.P95Time}, {"p99_time", r.P99Time}, {"cold_time", r.ColdTime},
	}
}

type keyedTime struct {
	key   string
	value float64
}

// validate refuses values that no measurement gives.
func (r *Result) validate() error {
	if r.Name == "" {
		return errors.New("a result has no name")
	}
	if r.Iterations < 0 {
		return fmt.Errorf("result %q: iterations is %d, it must not be negative", r.Name, r.Iterations)
	}
	for _, t := range r.times() {
		if math.IsNaN(t.value) || math.IsInf(t.value, 0) {
			return fmt.Errorf("result %q: %s is %v, it must be a finite number", r.Name, t.key, t.value)
		}
		if t.value < 0 {
			return fmt.Errorf("result %q: %s is %v, a time must not be negative", r.Name, t.key, t.value)
		}
	}
	if t := r.Threshold; t != nil && !(*t >= 0 && *t < 1) {
		return fmt.Errorf("result %q: threshold is %v, it must be from 0 to below 1", r.Name, *t)
	}
	if err := r.validateProcesses(); err != nil {
		return err
	}
	if math.IsNaN(r.MemoryDeltaMB) || math.IsInf(r.MemoryDeltaMB, 0) {
		return fmt.Errorf("result %q: memory_delta_mb is %v, it must be a finite number", r.Name, r.MemoryDeltaMB)
	}
	return nil
}

func (r *Result) validateProcesses() error {
	for i, p := range r.Processes {
		if len(p.RoundMin) == 0 {
			return fmt.Errorf("result %q: process %d has no round_min_ns", r.Name, i+1)
		}
		if n := len(p.Contention); n != 0 && n != 2 {
			return fmt.Errorf("result %q: contention_ns of process %d has %d times, it must have two", r.Name, i+1, n)
		}
		for _, ns := range slices.Concat(p.RoundMin, p.Contention, []float64{p.Yardstick}) {
			if math.IsNaN(ns) || math.IsInf(ns, 0) || ns < 0 {
				return fmt.Errorf("result %q: round_min_ns, contention_ns or yardstick_ns of process %d has %v, a time must be finite and not negative", r.Name, i+1, ns)
			}
		}
	}
	return nil
}

// The results file's name and the schema that this program writes.
const (
	SuiteName = "OmniModelLoader Benchmark Suite"
	Schema    = 2
)

// File is a results file.
type File struct {
	Name          string         `json:"name"`
	Schema        int            `json:"schema"` // 0 in the predecessor's files
	Timestamp     string         `json:"timestamp"`
	GoVersion     string         `json:"go_version,omitempty"`
	PythonVersion string         `json:"python_version,omitempty"` // only in the predecessor's files
	Platform      string         `json:"platform"`
	Environment   map[string]any `json:"environment"`
	Plan          *Sampling      `json:"plan,omitempty"` // nil where nothing was sampled for comparison
	// Selection says in words which benchmarks were asked for; "" stands for all.
	Selection   string      `json:"selection,omitempty"`
	Interrupted bool        `json:"interrupted,omitempty"` // the run was ended by the user
	Results     []Result    `json:"results"`
	Summary     FileSummary `json:"summary"`

	// Notes say for people which keys a file that was read does not have.
	Notes []string `json:"-"`
}

// FileSummary is the end of a results file.
type FileSummary struct {
	TotalBenchmarks int      `json:"total_benchmarks"`
	Categories      []string `json:"categories"` // sorted, each once
}

// Origin is where and when results were measured.
type Origin struct {
	Time        time.Time
	GoVersion   string         // as runtime.Version gives it
	Platform    string         // "linux/amd64"
	Environment map[string]any // see Host
}

// NewFile makes a results file of the results of a run, in their order. It fails
// where two results have one key or a figure is no finite number.
func NewFile(results []Result, origin Origin) (*File, error) {
	f := &File{
		Name: SuiteName, Schema: Schema,
		Timestamp: origin.Time.UTC().Format(time.RFC3339),
		GoVersion: origin.GoVersion, Platform: origin.Platform,
		Environment: origin.Environment,
		Results:     slices.Clone(results),
	}
	if f.Environment == nil {
		f.Environment = map[string]any{}
	}
	if f.Results == nil {
		f.Results = []Result{}
	}
	for i := range f.Results {
		if f.Results[i].Metadata == nil {
			f.Results[i].Metadata = map[string]any{}
		}
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	f.summarize()
	return f, nil
}

func (f *File) summarize() {
	categories := []string{}
	for i := range f.Results {
		categories = append(categories, f.Results[i].Category)
	}
	slices.Sort(categories)
	f.Summary = FileSummary{TotalBenchmarks: len(f.Results), Categories: slices.Compact(categories)}
}

// validate refuses values that no measurement gives, and two results of one key.
func (f *File) validate() error {
	if f.Plan != nil {
		if err := f.Plan.checkRanges(); err != nil {
			return err
		}
	}
	seen := make(map[Key]bool, len(f.Results))
	for i := range f.Results {
		r := &f.Results[i]
		if err := r.validate(); err != nil {
			return err
		}
		if seen[r.Key()] {
			return fmt.Errorf("two results are named %q", r.Key())
		}
		seen[r.Key()] = true
	}
	return nil
}

// Result gives the result of that key, or nil.
func (f *File) Result(key Key) *Result {
	for i := range f.Results {
		if f.Results[i].Key() == key {
			return &f.Results[i]
		}
	}
	return nil
}

// Encode writes the file as indented JSON.
func (f *File) Encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// Write writes the file to a path, whole or not at all.
func (f *File) Write(path string) error { return atomicfile.Write(path, f.Encode) }

// Sketch describes the distribution of single calls without keeping each of them. Times
// are in nanoseconds.
type Sketch struct {
	N       int     `json:"n"`
	Deciles []int64 `json:"sorted_deciles"` // the fastest, the nine deciles by nearest rank, the slowest
	Top     []int64 `json:"top"`            // the slowest few, ascending
}

// sketch makes a Sketch of single calls, or nil of none.
func sketch(singles []time.Duration) *Sketch {
	const top, tenths = 10, 10
	if len(singles) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(singles))
	s := &Sketch{N: len(sorted)}
	for i := range tenths + 1 {
		rank := max(1, (i*len(sorted)+tenths-1)/tenths)
		s.Deciles = append(s.Deciles, sorted[rank-1].Nanoseconds())
	}
	for _, d := range sorted[max(0, len(sorted)-top):] {
		s.Top = append(s.Top, d.Nanoseconds())
	}
	return s
}

// yardstickKey is where an environment has the least time of the yardstick over all
// processes.
const yardstickKey = "yardstick_floor_ns"

// AddSamples adds what processes sampled to the results of the same keys. It may
// be called again with more processes, as a confirmation does. A sample without a
// result is an error. The first call replaces the sketch of single calls by that of the
// sampled ones, which are spread over seconds.
func (f *File) AddSamples(plan Sampling, processes ...*Samples) error {
	first := f.Plan == nil
	f.Plan = &plan
	singles := map[Key][]time.Duration{}
	yardstick, known := f.Environment[yardstickKey].(float64)
	for _, p := range processes {
		if !known || p.Yardstick < yardstick {
			yardstick, known = p.Yardstick, true
		}
		for _, sample := range p.Benchmarks {
			key := sample.Key()
			r := f.Result(key)
			if r == nil {
				return fmt.Errorf("benchmark %q was sampled and has no result", key)
			}
			r.Processes = append(r.Processes, sample.Process)
			r.FloorNS = Floor(r.Processes)
			singles[key] = append(singles[key], sample.Singles...)
			if m := sample.Memory; m != nil {
				r.setMemory(m)
			}
		}
	}
	for key, calls := range singles {
		if first {
			f.Result(key).Singles = sketch(calls)
		}
	}
	f.Environment[yardstickKey] = yardstick
	return f.validate()
}
