package loader_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

func protoField(field int, body string) string {
	b := binary.AppendUvarint(nil, uint64(field)<<3|2)
	return string(binary.AppendUvarint(b, uint64(len(body)))) + body
}

// onnxOf is an ONNX model with one tensor of 2 by 3, whose 24 bytes of data are in the
// file at location, from byte 8.
func onnxOf(location string) string {
	pair := func(key, value string) string { return protoField(13, protoField(1, key)+protoField(2, value)) }
	tensor := protoField(1, "\x02\x03") + "\x10\x01" + protoField(8, "w") + pair("location", location) + pair("offset", "8") + "\x70\x01"
	return "\x08\x08" + protoField(7, protoField(5, tensor))
}

func TestONNXIsCounted(t *testing.T) {
	codes := func(info *answer.Info) (list []string) {
		for _, f := range info.Findings {
			list = append(list, strings.TrimSpace(f.Code+" "+f.File))
		}
		return list
	}
	info := inspect(t, map[string]string{"m/model.onnx": onnxOf("model.onnx_data"), "m/model.onnx_data": strings.Repeat("x", 32)})
	require.NotNil(t, info.Weights.Parameters)
	assert.EqualValues(t, 6, *info.Weights.Parameters)
	assert.Equal(t, map[string]int64{"F32": 24}, info.Weights.DTypes)
	assert.True(t, *info.Weights.Complete)
	assert.Equal(t, []string{"nothing-recognized"}, codes(info))

	info = inspect(t, map[string]string{"m/model.onnx": onnxOf("model.onnx_data"), "m/model.onnx_data": strings.Repeat("x", 31)})
	assert.False(t, *info.Weights.Complete)
	assert.Contains(t, codes(info), "weights-truncated model.onnx_data")

	info = inspect(t, map[string]string{"m/model.onnx": onnxOf("model.onnx_data")})
	assert.Equal(t, []string{"model.onnx_data"}, info.Weights.Missing)
	assert.Contains(t, codes(info), "shard-missing model.onnx_data")

	info = inspect(t, map[string]string{"m/model.onnx": onnxOf("../../etc/passwd")})
	assert.Contains(t, codes(info), "index-unsafe model.onnx")
}

func ddufOf(t *testing.T, method uint16) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range [][2]string{{"model_index.json", `{"_class_name":"FluxPipeline"}`}, {"vae/diffusion_pytorch_model.safetensors", tensors("a", "b")}, {"transformer/diffusion_pytorch_model.safetensors", tensors("a")}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m[0], Method: method})
		require.NoError(t, err)
		_, err = io.WriteString(f, m[1])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

func TestDDUFIsCounted(t *testing.T) {
	info := inspect(t, map[string]string{"m/flux.dduf": ddufOf(t, zip.Store)})
	require.NotNil(t, info.Weights)
	require.NotNil(t, info.Weights.Parameters)
	assert.EqualValues(t, 3, *info.Weights.Parameters)
	assert.Equal(t, 3, info.Weights.Tensors)
	assert.Empty(t, info.Findings)
	info = inspect(t, map[string]string{"m/flux.dduf": ddufOf(t, zip.Deflate)})
	assert.Nil(t, info.Weights.Parameters, "not known is not zero")
	assert.Equal(t, finding.WeightsUnreadable, info.Findings[0].Code)
	info = inspect(t, map[string]string{"m/flux.dduf": ddufOf(t, zip.Store)[:200]})
	assert.Equal(t, finding.WeightsTruncated, info.Findings[0].Code)
}

func TestDamagedPrograms(t *testing.T) {
	for _, name := range []string{"a.nemo", "a.keras", "a.tflite", "a.onnx"} {
		info := inspect(t, map[string]string{"m/" + name: strings.Repeat("damaged ", 100)})
		require.NotNil(t, info.Weights, name)
		assert.False(t, *info.Weights.Complete, name)
		assert.Nil(t, info.Weights.Parameters, name)
		assert.Equal(t, finding.WeightsUnreadable, info.Findings[0].Code, name)
	}
}

func FuzzDDUF(f *testing.F) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	m, _ := w.CreateHeader(&zip.FileHeader{Name: "vae/x.safetensors", Method: zip.Store})
	_, _ = io.WriteString(m, tensors("a"))
	_ = w.Close()
	for i := 0; i <= b.Len(); i += 7 {
		f.Add(b.Bytes()[:i])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := loader.New().Inspect(treeFS(map[string]string{"m/x.dduf": string(data)}), "m")
		if err != nil || info.Weights != nil && info.Weights.Parameters != nil && *info.Weights.Parameters < 0 {
			t.Fatal(err, info)
		}
	})
}
