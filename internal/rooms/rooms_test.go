package rooms_test

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

// room is what one package may import.
type room struct {
	allowed   []string // by its own files
	forbidden []string // of the standard library
	tests     []string // by its test files, beyond that
}

// parsePlan reads the table.
func parsePlan(text string) (map[string]*room, error) {
	rooms := map[string]*room{}
	for number, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		head, list, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("line %d: no colon", number+1)
		}
		name, isTest := strings.CutSuffix(strings.TrimSpace(head), " [test]")
		if isTest != (rooms[name] != nil) {
			return nil, fmt.Errorf("line %d: %s stands twice, or its tests before it", number+1, name)
		}
		if !isTest {
			rooms[name] = &room{}
		}
		words := strings.Fields(list)
		for i := 0; i < len(words); i++ {
			switch {
			case words[i] == "std":
			case words[i] == "no" && i+1 < len(words):
				i++
				rooms[name].forbidden = append(rooms[name].forbidden, words[i])
			case isTest:
				rooms[name].tests = append(rooms[name].tests, words[i])
			default:
				rooms[name].allowed = append(rooms[name].allowed, words[i])
			}
		}
	}
	return rooms, nil
}

// violations says where a package leaves its room.
func (r *room) violations(own string, p *build.Package) []string {
	var found []string
	check := func(files string, imports []string, mayImport func(string) bool) {
		for _, path := range imports {
			name := path
			if inside, ok := strings.CutPrefix(path, module+"/"); ok {
				name = inside
			}
			if isStandard(path) {
				if files == "imports" && slices.Contains(r.forbidden, name) {
					found = append(found, fmt.Sprintf("%s %s %s, which its room forbids", own, files, name))
				}
			} else if !mayImport(name) {
				found = append(found, fmt.Sprintf("%s %s %s, which is not in its room", own, files, name))
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

// isStandard says whether a path is of the standard library: its first element
// has no dot, and it is not ours.
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
			return fs.SkipDir // a module of its own
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

func TestEveryPackageKeepsToThePlan(t *testing.T) {
	rooms, err := parsePlan(planText)
	require.NoError(t, err)
	all := packages(t)
	require.Greater(t, len(all), 5, "the module was not found")
	for name, p := range all {
		if assert.Contains(t, rooms, name, "plan.txt has no line for this package") {
			assert.Empty(t, rooms[name].violations(name, p))
		}
	}
	for name := range rooms {
		assert.Contains(t, all, name, "plan.txt has a line for a package that is not there")
	}
}

func TestTheLibraryStandsAlone(t *testing.T) {
	rooms, err := parsePlan(planText)
	require.NoError(t, err)
	for name, r := range rooms {
		for _, imported := range r.allowed {
			if name == "loader" || strings.HasPrefix(name, "loader/") {
				assert.False(t, strings.HasPrefix(imported, "internal/") || imported == "fixtures" || imported == "steps" ||
					strings.Contains(imported, "afero") || strings.Contains(imported, "godog"), "%s: %s", name, imported)
			}
			if name == "fixtures" {
				assert.False(t, strings.HasPrefix(imported, "loader"), "fixtures: %s", imported)
			}
		}
	}
}

func TestAViolationIsFound(t *testing.T) {
	rooms, err := parsePlan("a: b github.com/x/y no log\na [test]: c\n")
	require.NoError(t, err)
	tests := []struct {
		name string
		p    build.Package
		want []string
	}{
		{"allowed", build.Package{Imports: []string{"fmt", "omniloader/b", "github.com/x/y"}, TestImports: []string{"omniloader/c", "github.com/stretchr/testify/assert"}}, nil},
		{"its own package in a test", build.Package{XTestImports: []string{"omniloader/a"}}, nil},
		{"a package of ours", build.Package{Imports: []string{"omniloader/c"}}, []string{"a imports c, which is not in its room"}},
		{"a third party", build.Package{Imports: []string{"github.com/z/z"}}, []string{"a imports github.com/z/z, which is not in its room"}},
		{"a forbidden one of the standard library", build.Package{Imports: []string{"log"}}, []string{"a imports log, which its room forbids"}},
		{"in a test", build.Package{TestImports: []string{"omniloader/d"}}, []string{"a tests with d, which is not in its room"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, rooms["a"].violations("a", &tt.p)) })
	}
	for _, text := range []string{"a", "a: b\na: c", "a [test]: b"} {
		_, err := parsePlan(text)
		assert.Error(t, err, text)
	}
}
