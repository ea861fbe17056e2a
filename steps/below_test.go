package steps

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/builtin"
)

// What the catalogue shows below a step can be written below it.
func TestWhatIsShownBelowAStepWorks(t *testing.T) {
	shown := 0
	for _, d := range Catalogue() {
		if d.Below == "" {
			continue
		}
		shown++
		below := d.Below
		if below == strings.TrimRight(fixtures.Grammar(), "\n") { // its example
			_, example, found := strings.Cut(below, "For example:\n")
			require.True(t, found)
			below = strings.TrimPrefix(example, "\n")
		}
		var b strings.Builder
		b.WriteString("Feature: f\n  Scenario: s\n")
		if !strings.Contains(d.Example, "a checkpoint") {
			b.WriteString("    Given an empty checkpoint directory\n")
		}
		b.WriteString("    " + d.Keyword + " " + d.Example + "\n")
		isTable := strings.HasPrefix(below, "|")
		if !isTable {
			b.WriteString("      \"\"\"\n")
		}
		for line := range strings.SplitSeq(below, "\n") {
			b.WriteString("      " + line + "\n")
		}
		if !isTable {
			b.WriteString("      \"\"\"\n")
		}
		b.WriteString("    When the checkpoint is inspected\n    Then the category is \"x\"\n")
		_, output, _ := runScenario(t, &Setup{Loader: builtin.New("test")}, b.String())
		assert.Contains(t, output, "category", "%s: only the last step fails: %s", d.Example, output)
		assert.Contains(t, output, `"x"`, "%s: only the last step fails: %s", d.Example, output)
		assert.NotContains(t, output, "skipped", "%s", output)
	}
	assert.GreaterOrEqual(t, shown, 5)
}
