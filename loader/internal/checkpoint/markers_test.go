package checkpoint

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/internal/table/tabletest"
)

func TestSAEDirectoriesTable(t *testing.T) {
	assert.NotEmpty(t, tabletest.Names(t, "sae_directories.tsv", saeDirectoriesTSV, 2))
	assert.True(t, IsDistinctiveSAEDirectory("resid_post"))
	assert.False(t, IsDistinctiveSAEDirectory("transcoder"))
}
