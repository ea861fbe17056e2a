package loader_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/finding"
)

// Columns of the table of formats that decide which findings a directory has.

func TestTokenizerInsideTheWeightsIsNotMissed(t *testing.T) {
	llama := `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`
	for name, content := range map[string]string{"x.gguf": ggufOfArchitecture("llama"), "x.nemo": "damaged"} {
		found := codes(inspect(t, map[string]string{"m/" + name: content, "m/config.json": llama}).Findings)
		assert.NotContains(t, found, finding.TokenizerMissing, name)
	}
	found := codes(inspect(t, map[string]string{"m/x.rkllm": "x", "m/config.json": llama}).Findings)
	assert.Contains(t, found, finding.TokenizerMissing)
}

// A shard of a GGUF model that is missing is reported once, by the counts in the headers.
func TestMissingGGUFShardIsReportedOnce(t *testing.T) {
	b := []byte("GGUF\x03\x00\x00\x00")
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint64(b, 2)
	for _, key := range []struct {
		name  string
		value uint16
	}{{"split.count", 2}, {"split.no", 0}} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(key.name)))
		b = append(b, key.name...)
		b = binary.LittleEndian.AppendUint32(b, 2) // a uint16
		b = binary.LittleEndian.AppendUint16(b, key.value)
	}
	info := inspect(t, map[string]string{"m/x-00001-of-00002.gguf": string(b)})
	missing := 0
	for _, f := range info.Findings {
		if f.Code == finding.ShardMissing {
			missing++
		}
	}
	assert.Equal(t, 1, missing, "%+v", info.Findings)
	assert.Equal(t, []string{"x-00002-of-00002.gguf"}, info.Weights.Missing)
}

// Zip archives with the extensions of PyTorch are searched for pickles where they are not
// the weights, others are not.
func TestPicklesInZipArchivesBesideTheWeights(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("archive/data.pkl")
	require.NoError(t, err)
	_, err = io.WriteString(f, reduce)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, want := range map[string]bool{"o.bin": true, "o.pt": true, "o.pth": true, "o.ckpt": true, "o.pkl": true, "o.jit": false, "o.keras": false, "o.zip": false} {
		found := codes(inspect(t, sound(map[string]string{"m/" + name: b.String()})).Findings)
		assert.Equal(t, want, slices.Contains(found, finding.PickleDangerous), "%s: %v", name, found)
	}
}

// The layout beside config.json is the format's for formats that a model of transformers is
// converted to, and that of config.json for others.
func TestLayoutOfFormatsBesideConfig(t *testing.T) {
	for name, want := range map[string]string{"x.gguf": "gguf", "x.onnx": "onnx", "x.tflite": "tflite", "x.rkllm": "rkllm", "x.jit": "transformers", "x.dduf": "transformers", "x.npz": "transformers"} {
		info := inspect(t, map[string]string{"m/" + name: "x", "m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`})
		assert.Equal(t, want, info.Layout, name)
	}
}
