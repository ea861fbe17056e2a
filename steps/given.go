package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cucumber/godog"
	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/suggest"
)

// checkpointSteps are the Given steps that lay out the checkpoint of a scenario.
func (w *world) checkpointSteps(v stepRegistrar) {
	v.group("Laying out a checkpoint")
	v.Given(`^the checkpoint "([^"]*)"$`, w.preset, stepDoc{
		meaning: "A checkpoint made like a public repository: a named preset, in a directory of that name.",
		example: `the checkpoint "llama-3-8b"`,
	})
	v.Given(`^a checkpoint with the config:$`, w.config, stepDoc{
		meaning: "A checkpoint with this config.json, byte for byte, and nothing else.",
		example: `a checkpoint with the config:`,
	})
	v.Given(`^a checkpoint with a config of ([0-9.]+ ?[A-Za-z]+(?:(?:, | and )[0-9.]+ ?[A-Za-z]+)*)$`, w.configOfSize, stepDoc{
		meaning: "A checkpoint whose config.json has this size, most of it labels. Of several sizes, ascending, the first is the scenario's checkpoint, and the others show how the latency grows.",
		example: `a checkpoint with a config of 1 MB, 10 MB and 50 MB`,
	})
	v.Given(`^a checkpoint with the files:$`, w.files, stepDoc{
		meaning: "A checkpoint of the files in a table with the columns file, content and size. A name that ends in a slash is a directory.",
		example: `a checkpoint with the files:`,
	})
	v.Given(`^a checkpoint with the tree:$`, w.tree, stepDoc{
		meaning: "A checkpoint of the files in a text: a line \"-- config.json --\" before the content of each.",
		example: `a checkpoint with the tree:`,
	})
	v.Given(`^the recorded checkpoint "([^"]*)"$`, w.recorded, stepDoc{
		meaning: "A checkpoint as it was recorded: the fixture of that name lies beside the feature file. \"omniloader record\" writes both.",
		example: `the recorded checkpoint "llama-3-8b.fixture"`,
	})
	v.Given(`^the recorded checkpoint:$`, w.recordedHere, stepDoc{
		meaning: "The same, with the fixture in the feature itself.",
		example: `the recorded checkpoint:`,
	})
	v.Given(`^an empty checkpoint directory$`, w.emptyCheckpoint, stepDoc{
		meaning: "A checkpoint directory with nothing in it yet.",
		example: `an empty checkpoint directory`,
	})
	v.Given(`^no checkpoint directory$`, w.noCheckpoint, stepDoc{
		meaning: "No directory at all where the checkpoint should be.",
		example: `no checkpoint directory`,
	})
	v.Given(`^the real checkpoint$`, w.realCheckpoint, stepDoc{
		meaning: "The checkpoint that --model or TEST_MODEL_PATH names; without one the scenario is skipped.",
		example: `the real checkpoint`,
	})
}

// placementSteps are the Given steps about where the checkpoint lies and what
// lies around it.
func (w *world) placementSteps(v stepRegistrar) {
	v.group("Where it lies, and what lies around it")
	v.Given(`^a real temporary directory$`, w.temporaryDirectory, stepDoc{
		meaning: "What follows is laid out on the real disk, in a directory that is removed afterwards. It stands first.",
		example: `a real temporary directory`,
	})
	v.Given(`^the directory "([^"]*)" for the checkpoint$`, w.checkpointDirectory, stepDoc{
		meaning: "The checkpoint is laid out here. It stands before the checkpoint; without it a scenario's checkpoint lies in \"models\".",
		example: `the directory "models/google/gemma-scope-2b" for the checkpoint`,
	})
	v.Given(`^beside it, the checkpoint "([^"]*)" as "([^"]*)"$`, w.beside, stepDoc{
		meaning: "A second checkpoint, made like a preset, under this name in the directory that the first one lies in. Alterations that follow are made to it.",
		example: `beside it, the checkpoint "gpt2" as "openai-community/gpt2"`,
	})
	v.Given(`^beside it, the checkpoint "([^"]*)" as "([^"]*)" in the Hugging Face cache layout$`, w.besideInCache, stepDoc{
		meaning: "The same, laid out as the Hugging Face cache lays out a download of that name.",
		example: `beside it, the checkpoint "gpt2" as "openai-community/gpt2" in the Hugging Face cache layout`,
	})
	v.Given(`^in "([^"]*)", the checkpoint "([^"]*)"$`, w.checkpointIn, stepDoc{
		meaning: "A second checkpoint, made like a preset, in a directory of its own. Alterations that follow are made to it.",
		example: `in "library/openai-community/gpt2", the checkpoint "gpt2"`,
	})
	v.Given(`^"([^"]*)" is a model root$`, w.modelRoot, stepDoc{
		meaning: "The loader is told to look for base models in this directory.",
		example: `"library" is a model root`,
	})
	v.Given(`^"([^"]*)" is a tokenizer fallback$`, w.tokenizerFallback, stepDoc{
		meaning: "The loader is told to take the tokenizer of this directory where there is no other. More than one are tried in this order.",
		example: `"library/gpt2" is a tokenizer fallback`,
	})
}

