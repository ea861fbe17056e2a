package record

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/internal/quantity"
)

const llamaConfig = `{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}` + "\n"

// checkpoint writes files to a directory on the disk.
func checkpoint(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deep", "tiny")
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return dir
}

// recordDir records a checkpoint and returns the recorded files by name.
func recordDir(t *testing.T, dir string) (*Recorded, map[string]fixtures.RecordedFile) {
	t.Helper()
	out, err := Checkpoint(t.Context(), dir, Options{Fixture: "tiny.fixture"})
	require.NoError(t, err)
	text := out.Fixture
	if text == nil { // the fixture is in the feature
		_, rest, ok := strings.Cut(string(out.Feature), "Given the recorded checkpoint:\n      \"\"\"\n")
		require.True(t, ok, string(out.Feature))
		rest, _, ok = strings.Cut(rest, "      \"\"\"\n")
		require.True(t, ok)
		text = []byte(strings.ReplaceAll(strings.ReplaceAll("\n"+rest, "\n      ", "\n")[1:], `\"\"\"`, `"""`))
	}
	r, err := fixtures.ParseRecording(text)
	require.NoError(t, err, string(text))
	files := map[string]fixtures.RecordedFile{}
	for _, f := range r.Files {
		files[f.Name] = f
	}
	return out, files
}

// wholeContent returns the content of a file that was kept whole.
func wholeContent(t *testing.T, f fixtures.RecordedFile) string {
	t.Helper()
	require.Len(t, f.Parts, 1, f.Name)
	require.Len(t, f.Parts[0].Data, int(f.Size), f.Name)
	return string(f.Parts[0].Data)
}

func TestEveryFileIsKeptByNameAndSizeAndSmallTextWhole(t *testing.T) {
	files := map[string]string{
		"config.json": llamaConfig, "empty.txt": "", "with space.json": "{}", "modèle/配置.json": "{\"a\": \"\"\"\"}\r\n",
		"noise.dat": strings.Repeat("\x00\xff", 5000), "doc.md": "-- config.json --\n```\n\"\"\"\n", "modeling_x.py": "class X: pass\n",
	}
	dir := checkpoint(t, files)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "runs", "empty"), 0o755))
	_, kept := recordDir(t, dir)
	for name, content := range files {
		require.Contains(t, kept, name)
		assert.EqualValues(t, len(content), kept[name].Size, name)
		if name != "empty.txt" && name != "noise.dat" {
			assert.Equal(t, content, wholeContent(t, kept[name]), name)
		}
	}
	assert.Equal(t, []fixtures.Part{{Offset: 1, Data: []byte("\xff")}}, kept["noise.dat"].Parts, "of a file that nobody reads: that it is not blank")
	assert.Contains(t, kept, "runs/empty/")
	assert.NotContains(t, kept, "runs/")
	assert.Len(t, kept, len(files)+1)
}

