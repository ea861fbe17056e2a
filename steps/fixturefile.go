package steps

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/fixtures"
)

// ReadFixture reads the file called name from the directory of the file feature in
// fsys, or from below it. It returns fs.ErrInvalid for a name that leads out of that
// directory, and an error for a file larger than fixtures.MaxRecording.
func ReadFixture(fsys fs.FS, feature, name string) ([]byte, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, fmt.Errorf("not a slash path beside the feature file: %w", fs.ErrInvalid)
	}
	f, err := fsys.Open(path.Join(path.Dir(feature), name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > fixtures.MaxRecording {
		return nil, fmt.Errorf("%s: larger than %d MiB, the limit for a fixture", name, fixtures.MaxRecording>>20)
	}
	return io.ReadAll(io.LimitReader(f, fixtures.MaxRecording))
}

// featurePath returns the path of the feature file that godog was given.
func featurePath(p *messages.Pickle) string {
	return filepath.FromSlash(lineSuffix.ReplaceAllString(p.Uri, ""))
}

// readFixtureFromDisk reads a file from the directory of the feature file that godog
// was given.
func readFixtureFromDisk(p *messages.Pickle, name string) ([]byte, error) {
	feature := featurePath(p)
	return ReadFixture(os.DirFS(filepath.Dir(feature)), filepath.Base(feature), name)
}
