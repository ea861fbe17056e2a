package loader_test

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
)

// TestSAETrees lays out the trees of testdata/sae_trees.json, each under its
// repository's name, and expects what is written beside it.
func TestSAETrees(t *testing.T) {
	data, err := os.ReadFile("testdata/sae_trees.json")
	require.NoError(t, err)
	var trees []struct {
		Name, Repo string
		Files      map[string]json.RawMessage
		Expect     struct {
			Family    string
			Kind      string
			BaseModel string `json:"base_model"`
			Site      string
			Layer     *int
			Layers    []int
		}
	}
	require.NoError(t, json.Unmarshal(data, &trees))
	require.Len(t, trees, 19)
	for _, tree := range trees {
		t.Run(tree.Name, func(t *testing.T) {
			dir := strings.NewReplacer("az://", "", "(", "", ")", "", "@", "-").Replace(tree.Repo)
			files := map[string]string{}
			for name, content := range tree.Files {
				text := string(content)
				var s string
				if json.Unmarshal(content, &s) == nil {
					text = s
				}
				files[path.Join(dir, name)] = text
			}
			info, err := loader.New().ModelInfo(treeFS(files), dir)
			require.NoError(t, err)
			assert.Equal(t, answer.SAE, info.Category, info.DecidedBy)
			require.NotNil(t, info.SAE)
			assert.Equal(t, tree.Expect.Family, info.SAE.Family)
			kind, _, _ := strings.Cut(tree.Expect.Kind, " ")
			assert.Equal(t, kind, info.SAE.Kind)
			base, _, _ := strings.Cut(tree.Expect.BaseModel, " ")
			if base == "unknown" || base == "AMBIGUOUS" {
				assert.Nil(t, info.SAE.BaseModel)
			} else if assert.NotNil(t, info.SAE.BaseModel) {
				assert.Equal(t, base, *info.SAE.BaseModel)
				assert.NotEmpty(t, *info.SAE.BaseModelSource)
			}
			if tree.Expect.Layer != nil {
				assert.Equal(t, []int{*tree.Expect.Layer}, info.SAE.Layers)
			}
			if tree.Expect.Layers != nil {
				assert.Equal(t, tree.Expect.Layers, info.SAE.Layers)
			}
			if tree.Expect.Site != "" {
				assert.Contains(t, info.SAE.Sites, tree.Expect.Site)
			}
		})
	}
}