// alterationSteps are the Given steps that change the checkpoint laid out last by
// one thing.
func (w *world) alterationSteps(v stepRegistrar) {
	v.group("Changing the checkpoint laid out last, one thing a line")
	v.Given(`^the file "([^"]*)" holds:$`, w.writeFile, stepDoc{
		meaning: "Writes a file with this content, byte for byte.",
		example: `the file "tokenizer_config.json" holds:`,
	})
	v.Given(`^the generated files:$`, w.generatedFiles, stepDoc{
		meaning: "Writes binary files by what is in them, such as weights by their tensors' names, types and shapes: \"safetensors model.safetensors\", and below it, indented, \"lm_head.weight BF16 128256 4096\".",
		example: `the generated files:`,
	})
	v.Given(`^"([^"]*)" is a link to "([^"]*)"$`, w.link, stepDoc{
		meaning: "Makes a symbolic link to another file of the checkpoint; it needs a real temporary directory.",
		example: `"snapshots/0123abcd/config.json" is a link to "blobs/config"`,
	})
	v.Given(`^the directories "([^"]*)"$`, w.directories, stepDoc{
		meaning: "Makes empty directories, separated by commas.",
		example: `the directories "resid_post, mlp_out"`,
	})
	v.Given(`^without "([^"]*)"$`, w.without, stepDoc{
		meaning: "Removes a file, a directory, or the files that a pattern with * matches.",
		example: `without "tokenizer.json"`,
	})
	v.Given(`^the config has "([^"]*)" set to (.+)$`, w.configSet, stepDoc{
		meaning: "Sets a key of config.json to a JSON value; dots lead into objects and lists.",
		example: `the config has "quantization_config.bits" set to 4`,
	})
	v.Given(`^the config has no "([^"]*)"$`, w.configUnset, stepDoc{
		meaning: "Removes a key of config.json.",
		example: `the config has no "architectures"`,
	})
	v.Given(`^"([^"]*)" has "([^"]*)" set to (.+)$`, w.keySet, stepDoc{
		meaning: "Sets a key of any JSON file to a JSON value.",
		example: `"tokenizer_config.json" has "pad_token" set to null`,
	})
	v.Given(`^"([^"]*)" has no "([^"]*)"$`, w.keyUnset, stepDoc{
		meaning: "Removes a key of any JSON file.",
		example: `"tokenizer_config.json" has no "pad_token"`,
	})
	v.Given(`^"([^"]*)" is cut to ([0-9.]+ ?[A-Za-z]+)$`, w.cut, stepDoc{
		meaning: "Keeps only the first bytes of a file, as an interrupted download does.",
		example: `"model-00002-of-00004.safetensors" is cut to 100 bytes`,
	})
	v.Given(`^"([^"]*)" is grown to ([0-9.]+ ?[A-Za-z]+)$`, w.grow, stepDoc{
		meaning: "Makes a file longer: zero bytes follow what it has.",
		example: `"config.json" is grown to 100 MB`,
	})
	v.Given(`^"([^"]*)" is empty$`, w.emptyFile, stepDoc{
		meaning: "Makes a file, or leaves it, without a single byte.",
		example: `"config.json" is empty`,
	})
	v.Given(`^"([^"]*)" is a directory$`, w.directory, stepDoc{
		meaning: "Puts a directory in the place of a file.",
		example: `"config.json" is a directory`,
	})
	v.Given(`^"([^"]*)" is all zeros$`, w.zeros, stepDoc{
		meaning: "Keeps a file's size and makes every byte zero, as a download that reserved the space and never wrote it does.",
		example: `"config.json" is all zeros`,
	})
	v.Given(`^"([^"]*)" is a Git LFS pointer$`, w.lfsPointer, stepDoc{
		meaning: "Puts the pointer of Git LFS in the place of a file, as a clone without git-lfs does.",
		example: `"tokenizer.json" is a Git LFS pointer`,
	})
	v.Given(`^"([^"]*)" is a web page$`, w.webPage, stepDoc{
		meaning: "Puts a sign-in page in the place of a file, as a download without permission does.",
		example: `"config.json" is a web page`,
	})
	v.Given(`^"([^"]*)" claims a header of ([0-9.]+ ?[A-Za-z]+)$`, w.headerLength, stepDoc{
		meaning: "Changes the length of the header that a safetensors file begins with, and nothing else.",
		example: `"model.safetensors" claims a header of 200 MB`,
	})
	v.Given(`^"([^"]*)" is a pickle that calls "([^"]*)"$`, w.pickleCalling, stepDoc{
		meaning: "Puts a pickle in the place of a file that would call a function if somebody unpickled it.",
		example: `"pytorch_model.bin" is a pickle that calls "os.system"`,
	})
	v.Given(`^"([^"]*)" is renamed to "([^"]*)"$`, w.rename, stepDoc{
		meaning: "Gives a file or directory another name.",
		example: `"model.safetensors" is renamed to "model.fp16.safetensors"`,
	})
	v.Given(`^"([^"]*)" is there as "([^"]*)" too$`, w.copyFile, stepDoc{
		meaning: "Makes a second file with the same content.",
		example: `"model.safetensors" is there as "consolidated.safetensors" too`,
	})
	v.Given(`^"([^"]*)" starts with a byte order mark$`, w.byteOrderMark, stepDoc{
		meaning: "Puts the three bytes EF BB BF before a file's content, as some editors do.",
		example: `"config.json" starts with a byte order mark`,
	})
	v.Given(`^the config has a list nested ([0-9]+) deep$`, w.nestedConfig, stepDoc{
		meaning: "Adds a key to config.json whose value is that many lists, one within the other.",
		example: `the config has a list nested 100000 deep`,
	})
}

