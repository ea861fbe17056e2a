package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

func TestBuildsWithTheSameFunctionAddressesHaveTheSameHash(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("links a program several times")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed")
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the table of functions is not read on this system")
	}
	dir := t.TempDir()
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	layout := func(args ...string) string {
		binary := filepath.Join(dir, "program")
		c := exec.Command("go", append(append([]string{"build"}, args...), "-o", binary, ".")...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		name, err := hashOfFunctions(binary)
		require.NoError(t, err)
		return name
	}
	const library = "package library\n\nimport \"strings\"\n\nfunc Twice(s string) string { return strings.Repeat(s, 2) }\n"
	put("go.mod", "module example.com/x\n\ngo 1.26\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "library"), 0o755))
	put("library/library.go", library)
	const program = "package main\n\nimport \"example.com/x/library\"\n\nfunc main() { println(library.Twice(\"a\")) }\n"
	put("main.go", program)

	first := layout("-buildvcs=false")
	assert.Equal(t, first, layout("-buildvcs=false", "-trimpath"))
	assert.Equal(t, first, layout("-buildvcs=false", "-ldflags=-s -w"))
	put("main.go", "package main\n\nimport \"example.com/x/library\"\n\nfunc main() { println(library.Twice(\"another text\")); println(\"and more\") }\n")
	assert.Equal(t, first, layout("-buildvcs=false"), "code that no benchmark runs")
	put("main.go", program)
	put("library/library.go", library+"\nfunc init() { println(Twice(\"b\")) }\n")
	assert.NotEqual(t, first, layout("-buildvcs=false"), "code that benchmarks may run")
	assert.NotEqual(t, first, layout("-buildvcs=false", "-ldflags=-randlayout=3"))
}

func TestAnExecutableWithoutATableIsIdentifiedByItsBytes(t *testing.T) {
	path := write(t, "script", "#!/bin/sh\n")
	_, err := hashOfFunctions(path)
	require.Error(t, err)
	f := &bench.File{Environment: map[string]any{}}
	require.NoError(t, addBuild(f, path))
	assert.Len(t, f.Environment[bench.BuildKey], 16)
	assert.NotContains(t, f.Environment, bench.LinkOrderKey)
	assert.Error(t, addBuild(f, filepath.Join(t.TempDir(), "none")))
}
