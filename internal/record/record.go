// Package record turns a real checkpoint into a feature file: a fixture that
// stands for the checkpoint without its weights, what the loader finds in it as
// promises, and measured bounds. It asks the loader about the fixture as it
// asked about the checkpoint, and gives nothing where the answers differ.
//
// It prints nothing, writes nothing beside the checkpoint, and never looks at a
// file outside it.
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
	"omniloader/internal/bench"
	"omniloader/loader"
)

// Options say how a checkpoint is recorded.
type Options struct {
	// Name is what the checkpoint is called, one name without slashes; "" means
	// the name of its directory, or of its repository in a Hugging Face cache.
	Name string
	// Fixture is the file name under which the fixture will lie beside the
	// feature; "" means that there is no such place, and it stands in the feature.
	Fixture string
}

// Recorded is a checkpoint that was recorded.
type Recorded struct {
	Name    string
	Feature []byte // the feature file
	Fixture []byte // the file beside it, nil where the feature holds it
	// Notes say, for people, what was left out or changed.
	Notes []string
}

// inlineLines and inlineBytes are how long a fixture may be that is still read
// with pleasure in the feature itself.
const (
	inlineLines = 40
	inlineBytes = 3 << 10
	// maxInline bounds one that has to stand there, for want of another place: a
	// feature file has at most 8 MiB.
	maxInline = 6 << 20
)

// Checkpoint records the checkpoint in a directory of the disk. The errors are
// for people; some carry a hint.
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

	seen := newTracingFS(src.fsys, src.dir, path.Join(modelsDir, name))
	original, failed := loader.New().Inspect(seen, seen.at)
	if failed != nil {
		return nil, failed
	}
	private := newRedactor(src)
	want, err := answerText(original, private)
	if err != nil {
		return nil, err
	}

	k := &recorder{source: src, reads: seen, redactor: private, mentioned: filesMentioned(original)}
	recording, different, err := k.record(ctx, name, files, want)
	if err != nil {
		return nil, err
	}
	if different != "" {
		return nil, hinted{fmt.Errorf("%s: a fixture without its weights would not answer like the checkpoint: %s", dir, different),
			"describe it by hand: \"omniloader steps checkpoint\" lists the steps that lay one out"}
	}
	text, err := describe(ctx, recording)
	if err != nil {
		return nil, err
	}
	out := &Recorded{Name: name, Notes: append(src.notes, k.notes()...)}
	fixture := recording.Text()
	inline := len(fixture) <= inlineBytes && bytes.Count(fixture, []byte("\n")) <= inlineLines
	if o.Fixture == "" && !inline && len(fixture) > maxInline {
		return nil, hinted{fmt.Errorf("%s: its fixture has %s, too much for the feature file itself", dir, bench.FormatSize(float64(len(fixture)))),
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

// modelsDir is where a scenario's checkpoint lies.
const modelsDir = "models"

// hinted is an error with the way out.
type hinted struct {
	error
	hint string
}

func (h hinted) Hint() string  { return h.hint }
func (h hinted) Unwrap() error { return h.error }

// checkName refuses a name that no directory can have, or no feature can hold.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "/\\:\"\x00") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return hinted{fmt.Errorf("%q is no name for a recorded checkpoint", name), "give it another: --name NAME"}
	}
	return nil
}

// docString writes a fixture as the argument of a step. Gherkin takes the
// indent away again, and reads \"\"\" as three quotes.
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

// writeCheckpoint lays a recording out as a scenario will, in memory unless it has links,
// and gives the filesystem and what removes it again.
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

// answerText is an inspection's answer as a text to compare, with what is
// private covered as in the fixture. The wording of findings is left out: it may
// quote bytes or an operating system.
func answerText(info *loader.Info, p *redactor) ([]byte, error) {
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

// filesMentioned are the files that an answer is about: its weights, in use or not, and
// those with a finding.
func filesMentioned(info *loader.Info) map[string]bool {
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

// compareAnswers asks the loader about a recording and says where its answer differs.
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
