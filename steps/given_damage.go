package steps

import (
	"errors"
	"io/fs"
	"path"

	"github.com/spf13/afero"

	"omniloader/fixtures"
)

// damageSteps are the Given steps that damage a file, as downloads, editors and
// attackers do.
func (w *world) damageSteps(r stepRegistrar) {
	r.group("Changing the checkpoint created last: damaged files")
	r.Given(`^"([^"]*)" is cut to ([0-9.]+ ?[A-Za-z]+)$`, w.cut, stepDoc{
		precheck: isSize(1),
		meaning:  "Keeps only the first bytes of a file, as an interrupted download does.",
		example:  `"model-00002-of-00004.safetensors" is cut to 100 bytes`,
	})
	r.Given(`^"([^"]*)" is grown to ([0-9.]+ ?[A-Za-z]+)$`, w.grow, stepDoc{
		precheck: isSize(1),
		meaning:  "Makes a file longer: zero bytes follow what it has.",
		example:  `"config.json" is grown to 100 MB`,
	})
	r.Given(`^"([^"]*)" is empty$`, w.emptyFile, stepDoc{
		meaning: "Writes a file of zero bytes, in the place of one that exists or as a new one.",
		example: `"config.json" is empty`,
	})
	r.Given(`^"([^"]*)" is a directory$`, w.directory, stepDoc{
		meaning: "Replaces a file by a directory.",
		example: `"config.json" is a directory`,
	})
	r.Given(`^"([^"]*)" is all zeros$`, w.zeros, stepDoc{
		meaning: "Keeps a file's size and makes every byte zero, as a download that reserved the space and never wrote it does.",
		example: `"config.json" is all zeros`,
	})
	r.Given(`^"([^"]*)" is a Git LFS pointer$`, w.lfsPointer, stepDoc{
		meaning: "Replaces a file by its Git LFS pointer, as a clone without git-lfs does.",
		example: `"tokenizer.json" is a Git LFS pointer`,
	})
	r.Given(`^"([^"]*)" is a web page$`, w.webPage, stepDoc{
		meaning: "Replaces a file by a sign-in page, as a download without permission does.",
		example: `"config.json" is a web page`,
	})
	r.Given(`^"([^"]*)" claims a header of ([0-9.]+ ?[A-Za-z]+)$`, w.headerLength, stepDoc{
		precheck: isSize(1),
		meaning:  "Changes the length of the header that a safetensors file begins with, and nothing else.",
		example:  `"model.safetensors" claims a header of 200 MB`,
	})
	r.Given(`^"([^"]*)" is a pickle that calls "([^"]*)"$`, w.pickleCalling, stepDoc{
		meaning: "Replaces a file by a pickle that would call this function if it were unpickled.",
		example: `"pytorch_model.bin" is a pickle that calls "os.system"`,
	})
	r.Given(`^"([^"]*)" starts with a byte order mark$`, w.byteOrderMark, stepDoc{
		meaning: "Puts the three bytes EF BB BF before a file's content, as some editors do.",
		example: `"config.json" starts with a byte order mark`,
	})
}

func (w *world) cut(name, size string) error {
	bytes, err := fixtures.ParseSize(size)
	if err != nil {
		return err
	}
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Cut(name, bytes) })
}

func (w *world) grow(name, size string) error {
	bytes, err := fixtures.ParseSize(size)
	if err != nil {
		return err
	}
	return w.rewrite(name, func(content string) fixtures.File {
		return fixtures.File{Name: name, Content: content, Size: bytes}
	})
}

func (w *world) emptyFile(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AddFiles(fixtures.File{Name: name}) })
}

func (w *world) directory(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		if err := c.Without(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return c.AddFiles(fixtures.File{Name: name + "/"})
	})
}

func (w *world) zeros(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.ZeroFill(name) })
}

func (w *world) lfsPointer(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AsLFSPointer(name) })
}

func (w *world) webPage(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AsHTML(name) })
}

func (w *world) headerLength(name, size string) error {
	bytes, err := fixtures.ParseSize(size)
	if err != nil {
		return err
	}
	return w.alter(func(c *fixtures.Checkpoint) error { return c.SetHeaderLength(name, bytes) })
}

func (w *world) pickleCalling(name, function string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AsPickleCalling(name, function, "id") })
}

func (w *world) byteOrderMark(name string) error {
	return w.rewrite(name, func(content string) fixtures.File {
		return fixtures.File{Name: name, Content: "\uFEFF" + content}
	})
}

// rewrite replaces a file by what change makes of its content.
func (w *world) rewrite(name string, change func(content string) fixtures.File) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		content, err := afero.ReadFile(w.disk, path.Join(c.Dir(), name))
		if err != nil {
			return err
		}
		return c.AddFiles(change(string(content)))
	})
}
