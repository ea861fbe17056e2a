package bench

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"omniloader/internal/quantity"
)

// maxFileSize bounds the size of a results file: 60 benchmarks take 40 kB, and
// 300 kB with their samples.
const maxFileSize = 16 << 20

// noOffset is the Offset of an error that is at no particular byte.
const noOffset int64 = -1

// FileError is a results file that cannot be used.
type FileError struct {
	Path   string
	Offset int64 // byte in the file, or -1
	Line   int   // line in the file counted from 1, or 0
	Detail string
	Advice string // what to do about it, or empty
	Err    error  // the cause, or nil
}

// Error reads "baseline.json: line 3, byte 41: …".
func (e *FileError) Error() string {
	text := e.Path + ": "
	if e.Offset >= 0 {
		text += fmt.Sprintf("line %d, byte %d: ", e.Line, e.Offset)
	}
	return text + e.Detail
}

// Unwrap gives the cause, or nil.
func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to do about the error; it may be empty.
func (e *FileError) Hint() string { return e.Advice }

// ReadFile reads a results file from disk. The error is a *FileError.
func ReadFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		e := readError(path, err)
		if errors.Is(err, fs.ErrNotExist) {
			e.Detail, e.Advice = "there is no such file", "write one with: omniloader run --output "+path
		}
		return nil, e
	}
	defer f.Close()
	return Read(f, path)
}

// readError makes a FileError of an error of the system, without the path in its text.
func readError(path string, err error) *FileError {
	e := &FileError{Path: path, Offset: noOffset, Detail: "cannot be read: " + err.Error(), Err: err}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		e.Detail = "cannot be read: " + pathError.Err.Error()
	}
	return e
}

// Read reads a results file, this program's or the predecessor's. path is only used
// in the error, which is a *FileError.
//
// The predecessor's files have python_version and no schema; where such a file, or
// one edited by hand, lacks a figure, File.Notes says so. Every result needs a name and a
// mean time (or a total time and iterations). Read refuses invalid JSON,
// numbers that are no measurement (NaN, infinite, negative times), two results of
// one name and loader, and a schema newer than this program's.
func Read(r io.Reader, path string) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, readError(path, err)
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &FileError{Path: path, Offset: noOffset, Detail: "is UTF-16, and JSON is UTF-8", Advice: "write it again as UTF-8; --output does"}
	}
	if len(data) > maxFileSize {
		return nil, &FileError{Path: path, Offset: noOffset, Detail: fmt.Sprintf("longer than %d MiB, too large for a results file", maxFileSize>>20)}
	}
	d := resultsDecoder{path: path, data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	d.bomBytes = len(data) - len(d.data)
	return d.file()
}

const advice = "a results file is what `omniloader run --output FILE` writes"

// resultsDecoder reads one results file.
type resultsDecoder struct {
	path     string
	data     []byte
	bomBytes int // length of the byte order mark before data
}

func (d *resultsDecoder) fail(detail string) *FileError {
	return &FileError{Path: d.path, Offset: noOffset, Detail: detail, Advice: advice}
}

// failAt is a failure at an offset in data.
func (d *resultsDecoder) failAt(offset int64, detail string, err error) *FileError {
	offset = max(0, min(offset, int64(len(d.data))))
	return &FileError{
		Path: d.path, Offset: offset + int64(d.bomBytes), Line: 1 + bytes.Count(d.data[:offset], []byte("\n")),
		Detail: detail, Advice: advice, Err: err,
	}
}

// document is the JSON of a file. Pointers tell a missing key from a zero.
type document struct {
	Name          string         `json:"name"`
	Schema        *int           `json:"schema"`
	Timestamp     string         `json:"timestamp"`
	GoVersion     string         `json:"go_version"`
	PythonVersion string         `json:"python_version"`
	Platform      string         `json:"platform"`
	Environment   map[string]any `json:"environment"`
	Plan          *Sampling      `json:"plan"`
	Selection     string         `json:"selection"`
	Interrupted   bool           `json:"interrupted"`
	Results       *[]resultEntry `json:"results"`
}

