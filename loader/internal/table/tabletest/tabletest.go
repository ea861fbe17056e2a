// Package tabletest has checks of the embedded tables for the tests of the packages that
// have them.
package tabletest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
)

// Categories are the valid values of a category column.
var Categories = []answer.Category{answer.Transformers, answer.VisionEncoder, answer.AudioEncoder, answer.ASR, answer.Diffusers, answer.SAE, answer.Adapter}

// Names gives the first column of a table. The test fails where a row does not have this
// number of columns, or has an empty one or white space around a field.
func Names(t *testing.T, file, table string, columns int) (names []string) {
	t.Helper()
	require.True(t, strings.HasSuffix(table, "\n"), "%s: the last line does not end in a newline", file)
	for i, line := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		require.Len(t, fields, columns, "%s:%d: %q: columns are separated by one tab, and empty ones are -", file, i+1, line)
		for _, f := range fields {
			require.NotEmpty(t, f, "%s:%d: an empty column, write -", file, i+1)
			require.Equal(t, strings.TrimSpace(f), f, "%s:%d: white space around a field", file, i+1)
		}
		names = append(names, fields[0])
	}
	return names
}

// RequireSorted fails the test where the names are not in byte order, or one occurs twice.
func RequireSorted(t *testing.T, file string, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		require.Less(t, names[i-1], names[i], "%s: %q comes after %q; keep the lines sorted in byte order (LC_ALL=C sort), each name once", file, names[i], names[i-1])
	}
}
