package runfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// noWarning fails the test where a Writer warns.
func noWarning(t testing.TB) func(error) {
	return func(err error) { t.Error(err) }
}

// write writes a file as a run does: what is known beforehand, then each scenario.
func write(t testing.TB, path string, f *File) {
	t.Helper()
	w, err := Create(path, f.Header, f.Features, noWarning(t))
	require.NoError(t, err)
	for i := range f.Scenarios {
		w.Scenario(&f.Scenarios[i])
	}
	w.Comparison(f.Comparison)
	w.Close(f.End)
}

func TestWhatIsWrittenWhileTheRunGoesOnIsTheSameAsAtItsEnd(t *testing.T) {
	file := FromOutcome(sample(t), sampleHeader(), sampleDetails)
	path := filepath.Join(t.TempDir(), DefaultPath)
	write(t, path, file)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, file.Encode(&want))
	assert.Equal(t, want.String(), string(got))
}

func TestBenchmarksAreWrittenAgainWithTheirSamples(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := Create(path, file.Header, file.Features, noWarning(t))
	require.NoError(t, err)
	sampled := 0
	for i := range file.Scenarios {
		s := &file.Scenarios[i]
		if s.Benchmark != nil {
			s.Benchmark.Processes = nil
			sampled++
		}
		w.Scenario(s)
	}
	require.Positive(t, sampled)
	for i := range file.Scenarios {
		if b := file.Scenarios[i].Benchmark; b != nil {
			b.Processes = []bench.Process{{RoundMin: []float64{float64(i) + 1}}}
		}
	}
	w.Sampled()
	w.Close(&End{})
	again, err := ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, again.Notes())
	assert.Equal(t, file.End.Statuses, again.End.Statuses, "each scenario counts once")
	assert.Equal(t, len(file.Scenarios), again.End.Scenarios)
	for i := range again.Scenarios {
		if b := again.Scenarios[i].Benchmark; b != nil {
			assert.Equal(t, file.Scenarios[i].Benchmark.Processes, b.Processes)
			sampled--
		}
	}
	assert.Zero(t, sampled)
}

func TestANewDirectoryIsIgnoredByGit(t *testing.T) {
	ignored := func(path string) string {
		w, err := Create(path, sampleHeader(), nil, noWarning(t))
		require.NoError(t, err)
		w.Close(nil)
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(path), ".gitignore"))
		return string(text)
	}
	path := filepath.Join(t.TempDir(), DefaultPath)
	assert.Equal(t, "*\n", ignored(path))
	require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), ".gitignore")))
	assert.Empty(t, ignored(path), "the directory was there")
	assert.Empty(t, ignored(filepath.Join(t.TempDir(), "new", "run.json")))
}

func TestReportsDoNotDependOnTheOrderInWhichScenariosEnd(t *testing.T) {
	run := sample(t)
	want := renderings(t, run)
	file := FromOutcome(run, Header{}, nil)
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := Create(path, file.Header, file.Features, noWarning(t))
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := len(file.Scenarios) - 1; i >= 0; i-- {
		all.Go(func() { w.Scenario(&file.Scenarios[i]) })
	}
	all.Wait()
	w.Comparison(run.Comparison)
	w.Close(file.End)
	again, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, renderings(t, again.ToOutcome()))
}

func TestALaterRecordReplacesAnEarlierOne(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	first := file.Scenarios[0]
	first.Status, first.Benchmark = outcome.Failed, nil
	other := file.Scenarios[0]
	other.Loader = "other"
	file.Scenarios = append([]Scenario{first, other}, file.Scenarios...)
	again := written(t, file)
	require.Len(t, again.Scenarios, 13)
	assert.Equal(t, outcome.Passed, again.Scenarios[0].Status)
	assert.NotNil(t, again.Scenarios[0].Benchmark)
	assert.Equal(t, "other", again.Scenarios[1].Loader)
}

func TestAScenarioIsInTheFileAsSoonAsItEnded(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := Create(path, file.Header, file.Features, noWarning(t))
	require.NoError(t, err)
	for i := range file.Scenarios {
		w.Scenario(&file.Scenarios[i])
		now, err := ReadFile(path)
		require.NoError(t, err)
		assert.Len(t, now.Scenarios, i+1)
		assert.Nil(t, now.End)
		assert.False(t, now.Cut)
	}
	w.Close(nil)
}

