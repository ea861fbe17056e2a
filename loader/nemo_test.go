package loader_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
)

// Parts of a NeMo model have keys "target" of their own, indented; the class of the
// model is the one at the top level.
func TestNeMoTargetIsTopLevelKey(t *testing.T) {
	const config = "preprocessor:\n  target: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor\n" +
		"target: 'nemo.collections.tts.models.FastPitchModel' # of the model\n"
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, name := range []string{"./model_weights.ckpt", "./model_config.yaml"} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(config)), Mode: 0o644}))
		_, err := w.Write([]byte(config))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(plain.Bytes())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for what, content := range map[string]string{"plain": plain.String(), "gzipped": zipped.String()} {
		info, err := loader.New().ModelInfo(treeFS(map[string]string{"m/a.nemo": content}), "m")
		require.NoError(t, err)
		assert.Equal(t, "nemo.collections.tts.models.FastPitchModel", info.LoadsAs, what)
		assert.Equal(t, answer.Task("tts_audio_generation"), info.Task, what)
	}
	for _, broken := range []string{"", "x", "\x1f\x8b", zipped.String()[:20]} {
		info, err := loader.New().ModelInfo(treeFS(map[string]string{"m/a.nemo": broken}), "m")
		require.NoError(t, err)
		assert.Equal(t, "nemo", info.Layout)
	}
}
