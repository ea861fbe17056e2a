package cli

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/internal/suite"
)

// repositoryRoot is where the README is, seen from this package.
const repositoryRoot = "../.."

// docsPage is a page of the manual.
type docsPage struct {
	name   string // "README.md", "docs/steps.md"
	text   string
	blocks []docsBlock
	prose  string // the text outside of the blocks
}

// docsBlock is a fenced part of a page.
type docsBlock struct {
	language, text string
	before         string // the line in front of it
}

// docsPages reads the README and the pages below docs, in the order of reading them.
func docsPages(t *testing.T) (pages []docsPage) {
	t.Helper()
	names, err := filepath.Glob(repositoryRoot + "/docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range append([]string{repositoryRoot + "/README.md"}, names...) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		rel, err := filepath.Rel(repositoryRoot, name)
		require.NoError(t, err)
		p := docsPage{name: filepath.ToSlash(rel), text: string(text)}
		parts := strings.Split(p.text, "\n```")
		require.Equal(t, 1, len(parts)%2, "%s: a block is not closed", p.name)
		for i, part := range parts {
			if i%2 == 0 {
				p.prose += part + "\n"
				continue
			}
			language, content, _ := strings.Cut(part, "\n")
			lines := strings.Split(strings.TrimSpace(parts[i-1]), "\n")
			p.blocks = append(p.blocks, docsBlock{language, content + "\n", lines[len(lines)-1]})
		}
		pages = append(pages, p)
	}
	return pages
}

// docsPageNamed gives one page.
func docsPageNamed(t *testing.T, name string) docsPage {
	t.Helper()
	for _, p := range docsPages(t) {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("there is no page %s", name)
	return docsPage{}
}

// commandsElsewhere are commands that these tests do not run, because they would run
// all tests, or take minutes: the file that has them run, and how they stand there.
var commandsElsewhere = map[string]struct{ file, text string }{
	"go test ./...":                 {".ci/run", "go test ./..."},
	"go tool godog run":             {".ci/run", "go tool godog run"},
	"go run .":                      {".ci/run", `go run . --output "$scratch/results.json"`},
	"go run . bench --against main": {"internal/cli/against_test.go", `"bench", "--against"`},
	"omniloader selftest noise":     {"internal/cli/sample_test.go", `"selftest", "noise"`},
}

func TestDocsCommandsThatAreRunElsewhere(t *testing.T) {
	for command, where := range commandsElsewhere {
		text, err := os.ReadFile(filepath.Join(repositoryRoot, where.file))
		require.NoError(t, err)
		assert.Contains(t, string(text), where.text, "%s runs %q", where.file, command)
	}
}

var (
	savedAs = regexp.MustCompile("Save this as `([^`]+)`")
	word    = regexp.MustCompile(`"[^"]*"|\S+`)
	// exitShown ends a command whose exit code is shown below it.
	exitShown = regexp.MustCompile(` \|\| echo "exit code \$\?"$`)

	// What differs from run to run: times, which bound came nearest to being exceeded,
	// and verdicts on the speed of a machine.
	shownTimes    = regexp.MustCompile(`[0-9]+(\.[0-9]+)? [µnm]?s\b`)
	shownBounds   = regexp.MustCompile(`(mean|median|p95|p99|max) < .*$`)
	shownChanges  = regexp.MustCompile(`[+-]?[0-9]+\.[0-9]+ %`)
	shownVerdicts = regexp.MustCompile(`\b(red|green|neutral|unconverged|not comparable)\b`)
)

// shapeOf gives a line without what differs from run to run.
func shapeOf(line string) string {
	line = shownBounds.ReplaceAllString(strings.TrimSpace(line), "BOUND")
	line = shownTimes.ReplaceAllString(line, "TIME")
	line = shownChanges.ReplaceAllString(line, "CHANGE")
	line = shownVerdicts.ReplaceAllString(line, "VERDICT")
	return strings.Join(strings.Fields(line), " ")
}

// docsRun runs commands of the pages, each once, in one directory.
type docsRun struct {
	printed map[string]string                         // the shapes of the lines, by command
	call    func(t *testing.T, args ...string) result // runs a command
}

// run gives the shapes of the lines that a command prints, those for people included.
func (r *docsRun) run(t *testing.T, page, command string) string {
	t.Helper()
	if printed, done := r.printed[command]; done {
		return printed
	}
	if command == "go run ." {
		r.printed[command] = shapesOf(bareCommand(t))
		return r.printed[command]
	}
	if _, elsewhere := commandsElsewhere[command]; elsewhere {
		return ""
	}
	bare := exitShown.ReplaceAllString(command, "")
	line, ok := strings.CutPrefix(bare+" ", "omniloader ")
	if !ok {
		line, ok = strings.CutPrefix(bare+" ", "go run . ")
	}
	if !assert.True(t, ok, "%s: nothing runs the command %s", page, command) {
		return ""
	}
	args := word.FindAllString(line, -1)
	for i := range args {
		args[i] = strings.Trim(args[i], `"`)
	}
	started := time.Now()
	a := r.call(t, args...)
	t.Logf("%6.2f s  %s", time.Since(started).Seconds(), command)
	switch {
	case slices.Contains(args, "--baseline") || slices.Contains(args, "compare"):
		// A busy machine may make any verdict of it, which is not what is tested here.
		assert.Contains(t, a.out, "verdict", "%s: %s: %s", page, command, a.err)
	case bare != command:
		a.out += fmt.Sprintf("exit code %d\n", a.code)
	default:
		assert.Zero(t, a.code, "%s: %s: %s%s", page, command, a.out, a.err)
	}
	r.printed[command] = shapesOf(a.out + a.err)
	return r.printed[command]
}

// shapesOf gives the shape of each line.
func shapesOf(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(shapeOf(line) + "\n")
	}
	return b.String()
}

