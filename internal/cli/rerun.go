package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/internal/runfile"
	"omniloader/internal/suite"
)

// listSign stands before the name of a file with paths, in the place of a path.
const listSign = "@"

// expandLists replaces each argument "@FILE" by the paths in the lines of that file. empty
// names the last such file if there is nothing else to run.
func expandLists(args []string) (paths []string, empty string, err error) {
	for _, arg := range args {
		file, isList := strings.CutPrefix(arg, listSign)
		if !isList {
			paths = append(paths, arg)
			continue
		}
		listed, err := readList(file)
		if err != nil {
			return nil, "", err
		}
		paths = append(paths, listed...)
		empty = file
	}
	if len(paths) > 0 {
		empty = ""
	}
	return paths, empty, nil
}

// maxList is the largest file with paths, in bytes.
const maxList = 16 << 20

// readList reads a file with a path in each line. Blank lines do not count, nor do remarks,
// which begin with #: a file with nothing else is that of a run that did nothing, and is
// refused.
func readList(path string) ([]string, error) {
	const hint = "a run writes such a file with: --format rerun:FILE"
	if path == "" {
		return nil, errorWithHint(hint, "%s: a file with paths is named behind it", listSign)
	}
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s: there is no such file", path)
		}
		return nil, errorWithHint(hint, "%s%s: %w", listSign, path, err)
	}
	defer f.Close()
	var paths []string
	remark, read := "", int64(0)
	lines := bufio.NewScanner(io.LimitReader(f, maxList+1))
	for lines.Scan() {
		read += int64(len(lines.Bytes())) + 1
		line := strings.TrimSpace(lines.Text())
		if text, isRemark := strings.CutPrefix(line, "#"); isRemark {
			remark = cmp.Or(remark, strings.TrimSpace(text))
		} else if line != "" {
			paths = append(paths, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errorWithHint(hint, "%s%s is no file with a path in each line: %w", listSign, path, err)
	}
	if read > maxList+1 {
		return nil, errorWithHint(hint, "%s%s: larger than %d MiB", listSign, path, maxList>>20)
	}
	if len(paths) == 0 && remark != "" {
		return nil, errorWithHint("run the scenarios first", "%s%s is of a run that did nothing: %s", listSign, path, remark)
	}
	return paths, nil
}

// rerun is what an earlier run says of its scenarios.
type rerun struct {
	path  string // of the run file
	runID string
	paths []string // that the run was given
	// The scenarios to run again, by id, with what to call each.
	names    map[string]string
	files    map[string]bool // the cleaned paths of feature files that could not be judged: all of their scenarios run again
	present  map[string]bool // the ids to run that are still there; see prepareRerun
	failed   int
	unjudged int
	notEnded int
}

// readRerun reads a run file for --last-failed.
func readRerun(from string) (*rerun, error) {
	if from == "" {
		return nil, errorWithHint("leave --no-run-file out, or name the file: --run-file FILE", "--last-failed: there is no run file to read")
	}
	file, err := runfile.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errorWithHint("run the scenarios first; for those of a folder name it here too, for another run file: --run-file FILE",
			"--last-failed: %s: there is no such file", from)
	}
	if err != nil {
		return nil, fmt.Errorf("--last-failed: %w", err)
	}
	r := &rerun{path: from, runID: file.Header.RunID, names: map[string]string{}, files: map[string]bool{}}
	for _, p := range file.Header.Selection.Paths {
		r.paths = append(r.paths, string(p))
	}
	for i := range file.Features {
		if f := &file.Features[i]; len(f.Problems) > 0 {
			r.files[path.Clean(string(f.URI))] = true
		}
	}
	ended := map[string]int{} // by id: one that runs on several models is there several times
	for i := range file.Scenarios {
		s := &file.Scenarios[i]
		ended[s.ID]++
		switch s.Status.Group() {
		case outcome.CouldNotJudge:
			r.unjudged++
		case outcome.Failed:
			r.failed++
		default:
			continue
		}
		r.names[s.ID] = fmt.Sprintf("%s: %s", s.File, s.Name)
	}
	for _, id := range file.Header.PlanIDs {
		if ended[id]--; ended[id] < 0 {
			r.notEnded++
			r.names[id] = cmp.Or(r.names[id], "one that did not end")
		}
	}
	return r, nil
}

// notSelected returns the ids of the scenarios to run again that a narrower selection leaves
// out. The run file of the rerun keeps them, so that the next rerun has them too.
func (r *rerun) notSelected(selected []string) []string {
	left := maps.Clone(r.present)
	for _, id := range selected {
		delete(left, id)
	}
	return slices.Sorted(maps.Keys(left))
}

// String says what is run again: "3 scenarios: 2 failed, 1 did not end".
func (r *rerun) String() string {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{r.failed, "failed"}, {r.unjudged, "could not be judged"}, {r.notEnded, "did not end"}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	var all []string
	if len(parts) > 0 {
		all = append(all, quantity.Count(r.failed+r.unjudged+r.notEnded, "scenario")+": "+strings.Join(parts, ", "))
	}
	if len(r.files) > 0 {
		all = append(all, quantity.Count(len(r.files), "file")+" that could not be judged")
	}
	return strings.Join(all, ", and ")
}

// prepareRerun says what --last-failed runs again among these features, and selects it.
// nothing is true if there is nothing to run.
func (p *program) prepareRerun(loaded []*suite.Feature, s *runSettings) (nothing bool, err error) {
	r := s.rerun
	problems := 0
	for _, f := range loaded {
		problems += len(f.Problems)
	}
	if len(r.names)+len(r.files)+problems == 0 {
		p.note("--last-failed: nothing failed in the run of %s", r.path)
		return true, p.reportNothing(s)
	}
	present := suite.IDs(loaded)
	r.present = r.ofFiles(loaded)
	gone := map[string]int{}
	for id, name := range r.names {
		if present[id] {
			r.present[id] = true
		} else {
			gone[name]++
		}
	}
	s.selection.IDs = r.present
	if text := r.String(); text != "" {
		p.note("--last-failed: %s, as %s has it", text, r.path)
	}
	p.noteGone(gone)
	if len(r.present)+problems == 0 {
		return false, errorWithHint("run all of them, without --last-failed; a scenario is known by its file, as named on the command line, and its name",
			"--last-failed: nothing of it is there any more")
	}
	return false, nil
}

// ofFiles returns the ids of the scenarios of the files that could not be judged, but not
// of those that are left out unless they are asked for.
func (r *rerun) ofFiles(loaded []*suite.Feature) map[string]bool {
	ids := map[string]bool{}
	of := slices.DeleteFunc(slices.Clone(loaded), func(f *suite.Feature) bool { return !r.files[path.Clean(f.URI)] })
	plan, err := suite.Select(of, suite.Selection{})
	if err != nil {
		return ids // nothing is selected
	}
	for _, id := range plan.IDs() {
		ids[id] = true
	}
	return ids
}

// reportNothing writes the reports of a run without scenarios to their files.
func (p *program) reportNothing(s *runSettings) error {
	return p.complainAllButLast(p.writeReports(p.runWithout(nil), s.outputs.reports, func(d reportDestination) bool { return d.file != "" }))
}

// noteGone names scenarios of a run file that are not there any more.
func (p *program) noteGone(gone map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		more := ""
		if gone[name] > 1 {
			more = fmt.Sprintf(" (%d times)", gone[name])
		}
		p.note("not there any more, or now in another file: %s%s", name, more)
	}
}
