package loader_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func gitHashOf(text string) string {
	sum := sha1.Sum([]byte("blob " + strconv.Itoa(len(text)) + "\x00" + text))
	return hex.EncodeToString(sum[:])
}

func verify(t *testing.T, fsys fs.FS, dir string) *answer.Info {
	t.Helper()
	l := loader.New()
	info, err := l.Inspect(fsys, dir)
	require.NoError(t, err)
	require.Nil(t, info.Verified, "nothing is verified unless it is asked for")
	v, findings, err := l.Verify(t.Context(), fsys, dir, nil)
	require.NoError(t, err)
	info.Verified, info.Findings = v, finding.Merge(info.Findings, findings)
	return info
}

func mismatches(info *answer.Info) map[string]string {
	found := map[string]string{}
	for _, f := range info.Findings {
		if f.Code == finding.HashMismatch || f.Code == finding.HashUnrecorded {
			found[f.Code+" "+f.File] = f.Message + " | " + f.Hint
		}
	}
	return found
}

// The hash is the output of: printf 'hello\n' | git hash-object --stdin.
func TestGitHashOfFile(t *testing.T) {
	require.Equal(t, "ce013625030ba8dba906f756967f9e9ca394464a", gitHashOf("hello\n"))
	record := "abc\nce013625030ba8dba906f756967f9e9ca394464a\n1700000000.0\n"
	info := verify(t, treeFS(sound(map[string]string{"m/notes.txt": "hello\n", "m/.cache/huggingface/download/notes.txt.metadata": record})), "m")
	assert.Equal(t, 1, info.Verified.Files)
	assert.EqualValues(t, 6, info.Verified.Bytes)
	assert.Empty(t, mismatches(info))
	assert.Contains(t, info.Verified.Unrecorded, "model.safetensors")
	assert.NotContains(t, info.Verified.Unrecorded, "notes.txt")
}

func TestVerifyWithDownloadRecords(t *testing.T) {
	weights := tensors("model.embed_tokens.weight")
	files := sound(map[string]string{"m/model.safetensors": weights,
		"m/.cache/huggingface/download/model.safetensors.metadata": "abc\n" + strings.ToUpper(sha256Of(weights)) + "\n1.0\n",
		"m/.cache/huggingface/download/config.json.metadata":       "abc\n" + gitHashOf("something else") + "\n1.0\n",
		"m/.cache/huggingface/download/tokenizer.json.metadata":    "abc\nW/\"no-hash\"\n1.0\n",
	})
	info := verify(t, treeFS(files), "m")
	assert.Equal(t, 1, info.Verified.Files)
	assert.Equal(t, []string{"config.json"}, info.Verified.Mismatched)
	assert.Contains(t, info.Verified.Unrecorded, "tokenizer.json")
	assert.Equal(t, map[string]string{"hash-mismatch config.json": "its git hash is " + gitHashOf(files["m/config.json"])[:12] + "…, and the record of its download says " +
		gitHashOf("something else")[:12] + "… | delete it and run the download again"}, mismatches(info))
}

func TestVerifyWithListOfCommit(t *testing.T) {
	files := inCache(nil)
	weights, config := files[cacheDir+"snapshots/abc/model.safetensors"], files[cacheDir+"snapshots/abc/config.json"]
	tree := func(sum string) string {
		return `{"format_version":1,"files":{"config.json":{"size":1,"blob_id":"` + gitHashOf(config) + `"},"model.safetensors":{"size":130,"blob_id":"` + gitHashOf("pointer") + `","lfs_sha256":"` + sum + `"}}}`
	}
	files[cacheDir+"trees/abc.json"] = tree(sha256Of(weights))
	info := verify(t, treeFS(files), cacheDir+"snapshots/abc")
	assert.Equal(t, 2, info.Verified.Files)
	assert.Empty(t, mismatches(info))
	files[cacheDir+"trees/abc.json"] = tree(sha256Of("the true weights"))
	info = verify(t, treeFS(files), cacheDir+"snapshots/abc")
	assert.Equal(t, []string{"model.safetensors"}, info.Verified.Mismatched)
	found := mismatches(info)
	assert.Contains(t, found["hash-mismatch model.safetensors"], "trees/abc.json says")
	assert.Contains(t, found["hash-mismatch model.safetensors"], "delete it and run hf download org/name model.safetensors")
}

func TestVerifyWithBlobNames(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "models--org--name")
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(repo, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644))
	}
	weights := tensors("model.embed_tokens.weight")
	write("blobs/"+sha256Of(weights), weights[:len(weights)-1]+"\xff") // one byte went wrong
	write("blobs/"+gitHashOf(sparseConfig), sparseConfig)
	write("refs/main", "abc")
	write("snapshots/abc/notes.txt", "a file of one's own")
	for name, blob := range map[string]string{"model.safetensors": sha256Of(weights), "config.json": gitHashOf(sparseConfig)} {
		if err := os.Symlink("../../blobs/"+blob, filepath.Join(repo, "snapshots/abc", name)); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	for _, at := range []string{"models--org--name/snapshots/abc", "models--org--name"} {
		info := verify(t, os.DirFS(dir), at)
		assert.Equal(t, 1, info.Verified.Files, at)
		assert.Equal(t, []string{"model.safetensors"}, info.Verified.Mismatched, at)
		assert.Equal(t, []string{"notes.txt"}, info.Verified.Unrecorded, at)
		assert.Contains(t, mismatches(info)["hash-mismatch model.safetensors"], "delete it and ../../blobs/"+sha256Of(weights)+", to which it links, and run hf download org/name model.safetensors")
	}
}

func TestVerifyWithoutRecordsIsReported(t *testing.T) {
	info := verify(t, treeFS(sound(nil)), "m")
	assert.Zero(t, info.Verified.Files)
	assert.Len(t, mismatches(info), 1)
	assert.Contains(t, mismatches(info), "hash-unrecorded ")
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	weights := tensors("model.embed_tokens.weight")
	fsys := treeFS(sound(map[string]string{"m/model.safetensors": weights,
		"m/.cache/huggingface/download/model.safetensors.metadata": "abc\n" + sha256Of(weights) + "\n1.0\n"}))
	info, err := loader.New().Inspect(fsys, "m")
	require.NoError(t, err)
	last := int64(-1)
	_, _, err = loader.New().Verify(ctx, fsys, "m", func(_ string, done, total int64) {
		assert.Greater(t, done, last)
		assert.EqualValues(t, len(weights), total)
		last = done
		cancel()
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, info.Verified)
}
