package runfile

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// Writer writes the run file of a run while it goes on. Of what it has written it keeps
// the records of scenarios with a benchmark, which may be measured again or sampled later.
// Its methods may be called from several goroutines, and on a nil Writer, which writes
// nothing.
//
// A record that cannot be written, as on a full disk, is lost and the run goes on: the
// function given to Create is told once, and the end record has the number of lost ones.
type Writer struct {
	path    string
	warn    func(error)
	leftOut []LeftOut // of the header

	mu     sync.Mutex
	file   appendFile // nil when closed
	size   int64      // up to the end of the last whole record
	broken bool       // the file ends in a part of a record that could not be removed
	lost   int
	warned bool

	statuses map[outcome.Status]int // of the scenarios, by their last record
	measured map[key]*Scenario      // the last record of each scenario with a benchmark
}

// appendFile is what a Writer needs of a file.
type appendFile interface {
	io.WriteCloser
	Truncate(size int64) error
}

// Create starts the run file of a run with its header and its features. It takes the
// place of an earlier run's file at once and as a whole; directories of path are made. A
// path that is no regular file, such as a pipe, is written to directly.
//
// The error is an *atomicfile.Error, and the run can go on without the file: a nil Writer
// writes nothing. The file of an earlier run is then removed, or the hint says that it is
// still there. warn is called at most once, for the first record that cannot be written
// later, with an *atomicfile.Error; nil means not to tell.
func Create(path string, h Header, features []Feature, warn func(error)) (*Writer, error) {
	if warn == nil {
		warn = func(error) {}
	}
	h.complete()
	var first bytes.Buffer
	if err := encodeLine(&first, headerLine{recordRun, &h}); err != nil {
		return nil, abandoned(path, err)
	}
	head := first.Len()
	for i := range features {
		if err := encodeFeature(&first, &features[i]); err != nil {
			return nil, abandoned(path, err)
		}
	}
	file, err := start(path, first.Bytes(), head)
	if err != nil {
		return nil, abandoned(path, err)
	}
	w := newWriter(path, file, int64(first.Len()), warn)
	w.leftOut = h.LeftOut
	return w, nil
}

func newWriter(path string, file appendFile, size int64, warn func(error)) *Writer {
	return &Writer{path: path, warn: warn, file: file, size: size, statuses: map[outcome.Status]int{}, measured: map[key]*Scenario{}}
}

// complete fills in what each header has.
func (h *Header) complete() {
	h.Format, h.FormatVersion = FormatName, Version
	if h.RunID == "" {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		h.RunID = hex.EncodeToString(id[:])
	}
}

// start writes the first lines and gives the file to append to. head is the length of
// the header's line.
func start(path string, first []byte, head int) (*os.File, error) {
	if direct(path) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(first); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
	if path != "" {
		if err := makeDir(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(first)
		return err
	})
	if err != nil {
		return nil, err
	}
	return openStarted(path, first[:head])
}

// makeDir makes the directory of a run file. In a new one with the default name, a
// .gitignore keeps git from listing what is in it.
func makeDir(dir string) error {
	_, err := os.Lstat(dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if !isNew || filepath.Base(dir) != filepath.Dir(filepath.FromSlash(DefaultPath)) {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o666)
}

// openStarted opens a file that begins with this header. From then on the file is this
// run's, even if another run puts its own in its place: but that may have happened
// already.
func openStarted(path string, header []byte) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	found := make([]byte, len(header))
	if _, err := f.ReadAt(found, 0); err != nil || !bytes.Equal(found, header) {
		f.Close()
		return nil, errReplaced
	}
	return f, nil
}

var errReplaced = errors.New("another run has just taken the file")

// direct tells a path that is written to as it is: replacing /dev/stdout, where it is a
// regular file, would take that file away from whoever reads it.
func direct(path string) bool {
	if clean := filepath.ToSlash(filepath.Clean(path)); strings.HasPrefix(clean, "/dev/") || strings.HasPrefix(clean, "/proc/") {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// abandoned gives the error of a file that was not started, and removes that of an
// earlier run.
func abandoned(path string, err error) error {
	e := fileError(path, err)
	if errors.Is(err, errReplaced) || direct(path) {
		return e
	}
	if info, statErr := os.Lstat(path); statErr != nil || !info.Mode().IsRegular() {
		return e
	}
	if os.Remove(path) != nil {
		e.Advice = "the file is of an earlier run and cannot be removed; choose another place with --run-file FILE"
	}
	return e
}

// fileError makes an error of the operating system one with our path.
func fileError(path string, err error) *atomicfile.Error {
	var known *atomicfile.Error
	if errors.As(err, &known) {
		e := *known
		return &e
	}
	e := &atomicfile.Error{Path: path, Err: err}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		e.Err = pathError.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		e.Advice = "choose a place that this user may write to"
	}
	return e
}

// Scenario writes the record of a scenario that has ended. It keeps s only if it has a
// benchmark.
func (w *Writer) Scenario(s *Scenario) {
	if w == nil {
		return
	}
	w.note(s)
	w.write(func(b *bytes.Buffer) error { return encodeScenario(b, s) })
}

// note keeps what the end record and Sampled need of a record.
func (w *Writer) note(s *Scenario) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := key{s.ID, s.Loader, s.Model}
	if earlier := w.measured[of]; earlier != nil {
		w.statuses[earlier.Status]--
	}
	w.statuses[s.Status]++
	if s.Benchmark != nil {
		w.measured[of] = s
	}
}

