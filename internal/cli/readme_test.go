package cli_test

import (
	"bytes"
	"omniloader/internal/suite"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/cli"
)

// block is a fenced part of the README.
type block struct {
	language, text string
	before         string // the paragraph in front of it
}

func readmeBlocks(t *testing.T) (blocks []block) {
	data, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	parts := strings.Split(string(data), "```")
	for i := 1; i < len(parts); i += 2 {
		language, text, _ := strings.Cut(parts[i], "\n")
		paragraphs := strings.Split(strings.TrimSpace(parts[i-1]), "\n\n")
		blocks = append(blocks, block{language, text, paragraphs[len(paragraphs)-1]})
	}
	return blocks
}

// elsewhere are the commands that the project's own CI runs, since a test that
// runs all tests would not end.
var elsewhere = []string{"go test ./...", "go tool godog run"}

var (
	savedAs = regexp.MustCompile("Save this as `([^`]+)`")
	// figures differ from run to run, and with them the width of columns. Counts do not.
	figures = regexp.MustCompile(`[0-9]+(\.[0-9]+)? [µnm]?s\b|(mean|p95) < [^(]*|[ ]+`)
)

// tightest is the bound at the end of a benchmark's line: the one that came
// nearest to not holding, which may be another in the next run.
var tightest = regexp.MustCompile(`(mean|median|p95|p99|max) < .*$`)

func shape(line string) string {
	line = tightest.ReplaceAllString(strings.TrimSpace(line), "BOUND")
	return strings.TrimSpace(figures.ReplaceAllString(line, " "))
}

// files are the names in a command that stand for files of the reader's own.
var files = regexp.MustCompile(`( |:)(?:~/)?(models/|[a-z]+\.feature|[a-z]+\.json|[a-z]+\.xml)`)

// TestREADME runs every command that the README shows, on files of its own,
// and finds each line of output that it shows in what the command prints.
func TestREADME(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	dir := t.TempDir()
	model := fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), dir), "models/llama-3-8b")
	require.NoError(t, model.AddPreset("llama-3-8b"))

	ran := 0
	for _, b := range readmeBlocks(t) {
		if m := savedAs.FindStringSubmatch(b.before); m != nil {
			require.NoError(t, os.WriteFile(filepath.Join(dir, m[1]), []byte(b.text), 0o644))
		}
		if b.language != "console" {
			continue
		}
		var printed string
		for line := range strings.Lines(b.text) {
			line = strings.TrimSpace(line)
			command, isCommand := strings.CutPrefix(line, "$ ")
			switch {
			case isCommand:
				printed = ""
				if args, ok := strings.CutPrefix(command+" ", "go run . "); ok {
					printed = runREADME(t, strings.Fields(files.ReplaceAllString(args, "${1}"+dir+"/${2}")))
					ran++
				} else {
					assert.Contains(t, elsewhere, command, "the README shows a command that nothing runs")
				}
			case line == "" || line == "…":
			default:
				assert.Contains(t, printed, shape(line), "the README shows a line that is not printed")
			}
		}
	}
	assert.GreaterOrEqual(t, ran, 8)
}

// runREADME gives the shapes of the lines that a command prints.
func runREADME(t *testing.T, args []string) string {
	var stdout, stderr bytes.Buffer
	code := cli.Run(args, strings.NewReader(""), &stdout, &stderr)
	if strings.HasPrefix(strings.Join(args, " "), "run --baseline") {
		assert.Contains(t, []int{0, 1}, code, "a baseline of a noisy machine may show red: %s", stderr.String())
	} else {
		assert.Zero(t, code, "%v: %s", args, stderr.String())
	}
	var b strings.Builder
	for line := range strings.Lines(stdout.String()) {
		b.WriteString(shape(line) + "\n")
	}
	return b.String()
}

func TestCIRunsWhatTheREADMETestLeavesOut(t *testing.T) {
	script, err := os.ReadFile("../../.ci/run")
	require.NoError(t, err)
	for _, command := range elsewhere {
		assert.Contains(t, string(script), command)
	}
}
