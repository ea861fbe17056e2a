package loader_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
)

// readingFS counts the bytes that are read.
type readingFS struct {
	fs.FS
	bytes atomic.Int64
}

func (r *readingFS) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if at, ok := f.(io.ReaderAt); ok {
		if _, isDir := f.(fs.ReadDirFile); !isDir || strings.Contains(name, ".") {
			return &readingFile{File: f, at: at, fs: r}, nil
		}
	}
	return f, nil
}

type readingFile struct {
	fs.File
	at io.ReaderAt
	fs *readingFS
}

func (f *readingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.fs.bytes.Add(int64(n))
	return n, err
}

func (f *readingFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.at.ReadAt(p, off)
	f.fs.bytes.Add(int64(n))
	return n, err
}

// manyShards is a checkpoint of 200 shards, of the shape of a 405B model: 1,138
// tensors and 810 GB.
func manyShards(t testing.TB) fs.FS {
	const count = 200
	mem := fixtures.NewFs()
	c := fixtures.New(mem, "m")
	names := []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
	for layer := range 126 {
		for _, part := range []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "input_layernorm", "post_attention_layernorm"} {
			names = append(names, fmt.Sprintf("model.layers.%d.%s.weight", layer, part))
		}
	}
	var index strings.Builder
	index.WriteString(`{"metadata":{},"weight_map":{`)
	for shard := range count {
		file := fmt.Sprintf("model-%05d-of-%05d.safetensors", shard+1, count)
		header, at := "{", int64(0)
		for i := shard; i < len(names); i += count {
			const size = 2 * 16384 * 16384
			if header != "{" {
				header += ","
			}
			header += fmt.Sprintf(`%q:{"dtype":"BF16","shape":[16384,16384],"data_offsets":[%d,%d]}`, names[i], at, at+size)
			at += size
			if index.Len() > 40 {
				index.WriteString(",")
			}
			fmt.Fprintf(&index, "%q:%q", names[i], file)
		}
		header += "}"
		head := string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
		require.NoError(t, c.AddFiles(fixtures.File{Name: file, Content: head, Size: int64(len(head)) + at}))
	}
	index.WriteString("}}")
	require.NoError(t, c.AddFiles(
		fixtures.File{Name: "config.json", Content: strings.NewReplacer("128256", "16384", "4096", "16384").Replace(llamaConfig)},
		fixtures.File{Name: "model.safetensors.index.json", Content: index.String()},
		fixtures.File{Name: "tokenizer.json", Content: smallBPE},
		fixtures.File{Name: "tokenizer_config.json", Content: `{"pad_token":"<p>"}`},
	))
	return afero.NewIOFS(mem)
}

func TestInspectReadsHeadersOnly(t *testing.T) {
	fsys := &readingFS{FS: manyShards(t)}
	info, err := loader.New().Inspect(fsys, "m")
	require.NoError(t, err)
	assert.Len(t, info.Weights.Files, 200)
	assert.True(t, *info.Weights.Complete)
	assert.Empty(t, info.Findings)
	assert.Greater(t, info.Size, int64(600e9))
	t.Logf("%d bytes read of %d", fsys.bytes.Load(), info.Size)
	assert.Less(t, fsys.bytes.Load(), int64(2<<20))
}

func BenchmarkInspect200Shards(b *testing.B) {
	fsys := manyShards(b)
	l := loader.New()
	b.ReportAllocs()
	for b.Loop() {
		info, err := l.Inspect(fsys, "m")
		if err != nil {
			b.Fatal(err)
		}
		sinkInfo = info
	}
}

// BenchmarkInspectSmallDirectories inspects real directories of five files each,
// 10,000 of them in all where -benchtime asks for as many, on all processors.
func BenchmarkInspectSmallDirectories(b *testing.B) {
	const count = 10_000
	root := b.TempDir()
	weights := tensors("model.embed_tokens.weight", "lm_head.weight")
	for i := range count {
		dir := filepath.Join(root, fmt.Sprint(i))
		require.NoError(b, os.Mkdir(dir, 0o755))
		for name, content := range map[string]string{
			"config.json": llamaConfig, "model.safetensors": weights, "tokenizer.json": smallBPE,
			"tokenizer_config.json": `{"pad_token":"<p>","tokenizer_class":"LlamaTokenizer"}`,
			"README.md":             "---\nlicense: apache-2.0\nbase_model: meta-llama/Llama-3.1-8B\n---\n# A model\n",
		} {
			require.NoError(b, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		}
	}
	l := loader.New()
	fsys := os.DirFS(root)
	b.Run("parallel", func(b *testing.B) { // the directories are made once
		var next atomic.Int64
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				info, err := l.Inspect(fsys, fmt.Sprint(next.Add(1)%count))
				if err != nil || len(info.Findings) > 0 {
					b.Error(err, info)
					return
				}
			}
		})
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checkpoints/s")
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024, "kB-kept")
	})
}
