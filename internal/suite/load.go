package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
)

const extension = ".feature"

// LoadFS reads every feature file of a filesystem, in the order of their paths. A
// feature's URI is prefix joined with its path. A file that does not parse is a feature with
// problems, which Plan.Check reports. The error is Problems.
func LoadFS(ctx context.Context, fsys fs.FS, prefix string) ([]*Feature, error) {
	l := loader{ctx: ctx}
	l.tree(fsys, func(name string) string { return path.Join(prefix, name) }, prefix)
	return l.result()
}

// Load reads feature files and folders from the disk. A folder stands for all feature
// files below it, file.feature:12 for the scenario or Examples row at that line, and
// file.feature:12:30 for those at two lines. A file that is named twice is read once, also
// by another path or link; the lines of both are selected, and its URI is that of the first
// path. A file that does not parse is a feature with problems, which Plan.Check reports. The
// error is Problems, with those of all paths.
func Load(ctx context.Context, paths []string) ([]*Feature, error) {
	l := loader{ctx: ctx, onDisk: true}
	for _, p := range paths {
		l.path(p)
	}
	return l.result()
}

// result returns what was loaded, or the cause of the end of the context.
func (l *loader) result() ([]*Feature, error) {
	if l.ctx.Err() != nil {
		return nil, context.Cause(l.ctx)
	}
	return l.features, l.problems.ErrOrNil()
}

// loader collects features and problems.
type loader struct {
	ctx      context.Context
	onDisk   bool // the URI of a feature is its path on the disk
	features []*Feature
	read     []readFile
	problems outcome.Problems
}

func (l *loader) fail(uri string, line int, advice, format string, args ...any) {
	l.problems = append(l.problems, outcome.Problem{URI: uri, Line: line, Message: fmt.Sprintf(format, args...), Advice: advice})
}

// lineSuffix is what may follow the path of a file: a colon and a number for each line. The
// numbers are checked by parseLines.
var lineSuffix = regexp.MustCompile(`^(.+?)((?::[0-9]*)+)$`)

// parseLines reads the line numbers of a suffix such as ":12:30". The error is for the
// user, and says which of them is no line.
func parseLines(suffix string) (lines []int, err error) {
	for _, digits := range strings.Split(suffix[1:], ":") {
		line, err := strconv.Atoi(digits)
		switch {
		case digits == "":
			return nil, errors.New("there is no line number behind the colon")
		case err != nil:
			return nil, fmt.Errorf("there is no line %s, the number is too large", digits)
		case line == 0:
			return nil, fmt.Errorf("there is no line %s, lines are counted from 1", digits)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// path reads the feature files that one argument of the command line names.
func (l *loader) path(arg string) {
	name, lines := arg, []int(nil)
	info, err := os.Stat(name)
	if m := lineSuffix.FindStringSubmatch(arg); err != nil && m != nil {
		if info, err = os.Stat(m[1]); err == nil || strings.Trim(m[2], ":") != "" {
			name = m[1]
		}
		var wrong error
		if lines, wrong = parseLines(m[2]); err == nil && wrong != nil {
			l.fail(arg, 0, "write FILE:12 for the scenario at line 12, or FILE for all of them", "%s", wrong)
			return
		}
	}
	switch {
	case err != nil:
		l.missing(name, err)
	case info.IsDir() && lines != nil:
		l.fail(name, 0, "name the feature file before the line", "a line can be selected in a file, but this is a folder")
	case info.IsDir():
		root := filepath.Clean(name)
		l.tree(os.DirFS(root), func(file string) string { return filepath.ToSlash(filepath.Join(root, filepath.FromSlash(file))) }, name)
	case !IsFeature(name):
		l.fail(name, 0, "feature files end in "+extension+" or "+extension+".md", "not a feature file")
	default:
		l.file(os.DirFS(filepath.Dir(name)), filepath.Base(name), filepath.ToSlash(filepath.Clean(name)), lines)
	}
}

// missing adds the problem of a path that cannot be read, with the advice of a similar
// name in its directory.
func (l *loader) missing(name string, err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		l.fail(name, 0, "", "%s", reason(err))
		return
	}
	dir, base := filepath.Split(filepath.Clean(name))
	var siblings []string
	if entries, err := os.ReadDir(cmp.Or(dir, ".")); err == nil {
		for _, e := range entries {
			if e.IsDir() || engine.IsFeature(e.Name()) {
				siblings = append(siblings, e.Name())
			}
		}
	}
	advice := "the built-in scenarios run without any path"
	if near, ok := suggest.Nearest(base, siblings); ok {
		advice = suggest.Question(filepath.ToSlash(filepath.Join(dir, near)))
	}
	l.fail(name, 0, advice, "no such feature file or folder")
}

// reason returns an error of a filesystem without the path, which the problem has
// already.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// tree reads every feature file of fsys. root is its name in a problem.
func (l *loader) tree(fsys fs.FS, uri func(string) string, root string) {
	searched := &folder{}
	found := false
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil {
			searched.note(fsys, name, uri(name), entry)
		}
		switch {
		case err != nil:
			l.fail(uri(name), 0, "", "%s", reason(err))
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir() && isHidden(name, entry):
			return fs.SkipDir // version control systems and editors keep copies there
		case !entry.IsDir() && engine.IsFeature(name):
			found = true
			if f := l.file(fsys, name, uri(name), nil); f != nil {
				f.folders = append(f.folders, searched)
			}
		}
		return nil
	})
	if err != nil {
		l.fail(root, 0, "", "%s", reason(err))
	} else if !found && len(l.problems) == 0 {
		advice := "feature files end in " + extension + " or " + extension + ".md"
		if text := outcome.LeftOutText(countLeftOut(searched.leftOut)); text != "" {
			advice += "; " + text
		}
		l.fail(root, 0, advice, "no feature file in this folder or below it")
	}
}

