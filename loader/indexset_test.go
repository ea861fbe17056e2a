package loader_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// shardsOf makes a sound checkpoint of two tensors, one in each of the files, which an
// index names.
func shardsOf(index, first, second string) map[string]string {
	files := sound(map[string]string{"-m/model.safetensors": "", "m/" + index: indexOf("model.embed_tokens.weight", first, "model.norm.weight", second)})
	switch first {
	case second:
		files[path.Join("m", first)] = tensors("model.embed_tokens.weight", "model.norm.weight")
	default:
		files[path.Join("m", first)], files[path.Join("m", second)] = tensors("model.embed_tokens.weight"), tensors("model.norm.weight")
	}
	return files
}

// The index names the files of a model, whatever they are called.
func TestAnIndexNamesItsSet(t *testing.T) {
	const index = "model.safetensors.index.json"
	for _, names := range [][2]string{
		{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"},
		{"model_00001-of-00002.safetensors", "model_00002-of-00002.safetensors"},
		{"model.safetensors-00001-of-00001.safetensors", "model.safetensors-00001-of-00001.safetensors"},
		{"pytorch_model-00001-of-00002.safetensors", "pytorch_model-00002-of-00002.safetensors"},
		{"shards/model-00001-of-00002.safetensors", "shards/model-00002-of-00002.safetensors"},
		{"a/x.safetensors", "b/x.safetensors"},
		{"./first.safetensors", "second.safetensors"},
		{"model-00001-of-00001.safetensors", "model_mtp.safetensors"},
		{"mmproj.safetensors", "optimizer.safetensors"},
	} {
		info := inspect(t, shardsOf(index, names[0], names[1]))
		require.NotNil(t, info.Weights, names)
		assert.Equal(t, 2, info.Weights.Tensors, names)
		assert.True(t, *info.Weights.Complete, names)
		assert.Empty(t, info.Weights.Missing, names)
		assert.Empty(t, info.Weights.Ignored, names)
		assert.Equal(t, index, info.Weights.Index, names)
		assert.Contains(t, info.Weights.CompleteReason, "shards with the index", names)
		assert.Empty(t, info.Findings, names)
	}
}

// A file that the index names, and that is not here, is missing, whatever it is called.
func TestAFileThatTheIndexNamesIsMissed(t *testing.T) {
	for _, second := range []string{"model_mtp.safetensors", "shards/model-00002-of-00002.safetensors"} {
		files := shardsOf("model.safetensors.index.json", "model-00001-of-00001.safetensors", second)
		delete(files, "m/"+second)
		info := inspect(t, files)
		assert.False(t, *info.Weights.Complete)
		assert.Equal(t, []string{second}, info.Weights.Missing)
		assert.Contains(t, info.Weights.CompleteReason, second+": the index names it")
	}
}

// Files of the index's own name, and not named by it, are not counted, and it is not
// advised to remove them while the set in use has a file too few.
func TestRemovalIsAdvisedOnlyBesideACompleteSet(t *testing.T) {
	hints := func(info *answer.Info) (all string) {
		for _, f := range info.Findings {
			all += f.Code + ": " + f.Hint + "\n"
		}
		return all
	}
	files := shardsOf("model.safetensors.index.json", "model-00001-of-00002.safetensors", "model_mtp.safetensors")
	files["m/copy.safetensors"] = strings.Clone(files["m/model-00001-of-00002.safetensors"])
	files["m/model-00002-of-00002.safetensors"] = files["m/copy.safetensors"]
	info := inspect(t, files)
	assert.Equal(t, 2, info.Weights.Tensors)
	assert.Contains(t, hints(info), "shard-not-in-index: remove it if")
	delete(files, "m/model_mtp.safetensors")
	info = inspect(t, files)
	assert.Contains(t, hints(info), "shard-not-in-index: Keep all files")
	assert.NotContains(t, strings.ToLower(hints(info)), "remove")
}

// A gap in the numbers is a warning, but where the index gives the size of all tensors and
// they have it.
func TestAGapInTheNumbersOfAWholeSetIsANote(t *testing.T) {
	severity := func(info *answer.Info) (severities []answer.Severity) {
		for _, f := range info.Findings {
			if f.Code == finding.ShardNumberGap {
				severities = append(severities, f.Severity)
			}
		}
		return severities
	}
	files := shardsOf("model.safetensors.index.json", "model-00001-of-00002.safetensors", "model_mtp.safetensors")
	assert.Equal(t, []answer.Severity{answer.SeverityWarning}, severity(inspect(t, files)))
	index := "m/model.safetensors.index.json"
	files[index] = `{"metadata":{"total_size":8},` + files[index][1:]
	assert.Equal(t, []answer.Severity{answer.SeverityNote}, severity(inspect(t, files)))
}

// Weights of a format whose headers are not read are neither complete nor incomplete.
func TestCompleteIsNotKnownWhereNothingWasCompared(t *testing.T) {
	info := inspect(t, map[string]string{"m/model.tflite": "\x1c\x00\x00\x00TFL3" + strings.Repeat("\x01", 100)})
	require.NotNil(t, info.Weights)
	assert.Nil(t, info.Weights.Complete)
	assert.Contains(t, info.Weights.CompleteReason, "the headers of tflite files are not read (FlatBuffers)")
}

func TestWeightsThatHoldNothing(t *testing.T) {
	empty := func(names ...string) string { // tensors of the shape [0]
		var list []stored
		for _, name := range names {
			list = append(list, stored{name, "F32", []int{0}, 4})
		}
		return storedFile(list...)
	}
	part := storedFile(stored{"model.embed_tokens.weight", "F32", []int{2}, 4}, stored{"model.norm.weight", "F32", []int{0}, 4})
	for text, weights := range map[string]string{
		"there is no tensor in model.safetensors":                                                   empty(),
		`2 tensors, none of which has an element: the shape of "model.embed_tokens.weight" has a 0`: empty("model.embed_tokens.weight", "model.norm.weight"),
		`1 of 2 tensors has no elements, "model.norm.weight" first`:                                 part,
	} {
		info := inspect(t, sound(map[string]string{"m/model.safetensors": weights}))
		var found []answer.Finding
		for _, f := range info.Findings {
			if f.Code == finding.WeightsEmpty {
				found = append(found, f)
			}
		}
		require.Len(t, found, 1, text)
		assert.Contains(t, found[0].Message, text)
		assert.Equal(t, answer.SeverityError, found[0].Severity)
		assert.False(t, *info.Weights.Complete)
		assert.Contains(t, info.Weights.CompleteReason, text)
	}
	g := storedFile(stored{"model.embed_tokens.weight", "F32", []int{2}, 4}, stored{"model.layers.0.mlp.g_idx", "I32", []int{0}, 4})
	for _, f := range inspect(t, sound(map[string]string{"m/model.safetensors": g})).Findings {
		assert.NotEqual(t, finding.WeightsEmpty, f.Code, "GPTQ leaves g_idx empty")
	}
}

// A GGUF file of a vocabulary alone is described where there is nothing else, and left
// aside beside weights.
func TestAVocabularyIsNoModel(t *testing.T) {
	vocabulary := ggufOf("general.architecture", "llama", "tokenizer.ggml.tokens", []string{"a", "b"})
	info := inspect(t, map[string]string{"m/ggml-vocab-x.gguf": vocabulary})
	i := slices.IndexFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.WeightsEmpty })
	require.GreaterOrEqual(t, i, 0, "%+v", info.Findings)
	assert.Equal(t, "a vocabulary of 2 tokens, and no tensor", info.Findings[i].Message)
	assert.Contains(t, info.Findings[i].Hint, "tokenizer alone")
	assert.False(t, *info.Weights.Complete)

	info = inspect(t, sound(map[string]string{"m/ggml-vocab-x.gguf": vocabulary}))
	assert.Equal(t, []string{"model.safetensors"}, info.Weights.Files)
	assert.Empty(t, info.Weights.Ignored)
	assert.Empty(t, info.Findings)
}