func TestOfWeightsOnlyTheHeadersAreKept(t *testing.T) {
	const secret = "WEIGHTS"
	header := `{"w":{"dtype":"U8","shape":[7],"data_offsets":[0,7]}}`
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, content := range map[string]string{"m/data.pkl": "\x80\x02}.", "m/version": "3\n", "m/data/0": strings.Repeat(secret, 2000)} {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		require.NoError(t, err)
		_, err = entry.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	dir := checkpoint(t, map[string]string{
		"config.json":        llamaConfig,
		"model.safetensors":  string(rune(len(header))) + "\x00\x00\x00\x00\x00\x00\x00" + header + secret,
		"pytorch_model.bin":  archive.String(),
		"short.safetensors":  "\x40\x00",
		"claims.safetensors": "\xff\xff\xff\xff\xff\xff\x00\x00" + strings.Repeat("x", 2000),
	})
	out, kept := recordDir(t, dir)
	assert.Equal(t, header, string(kept["model.safetensors"].Parts[0].Data[8:]))
	assert.Equal(t, "\x40\x00", wholeContent(t, kept["short.safetensors"]))
	assert.Len(t, kept["claims.safetensors"].Parts[0].Data, plainHead)
	assert.NotContains(t, string(out.Fixture), secret)
	for _, p := range kept["pytorch_model.bin"].Parts {
		assert.LessOrEqual(t, bytes.Count(p.Data, []byte(secret)), plainHead/len(secret)+1, "more than a head of the archive")
	}

	// The archive can still be listed, and the entries that describe others can be read.
	memory := fixtures.NewFs()
	r := &fixtures.Recording{Name: "m", Files: []fixtures.RecordedFile{kept["pytorch_model.bin"]}}
	require.NoError(t, fixtures.New(memory, "m").AddRecording(r))
	f, err := memory.Open("m/pytorch_model.bin")
	require.NoError(t, err)
	again, err := zip.NewReader(f, int64(archive.Len()))
	require.NoError(t, err)
	require.Len(t, again.File, 3)
	for _, name := range []string{"m/data.pkl", "m/version"} {
		content, err := again.Open(name)
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(content)
		assert.NoError(t, err, "its checksum holds")
	}
}

func TestPrivateContentIsNotKept(t *testing.T) {
	home := t.TempDir() + "/people/jdoe"
	t.Setenv("HOME", home)
	files := map[string]string{
		".env": "TOKEN=topsecret1", ".ssh/id_rsa": "topsecret2", "id_rsa": "topsecret3", ".git/config": "topsecret4",
		"config.json": `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "_name_or_path": "/home/jane.roe/llama", "b": "C:\\Users\\jane\\x",` +
			`"c": "/Users/jane/y", "d": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01", "e": "` + home + `/z", "f": "/home/"}`,
		".cache/huggingface/download/config.json.metadata": "abc\n",
	}
	dir := checkpoint(t, files)
	files["paths.json"] = fmt.Sprintf("%q", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "paths.json"), []byte(files["paths.json"]), 0o644))
	out, kept := recordDir(t, dir)
	everything := string(out.Feature) + string(out.Fixture)
	for _, name := range []string{"topsecret1", "topsecret2", "topsecret3", "topsecret4", "jane", "jdoe", "AbCdEfGh", filepath.Dir(dir)} {
		assert.NotContains(t, everything, name)
		for _, f := range kept {
			for _, p := range f.Parts {
				assert.NotContains(t, string(p.Data), name, f.Name)
			}
		}
	}
	assert.NotContains(t, kept, ".git/config")
	assert.Contains(t, kept, ".env", "its name and size")
	assert.Equal(t, "abc\n", wholeContent(t, kept[".cache/huggingface/download/config.json.metadata"]))
	assert.Len(t, wholeContent(t, kept["config.json"]), len(files["config.json"]))
	assert.True(t, json.Valid([]byte(wholeContent(t, kept["config.json"]))))
	assert.Contains(t, wholeContent(t, kept["config.json"]), "/home/xxxxxxxx/llama")
	require.Len(t, out.Notes, 1)
	assert.Contains(t, out.Notes[0], "replaced by xxx in config.json, paths.json")
}

