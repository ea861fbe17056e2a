package engine

import (
	"context"
	"io"
	"io/fs"
)

// Read reads and parses a file of at most MaxSource bytes. URI is what the feature
// is called in errors and pickles.
func Read(ctx context.Context, fsys fs.FS, name, uri string) (*Feature, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, MaxSource+1))
	if err != nil {
		return nil, err
	}
	return Parse(ctx, uri, source)
}
