package cli

import (
	"fmt"

	"github.com/spf13/pflag"
)

// fileFlag is the value of a flag that names one file. It is an error to give it twice: the
// file that does not count would be missing without a word.
type fileFlag struct {
	path  *string
	given bool
}

var _ pflag.Value = (*fileFlag)(nil)

// fileVar defines a flag that names one file, whose path goes to path; it is "" where the flag
// is not given.
func fileVar(set *pflag.FlagSet, path *string, name, usage string) {
	*path = ""
	set.Var(&fileFlag{path: path}, name, usage)
}

func (f *fileFlag) Type() string   { return "string" }
func (f *fileFlag) String() string { return *f.path }

func (f *fileFlag) Set(path string) error {
	if f.given {
		return fmt.Errorf("it names one file, and %q was given before", *f.path)
	}
	*f.path, f.given = path, true
	return nil
}
