package steps

import (
	"errors"
	"fmt"
	"path"
	"slices"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/fixtures"
	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// checkpointSteps are the Given steps that create the checkpoint of a scenario.
func (w *world) checkpointSteps(r stepRegistrar) {
	r.group("Creating a checkpoint")
	r.Given(`^the checkpoint "([^"]*)"$`, w.preset, stepDoc{
		meaning: "A preset, which is made like a public repository, in a directory of its name.",
		example: `the checkpoint "llama-3-8b"`,
		check:   checkPreset(0),
		sure:    true,
	})
	r.Given(`^a checkpoint with the config:$`, w.config, stepDoc{
		meaning: "A checkpoint with this config.json, byte for byte, and nothing else.",
		example: `a checkpoint with the config:`,
		below:   `{"architectures": ["T5Model"], "model_type": "t5"}`,
		sure:    true,
	})
	r.Given(`^a checkpoint with a config of ([0-9.]+ ?[A-Za-z]+(?:(?:, | and )[0-9.]+ ?[A-Za-z]+)*)$`, w.configOfSize, stepDoc{
		meaning:  "A checkpoint whose config.json has this size, most of it labels. With several sizes, in ascending order, the first is the scenario's checkpoint, and the others are measured to show how the latency grows.",
		example:  configOfSizeExample,
		precheck: areSizes,
	})
	r.Given(`^a checkpoint with the files:$`, w.files, stepDoc{
		meaning: "A checkpoint of the files in a table with the columns file, content and size. A name that ends in a slash is a directory.",
		example: `a checkpoint with the files:`,
		check: func(c *argumentCheck, _ []string) {
			if c.table() != nil {
				_, err := readFiles(c.table())
				c.add(BadTable, err)
			}
		},
		below: "| file        | content               | size |\n| config.json | {\"model_type\": \"t5\"} |      |\n| model.bin   |                       | 2 GB |",
	})
	r.Given(`^a checkpoint with the tree:$`, w.tree, stepDoc{
		meaning: "A checkpoint of the files in a text: a line \"-- config.json --\" before the content of each.",
		example: `a checkpoint with the tree:`,
		below:   "-- config.json --\n{\"model_type\": \"t5\"}\n-- tokenizer/vocab.txt --\nhello",
	})
	r.Given(`^the recorded checkpoint "([^"]*)"$`, w.recorded, stepDoc{
		meaning: "A checkpoint as it was recorded, from the fixture file of this name in the directory of the feature file. \"omniloader record\" writes both files.",
		example: `the recorded checkpoint "llama-3-8b.fixture"`,
		check: func(c *argumentCheck, parts []string) {
			c.file(parts[0], `"omniloader record" writes one`)
		},
		precheck: recordingParses,
	})
	r.Given(`^the recorded checkpoint:$`, w.recordedHere, stepDoc{
		meaning: "The same, from the text of a fixture in the feature itself.",
		example: `the recorded checkpoint:`,
	})
	r.Given(`^the checkpoint at "([^"]*)"$`, w.checkpointAt, stepDoc{
		meaning:  "The real checkpoint in this directory, relative to the folder of the feature file; outside of that folder only with --allow-outside. It is only read: further steps change what the loader sees, and not the files.",
		example:  `the checkpoint at "checkpoints/tiny-llama"`,
		precheck: directoryExists,
		sure:     true,
	})
	w.autoencoderSteps(r)
	r.Given(`^an empty checkpoint directory$`, w.emptyCheckpoint, stepDoc{
		meaning: "An empty directory, to which further steps can add files.",
		example: `an empty checkpoint directory`,
		sure:    true,
	})
	r.Given(`^no checkpoint directory$`, w.noCheckpoint, stepDoc{
		meaning: "No directory at all where the checkpoint should be.",
		example: `no checkpoint directory`,
		sure:    true,
	})
	r.Given(`^the real checkpoint$`, w.realCheckpoint, stepDoc{
		meaning: "The checkpoint that --model or TEST_MODEL_PATH names; without one the scenario is skipped, and with several it runs for each. It is only read.",
		example: `the real checkpoint`,
		sure:    true,
	})
}

// configOfSizeExample is the example of the step that creates a checkpoint in several sizes.
const configOfSizeExample = `a checkpoint with a config of 1 MB, 10 MB and 50 MB`

// newCheckpoint starts the scenario's own checkpoint, in dir or in w.dir if dir is "".
// It is an error if the scenario has it already.
func (w *world) newCheckpoint(dir string) (*fixtures.Checkpoint, error) {
	if w.checkpoint != nil || w.real != nil {
		return nil, errorWithHint(`create another one with 'beside it, the checkpoint "…" as "…"' or 'in "…", the checkpoint "…"'`, "the scenario has its checkpoint already")
	}
	if dir != "" {
		w.dir = dir
	}
	w.checkpoint = fixtures.New(w.disk, w.dir)
	return w.checkpoint, nil
}

func (w *world) preset(name string) error {
	dir := ""
	if w.dir == defaultDir {
		dir = path.Join(modelsDir, name)
	}
	c, err := w.newCheckpoint(dir)
	if err != nil {
		return err
	}
	return c.AddPresetFrom(w.setup.Checkpoints.Presets, name)
}

func (w *world) config(text *engine.DocString) error {
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	return c.AddConfig(text.Content)
}

func (w *world) configOfSize(list string) error {
	sizes, err := parseSizes(list)
	if err != nil {
		return err
	}
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	w.sizes = sizes
	return c.AddConfigOfSize(sizes[0])
}

func (w *world) files(table *engine.Table) error {
	files, err := readFiles(table)
	if err != nil {
		return err
	}
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	return c.AddFiles(files...)
}

// fileColumns are the columns that a table of files may have.
var fileColumns = []string{"file", "content", "size"}

// readFiles reads a table of files. Its first row names the columns.
func readFiles(table *engine.Table) ([]fixtures.File, error) {
	if len(table.Rows) < 2 {
		return nil, errors.New("the table has no files: its first row names the columns (file, content, size)")
	}
	if !slices.ContainsFunc(table.Rows[0].Cells, func(c *messages.PickleTableCell) bool { return c.Value == "file" }) {
		for _, cell := range table.Rows[0].Cells {
			if !slices.Contains(fileColumns, cell.Value) {
				return nil, fmt.Errorf("a table of files has no column %q, %s", cell.Value, suggest.DidYouMean(cell.Value, fileColumns))
			}
		}
		return nil, errors.New(`the table of files has no column "file": write its name into the first row`)
	}
	var files []fixtures.File
	for _, row := range table.Rows[1:] {
		var f fixtures.File
		for i, cell := range row.Cells {
			var err error
			switch column := table.Rows[0].Cells[i].Value; column {
			case "file":
				f.Name = cell.Value
			case "content":
				f.Content = cell.Value
			case "size":
				if cell.Value != "" {
					f.Size, err = fixtures.ParseSize(cell.Value)
				}
			default:
				err = fmt.Errorf("a table of files has no column %q, %s", column, suggest.DidYouMean(column, fileColumns))
			}
			if err != nil {
				return nil, err
			}
		}
		files = append(files, f)
	}
	return files, nil
}

func (w *world) tree(text *engine.DocString) error {
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	return c.AddTree(text.Content)
}

func (w *world) recorded(name string) error {
	text, err := readRecording(w.source, name)
	if err != nil {
		return err
	}
	return w.addRecording(text)
}

func (w *world) recordedHere(text *engine.DocString) error {
	return w.addRecording([]byte(text.Content + "\n"))
}

func (w *world) addRecording(text []byte) error {
	r, err := fixtures.ParseRecording(text)
	if err != nil {
		return err
	}
	if r.HasLinks() && w.laidOut && w.tempRoot != "" {
		return errNotLaidOut // memory has no links
	}
	if r.HasLinks() && w.tempRoot == "" {
		return errors.New(`the recording has links, which only a disk can hold: put "Given a real temporary directory" before it`)
	}
	dir := ""
	if w.dir == defaultDir {
		dir = path.Join(modelsDir, r.Name)
	}
	c, err := w.newCheckpoint(dir)
	if err != nil {
		return err
	}
	if err := w.disk.MkdirAll(w.dir, 0o755); err != nil { // it may have no file at all
		return err
	}
	return c.AddRecording(r)
}

func (w *world) emptyCheckpoint() error {
	if _, err := w.newCheckpoint(""); err != nil {
		return err
	}
	return w.disk.MkdirAll(w.dir, 0o755)
}

func (w *world) noCheckpoint() error {
	_, err := w.newCheckpoint("")
	return err
}
