package record

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader/gguf"
	"omniloader/loader/npz"
	"omniloader/loader/pickle"
	"omniloader/loader/safetensors"
)

// readers read the headers of each format. They return the same names, types, shapes and
// offsets for a recorded file as for the real one.
var readers = map[string]func(r io.ReaderAt, size int64) (any, error){
	".safetensors": func(r io.ReaderAt, size int64) (any, error) { return safetensors.Read("x", r, size) },
	".npz":         func(r io.ReaderAt, size int64) (any, error) { return npz.Read(r, size, "x") },
	".gguf": func(r io.ReaderAt, size int64) (any, error) {
		f, err := gguf.Read(r, size, "x")
		if err != nil {
			return nil, err
		}
		return f.Tensors, nil
	},
	".bin": readTorch,
	".pth": readTorch,
}

func readTorch(r io.ReaderAt, size int64) (any, error) {
	f, err := pickle.Read(r, size, "x")
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(f)
	return string(text), err
}

func TestParametersTypesAndShapesOfARecordedFileStayTheSame(t *testing.T) {
	for preset, want := range map[string]int{
		"llama-3-8b": 5, "bert-base-uncased": 1, "gemma-scope-2b-res": 4, "llama-2-7b-gguf": 1, "stable-diffusion-1.5": 1,
	} {
		dir := t.TempDir()
		require.NoError(t, fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), dir), "m").AddPreset(preset))
		out, err := Checkpoint(t.Context(), path.Join(dir, "m"), Options{Fixture: "m.fixture"})
		require.NoError(t, err)
		r, err := fixtures.ParseRecording(out.Fixture)
		require.NoError(t, err)
		memory := fixtures.NewFs()
		require.NoError(t, fixtures.New(memory, "m").AddRecording(r))

		compared := 0
		err = fs.WalkDir(os.DirFS(dir), "m", func(name string, e fs.DirEntry, err error) error {
			read := readers[path.Ext(name)]
			if err != nil || e.IsDir() || read == nil || strings.HasSuffix(name, "training_args.bin") {
				return err
			}
			open := func(fsys fs.FS) (any, error) {
				f, err := fsys.Open(name)
				require.NoError(t, err)
				defer f.Close()
				info, err := f.Stat()
				require.NoError(t, err)
				return read(f.(io.ReaderAt), info.Size())
			}
			original, err := open(os.DirFS(dir))
			require.NoError(t, err, name)
			kept, err := open(afero.NewIOFS(memory))
			require.NoError(t, err, name)
			assert.Equal(t, original, kept, "%s: %s", preset, name)
			compared++
			return nil
		})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, compared, want, preset)
	}
}
