// Package record turns a real checkpoint into a feature file: a fixture with the files of
// the checkpoint but without its weights, scenarios that check what the loader finds in
// it, and measured bounds. It compares the loader's answer about the fixture with that
// about the checkpoint, and returns an error if they differ.
//
// It prints nothing, writes nothing to the checkpoint's directory, and reads no file
// outside it.
package record

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/quantity"
	"omniloader/loader"
	"omniloader/loader/answer"
)

// Options are settings for recording a checkpoint.
type Options struct {
	// Name is the name of the recorded checkpoint, without slashes; "" takes the name of
	// its directory, or of its repository in a Hugging Face cache.
	Name string
	// Fixture is the name of the fixture's file in the directory of the feature file; if
	// it is "", the fixture is written into the feature itself.
	Fixture string
}

// Recorded is a recorded checkpoint.
type Recorded struct {
	Name    string
	Feature []byte // the feature file
	Fixture []byte // the fixture file, nil if the fixture is in the feature
	// Notes say what was left out or changed, for people.
	Notes []string
}

const (
	// A fixture of at most this size is written into the feature itself.
	inlineLines = 40
	inlineBytes = 3 << 10
	// maxInline is the limit in bytes for a fixture that must be in the feature because
	// there is no fixture file. A feature file has at most 8 MiB.
	maxInline = 6 << 20
)

// Checkpoint records the checkpoint in a directory on the disk. Errors are written for
// people; some have a method Hint.
func Checkpoint(ctx context.Context, dir string, o Options) (*Recorded, error) {
	src, err := openSource(dir)
	if err != nil {
		return nil, err
	}
	defer src.close()
	name := o.Name
	if name == "" {
		name = src.name
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	files, err := src.list()
	if err != nil {
		return nil, err
	}

	traced := newTracingFS(src.fsys, src.dir, path.Join(modelsDir, name))
	original, err := loader.New().Inspect(traced, traced.at)
	if err != nil {
		return nil, err
	}
	redactor := newRedactor(src)
	want, err := answerText(original, redactor)
	if err != nil {
		return nil, err
	}

	k := &recorder{source: src, reads: traced, redactor: redactor, mentioned: filesMentioned(original)}
	recording, different, err := k.record(ctx, name, files, want)
	if err != nil {
		return nil, err
	}
	if different != "" {
		return nil, hinted{fmt.Errorf("%s: a fixture without its weights would not answer like the checkpoint: %s", dir, different),
			"describe it by hand: \"omniloader steps checkpoint\" lists the steps that create one"}
	}
	text, err := describe(ctx, recording)
	if err != nil {
		return nil, err
	}
	out := &Recorded{Name: name, Notes: append(src.notes, k.notes()...)}
	fixture := recording.Text()
	inline := len(fixture) <= inlineBytes && bytes.Count(fixture, []byte("\n")) <= inlineLines
	if o.Fixture == "" && !inline && len(fixture) > maxInline {
		return nil, hinted{fmt.Errorf("%s: its fixture has %s, which is too much for the feature file itself", dir, quantity.FormatSize(float64(len(fixture)))),
			"name the feature file, and the fixture is written beside it: --output FILE.feature"}
	}
	if inline || o.Fixture == "" {
		out.Feature = text.with(docString(fixture))
		return out, nil
	}
	out.Fixture = fixture
	out.Feature = text.with(fmt.Sprintf("    Given the recorded checkpoint %q\n", o.Fixture))
	return out, nil
}

// modelsDir is the directory in which scenarios create checkpoints.
const modelsDir = "models"

// hinted is an error with a hint at what to do.
type hinted struct {
	error
	hint string
}

func (h hinted) Hint() string  { return h.hint }
func (h hinted) Unwrap() error { return h.error }

// checkName returns an error for a name that cannot be a directory, or cannot be
// written in a feature.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "/\\:\"\x00") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return hinted{fmt.Errorf("%q is not a valid name for a recorded checkpoint", name), "give it another: --name NAME"}
	}
	return nil
}

// docString writes a fixture as the doc string of a step. Gherkin removes the
// indentation, and reads \"\"\" as three quotes.
func docString(fixture []byte) string {
	var b strings.Builder
	b.WriteString("    Given the recorded checkpoint:\n      \"\"\"\n")
	for line := range strings.Lines(string(fixture)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" {
			b.WriteString("      " + strings.ReplaceAll(line, `"""`, `\"\"\"`))
		}
		b.WriteByte('\n')
	}
	b.WriteString("      \"\"\"\n")
	return b.String()
}

// writeCheckpoint writes a recorded checkpoint as a scenario does, in memory unless it
// has links. It returns the filesystem, and a function that removes it.
func writeCheckpoint(r *fixtures.Recording) (fsys fs.FS, remove func(), err error) {
	disk, remove := fixtures.NewFs(), func() {}
	fsys = afero.NewIOFS(disk)
	if r.HasLinks() {
		temp, err := os.MkdirTemp("", "omniloader-")
		if err != nil {
			return nil, nil, err
		}
		disk, fsys = afero.NewBasePathFs(afero.NewOsFs(), temp), os.DirFS(temp)
		remove = func() { os.RemoveAll(temp) }
	}
	dir := path.Join(modelsDir, r.Name)
	if err = disk.MkdirAll(dir, 0o755); err == nil {
		err = fixtures.New(disk, dir).AddRecording(r)
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return fsys, remove, nil
}

// answerText returns the answer of an inspection as a text to compare, with private
// parts redacted as in the fixture. It leaves out the messages of findings, which may
// quote redacted bytes or texts of the operating system.
func answerText(info *answer.Info, p *redactor) ([]byte, error) {
	like := *info
	like.Findings = slices.Clone(info.Findings)
	for i := range like.Findings {
		like.Findings[i].Message, like.Findings[i].Hint = "", ""
	}
	text, err := json.Marshal(&like)
	if err != nil {
		return nil, fmt.Errorf("the answer has no JSON form: %w", err)
	}
	covered, _ := p.redact("answer.json", text)
	return covered, nil
}

// filesMentioned returns the files that an answer is about: weights, used or not, and
// files with findings.
func filesMentioned(info *answer.Info) map[string]bool {
	names := map[string]bool{}
	if w := info.Weights; w != nil {
		for _, list := range [...][]string{w.Files, w.Ignored, w.Companions} {
			for _, name := range list {
				names[name] = true
			}
		}
	}
	for _, f := range info.Findings {
		names[f.File] = true
	}
	return names
}

// compareAnswers says where the loader's answer about a recording differs from want, ""
// if it does not.
func compareAnswers(r *fixtures.Recording, want []byte, p *redactor) (different string, err error) {
	fsys, remove, err := writeCheckpoint(r)
	if err != nil {
		return "", err
	}
	defer remove()
	info, err := loader.New().Inspect(fsys, path.Join(modelsDir, r.Name))
	if err != nil {
		return "", err
	}
	got, err := answerText(info, p)
	if err != nil {
		return "", err
	}
	return difference(want, got), nil
}