func TestSecretsAreRedactedByFormAndByKey(t *testing.T) {
	t.Setenv("HOME", "/people/davina")
	p := newRedactor(&source{path: "/models/m", requestedDir: "/models/m"})
	for _, c := range []struct{ file, secret, before, after string }{
		{"a.json", "sk-", `"k": "`, `AbCd0123456789efGH_-ijklMNOP"`},
		{"m.py", "sk-", `x = "`, `proj-AbCd_0123456789efGHijklMNOP"`},
		{"m.py", "sk-", `x = "`, `ant-api03-AbCd0123456789efGHijklMNOP"`},
		{"m.py", "ghp_", ``, `0123456789abcdefghijklmnopqrstuvwxyz`},
		{"m.py", "github_pat_", ``, `11ABCDEFG0_0123456789abcdefghij`},
		{"a.md", "glpat-", ``, `AbCdEfGhIjKlMnOpQrSt`},
		{"a.md", "AKIA", ``, `IOSFODNN7EXAMPLE`},
		{"a.md", "AIza", ``, `SyA-0123456789abcdefghijklmnopqrstu`},
		{"a.md", "xoxb-", ``, `1234567890-abcdef`},
		{"a.md", "nvapi-", ``, `0123456789abcdefghijABCD`},
		{"a.json", "eyJ", `"`, `hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF"`},
		{"a.json", "://", `"https`, `bob:hunter2@host/x"`},
		{"a.json", `"api_key": "`, ``, `q\"9z"`},
		{"a.json", `"WANDB_API_KEY":"`, ``, `0123abcd"`},
		{"a.json", `"auth_token": "`, ``, `opensesame"`},
		{"a.json", `"password": "`, ``, `opensesame"`},
		{"m.py", `client_secret = '`, ``, `opensesame'`},
		{"a.yaml", `password: `, "user: x\n", "opensesame\nnext: y"},
		{"a.md", `password: `, "trained with ", "opensesame and so on"},
		{"a.txt", `export HF_TOKEN=`, ``, `opensesame`},
		{"a.md", "PRIVATE KEY-----", "-----BEGIN RSA ", "\nMIIEpAIBAAKCAQEA\nabcd\n-----END RSA PRIVATE KEY-----"},
		{"a.md", "write to ", ``, `jane.doe+x@mail.example.org`},
		{"a.json", `"/mnt/data/`, ``, `davina/llama"`},
	} {
		whole := c.before + c.secret + c.after
		got, times := p.redact(c.file, []byte(whole))
		assert.Equal(t, 1, times, whole)
		assert.Len(t, got, len(whole))
		rest, ok := strings.CutPrefix(string(got), c.before+c.secret)
		require.True(t, ok, "%s: %s", whole, got)
		assert.True(t, strings.HasPrefix(strings.TrimLeft(rest, "\n"), "xxx"), "%s: %s", whole, got)
		for _, word := range []string{"opensesame", "hunter2", "jane", "davina", "0123456789", "MIIE", "abcd"} {
			assert.NotContains(t, string(got), word, whole)
		}
		again, times := p.redact(c.file, got)
		assert.Zero(t, times, "redacted content is not redacted again: %s", again)
	}
}

func TestWhatIsNotASecretIsNotRedacted(t *testing.T) {
	t.Setenv("HOME", "/root")
	p := newRedactor(&source{path: "/models/m", requestedDir: "/models/m"})
	for file, text := range map[string]string{
		"tokenizer_config.json":   `{"bos_token": "<s>", "pad_token": "<pad>", "image_token": "<image>", "token": "t", "key": "k", "use_auth_token": true, "api_key": null, "password": ""}`,
		"special_tokens_map.json": `{"additional_special_tokens": ["<a>"], "eos_token": {"content": "</s>"}}`,
		"tokenizer.json":          `{"model": {"vocab": {"a@b.com": 1, "password": 2}}}`,
		"vocab.txt":               "me@example.org\n[PAD]\n",
		"modeling_x.py":           "def f(self, token: str, api_key=None, password=os.environ): pass\n@decorator\n",
		"config.json":             `{"_name_or_path": "sk-learn/some-model", "url": "https://host:8080/x", "sort_key": "name", "num_key_value_heads": 8}`,
		"README.md":               "Keys and secrets of the model, and its tokens: many.\n",
	} {
		got, times := p.redact(file, []byte(text))
		assert.Zero(t, times, "%s: %s", file, got)
	}
}

func TestLinksAreFollowedWithinTheCheckpointAndNeverOutOfIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir := checkpoint(t, map[string]string{"real.json": llamaConfig, "sub/a.txt": "a\n"})
	require.NoError(t, os.Symlink("real.json", filepath.Join(dir, "config.json")))
	require.NoError(t, os.Symlink("sub", filepath.Join(dir, "alias")))
	require.NoError(t, os.Symlink("/nowhere/of/somebody", filepath.Join(dir, "model.safetensors")))
	require.NoError(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	out, kept := recordDir(t, dir)
	assert.Equal(t, llamaConfig, wholeContent(t, kept["config.json"]))
	assert.Equal(t, "sub", kept["alias"].Link)
	assert.Equal(t, "model.safetensors.gone", kept["model.safetensors"].Link)
	assert.Equal(t, "loop.gone", kept["loop"].Link)
	assert.NotContains(t, string(out.Feature)+string(out.Fixture), "somebody")
	assert.Contains(t, string(out.Feature), "Given a real temporary directory\n    Given the recorded")

	outside := filepath.Join(t.TempDir(), "secret.json")
	require.NoError(t, os.WriteFile(outside, []byte("{}"), 0o644))
	for _, target := range []string{outside, filepath.Dir(outside)} {
		require.NoError(t, os.Remove(filepath.Join(dir, "alias")))
		require.NoError(t, os.Symlink(target, filepath.Join(dir, "alias")))
		_, err := Checkpoint(t.Context(), dir, Options{})
		require.ErrorContains(t, err, "alias: a link that leads out of the checkpoint")
		assert.NotContains(t, err.Error(), target)
	}
}