// newCheckpoint begins the checkpoint of the scenario. There is one.
func (w *world) newCheckpoint(dir string) (*fixtures.Checkpoint, error) {
	if w.checkpoint != nil {
		return nil, errors.New(`the scenario has its checkpoint already: lay another one out with "beside it" or "in"`)
	}
	if dir != "" {
		w.dir = dir
	}
	w.checkpoint = fixtures.New(w.disk, w.dir)
	return w.checkpoint, nil
}

// currentCheckpoint gives the checkpoint that alterations are made to.
func (w *world) currentCheckpoint() (*fixtures.Checkpoint, error) {
	if w.checkpoint == nil {
		return nil, errors.New("there is no checkpoint to change yet")
	}
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
	return c.AddPreset(name)
}

func (w *world) config(text *godog.DocString) error {
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	return c.AddConfig(text.Content)
}

func (w *world) configOfSize(list string) error {
	var sizes []int64
	for text := range strings.SplitSeq(strings.ReplaceAll(list, " and ", ", "), ", ") {
		size, err := fixtures.ParseSize(text)
		if err != nil {
			return err
		}
		sizes = append(sizes, size)
	}
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	w.sizes = sizes
	return c.AddConfigOfSize(sizes[0])
}

func (w *world) files(table *godog.Table) error {
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

// columns a table of files may have.
var fileColumns = []string{"file", "content", "size"}

// readFiles reads a table of files. Its first row names the columns.
func readFiles(table *godog.Table) ([]fixtures.File, error) {
	if len(table.Rows) < 2 {
		return nil, errors.New("the table has no files: its first row names the columns (file, content, size)")
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

func (w *world) tree(text *godog.DocString) error {
	c, err := w.newCheckpoint("")
	if err != nil {
		return err
	}
	return c.AddTree(text.Content)
}

func (w *world) recorded(name string) error {
	read := w.setup.ReadFixture
	if read == nil {
		read = readFixtureFromDisk
	}
	text, err := read(w.pickle, name)
	if err != nil {
		return fmt.Errorf("the fixture %q beside the feature file: %w", name, err)
	}
	return w.addRecording(text)
}

func (w *world) recordedHere(text *godog.DocString) error {
	return w.addRecording([]byte(text.Content + "\n"))
}

func (w *world) addRecording(text []byte) error {
	r, err := fixtures.ParseRecording(text)
	if err != nil {
		return err
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

func (w *world) realCheckpoint() error {
	if w.setup.Model == "" {
		w.record.SkipReason = "needs a real checkpoint: name one with --model DIR or TEST_MODEL_PATH"
		return godog.ErrSkip
	}
	if w.checkpoint != nil || w.tempRoot != "" {
		return errors.New("a real checkpoint is read where it lies: nothing is laid out beside it")
	}
	full, err := filepath.Abs(w.setup.Model)
	if err != nil {
		return err
	}
	w.realRoot = filepath.Dir(full)
	w.fsys, w.dir = os.DirFS(w.realRoot), filepath.Base(full)
	info, err := fs.Stat(w.fsys, w.dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is a file; a checkpoint is a directory", w.setup.Model)
	}
	return err
}

func (w *world) temporaryDirectory() error {
	if w.checkpoint != nil || w.tempRoot != "" {
		return errors.New("the temporary directory comes first: something is laid out already")
	}
	temp, err := os.MkdirTemp("", "omniloader-")
	if err != nil {
		return err
	}
	w.tempRoot = temp
	w.disk = afero.NewBasePathFs(afero.NewOsFs(), temp)
	w.fsys = os.DirFS(temp)
	return nil
}

func (w *world) checkpointDirectory(dir string) error {
	if w.checkpoint != nil {
		return errors.New("the directory comes before the checkpoint: it is laid out already")
	}
	w.dir = dir
	return nil
}

// modelsRoot is the directory that the checkpoint's name is relative to: models
// are kept as <org>/<name> or as <name> in it.
func (w *world) modelsRoot() string {
	if root, _, ok := strings.Cut(w.dir, "/"); ok {
		return root
	}
	return "."
}

func (w *world) beside(preset, name string) error {
	return w.checkpointIn(path.Join(w.modelsRoot(), name), preset)
}

// cacheCommit stands for the commit that a download in the cache is of.
const cacheCommit = "0123456789abcdef0123456789abcdef01234567"

func (w *world) besideInCache(preset, name string) error {
	repository := path.Join(w.modelsRoot(), "models--"+strings.ReplaceAll(name, "/", "--"))
	refs := fixtures.New(w.disk, repository)
	if err := refs.AddFiles(fixtures.File{Name: "refs/main", Content: cacheCommit}); err != nil {
		return err
	}
	return w.checkpointIn(path.Join(repository, "snapshots", cacheCommit), preset)
}

func (w *world) checkpointIn(dir, preset string) error {
	if _, err := w.currentCheckpoint(); err != nil {
		return err
	}
	w.checkpoint = fixtures.New(w.disk, dir)
	return w.checkpoint.AddPreset(preset)
}

func (w *world) modelRoot(dir string) {
	w.options.ModelRoots = append(w.options.ModelRoots, dir)
}

func (w *world) tokenizerFallback(dir string) {
	w.options.TokenizerFallbacks = append(w.options.TokenizerFallbacks, dir)
}

func (w *world) writeFile(name string, text *godog.DocString) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		return c.AddFiles(fixtures.File{Name: name, Content: text.Content})
	})
}

func (w *world) generatedFiles(text *godog.DocString) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.AddManifest(text.Content) })
}

