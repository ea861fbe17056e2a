package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// Benchfmt writes the benchmarks of a run in the Go benchmark text format, which
// benchstat and other readers of the output of "go test -bench" understand. The
// format is specified at https://go.dev/design/14313-benchmark-format.
//
// Where the benchmarks were sampled, each has a line for each process, with the floor of
// that process as ns/op: processes are independent repetitions, the batches of one are
// not. Else each has one line, of calls timed one by one. As these are different figures
// under the same name, the key "timing" has another value: benchstat puts
// different values into different tables and never compares them. Commit and date
// are comments, because benchstat would not compare runs that differ in a key.
func Benchfmt(w io.Writer, run *outcome.Run, _ Options) error {
	t := &benchfmtWriter{printer: printer{w: w}, gomaxprocs: fmt.Sprint(run.Origin.Environment["gomaxprocs"]), usedNames: map[string]bool{}}
	if _, err := strconv.Atoi(t.gomaxprocs); err != nil {
		t.gomaxprocs = "1"
	}
	sampled := false
	for _, s := range scenarios(run) {
		sampled = sampled || s.Benchmark != nil && len(s.Benchmark.Processes) > 0
	}
	for _, s := range scenarios(run) {
		switch {
		case s.Benchmark == nil:
		case sampled:
			t.processes(s.Benchmark)
		default:
			t.calls(s.Benchmark)
		}
	}
	t.header(run, sampled)
	for _, l := range t.lines {
		t.line(l)
	}
	return t.err
}

// benchUnit is a unit of the format with its metadata for benchstat.
type benchUnit struct{ name, metadata string }

// benchUnits are the units that lines may have. Memory is counted and not sampled:
// benchstat shows every difference of exact units, and does no test of significance.
var benchUnits = []benchUnit{
	{"ns/op", "better=lower"}, {"p50-ns/op", "better=lower"}, {"p95-ns/op", "better=lower"}, {"p99-ns/op", "better=lower"},
	{"B/op", "better=lower assume=exact"}, {"allocs/op", "better=lower assume=exact"},
	{"calls/s", "better=higher"}, {"peak-RSS-bytes", "better=lower"},
}

// benchfmtWriter collects the lines of benchmarks, to write them after the units they use.
type benchfmtWriter struct {
	printer
	gomaxprocs string
	lines      []string
	usedNames  map[string]bool // names
	usedUnits  map[string]bool // units
}

// The values of the key "timing".
const (
	timingFloors = "floor-of-each-process"
	timingCalls  = "mean-of-single-calls"
)

// header writes what comes before the lines of benchmarks.
func (t *benchfmtWriter) header(run *outcome.Run, sampled bool) {
	about := []string{"omniloader", run.Started.UTC().Format("2006-01-02T15:04:05Z"), run.Origin.GoVersion}
	if commit, ok := run.Origin.Environment["commit"].(string); ok {
		about = append(about, "commit "+commit)
	}
	t.comment(strings.Join(about, " "))
	t.comment(Headline(run, Options{}))
	if run.Interrupted {
		t.comment("the run was interrupted; what had been measured before follows")
	}
	timing := timingCalls
	if sampled {
		timing = timingFloors
		t.comment("one line for each process: ns/op is its fastest batch, iterations are its rounds")
	} else {
		t.comment("ns/op is the mean of calls timed one by one, in one process: it does not show small changes,")
		t.comment("which omniloader run --save-baseline FILE --format benchfmt:FILE does")
	}
	goos, goarch, _ := strings.Cut(run.Origin.Platform, "/")
	cpu, _ := run.Origin.Environment["cpu"].(string)
	for _, config := range []struct{ key, value string }{{"goos", goos}, {"goarch", goarch}, {"pkg", "omniloader"}, {"cpu", cpu}, {"timing", timing}} {
		if value := oneLine(config.value); value != "" { // a key without a value would remove it
			t.line(config.key + ": " + value)
		}
	}
	for _, unit := range benchUnits {
		if t.usedUnits[unit.name] {
			t.line("Unit " + unit.name + " " + unit.metadata)
		}
	}
	if len(t.lines) == 0 {
		t.comment("nothing was measured")
	}
}

func (t *benchfmtWriter) comment(text string) { t.line("# " + oneLine(text)) }

