package failures_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/failures"
	"omniloader/loader"
	"omniloader/loader/finding"
)

// inspected gives the codes of what an inspection finds in a preset, each once.
func inspected(t *testing.T, preset string) (codes []string) {
	t.Helper()
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, preset).AddPreset(preset))
	info, err := loader.New().Inspect(afero.NewIOFS(fsys), preset)
	require.NoError(t, err, preset)
	for _, f := range info.Findings {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func TestEveryRowIsComplete(t *testing.T) {
	all := failures.All()
	require.Len(t, all, 20)
	for i, f := range all {
		assert.Equal(t, i+1, f.Number)
		assert.NotEmpty(t, f.Title)
		assert.NotEmpty(t, f.Seen, f.Title)
		assert.True(t, strings.HasSuffix(f.WayOut, "."), f.Title)
		assert.NotContains(t, f.Title+f.Seen+f.WayOut, "|", "it stands in a Markdown table")
		for _, code := range f.Codes {
			_, ok := finding.Explain(code)
			assert.True(t, ok, "%s is not a code of a finding", code)
		}
	}
}

// Layouts alone identify these two, so that no finding of the failure is due.
var foundByLayout = []string{"broken-lora-as-pipeline", "broken-component-alone"}

func TestThePresetsOfAFailureReportItsFindings(t *testing.T) {
	used := map[string]bool{}
	for _, f := range failures.All() {
		shown := map[string]bool{}
		for _, preset := range f.Presets {
			used[preset] = true
			found := inspected(t, preset)
			if !slices.Contains(foundByLayout, preset) {
				assert.True(t, slices.ContainsFunc(f.Codes, func(code string) bool { return slices.Contains(found, code) }),
					"%s has none of %v: %v", preset, f.Codes, found)
			}
			for _, code := range found {
				shown[code] = true
			}
		}
		assert.True(t, shown[f.Codes[0]], "number %d: no preset reports %s", f.Number, f.Codes[0])
	}
	for _, p := range fixtures.BrokenPresets() {
		assert.True(t, used[p.Name], "%s belongs to no failure", p.Name)
	}
}

func TestTheTableIsNotTheCallers(t *testing.T) {
	all := failures.All()
	all[0].Title = "changed"
	assert.NotEqual(t, "changed", failures.All()[0].Title)
}