// bareCommand gives what the program prints without arguments, as far as the README shows
// it: the lines of some benchmarks, from a run of these alone, and the last line, with the
// numbers of dry runs. That every built-in scenario passes is what TestFeatures of the main
// package shows, and .ci/run runs the whole command.
func bareCommand(t *testing.T) string {
	t.Helper()
	a := call(t, "--iterations", "20", "--tags", "@benchmark:architecture_detection_llama or @benchmark:architecture_detection_qwen "+
		"or @benchmark:tokenizer_load_normal or @benchmark:model_info_with_memory")
	require.Equal(t, 0, a.code, a.out)
	count := func(tags string) (scenarios, benchmarks int) {
		planned := call(t, "--dry-run", "--tags", tags)
		_, err := fmt.Sscanf(regexp.MustCompile(`[^0-9]+`).ReplaceAllString(planned.out, " "), "%d %d %d", &scenarios, new(int), &benchmarks)
		require.NoError(t, err, planned.out)
		return scenarios, benchmarks
	}
	run, measured := count("not @real")
	skipped, _ := count("@real")
	return a.out + fmt.Sprintf("%d scenarios: %d passed, %d skipped · left out: %d @real · %d benchmarks · 1 s\n", run+skipped, run, skipped, skipped, measured)
}

// scenariosOf makes a feature of the scenarios on a page that are not saved as a file.
func (p docsPage) scenariosOf() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Feature: %s\n", p.name)
	n := 0
	for _, block := range p.blocks {
		if block.language == "gherkin" && !savedAs.MatchString(block.before) {
			n++
			fmt.Fprintf(&b, "\n  Scenario: %s, number %d\n", strings.TrimSuffix(path.Base(p.name), ".md"), n)
			for line := range strings.Lines(block.text) {
				b.WriteString("    " + line)
			}
		}
	}
	if n == 0 {
		return ""
	}
	return b.String()
}

// TestDocs runs every command and every scenario that the README and the manual show,
// on files of its own, and finds each line of output that is shown in what is printed.
func TestDocs(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	pages := docsPages(t)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "features"), features.FS))
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	for _, name := range []string{envIterations, envWarmup, envModel, envPresets, envOutside, envOutput, envModels, envHubCache, envHome, envEndpoint} {
		t.Setenv(name, "")
	}
	t.Setenv(envIterations, "10") // the pages show no figure that depends on it

	printed := map[string]string{}
	console, scenarios := &docsRun{printed, callSampling}, &docsRun{printed, callWithoutJudgingTime}
	for _, p := range pages {
		for _, b := range p.blocks {
			if m := savedAs.FindStringSubmatch(b.before); m != nil {
				require.NoError(t, os.WriteFile(m[1], []byte(b.text), 0o644))
			}
			if b.language != "console" {
				continue
			}
			var command, output string
			for line := range strings.Lines(b.text) {
				line = strings.TrimSpace(line)
				if shown, ok := strings.CutPrefix(line, "$ "); ok {
					command = shown
					output = console.run(t, p.name, command)
				} else if line != "" && line != "…" {
					assert.True(t, strings.Contains(output, shapeOf(line)), "%s: %s does not print the line %q", p.name, command, line)
				}
			}
		}
		if text := p.scenariosOf(); text != "" {
			name := strings.TrimSuffix(path.Base(p.name), ".md") + "-page.feature"
			require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
			scenarios.run(t, p.name, "omniloader run "+name+" --iterations 10")
		}
	}
	assert.GreaterOrEqual(t, len(printed), 20)
}

