package steps

import (
	"errors"
	"strings"

	"omniloader/fixtures"
	"omniloader/internal/engine"
)

// fileSteps are the Given steps that add, remove, rename and copy files.
func (w *world) fileSteps(r stepRegistrar) {
	r.group("Changing the checkpoint created last: its files")
	r.Given(`^the file "([^"]*)" holds:$`, w.writeFile, stepDoc{
		meaning: "Writes a file with this content, byte for byte.",
		example: `the file "tokenizer_config.json" holds:`,
	})
	r.Given(`^the generated files:$`, w.generatedFiles, stepDoc{
		meaning: "Writes binary files from a description of their content, such as weights from the names, types and shapes of their tensors: \"safetensors model.safetensors\", and below it, indented, \"lm_head.weight BF16 128256 4096\".",
		example: `the generated files:`,
		below:   fixtures.Grammar(),
	})
	r.Given(`^"([^"]*)" is a link to "([^"]*)"$`, w.link, stepDoc{
		meaning: "Makes a symbolic link to another file of the checkpoint; it needs a real temporary directory.",
		example: `"snapshots/0123abcd/config.json" is a link to "blobs/config"`,
	})
	r.Given(`^the directories "([^"]*)"$`, w.directories, stepDoc{
		meaning: "Makes empty directories, separated by commas.",
		example: `the directories "resid_post, mlp_out"`,
	})
	r.Given(`^without "([^"]*)"$`, w.without, stepDoc{
		meaning: "Removes a file, a directory, or the files that a pattern with * matches.",
		example: `without "tokenizer.json"`,
	})
	r.Given(`^"([^"]*)" is renamed to "([^"]*)"$`, w.rename, stepDoc{
		meaning: "Gives a file or directory another name.",
		example: `"model.safetensors" is renamed to "model.fp16.safetensors"`,
	})
	r.Given(`^"([^"]*)" is there as "([^"]*)" too$`, w.copyFile, stepDoc{
		meaning: "Makes a second file with the same content.",
		example: `"model.safetensors" is there as "consolidated.safetensors" too`,
	})
}

// alter changes the checkpoint that was created last.
func (w *world) alter(change func(*fixtures.Checkpoint) error) error {
	c, err := w.currentCheckpoint()
	if err != nil {
		return err
	}
	if len(w.sizes) > 1 {
		return errors.New("a checkpoint created in several sizes cannot be changed: only the first would change")
	}
	return change(c)
}

// currentCheckpoint returns the checkpoint that changes are made to.
func (w *world) currentCheckpoint() (*fixtures.Checkpoint, error) {
	if w.checkpoint == nil && w.real != nil {
		if err := w.changeReal(); err != nil {
			return nil, err
		}
	}
	if w.checkpoint == nil {
		return nil, errorWithHint(`create one first, as in "Given an empty checkpoint directory"`, "there is no checkpoint to change yet")
	}
	return w.checkpoint, nil
}

func (w *world) writeFile(name string, text *engine.DocString) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		return c.AddFiles(fixtures.File{Name: name, Content: text.Content})
	})
}

func (w *world) generatedFiles(text *engine.DocString) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AddManifest(text.Content) })
}

func (w *world) link(name, target string) error {
	if w.laidOut && w.tempRoot != "" && w.checkpoint != nil {
		return errNotLaidOut // memory has no links
	}
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Link(name, target) })
}

func (w *world) directories(list string) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		for name := range strings.SplitSeq(list, ",") {
			if strings.TrimSpace(name) == "" {
				return errorWithHint(`write names separated by commas, as in the directories "resid_post, mlp_out"`, "the directories %q: a name is empty", list)
			}
			if err := c.AddFiles(fixtures.File{Name: strings.TrimSpace(name) + "/"}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) without(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Without(name) })
}

func (w *world) rename(from, to string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Rename(from, to) })
}

func (w *world) copyFile(from, to string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Copy(from, to) })
}
