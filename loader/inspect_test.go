package loader_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

func inspect(t *testing.T, files map[string]string) *answer.Info {
	t.Helper()
	info, err := loader.New().Inspect(treeFS(files), "m")
	require.NoError(t, err)
	return info
}

// tensors is a safetensors file of F32 tensors with one element each, by name.
func tensors(names ...string) string {
	header := "{"
	for i, name := range names {
		if i > 0 {
			header += ","
		}
		header += fmt.Sprintf(`"%s":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}`, name, 4*i, 4*i+4)
	}
	header += "}"
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + strings.Repeat("\x00\x00\x80\x3f", len(names))
}

const llamaJSON = `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`

func TestInspectOfAWholeCheckpoint(t *testing.T) {
	info := inspect(t, map[string]string{
		"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`, "m/tokenizer.json": smallBPE,
		"m/tokenizer_config.json":            `{"pad_token":"<p>","tokenizer_class":"LlamaTokenizer"}`,
		"m/model-00001-of-00002.safetensors": tensors("model.embed_tokens.weight"), "m/model-00002-of-00002.safetensors": tensors("lm_head.weight"),
		"m/model.safetensors.index.json": `{"metadata":{},"weight_map":{"model.embed_tokens.weight":"model-00001-of-00002.safetensors","lm_head.weight":"model-00002-of-00002.safetensors"}}`,
		"m/.git/objects/x":               "not counted",
	})
	assert.Equal(t, "m", info.Name)
	require.NotNil(t, info.Weights)
	assert.Equal(t, "safetensors", info.Weights.Format)
	assert.EqualValues(t, len(tensors("model.embed_tokens.weight")+tensors("lm_head.weight")), info.Weights.Bytes)
	assert.EqualValues(t, 2, *info.Weights.Parameters)
	assert.Equal(t, map[string]int64{"F32": 8}, info.Weights.DTypes)
	assert.True(t, *info.Weights.Complete)
	require.NotNil(t, info.Tokenizer)
	assert.Equal(t, "LlamaTokenizer", info.Tokenizer.Class)
	assert.Empty(t, info.Findings)
}

func TestInspectReportsAMissingShard(t *testing.T) {
	info := inspect(t, map[string]string{
		"m/config.json": llamaJSON, "m/tokenizer.json": smallBPE, "m/tokenizer_config.json": `{"pad_token":"<p>"}`,
		"m/model-00001-of-00002.safetensors": tensors("a"),
		"m/model.safetensors.index.json":     `{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`,
	})
	assert.False(t, *info.Weights.Complete)
	require.Equal(t, []string{finding.ShardMissing}, codes(info.Findings))
	assert.Equal(t, "model-00002-of-00002.safetensors", info.Findings[0].File)
	assert.Equal(t, answer.SeverityError, info.Findings[0].Severity)
}

func TestInspectReportsEveryProblem(t *testing.T) {
	info := inspect(t, map[string]string{"m/config.json": `{"architectures":`, "m/model.safetensors": "x"})
	require.Equal(t, finding.ConfigUnreadable, info.Findings[0].Code)
	assert.Equal(t, "config.json", info.Findings[0].File)
	assert.Equal(t, answer.Unknown, info.Category)
	require.NotNil(t, info.Error)
	assert.Contains(t, *info.Error, "truncated")
	require.NotNil(t, info.Weights, "what is there is still described")

	_, err := loader.New().Inspect(treeFS(nil), "m")
	assert.ErrorIs(t, err, fault.NotFound)
}

func TestInspectReportsWhatALoaderNeeds(t *testing.T) {
	info := inspect(t, map[string]string{"m/config.json": llamaJSON})
	assert.Equal(t, []string{finding.WeightsMissing, finding.TokenizerMissing}, codes(info.Findings))
	info = inspect(t, map[string]string{"m/config.json": `{"architectures":["SiglipModel"],"model_type":"siglip"}`, "m/model.safetensors": tensors("x")})
	assert.Equal(t, []string{finding.ProcessorMissing}, codes(info.Findings), "an image encoder needs no tokenizer")
}

func TestFindingsAreSortedBySeverity(t *testing.T) {
	info := inspect(t, map[string]string{
		"m/config.json": `{"architectures":["Tomorrow"],"model_type":"tomorrow","x":NaN}`, "m/tokenizer.json": "{", "m/model.safetensors": tensors("x"),
	})
	var severities []answer.Severity
	for _, f := range info.Findings {
		severities = append(severities, f.Severity)
	}
	assert.Equal(t, []answer.Severity{answer.SeverityError, answer.SeverityWarning, answer.SeverityNote}, severities)
}

