package undertest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// otherModule is a loader in a module of its own.
const otherModule = `package other

import (
	"context"

	"omniloader/loader/undertest"
)

type Other struct{}

func (Other) Name() string         { return "other" }
func (Other) Version() string      { return "" }
func (Other) Operations() []string { return []string{undertest.Support} }
func (Other) Close() error         { return nil }

func (Other) Prepare(string, undertest.Input) (undertest.Call, error) {
	return func(ctx context.Context) (any, error) { return nil, ctx.Err() }, nil
}

var _ undertest.Loader = Other{}
`

// The other module gets none of the modules that this one requires.
func TestAnotherModuleCanRequireThePackage(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":   "module example.com/other\n\ngo 1.26\n\nrequire omniloader v0.0.0\n\nreplace omniloader => " + root + "\n",
		"other.go": otherModule,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	build := exec.CommandContext(t.Context(), "go", "build", "./...")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	output, err := build.CombinedOutput()
	assert.NoError(t, err, "%s", output)
	assert.NoFileExists(t, filepath.Join(dir, "go.sum"))
}
