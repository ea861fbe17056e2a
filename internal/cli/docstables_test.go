package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/internal/failures"
	"omniloader/internal/report"
	"omniloader/loader"
	"omniloader/loader/finding"
	"omniloader/steps"
)

// docsTables make the tables of the manual that show what the program knows, by the
// name in their marks.
var docsTables = map[string]func(*testing.T) string{
	"presets": func(*testing.T) string {
		return presetRows("| preset | what it is |\n|---|---|\n", fixtures.Presets())
	},
	"broken-presets": func(*testing.T) string {
		return presetRows("| preset | what is wrong (which preset it is made from) |\n|---|---|\n", fixtures.BrokenPresets())
	},
	"categories": func(*testing.T) string {
		return "Built-in categories: " + inCode(steps.Categories(), ", ") + ".\n"
	},
	"steps":              stepsTables,
	"findings":           findingsTable,
	"failures":           failuresTable,
	"commands":           commandsTable,
	"environment":        environmentTable,
	"lint-rules":         lintRulesTable,
	"formats":            formatsTable,
	"comparison-formats": comparisonFormatsTable,
	"packages":           packagesTable,
}

// marked finds a generated part of a page: its first mark, name, text and last mark.
var marked = regexp.MustCompile(`(?s)(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- /generated -->)`)

// TestDocsTables compares the generated tables of the manual with the program; with
// -update it writes them.
func TestDocsTables(t *testing.T) {
	used := map[string]bool{}
	for _, p := range docsPages(t) {
		text := marked.ReplaceAllStringFunc(p.text, func(part string) string {
			m := marked.FindStringSubmatch(part)
			used[m[2]] = true
			if !assert.Contains(t, docsTables, m[2], "%s: nothing makes this table", p.name) {
				return part
			}
			return m[1] + "\n" + docsTables[m[2]](t) + "\n" + m[4]
		})
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(repositoryRoot, p.name), []byte(text), 0o644))
		} else {
			assert.Equal(t, text, p.text, "%s: go test ./internal/cli -run TestDocsTables -update writes it", p.name)
		}
	}
	for name := range docsTables {
		assert.True(t, used[name], "no page has the table %s", name)
	}
}

func inCode(list []string, between string) string {
	return "`" + strings.Join(list, "`"+between+"`") + "`"
}

// inCell makes a text fit for a cell of a table, in one line.
func inCell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// inProse is inCell for a text that is not set as code: HTML stays text.
func inProse(text string) string { return strings.ReplaceAll(inCell(text), "<", "&lt;") }

func presetRows(head string, presets []fixtures.Preset) string {
	var b strings.Builder
	b.WriteString(head)
	for _, p := range presets {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p.Name, inProse(p.Title))
	}
	return b.String()
}

func stepsTables(t *testing.T) string {
	var b strings.Builder
	group := ""
	var withText []steps.Definition // of this group, with words on what stands below them
	writeBelow := func() {
		for _, d := range withText {
			fmt.Fprintf(&b, "\nBelow `%s %s`:\n\n```text\n%s\n```\n", d.Keyword, d.Example, d.Below)
		}
		withText = nil
	}
	for _, d := range steps.Catalogue() {
		if d.Group != group {
			writeBelow()
			group = d.Group
			fmt.Fprintf(&b, "%s## %s\n\n| step | meaning |\n|---|---|\n", map[bool]string{true: "\n"}[b.Len() > 0], group)
		}
		require.NotContains(t, d.Example, "\n", "it stands in one cell of a table")
		require.NotContains(t, d.Example, "`")
		fmt.Fprintf(&b, "| `%s %s` | %s |\n", d.Keyword, inCell(d.Example), inProse(d.Meaning))
		if d.Below != "" {
			withText = append(withText, d)
		}
	}
	writeBelow()
	return b.String()
}

func findingsTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| code | severity | what it means | way out |\n|---|---|---|---|\n")
	for _, e := range finding.Explanations() {
		fmt.Fprintf(&b, "| `%s` | %s | **%s.** %s | %s |\n", e.Code, e.Severity, inProse(capitalised(e.Title)), inProse(e.Means), inProse(e.WayOut))
	}
	return b.String()
}