func (w *world) link(name, target string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Link(name, target) })
}

func (w *world) directories(list string) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		for name := range strings.SplitSeq(list, ",") {
			if err := c.AddFiles(fixtures.File{Name: strings.TrimSpace(name) + "/"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// alter changes the checkpoint laid out last.
func (w *world) alter(change func(*fixtures.Checkpoint) error) error {
	c, err := w.currentCheckpoint()
	if err != nil {
		return err
	}
	if len(w.sizes) > 1 {
		return errors.New("a checkpoint laid out in several sizes stays as it is: only the first would change")
	}
	return change(c)
}

const configFile = "config.json"

func (w *world) without(name string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Without(name) })
}

func (w *world) configSet(key, value string) error { return w.keySet(configFile, key, value) }
func (w *world) configUnset(key string) error      { return w.keyUnset(configFile, key) }

func (w *world) keySet(file, key, value string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.SetKey(file, key, value) })
}

func (w *world) keyUnset(file, key string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.UnsetKey(file, key) })
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

func (w *world) rename(from, to string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Rename(from, to) })
}

func (w *world) copyFile(from, to string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.Copy(from, to) })
}

func (w *world) byteOrderMark(name string) error {
	return w.rewrite(name, func(content string) fixtures.File {
		return fixtures.File{Name: name, Content: "\uFEFF" + content}
	})
}

// rewrite writes a file anew from its content.
func (w *world) rewrite(name string, change func(content string) fixtures.File) error {
	return w.alter(func(c *fixtures.Checkpoint) error {
		content, err := afero.ReadFile(w.disk, path.Join(c.Dir(), name))
		if err != nil {
			return err
		}
		return c.AddFiles(change(string(content)))
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

func (w *world) nestedConfig(depth int) error {
	return w.configSet("nested", strings.Repeat("[", depth)+strings.Repeat("]", depth))
}