// resultEntry is the JSON of one result. Pointers tell a key that is missing, or null, from
// a zero.
type resultEntry struct {
	Name                 string             `json:"name"`
	Category             string             `json:"category"`
	Iterations           *int               `json:"iterations"`
	TotalTime            *float64           `json:"total_time"`
	MeanTime             *float64           `json:"mean_time"`
	MedianTime           *float64           `json:"median_time"`
	StdDev               *float64           `json:"std_dev"`
	MinTime              *float64           `json:"min_time"`
	MaxTime              *float64           `json:"max_time"`
	P95Time              *float64           `json:"p95_time"`
	P99Time              *float64           `json:"p99_time"`
	MemoryDeltaMB        *float64           `json:"memory_delta_mb"`
	Metadata             map[string]any     `json:"metadata"`
	Loader               string             `json:"loader"`
	Model                string             `json:"model"`
	Warmup               int                `json:"warmup"`
	ColdTime             float64            `json:"cold_time"`
	BytesPerOp           *uint64            `json:"bytes_per_op"`
	AllocsPerOp          *uint64            `json:"allocs_per_op"`
	Bounds               []Judgement        `json:"bounds"`
	TimesMeasured        int                `json:"times_measured"`
	EarlierTimesMeasured int                `json:"looks"` // see legacykeys.go
	Threshold            *float64           `json:"threshold"`
	Processes            []processEntry     `json:"processes"`
	Singles              *Sketch            `json:"single_ns_sketch"`
	Concurrency          *ConcurrencyResult `json:"concurrency"`
	Growth               *Growth            `json:"growth"`
	Process              *FreshProcess      `json:"fresh_process"`
}

// file reads the whole document.
func (d *resultsDecoder) file() (*File, error) {
	doc, err := d.document()
	if err != nil {
		return nil, err
	}
	f := &File{
		Name: doc.Name, Timestamp: doc.Timestamp, GoVersion: doc.GoVersion, PythonVersion: doc.PythonVersion,
		Platform: doc.Platform, Environment: doc.Environment, Plan: doc.Plan,
		Selection: doc.Selection, Interrupted: doc.Interrupted, Results: make([]Result, 0, len(*doc.Results)),
	}
	if doc.Schema != nil {
		f.Schema = *doc.Schema
	}
	if err := d.checkSchema(f.Schema); err != nil {
		return nil, err
	}
	if f.Environment == nil {
		f.Environment = map[string]any{}
	}
	renameEnvironment(f.Environment)
	lacking := map[string][]string{} // names of results by the keys that they lack
	for i := range *doc.Results {
		result, missing, err := (*doc.Results)[i].result(i)
		if err != nil {
			return nil, d.fail(err.Error())
		}
		if len(missing) > 0 {
			keys := strings.Join(missing, ", ")
			lacking[keys] = append(lacking[keys], result.Name)
		}
		f.Results = append(f.Results, result)
	}
	f.Notes = missingKeyNotes(lacking)
	if err := f.validate(); err != nil {
		return nil, d.fail(err.Error())
	}
	f.summarize()
	return f, nil
}

// document decodes the JSON. The document it gives has a list of results.
func (d *resultsDecoder) document() (*document, error) {
	if len(bytes.TrimSpace(d.data)) == 0 {
		return nil, d.fail("is empty")
	}
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(d.data))
	if err := decoder.Decode(&doc); err != nil {
		return nil, d.jsonError(err)
	}
	end := decoder.InputOffset()
	if rest := bytes.TrimLeft(d.data[end:], " \t\r\n"); len(rest) > 0 {
		return nil, d.failAt(int64(len(d.data)-len(rest)), "more follows after the end of the JSON object", nil)
	}
	if doc.Results == nil {
		return nil, d.fail(`is JSON without the list "results", so no results file`)
	}
	return &doc, nil
}

// checkSchema refuses a schema that this program does not know.
func (d *resultsDecoder) checkSchema(schema int) error {
	switch {
	case schema < 0:
		return d.fail(fmt.Sprintf("its schema is %d, which no version wrote", schema))
	case schema > Schema:
		e := d.fail(fmt.Sprintf("its schema is %d, this program knows up to %d", schema, Schema))
		e.Advice = "it was written by a newer omniloader: update this one"
		return e
	}
	return nil
}

