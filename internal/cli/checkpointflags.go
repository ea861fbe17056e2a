package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"omniloader/fixtures"
	"omniloader/steps"
)

// checkpointFlags are the flags that say which checkpoints scenarios may use, as given.
type checkpointFlags struct {
	models       []string
	presets      []string
	allowOutside bool
}

func (f *checkpointFlags) define(set *pflag.FlagSet) {
	set.StringArrayVar(&f.models, "model", nil, "a real checkpoint's `DIR` for scenarios tagged @real, which are\nskipped without it; repeat it to run them once for each")
	f.defineAllowed(set)
}

// defineAllowed defines the flags of commands that look at Given steps and carry none out.
func (f *checkpointFlags) defineAllowed(set *pflag.FlagSet) {
	f.definePresets(set)
	set.BoolVar(&f.allowOutside, "allow-outside", false, "let a scenario read a real checkpoint outside of the folder of\nits feature file")
}

// allowed returns what the flags of defineAllowed and their variables say. A flag takes
// precedence over its variable.
func (f *checkpointFlags) allowed(set *pflag.FlagSet) (c steps.Checkpoints, err error) {
	wanted := slices.DeleteFunc([]string{envPresets, envOutside}, func(v string) bool {
		return set.Changed(map[string]string{envPresets: "presets", envOutside: "allow-outside"}[v])
	})
	if err := refuseMistypedVariables(os.Environ(), wanted); err != nil {
		return c, err
	}
	if c.Presets, err = f.library(set); err != nil {
		return c, err
	}
	if c.AllowOutside = f.allowOutside; !set.Changed("allow-outside") {
		c.AllowOutside, err = outsideOfEnvironment()
	}
	return c, err
}

func (f *checkpointFlags) definePresets(set *pflag.FlagSet) {
	set.StringArrayVar(&f.presets, "presets", nil, "a `DIR` with presets of your own, as .txtar files; repeat it\nfor more")
}

// checkpoints returns what the flags and the environment say. A flag takes precedence over
// its variable.
func (f *checkpointFlags) checkpoints(set *pflag.FlagSet, env Environment) (models []string, c steps.Checkpoints, err error) {
	models, c = env.Models, env.Checkpoints
	if set.Changed("model") {
		if models, err = checkModels(f.models); err != nil {
			return nil, c, fmt.Errorf("--model: %w", err)
		}
	}
	if set.Changed("presets") {
		if c.Presets, err = f.library(set); err != nil {
			return nil, c, err
		}
	}
	if set.Changed("allow-outside") {
		c.AllowOutside = f.allowOutside
	}
	return models, c, nil
}

// library returns the presets of the flag --presets, else of its variable.
func (f *checkpointFlags) library(set *pflag.FlagSet) (*fixtures.PresetLibrary, error) {
	if set.Changed("presets") {
		library, err := loadPresets(f.presets)
		if err != nil {
			return nil, flagError("--presets", err)
		}
		return library, nil
	}
	return presetsOfEnvironment()
}

// presetsOfEnvironment returns the presets that the variable names.
func presetsOfEnvironment() (*fixtures.PresetLibrary, error) {
	library, err := loadPresets(splitList(os.Getenv(envPresets)))
	if err != nil {
		return nil, flagError("environment variable "+envPresets, err)
	}
	return library, nil
}

// outsideOfEnvironment returns whether the variable allows checkpoints outside of the folder
// of a feature file.
func outsideOfEnvironment() (bool, error) {
	switch text := os.Getenv(envOutside); text {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, errorWithHint("set it to 1 or 0, or unset it", "environment variable %s: %q is neither 1 nor 0", envOutside, text)
	}
}

const (
	nameACheckpoint      = "name the directory of a checkpoint"
	nameAPresetDirectory = "name a directory with .txtar files"
)

// checkModels returns an error for a path that is no directory, and for one that is named
// twice.
func checkModels(dirs []string) ([]string, error) {
	for i, dir := range dirs {
		if dir == "" {
			return nil, errorWithHint(nameACheckpoint, "empty")
		}
		if err := isDirectory(dir); err != nil {
			return nil, errorWithHint(nameACheckpoint, "%w", err)
		}
		for _, other := range dirs[:i] {
			if sameFile(dir, other) {
				return nil, errorWithHint("name each once", "%s and %s are one directory", other, dir)
			}
		}
	}
	return dirs, nil
}

// splitList splits the value of an environment variable with a list of paths. A value that
// is the path of a directory is that path, whatever characters it has.
func splitList(value string) []string {
	if value == "" {
		return nil
	}
	if isDirectory(value) == nil {
		return []string{value}
	}
	return filepath.SplitList(value)
}

// loadPresets reads the presets of these directories.
func loadPresets(dirs []string) (library *fixtures.PresetLibrary, err error) {
	loaded := map[string]bool{} // one that is named twice has each preset once
	for _, dir := range dirs {
		if dir == "" {
			return nil, errorWithHint(nameAPresetDirectory, "empty")
		}
		if loaded[filepath.Clean(dir)] {
			continue
		}
		loaded[filepath.Clean(dir)] = true
		if err := isDirectory(dir); err != nil {
			return nil, errorWithHint(nameAPresetDirectory, "%w", err)
		}
		if library, err = library.With(os.DirFS(dir), filepath.ToSlash(dir)); err != nil {
			return nil, err
		}
	}
	return library, nil
}
