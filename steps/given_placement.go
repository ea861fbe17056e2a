package steps

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/spf13/afero"

	"omniloader/fixtures"
)

// placementSteps are the Given steps that choose the checkpoint's directory and create
// other checkpoints around it.
func (w *world) placementSteps(r stepRegistrar) {
	r.group("Where the checkpoint is, and what is around it")
	r.Given(`^a real temporary directory$`, w.temporaryDirectory, stepDoc{
		meaning: "What follows is written to the real disk, in a directory that is removed afterwards. This step must be the first.",
		example: `a real temporary directory`,
	})
	r.Given(`^the directory "([^"]*)" for the checkpoint$`, w.checkpointDirectory, stepDoc{
		meaning: "The directory of the checkpoint. This step must come before the one that creates the checkpoint; without it the checkpoint is created in \"models\".",
		example: `the directory "models/google/gemma-scope-2b" for the checkpoint`,
	})
	r.Given(`^beside it, the checkpoint "([^"]*)" as "([^"]*)"$`, w.beside, stepDoc{
		meaning: "A second checkpoint, made from a preset, with this name in the directory that contains the first one. Changes that follow are made to it.",
		example: `beside it, the checkpoint "gpt2" as "openai-community/gpt2"`,
		check:   checkPreset(0),
	})
	r.Given(`^beside it, the checkpoint "([^"]*)" as "([^"]*)" in the Hugging Face cache layout$`, w.besideInCache, stepDoc{
		meaning: "The same, with the directories and files that the Hugging Face cache has after a download of that name.",
		example: `beside it, the checkpoint "gpt2" as "openai-community/gpt2" in the Hugging Face cache layout`,
		check:   checkPreset(0),
	})
	r.Given(`^in "([^"]*)", the checkpoint "([^"]*)"$`, w.checkpointIn, stepDoc{
		meaning: "A second checkpoint, made from a preset, in this directory. Changes that follow are made to it.",
		example: `in "library/openai-community/gpt2", the checkpoint "gpt2"`,
		check:   checkPreset(1),
	})
	r.Given(`^"([^"]*)" is a model root$`, w.modelRoot, stepDoc{
		meaning:    "The loader is told to look for base models in this directory.",
		example:    `"library" is a model root`,
		checkLater: directoryIsThere,
	})
	r.Given(`^"([^"]*)" is a tokenizer fallback$`, w.tokenizerFallback, stepDoc{
		meaning:    "The loader is told to take the tokenizer of this directory if there is no other. Several are tried in the order of their steps.",
		example:    `"library/gpt2" is a tokenizer fallback`,
		checkLater: directoryIsThere,
	})
}

func (w *world) temporaryDirectory() error {
	if w.checkpoint != nil || w.real != nil || w.tempRoot != "" {
		return errors.New("the temporary directory must come first: there is a checkpoint already")
	}
	if w.laidOut {
		w.tempRoot = "." // the files are written to memory all the same
		return nil
	}
	temp, err := os.MkdirTemp("", "omniloader-")
	if err != nil {
		return fmt.Errorf("no temporary directory can be made, set TMPDIR to a directory that can be written: %w", err)
	}
	w.setup.state().temporary.add(temp)
	w.tempRoot = temp
	w.disk = afero.NewBasePathFs(afero.NewOsFs(), temp)
	w.fsys = os.DirFS(temp)
	return nil
}

func (w *world) checkpointDirectory(dir string) error {
	if w.checkpoint != nil || w.real != nil {
		return errors.New("the directory must come before the checkpoint: there is a checkpoint already")
	}
	w.dir = dir
	return nil
}

// modelsRoot is the directory that holds the checkpoint, as <org>/<name> or <name>: the
// first element of its path.
func (w *world) modelsRoot() string {
	if root, _, ok := strings.Cut(w.dir, "/"); ok {
		return root
	}
	return "."
}

func (w *world) beside(preset, name string) error {
	return w.checkpointIn(path.Join(w.modelsRoot(), name), preset)
}

// cacheCommit is the commit in the paths of a download in the Hugging Face cache.
const cacheCommit = "0123456789abcdef0123456789abcdef01234567"

func (w *world) besideInCache(preset, name string) error {
	if _, err := w.currentCheckpoint(); err != nil {
		return err
	}
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
	return w.checkpoint.AddPresetFrom(w.setup.Checkpoints.Presets, preset)
}

func (w *world) modelRoot(dir string) {
	w.options.ModelRoots = append(w.options.ModelRoots, dir)
}

func (w *world) tokenizerFallback(dir string) {
	w.options.TokenizerFallbacks = append(w.options.TokenizerFallbacks, dir)
}