func TestASnapshotInACacheIsRecordedWithItsBlobs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	repository := filepath.Join(t.TempDir(), "hub", "models--meta-llama--Llama-3-8B")
	snapshot := filepath.Join(repository, "snapshots", "0123abcd")
	for _, d := range []string{"blobs", "snapshots/0123abcd", "refs"} {
		require.NoError(t, os.MkdirAll(filepath.Join(repository, d), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(repository, "blobs", "aaaa"), []byte(llamaConfig), 0o644))
	require.NoError(t, os.Symlink("../../blobs/aaaa", filepath.Join(snapshot, "config.json")))
	require.NoError(t, os.Symlink("../../blobs/gone", filepath.Join(snapshot, "model.safetensors")))
	out, kept := recordDir(t, snapshot)
	assert.Equal(t, "Llama-3-8B", out.Name)
	assert.Equal(t, llamaConfig, wholeContent(t, kept["config.json"]))
	assert.Equal(t, "model.safetensors.gone", kept["model.safetensors"].Link)
	assert.Len(t, kept, 2)

	require.NoError(t, os.Remove(filepath.Join(snapshot, "model.safetensors")))
	out, kept = recordDir(t, repository)
	assert.Equal(t, "models--meta-llama--Llama-3-8B", out.Name)
	assert.Equal(t, llamaConfig, wholeContent(t, kept["snapshots/0123abcd/config.json"]))
	assert.EqualValues(t, len(llamaConfig), kept["blobs/aaaa"].Size)
}

// bigTokenizer is a tokenizer.json of some megabytes.
func bigTokenizer(t *testing.T, list bool) string {
	t.Helper()
	const n = 60_000
	var vocab, merges strings.Builder
	for i := range n {
		if i > 0 {
			vocab.WriteByte(',')
			merges.WriteByte(',')
		}
		if list {
			fmt.Fprintf(&vocab, `["token number %d", -1.5]`, i)
		} else {
			fmt.Fprintf(&vocab, `"token%d": %d`, i, n-1-i)
		}
		fmt.Fprintf(&merges, `"left%d right%d"`, i, i)
	}
	if list {
		return `{"model": {"type": "Unigram", "unk_id": 0, "vocab": [` + vocab.String() + `]}}`
	}
	return `{"added_tokens": [{"id": 60000, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}], "model": {"type": "BPE", "unk_token": "token77", "vocab": {` + vocab.String() + `}, "merges": [` + merges.String() + "]}}\n"
}

func TestALargeTokenizerIsTrimmedWhereTheAnswersStayTheSame(t *testing.T) {
	text := bigTokenizer(t, false)
	require.Greater(t, len(text), trimFrom)
	out, kept := recordDir(t, checkpoint(t, map[string]string{"config.json": llamaConfig, "tokenizer.json": text}))
	f := kept["tokenizer.json"]
	assert.True(t, f.Padded)
	assert.EqualValues(t, len(text), f.Size)
	assert.Contains(t, string(out.Feature), "the vocab size is 60001")
	assert.Contains(t, out.Notes, "tokenizer.json is kept without most of its vocabulary")
	assert.Less(t, len(out.Fixture), 20_000)

	var small struct {
		Model struct {
			Vocab  map[string]int `json:"vocab"`
			Merges []string       `json:"merges"`
		} `json:"model"`
	}
	require.NoError(t, json.Unmarshal(f.Parts[0].Data, &small))
	assert.Len(t, small.Model.Merges, keptMerges)
	assert.Equal(t, 59_999, small.Model.Vocab["token0"], "the highest id, the first ids, the unknown token")
	assert.Equal(t, 0, small.Model.Vocab["token59999"])
	assert.Equal(t, 59_999-77, small.Model.Vocab["token77"])
	assert.Equal(t, 60_000, small.Model.Vocab["<s>"], "the id behind the whole vocabulary, as the reference numbers it")
	assert.Len(t, small.Model.Vocab, keptIDs+3)
}

