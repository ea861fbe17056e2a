package runfile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"omniloader/internal/bench"
)

// The kinds of error of a file that cannot be read.
var (
	ErrNotARunFile = errors.New("not a run file")
	ErrVersion     = errors.New("version not supported")
	ErrMalformed   = errors.New("malformed")
	ErrTooLarge    = errors.New("too large")
)

// Error is a run file that cannot be read.
type Error struct {
	Path   string
	Line   int   // counted from 1, or 0
	Offset int64 // of the byte in the file, or -1
	Detail string
	Advice string // the way out, or ""
	Err    error  // the kind, or the error of the system
}

// Error reads "last-run.json: line 3, byte 4100: …".
func (e *Error) Error() string {
	text := e.Path + ": "
	if e.Line > 0 {
		text += fmt.Sprintf("line %d, byte %d: ", e.Line, e.Offset)
	}
	return text + e.Detail
}

// Unwrap gives the kind of error.
func (e *Error) Unwrap() error { return e.Err }

// Hint gives the way out, or "".
func (e *Error) Hint() string { return e.Advice }

const adviceNotARunFile = "a run file is what `omniloader run` writes, to " + DefaultPath + " unless told otherwise"

// Record is one record behind the header. Exactly one field is set.
type Record struct {
	Feature    *Feature
	Scenario   *Scenario
	Comparison *bench.Comparison
	End        *End
}

// Reader reads a run file record by record, and keeps none of them.
type Reader struct {
	// Header is the first record.
	Header Header

	path     string
	lines    *bufio.Reader
	closer   io.Closer // nil where the caller closes
	long     []byte    // a line longer than the buffer of lines
	line     int       // number of the line that was read last
	offset   int64     // of its first byte
	next     int64     // offset of the line behind it
	features map[Text]bool
	ended    bool
	cut      bool
	err      error // sticky
}

// Open opens the run file at a path and reads its header. The caller closes the Reader.
// The error is an *Error.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	r, err := NewReader(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closer = f
	return r, nil
}

func unreadable(path string, err error) *Error {
	e := &Error{Path: path, Offset: -1, Err: err}
	cause := withoutPath(err)
	e.Detail = "cannot be read: " + cause.Error()
	if errors.Is(err, fs.ErrNotExist) {
		e.Detail, e.Advice = "there is no such file", adviceNotARunFile
	}
	return e
}

// NewReader reads the header of a run file. path is for errors only, which are *Error.
// A version that this program does not know is refused.
func NewReader(r io.Reader, path string) (*Reader, error) {
	const buffer = 64 << 10
	reader := &Reader{path: path, lines: bufio.NewReaderSize(r, buffer), features: map[Text]bool{}}
	if err := reader.readHeader(); err != nil {
		return nil, err
	}
	return reader, nil
}

// Close closes a file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

func (r *Reader) readHeader() error {
	line, whole, err := r.readLine()
	if err == io.EOF {
		return &Error{Path: r.path, Offset: -1, Detail: "the file is empty", Advice: adviceNotARunFile, Err: ErrNotARunFile}
	}
	if err != nil {
		return err
	}
	var first struct {
		Record        string          `json:"record"`
		Format        string          `json:"format"`
		FormatVersion *int            `json:"format_version"`
		Results       json.RawMessage `json:"results"`
	}
	foreign := func(detail string) error {
		e := r.fail(ErrNotARunFile, detail)
		e.Advice = adviceNotARunFile
		return e
	}
	err = json.Unmarshal(line, &first)
	switch {
	case err != nil && !whole && bytes.HasPrefix(line, []byte(`{"record":"run"`)):
		return r.fail(ErrMalformed, "the file ends within its first record")
	case err != nil || first.Record != recordRun || first.Format != FormatName:
		detail := "the first line is not the header of a run file"
		if first.Results != nil {
			detail = "this is a results file, not a run file"
		}
		return foreign(detail)
	case first.FormatVersion == nil || *first.FormatVersion < 1:
		return r.fail(ErrMalformed, "the header has no format_version")
	case *first.FormatVersion > Version:
		e := r.fail(ErrVersion, fmt.Sprintf("format_version is %d, and this program reads up to %d", *first.FormatVersion, Version))
		e.Advice = "read it with the version of omniloader that wrote it, or a newer one"
		return e
	}
	return r.decode(line, &r.Header)
}

