package loader_test

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// adviceToRemove matches a hint to remove files. Keys of a config, which are removed too,
// are "one of them".
var adviceToRemove = regexp.MustCompile(`(?i)\b(remove|delete) (it if|the|them|these|those)\b`)

// partsMissing are the codes of errors with which weights cannot be complete.
var partsMissing = []string{finding.ShardMissing, finding.TensorMissing, finding.LayersMissing, finding.WeightsEmpty, finding.WeightsTruncated, finding.IndexStale}

// invariant gives what of an answer breaks a rule that holds for every checkpoint, sound
// or broken; "" where nothing does.
func invariant(info *answer.Info) string {
	hasError := false
	for _, f := range info.Findings {
		hasError = hasError || f.Severity == answer.SeverityError
	}
	w := info.Weights
	complete := w != nil && w.Complete != nil && *w.Complete
	switch {
	case w == nil:
	case w.Complete != nil && !complete && !hasError:
		return "the weights are incomplete, and there is no error"
	case w.Parameters != nil && *w.Parameters == 0 && !hasError:
		return "there are 0 parameters, and there is no error"
	case complete && !strings.HasPrefix(w.CompleteReason, "compared: "):
		return "the weights are complete, and nothing was compared"
	case w.CompleteReason == "":
		return "there is no reason for what complete is"
	case !complete && len(w.Missing) == 0 && w.Complete == nil && !strings.HasPrefix(w.CompleteReason, "nothing says"):
		return "complete is not known for the reason " + w.CompleteReason
	case complete && len(w.Missing) > 0:
		return "the weights are complete, and files are missing"
	}
	for _, f := range info.Findings {
		if adviceToRemove.MatchString(f.Hint) && !complete {
			return "it is advised to remove files without a complete set: " + f.Code
		}
		if complete && f.Severity == answer.SeverityError && slices.Contains(partsMissing, f.Code) {
			return "the weights are complete beside an error " + f.Code
		}
	}
	return ""
}

func assertInvariants(t *testing.T, what string, info *answer.Info) {
	t.Helper()
	if broken := invariant(info); broken != "" {
		t.Errorf("%s: %s\n%+v\n%+v", what, broken, info.Weights, info.Findings)
	}
}

func TestInvariantsOfPresets(t *testing.T) {
	for _, p := range slices.Concat(fixtures.Presets(), fixtures.BrokenPresets()) {
		info, err := loader.New().Inspect(preset(t, p.Name), p.Name)
		require.NoError(t, err)
		assertInvariants(t, p.Name, info)
	}
}

// The test of the invariants sees what breaks one.
func TestInvariantsCanFail(t *testing.T) {
	info := func(w answer.WeightsInfo, findings ...answer.Finding) *answer.Info {
		w.CompleteReason = cmp.Or(w.CompleteReason, "compared: files")
		return &answer.Info{Weights: &w, Findings: findings}
	}
	hint := answer.Finding{Code: finding.WeightsDuplicate, Severity: answer.SeverityWarning, Hint: "Remove the files that are not used."}
	for want, i := range map[string]*answer.Info{
		"incomplete, and there is no error": info(answer.WeightsInfo{Complete: new(false)}),
		"0 parameters":                      info(answer.WeightsInfo{Complete: new(true), Parameters: new(int64(0))}),
		"nothing was compared":              info(answer.WeightsInfo{Complete: new(true), CompleteReason: "-"}),
		"advised to remove":                 info(answer.WeightsInfo{CompleteReason: "nothing says"}, hint),
		"beside an error weights-empty":     info(answer.WeightsInfo{Complete: new(true)}, answer.Finding{Code: finding.WeightsEmpty, Severity: answer.SeverityError}),
		"files are missing":                 info(answer.WeightsInfo{Complete: new(true), Missing: []string{"a"}}),
	} {
		assert.Contains(t, invariant(i), want)
	}
	assert.Empty(t, invariant(info(answer.WeightsInfo{Complete: new(true)}, hint)))
}

func TestInvariantsOfFindings(t *testing.T) {
	for _, c := range findingCases {
		assertInvariants(t, c.name, inspect(t, c.files))
	}
}

// mutations change the weights of a checkpoint. file is one of its weight files, index the
// index, "" where there is none.
var mutations = map[string]func(c *fixtures.Checkpoint, file, index string) error{
	"without the file":     func(c *fixtures.Checkpoint, file, _ string) error { return c.Without(file) },
	"an empty file":        func(c *fixtures.Checkpoint, file, _ string) error { return c.Cut(file, 0) },
	"cut in the header":    func(c *fixtures.Checkpoint, file, _ string) error { return c.Cut(file, 60) },
	"zeros":                func(c *fixtures.Checkpoint, file, _ string) error { return c.ZeroFill(file) },
	"a pointer":            func(c *fixtures.Checkpoint, file, _ string) error { return c.AsLFSPointer(file) },
	"a web page":           func(c *fixtures.Checkpoint, file, _ string) error { return c.AsHTML(file) },
	"renamed by a browser": func(c *fixtures.Checkpoint, file, _ string) error { return c.Rename(file, numbered(file)) },
	"copied by a browser":  func(c *fixtures.Checkpoint, file, _ string) error { return c.Copy(file, numbered(file)) },
	"moved to a directory": func(c *fixtures.Checkpoint, file, _ string) error { return c.Rename(file, "old/"+path.Base(file)) },
	"no tensor": func(c *fixtures.Checkpoint, file, _ string) error {
		return c.Replace(file, "\x02\x00\x00\x00\x00\x00\x00\x00{}")
	},
	"without the index":   func(c *fixtures.Checkpoint, _, index string) error { return c.Without(index) },
	"an empty index":      func(c *fixtures.Checkpoint, _, index string) error { return c.Replace(index, "{}") },
	"an index of nothing": func(c *fixtures.Checkpoint, _, index string) error { return c.Replace(index, `{"weight_map":{}}`) },
	"an index of another save": func(c *fixtures.Checkpoint, _, index string) error {
		return c.Replace(index, indexOf("a", "other-1.safetensors"))
	},
	"an index of one tensor of one file": func(c *fixtures.Checkpoint, file, index string) error {
		return c.Replace(index, indexOf("a", path.Base(file)))
	},
	"no config": func(c *fixtures.Checkpoint, _, _ string) error { return c.Without("config.json") },
}

func numbered(file string) string {
	return strings.TrimSuffix(file, path.Ext(file)) + " (1)" + path.Ext(file)
}

func TestInvariantsOfMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("inspects hundreds of checkpoints")
	}
	for _, p := range fixtures.Presets() {
		before, err := loader.New().Inspect(preset(t, p.Name), p.Name)
		require.NoError(t, err)
		files := before.Weights.Files
		for what, mutate := range mutations {
			file, index := files[len(files)-1], before.Weights.Index
			if index == "" && strings.Contains(what, "index") {
				continue
			}
			fsys := fixtures.NewFs()
			c := fixtures.New(fsys, p.Name)
			require.NoError(t, c.AddPreset(p.Name))
			if err := mutate(c, file, index); err != nil {
				continue // the checkpoint has no config.json, or the file is too short to be cut
			}
			info, err := loader.New().Inspect(afero.NewIOFS(fsys), p.Name)
			require.NoError(t, err)
			assertInvariants(t, fmt.Sprintf("%s, %s: %s", p.Name, what, file), info)
		}
	}
}