func TestAListedVocabularyIsKeptWhole(t *testing.T) {
	text := bigTokenizer(t, true)
	require.Greater(t, len(text), trimFrom)
	out, kept := recordDir(t, checkpoint(t, map[string]string{"config.json": llamaConfig, "tokenizer.json": text}))
	assert.Equal(t, text, wholeContent(t, kept["tokenizer.json"]))
	assert.Contains(t, string(out.Feature), "the vocab size is 60000")
	assert.Empty(t, out.Notes)
}

func TestUnknownFormsOfTokenizersAreNotTrimmed(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"model": 3}`, `{"model": {"vocab": {}}} x`, `{"model": {"vocab": [1]}}`, `{"model": {"vocab": {"a": 1}, "merges": ["a b"]}}`} {
		_, ok := trimTokenizer([]byte(text))
		assert.False(t, ok, text)
	}
}

func TestANameMustBeValidForADirectory(t *testing.T) {
	dir := checkpoint(t, map[string]string{"config.json": llamaConfig})
	for _, name := range []string{"a/b", "..", ".", `a"b`, "a\nb", `a\b`, "c:"} {
		_, err := Checkpoint(t.Context(), dir, Options{Name: name})
		assert.ErrorContains(t, err, "is not a valid name for a recorded checkpoint", name)
	}
	out, err := Checkpoint(t.Context(), dir, Options{Name: "Llama 3 «8B»"})
	require.NoError(t, err)
	assert.Contains(t, string(out.Feature), "Feature: Llama 3 «8B»\n")
	assert.Contains(t, string(out.Feature), "@benchmark:recorded_llama_3_8b_model_info\n")
}

