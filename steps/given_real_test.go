package steps_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/steps"
)

// folderWith makes a folder for a feature file, with these files.
func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		full := filepath.Join(folder, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o644))
	}
	return folder
}

const tinyConfig = `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 64, "rope_scaling": {"type": "yarn", "factor": 4.0}, "layer_types": ["a", "b"], "limit": Infinity}`

// runFrom runs a scenario of a feature file in a folder.
func runFrom(t *testing.T, setup *steps.Setup, source steps.Source, lines ...string) (status int, output string) {
	t.Helper()
	source.Tags = []string{}
	text := "Feature: f\n  Scenario: s\n"
	for _, line := range lines {
		text += "    " + line + "\n"
	}
	return enginetest.Run(t, steps.Engine(), []enginetest.Feature{{Text: text}}, 1, func(scope *engine.Scope, _ *engine.Scenario) {
		scenario := setup.Register(scope)
		scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, source)
		})
		scope.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
			return ctx, scenario.End()
		})
	})
}

func TestACheckpointIsReadFromADirectoryBesideTheFeature(t *testing.T) {
	folder := folderWith(t, map[string]string{"models/tiny/config.json": tinyConfig, "models/tiny/extra.txt": "x"})
	setup := &steps.Setup{Loader: builtin.New("")}
	for name, lines := range map[string][]string{
		"as it is": {`Given the checkpoint at "models/tiny"`, `When the model info is read`, `Then the architecture is "LlamaForCausalLM"`, `And the name is "tiny"`,
			`And the config key "rope_scaling.type" is "yarn"`, `And the config key "rope_scaling" is {"factor": 4, "type": "yarn"}`, `And the config key "layer_types.1" is "b"`,
			`And the config key "vocab_size" is not 65`, `And the config key "limit" is present`, `And the config key "quantization_config" is absent`},
		"changed": {`Given the checkpoint at "models/tiny"`, `And the file "config.json" holds:`, `  """`, `  {"architectures": ["BertModel"]}`, `  """`, `And without "extra.txt"`,
			`When the model info is read`, `Then the architecture is "BertModel"`, `And the config key "vocab_size" is absent`},
		"with a preset beside it": {`Given the checkpoint at "models/tiny"`, `And beside it, the checkpoint "gpt2" as "openai/gpt2" in the Hugging Face cache layout`,
			`And the config has "n_head" set to 12`, `When the model info is read`, `Then the architecture is "LlamaForCausalLM"`},
		"of a longer spelling": {`Given the checkpoint at "./models/../models/tiny/"`, `When the model info is read`, `Then the name is "tiny"`},
	} {
		t.Run(name, func(t *testing.T) {
			status, out := runFrom(t, setup, steps.Source{Folder: folder}, lines...)
			assert.Zero(t, status, out)
		})
	}
	text, err := os.ReadFile(filepath.Join(folder, "models/tiny/config.json"))
	require.NoError(t, err)
	assert.Equal(t, tinyConfig, string(text), "the files are only read")
	assert.FileExists(t, filepath.Join(folder, "models/tiny/extra.txt"))

	builtIn := steps.Source{FS: fstest.MapFS{"tiny/config.json": {Data: []byte(tinyConfig)}}}
	status, out := runFrom(t, setup, builtIn, `Given the checkpoint at "tiny"`, `When the model info is read`, `Then the config key "vocab_size" is 64`)
	assert.Zero(t, status, out)
}

func TestAWrongConfigKeyFailsWithWhatItIs(t *testing.T) {
	folder := folderWith(t, map[string]string{"tiny/config.json": tinyConfig, "tiny/broken.json": "{"})
	for then, want := range map[string]string{
		`the config key "rope_scaling.type" is "linear"`: `config.json: rope_scaling.type is "yarn", expected "linear"`,
		`the config key "vocab_size" is not 64`:          `config.json: vocab_size is 64, expected another value`,
		`the config key "vocab_size" is "64"`:            `vocab_size is 64, expected "64"`,
		`the config key "vocab_size" is absent`:          `vocab_size is 64, expected no such key`,
		`the config key "vocab_siz" is 64`:               `config.json has no key vocab_siz; did you mean "vocab_size"?`,
		`the config key "rope_scaling.typ" is 64`:        `did you mean "rope_scaling.type"?`,
		`the config key "layer_types.2" is present`:      `config.json has no key layer_types.2`,
		`the key "a" of "gone.json" is absent`:           `gone.json: no such file`,
		`the key "a" of "broken.json" is 1`:              `broken.json is not JSON`,
		`the key "a" of "../x.json" is 1`:                `no file of the checkpoint`,
	} {
		status, out := runFrom(t, &steps.Setup{Loader: builtin.New("")}, steps.Source{Folder: folder}, `Given the checkpoint at "tiny"`, `When the model info is read`, `Then `+then)
		assert.Equal(t, 1, status, then)
		assert.Contains(t, out, want, then)
	}
}

