package cli

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/failures"
)

// Every failure has a rule of its own in the feature, and a scenario there on one of
// its presets that reports one of its findings.
func TestFailuresHaveAScenarioOnAPreset(t *testing.T) {
	text, err := os.ReadFile("../../features/failures.feature")
	require.NoError(t, err)
	rules := map[string]string{}
	number := regexp.MustCompile(`^([0-9]+)\. `)
	for _, rule := range strings.Split(string(text), "\n  Rule: ")[1:] {
		if m := number.FindStringSubmatch(rule); m != nil {
			rules[m[1]] = rule
		}
	}
	for _, f := range failures.All() {
		rule := rules[fmt.Sprint(f.Number)]
		require.NotEmpty(t, rule, "no rule %d", f.Number)
		for _, preset := range f.Presets {
			assert.Contains(t, rule, preset, "rule %d", f.Number)
		}
		for _, code := range f.Codes {
			assert.Contains(t, rule, code, "rule %d", f.Number)
		}
	}
}

func TestFailuresAreListed(t *testing.T) {
	a := call(t, "findings", "--failures")
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, 20, strings.Count(a.out, "way out:"))
	a = call(t, "findings", "--failures", "headertoolarge")
	assert.Contains(t, a.out, "1. a Git LFS pointer in the place of weights\n")
	assert.Contains(t, a.out, "broken-lfs-pointer")
	assert.NotContains(t, a.out, "2. ")
	assert.Equal(t, 20, strings.Count(call(t, "findings", "--failures", "--json").out, "\n"))
	a = call(t, "findings", "--failures", "no such thing")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "no failure has no such thing in it")
}
