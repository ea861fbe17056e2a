// Package tabletest checks the form of the tables that are built into the loader. It is
// used by tests alone.
package tabletest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
)

// Categories are those that a row may name.
var Categories = []answer.Category{answer.Transformers, answer.VisionEncoder, answer.AudioEncoder, answer.ASR, answer.Diffusers, answer.SAE, answer.Adapter}

// Names gives the first column of a table, and fails where a row has another number of
// columns, an empty one, or white space around a field.
func Names(t *testing.T, file, table string, columns int) (names []string) {
	t.Helper()
	require.True(t, strings.HasSuffix(table, "\n"), "%s: the last line needs its end", file)
	for i, line := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		require.Len(t, fields, columns, "%s:%d: %q: columns are separated by one tab, and empty ones hold -", file, i+1, line)
		for _, f := range fields {
			require.NotEmpty(t, f, "%s:%d: an empty column holds -", file, i+1)
			require.Equal(t, strings.TrimSpace(f), f, "%s:%d: white space around a field", file, i+1)
		}
		names = append(names, fields[0])
	}
	return names
}

// RequireSorted fails where the names are not in byte order, or one occurs twice.
func RequireSorted(t *testing.T, file string, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		require.Less(t, names[i-1], names[i], "%s: %q stands behind %q; keep the lines sorted in byte order (LC_ALL=C sort), each name once", file, names[i], names[i-1])
	}
}