// The keys are a contract with scripts; lists are never null.
func TestInfoHasEveryJSONKey(t *testing.T) {
	data, err := json.Marshal(inspect(t, map[string]string{"m/": ""}))
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(data, &keys))
	for _, key := range []string{"name", "path", "size", "layout", "category", "task", "architecture", "architectures", "model_type",
		"decided_by", "is_supported", "error", "is_omni", "has_talker", "is_quantized", "quantization", "has_custom_files",
		"custom_files", "is_sae", "sae", "base_model", "tokenizer", "weights", "findings"} {
		assert.Contains(t, keys, key)
	}
	for _, list := range []string{"architectures", "custom_files", "findings"} {
		assert.NotNil(t, keys[list], list)
	}
}

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		llamaConfig, `{"architectures":null}`, `{"architectures":"X","model_type":7}`, `{"quantization_config":{"bits":1e99}}`,
		`{"auto_map":{"A":["x.Y",null]}}`, `{"_class_name":["a","b"]}`, "\xEF\xBB\xBF{\"x\":NaN}", `{"a":1,"architectures":[],"architectures":[[]]}`, ``, `null`,
		`{"text_config":{"quantization_config":{}},"talker_config":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"config.json", "model_index.json", "adapter_config.json"} {
			fsys := treeFS(map[string]string{"m/" + name: string(data), "m/resid_post/layer_1/config.json": string(data)})
			l := loader.New()
			info, err := l.ModelInfo(fsys, "m")
			if (info == nil) == (err == nil) || err != nil && fault.KindOf(err) == "" {
				t.Fatalf("%v, %v", info, err)
			}
			report, err := l.Inspect(fsys, "m")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(report); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// deniedFS refuses to open one file, as a disk does that of another user.
type deniedFS struct {
	fs.FS
	name string
}

func (d deniedFS) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

func TestWeightsWithoutReadPermissionAreAnError(t *testing.T) {
	info, err := loader.New().Inspect(deniedFS{treeFS(sound(nil)), "m/model.safetensors"}, "m")
	require.NoError(t, err)
	require.Len(t, info.Findings, 1, "%+v", info.Findings)
	assert.Equal(t, answer.Finding{Severity: answer.SeverityError, Code: finding.WeightsUnreadable, File: "model.safetensors",
		Message: "permission denied: unreadable", Hint: "check the permissions of the file"}, info.Findings[0])
	assert.False(t, *info.Weights.Complete)
}

func TestModelsWithoutTextNeedNoTokenizer(t *testing.T) {
	severity := func(files map[string]string) (found answer.Severity) {
		for _, f := range inspect(t, files).Findings {
			if f.Code == finding.TokenizerMissing {
				found = f.Severity
				assert.NotContains(t, f.Message, "tried")
			}
		}
		return found
	}
	config := func(class, modelType string) map[string]string {
		return map[string]string{"m/config.json": `{"architectures":["` + class + `"],"model_type":"` + modelType + `"}`, "m/model.safetensors": tensors("a")}
	}
	assert.Equal(t, answer.SeverityWarning, severity(config("LlamaForCausalLM", "llama")))
	assert.Empty(t, severity(config("TimesFmModelForPrediction", "timesfm")))
	assert.Empty(t, severity(config("EncodecModel", "encodec")))
	assert.Equal(t, answer.SeverityNote, severity(map[string]string{"m/blocks.0.hook_resid_pre/cfg.json": `{"model_name":"gpt2","d_in":768,"d_sae":10,"hook_name":"blocks.0.hook_resid_pre"}`, "m/blocks.0.hook_resid_pre/sae_weights.safetensors": tensors("W_enc")}))
}

func TestDirectoryNamedLikeWeightsFileIsReported(t *testing.T) {
	files := sound(map[string]string{"-m/model.safetensors": "", "m/model.safetensors/x": "y"})
	assert.Contains(t, codes(inspect(t, files).Findings), finding.FileUnreadable)
}

func TestUTF16IsReported(t *testing.T) {
	info := inspect(t, sound(map[string]string{"m/config.json": "\xff\xfe{\x00}\x00"}))
	assert.Contains(t, info.Findings[0].Message, "UTF-16")
}

func TestUTF16WithoutByteOrderMarkIsReported(t *testing.T) {
	info := inspect(t, sound(map[string]string{"m/config.json": "{\x00}\x00"}))
	require.NotEmpty(t, info.Findings)
	assert.Contains(t, info.Findings[0].Message, "UTF-16")
}