// Next gives the next record, and io.EOF behind the last. A last line that was cut off is
// left out, see Cut. Records of unknown kinds and unknown keys are passed over. The error
// is an *Error, or io.EOF; the same one is given again.
func (r *Reader) Next() (Record, error) {
	for r.err == nil {
		record, known, err := r.read()
		if err != nil {
			r.err = err
		} else if known {
			return record, nil
		}
	}
	return Record{}, r.err
}

// Cut says whether the last line was cut off, as by a program that was killed while
// writing or a disk that was full. It is known when Next has given io.EOF.
func (r *Reader) Cut() bool { return r.cut }

func (r *Reader) read() (record Record, known bool, err error) {
	line, whole, err := r.readLine()
	if err != nil {
		return record, false, err
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return record, false, nil
	}
	if !whole && !json.Valid(line) {
		r.cut = true
		return record, false, io.EOF
	}
	kind, err := r.kind(line)
	if err != nil {
		return record, false, err
	}
	if r.ended {
		return record, false, r.fail(ErrMalformed, fmt.Sprintf("a record %q behind the last one, %q", kind, recordEnd))
	}
	switch kind {
	case recordRun:
		return record, false, r.fail(ErrMalformed, "the header of a second run; run files cannot be joined like this")
	case recordFeature:
		record.Feature = new(Feature)
		err = r.decode(line, record.Feature)
		if err == nil && r.features[record.Feature.URI] {
			err = r.fail(ErrMalformed, fmt.Sprintf("feature %q has a record already", record.Feature.URI))
		} else if err == nil {
			r.features[record.Feature.URI] = true
		}
	case recordScenario:
		record.Scenario = new(Scenario)
		err = r.decode(line, record.Scenario)
		if err == nil {
			err = r.checkScenario(record.Scenario)
		}
	case recordComparison:
		var c comparisonLine
		err = r.decode(line, &c)
		if err == nil && c.Comparison == nil {
			err = r.fail(ErrMalformed, "a comparison without its content")
		}
		record.Comparison = c.Comparison
	case recordEnd:
		record.End = new(End)
		err = r.decode(line, record.End)
		r.ended = true
	default:
		return record, false, nil
	}
	return record, true, err
}

func (r *Reader) checkScenario(s *Scenario) error {
	switch {
	case s.ID == "":
		return r.fail(ErrMalformed, "a scenario without an id")
	case s.Status == "":
		return r.fail(ErrMalformed, fmt.Sprintf("scenario %q has no status", s.Name))
	case !r.features[s.URI]:
		return r.fail(ErrMalformed, fmt.Sprintf("scenario %q is of feature %q, which has no record", s.Name, s.URI))
	}
	return nil
}

