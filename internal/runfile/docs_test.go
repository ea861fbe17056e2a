package runfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// page reads docs/runfile.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/runfile.md")
	require.NoError(t, err)
	return string(text)
}

var firstCell = regexp.MustCompile("^\\| `([^`]+)`(\\+?) \\|")

// documented gives the names in the first column of the table below a heading, and
// whether each is marked as one that may be missing.
func documented(t *testing.T, text, heading string) map[string]bool {
	t.Helper()
	_, below, found := strings.Cut(text, "\n"+heading+"\n")
	require.True(t, found, "docs/runfile.md has no line %q", heading)
	names := map[string]bool{}
	for line := range strings.Lines(below) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if m := firstCell.FindStringSubmatch(line); m != nil {
			names[m[1]] = m[2] == "+"
		}
	}
	return names
}

// The page has a table for each object of a run file, with exactly its keys.
func TestThePageHasTheKeysOfTheFormat(t *testing.T) {
	text := page(t)
	checked := map[reflect.Type]bool{}
	elsewhere := map[reflect.Type]bool{ // on other pages, or no object in JSON
		reflect.TypeFor[bench.Result](): true, reflect.TypeFor[bench.Comparison](): true, reflect.TypeFor[time.Time](): true,
	}
	var check func(of reflect.Type, heading, path string)
	var keys func(of reflect.Type, path string) map[string]bool
	check = func(of reflect.Type, heading, path string) {
		if !checked[of] { // what stands in several objects has one table
			checked[of] = true
			assert.Equal(t, keys(of, path), documented(t, text, heading), heading)
		}
	}
	keys = func(of reflect.Type, path string) map[string]bool {
		found := map[string]bool{}
		for i := range of.NumField() {
			field := of.Field(i)
			inner := field.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if field.Anonymous {
				maps.Copy(found, keys(inner, path))
				continue
			}
			key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			found[key] = strings.Contains(options, "omit")
			if inner.Kind() == reflect.Struct && !elsewhere[inner] {
				check(inner, "### `"+path+key+"`", path+key+".")
			}
		}
		return found
	}
	check(reflect.TypeFor[headerLine](), "## `run`", "")
	check(reflect.TypeFor[featureLine](), "## `feature`", "")
	check(reflect.TypeFor[scenarioLine](), "## `scenario`", "")
	check(reflect.TypeFor[comparisonLine](), "## `comparison`", "")
	check(reflect.TypeFor[endLine](), "## `end`", "")
	assert.Greater(t, len(checked), 20)
}

func TestThePageHasTheStatusesAndLimits(t *testing.T) {
	text := page(t)
	statuses := map[string]bool{}
	for _, s := range Statuses() {
		statuses[string(s)] = false
	}
	assert.Equal(t, statuses, documented(t, text, "### `status`"))
	for _, record := range []string{recordRun, recordFeature, recordScenario, recordComparison, recordEnd} {
		assert.Contains(t, documented(t, text, "## Records"), record)
	}
	size := func(bytes int) string {
		if bytes < 1<<20 {
			return fmt.Sprintf("%d KiB", bytes>>10)
		}
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	for _, limit := range []string{
		"| a record | " + size(MaxLine), "| a text about a failure | " + size(MaxMessage), "| the stack of a panic | " + size(MaxStack),
		"| an answer | " + size(MaxAnswer),
		fmt.Sprintf("| files of a tree | %d", MaxTreeFiles), "| records of a file | 1 000 000", "| a file that is read as a whole | " + size(MaxFile),
	} {
		assert.Contains(t, text, limit)
	}
	assert.Contains(t, text, fmt.Sprintf("`%s`", DefaultPath))
	assert.Contains(t, text, fmt.Sprintf("always `%s`", FormatName))
	assert.Contains(t, text, fmt.Sprintf("now %d", Version))
}

// The example on the page is a run file.
func TestTheExampleOnThePage(t *testing.T) {
	_, example, found := strings.Cut(page(t), "\n```json\n")
	require.True(t, found)
	example, _, _ = strings.Cut(example, "```")
	file, err := Read(strings.NewReader(example), "example")
	require.NoError(t, err)
	assert.Empty(t, file.Notes())
	require.Len(t, file.Scenarios, 1)
	s := file.Scenarios[0]
	assert.Equal(t, s.ID, Identity{File: string(s.File), Rule: s.Rule, Name: s.Name, Row: s.Row, Number: s.Number}.ID())
	for line := range strings.Lines(example) {
		var known struct {
			Record string `json:"record"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &known))
		record := map[string]any{recordRun: &headerLine{Header: new(Header)}, recordFeature: &featureLine{Feature: new(Feature)}, recordScenario: &scenarioLine{Scenario: new(Scenario)}, recordEnd: &endLine{End: new(End)}}[known.Record]
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		assert.NoError(t, d.Decode(record), "a key of the example is not one of the format")
	}
}
