package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"omniloader/loader"
)

const architecturesHelp = "add the class names of this `FILE` to the built-in ones, a line\nfor each: class, category, task, parted by tabs"

// maxArchitectures bounds the file of --architectures, in bytes.
const maxArchitectures = 16 << 20

// readArchitectures reads the table of class names that --architectures names, and
// refuses one that the loader would. It is "" where the flag is not given.
func readArchitectures(path string, given bool) (string, error) {
	if !given {
		return "", nil
	}
	const advice = "the lines of the loader's own architectures.tsv show the form"
	info, err := os.Stat(path)
	var pathErr *fs.PathError
	switch {
	case path == "":
		return "", unable("name a file of class names", "--architectures: empty")
	case errors.As(err, &pathErr):
		return "", unable("name a file of class names", "--architectures %s: %w", path, pathErr.Err)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", unable("name a file of class names", "--architectures %s: no file", path)
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
		return "", unable(advice, "--architectures %s: longer than %d MiB", path, maxArchitectures>>20)
	}
	added, err := loader.ReadArchitectures(path, strings.NewReader(string(text)))
	if err != nil {
		return "", unable(advice, "--architectures: %w", err)
	}
	if added.Len() == 0 {
		return "", unable(advice, "--architectures %s: no class name in it", path)
	}
	return fmt.Sprintf("%s\n", strings.TrimSuffix(string(text), "\n")), nil
}
