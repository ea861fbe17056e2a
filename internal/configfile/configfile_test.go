package configfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// list is a flag that takes a LIST in one value.
type list struct{ text string }

func (l *list) String() string { return l.text }
func (l *list) Type() string   { return "LIST" }
func (l *list) Set(text string) error {
	l.text = text
	return nil
}

func newFlags() *pflag.FlagSet {
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	set.SortFlags = false
	set.Int("iterations", 100, "timed calls, `N`")
	set.Bool("all", false, "everything")
	set.String("tags", "", "a tag `EXPR`")
	set.String("output", "", "write this `FILE`")
	set.String("baseline", "", "read this `FILE`")
	set.String("model", "", "a `DIR`")
	set.StringArray("format", nil, "as `NAME[:FILE]`")
	set.StringArray("category", nil, "a `NAME`")
	set.Var(&list{}, "fail-on", "what fails")
	set.String("config", "", "a `FILE`")
	Exclude(set, "config")
	OnlyReads(set, "baseline")
	return set
}

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("dir/omniloader.yaml", []byte(text))
	require.NoError(t, err)
	return f
}

func TestSettingsReachTheirFlags(t *testing.T) {
	f := parse(t, `# ours
paths: [., "more"]
iterations: 50
all: true
tags: "@sae and not @slow"
output: results/x.json
baseline: /var/main.json
model: ../models/a
format: [pretty, "junit:report.xml"]
category: sae
fail-on: [red, removed]
profiles:
  nightly:
    iterations: 70
  quick: {iterations: 5}
`)
	assert.Empty(t, f.Check(newFlags))
	set := newFlags()
	for _, s := range f.Settings {
		if s.Key != PathsKey {
			require.NoError(t, s.Apply(set))
		}
	}
	formats, err := set.GetStringArray("format")
	require.NoError(t, err)
	assert.Equal(t, []string{"pretty", "junit:" + filepath.FromSlash("dir/report.xml")}, formats)
	for name, want := range map[string]string{
		"iterations": "50", "all": "true", "tags": "@sae and not @slow", "output": filepath.FromSlash("dir/results/x.json"),
		"baseline": "/var/main.json", "model": filepath.FromSlash("models/a"), "category": "[sae]", "fail-on": "red,removed",
	} {
		assert.Equal(t, want, set.Lookup(name).Value.String(), name)
		assert.True(t, set.Changed(name), name)
	}
	assert.Equal(t, []string{"dir", filepath.FromSlash("dir/more")}, pathsIn(f))
	assert.Equal(t, []string{"nightly", "quick"}, f.ProfileNames())
	nightly, err := f.Profile("nightly")
	require.NoError(t, err)
	assert.Equal(t, "70", nightly.Settings[0].Values[0].Text)
	_, err = f.Profile("nightli")
	assert.ErrorContains(t, err, `there is no profile "nightli"`)
	assert.Equal(t, `did you mean "nightly"?`, err.(*Error).Hint())
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ text, message, hint string }{
		{"itertions: 5\n", `dir/omniloader.yaml:1:1: unknown key "itertions"`, `did you mean "iterations"?`},
		{"# x\n\nfail_on: red\n", `:3:1: unknown key "fail_on"`, `did you mean "fail-on"?`},
		{"profiles:\n  a:\n    tgs: x\n", `:3:5: unknown key "tgs"`, `did you mean "tags"?`},
		{"profiles:\n  a:\n    profiles: {}\n", `:3:5: a profile has no profiles`, "at the top of the file"},
		{"profile:\n  a: {}\n", `:1:1: unknown key "profile"`, `did you mean "profiles"?`},
		{"iterations: [1, 2]\n", ":1:1: iterations takes a single value, not a list", ""},
		{"iterations: x\n", `:1:13: iterations: "x": `, ""},
		{"all: yes\n", `:1:6: all takes true or false, not "yes"`, ""},
		{"all: 1\n", `:1:6: all takes true or false, not "1"`, ""},
		{"output: true\n", ":1:9: output takes a value (FILE), not true", "in quotes"},
		{"tags: @sae\n", ":1:7: not YAML", "in quotes"},
		{"iterations: 5\ncategory:\n  - @sae\n", ":3:5: not YAML", "in quotes"},
		{"a: b: c\n", ":1: not YAML", ""},
		{"iterations: 1\n\ta: b\n", ":2: not YAML", ""},
		{"tags: {a: b}\n", `:1:7: "tags" takes a single value or a list of them, not keys with values`, ""},
		{"tags:\n", `"tags" has no value`, "leave the key out"},
		{"tags: &x a\n", ":1:7: anchors and aliases are not read", "profile"},
		{"tags: a\ncategory: *x\n", "unknown anchor", ""},
		{"tags: !!str x\n", ":1:7: tags such as !!str are not read", ""},
		{"tags: !include x\n", ":1:7: tags such as !include are not read", ""},
		{"<<: {tags: b}\n", ":1:1: merging with << is not done", ""},
		{"tags: a\ntags: b\n", `:2:1: the key "tags" is here twice; first in line 1`, "remove one"},
		{"config: x\n", ":1:1: the flag --config cannot be set in a config file", "command line"},
		{"model: ~/x\n", `:1:8: "~/x": ~ is not replaced`, "write the path out"},
		{"paths: [~/x]\n", `:1:9: "~/x": ~ is not replaced`, ""},
		{"paths: true\n", ":1:8: paths takes feature files", "in quotes"},
		{"paths: [\"\"]\n", ":1:9: paths has an empty entry", ""},
		{"paths: []\n", `:1:8: the list of "paths" is empty`, ""},
		{"- a\n", ":1:1: keys with values are needed here, not a list", "iterations: 50"},
		{"just text\n", ":1:1: keys with values are needed here, not a single value", ""},
		{"profiles: [a]\n", ":1:11: keys with values are needed here, not a list", ""},
		{"profiles:\n  a:\n", `:2:3: the profile "a" is empty`, ""},
		{"tags: a\n---\ntags: b\n", ":2:1: a second document", "remove"},
		{"? [a]\n: b\n", "a key is a word, not a list", ""},
		{"category: [[a]]\n", `:1:12: "category" takes a single value or a list of them, not a list`, ""},
		{"tags: \"\\0\"\n", ":1:7: \"tags\" has a NUL character", ""},
	} {
		f, err := Parse("dir/omniloader.yaml", []byte(c.text))
		if err == nil {
			failures := f.Check(newFlags)
			if !assert.Len(t, failures, 1, c.text) {
				continue
			}
			err = failures[0]
		}
		var e *Error
		require.ErrorAs(t, err, &e, c.text)
		assert.Contains(t, e.Error(), c.message, c.text)
		assert.Contains(t, e.Hint(), c.hint, c.text)
	}
}

