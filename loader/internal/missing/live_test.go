//go:build live

package missing

// The models of an installed transformers are saved, and tensors are left out of them.

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"omniloader/loader/internal/classtensors"
	"omniloader/loader/safetensors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// savedModels is the directory with the models: that of OMNILOADER_MODELS, else a new one.
func savedModels(t *testing.T) string {
	if dir := os.Getenv("OMNILOADER_MODELS"); dir != "" {
		return dir
	}
	python := cmp.Or(os.Getenv("OMNILOADER_PYTHON"), "python3")
	if err := exec.Command(python, "-c", "import torch, transformers").Run(); err != nil {
		t.Skipf("%s has no torch and transformers (set OMNILOADER_PYTHON): %v", python, err)
	}
	dir := t.TempDir()
	out, err := exec.Command(python, "testdata/save_models.py", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// minNoticed is the share of the tensors left out that must be noticed, in each role.
const minNoticed = 0.95

func TestTensorsLeftOutOfSavedModels(t *testing.T) {
	const seed = 7
	dirs, err := filepath.Glob(filepath.Join(savedModels(t), "*--*"))
	require.NoError(t, err)
	require.Greater(t, len(dirs), 1000)
	roles := map[string]*[2]int{} // noticed, all
	alarms := 0
	for _, dir := range dirs {
		names, m := readSaved(t, dir)
		if gaps := found(names, m); len(gaps) > 0 {
			alarms++
			t.Logf("whole, and called incomplete: %s: %v", filepath.Base(dir), gaps[0])
			continue
		}
		r := rand.New(rand.NewPCG(seed, uint64(len(names))))
		for role, c := range candidates(names) {
			if len(c.names) == 0 {
				continue
			}
			drawn := c.names[r.IntN(len(c.names))]
			left := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == drawn || c.with != nil && c.with(n, drawn) })
			if roles[role] == nil {
				roles[role] = &[2]int{}
			}
			roles[role][1]++
			if len(found(left, m)) > 0 {
				roles[role][0]++
			}
		}
	}
	t.Logf("seed %d: %d models, %d called incomplete", seed, len(dirs), alarms)
	assert.LessOrEqual(t, alarms, 2)
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		n := roles[role]
		share := float64(n[0]) / float64(n[1])
		t.Logf("%-20s %4d of %4d  %.1f %%", role, n[0], n[1], 100*share)
		assert.GreaterOrEqual(t, share, minNoticed, role)
	}
}

// readSaved gives the names of the tensors of a saved model, and what they are compared
// with.
func readSaved(t *testing.T, dir string) (nameList, Model) {
	t.Helper()
	cfg, err := os.ReadFile(filepath.Join(dir, "config.json"))
	require.NoError(t, err)
	files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	var names nameList
	for _, file := range files {
		h, err := os.Open(file)
		require.NoError(t, err)
		info, err := h.Stat()
		require.NoError(t, err)
		_, err = safetensors.Scan(file, h, info.Size(), func(e safetensors.Entry) error {
			names = append(names, string(e.Name))
			return nil
		})
		require.NoError(t, err, file)
		require.NoError(t, h.Close())
	}
	slices.Sort(names)
	return names, modelOf(string(cfg))
}

// candidate is the tensors of a role, one of which is left out, together with those for
// which with is true.
type candidate struct {
	names []string
	with  func(name, drawn string) bool
}

// candidates sorts the tensors by their role.
func candidates(names nameList) map[string]candidate {
	t := newTree(names)
	main := mainStack(t)
	c := map[string]candidate{}
	add := func(role, name string) { r := c[role]; r.names = append(r.names, name); c[role] = r }
	for _, n := range names {
		if isHarmless(n) {
			continue
		}
		prefix, layer, _, ok := cutNumber([]byte(n))
		lower := strings.ToLower(n)
		switch {
		case ok && string(prefix) == main.prefix:
			role := "middle layer"
			if layer == 0 {
				role = "first layer"
			} else if layer == main.n-1 {
				role = "last layer"
			}
			add(role, n)
			if strings.HasSuffix(n, "bias") || strings.Contains(n, "scale") {
				add("bias or scale", n)
			}
		case ok:
			add("tower", n)
		case strings.Contains(lower, "projector") || strings.Contains(lower, "merger") || strings.Contains(lower, "connector"):
			add("projector", n)
		case strings.Contains(lower, "embed_tokens") || strings.Contains(lower, "word_emb") || strings.Contains(lower, "wte") || strings.HasSuffix(lower, "shared.weight"):
			add("embedding", n)
		case strings.Contains(lower, "lm_head") || strings.Contains(lower, "classifier") || strings.Contains(lower, "score") || strings.Contains(lower, "qa_outputs"):
			add("head", n)
		case strings.Contains(lower, "norm"):
			add("final norm", n)
		}
	}
	if main.n > 1 {
		all := slices.Concat(c["first layer"].names, c["middle layer"].names, c["last layer"].names)
		c["whole layer"] = candidate{all, func(n, drawn string) bool {
			p, i, _, ok := cutNumber([]byte(n))
			q, k, _, _ := cutNumber([]byte(drawn))
			return ok && string(p) == string(q) && i == k
		}}
		c["one name everywhere"] = candidate{all, func(n, drawn string) bool {
			p, _, a, ok := cutNumber([]byte(n))
			q, _, b, _ := cutNumber([]byte(drawn))
			return ok && string(p) == string(q) && classtensors.Collapse(string(a)) == classtensors.Collapse(string(b))
		}}
	}
	return c
}

// mainStack is the stack with most tensors.
func mainStack(t *tree) *stack {
	best, most := &stack{prefix: "?"}, 0
	for _, s := range t.stacks {
		n := 0
		for _, m := range s.order {
			n += m.layers.len()
		}
		if n > most {
			best, most = s, n
		}
	}
	return best
}