// readFile is a feature file that was read.
type readFile struct {
	uri     string
	info    fs.FileInfo
	feature *Feature
}

// before returns the file that was read before under this URI, or under another name of the
// same file, else nil.
func (l *loader) before(uri string, info fs.FileInfo) *readFile {
	i := slices.IndexFunc(l.read, func(f readFile) bool { return f.uri == uri || os.SameFile(f.info, info) })
	if i < 0 {
		return nil
	}
	return &l.read[i]
}

// unreadable returns the feature of a file that cannot be read.
func unreadable(uri string, err error) *Feature {
	return &Feature{URI: uri, Problems: outcome.Problems{{URI: uri, Code: ruleUnreadableFile, Message: reason(err)}}}
}

// file reads and parses one file, and selects the scenarios at these lines of it, or all
// for nil. One that was read before is not read again. The feature is nil if the context has
// ended.
func (l *loader) file(fsys fs.FS, name, uri string, lines []int) *Feature {
	if l.ctx.Err() != nil {
		return nil
	}
	info, err := fs.Stat(fsys, name)
	if err == nil && !info.Mode().IsRegular() { // reading a pipe may take for ever
		err = errors.New("it is a pipe, a socket or a device, and no file")
	}
	if err != nil {
		feature := unreadable(uri, err)
		l.features = append(l.features, feature)
		return feature
	}
	if read := l.before(uri, info); read != nil {
		l.pick(read.feature, lines)
		return read.feature
	}
	var feature *Feature
	if source, err := readBounded(fsys, name); err != nil {
		feature = unreadable(uri, err)
	} else {
		feature = parse(l.ctx, uri, source)
	}
	l.read = append(l.read, readFile{uri, info, feature})
	feature.fsys, feature.path, feature.onDisk = fsys, name, l.onDisk
	if l.onDisk {
		feature.folder = filepath.Dir(filepath.FromSlash(uri))
	}
	l.features = append(l.features, feature)
	if lines != nil {
		feature.pickedLines = map[int]bool{}
		l.pick(feature, lines)
	}
	return feature
}

// pick selects the scenarios at these lines of a feature, in addition to those selected
// before; nil selects all. A line without a scenario is a problem also where all are
// selected.
func (l *loader) pick(f *Feature, lines []int) {
	if lines == nil {
		f.pickedLines = nil
		return
	}
	if f.document == nil {
		return // what is at the lines is not known
	}
	for _, line := range lines {
		at := f.scenariosAt(line)
		if len(at) == 0 {
			l.fail(f.URI, 0, f.nearestTo(line), "there is no scenario at line %d", line)
		}
		for _, s := range at {
			if f.pickedLines != nil { // else all are selected
				f.pickedLines[s.Line] = true
			}
		}
	}
}

// readBounded reads a file of at most engine.MaxSource bytes.
func readBounded(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, engine.MaxSource+1))
	if err == nil && len(source) > engine.MaxSource {
		err = fmt.Errorf("larger than %d MiB, the limit for a feature file", engine.MaxSource>>20)
	}
	return source, err
}

// IsFeature tells whether a path is one of a feature file, by its name.
func IsFeature(name string) bool { return engine.IsFeature(filepath.ToSlash(name)) }