func capitalised(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func failuresTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| # | failure | what users see | findings | presets | way out |\n|---|---|---|---|---|---|\n")
	for _, f := range failures.All() {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", f.Number, inProse(f.Title), inProse(f.Seen), inCode(f.Codes, " "), inCode(f.Presets, " "), inProse(f.WayOut))
	}
	return b.String()
}

// commandsOf lists a command and all below it that help shows, in the order of the help.
func commandsOf(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "completion" && sub.Name() != "help" {
			all = append(all, commandsOf(sub)...)
		}
	}
	return all
}

func flagsInto(names map[string]bool) func(*pflag.Flag) {
	return func(f *pflag.Flag) { names[f.Name] = true }
}

func rootOf() *cobra.Command {
	return (&program{out: newOutput(os.Stdout), err: newOutput(os.Stderr)}).rootCommand()
}

func commandsTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| command | does | 0 | 1 | 2 |\n|---|---|---|---|---|\n")
	for _, c := range commandsOf(rootOf()) {
		if !c.HasParent() || c.HasAvailableSubCommands() { // those below it are listed
			continue
		}
		use := strings.TrimPrefix(strings.TrimSuffix(c.UseLine(), " [flags]"), "omniloader ")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", use, inProse(c.Short), inProse(cmp.Or(c.Annotations[meaningOf0], usualMeaningOf0)),
			cmp.Or(inProse(c.Annotations[meaningOf1]), "–"), inProse(cmp.Or(c.Annotations[meaningOf2], usualMeaningOf2)))
	}
	return b.String()
}

// The commands that judge something end with exit code 1 when it does not hold, and say so.
func TestCommandsSayWhatTheirExitCodesMean(t *testing.T) {
	judging := map[string]bool{"run": true, "inspect": true, "compare": true, "bench": true, "merge": true}
	known := map[string]bool{meaningOf0: true, meaningOf1: true, meaningOf2: true, "environment": true}
	seen := 0
	for _, c := range commandsOf(rootOf()) {
		if judging[c.Name()] {
			seen++
		}
		assert.Equal(t, judging[c.Name()], c.Annotations[meaningOf1] != "" && c.HasParent(), "%s: exit code 1", c.Name())
		for key := range c.Annotations {
			assert.True(t, known[key], "%s: annotation %q is read by nothing", c.Name(), key)
		}
	}
	assert.Equal(t, len(judging), seen)
}

// environmentOf gives the variables that the help of a command lists, and what they do.
func environmentOf(c *cobra.Command) (rows [][2]string) {
	row := regexp.MustCompile(`^ *([A-Z_, ]+?)  +(\S.*)$`)
	for line := range strings.Lines(c.Annotations["environment"]) {
		if m := row.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			rows = append(rows, [2]string{inCode(strings.Split(m[1], ", "), ", "), m[2]})
		}
	}
	return rows
}

func environmentTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| variable | command | does |\n|---|---|---|\n")
	for _, c := range commandsOf(rootOf()) {
		if c.HasParent() {
			for _, row := range environmentOf(c) {
				fmt.Fprintf(&b, "| %s | `%s` | %s |\n", row[0], c.Name(), inProse(row[1]))
			}
		}
	}
	return b.String()
}

// Every variable that the program asks for is on the page, also those that no help lists.
func TestDocsNameEveryEnvironmentVariable(t *testing.T) {
	page := docsPageNamed(t, "docs/commands.md").text
	asked := regexp.MustCompile(`(?:Getenv|LookupEnv)\("([A-Z_]+)"\)|\benv[A-Z]\w* += "([A-Z_]+)"`)
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(repositoryRoot, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range asked.FindAllStringSubmatch(string(text), -1) {
			found++
			assert.Contains(t, page, "`"+m[1]+m[2]+"`", "%s asks for it", path)
		}
		return err
	}))
	assert.Greater(t, found, 8)
}

func formatsTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| format | what it is |\n|---|---|\n")
	for _, f := range report.Formats() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, inProse(f.Description))
	}
	return b.String()
}

func comparisonFormatsTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| format of a comparison | what it is |\n|---|---|\n")
	for _, f := range report.ComparisonFormats() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, inProse(f.Description))
	}
	return b.String()
}

// packagesTable lists the packages of the module: the first sentence of their comments,
// and what their own files import of each other.
func packagesTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| package | what it is for | imports |\n|---|---|---|\n")
	require.NoError(t, filepath.WalkDir(repositoryRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != repositoryRoot && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); path != repositoryRoot && err == nil {
			return fs.SkipDir // a module of its own
		}
		p, err := build.ImportDir(path, 0)
		if none := new(build.NoGoError); errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repositoryRoot, path)
		purpose := strings.TrimPrefix(p.Doc, "Package "+p.Name+" ")
		var imports []string
		for _, imported := range p.Imports {
			if inside, ok := strings.CutPrefix(imported, "omniloader/"); ok {
				imports = append(imports, inside)
			}
		}
		shown := "–"
		if len(imports) > 0 {
			shown = inCode(imports, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", filepath.ToSlash(name), inProse(purpose), shown)
		return err
	}))
	return b.String()
}

// docsTable gives the cells of the rows of the first table behind a line of a page
// that begins like this.
func docsTable(t *testing.T, p docsPage, heading string) (rows [][]string) {
	t.Helper()
	_, behind, found := strings.Cut("\n"+p.text, "\n"+heading)
	require.True(t, found, "%s has no line %q", p.name, heading)
	for line := range strings.Lines(behind) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "|") {
			cells := strings.Split(strings.Trim(line, "|"), " | ")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		} else if len(rows) > 0 {
			break
		}
	}
	require.Greater(t, len(rows), 2, "%s: the table behind %q", p.name, heading)
	return rows[2:] // behind the head and the line below it
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// namesIn gives the code in the first cell of each row.
func namesIn(rows [][]string) (names []string) {
	for _, row := range rows {
		for _, m := range codeSpan.FindAllStringSubmatch(row[0], -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// The page on results files has a table for each object in them, with exactly its keys.
func TestDocsResultsFileHasTheKeysOfTheProgram(t *testing.T) {
	page := docsPageNamed(t, "docs/results.md")
	checked := 0
	var check func(of reflect.Type, heading string)
	check = func(of reflect.Type, heading string) {
		checked++
		documented := map[string]bool{} // whether it may be missing, by key
		for _, row := range docsTable(t, page, heading+"\n") {
			documented[namesIn([][]string{row})[0]] = strings.HasSuffix(row[0], "+")
		}
		keys := map[string]bool{}
		for i := range of.NumField() {
			key, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if key == "-" {
				continue
			}
			keys[key] = strings.Contains(options, "omit")
			inner := of.Field(i).Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				check(inner, "## `"+key+"`")
			}
		}
		assert.Equal(t, keys, documented, heading)
	}
	check(reflect.TypeFor[bench.File](), "## The file")
	assert.Greater(t, checked, 8)

	environment := namesIn(docsTable(t, page, "## `environment`\n"))
	for key := range fingerprint() {
		assert.Contains(t, environment, key)
	}
}

func TestDocsInspectKeysAreThoseOfTheProgram(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), dir), "m").AddPreset("gpt2"))
	a := call(t, "inspect", "--json", filepath.Join(dir, "m"))
	require.Equal(t, 0, a.code, a.err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.out), &answer))
	var keys []string
	for key := range answer {
		keys = append(keys, key)
	}
	page := docsPageNamed(t, "docs/checkpoints.md")
	assert.ElementsMatch(t, keys, namesIn(docsTable(t, page, "### The keys of `inspect --json`")))

	severities := map[string]bool{}
	for _, e := range finding.Explanations() {
		severities[string(e.Severity)] = true
	}
	documented := namesIn(docsTable(t, page, "was seen, the code in square brackets"))
	assert.Len(t, documented, len(severities))
	for _, severity := range documented {
		assert.True(t, severities[severity], severity)
	}
}

