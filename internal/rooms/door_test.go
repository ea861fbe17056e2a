package rooms_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// door is the package that opens the files of a checkpoint, and doorless are the
// directories whose packages go through it: one that opened a file itself would
// wait for ever at a named pipe.
const door = "loader/regular"

var doorless = []string{"loader", "internal/record"}

// opens lists the calls in a file that open another by its name. What is itself a
// filesystem hands the call on, from a method Open; a member of an archive is
// opened without a name.
func opens(set *token.FileSet, f *ast.File) (found []token.Position) {
	for _, decl := range f.Decls {
		if method, ok := decl.(*ast.FuncDecl); ok && method.Recv != nil && method.Name.Name == "Open" {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			called, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, _ := called.X.(*ast.Ident)
			switch called.Sel.Name {
			case "ReadFile", "OpenFile":
				found = append(found, set.Position(call.Pos()))
			case "Open":
				if from == nil || from.Name != filepath.Base(door) {
					found = append(found, set.Position(call.Pos()))
				}
			}
			return true
		})
	}
	return found
}

func TestFilesOfACheckpointAreOpenedAtOneDoor(t *testing.T) {
	met := 0
	for _, dir := range doorless {
		require.NoError(t, filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				filepath.Dir(path) == filepath.Join("../..", door) {
				return err
			}
			met++
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			for _, at := range opens(set, f) {
				t.Errorf("%s opens a file past %s", at, door)
			}
			return nil
		}))
	}
	assert.Greater(t, met, 50, "the loader was not found")
}

func TestAnOpenPastTheDoorIsFound(t *testing.T) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "a.go", `package a
func a(fsys fs.FS) { fsys.Open("x") }
func b() { fs.ReadFile(fsys, "x"); os.OpenFile("x", 0, 0) }
func c(m *zip.File) { m.Open(); regular.Open(fsys, "x", "x") }
func (s *seen) Open(name string) (fs.File, error) { return s.FS.Open(name) }
`, 0)
	require.NoError(t, err)
	lines := []int{}
	for _, at := range opens(set, f) {
		lines = append(lines, at.Line)
	}
	assert.Equal(t, []int{2, 3, 3}, lines)
}