// calls adds the lines of a benchmark's single calls: of one caller, of concurrent callers,
// and in a fresh process.
func (t *benchfmtWriter) calls(r *bench.Result) {
	name := t.name(r)
	values := append([]benchValue{{r.MeanTime * 1e9, "ns/op"}}, percentiles(r.Iterations, r.MedianTime, r.P95Time, r.P99Time)...)
	t.add(name, r.Iterations, append(values, memory(r)...))
	if c := r.Concurrency; c != nil {
		values := append([]benchValue{{c.MeanTime * 1e9, "ns/op"}}, percentiles(c.Iterations, c.MedianTime, c.P95Time, c.P99Time)...)
		t.add(fmt.Sprintf("%s/callers=%d", name, c.Callers), c.Iterations, append(values, benchValue{c.Throughput, "calls/s"}))
	}
	if p := r.FreshProcess; p != nil {
		values := []benchValue{{float64(p.First) * 1e9, "ns/op"}}
		if p.PeakMissing == "" {
			values = append(values, benchValue{float64(p.PeakRSS), "peak-RSS-bytes"})
		}
		t.add(name+"/call=first", 1, values)
		if p.Cold != nil {
			t.add(name+"/call=cold", 1, []benchValue{{float64(*p.Cold) * 1e9, "ns/op"}})
		}
	}
}

// processes adds a line for each process that sampled a benchmark.
func (t *benchfmtWriter) processes(r *bench.Result) {
	if len(r.Processes) == 0 {
		return
	}
	name := t.name(r)
	for _, p := range r.Processes {
		t.add(name, len(p.RoundMin), append([]benchValue{{bench.Floor([]bench.Process{p}), "ns/op"}}, memory(r)...))
	}
}

// percentiles gives those percentiles, in seconds, for which there are enough calls.
func percentiles(calls int, p50, p95, p99 float64) []benchValue {
	values := []benchValue{{p50 * 1e9, "p50-ns/op"}}
	if bench.P95Latency.EnoughCalls(calls) {
		values = append(values, benchValue{p95 * 1e9, "p95-ns/op"})
	}
	if bench.P99Latency.EnoughCalls(calls) {
		values = append(values, benchValue{p99 * 1e9, "p99-ns/op"})
	}
	return values
}

func memory(r *bench.Result) []benchValue {
	if r.BytesPerOp == nil || r.AllocsPerOp == nil {
		return nil
	}
	return []benchValue{{float64(*r.BytesPerOp), "B/op"}, {float64(*r.AllocsPerOp), "allocs/op"}}
}

type benchValue struct {
	value float64
	unit  string
}

// add adds a line, unless it has no calls or a value that is not finite.
func (t *benchfmtWriter) add(name string, iterations int, values []benchValue) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s-%s\t%d", name, t.gomaxprocs, iterations)
	for _, v := range values {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) {
			return
		}
		const hundredths = 100 // of a nanosecond; clocks are less exact
		b.WriteString("\t" + strconv.FormatFloat(math.Round(v.value*hundredths)/hundredths, 'f', -1, 64) + " " + v.unit)
	}
	if iterations < 1 {
		return
	}
	if t.usedUnits == nil {
		t.usedUnits = map[string]bool{}
	}
	for _, v := range values {
		t.usedUnits[v.unit] = true
	}
	t.lines = append(t.lines, b.String())
}

// name gives a benchmark its name in the format, "BenchmarkDetection/scenario=llama":
// the category is what benchstat calls .name, the rest its key /scenario, /loader
// for a loader that is not the built-in one, and /model in a run with several. Names are unique,
// as two lines of one name count as repetitions.
func (t *benchfmtWriter) name(r *bench.Result) string {
	category := nameField(r.Category)
	first, size := utf8.DecodeRuneInString(category)
	category = string(unicode.ToUpper(first)) + category[size:]
	if size == 0 || !unicode.IsUpper(unicode.ToUpper(first)) {
		category = "Scenario"
	}
	name := "Benchmark" + category + "/scenario=" + cmp.Or(nameField(r.Name), "_")
	if r.Loader != "" {
		name += "/loader=" + nameField(r.Loader)
	}
	if r.Model != "" {
		name += "/model=" + nameField(r.Model)
	}
	unique := name
	for n := 1; t.usedNames[unique]; n++ {
		unique = fmt.Sprintf("%s#%02d", name, n)
	}
	t.usedNames[unique] = true
	return unique
}

// nameField writes text as part of a name: spaces as _, and characters that cannot be
// printed as escapes, as package testing does; the slash, which separates parts, too.
func nameField(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsSpace(r):
			b.WriteByte('_')
		case r == '/':
			b.WriteString(`\x2f`)
		case !strconv.IsPrint(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}