func TestARealCheckpointOutsideOfTheFolderNeedsToBeAllowed(t *testing.T) {
	outside := folderWith(t, map[string]string{"away/config.json": tinyConfig})
	folder := folderWith(t, map[string]string{"half/a.txt": "", "inside/config.json": tinyConfig})
	require.NoError(t, os.Symlink(filepath.Join(outside, "away"), filepath.Join(folder, "linked")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "away/config.json"), filepath.Join(folder, "half/config.json")))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "within"), 0o755))
	require.NoError(t, os.Symlink("../inside/config.json", filepath.Join(folder, "within/config.json")))
	relative, err := filepath.Rel(folder, filepath.Join(outside, "away"))
	require.NoError(t, err)
	for name, want := range map[string]string{
		filepath.ToSlash(filepath.Join(outside, "away")): "is outside of the folder",
		filepath.ToSlash(relative):                       "is outside of the folder",
		"linked":                                         "linked is a link that leads out",
		"half":                                           "half/config.json is a link that leads out",
	} {
		lines := []string{`Given the checkpoint at "` + name + `"`, `When the model info is read`, `Then the config key "vocab_size" is 64`}
		source := steps.Source{Folder: folder}
		status, out := runFrom(t, &steps.Setup{Loader: builtin.New("")}, source, lines...)
		assert.Equal(t, 1, status, name)
		assert.Contains(t, out, want)
		err := check(source, steps.Checkpoints{}, `the checkpoint at "`+name+`"`)
		require.ErrorContains(t, err, want)
		assert.Contains(t, hintOf(err), "--allow-outside")

		allowed := steps.Checkpoints{AllowOutside: true}
		require.NoError(t, check(source, allowed, `the checkpoint at "`+name+`"`))
		status, out = runFrom(t, &steps.Setup{Loader: builtin.New(""), Checkpoints: allowed}, source, lines...)
		assert.Zero(t, status, out)
	}
	status, out := runFrom(t, &steps.Setup{Loader: builtin.New("")}, steps.Source{Folder: folder}, `Given the checkpoint at "within"`, `When the model info is read`, `Then the config key "vocab_size" is 64`)
	assert.Zero(t, status, "a link within the folder is followed: %s", out)
}

func TestARealCheckpointIsTheOnlyOne(t *testing.T) {
	folder := folderWith(t, map[string]string{"tiny/config.json": tinyConfig})
	for _, given := range [][]string{
		{`Given the checkpoint "gpt2"`, `And the checkpoint at "tiny"`},
		{`Given the checkpoint at "tiny"`, `And the checkpoint "gpt2"`},
		{`Given the checkpoint at "tiny"`, `And the checkpoint at "tiny"`},
		{`Given the checkpoint at "tiny"`, `And a real temporary directory`},
		{`Given a real temporary directory`, `And the checkpoint at "tiny"`},
		{`Given the directory "x" for the checkpoint`, `And the checkpoint at "tiny"`},
	} {
		status, out := runFrom(t, &steps.Setup{Loader: builtin.New("")}, steps.Source{Folder: folder}, append(given, `When the model info is read`, `Then the model is supported`)...)
		assert.Equal(t, 1, status, out)
	}
}

// check checks a Given step before the run.
func check(source steps.Source, c steps.Checkpoints, text string) error {
	pickle := &messages.Pickle{Steps: []*messages.PickleStep{{Text: text, Type: messages.PickleStepType_CONTEXT}}}
	for _, problem := range steps.CheckArguments(pickle, steps.ArgumentContext{Source: source, Checkpoints: c}) {
		return problem.Err
	}
	return nil
}

func hintOf(err error) string {
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		return hinter.Hint()
	}
	return ""
}

func TestGivenStepsAreCheckedBeforeTheRun(t *testing.T) {
	folder := folderWith(t, map[string]string{"tiny/config.json": tinyConfig, "bad.fixture": "nonsense"})
	source := steps.Source{Folder: folder, ReadFixture: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(folder, name)) }}
	for text, want := range map[string][2]string{
		`the recorded checkpoint "bad.fixture"`:                  {"", ""},
		`the checkpoint at "tini"`:                               {"there is no such directory", `did you mean "tiny"?`},
		`the checkpoint at "tiny/config.json"`:                   {"is a file", "name its directory"},
		`the checkpoint at ""`:                                   {"empty", "models/"},
		`"a" is cut to 3 bites`:                                  {`"3 bites" is not a size`, "100 bytes"},
		`"a" is grown to 3 bites`:                                {`"3 bites" is not a size`, "100 bytes"},
		`a checkpoint with a config of 1 MB and 2 bites`:         {"2 bites", ""},
		`the config has "a" set to b`:                            {`"b" is not JSON`, ""},
		`"tokenizer_config.json" has "a" set to {"b": }`:         {`is not JSON`, ""},
		`a release of 0 autoencoders in the layout "saelens"`:    {"0 autoencoders are not possible", "from 1 to 4000"},
		`a release of 9999 autoencoders in the layout "saelens"`: {"9999 autoencoders are not possible", "from 1 to 4000"},
		`a release of 1 autoencoder in the layout "saelense"`:    {`no layout "saelense"`, ""},
	} {
		err := check(source, steps.Checkpoints{}, text)
		require.ErrorContains(t, err, want[0], text)
		assert.Contains(t, hintOf(err), want[1], text)
	}
	for _, text := range []string{`the checkpoint "gpt2"`, `the checkpoint at "tiny"`, `an empty checkpoint directory`, `nobody knows this step`} {
		assert.NoError(t, check(source, steps.Checkpoints{}, text))
	}
	library, err := (*fixtures.PresetLibrary)(nil).With(fstest.MapFS{"acme.txtar": {Data: []byte("Acme\n\n-- config.json --\n" + tinyConfig + "\n")}}, "p")
	require.NoError(t, err)
	assert.NoError(t, check(source, steps.Checkpoints{Presets: library}, `the checkpoint "acme"`))
	status, out := runFrom(t, &steps.Setup{Loader: builtin.New(""), Checkpoints: steps.Checkpoints{Presets: library}}, source, `Given the checkpoint "acme"`, `When the model info is read`, `Then the config key "vocab_size" is 64`)
	assert.Zero(t, status, out)
}
