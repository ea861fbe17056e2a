package format_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
)

// A format is added by one row and its function: its files are recognized, alone, in
// shards with an index, and beside config.json. This is the only test of the package that
// calls the loader, which computes tables from the formats once.
func TestOneRowIsEnoughForANewFormat(t *testing.T) {
	t.Cleanup(format.Insert(format.Format{
		Name: "foo", Extensions: []format.Extension{{".foo", format.PartsOfOneModel, format.ConfigNotNeeded, format.ZipOfOther}},
		DescribedBy: format.ByItself, Layout: format.Layout{"foo", "foo", answer.Transformers, "causal_lm", format.None}, Index: format.RequiredIndex,
		Tokenizer: format.TokenizerInside, Tensors: format.TensorsOfFormat,
		Read: func(f *tree.File, h *tree.Handle, add func(format.Tensor)) (format.Header, error) {
			name := make([]byte, h.Size)
			if _, err := h.ReadAt(name, 0); err != nil {
				return format.Header{Unusable: true}, err
			}
			add(format.Tensor{Name: name, DType: "F32", Rows: 3, Elements: 6, Bytes: 24})
			return format.Header{}, nil
		},
	}))
	const index = `{"metadata":{"total_size":48},"weight_map":{"a.weight":"model-00001-of-00002.foo","b.weight":"model-00002-of-00002.foo"}}`
	shards := map[string]string{"model-00001-of-00002.foo": "a.weight", "model-00002-of-00002.foo": "b.weight"}
	for _, c := range []struct {
		name     string
		files    map[string]string
		used     []string
		index    string
		missing  []string
		elements int64
		findings []string
	}{
		{name: "alone", files: map[string]string{"model.foo": "a.weight"}, used: []string{"model.foo"}, elements: 6},
		{name: "beside config.json", files: map[string]string{"model.foo": "a.weight", "config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`},
			used: []string{"model.foo"}, elements: 6},
		{name: "in shards with an index", files: with(shards, "model.foo.index.json", index),
			used: []string{"model-00001-of-00002.foo", "model-00002-of-00002.foo"}, index: "model.foo.index.json", elements: 12},
		{name: "in shards without an index", files: shards,
			used: []string{"model-00001-of-00002.foo", "model-00002-of-00002.foo"}, elements: 12, findings: []string{finding.IndexMissing}},
		{name: "with an index and one of two shards", files: map[string]string{"model.foo.index.json": index, "model-00001-of-00002.foo": "a.weight"},
			used: []string{"model-00001-of-00002.foo"}, index: "model.foo.index.json", missing: []string{"model-00002-of-00002.foo"}, elements: 6,
			findings: []string{finding.ShardMissing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			info, err := loader.New().Inspect(directory(c.files), "m")
			require.NoError(t, err)
			assert.Equal(t, "foo", info.Layout)
			require.NotNil(t, info.Weights)
			assert.Equal(t, "foo", info.Weights.Format)
			assert.Equal(t, c.used, info.Weights.Files)
			assert.Equal(t, c.index, info.Weights.Index)
			assert.Empty(t, info.Weights.Ignored)
			assert.ElementsMatch(t, c.missing, info.Weights.Missing)
			assert.Equal(t, c.missing == nil, *info.Weights.Complete)
			require.NotNil(t, info.Weights.StoredElements)
			assert.Equal(t, c.elements, *info.Weights.StoredElements)
			assert.Equal(t, answer.Transformers, info.Category)
			assert.ElementsMatch(t, c.findings, codes(info.Findings))
		})
	}
}

func codes(findings []answer.Finding) (codes []string) {
	for _, f := range findings {
		codes = append(codes, f.Code)
	}
	return codes
}

// with gives files and one more.
func with(files map[string]string, name, content string) map[string]string {
	all := map[string]string{name: content}
	for name, content := range files {
		all[name] = content
	}
	return all
}

// directory has the files in m.
func directory(files map[string]string) fs.FS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys["m/"+name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return fsys
}