func TestTheFileOfAnEarlierRunIsReplacedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, os.WriteFile(path, []byte("of an earlier run"), 0o600))
	w, err := Create(path, Header{}, nil, noWarning(t))
	require.NoError(t, err)
	file, err := ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, file.Scenarios)
	assert.NotEmpty(t, file.Header.RunID)
	w.Close(nil)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file is left")
}

func TestTwoRunsInOnePlaceDoNotMixTheirRecords(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	path := filepath.Join(t.TempDir(), "run.json")
	first, err := Create(path, Header{RunID: "first"}, file.Features, noWarning(t))
	require.NoError(t, err)
	second, err := Create(path, Header{RunID: "second"}, file.Features, noWarning(t))
	if runtime.GOOS == "windows" && err != nil {
		t.Skip("an open file cannot be replaced here")
	}
	require.NoError(t, err)
	second.Scenario(&file.Scenarios[0])
	first.Scenario(&file.Scenarios[1])
	first.Close(&End{})
	second.Close(&End{})
	got, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "second", got.Header.RunID)
	require.Len(t, got.Scenarios, 1)
	assert.Equal(t, file.Scenarios[0].ID, got.Scenarios[0].ID)
}

func TestAFileThatAnotherRunHasTakenIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	first, err := Create(path, Header{RunID: "first"}, nil, noWarning(t))
	require.NoError(t, err)
	first.Close(&End{})
	for _, header := range []string{`{"record":"run","format":"omniloader run","format_version":1,"run_id":"other"`, strings.Repeat("x", 10_000)} {
		_, err = openStarted(path, []byte(header))
		require.ErrorIs(t, err, errReplaced)
		require.Error(t, abandoned(path, err))
		assert.FileExists(t, path)
	}
}

func TestAPlaceThatCannotBeWrittenIsAnErrorThatARunCanGoOnWith(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, path := range []string{"", dir, filepath.Join(dir, "file", "run.json"), "/dev/no/such"} {
		w, err := Create(path, Header{}, nil, nil)
		var e *atomicfile.Error
		require.ErrorAs(t, err, &e, path)
		assert.Nil(t, w)
		w.Scenario(&Scenario{})
		w.Comparison(nil)
		w.Close(&End{})
	}
	assert.DirExists(t, dir)
}

func TestAReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("this user may write everywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "run.json")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chmod(dir, 0o500))
	defer os.Chmod(dir, 0o700)
	_, err := Create(path, Header{}, nil, nil)
	var e *atomicfile.Error
	require.ErrorAs(t, err, &e)
	assert.ErrorIs(t, err, fs.ErrPermission)
	assert.Contains(t, e.Hint(), "the file is of an earlier run")
	assert.Contains(t, e.Hint(), "--run-file")
}

// A header that has no JSON form stands for whatever keeps a run file from being started.
func TestARunWithoutAFileLeavesNoneOfAnEarlierRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	_, err := Create(path, Header{Host: Host{Environment: map[string]any{"x": math.NaN()}}}, nil, nil)
	require.Error(t, err)
	assert.NoFileExists(t, path)
}

func TestAFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	_, err := Create("/dev/full", Header{}, nil, nil)
	assert.ErrorIs(t, err, syscall.ENOSPC)
}

func TestADeviceIsWrittenDirectly(t *testing.T) {
	if _, err := os.Stat("/dev/null"); err != nil {
		t.Skip("there is no /dev/null here")
	}
	write(t, "/dev/null", FromOutcome(sample(t), Header{}, nil))
}

// smallDisk is a file on a disk with room for so many bytes.
type smallDisk struct {
	bytes.Buffer
	room       int
	noTruncate bool
	closed     bool
}

func (d *smallDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-d.Len())
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (d *smallDisk) Truncate(size int64) error {
	if d.noTruncate {
		return errors.ErrUnsupported
	}
	d.Buffer.Truncate(int(size))
	return nil
}

func (d *smallDisk) Close() error { d.closed = true; return nil }

// onDisk gives a Writer behind a header and its features, and what it warns of.
func onDisk(t testing.TB, disk *smallDisk, f *File) (*Writer, *[]error) {
	t.Helper()
	start := File{Header: f.Header, Features: f.Features}
	require.NoError(t, start.Encode(&disk.Buffer))
	warnings := new([]error)
	return newWriter("run.json", disk, int64(disk.Len()), func(err error) { *warnings = append(*warnings, err) }), warnings
}

