package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"omniloader/loader"
)

const architecturesHelp = "add the class names of this `FILE` to the built-in ones, a line\nfor each: class, category, task, separated by tabs"

// maxArchitectures bounds the file of --architectures, in bytes.
const maxArchitectures = 16 << 20

// readArchitectures reads and checks the table of class names that --architectures
// names. It is "" where the flag is not given.
func readArchitectures(path string, given bool) (string, error) {
	if !given {
		return "", nil
	}
	const advice = "the lines of the loader's own architectures.tsv are examples"
	info, err := os.Stat(path)
	var pathErr *fs.PathError
	switch {
	case path == "":
		return "", errorWithHint("name a file of class names", "--architectures: empty")
	case errors.As(err, &pathErr):
		return "", errorWithHint("name a file of class names", "--architectures %s: %w", path, pathErr.Err)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errorWithHint("name a file of class names", "--architectures %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxArchitectures+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxArchitectures {
		return "", errorWithHint(advice, "--architectures %s: longer than %d MiB", path, maxArchitectures>>20)
	}
	added, err := loader.ReadArchitectures(path, strings.NewReader(string(text)))
	if err != nil {
		return "", errorWithHint(advice, "--architectures: %w", err)
	}
	if added.Len() == 0 {
		return "", errorWithHint(advice, "--architectures %s: no class name in it", path)
	}
	return strings.TrimSuffix(string(text), "\n") + "\n", nil
}