// Sampled writes the records of those benchmarks again that have samples now. The
// records share their results with the run: they are sampled after all scenarios.
func (w *Writer) Sampled() {
	if w == nil {
		return
	}
	w.mu.Lock()
	measured := slices.SortedFunc(maps.Values(w.measured), func(a, b *Scenario) int { return cmp.Compare(a.Position, b.Position) })
	w.mu.Unlock()
	for _, s := range measured {
		if len(s.Benchmark.Processes) > 0 {
			w.write(func(b *bytes.Buffer) error { return encodeScenario(b, s) })
		}
	}
}

// Comparison writes a comparison with a baseline; a later one replaces an earlier one.
func (w *Writer) Comparison(c *bench.Comparison) {
	if w == nil {
		return
	}
	w.write(func(b *bytes.Buffer) error { return encodeLine(b, comparisonLine{recordComparison, c}) })
}

// Finish writes the comparison of a run that is over, where it has one, and what was
// sampled and is known at its end, and closes the file.
func (w *Writer) Finish(run *outcome.Run) {
	if w == nil {
		return
	}
	w.Sampled()
	if run.Comparison != nil {
		w.Comparison(run.Comparison)
	}
	w.Close(newEnd(run, w.leftOut))
}

// Close writes the last record, where end is not nil, with the numbers of scenarios and of
// lost records, and closes the file. Calls after the first do nothing.
func (w *Writer) Close(end *End) {
	if w == nil {
		return
	}
	if end != nil {
		w.mu.Lock()
		e := *end
		e.Lost = w.lost
		e.Scenarios, e.Statuses = 0, map[outcome.Status]int{}
		for status, n := range w.statuses {
			if n > 0 {
				e.Scenarios, e.Statuses[status] = e.Scenarios+n, n
			}
		}
		w.mu.Unlock()
		w.write(func(b *bytes.Buffer) error { return encodeLine(b, endLine{recordEnd, &e}) })
	}
	w.mu.Lock()
	var err error
	if w.file != nil {
		err, w.file = w.file.Close(), nil
	}
	tell := err != nil && !w.warned
	w.mu.Unlock()
	if tell {
		w.warn(fileError(w.path, err))
	}
}

// write encodes a record outside of the lock, and appends it with one call.
func (w *Writer) write(encode func(*bytes.Buffer) error) {
	b := takeBuffer()
	defer returnBuffer(b)
	err := encode(b)
	w.mu.Lock()
	if err == nil {
		if w.file == nil {
			w.mu.Unlock()
			return
		}
		err = w.append(b.Bytes())
	}
	tell := err != nil && !w.warned
	if err != nil {
		w.lost++
		w.warned = true
	}
	w.mu.Unlock()
	if tell {
		w.warn(fileError(w.path, err))
	}
}

var errBroken = errors.New("an earlier record was written in part")

// append writes one line. What was written of a line that does not fit is removed, so
// that later records can follow when there is room again.
func (w *Writer) append(line []byte) error {
	if w.broken {
		return errBroken
	}
	n, err := w.file.Write(line)
	if err == nil {
		w.size += int64(n)
		return nil
	}
	if n > 0 && w.file.Truncate(w.size) != nil {
		w.broken = true
	}
	return err
}

// Encode writes a whole run file: the header, the features, the scenarios, the comparison
// and the end, where there is one.
func (f *File) Encode(w io.Writer) error {
	b := takeBuffer()
	defer returnBuffer(b)
	line := func(encode func() error) error {
		b.Reset()
		if err := encode(); err != nil {
			return err
		}
		_, err := w.Write(b.Bytes())
		return err
	}
	h := f.Header
	h.complete()
	if err := line(func() error { return encodeLine(b, headerLine{recordRun, &h}) }); err != nil {
		return err
	}
	for i := range f.Features {
		if err := line(func() error { return encodeFeature(b, &f.Features[i]) }); err != nil {
			return fmt.Errorf("feature %s: %w", f.Features[i].URI, err)
		}
	}
	for i := range f.Scenarios {
		if err := line(func() error { return encodeScenario(b, &f.Scenarios[i]) }); err != nil {
			return fmt.Errorf("scenario %q: %w", f.Scenarios[i].Name, err)
		}
	}
	if f.Comparison != nil {
		if err := line(func() error { return encodeLine(b, comparisonLine{recordComparison, f.Comparison}) }); err != nil {
			return err
		}
	}
	if f.End == nil {
		return nil
	}
	return line(func() error { return encodeLine(b, endLine{recordEnd, f.End}) })
}

// Write writes a whole run file to a path, whole or not at all; directories of path are
// made. The error is an *atomicfile.Error.
func (f *File) Write(path string) error {
	if path != "" && !direct(path) {
		if err := makeDir(filepath.Dir(path)); err != nil {
			return fileError(path, err)
		}
	}
	return atomicfile.Write(path, f.Encode)
}
