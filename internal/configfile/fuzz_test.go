package configfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a config file has in it, it is read or refused with an *Error that names it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "# x\n", "iterations: 5\n", "paths: [a, b]\nprofiles:\n  p: {all: true}\n", "tags: @x\n", "a: &a [*a]\n", "<<: {a: b}\n", "- a\n",
		"? {a: b}\n: c\n", "a: !!binary x\n", "---\na: 1\n---\n", "%YAML 1.1\n---\na: b\n", "\xff\xfea\x00", "output: |\n  x\n  y\n", "format: \"junit:\"\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("x/omniloader.yaml", text)
		failures := []error{err}
		if err == nil {
			failures = file.Check(newFlags)
			for _, s := range file.Settings {
				_ = s.Paths()
			}
			_ = OutsideFolder(newFlags(), file.Settings)
		}
		for _, err := range failures {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "x/omniloader.yaml", e.Place.Path)
			require.NotEmpty(t, e.Message)
		}
	})
}
