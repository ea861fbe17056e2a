package suite

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"omniloader/internal/atomicfile"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// Expect says what Check compares the names of fields and the codes of findings with, which
// is known before the loader is opened, and whether answer files are written by the run.
func (p *Plan) Expect(vocabulary *steps.Vocabulary, updateAnswers bool) {
	p.arguments.Vocabulary, p.arguments.UpdateAnswers = vocabulary, updateAnswers
}

// ExpectCallers says by how many callers at once the run measures each operation, which is
// known before the loader is opened.
func (p *Plan) ExpectCallers(n int) {
	p.arguments.Callers = n
}

// describeLoader is Expect for a run with this setup, whose loader is open.
func (p *Plan) describeLoader(setup *steps.Setup) {
	if p.arguments.Vocabulary == nil {
		p.Expect(steps.NewVocabulary(setup.Loader), setup.UpdateAnswers)
		p.ExpectCallers(setup.Callers)
	}
}

// argumentProblems finds what a scenario's steps say that cannot be right.
func (p *Plan) argumentProblems(s *Scenario) outcome.Problems {
	context := p.arguments
	context.Source, context.Checkpoints = p.source(s), p.checkpoints
	var problems outcome.Problems
	for _, found := range p.steps.checkArguments(s.pickle, context) {
		node := s.read.Steps[found.Step]
		problem := outcome.Problem{URI: s.URI, Code: string(found.Rule), Line: int(node.Location.Line), Column: int(node.Location.Column), Message: found.Err.Error(), Advice: outcome.HintOf(found.Err)}
		if found.Below > 0 && node.DocString != nil {
			problem.Line, problem.Column = int(node.DocString.Location.Line)+found.Below, int(node.DocString.Location.Column)
		}
		if text := problem.Message; problem.Advice == "" && !strings.Contains(text, "did you mean") && !strings.Contains(text, ": write ") {
			problem.Advice = `"omniloader steps WORD" shows what a step with the word in it takes`
		}
		problems = append(problems, problem)
	}
	return problems
}

// source says what the pickle of a scenario does not.
func (p *Plan) source(s *Scenario) steps.Source {
	source := steps.Source{Tags: s.TagNames(), Model: s.modelDir, ModelLabel: s.Model}
	f := p.feature(s.URI)
	source.Folder = f.folder
	if f.folder == "" {
		source.FS = f.folderFS()
	}
	source.ReadFixture = func(name string) ([]byte, error) { return steps.ReadFixture(f.fsys, f.path, name) }
	if f.onDisk {
		source.WriteFixture = func(name string, content []byte) error {
			return writeBeside(filepath.Dir(filepath.FromSlash(f.URI)), name, content)
		}
	}
	return source
}

// writeBeside writes a file in a directory or below it, and makes the directories that it
// needs there. A link that leads out of the directory is an error.
func writeBeside(dir, name string, content []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if below := path.Dir(name); below != "." {
		if err := root.MkdirAll(filepath.FromSlash(below), 0o777); err != nil {
			return err
		}
	}
	if _, err := root.Stat(filepath.FromSlash(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, filepath.FromSlash(name)), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
