package detect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/table/tabletest"
)

func TestTablesAreWellFormed(t *testing.T) {
	tabletest.RequireSorted(t, "pipeline_tags.tsv", tabletest.Names(t, "pipeline_tags.tsv", pipelineTagsTSV, 3))
	for f := range table.Rows(pipelineTagsTSV) {
		assert.Contains(t, tabletest.Categories, answer.Category(f[1]), "pipeline_tags.tsv: %s", f[0])
	}
}

// Each format that layouts.tsv names is a row of the table of formats and has a layout.
func TestLayoutsNameKnownFormats(t *testing.T) {
	others := 0
	for f := range table.Rows(layoutsTSV) {
		name, ok := strings.CutPrefix(f[1], formatPrefix)
		switch {
		case !ok:
			assert.NotEmpty(t, f[0], "%v: the layout", *f)
		case name == "*":
			others++
		default:
			assert.Equal(t, [table.Columns]string{"", f[1], "", "", ""}, *f, "the other columns are those of the format")
			r := format.ByName(name)
			require.NotNil(t, r, "no format %s", name)
			assert.NotEqual(t, format.None, r.Layout.Name, name)
		}
	}
	assert.Equal(t, 1, others, "rows for the formats without a row of their own")
}
