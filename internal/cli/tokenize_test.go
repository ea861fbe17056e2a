package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// adapter writes an adapter of GPT-2 that has no tokenizer.
func adapter(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(`{"base_model_name_or_path":"openai-community/gpt2"}`), 0o644))
	return dir
}

// isolateModelPaths sets the variables that say where models are to an empty home, which
// it gives.
func isolateModelPaths(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for name, value := range map[string]string{envModels: "", envHubCache: "", envHome: home, envEndpoint: "", envToken: "", envOffline: ""} {
		t.Setenv(name, value)
	}
	return home
}

// tokenizeWith runs the command with a text on its standard input.
func tokenizeWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return callWithInput(t, stdin, append([]string{"tokenize"}, args...)...)
}

func tokenizeJSON(t *testing.T, args ...string) tokenizeResult {
	t.Helper()
	a := tokenizeWith(t, "", append(args, "--json")...)
	require.Equal(t, 0, a.code, a.err)
	var out tokenizeResult
	require.NoError(t, json.Unmarshal([]byte(a.out), &out), a.out)
	return out
}

var durations = regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b`)

func TestTokenizeShowsTokens(t *testing.T) {
	isolateModelPaths(t)
	root := t.TempDir()
	gpt2 := writePreset(t, root, "gpt2", "gpt2")
	clip := writePreset(t, root, "clip-vit-base-patch32", "clip")
	for name, args := range map[string][]string{
		"tokenize_text.txt": {gpt2, "the model, naïve 🦙\x1b[31m"},
		"tokenize_pair.txt": {clip, "a model", "--pair", "a token"},
		"tokenize_none.txt": {gpt2, ""},
	} {
		a := tokenizeWith(t, "", args...)
		assert.Equal(t, 0, a.code, a.err)
		assert.Empty(t, a.err)
		golden(t, name, durations.ReplaceAllString(a.out, "TIME"))
	}
}

func TestTokenizeReadsStandardInput(t *testing.T) {
	isolateModelPaths(t)
	gpt2 := writePreset(t, t.TempDir(), "gpt2", "gpt2")
	a := tokenizeWith(t, "the model\n", gpt2, "--json")
	require.Equal(t, 0, a.code, a.err)
	var out tokenizeResult
	require.NoError(t, json.Unmarshal([]byte(a.out), &out))
	assert.Equal(t, "the model\n", out.Text)
	assert.Equal(t, []uint32{83, 282, 278, 198}, out.IDs)
}

func TestTokenizeGivesJSON(t *testing.T) {
	isolateModelPaths(t)
	clip := writePreset(t, t.TempDir(), "clip-vit-base-patch32", "clip")
	out := tokenizeJSON(t, clip, "the model")
	assert.Equal(t, []uint32{49406, 513, 528, 49407}, out.IDs)
	assert.Equal(t, []string{"<|startoftext|>", "the</w>", "model</w>", "<|endoftext|>"}, out.Tokens)
	assert.Equal(t, [][2]int{{0, 0}, {0, 3}, {4, 9}, {0, 0}}, out.Offsets)
	assert.Equal(t, []bool{true, false, false, true}, out.Special)
	assert.Equal(t, clip, out.Tokenizer.Path)
	assert.Positive(t, out.Seconds.Parse)
	assert.Zero(t, out.Seconds.Download)

	assert.Equal(t, []uint32{513, 528}, tokenizeJSON(t, clip, "the model", "--no-special").IDs)
	pair := tokenizeJSON(t, clip, "the", "--pair", "model")
	assert.Equal(t, []uint32{49406, 513, 49407, 49407, 528, 49407}, pair.IDs)
	assert.Equal(t, "model", *pair.Pair)
	empty := tokenizeWith(t, "", clip, "", "--no-special", "--json")
	for _, name := range []string{"ids", "tokens", "offsets", "type_ids", "special"} {
		assert.Contains(t, empty.out, `"`+name+`":[]`)
	}
	assert.Equal(t, []uint32{513, 528}, tokenizeJSON(t, clip+"/tokenizer.json", "the model", "--no-special").IDs, "tokenizer.json means its directory")
}

func TestTokenizeDecodes(t *testing.T) {
	isolateModelPaths(t)
	gpt2 := writePreset(t, t.TempDir(), "gpt2", "gpt2")
	for list, want := range map[string]string{"83,282,50256": "the<|endoftext|>\n", "[83, 282]": "the\n", "83 282": "the\n"} {
		a := tokenizeWith(t, "", gpt2, "--decode", list)
		assert.Equal(t, result{0, want, ""}, a, list)
	}
	assert.Equal(t, "the\n", tokenizeWith(t, "", gpt2, "--decode", "83,282,50256", "--no-special").out)
	out := tokenizeJSON(t, gpt2, "--decode", "83,282")
	assert.Equal(t, "the", out.Text)
	assert.Equal(t, []uint32{83, 282}, out.IDs)
}

func TestTokenizeErrors(t *testing.T) {
	isolateModelPaths(t)
	root := t.TempDir()
	gpt2 := writePreset(t, root, "gpt2", "gpt2")
	broken := writePreset(t, root, "gpt2", "broken")
	require.NoError(t, os.WriteFile(filepath.Join(broken, "tokenizer.json"), []byte(`{"model":{"type":"Magic"}}`), 0o644))
	lora := adapter(t)
	for _, c := range []struct {
		args  []string
		wants []string
	}{
		{nil, []string{"found none", "omniloader tokenize DIR [TEXT]"}},
		{[]string{gpt2, "a", "b"}, []string{"found 2", "quotes"}},
		{[]string{root + "/nowhere", "a"}, []string{"nowhere", "no such file"}},
		{[]string{gpt2 + "/config.json", "a"}, []string{"not a directory", "name its directory"}},
		{[]string{gpt2, "--decode", "1,x"}, []string{`"x" is no id`, "--decode 9906"}},
		{[]string{gpt2, "--decode", ""}, []string{"no ids"}},
		{[]string{gpt2, "a", "--decode", "1"}, []string{"both at once"}},
		{[]string{gpt2, "--pair", "a", "--decode", "1"}, []string{"--pair"}},
		{[]string{gpt2, "a", "--no-specials"}, []string{`did you mean "--no-special"`}},
		{[]string{broken, "a"}, []string{broken + "/tokenizer.json", "Magic"}},
		{[]string{lora, "a"}, []string{lora, "openai-community/gpt2", "put the base model"}},
		{[]string{lora, "a", "--hub", "hub.example"}, []string{"not the address of a hub"}},
	} {
		a := tokenizeWith(t, "", c.args...)
		assert.Equal(t, 2, a.code, c.args)
		assert.Empty(t, a.out, c.args)
		for _, want := range c.wants {
			assert.Contains(t, a.err, want, c.args)
		}
	}
}

func TestTokenizeFindsTheBaseModel(t *testing.T) {
	home := isolateModelPaths(t)
	lora := adapter(t)
	library, cache, env := t.TempDir(), t.TempDir(), t.TempDir()
	snapshot := "models--openai-community--gpt2/snapshots/0123456789abcdef0123456789abcdef01234567"

	fallback := writePreset(t, library, "bert-base-uncased", "bert")
	out := tokenizeJSON(t, lora, "the", "--fallback", fallback)
	assert.Equal(t, "fallback", out.Tokenizer.Origin)
	assert.Equal(t, fallback, out.Tokenizer.Path)
	assert.NotEmpty(t, out.Tokenizer.Tried)

	at := writePreset(t, filepath.Join(home, "hub"), "gpt2", snapshot)
	out = tokenizeJSON(t, lora, "the")
	assert.Equal(t, at, out.Tokenizer.Path)

	at = writePreset(t, cache, "gpt2", snapshot)
	t.Setenv(envHubCache, cache)
	assert.Equal(t, at, tokenizeJSON(t, lora, "the").Tokenizer.Path)

	at = writePreset(t, env, "gpt2", "openai-community/gpt2")
	t.Setenv(envModels, filepath.Join(t.TempDir(), "missing")+string(os.PathListSeparator)+env)
	assert.Equal(t, at, tokenizeJSON(t, lora, "the").Tokenizer.Path)

	at = writePreset(t, library, "gpt2", "gpt2")
	out = tokenizeJSON(t, lora, "the", "--model-root", library)
	assert.Equal(t, at, out.Tokenizer.Path)
	assert.Equal(t, "base model", out.Tokenizer.Origin)
}

func TestTokenizeFetchesFromTheHubThatIsNamed(t *testing.T) {
	home := isolateModelPaths(t)
	lora := adapter(t)
	files := writePreset(t, t.TempDir(), "gpt2", "gpt2")
	var requests []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			fmt.Fprint(w, `{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"tokenizer.json"},{"rfilename":"model.safetensors"},{"rfilename":"vocab.json"}]}`)
			return
		}
		w.Header().Set("Etag", `"content-1"`)
		http.ServeFile(w, r, filepath.Join(files, filepath.Base(r.URL.Path)))
	}))
	defer server.Close()

	a := tokenizeWith(t, "", lora, "the", "--hub", server.URL)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "HF_TOKEN")

	t.Setenv(envToken, "secret")
	t.Setenv(envOffline, "1")
	requests = nil
	a = tokenizeWith(t, "", lora, "the", "--hub", server.URL)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "HF_HUB_OFFLINE is set")
	assert.Empty(t, requests)

	t.Setenv(envOffline, "")
	a = tokenizeWith(t, "", lora, "the")
	assert.Equal(t, 2, a.code)
	assert.Empty(t, requests, "no request without an endpoint")

	t.Setenv(envEndpoint, server.URL)
	out := tokenizeJSON(t, lora, "the")
	assert.Equal(t, []uint32{83, 282}, out.IDs)
	assert.Positive(t, out.Seconds.Download)
	assert.Equal(t, filepath.Join(home, "hub", "models--openai-community--gpt2", "snapshots", "0123456789abcdef0123456789abcdef01234567"), out.Tokenizer.Path)
	assert.NotContains(t, strings.Join(requests, " "), "safetensors")

	requests = nil
	t.Setenv(envOffline, "1")
	out = tokenizeJSON(t, lora, "the")
	assert.Equal(t, []uint32{83, 282}, out.IDs)
	assert.Zero(t, out.Seconds.Download, "the cache has it now")
	assert.Empty(t, requests)
}

func TestTokenizeColoursATextOnATerminal(t *testing.T) {
	isolateModelPaths(t)
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	gpt2 := writePreset(t, t.TempDir(), "gpt2", "gpt2")
	var out, err bytes.Buffer
	p := &program{out: &output{w: &out, terminal: true, width: 80}, err: &output{w: &err}}
	require.Equal(t, 0, p.execute(t.Context(), []string{"tokenize", gpt2, "the model\x1b🦙"}, strings.NewReader("")), err.String())
	assert.Contains(t, out.String(), "\x1b[46;30mt\x1b[0m\x1b[43;30mhe\x1b[0m \x1b[42;30mmodel\x1b[0m")
	assert.Contains(t, out.String(), `\x1b`, "control characters of the text are escaped")
	golden(t, "tokenize_terminal.txt", durations.ReplaceAllString(out.String(), "TIME"))
}

func TestTokensShowTheirWhiteSpace(t *testing.T) {
	for token, want := range map[string]string{" a": "␣a", "\t": `\t`, "\r\n": `\r\n`, "\u3000": `\u3000`, "\x1b[0m": `\x1b[0m`, "é": "é"} {
		assert.Equal(t, want, visible(token))
	}
}
