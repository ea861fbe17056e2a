package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/suggest"
)

// Layouts remembers which Given steps were laid out before the run and what came of it, so
// that scenarios with the same ones are laid out once. The zero value is ready to use. It must
// be used by one goroutine at a time.
type Layouts struct {
	found map[string]layoutResult // by the text of the Given steps
	key   string                  // of last
	last  *layout                 // scenarios below a background follow each other
}

// layoutResult is what laying out Given steps found.
type layoutResult struct {
	step int   // the index of the step that cannot be carried out
	err  error // nil if all can
}

// layout is the checkpoint that the Given steps of a scenario create, in memory.
type layout struct {
	layoutResult
	world *world
	whole bool // every file is known: all steps were laid out, and no real checkpoint is used
}

// errNotLaidOut is the error of a Given step whose effect is known only when the scenario
// runs. It says nothing about the step.
var errNotLaidOut = errors.New("known only when the scenario runs")

// givenKey is the text of the Given steps of a scenario, with what stands below them.
func givenKey(source Source, pickle *messages.Pickle, kinds []messages.PickleStepType) string {
	var b strings.Builder
	b.WriteString(source.Folder)
	for i, step := range pickle.Steps {
		if kinds[i] == messages.PickleStepType_CONTEXT {
			fmt.Fprintf(&b, "\x00%d %s\x00%s", i, step.Text, argumentText(step))
		}
	}
	return b.String()
}

// check returns what comes of the Given steps.
func (l *Layouts) check(key string, layOut func() *layout) layoutResult {
	if result, known := l.found[key]; known {
		return result
	}
	return l.make(key, layOut).layoutResult
}

// get returns the checkpoint that the Given steps create.
func (l *Layouts) get(key string, layOut func() *layout) *layout {
	if l.last != nil && l.key == key {
		return l.last
	}
	return l.make(key, layOut)
}

func (l *Layouts) make(key string, layOut func() *layout) *layout {
	if l.last != nil {
		_ = l.last.world.real.close() // it was only read
	}
	l.key, l.last = key, layOut()
	if l.found == nil {
		l.found = make(map[string]layoutResult)
	}
	l.found[key] = l.last.layoutResult
	return l.last
}

// layOut carries the Given steps of a scenario out in memory, up to the first that fails or
// whose effect is not known before the run.
func (c *argumentCheck) layOut() *layout {
	w := newWorld(&Setup{Checkpoints: c.Checkpoints})
	w.source, w.laidOut = c.Source, true
	handlers := givenHandlers{}
	w.registerSteps(handlers)
	l := &layout{world: w, whole: true}
	for i, step := range c.pickle.Steps {
		if c.kinds[i] != messages.PickleStepType_CONTEXT {
			continue
		}
		err := errNotLaidOut
		if e := c.found[i]; e != nil {
			err = c.carryOut(handlers[e.Pattern], step)
		}
		switch {
		case errors.Is(err, errNotLaidOut):
			l.whole = false
			return l
		case err != nil:
			l.layoutResult, l.whole = layoutResult{i, err}, false
			return l
		}
	}
	l.whole = w.real == nil
	return l
}

// carryOut calls the handler of a Given step. One whose arguments cannot be made, and one that
// panics, is left to the run.
func (c *argumentCheck) carryOut(handler reflect.Value, step *messages.PickleStep) (err error) {
	defer func() {
		if recover() != nil {
			err = errNotLaidOut
		}
	}()
	arguments, err := c.match(messages.PickleStepType_CONTEXT, step.Text)[0].Arguments(step)
	if err != nil {
		return errNotLaidOut
	}
	for _, result := range handler.Call(arguments) {
		if err, failed := result.Interface().(error); failed {
			return err
		}
	}
	return nil
}

// givenSteps finds the first Given step that cannot be carried out on what the ones before it
// created. It is not asked for where one of them has a problem of its own.
func (c *argumentCheck) givenSteps() {
	given := 0
	for i, kind := range c.kinds {
		if kind != messages.PickleStepType_CONTEXT {
			continue
		}
		given++
		if e := c.found[i]; e != nil && e.doc.precheck != nil {
			c.step = i
			c.add(UnusableValue, e.doc.precheck(c.Checkpoints, c.Source, e.pattern.FindStringSubmatch(c.pickle.Steps[i].Text)[1:]))
		}
	}
	if given == 0 || c.hasGivenProblem() || given == 1 && c.isSure() {
		return
	}
	result := c.Layouts.check(c.key(), c.layOut)
	if result.err == nil {
		return
	}
	c.step = result.step
	problem := ArgumentProblem{Step: result.step, Rule: UnusableValue, Err: result.err}
	var located interface{ Line() int }
	if errors.As(result.err, &located) {
		problem.Below = located.Line()
	}
	c.problems = append(c.problems, problem)
}