func TestWhatCannotBeRecordedIsAnError(t *testing.T) {
	file := filepath.Join(checkpoint(t, map[string]string{"config.json": llamaConfig}), "config.json")
	_, err := Checkpoint(t.Context(), file, Options{})
	assert.ErrorContains(t, err, "not a directory")
	_, err = Checkpoint(t.Context(), filepath.Join(t.TempDir(), "gone"), Options{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	if runtime.GOOS != "windows" {
		_, err = Checkpoint(t.Context(), checkpoint(t, map[string]string{"a:b.json": "{}"}), Options{})
		assert.ErrorContains(t, err, `"a:b.json": a name with a backslash or a colon`)
	}
}

func TestDifferenceDescribesOnlyWhatDiffers(t *testing.T) {
	for _, c := range []struct{ want, got, difference string }{
		{`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, ""},
		{`{"a":{"b":1,"c":2}}`, `{"a":{"c":2,"b":1}}`, ""},
		{`{"b":2}`, `{}`, "b is 2, and would be missing"},
		{`{"a":1,"weights":{"bytes":9,"complete":true}}`, `{"a":1,"weights":{"bytes":9,"complete":false}}`, "weights.complete is true, and would be false"},
		{`{"weights":null}`, `{"weights":{"bytes":9}}`, `weights is null, and would be {"bytes":9}`},
		{`{"l":[1,2]}`, `{"l":[2,1]}`, "l would have another order"},
		{`{"l":[1,1]}`, `{"l":[1]}`, "l would not have 1"},
		{`{"l":[1]}`, `{"l":[1,2,3,4,5,6,7,8]}`, "l would also have 2, 3, 4, 5, 6, 2 more"},
		{`{"findings":[{"code":"x","file":""}]}`, `{"findings":[{"code":"y","file":"a.bin"}]}`, "findings would not have x and would also have y for a.bin"},
	} {
		assert.Equal(t, c.difference, difference([]byte(c.want), []byte(c.got)), c.want)
	}
}

// Of weights in other formats only a few bytes are kept, which show that the file is not
// blank.
func TestWeightsOfAnyFormatAreRecorded(t *testing.T) {
	noise := strings.Repeat("\x9c\xe1\x00\x07\xfa", 20_000)
	blank := strings.Repeat("\x00", 100_000)
	for name, files := range map[string]map[string]string{
		"onnx":                {"config.json": llamaConfig, "model.onnx": noise},
		"onnx that is a text": {"config.json": llamaConfig, "model.onnx": "not really a graph\n"},
		"onnx beside":         {"config.json": llamaConfig, "model.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}", "onnx/model.onnx": noise, "onnx/model.onnx_data": blank + noise},
		"tensorrt":            {"config.json": `{"pretrained_config": {"architecture": "LlamaForCausalLM"}}`, "rank0.engine": noise},
		"keras":               {"config.json": "{}", "m.keras": noise, "model.weights.h5": "\x89HDF\r\n\x1a\n" + noise},
		"metal alone":         {"config.json": llamaConfig, "metal/model.bin": noise},
		"metal":               {"config.json": llamaConfig, "model.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}", "metal/model.bin": noise},
		"blank":               {"config.json": llamaConfig, "model.onnx": blank, "metal/model.bin": blank},
		"no safetensors":      {"config.json": llamaConfig, "model.safetensors": "a text in the place of weights\n"},
	} {
		_, kept := recordDir(t, checkpoint(t, files))
		for file, content := range files {
			assert.EqualValues(t, len(content), kept[file].Size, "%s: %s", name, file)
			for _, p := range kept[file].Parts {
				blank := len(bytes.Trim(p.Data, "\x00")) == 0
				assert.True(t, blank || len(p.Data) <= 64<<10, "%s: %s: %d bytes are more than a reader needs to recognise the format", name, file, len(p.Data))
			}
		}
	}
}

func TestAFileThatDoesNotDescribeTheModelIsNotKept(t *testing.T) {
	files := map[string]string{"config.json": llamaConfig, "diary": "dear diary\n", "photo.raw": "\x01\xffsecret"}
	_, kept := recordDir(t, checkpoint(t, files))
	assert.True(t, kept["diary"].Padded)
	assert.Empty(t, kept["diary"].Parts)
	assert.Equal(t, []fixtures.Part{{Data: []byte("\x01")}}, kept["photo.raw"].Parts)
}

func TestBoundsAreRoundedUpWithAMargin(t *testing.T) {
	for value, want := range map[float64]float64{1e-3: 1e-3, 1.01e-3: 2e-3, 2e-3: 2e-3, 4.9: 5, 5.1: 10, 123456: 200000} {
		assert.InEpsilon(t, want, roundUp(value), 1e-9)
	}
	m := &bench.Measurement{Calls: []time.Duration{300 * time.Microsecond}, Memory: &bench.Memory{BytesPerCall: 30_000}}
	assert.Equal(t, "5 ms", quantity.FormatDuration(boundsOf(m).latency))
	assert.Equal(t, "100 kB", quantity.FormatSize(boundsOf(m).memory))
	assert.Equal(t, "10 kB", quantity.FormatSize(boundsOf(m).delta))
	m = &bench.Measurement{Calls: []time.Duration{time.Microsecond}, Memory: &bench.Memory{BytesPerCall: 300}}
	assert.Equal(t, "1 ms", quantity.FormatDuration(boundsOf(m).latency))
	assert.Equal(t, "10 kB", quantity.FormatSize(boundsOf(m).memory))
}

func TestTextsThatAStepCannotQuoteAreLeftOut(t *testing.T) {
	var d describer
	d.scenario("s", "", "it is read")
	d.fieldIs("pad token", `a"b`)
	d.fieldIs("pad token", "a\nb")
	d.fieldIs("pad token", "")
	d.fieldIs("pad token", "<|end|>")
	d.listIs("sites", []string{`"`, "b"})
	d.listIs("layers", nil)
	assert.Equal(t, "\n    Scenario: s\n      When it is read\n      Then the pad token is \"<|end|>\"\n      And there are 2 sites\n      And there are no layers\n", d.b.String())
}

func TestRecordingDoesNotChangeTheCheckpoint(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), dir), "gpt2").AddPreset("gpt2"))
	list := func() (out []string) {
		require.NoError(t, filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
			out = append(out, fmt.Sprint(p, info.Size(), info.ModTime()))
			return err
		}))
		return out
	}
	before := list()
	_, err := Checkpoint(t.Context(), filepath.Join(dir, "gpt2"), Options{})
	require.NoError(t, err)
	assert.Equal(t, before, list())
}
