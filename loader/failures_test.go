package loader_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
	"omniloader/loader/finding"
)

// Each failure is shown by its presets, and found in them.
func TestEveryFailureHasAPresetThatShowsIt(t *testing.T) {
	broken := map[string]bool{}
	for _, p := range fixtures.BrokenPresets() {
		broken[p.Name] = false
	}
	failures := loader.Failures()
	require.Len(t, failures, 20)
	for i, f := range failures {
		assert.Equal(t, i+1, f.Number)
		assert.True(t, strings.HasSuffix(f.WayOut, "."), f.Title)
		assert.NotEmpty(t, f.Seen, f.Title)
		for _, code := range f.Codes {
			_, ok := finding.Explain(code)
			assert.True(t, ok, "%s is no code", code)
		}
		shown := map[string]bool{}
		for _, name := range f.Presets {
			if _, ok := broken[name]; ok {
				broken[name] = true
			}
			info, err := loader.New().Inspect(preset(t, name), name)
			require.NoError(t, err, name)
			found := codes(info.Findings)
			if name != "broken-lora-as-pipeline" && name != "broken-component-alone" { // what it is says its layout
				assert.True(t, slices.ContainsFunc(f.Codes, func(code string) bool { return slices.Contains(found, code) }),
					"%s has none of %v: %v", name, f.Codes, found)
			}
			for _, code := range found {
				shown[code] = true
			}
		}
		assert.True(t, shown[f.Codes[0]], "number %d, %s: no preset shows it", f.Number, f.Codes[0])
	}
	for name, used := range broken {
		assert.True(t, used, "%s shows none of the failures", name)
	}
}
