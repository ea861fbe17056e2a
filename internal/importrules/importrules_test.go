package importrules_test

import (
	_ "embed"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "omniloader"

//go:embed plan.txt
var planText string

// rule is what one package may import.
type rule struct {
	allowed   []string // by its own files
	forbidden []string // of the standard library
	tests     []string // by its test files, besides
}

// parsePlan reads the table: the rule of each package by its path in the module.
func parsePlan(text string) (map[string]*rule, error) {
	rules := map[string]*rule{}
	forbiddenBelow := map[string][]string{} // by the path before "/..."
	for number, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		head, list, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("line %d: no colon", number+1)
		}
		allowed, forbidden := parseImports(list)
		name, isTest := strings.CutSuffix(strings.TrimSpace(head), " [test]")
		if path, ok := strings.CutSuffix(name, "/..."); ok {
			if len(allowed) > 0 || len(forbidden) == 0 || isTest {
				return nil, fmt.Errorf(`line %d: a line for %s can only forbid: write "no NAME"`, number+1, name)
			}
			forbiddenBelow[path] = forbidden
			continue
		}
		if isTest != (rules[name] != nil) {
			return nil, fmt.Errorf("line %d: %s has two lines, or the line of its tests comes before its own", number+1, name)
		}
		if isTest {
			rules[name].tests = allowed
		} else {
			rules[name] = &rule{allowed: allowed, forbidden: forbidden}
		}
	}
	for path, forbidden := range forbiddenBelow {
		for name, r := range rules {
			if name == path || strings.HasPrefix(name, path+"/") {
				r.forbidden = append(r.forbidden, slices.DeleteFunc(slices.Clone(forbidden),
					func(f string) bool { return slices.Contains(r.allowed, f) })...)
			}
		}
	}
	return rules, nil
}

// parseImports reads what stands behind the colon of a line.
func parseImports(list string) (allowed, forbidden []string) {
	words := strings.Fields(list)
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "std":
		case words[i] == "no" && i+1 < len(words):
			i++
			forbidden = append(forbidden, words[i])
		default:
			allowed = append(allowed, words[i])
		}
	}
	return allowed, forbidden
}

// violations lists the imports of the package at the path own that break its rule.
func (r *rule) violations(own string, p *build.Package) []string {
	var found []string
	check := func(files string, imports []string, mayImport func(string) bool) {
		for _, path := range imports {
			name := path
			if inside, ok := strings.CutPrefix(path, module+"/"); ok {
				name = inside
			}
			if isStandard(path) {
				if files == "imports" && slices.Contains(r.forbidden, name) {
					found = append(found, fmt.Sprintf("%s %s %s, which its rule forbids", own, files, name))
				}
			} else if !mayImport(name) {
				found = append(found, fmt.Sprintf("%s %s %s, which its rule does not allow", own, files, name))
			}
		}
	}
	allowed := func(name string) bool { return slices.Contains(r.allowed, name) }
	inTest := func(name string) bool {
		return allowed(name) || slices.Contains(r.tests, name) || name == own || strings.HasPrefix(name, "github.com/stretchr/testify/")
	}
	check("imports", p.Imports, allowed)
	check("tests with", p.TestImports, inTest)
	check("tests with", p.XTestImports, inTest)
	return found
}

// isStandard says whether path is a package of the standard library: its first
// element has no dot, and it is not a package of this module.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != module && !strings.Contains(first, ".")
}

// packages reads the imports of every package below the module's root.
func packages(t *testing.T) map[string]*build.Package {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	found := map[string]*build.Package{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || strings.HasPrefix(name, "_")) {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); path != root && err == nil {
			return fs.SkipDir // another module
		}
		p, err := build.ImportDir(path, 0)
		if none := new(build.NoGoError); errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		found[filepath.ToSlash(rel)] = p
		return err
	}))
	return found
}

func TestEveryPackageImportsOnlyWhatThePlanAllows(t *testing.T) {
	rules, err := parsePlan(planText)
	require.NoError(t, err)
	all := packages(t)
	require.Greater(t, len(all), 5, "the packages of the module were not found")
	for name, p := range all {
		if assert.Contains(t, rules, name, "plan.txt has no line for this package") {
			assert.Empty(t, rules[name].violations(name, p))
		}
	}
	for name := range rules {
		assert.Contains(t, all, name, "plan.txt has a line for a package that does not exist")
	}
}

// The plan itself must not be changed to allow these.
func TestThePlanKeepsLoaderALibraryAndFixturesIndependentOfIt(t *testing.T) {
	rules, err := parsePlan(planText)
	require.NoError(t, err)
	for name, r := range rules {
		isLibrary := name == "loader" || strings.HasPrefix(name, "loader/")
		if isLibrary {
			assert.Contains(t, r.forbidden, "log", name)
			assert.Contains(t, r.forbidden, "net/http", name)
		}
		for _, imported := range r.allowed {
			if isLibrary {
				assert.False(t, strings.HasPrefix(imported, "internal/") || imported == "fixtures" || imported == "steps" ||
					strings.Contains(imported, "afero") || strings.Contains(imported, "godog"), "%s: %s", name, imported)
			}
			if name == "fixtures" {
				assert.False(t, strings.HasPrefix(imported, "loader"), "fixtures: %s", imported)
			}
		}
	}
}

func TestViolationsNamesEachImportThatIsNotAllowed(t *testing.T) {
	rules, err := parsePlan("a: b github.com/x/y no log\na [test]: c\na/b: std\na/c: os\nab: std\na/...: no os\n")
	require.NoError(t, err)
	tests := []struct {
		name string
		own  string
		p    build.Package
		want []string
	}{
		{"allowed", "a", build.Package{Imports: []string{"fmt", "omniloader/b", "github.com/x/y"}, TestImports: []string{"omniloader/c", "github.com/stretchr/testify/assert"}}, nil},
		{"a test imports the package it tests", "a", build.Package{XTestImports: []string{"omniloader/a"}}, nil},
		{"a package of this module", "a", build.Package{Imports: []string{"omniloader/c"}}, []string{"a imports c, which its rule does not allow"}},
		{"a package of another module", "a", build.Package{Imports: []string{"github.com/z/z"}}, []string{"a imports github.com/z/z, which its rule does not allow"}},
		{"a forbidden package of the standard library", "a", build.Package{Imports: []string{"log"}}, []string{"a imports log, which its rule forbids"}},
		{"forbidden at and below a path", "a", build.Package{Imports: []string{"os"}}, []string{"a imports os, which its rule forbids"}},
		{"forbidden below a path", "a/b", build.Package{Imports: []string{"os"}}, []string{"a/b imports os, which its rule forbids"}},
		{"allowed by its own line", "a/c", build.Package{Imports: []string{"os"}}, nil},
		{"a path that only begins alike", "ab", build.Package{Imports: []string{"os"}}, nil},
		{"in a test", "a", build.Package{TestImports: []string{"omniloader/d"}}, []string{"a tests with d, which its rule does not allow"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, rules[tt.own].violations(tt.own, &tt.p)) })
	}
	for _, text := range []string{"a", "a: b\na: c", "a [test]: b", "a/...: b", "a/...: std"} {
		_, err := parsePlan(text)
		assert.Error(t, err, text)
	}
}