func TestADiskThatIsFullForAWhile(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	disk := &smallDisk{}
	w, warnings := onDisk(t, disk, file)
	disk.room = disk.Len() + 100
	w.Scenario(&file.Scenarios[0])
	w.Scenario(&file.Scenarios[1])
	require.Len(t, *warnings, 1, "it is told once")
	assert.Equal(t, "run.json: no space left on device", (*warnings)[0].Error())
	disk.room = math.MaxInt
	w.Scenario(&file.Scenarios[2])
	w.Close(file.End)
	assert.True(t, disk.closed)
	again, err := Read(&disk.Buffer, "run.json")
	require.NoError(t, err)
	require.Len(t, again.Scenarios, 1)
	assert.Equal(t, file.Scenarios[2].ID, again.Scenarios[0].ID)
	assert.Equal(t, 2, again.End.Lost)
	assert.Equal(t, []string{"2 records could not be written"}, again.Notes())
	assert.Zero(t, file.End.Lost, "the caller's record is not changed")
}

func TestADiskThatKeepsAPartOfARecord(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	disk := &smallDisk{noTruncate: true}
	w, warnings := onDisk(t, disk, file)
	disk.room = disk.Len() + 100
	w.Scenario(&file.Scenarios[0])
	disk.room = math.MaxInt
	w.Scenario(&file.Scenarios[1])
	w.Close(file.End)
	assert.Len(t, *warnings, 1)
	again, err := Read(&disk.Buffer, "run.json")
	require.NoError(t, err)
	assert.True(t, again.Cut)
	assert.Empty(t, again.Scenarios)
	assert.Equal(t, []string{"the last record was cut off and is left out", "the run did not come to its end: 0 of 12 scenarios had ended"}, again.Notes())
}

func TestNothingIsWrittenBehindTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := Create(path, Header{}, nil, noWarning(t))
	require.NoError(t, err)
	w.Close(&End{})
	w.Close(&End{})
	w.Scenario(&Scenario{})
	file, err := ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, file.Scenarios)
}

func TestFiguresWithoutAJSONFormDoNotLoseTheScenario(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	file.Scenarios[0].Benchmark = &bench.Result{Name: "x", MeanTime: math.NaN()}
	file.Scenarios[0].Cut = make([]string, 0, 1)
	again := written(t, file)
	assert.Nil(t, again.Scenarios[0].Benchmark)
	assert.Equal(t, []string{"the benchmark, which has no JSON form: json: unsupported value: NaN"}, again.Scenarios[0].Cut)
	assert.NotNil(t, file.Scenarios[0].Benchmark, "the caller's record is not changed")
	assert.Equal(t, []string{""}, file.Scenarios[0].Cut[:1], "nor what lies behind its slices")
}

func TestAScenarioIsCutToTheLimits(t *testing.T) {
	long := Text(strings.Repeat("é", MaxMessage))
	s := Scenario{
		ID: "a", URI: "a.feature", Status: outcome.Failed, SkipReason: long,
		Steps:    []Step{{StepResult: StepResult{Failure: &Failure{Message: long, Stack: long}}}, {StepResult: StepResult{Failure: &Failure{Hint: long}}}},
		Attempts: []Attempt{{Steps: []StepResult{{Failure: &Failure{Got: long}}}}, {}},
		Evidence: &Evidence{Answer: &Excerpt{Text: long}, Tree: &Tree{Files: make([]TreeFile, MaxTreeFiles+5), More: 2}},
	}
	again := written(t, &File{Features: []Feature{{URI: "a.feature"}}, Scenarios: []Scenario{s}}).Scenarios[0]
	assert.Len(t, again.SkipReason, MaxMessage)
	assert.Len(t, again.Steps[0].Failure.Message, MaxMessage)
	assert.Len(t, again.Steps[0].Failure.Stack, MaxStack)
	assert.Len(t, again.Steps[1].Failure.Hint, MaxMessage)
	assert.Len(t, again.Attempts[0].Steps[0].Failure.Got, MaxMessage)
	assert.Len(t, again.Evidence.Answer.Text, MaxAnswer)
	assert.Equal(t, len(long), again.Evidence.Answer.Bytes)
	assert.Len(t, again.Evidence.Tree.Files, MaxTreeFiles)
	assert.Equal(t, 7, again.Evidence.Tree.More)
	assert.Equal(t, []string{"the end of the reason of the skip", "the end of texts about failures"}, again.Cut)
	assert.Equal(t, long, s.Steps[0].Failure.Message, "the caller's record is not changed")
}

