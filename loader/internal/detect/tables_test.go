package detect

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/answer"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/table/tabletest"
)

func TestTablesAreWellFormed(t *testing.T) {
	tabletest.RequireSorted(t, "pipeline_tags.tsv", tabletest.Names(t, "pipeline_tags.tsv", pipelineTagsTSV, 3))
	for f := range table.Rows(pipelineTagsTSV) {
		assert.Contains(t, tabletest.Categories, answer.Category(f[1]), "pipeline_tags.tsv: %s", f[0])
	}
}
