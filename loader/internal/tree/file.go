// Package tree reads the files of a directory tree: small files as a whole, large ones at
// any offset, all within limits and with errors that name the file. It caches listings
// and small files, and limits how far links are followed. It does not parse files.
package tree

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/sniff"
)

// File is a file of a checkpoint. Format, Problem and Pointer are found in its first
// bytes.
type File struct {
	Name    string // relative to the checkpoint, with slashes
	Size    int64
	Format  sniff.Format
	Problem *fault.Error   // what the file has in place of its content: nothing, zeros, a web page
	Pointer *sniff.Pointer // the Git LFS pointer that the file has in place of its content
}

// Dir is the directory of the file, relative to the checkpoint; "." for its root.
func (f *File) Dir() string { return path.Dir(f.Name) }

// Base is the last element of the name.
func (f *File) Base() string { return path.Base(f.Name) }

// MaxFiles is the number of files of a checkpoint after which a walk stops.
const MaxFiles = 100_000

// DescribeSpecial says what kind of file it is that is neither a regular file nor a
// directory: "a named pipe".
func DescribeSpecial(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// IsHidden tells whether the name of the file, or of a directory above it, begins with a
// dot. Loaders do not read such files.
func (f *File) IsHidden() bool {
	return f.Name[0] == '.' || strings.Contains(f.Name, "/.")
}

// HasProblem tells whether the file of this name has a Problem.
func HasProblem(files []File, name string) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Name == name && f.Problem != nil })
}

// HasFile tells whether there is a file of this name.
func HasFile(files []File, name string) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Name == name })
}