// docsCommandLines gives the command lines of a page that are not run: inline code
// and the lines of blocks for a shell or a CI server.
func (p docsPage) docsCommandLines() (lines []string) {
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(p.prose, -1) {
		lines = append(lines, m[1])
	}
	for _, b := range p.blocks {
		if slices.Contains([]string{"yaml", "sh", "console"}, b.language) {
			for line := range strings.Lines(b.text) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " > ")
				lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(line, "- "), "$ "))
			}
		}
	}
	return lines
}

func TestDocsNameFlagsThatThereAre(t *testing.T) {
	p := &program{out: newOutput(os.Stdout), err: newOutput(os.Stderr)}
	root := p.rootCommand()
	everyFlag := map[string]bool{"help": true}
	everyCommand := map[string]bool{}
	for _, c := range commandsOf(root) {
		c.Flags().VisitAll(flagsInto(everyFlag))
		everyCommand[c.Name()] = true
	}
	flagName := regexp.MustCompile(`^--([a-z-]+)`)
	checked := 0
	for _, page := range docsPages(t) {
		for _, line := range page.docsCommandLines() {
			args, ours := strings.CutPrefix(line, "omniloader ")
			if !ours {
				args, ours = strings.CutPrefix(line, "go run . ")
			}
			words := strings.Fields(args)
			if len(words) == 0 {
				continue
			}
			if ours || everyCommand[words[0]] && len(words) > 1 && strings.HasPrefix(words[1], "--") {
				flags := everyFlag
				if words[0] != "COMMAND" {
					command, _, err := root.Find(words)
					if !assert.NoError(t, err, "%s: %s", page.name, line) || !assert.NotSame(t, root, command, "%s: %s", page.name, line) {
						continue
					}
					flags = map[string]bool{"help": true}
					command.Flags().VisitAll(flagsInto(flags))
				}
				for _, word := range words {
					if m := flagName.FindStringSubmatch(word); m != nil {
						assert.True(t, flags[m[1]], "%s: %q: no flag --%s", page.name, line, m[1])
					}
				}
				checked++
			} else if m := flagName.FindStringSubmatch(words[0]); m != nil {
				assert.True(t, everyFlag[m[1]], "%s: no command has a flag --%s", page.name, m[1])
				checked++
			}
		}
	}
	assert.Greater(t, checked, 50)
}

// anchor is the name that a heading of a page is linked by.
func anchor(heading string) string {
	heading = strings.ToLower(strings.TrimLeft(heading, "# "))
	return strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(heading, ""), " ", "-")
}

func TestDocsNameFilesThatThereAre(t *testing.T) {
	pages := docsPages(t)
	anchors := map[string]bool{}
	for _, p := range pages {
		anchors[p.name] = true
		for line := range strings.Lines(p.prose) {
			if strings.HasPrefix(line, "#") {
				anchors[p.name+"#"+anchor(strings.TrimSpace(line))] = true
			}
		}
	}
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	file := regexp.MustCompile("`(?:omniloader/)?((?:loader|steps|fixtures|features|internal|docs|\\.ci)/[^` ]*)`")
	linked := map[string]bool{}
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			name, heading, _ := strings.Cut(m[1], "#")
			target := p.name
			if name != "" {
				target = path.Join(path.Dir(p.name), name)
			}
			linked[target] = true
			if heading != "" {
				target += "#" + heading
			}
			assert.True(t, anchors[target], "%s links to %s", p.name, m[1])
		}
		for _, m := range file.FindAllStringSubmatch(p.prose, -1) {
			_, err := os.Stat(filepath.Join(repositoryRoot, filepath.FromSlash(m[1])))
			assert.NoError(t, err, "%s names it", p.name)
		}
	}
	for _, p := range pages {
		assert.True(t, linked[p.name] || p.name == "docs/README.md", "no page links to %s", p.name)
	}
}

// The Go code of the manual is that of examples, which are compiled and run.
func TestDocsGoCodeIsThatOfExamples(t *testing.T) {
	trimmed := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
		return b.String()
	}
	examples, err := os.ReadFile("library_test.go")
	require.NoError(t, err)
	found := 0
	for _, p := range docsPages(t) {
		for _, b := range p.blocks {
			if b.language == "go" {
				assert.Contains(t, trimmed(string(examples)), trimmed(strings.TrimSuffix(b.text, "\n")), "%s", p.name)
				found++
			}
		}
	}
	assert.Positive(t, found)
}

func TestTheREADMEIsShort(t *testing.T) {
	readme := docsPages(t)[0]
	assert.Less(t, strings.Count(readme.text, "\n"), 150)
	mod, err := os.ReadFile(repositoryRoot + "/go.mod")
	require.NoError(t, err)
	needs := regexp.MustCompile(`It needs Go ([0-9.]+)`).FindStringSubmatch(readme.text)
	require.NotNil(t, needs)
	assert.Contains(t, string(mod), "\ngo "+needs[1], "the version of Go")
}
