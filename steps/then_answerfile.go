package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"omniloader/internal/jsondiff"
)

// answerFileSteps are the Then steps that compare the whole answer with a file.
func (w *world) answerFileSteps(r stepRegistrar) {
	r.group("The whole answer")
	r.Then(`^the answer is as in "([^"]*)"(?:, apart from "([^"]*)")?$`, w.answerIsAsIn, stepDoc{
		meaning: "The answer equals the one in this JSON file, which is in the directory of the feature file or below it. Fields named after \"apart from\", separated by commas, are left out of both. \"omniloader run --update\" writes the file.",
		example: `the answer is as in "answers/qwen3-8b.json"`,
		check: func(c *argumentCheck, parts []string) {
			if parts[1] != "" {
				for _, name := range splitList(parts[1]) {
					c.field(name)
				}
			}
			if err := checkAnswerFileName(parts[0]); err != nil {
				c.add(BadText, err)
			} else if c.Source.ReadFixture != nil {
				_, err := readAnswerFile(c.Source, parts[0])
				switch {
				case c.UpdateAnswers && canBeUpdated(err):
				case errors.Is(err, fs.ErrNotExist):
					c.add(MissingFile, err)
				default:
					c.add(UnreadableAnswer, err)
				}
			}
		},
	})
}

// maxDifferences is the number of differences that a failure lists.
const maxDifferences = 30

func checkAnswerFileName(name string) error {
	switch {
	case !fs.ValidPath(name) || name == ".":
		return fmt.Errorf("%q is not a file in the directory of the feature file or below it: write its path with slashes and without \"..\"", name)
	case path.Ext(name) != ".json":
		return fmt.Errorf("%q is not the name of a JSON file: it must end in .json", name)
	}
	return nil
}

// readAnswerFile reads the answer that a file has. If there is no such file, the error is
// fs.ErrNotExist and says what to do.
func readAnswerFile(source Source, name string) (map[string]any, error) {
	text, err := source.ReadFixture(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &missingAnswerFile{name}
	case err != nil:
		return nil, &unreadableAnswerFile{error: fmt.Errorf("%q cannot be read: %w", name, err)}
	}
	value, err := jsondiff.Decode(text)
	if err != nil {
		return nil, &unreadableAnswerFile{fmt.Errorf("%q is not JSON: %s%w", name, placeOf(err, text), err), len(bytes.TrimSpace(text)) == 0}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, &unreadableAnswerFile{fmt.Errorf("%q has no JSON object, which every answer is", name), false}
	}
	return object, nil
}

// unreadableAnswerFile is a file that is there and has no answer.
type unreadableAnswerFile struct {
	error
	isEmpty bool // so that nothing is lost where it is written
}

func (e *unreadableAnswerFile) Unwrap() error { return e.error }

// Hint returns the way out.
func (e *unreadableAnswerFile) Hint() string {
	return `correct the file, or remove it and write it again with "omniloader run --update"`
}

// canBeUpdated tells whether --update mends what readAnswerFile finds. It overwrites no file
// that may be something else.
func canBeUpdated(err error) bool {
	var unreadable *unreadableAnswerFile
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &unreadable) && unreadable.isEmpty
}

// placeOf says where in a text an error of its JSON is: "line 2, column 5: ", or "" if the
// error does not say it.
func placeOf(err error, text []byte) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 1 || syntax.Offset > int64(len(text)) {
		return ""
	}
	before := text[:syntax.Offset-1]
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d: ", bytes.Count(before, []byte("\n"))+1, column)
}

type missingAnswerFile struct{ name string }

func (e *missingAnswerFile) Error() string {
	return fmt.Sprintf("there is no file %q beside the feature: write it with \"omniloader run --update\"", e.name)
}
func (e *missingAnswerFile) Is(target error) bool { return target == fs.ErrNotExist }

func (w *world) answerIsAsIn(name, apartFrom string) error {
	if err := checkAnswerFileName(name); err != nil {
		return &ScenarioError{err}
	}
	if err := w.answered(); err != nil {
		return err
	}
	decoded, err := jsondiff.Decode([]byte(w.answer.text))
	if err != nil {
		return err
	}
	got := decoded.(map[string]any) // newAnswer takes nothing else
	expected, err := readAnswerFile(w.source, name)
	missing := canBeUpdated(err)
	if err != nil && !(missing && w.setup.UpdateAnswers) {
		return &ScenarioError{err}
	}
	if apartFrom != "" {
		for _, field := range splitList(apartFrom) {
			if err := w.leaveOut(field, expected, got); err != nil {
				return err
			}
		}
	}
	differences := jsondiff.Compare(expected, got)
	if w.setup.UpdateAnswers {
		return w.updateAnswer(name, got, missing || len(differences) > 0)
	}
	if len(differences) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the answer differs from %q in %d places; if that is meant, write it with \"omniloader run --update\":", name, len(differences))
	if len(differences) == 1 {
		b.Reset()
		fmt.Fprintf(&b, "the answer differs from %q; if that is meant, write it with \"omniloader run --update\":", name)
	}
	for i, d := range differences {
		if i == maxDifferences {
			fmt.Fprintf(&b, "\n  and %d more", len(differences)-i)
			break
		}
		b.WriteString("\n  " + d.String())
	}
	return errors.New(b.String())
}

// leaveOut removes a field from two decoded answers. It may be missing in them if an
// enclosing field is null.
func (w *world) leaveOut(name string, answers ...map[string]any) error {
	f, err := w.fieldOrNull(name)
	if err != nil || f.parent.Raw == "" {
		return err
	}
	for _, object := range answers {
		for _, key := range f.keys[:len(f.keys)-1] {
			object, _ = object[key].(map[string]any)
		}
		delete(object, f.keys[len(f.keys)-1])
	}
	return nil
}

// updateAnswer writes the file with the answer, if it differs from what the file has. It is an
// error if another scenario of the run expects another answer in the same file.
func (w *world) updateAnswer(name string, got map[string]any, differs bool) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(got); err != nil {
		return err
	}
	if w.source.WriteFixture == nil {
		if !differs {
			return nil
		}
		return scenarioErrorf("%q cannot be written: the feature is not a file on the disk", name)
	}
	return w.setup.state().answerFiles.update(path.Join(path.Dir(w.uri), name), b.Bytes(), differs, func() error {
		if err := w.source.WriteFixture(name, b.Bytes()); err != nil {
			return &ScenarioError{fmt.Errorf("writing %q: %w", name, err)}
		}
		return nil
	})
}

// answerFiles are the files of expected answers that the scenarios of a run have updated. The
// zero value is ready to use.
type answerFiles struct {
	mu      sync.Mutex
	content map[string][]byte // by path: the answer of the first scenario that has the file
	written []string
}

// update notes that a scenario has this answer for a file, and calls write if the file
// differs from it. It is an error if another answer was noted before.
func (a *answerFiles) update(file string, content []byte, differs bool, write func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, noted := a.content[file]
	switch {
	case noted && !bytes.Equal(before, content):
		return scenarioErrorf("another scenario of this run has another answer for %q: give each a file of its own", path.Base(file))
	case noted:
		return nil
	case differs:
		if err := write(); err != nil {
			return err
		}
		a.written = append(a.written, file)
	}
	if a.content == nil {
		a.content = make(map[string][]byte)
	}
	a.content[file] = content
	return nil
}

// UpdatedAnswers returns the paths of the answer files that were written, sorted: the
// directory of the feature's URI and the name in the step.
func (s *Setup) UpdatedAnswers() []string {
	a := &s.state().answerFiles
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(slices.Values(a.written))
}