func (c *argumentCheck) key() string { return givenKey(c.Source, c.pickle, c.kinds) }

func (c *argumentCheck) hasGivenProblem() bool {
	return slices.ContainsFunc(c.problems, func(p ArgumentProblem) bool { return c.kinds[p.Step] == messages.PickleStepType_CONTEXT })
}

// isSure says whether the only Given step is one that cannot fail after its own check.
func (c *argumentCheck) isSure() bool {
	i := slices.Index(c.kinds, messages.PickleStepType_CONTEXT)
	return c.found[i] != nil && c.found[i].doc.sure
}

// tree returns the world with the files that the Given steps create; nil where they are not
// all known before the run.
func (c *argumentCheck) tree() *world {
	if c.hasGivenProblem() {
		return nil
	}
	if l := c.Layouts.get(c.key(), c.layOut); l.whole {
		return l.world
	}
	return nil
}

// names says whether a step of this kind names a file or directory.
func (c *argumentCheck) names(kind messages.PickleStepType, text string) bool {
	for i, step := range c.pickle.Steps {
		if c.kinds[i] == kind && (strings.Contains(step.Text, `"`+text+`"`) || strings.Contains(argumentText(step), text)) {
			return true
		}
	}
	return false
}

// fileIsThere checks the name of a file of which a step says that nothing is reported for it.
// It may be a file that is missing on purpose: then a Given step, or a file of the checkpoint
// such as an index, names it.
func (c *argumentCheck) fileIsThere(name string) {
	if name == "" {
		return
	}
	w := c.tree()
	if w == nil || c.names(messages.PickleStepType_CONTEXT, name) {
		return
	}
	var all []string
	found := false
	_ = fs.WalkDir(w.fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == "." {
			return nil
		}
		relative := w.relative(file)
		all = append(all, relative)
		found = found || relative == name || file == name
		if !entry.IsDir() && !found {
			found = mentions(w.fsys, file, path.Base(name))
		}
		return nil
	})
	if found {
		return
	}
	hint := "write the name of a file that the Given steps create"
	if near, ok := suggest.Nearest(name, all); ok {
		hint = suggest.Question(near)
	}
	c.add(MissingFile, errorWithHint(hint, "the checkpoint has no file %q, so that nothing is ever reported for it", name))
}

// maxMentioning is the largest file that is searched for the name of another, in bytes.
const maxMentioning = 16 << 20

// mentions says whether a JSON file names another one.
func mentions(fsys fs.FS, file, name string) bool {
	if path.Ext(file) != ".json" {
		return false
	}
	if info, err := fs.Stat(fsys, file); err != nil || info.Size() > maxMentioning {
		return false
	}
	text, err := fs.ReadFile(fsys, file)
	return err == nil && strings.Contains(string(text), `"`+name+`"`)
}

// directoryIsThere returns a check of a Given step with a directory that the loader is told to
// use. It may be one that is missing on purpose: then a Then step names it, or a later step
// gives a directory to use in its place.
func directoryIsThere(c *argumentCheck, parts []string) {
	name := parts[0]
	w := c.tree()
	if w == nil || c.names(messages.PickleStepType_OUTCOME, name) {
		return
	}
	for i, e := range c.found[c.step:] {
		if e != c.found[c.step] {
			continue
		}
		dir := e.pattern.FindStringSubmatch(c.pickle.Steps[c.step+i].Text)[1]
		if info, err := fs.Stat(w.fsys, path.Clean(dir)); err == nil && info.IsDir() {
			return
		}
	}
	var all []string
	_ = fs.WalkDir(w.fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && file != "." {
			all = append(all, file)
		}
		return nil
	})
	hint := fmt.Sprintf(`create it, as in 'Given in %q, the checkpoint "gpt2"', or name it in a Then step if it is missing on purpose`, name)
	if near, ok := suggest.Nearest(name, all); ok {
		hint = suggest.Question(near)
	}
	c.add(UnusableValue, errorWithHint(hint, "there is no directory %q", name))
}
