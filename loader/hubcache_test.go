package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
)

const (
	gptConfig  = `{"architectures":["GPT2LMHeadModel"],"model_type":"gpt2"}`
	bertConfig = `{"architectures":["BertModel"],"model_type":"bert"}`
)

func cacheInfo(t *testing.T, files map[string]string) *answer.Info {
	t.Helper()
	const dir = "hub/models--org--name"
	laid := map[string]string{}
	for name, content := range files {
		laid[dir+"/"+name] = content
	}
	info, err := loader.New().ModelInfo(treeFS(laid), dir)
	require.NoError(t, err)
	return info
}

func TestHubCacheUsesSnapshotOfMainRef(t *testing.T) {
	info := cacheInfo(t, map[string]string{
		"refs/main": "bbb\n", "blobs/x": "x", "snapshots/aaa/config.json": bertConfig, "snapshots/bbb/config.json": gptConfig,
	})
	assert.Equal(t, "GPT2LMHeadModel", info.Architecture)
	assert.Equal(t, "transformers", info.Layout)
	assert.Equal(t, "hub/models--org--name", info.Path)
	assert.Equal(t, "models--org--name", info.Name)
	assert.Contains(t, info.DecidedBy, "snapshots/bbb, which refs/main names")
}

func TestHubCacheWithoutMainRef(t *testing.T) {
	one := cacheInfo(t, map[string]string{"refs/": "", "snapshots/aaa/config.json": bertConfig})
	assert.Equal(t, "BertModel", one.Architecture)
	two := cacheInfo(t, map[string]string{"refs/": "", "snapshots/aaa/config.json": bertConfig, "snapshots/bbb/config.json": gptConfig})
	assert.Equal(t, answer.Unknown, two.Category)
	assert.Equal(t, "hugging face cache", two.Layout)
	assert.Equal(t, []string{"snapshots/aaa", "snapshots/bbb"}, two.Candidates)
}

func TestDanglingRefIsReported(t *testing.T) {
	for _, ref := range []string{"ccc", "../..", ""} {
		info := cacheInfo(t, map[string]string{"refs/main": ref, "snapshots/aaa/config.json": bertConfig})
		assert.Equal(t, answer.Unknown, info.Category, ref)
		assert.Equal(t, []string{"snapshots/aaa"}, info.Candidates, ref)
	}
	info := cacheInfo(t, map[string]string{"refs/main": "ccc", "snapshots/aaa/config.json": bertConfig})
	assert.Contains(t, codes(info.Findings), "cache-ref-dangling")
}

func TestModelWithSnapshotsDirectoryIsNoHubCache(t *testing.T) {
	info := infoOf(t, treeFS(map[string]string{"m/config.json": gptConfig, "m/snapshots/step1/config.json": bertConfig}))
	assert.Equal(t, "GPT2LMHeadModel", info.Architecture)
}

func TestNestedHubCacheIsNotFollowed(t *testing.T) {
	info := cacheInfo(t, map[string]string{"refs/main": "aaa", "snapshots/aaa/snapshots/aaa/config.json": gptConfig})
	assert.Equal(t, answer.Unknown, info.Category)
}