func TestARecordThatWouldBeTooLongKeepsItsVerdict(t *testing.T) {
	shorterLines(t)
	wide := strings.Repeat("\x00", maxLine/6) // six bytes each in JSON
	s := Scenario{
		ID: "a", URI: "a.feature", Name: "n", Status: outcome.Failed, Evidence: &Evidence{Operation: "o"},
		Attempts: []Attempt{{Steps: []StepResult{{}}}},
		Steps: []Step{
			{Text: "t", DocString: &DocString{Content: wide}, StepResult: StepResult{Status: outcome.Passed}},
			{Table: [][]string{{"x"}}, StepResult: StepResult{Status: outcome.Failed, Failure: &Failure{Message: Text(strings.Repeat("m", MaxMessage))}}},
		},
	}
	features := []Feature{{URI: "a.feature", Name: "n", Source: Text(wide)}}
	again := written(t, &File{Features: features, Scenarios: []Scenario{s}})
	assert.Equal(t, Feature{URI: "a.feature", Name: "n"}, again.Features[0])
	got := again.Scenarios[0]
	assert.Equal(t, outcome.Failed, got.Status)
	assert.Nil(t, got.Evidence)
	assert.Nil(t, got.Attempts[0].Steps)
	assert.Nil(t, got.Steps[0].DocString)
	assert.Nil(t, got.Steps[1].Table)
	assert.Len(t, got.Steps[1].Failure.Message, reducedMessage)
	assert.Len(t, got.Cut, 2)
	assert.NotNil(t, s.Steps[0].DocString, "the caller's record is not changed")
}

func TestWritingKeepsNothing(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, sampleDetails)
	w, err := Create(filepath.Join(t.TempDir(), "run.json"), file.Header, file.Features, noWarning(t))
	require.NoError(t, err)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := file.Scenarios[2]
	w.Scenario(&s)
	before := heap()
	for i := range 10_000 {
		s := s
		s.ID = fmt.Sprint(i)
		w.Scenario(&s)
	}
	after := heap()
	w.Close(nil)
	assert.Less(t, int64(after)-int64(before), int64(1<<20), "bytes after 10,000 scenarios")
	runtime.KeepAlive(file)
}

// usual is a record as most are: a functional scenario of four steps that passed.
func usual(t testing.TB) (*outcome.Feature, *outcome.Scenario, Details) {
	run := sample(t)
	f := &run.Features[0]
	s := &f.Scenarios[0]
	s.Benchmark, s.Warnings = nil, nil
	d := sampleDetails(f, s)
	d.Identity.File = f.URI
	return f, s, d
}

func BenchmarkConvert(b *testing.B) {
	f, s, d := usual(b)
	b.ReportAllocs()
	for b.Loop() {
		NewScenario(f, s, d)
	}
}

func BenchmarkEncode(b *testing.B) {
	f, s, d := usual(b)
	record := NewScenario(f, s, d)
	var buffer bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		buffer.Reset()
		if err := encodeScenario(&buffer, &record); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(buffer.Len()))
}

func BenchmarkWriteAppend(b *testing.B) {
	f, s, d := usual(b)
	w, err := Create(filepath.Join(b.TempDir(), "run.json"), Header{}, nil, noWarning(b))
	require.NoError(b, err)
	defer w.Close(nil)
	b.ReportAllocs()
	for b.Loop() {
		record := NewScenario(f, s, d)
		w.Scenario(&record)
	}
}

func BenchmarkCreate(b *testing.B) {
	file := FromOutcome(sample(b), Header{}, nil)
	path := filepath.Join(b.TempDir(), "run.json")
	for b.Loop() {
		w, err := Create(path, file.Header, file.Features, nil)
		require.NoError(b, err)
		w.Close(nil)
	}
}

func BenchmarkRead(b *testing.B) {
	f, s, d := usual(b)
	file := &File{Features: []Feature{NewFeature(f)}}
	for i := range 1000 {
		d.Identity.Number = i
		file.Scenarios = append(file.Scenarios, NewScenario(f, s, d))
	}
	var buffer bytes.Buffer
	require.NoError(b, file.Encode(&buffer))
	b.SetBytes(int64(buffer.Len()))
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		_, err := Read(bytes.NewReader(buffer.Bytes()), "run.json")
		require.NoError(b, err)
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/float64(b.N)/1000, "µs/scenario")
}
