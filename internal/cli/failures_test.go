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

// failuresPage is docs/failures.md as the table of failures has it.
func failuresPage() string {
	var b strings.Builder
	b.WriteString(`# Twenty ways in which checkpoints fail

What users see when it happens, the finding with which ` + "`omniloader inspect`" + ` says so before anything is
loaded, a checkpoint that is broken so, to be named in a scenario (` + "`Given the checkpoint \"…\"`" + `), and the
way out. ` + "`omniloader findings --failures`" + ` prints the same, ` + "`omniloader findings CODE`" + ` explains a
finding, and features/failures.feature has the scenarios. This page is made from internal/failures/failures.tsv:
` + "`go test ./internal/cli -run TestFailures -update`" + `.

| # | failure | what users see | findings | presets | way out |
|---|---|---|---|---|---|
`)
	code := func(list []string) string { return "`" + strings.Join(list, "` `") + "`" }
	for _, f := range failures.All() {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", f.Number, f.Title, f.Seen, code(f.Codes), code(f.Presets), f.WayOut)
	}
	return b.String()
}

func TestFailuresPageIsThatOfTheTable(t *testing.T) {
	const page = "../../docs/failures.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(failuresPage()), 0o644))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, failuresPage(), string(text), "go test ./internal/cli -run TestFailures -update writes it")
}

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
