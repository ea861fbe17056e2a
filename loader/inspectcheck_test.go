package loader

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader/finding"
	"omniloader/loader/internal/check"
)

// Each check has a name of its own and reports only the codes that it declares, on every
// preset; and it changes no fact.
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
			facts := factsOf(t, fsys)
			first, before := check.Run(facts), textOfFacts(t, facts)
			for _, c := range check.All() {
				for _, f := range c.Findings(facts) {
					assert.Contains(t, c.Codes, f.Code, c.Name)
				}
			}
			assert.Equal(t, first, check.Run(facts))
			if textOfFacts(t, facts) == before {
				return
			}
			for _, c := range check.All() { // which one it was
				fresh := factsOf(t, fsys)
				c.Findings(fresh)
				assert.Equal(t, before, textOfFacts(t, fresh), "%s changed a fact", c.Name)
			}
			t.Error("the checks changed a fact")
		})
	}
}

// factsOf gives the facts of the checkpoint in the directory m.
func factsOf(t *testing.T, fsys afero.Fs) *check.Facts {
	t.Helper()
	i := newInspection(New(), afero.NewIOFS(fsys))
	require.NoError(t, i.open("m"))
	for _, stage := range stages {
		stage(i)
	}
	return &i.Facts
}

// textOfFacts has every fact with its content: a change of one changes the text. What the
// directory and the tokenizer read on demand is not a fact and is left out.
func textOfFacts(t *testing.T, f *check.Facts) string {
	t.Helper()
	info, err := json.Marshal(f.Info)
	require.NoError(t, err)
	text := fmt.Sprintf("%s\n%+v\n%v\n%v\n%s %s %+v\n", info, f.Files, f.ConfigErr, f.TokenizerErr,
		f.Checkpoint.Doc.File, f.Checkpoint.ModelType, f.Checkpoint.Classes)
	if f.Weights != nil {
		text += fmt.Sprintf("%t %t %+v\n", f.Weights.AllPresent, f.Weights.SomeUnread, f.Weights.Tensors.List)
	}
	if f.Commit != nil {
		text += fmt.Sprintf("%+v\n", *f.Commit)
	}
	return text
}