func TestDocsVerdictsAreThoseOfTheProgram(t *testing.T) {
	file, err := bench.NewFile([]bench.Result{{Name: "a", Iterations: 1, MeanTime: 1}}, bench.Origin{})
	require.NoError(t, err)
	comparison, err := bench.Compare(file, file, bench.DefaultThreshold)
	require.NoError(t, err)
	var verdicts []string
	for verdict := range comparison.Counts {
		verdicts = append(verdicts, string(verdict))
	}
	page := docsPageNamed(t, "docs/baselines.md")
	assert.ElementsMatch(t, verdicts, namesIn(docsTable(t, page, "## The verdicts")))
	assert.ElementsMatch(t, append([]string{"none"}, failWords...), namesIn(docsTable(t, page, "`--fail-on` takes")))
	byDefault, betweenFiles := failOnOfRun(), failOnOfCompare()
	assert.Contains(t, page.text, "`"+byDefault.String()+"` unless")
	assert.Contains(t, page.text, "for `compare` `"+betweenFiles.String()+"`")
}

// The columns that the page on reports explains are those of the table in the README,
// which TestDocs compares with what a run prints.
func TestDocsColumnsAreThoseOfTheTable(t *testing.T) {
	var head []string
	for _, b := range docsPages(t)[0].blocks {
		for line := range strings.Lines(b.text) {
			if len(head) == 0 && strings.HasPrefix(line, "benchmark ") {
				head = strings.Fields(line)[1:]
			}
		}
	}
	assert.Equal(t, head, namesIn(docsTable(t, docsPageNamed(t, "docs/reports.md"), "In the reports for people")))
}

// A tag with a meaning is a constant in the source of steps or suite.
func TestDocsTagsAreThoseOfTheProgram(t *testing.T) {
	declared := regexp.MustCompile(`\b(?:tag[A-Z]\w*|\w+Tag)\s*= "(@[a-z]+):?"`)
	tags := map[string]bool{}
	for _, pattern := range []string{"steps/*.go", "internal/suite/*.go"} {
		names, err := filepath.Glob(filepath.Join(repositoryRoot, pattern))
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				tags[m[1]] = true
			}
		}
	}
	documented := map[string]bool{}
	for _, tag := range namesIn(docsTable(t, docsPageNamed(t, "docs/scenarios.md"), "## Tags")) {
		tag, _, _ = strings.Cut(tag, ":")
		documented[tag] = true
	}
	assert.Equal(t, tags, documented)
}

// Figures that the pages take from the program.
func TestDocsQuoteTheFiguresOfTheProgram(t *testing.T) {
	plan := bench.DefaultPlan()
	assert.Contains(t, docsPageNamed(t, "docs/scenarios.md").text, fmt.Sprintf("called %d times to warm up and %d times", plan.Warmup, plan.Iterations))
	baselines := strings.Join(strings.Fields(docsPageNamed(t, "docs/baselines.md").text), " ")
	assert.Contains(t, baselines, fmt.Sprintf("A process makes %d rounds", bench.DefaultSampling().Rounds))
	assert.Contains(t, baselines, fmt.Sprintf("faster: %.0f %%, or `--threshold`", bench.DefaultThreshold*100))
	assert.Contains(t, baselines, map[float64]string{0.1: "more than a tenth of the benchmarks have no verdict"}[unjudgedShare])
}

func TestDocsQuestionsAreMethodsOfTheLoader(t *testing.T) {
	var methods []string
	for m := range reflect.TypeFor[*loader.Loader]().Methods() {
		methods = append(methods, m.Name)
	}
	for _, name := range namesIn(docsTable(t, docsPageNamed(t, "docs/library.md"), "A `Loader` is safe")) {
		assert.True(t, slices.Contains(methods, name), name)
	}
}