func TestEveryFaultOfAFileIsNamed(t *testing.T) {
	assert.Len(t, parse(t, "a: 1\nb: 2\nprofiles:\n  x:\n    c: 3\n    iterations: x\n").Check(newFlags), 4)
}

func TestNothingIsExpanded(t *testing.T) {
	t.Setenv("SECRET", "x")
	set := newFlags()
	for _, s := range parse(t, "tags: \"$SECRET ${SECRET} `id` $(id) %SECRET% {{.}}\"\n").Settings {
		require.NoError(t, s.Apply(set))
	}
	assert.Equal(t, "$SECRET ${SECRET} `id` $(id) %SECRET% {{.}}", set.Lookup("tags").Value.String())
}

func TestAFileWithoutSettings(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "\xef\xbb\xbf# with a byte order mark\n"} {
		assert.Empty(t, parse(t, text).Settings, "%q", text)
	}
}

func TestReadIsBounded(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	require.NoError(t, os.WriteFile(large, []byte("# "+strings.Repeat("x", MaxSize)), 0o644))
	for path, want := range map[string]string{
		large: "larger than 64 KiB", dir: "this is a folder", filepath.Join(dir, "none"): "there is no such config file",
	} {
		_, err := Read(path)
		assert.ErrorContains(t, err, want)
	}
	exactly := filepath.Join(dir, "exactly.yaml")
	require.NoError(t, os.WriteFile(exactly, []byte("# "+strings.Repeat("x", MaxSize-3)+"\n"), 0o644))
	_, err := Read(exactly)
	assert.NoError(t, err)
	deep := strings.Repeat("[", 200_000)
	_, err = Parse("x", []byte("tags: "+deep))
	assert.Error(t, err)
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	dir, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	outside := filepath.Join(dir, "outside")
	here := filepath.Join(dir, "here")
	for _, d := range []string{"outside/sub", "here/features/sub", "here/empty"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for _, f := range []string{"here/features/sub/a.feature", "outside/sub/a.feature", "here/empty/a.feature"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), nil, 0o644))
	}
	t.Chdir(here)
	find := func(features string) string {
		t.Helper()
		found, err := Find(features)
		require.NoError(t, err)
		return filepath.ToSlash(found)
	}
	for _, features := range []string{"", "features", "features/sub/a.feature", "none.feature", outside} {
		assert.Empty(t, find(features), features)
	}
	for _, f := range []string{"here", "here/features", "outside", "."} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f, Name), nil, 0o644))
	}
	assert.Equal(t, "omniloader.yaml", find(""))
	assert.Equal(t, "features/omniloader.yaml", find("features"))
	assert.Equal(t, "features/omniloader.yaml", find("features/sub/a.feature:12"))
	assert.Equal(t, "features/omniloader.yaml", find("features/sub"))
	assert.Equal(t, "omniloader.yaml", find("empty/a.feature"))
	assert.Equal(t, "omniloader.yaml", find("none.feature"))
	assert.Equal(t, filepath.ToSlash(filepath.Join(outside, Name)), find(outside))
	assert.Equal(t, "omniloader.yaml", find(filepath.Join(outside, "sub", "a.feature")), "not what lies above a folder outside")

	require.NoError(t, os.Rename("features/omniloader.yaml", "features/omniloader.yml"))
	_, err = Find("features")
	assert.ErrorContains(t, err, "omniloader.yml: a config file is called omniloader.yaml")
}

// A config file that someone else wrote must not overwrite files elsewhere.
func TestOutsideFolder(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	require.NoError(t, os.Mkdir(inside, 0o755))
	require.NoError(t, os.Symlink(dir, filepath.Join(inside, "link")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "target.json"), filepath.Join(inside, "dangling.json")))
	for text, allowed := range map[string]bool{
		"output: x.json": true, "output: new/x.json": true, "output: ../x.json": false, "output: " + dir + "/x.json": false,
		"output: link/x.json": false, "output: dangling.json": false, "format: [pretty, \"junit:../x.xml\"]": false, "format: \"junit:x.xml\"": true,
		"baseline: ../x.json": true, "model: /models/x": true, "tags: ../x": true,
	} {
		f, err := Parse(filepath.Join(inside, Name), []byte(text))
		require.NoError(t, err)
		err = OutsideFolder(newFlags(), f.Settings)
		assert.Equal(t, allowed, err == nil, "%s: %v", text, err)
	}
}

// pathsIn gives the feature files and folders that a config file names.
func pathsIn(f *File) []string {
	i := slices.IndexFunc(f.Settings, func(s Setting) bool { return s.Key == PathsKey })
	return f.Settings[i].Paths()
}
