package loader

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader/finding"
	"omniloader/loader/internal/check"
)

// Each check has a name of its own and reports only the codes that it declares, on every
// preset; and it changes no fact: a second run finds the same.
func TestChecksReportDeclaredCodesAndKeepFacts(t *testing.T) {
	names := map[string]bool{}
	for _, c := range check.All() {
		assert.False(t, names[c.Name], "two checks are called %s", c.Name)
		names[c.Name] = true
		assert.NotEmpty(t, c.Codes, c.Name)
		for _, code := range c.Codes {
			_, ok := finding.Explain(code)
			assert.True(t, ok, "%s declares %q, which is no code", c.Name, code)
		}
	}
	for _, p := range append(fixtures.Presets(), fixtures.BrokenPresets()...) {
		t.Run(p.Name, func(t *testing.T) {
			fsys := fixtures.NewFs()
			require.NoError(t, fixtures.New(fsys, "m").AddPreset(p.Name))
			i := newInspection(New(), afero.NewIOFS(fsys))
			require.NoError(t, i.open("m"))
			for _, stage := range stages {
				stage(i)
			}
			for _, c := range check.All() {
				first := check.Run(&i.Facts)
				for _, f := range c.Findings(&i.Facts) {
					assert.Contains(t, c.Codes, f.Code, c.Name)
				}
				assert.Equal(t, first, check.Run(&i.Facts), c.Name)
			}
		})
	}
}