// missingKeyNotes says which results lack which keys. lacking has the names of results by
// the keys that they lack.
func missingKeyNotes(lacking map[string][]string) []string {
	var notes []string
	for _, keys := range slices.Sorted(maps.Keys(lacking)) {
		names := lacking[keys]
		note := fmt.Sprintf("result %q lacks %s", names[0], keys)
		if len(names) > 1 {
			note = fmt.Sprintf("%s lack %s (%q is the first)", quantity.Count(len(names), "result"), keys, names[0])
		}
		notes = append(notes, note)
	}
	return notes
}

// result gives the entry as a Result, and the keys that it lacks, sorted. index is its
// place in the list, counted from 0.
func (e *resultEntry) result(index int) (Result, []string, error) {
	if e.Name == "" {
		return Result{}, nil, fmt.Errorf("result %d of the list has no name", index+1)
	}
	r := Result{
		Name: e.Name, Loader: e.Loader, Model: e.Model, Category: e.Category, Metadata: e.Metadata, Warmup: e.Warmup, ColdTime: e.ColdTime,
		BytesPerOp: e.BytesPerOp, AllocsPerOp: e.AllocsPerOp, Bounds: e.Bounds, TimesMeasured: cmp.Or(e.TimesMeasured, e.EarlierTimesMeasured),
		Threshold: e.Threshold, Singles: e.Singles,
		Concurrency: e.Concurrency, Growth: e.Growth, FreshProcess: e.Process,
	}
	for _, p := range e.Processes {
		r.Processes = append(r.Processes, p.process())
	}
	if len(r.Processes) > 0 {
		r.FloorNS = Floor(r.Processes)
	}
	if r.Metadata == nil {
		r.Metadata = map[string]any{}
	}
	var missing []string
	if e.Iterations != nil {
		r.Iterations = *e.Iterations
	} else {
		missing = append(missing, "iterations")
	}
	for _, t := range []struct {
		key  string
		from *float64
		to   *float64
	}{
		{"total_time", e.TotalTime, &r.TotalTime}, {"mean_time", e.MeanTime, &r.MeanTime},
		{"median_time", e.MedianTime, &r.MedianTime}, {"std_dev", e.StdDev, &r.StdDev},
		{"min_time", e.MinTime, &r.MinTime}, {"max_time", e.MaxTime, &r.MaxTime},
		{"p95_time", e.P95Time, &r.P95Time}, {"p99_time", e.P99Time, &r.P99Time},
		{"memory_delta_mb", e.MemoryDeltaMB, &r.MemoryDeltaMB},
	} {
		if t.from != nil {
			*t.to = *t.from
		} else {
			missing = append(missing, t.key)
		}
	}
	if e.MeanTime == nil {
		if e.TotalTime == nil || r.Iterations < 1 {
			return Result{}, nil, fmt.Errorf("result %q has no mean_time, and no total_time and iterations to compute it from", e.Name)
		}
		r.MeanTime = r.TotalTime / float64(r.Iterations)
	}
	slices.Sort(missing)
	return r, missing, nil
}

// jsonError says where and why the JSON cannot be read.
func (d *resultsDecoder) jsonError(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at := min(max(0, syntax.Offset-1), int64(len(d.data))) // the offset is that after the invalid byte
		if bytes.HasSuffix(d.data[:at], []byte("-")) && bytes.HasPrefix(d.data[at:], []byte("Inf")) {
			at--
		}
		if number := nonFiniteWord(d.data[at:]); number != "" {
			return d.failAt(at, number+" is no JSON number, and no measurement", err)
		}
		return d.failAt(at, "not JSON: "+syntax.Error(), err)
	case errors.As(err, &wrongType):
		where := wrongType.Field
		if where == "" {
			where = "the file"
		}
		return d.failAt(wrongType.Offset, fmt.Sprintf("%s is a JSON %s where %s is needed", where, wrongType.Value, jsonTypeName(wrongType.Type.Kind().String())), err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return d.failAt(int64(len(d.data)), "not JSON: it ends in the middle", err)
	}
	return d.failAt(0, "not JSON: "+err.Error(), err)
}

// nonFiniteWord gives the word that Python writes for a number that is not finite, where
// the text begins with one.
func nonFiniteWord(text []byte) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return word
		}
	}
	return ""
}

// jsonTypeName gives the JSON type of a Go kind.
func jsonTypeName(kind string) string {
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number that is not negative"
	}
	return "a number"
}
