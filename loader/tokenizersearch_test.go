package loader_test

import (
	"context"
	"errors"
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

func TestFailedTokenizerSearchListsAttempts(t *testing.T) {
	_, _, err := loader.New(loader.WithModelRoots("roots"), loader.WithTokenizerFallbacks("spare", "bare")).LoadTokenizer(treeFS(map[string]string{
		"a/m/adapter_config.json":   `{"base_model_name_or_path":"org/base"}`,
		"a/org/base/config.json":    "{}",
		"bare/config.json":          "{}",
		"roots/base/README.md":      "",
		"a/m/tokenizer_config.json": "{}",
	}), "a/m")
	require.ErrorIs(t, err, fault.NotFound)
	assert.Contains(t, fault.HintOf(err), "org/base")
	assert.Equal(t, strings.Join([]string{
		"a/m: no tokenizer, neither in the checkpoint nor elsewhere: not found",
		"  a/m: no file that holds a vocabulary",
		"  a/org/base: no file that holds a vocabulary",
		"  roots/base: no file that holds a vocabulary",
		"  spare: not found",
		"  bare: no file that holds a vocabulary",
		"  not there: models--org--base, hub/models--org--base, org/base, base",
		"    below a, ., roots",
	}, "\n"), err.Error())

	var search *answer.SearchError
	require.ErrorAs(t, err, &search)
	placed := search.MapPaths(func(name string) string { return "/disk/" + name })
	assert.Equal(t, "org/base", placed.Base)
	assert.Contains(t, placed.Error(), "\n  /disk/a/org/base: no file")
	assert.Contains(t, placed.Error(), "\n    below /disk/a, /disk/., /disk/roots")
	assert.Len(t, placed.Tried, len(search.Tried))
	assert.ErrorIs(t, placed, fault.NotFound)
	assert.Contains(t, err.Error(), "\n  a/org/base", "the error itself stays as it is")
}

// A tokenizer that is there and broken must not make room for one with other ids.
func TestUnreadableBaseModelTokenizerEndsSearch(t *testing.T) {
	lora := map[string]string{"m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`, "good/tokenizer.json": smallBPE, "worse/tokenizer.json": `{"model":{"type":"Magic"}}`}
	for name, c := range map[string]struct {
		broken    string
		fallbacks []string
		kind      fault.Kind
	}{
		"base model":           {"org/base/tokenizer.json", []string{"good"}, fault.Truncated},
		"base model in a root": {"roots/org/base/tokenizer.json", []string{"good"}, fault.Truncated},
		"base model in cache":  {"roots/models--org--base/snapshots/abc/tokenizer.json", []string{"good"}, fault.Truncated},
		"last name alone":      {"base/tokenizer.json", []string{"good"}, fault.Truncated},
		"first fallback":       {"bad/tokenizer.json", []string{"bad", "good"}, fault.Truncated},
		"component":            {"worse/tokenizer.json", []string{"worse", "good"}, ""},
	} {
		files := map[string]string{c.broken: `{"version":"1.0",`}
		for k, v := range lora {
			if _, ok := files[k]; !ok || name == "component" {
				files[k] = v
			}
		}
		l := loader.New(loader.WithModelRoots("roots"), loader.WithTokenizerFallbacks(c.fallbacks...))
		_, _, err := l.LoadTokenizer(treeFS(files), "m")
		require.Error(t, err, name)
		assert.Equal(t, c.broken, fault.PathOf(err), name)
		if c.kind == "" {
			assert.Contains(t, err.Error(), "Magic", name)
			continue
		}
		assert.Equal(t, c.kind, fault.KindOf(err), name)
		_, err = l.Tokenizer(treeFS(files), "m")
		assert.Equal(t, c.broken, fault.PathOf(err), name)

		var search *answer.SearchError
		require.ErrorAs(t, err, &search, name)
		assert.Equal(t, "/"+c.broken, fault.PathOf(search.MapPaths(func(p string) string { return "/" + p })), name)
	}
}

func TestInspectReportsUnreadableBaseModelTokenizer(t *testing.T) {
	info, err := loader.New().Inspect(treeFS(map[string]string{
		"a/m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`, "a/org/base/tokenizer.json": `{"version":`,
	}), "a/m")
	require.NoError(t, err)
	for _, f := range info.Findings {
		if f.Code == finding.TokenizerUnreadable {
			assert.Equal(t, "../org/base/tokenizer.json", f.File)
			return
		}
	}
	t.Error("no finding about the base model's tokenizer:", info.Findings)
}

// An incomplete model in a Hugging Face cache is downloaded again; one in any other
// directory is an error.
func TestFetchIsCalledForIncompleteHubCache(t *testing.T) {
	there := treeFS(map[string]string{"snap/tokenizer.json": smallBPE})
	asked := 0
	fetch := loader.WithFetch(func(context.Context, string, string) (fs.FS, string, error) { asked++; return there, "snap", nil })
	lora := map[string]string{"m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`, "models--org--base/snapshots/abc/tokenizer.json": `{`}
	_, info, err := loader.New(fetch).LoadTokenizer(treeFS(lora), "m")
	require.NoError(t, err)
	assert.Equal(t, "snap", info.Path)
	assert.Equal(t, 1, asked)
	said := ""
	for _, tried := range info.Tried {
		said += tried.Reason + "\n"
	}
	assert.Contains(t, said, "truncated")

	_, _, err = loader.New(loader.WithFetch(func(context.Context, string, string) (fs.FS, string, error) { return nil, "", errors.New("no route") })).LoadTokenizer(treeFS(lora), "m")
	assert.Equal(t, "models--org--base/snapshots/abc/tokenizer.json", fault.PathOf(err))

	lora["org/base/tokenizer.json"] = "{"
	_, _, err = loader.New(fetch).LoadTokenizer(treeFS(lora), "m")
	assert.Equal(t, "org/base/tokenizer.json", fault.PathOf(err))
	assert.Equal(t, 1, asked)
}

func TestAdapterWithBaseModelPath(t *testing.T) {
	for name, path := range map[string]string{
		"/disk/org/base": "disk/org/base", "../org/base": "disk/org/base", "../../base": "base", "./base": "disk/m/base", "/base/": "base",
	} {
		files := map[string]string{"disk/m/adapter_config.json": `{"base_model_name_or_path":"` + name + `"}`, path + "/tokenizer.json": smallBPE}
		_, info, err := loader.New().LoadTokenizer(treeFS(files), "disk/m")
		require.NoError(t, err, name)
		assert.Equal(t, path, info.Path, name)
		assert.Equal(t, answer.OriginBaseModel, info.Origin, name)
	}
	fetch := loader.WithFetch(func(_ context.Context, model, _ string) (fs.FS, string, error) {
		t.Error("asked for", model)
		return nil, "", errors.New("no")
	})
	for _, dead := range []string{"/home/me/llama", "../../../etc", "../../../../..", "~/base", `C:\\models\\base`, "/", ".", "..", `a\u0000b/c/d`, `a\u0000b`} {
		_, err := loader.New(fetch).Tokenizer(treeFS(map[string]string{"disk/m/adapter_config.json": `{"base_model_name_or_path":"` + dead + `"}`}), "disk/m")
		assert.ErrorIs(t, err, fault.NotFound, dead)
	}
}

func TestAdapterWithBaseModelRevision(t *testing.T) {
	files := map[string]string{
		"m/adapter_config.json":                             `{"base_model_name_or_path":"org/base","revision":"dev"}`,
		"models--org--base/refs/main":                       "aaa",
		"models--org--base/snapshots/aaa/tokenizer.json":    smallBPE,
		"models--org--base/refs/dev":                        "ddd",
		"models--org--base/snapshots/ddd/tokenizer.json":    smallBPE,
		"models--org--base/snapshots/c0ffee/tokenizer.json": smallBPE,
	}
	at := func(revision string) (string, error) {
		files["m/adapter_config.json"] = `{"base_model_name_or_path":"org/base","revision":` + revision + `}`
		info, err := loader.New().Tokenizer(treeFS(files), "m")
		if err != nil {
			return "", err
		}
		return strings.TrimPrefix(info.Path, "models--org--base/snapshots/"), nil
	}
	for revision, want := range map[string]string{`"dev"`: "ddd", `"c0ffee"`: "c0ffee", "null": "aaa", `"main"`: "aaa", `"../x"`: "aaa", "7": "aaa"} {
		got, err := at(revision)
		require.NoError(t, err, revision)
		assert.Equal(t, want, got, revision)
	}
	_, err := at(`"v2"`)
	require.ErrorIs(t, err, fault.NotFound, "another revision is another model")

	var asked string
	_, _, err = loader.New(loader.WithFetch(func(_ context.Context, model, revision string) (fs.FS, string, error) {
		asked = model + " " + revision
		return treeFS(map[string]string{"s/tokenizer.json": smallBPE}), "s", nil
	})).LoadTokenizer(treeFS(files), "m")
	require.NoError(t, err)
	assert.Equal(t, "org/base v2", asked)
}

// A directory that has only the last name may be another model's.
func TestBaseModelByLastNameIsReportedAsUncertain(t *testing.T) {
	files := map[string]string{
		"a/b/m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`,
		"a/b/m/config.json":         `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`,
		"a/b/base/tokenizer.json":   smallBPE, "a/base/tokenizer.json": smallBPE, "base/tokenizer.json": smallBPE,
		"cache/models--org--base/refs/main":                  "abc",
		"cache/models--org--base/snapshots/abc/vocab.txt":    "[UNK]\n",
		"cache/models--org--other/snapshots/abc/config.json": "{}",
	}
	delete(files, "a/b/m/config.json")
	find := func() *answer.Info {
		info, err := loader.New(loader.WithModelRoots("cache")).Inspect(treeFS(files), "a/b/m")
		require.NoError(t, err)
		return info
	}
	info := find()
	assert.Equal(t, "cache/models--org--base/snapshots/abc", info.Tokenizer.Path)
	assert.NotContains(t, codesOf(info), finding.TokenizerGuessed)
	delete(files, "cache/models--org--base/snapshots/abc/vocab.txt")
	for _, want := range []string{"a/b/base", "a/base"} {
		info = find()
		assert.Equal(t, want, info.Tokenizer.Path)
		assert.Contains(t, codesOf(info), finding.TokenizerGuessed)
		tok, loaded, err := loader.New(loader.WithModelRoots("cache")).LoadTokenizer(treeFS(files), "a/b/m")
		require.NoError(t, err)
		found := loader.New().TokenizerFindings(treeFS(files), "a/b/m", tok, loaded)
		require.NotEmpty(t, found)
		assert.Equal(t, finding.TokenizerGuessed, found[0].Code)
		delete(files, want+"/tokenizer.json")
	}
	assert.Nil(t, find().Tokenizer, "further up, the name says nothing")
}

func codesOf(info *answer.Info) (codes []string) {
	for _, f := range info.Findings {
		codes = append(codes, f.Code)
	}
	return codes
}

func TestBaseModelFromCardAndConfig(t *testing.T) {
	const class = `"architectures":["LlamaForCausalLM"],"model_type":"llama"`
	for name, c := range map[string]struct {
		card, config string
		found        bool
	}{
		"card":           {"---\nbase_model: org/base\n---\n", "{" + class + "}", true},
		"list of one":    {"---\nbase_model:\n- org/base\n---\n", "{" + class + "}", true},
		"config":         {"", `{"_name_or_path":"org/base",` + class + "}", true},
		"merge":          {"---\nbase_model:\n- org/base\n- org/other\n---\n", "{" + class + "}", false},
		"path":           {"", `{"_name_or_path":"/home/me/org/base",` + class + "}", false},
		"no words":       {"---\nbase_model: org/base\n---\n", `{"architectures":["ViTForImageClassification"],"model_type":"vit"}`, false},
		"card, no words": {"---\nbase_model: [[org/base]]\n---\n", "{" + class + "}", false},
	} {
		files := map[string]string{"m/config.json": c.config, "org/base/tokenizer.json": smallBPE}
		if c.card != "" {
			files["m/README.md"] = c.card
		}
		_, info, err := loader.New().LoadTokenizer(treeFS(files), "m")
		if !c.found {
			assert.ErrorIs(t, err, fault.NotFound, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, "org/base", info.Path, name)
		inspected, err := loader.New().Inspect(treeFS(files), "m")
		require.NoError(t, err, name)
		assert.Contains(t, codesOf(inspected), finding.TokenizerGuessed, name)
	}
}