// kind gives the kind of a record.
func (r *Reader) kind(line []byte) (string, error) {
	const start = `{"record":"`
	if rest, ok := bytes.CutPrefix(line, []byte(start)); ok { // as Writer writes it
		if end := bytes.IndexAny(rest, `"\`); end > 0 && rest[end] == '"' {
			return string(rest[:end]), nil
		}
	}
	var record struct {
		Record *string `json:"record"`
	}
	if err := r.decode(line, &record); err != nil {
		return "", err
	}
	if record.Record == nil {
		return "", r.fail(ErrMalformed, `an object without the key "record"`)
	}
	return *record.Record, nil
}

// decode reads a line into a record.
func (r *Reader) decode(line []byte, record any) error {
	err := json.Unmarshal(line, record)
	if err == nil {
		return nil
	}
	e := r.fail(ErrMalformed, err.Error())
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		e.Offset += max(0, syntax.Offset-1)
		e.Detail = "not JSON: " + syntax.Error()
	case errors.As(err, &wrongType):
		e.Offset += max(0, wrongType.Offset-1)
		e.Detail = fmt.Sprintf("%s has the wrong type, %s", cmp.Or(wrongType.Field, "the line"), wrongType.Value)
	}
	return e
}

// fail gives an error at the line that was read last.
func (r *Reader) fail(kind error, detail string) *Error {
	return &Error{Path: r.path, Line: r.line, Offset: r.offset, Detail: detail, Err: kind}
}

// readLine gives the next line without its line break; whole says that it had one. The
// line is valid until the next call.
func (r *Reader) readLine() (line []byte, whole bool, err error) {
	r.long = r.long[:0]
	r.offset = r.next
	for {
		part, err := r.lines.ReadSlice('\n')
		r.next += int64(len(part))
		if len(r.long)+len(part) > maxLine+1 {
			r.line++
			return nil, false, r.fail(ErrTooLarge, fmt.Sprintf("a line of more than %d MiB", maxLine>>20))
		}
		switch {
		case err == bufio.ErrBufferFull:
			r.long = append(r.long, part...)
			continue
		case err != nil && err != io.EOF:
			e := unreadable(r.path, err)
			return nil, false, e
		}
		line = part
		if len(r.long) > 0 {
			r.long = append(r.long, part...)
			line = r.long
		}
		if err == io.EOF && len(line) == 0 {
			return nil, false, io.EOF
		}
		if r.line++; r.line > MaxRecords {
			return nil, false, r.fail(ErrTooLarge, fmt.Sprintf("more than %d records", MaxRecords))
		}
		return bytes.TrimSuffix(line, []byte("\n")), err == nil, nil
	}
}

// File is a run file that was read as a whole.
type File struct {
	Header     Header
	Features   []Feature         // in the order of the file, which is that of reports
	Scenarios  []Scenario        // in the order in which they ended, each as its last record has it
	Comparison *bench.Comparison // nil where there is none
	End        *End              // nil where the run was killed
	Cut        bool              // the last line was cut off and is left out
}

// ReadFile reads the run file at a path as a whole, at most MaxFile bytes. The error is
// an *Error.
func ReadFile(path string) (*File, error) {
	r, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.all()
}

func (r *Reader) all() (*File, error) {
	f := &File{Header: r.Header}
	places := map[key]int{}
	for {
		record, err := r.Next()
		if err == io.EOF {
			f.Cut = r.Cut()
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		if r.next > MaxFile {
			return nil, r.fail(ErrTooLarge, fmt.Sprintf("more than %d MiB", MaxFile>>20))
		}
		switch {
		case record.Feature != nil:
			f.Features = append(f.Features, *record.Feature)
		case record.Scenario != nil:
			k := record.Scenario.key()
			if i, ok := places[k]; ok {
				f.Scenarios[i] = *record.Scenario
				continue
			}
			places[k] = len(f.Scenarios)
			f.Scenarios = append(f.Scenarios, *record.Scenario)
		case record.Comparison != nil:
			f.Comparison = record.Comparison
		case record.End != nil:
			f.End = record.End
		}
	}
}

// Notes says what is missing in a file, for people.
func (f *File) Notes() []string {
	var notes []string
	if f.Cut {
		notes = append(notes, "the last record was cut off and is left out")
	}
	switch {
	case f.End == nil:
		notes = append(notes, fmt.Sprintf("the run did not come to its end: %d of %d scenarios had ended", len(f.Scenarios), f.Header.Planned))
	case f.End.Interrupted:
		notes = append(notes, fmt.Sprintf("the run was interrupted: %d of %d scenarios had ended", len(f.Scenarios), f.Header.Planned))
	}
	if f.End == nil {
		return notes
	}
	if f.End.Error != "" {
		notes = append(notes, "the run ended early: "+string(f.End.Error))
	}
	if f.End.Lost > 0 {
		notes = append(notes, fmt.Sprintf("%d records could not be written", f.End.Lost))
	}
	if missing := f.End.Scenarios - len(f.Scenarios); missing != 0 && f.End.Lost == 0 {
		notes = append(notes, fmt.Sprintf("the file has %d scenarios, and its last record says %d", len(f.Scenarios), f.End.Scenarios))
	}
	return notes
}
