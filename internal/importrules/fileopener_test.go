package importrules_test

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

// The package opener refuses to open what is not a regular file: a named pipe in a
// checkpoint would block its reader for ever. All packages in and below the
// directories of mustUseOpener open the files of a checkpoint through it.
const opener = "loader/regular"

var mustUseOpener = []string{"loader", "internal/record"}

// directOpens finds the calls in a file that open another file by its name and not
// through the package opener. Left out are calls in a method named Open, by which a
// wrapper of a filesystem passes the call on, and calls of Open without arguments,
// which open a member of an archive.
func directOpens(set *token.FileSet, f *ast.File) (found []token.Position) {
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
				if from == nil || from.Name != filepath.Base(opener) {
					found = append(found, set.Position(call.Pos()))
				}
			}
			return true
		})
	}
	return found
}

func TestCheckpointFilesAreOpenedOnlyThroughTheOpener(t *testing.T) {
	files := 0
	for _, dir := range mustUseOpener {
		require.NoError(t, filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				filepath.Dir(path) == filepath.Join("../..", opener) {
				return err
			}
			files++
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			for _, at := range directOpens(set, f) {
				t.Errorf("%s opens a file without the package %s", at, opener)
			}
			return nil
		}))
	}
	assert.Greater(t, files, 50, "the files of the loader were not found")
}

func TestDirectOpensFindsEachCall(t *testing.T) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "a.go", `package a
func a(fsys fs.FS) { fsys.Open("x") }
func b() { fs.ReadFile(fsys, "x"); os.OpenFile("x", 0, 0) }
func c(m *zip.File) { m.Open(); regular.Open(fsys, "x", "x") }
func (s *seen) Open(name string) (fs.File, error) { return s.FS.Open(name) }
`, 0)
	require.NoError(t, err)
	lines := []int{}
	for _, at := range directOpens(set, f) {
		lines = append(lines, at.Line)
	}
	assert.Equal(t, []int{2, 3, 3}, lines)
}
