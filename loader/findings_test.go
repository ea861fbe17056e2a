package loader_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

// declaredCodes are the constants of package finding, by name, and how often the
// packages below loader use each.
func declaredCodes(t *testing.T) (codes map[string]string, uses map[string]int) {
	t.Helper()
	codes, uses = map[string]string{}, map[string]int{}
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if len(n.Values) == 0 {
					return true
				}
				if literal, ok := n.Values[0].(*ast.BasicLit); ok && name == filepath.Join("finding", "codes.go") && len(n.Values) == 1 {
					codes[n.Names[0].Name] = strings.Trim(literal.Value, `"`)
				}
				return true
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "finding" {
					uses[n.Sel.Name]++
				}
			}
			return true
		})
		return err
	})
	require.NoError(t, err)
	return codes, uses
}

// Every code is documented, and everything documented is a code that something
// reports: by its constant, or because a kind of error becomes it.
func TestEveryCodeIsDocumentedAndUsed(t *testing.T) {
	codes, uses := declaredCodes(t)
	table, err := os.ReadFile("finding/findings.tsv")
	require.NoError(t, err)
	byKind := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if f := strings.Split(line, "\t"); line[0] != '#' && f[2] != "-" {
			byKind[f[0]] = true
		}
	}
	documented := map[string]bool{}
	for _, e := range finding.Explanations() {
		documented[e.Code] = true
		assert.NotEmpty(t, e.Title, e.Code)
		assert.True(t, strings.HasSuffix(e.Means, "."), e.Code)
		assert.True(t, strings.HasSuffix(e.WayOut, "."), e.Code)
		assert.Contains(t, []answer.Severity{answer.SeverityError, answer.SeverityWarning, answer.SeverityNote}, e.Severity, e.Code)
	}
	seen := map[string]bool{}
	for name, code := range codes {
		assert.True(t, documented[code], "%s (%s) is not in findings.tsv", name, code)
		assert.True(t, uses[name] > 0 || byKind[code], "nothing reports %s (%s)", name, code)
		seen[code] = true
	}
	for code := range documented {
		assert.True(t, seen[code], "findings.tsv has %q, which is no code", code)
	}
}

// readTable gives a table of one of the packages below loader.
func readTable(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("internal/*/" + name)
	require.NoError(t, err)
	if name == "findings.tsv" {
		found = []string{"finding/findings.tsv"}
	}
	require.Len(t, found, 1, name)
	data, err := os.ReadFile(found[0])
	require.NoError(t, err)
	return string(data)
}

// The knowledge of an inspection is data, sorted where its order does not matter,
// without a line twice.
func TestTablesAreSortedAndUnique(t *testing.T) {
	ordered := []string{"weight_names.tsv", "packing.tsv", "packing_companions.tsv", "config_keys.tsv"}
	for _, name := range append(ordered, "weight_prefixes.tsv", "quantization_methods.tsv", "tokenizer_components.tsv", "findings.tsv") {
		data := readTable(t, name)
		var lines []string
		for line := range strings.Lines(data) {
			if line[0] != '#' {
				lines = append(lines, line)
			}
		}
		unique := slices.Clone(lines)
		slices.Sort(unique)
		assert.Len(t, slices.Compact(unique), len(lines), name)
		if !slices.Contains(ordered, name) {
			key := func(a, b string) int {
				x, _, _ := strings.Cut(a, "\t")
				y, _, _ := strings.Cut(b, "\t")
				return strings.Compare(x, y)
			}
			assert.True(t, slices.IsSortedFunc(lines, key), name)
		}
	}
}

// findingCase lays a directory out and expects a finding.
type findingCase struct {
	name     string
	files    map[string]string
	code     string
	severity answer.Severity
	file     string
	says     string
}

const sparseConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"vocab_size":6}`

// sound is a small checkpoint without findings; changes are laid over it, and an
// empty text with a minus before the name removes a file.
func sound(changes map[string]string) map[string]string {
	files := map[string]string{
		"m/config.json": sparseConfig, "m/model.safetensors": tensors("model.embed_tokens.weight"),
		"m/tokenizer.json": smallBPE, "m/tokenizer_config.json": `{"pad_token":"<p>"}`,
	}
	for name, text := range changes {
		if gone, ok := strings.CutPrefix(name, "-"); ok {
			delete(files, gone)
		} else {
			files[name] = text
		}
	}
	return files
}

const (
	pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff6d22eadbb8f32b1258daaa5e2ca24d17e2393a\nsize 9886543210\n"
	page    = "<!DOCTYPE html><html><title>401</title></html>"
	reduce  = "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R."
)

func indexOf(pairs ...string) string {
	var b strings.Builder
	b.WriteString(`{"weight_map":{`)
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(strconv.Quote(pairs[i]) + ":" + strconv.Quote(pairs[i+1]))
	}
	b.WriteString("}}")
	return b.String()
}

var findingCases = []findingCase{
	{"no tensor", sound(map[string]string{"m/model.safetensors": tensors()}), finding.WeightsEmpty, "error", "model.safetensors", "no tensor in model.safetensors"},
	{"a tensor name twice", sound(map[string]string{"m/model.safetensors": strings.Replace(tensors("model.embed_tokens.weight", "model.embed_tokens.weighT"), "weighT\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]", "weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]", 1)}),
		finding.TensorNameTwice, "warning", "model.safetensors", "1 tensor name twice in the header: model.embed_tokens.weight"},
	{"pointer as weights", sound(map[string]string{"m/model.safetensors": pointer}), finding.LFSPointer, "error", "model.safetensors", "9.9 GB"},
	{"pointer as tokenizer", sound(map[string]string{"m/tokenizer.json": pointer}), finding.LFSPointer, "error", "tokenizer.json", "9.9 GB"},
	{"pointer as picture", sound(map[string]string{"m/plot.png": pointer}), finding.LFSPointer, "note", "plot.png", ""},
	{"pointer as unused weights", sound(map[string]string{"m/pytorch_model.bin": pointer}), finding.LFSPointer, "warning", "pytorch_model.bin", ""},
	{"page", sound(map[string]string{"m/model.safetensors": page}), finding.HTMLPage, "error", "model.safetensors", "401"},
	{"server's reply", sound(map[string]string{"m/model.safetensors": "Entry not found"}), finding.ServerReply, "error", "model.safetensors", "Entry not found"},
	{"zeros", sound(map[string]string{"m/model.safetensors": strings.Repeat("\x00", 900)}), finding.ZeroFilled, "error", "model.safetensors", ""},
	{"empty", sound(map[string]string{"m/model.safetensors": ""}), finding.FileEmpty, "error", "model.safetensors", ""},
	{"unfinished", sound(map[string]string{"m/model.safetensors.part": "x"}), finding.IncompleteDownload, "warning", "model.safetensors.part", "Firefox"},
	{"unfinished in a directory", sound(map[string]string{"m/.cache/huggingface/download/a.b.incomplete": "x"}), finding.IncompleteDownload, "warning", ".cache/huggingface/download/a.b.incomplete", "1 bytes"},
	{"cut", sound(map[string]string{"m/model.safetensors": tensors("model.embed_tokens.weight")[:80]}), finding.WeightsTruncated, "error", "model.safetensors", ""},
	{"header beyond 100 MB", sound(map[string]string{"m/model.safetensors": "\x00\x00\x00\x20\x00\x00\x00\x00{" + strings.Repeat(" ", 50)}), finding.WeightsHeaderTooLarge, "error", "model.safetensors", ""},
	{"broken header", sound(map[string]string{"m/model.safetensors": "\x04\x00\x00\x00\x00\x00\x00\x00{,,}"}), finding.WeightsUnreadable, "error", "model.safetensors", ""},
	{"missing shard without an index", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00002.safetensors": tensors("model.embed_tokens.weight")}), finding.ShardMissing, "error", "model-00002-of-00002.safetensors", "1 of the 2"},
	{"shards without an index", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00001.safetensors": tensors("model.embed_tokens.weight")}), finding.IndexMissing, "warning", "model.safetensors.index.json", "1 tensor in 1 file"},
	{"stale index", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00001.safetensors": tensors("model.embed_tokens.weight"), "m/model.safetensors.index.json": indexOf("a", "model-00001-of-00003.safetensors")}), finding.IndexStale, "error", "model.safetensors.index.json", ""},
	{"index that is broken", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00001.safetensors": tensors("model.embed_tokens.weight"), "m/model.safetensors.index.json": "{"}), finding.IndexUnreadable, "error", "model.safetensors.index.json", ""},
	{"index that leads out", sound(map[string]string{"-m/model.safetensors": "", "m/model.safetensors.index.json": indexOf("a", "../x.safetensors")}), finding.IndexUnsafe, "error", "model.safetensors.index.json", ""},
	{"index of pickles", sound(map[string]string{"-m/model.safetensors": "", "m/model.safetensors.index.json": indexOf("a", "x.bin"), "m/x.bin": reduce}), finding.IndexOtherFormat, "error", "model.safetensors.index.json", ""},
	{"tensor missing", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00001.safetensors": tensors("model.embed_tokens.weight"), "m/model.safetensors.index.json": indexOf("model.embed_tokens.weight", "model-00001-of-00001.safetensors", "b", "model-00001-of-00001.safetensors")}), finding.TensorMissing, "error", "model-00001-of-00001.safetensors", `"b"`},
	{"tensor not listed", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-00001.safetensors": tensors("model.embed_tokens.weight", "b"), "m/model.safetensors.index.json": indexOf("model.embed_tokens.weight", "model-00001-of-00001.safetensors")}), finding.TensorNotInIndex, "warning", "model-00001-of-00001.safetensors", `"b"`},
	{"single file and index", sound(map[string]string{"m/model-00001-of-00001.safetensors": tensors("a"), "m/model.safetensors.index.json": indexOf("a", "model-00001-of-00001.safetensors")}), finding.WeightsSingleAndIndex, "warning", "model.safetensors", "1 shards"},
	{"odd padding", sound(map[string]string{"-m/model.safetensors": "", "m/model-00001-of-000001.safetensors": tensors("model.embed_tokens.weight"), "m/model.safetensors.index.json": indexOf("model.embed_tokens.weight", "model-00001-of-000001.safetensors")}), finding.ShardNamePadding, "note", "model-00001-of-000001.safetensors", ""},
	{"consolidated beside shards", sound(map[string]string{"m/consolidated.safetensors": tensors("a")}), finding.WeightsDuplicate, "warning", "consolidated.safetensors", "same format"},
	{"bin beside safetensors", sound(map[string]string{"m/pytorch_model.bin": "\x80\x02}."}), finding.WeightsDuplicate, "note", "pytorch_model.bin", ""},
	{"variant only", sound(map[string]string{"-m/model.safetensors": "", "m/model.fp16.safetensors": tensors("model.embed_tokens.weight")}), finding.WeightsVariantOnly, "warning", "model.fp16.safetensors", "fp16"},
	{"no weights", sound(map[string]string{"-m/model.safetensors": ""}), finding.WeightsMissing, "error", "", ""},
	{"dangerous pickle", sound(map[string]string{"-m/model.safetensors": "", "m/pytorch_model.bin": reduce}), finding.PickleDangerous, "error", "pytorch_model.bin", "posix.system"},
	{"dangerous pickle that is not in use", sound(map[string]string{"m/optimizer.pt": reduce}), finding.PickleDangerous, "error", "optimizer.pt", "posix.system"},
	{"unknown import", sound(map[string]string{"-m/model.safetensors": "", "m/pytorch_model.bin": "\x80\x02cmine\nThing\n."}), finding.PickleUnknown, "warning", "pytorch_model.bin", "mine.Thing"},
	{"newer tokenizer", sound(map[string]string{"m/tokenizer.json": `{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Quantum"}]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}`}), finding.TokenizerComponent, "warning", "tokenizer.json", `"Quantum" of pre_tokenizer`},
	{"newer model of the tokenizer", sound(map[string]string{"m/tokenizer.json": `{"model":{"type":"SuperBPE","vocab":{"a":0}}}`}), finding.TokenizerComponent, "warning", "tokenizer.json", `"SuperBPE" of model`},
	{"merges as pairs", sound(map[string]string{"m/tokenizer.json": `{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a","a"]]}}`}), finding.TokenizerMergePairs, "note", "tokenizer.json", ""},
	{"tiktoken", sound(map[string]string{"-m/tokenizer.json": "", "m/tokenizer.model": "IQ== 0\nIg== 1\nIw== 2\n"}), finding.TokenizerTiktoken, "note", "tokenizer.model", ""},
	{"too many tokens", sound(map[string]string{"m/config.json": strings.Replace(sparseConfig, `"vocab_size":6`, `"vocab_size":5`, 1)}), finding.VocabExceedsEmbeddings, "warning", "tokenizer.json", "5 rows"},
	{"too new", sound(map[string]string{"m/config.json": `{"architectures":["TomorrowForCausalLM"],"model_type":"tomorrow","transformers_version":"7.1.0"}`}), finding.ArchitectureNewer, "warning", "config.json", "7.1.0"},
	{"unknown", sound(map[string]string{"m/config.json": `{"architectures":["TomorrowForCausalLM"],"model_type":"tomorrow","transformers_version":"4.40.0"}`}), finding.ArchitectureUnknown, "warning", "config.json", "TomorrowForCausalLM"},
	{"no model type", sound(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"tie_word_embeddings":true}`}), finding.ModelTypeMissing, "warning", "config.json", "LlamaForCausalLM"},
	{"no config", sound(map[string]string{"-m/config.json": ""}), finding.ConfigMissing, "error", "config.json", "1 file of safetensors"},
	{"params.json of another format", sound(map[string]string{"-m/config.json": "", "m/params.json": "{}"}), finding.ConfigMissing, "note", "config.json", "params.json"},
	{"adapter without base", map[string]string{"m/adapter_config.json": `{"peft_type":"LORA","base_model_name_or_path":null}`, "m/adapter_model.safetensors": tensors("a")}, finding.AdapterBaseMissing, "warning", "adapter_config.json", "is null"},
	{"adapter of a dead path", map[string]string{"m/adapter_config.json": `{"peft_type":"LORA","base_model_name_or_path":"/home/me/llama"}`, "m/adapter_model.safetensors": tensors("a")}, finding.AdapterBasePath, "warning", "adapter_config.json", "/home/me/llama"},
	{"base class", sound(map[string]string{"m/config.json": `{"architectures":["LlamaModel"],"model_type":"llama"}`, "m/model.safetensors": tensors("embed_tokens.weight")}), finding.ArchitectureBaseClass, "note", "config.json", ""},
	{"unknown quantization", sound(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"quantization_config":{"quant_method":"zip9"}}`}), finding.QuantizationUnknown, "warning", "config.json", `"zip9"`},
	{"two quantizations", sound(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"quantization_config":{"quant_method":"awq","bits":4}}`, "m/quantize_config.json": `{"bits":8,"group_size":128}`}), finding.QuantizationConflict, "warning", "quantize_config.json", "gptq of 8 bits"},
	{"prefix", sound(map[string]string{"m/model.safetensors": tensors("language_model.model.embed_tokens.weight")}), finding.WeightPrefix, "warning", "model.safetensors", `"language_model.model."`},
	{"no embedding", sound(map[string]string{"m/model.safetensors": tensors("a")}), finding.WeightWithoutCounterpart, "warning", "model.safetensors", "model.embed_tokens.weight"},
	{"no head", sound(map[string]string{"m/config.json": strings.Replace(sparseConfig, "true", "false", 1)}), finding.WeightWithoutCounterpart, "warning", "config.json", "lm_head.weight"},
	{"code not here", sound(map[string]string{"m/tokenizer_config.json": `{"pad_token":"<p>","auto_map":{"AutoTokenizer":["tokenization_x.X",null]}}`}), finding.CustomCodeMissing, "warning", "tokenization_x.py", "tokenizer_config.json"},
	{"code elsewhere", sound(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"auto_map":{"AutoConfig":"nomic-ai/nomic--configuration_x.X"}}`}), finding.CustomCodeElsewhere, "warning", "config.json", "nomic-ai/nomic"},
	{"empty pipeline", map[string]string{"m/model_index.json": `{"_class_name":"FluxPipeline"}`}, finding.PipelineEmpty, "error", "model_index.json", ""},
	{"component missing", map[string]string{"m/model_index.json": `{"_class_name":"FluxPipeline","vae":["diffusers","AutoencoderKL"]}`}, finding.ComponentMissing, "error", "vae", "AutoencoderKL"},
	{"component without weights", map[string]string{"m/model_index.json": `{"_class_name":"FluxPipeline","vae":["diffusers","AutoencoderKL"]}`, "m/vae/config.json": "{}"}, finding.ComponentMissing, "error", "vae", "no weights"},
	{"single file checkpoint", map[string]string{"m/sd.safetensors": tensors("model.diffusion_model.x")}, finding.SingleFileCheckpoint, "note", "sd.safetensors", ""},
	{"misspelled sparsity", map[string]string{"m/blocks.0.hook_resid_pre/cfg.json": `{"d_in":4,"d_sae":8,"hook_name":"blocks.0.hook_resid_pre","model_name":"gpt2","architecture":"standard"}`, "m/blocks.0.hook_resid_pre/sae_weights.safetensors": tensors("W_enc"), "m/blocks.0.hook_resid_pre/sparsity.safetensor": tensors("sparsity")}, finding.SAEFileMisspelled, "warning", "blocks.0.hook_resid_pre/sparsity.safetensor", "sparsity.safetensors"},
	{"card", sound(map[string]string{"m/README.md": "---\nlicense: [\n---\n"}), finding.CardUnreadable, "note", "README.md", ""},
	{"download record without the file", sound(map[string]string{"m/.cache/huggingface/download/generation_config.json.metadata": "a\nb\n1\n"}), finding.FileMissing, "warning", "generation_config.json", ""},
}

func TestFindings(t *testing.T) {
	for _, c := range findingCases {
		t.Run(c.name, func(t *testing.T) {
			info := inspect(t, c.files)
			i := slices.IndexFunc(info.Findings, func(f answer.Finding) bool { return f.Code == c.code && f.File == c.file })
			require.GreaterOrEqual(t, i, 0, "%+v", info.Findings)
			f := info.Findings[i]
			assert.Equal(t, c.severity, f.Severity)
			assert.Contains(t, f.Message, c.says)
			assert.NotEmpty(t, f.Hint)
			for _, f := range info.Findings {
				_, ok := finding.Explain(f.Code)
				assert.True(t, ok, f.Code)
			}
		})
	}
}

func TestSoundCheckpointHasNoFindings(t *testing.T) {
	assert.Empty(t, inspect(t, sound(nil)).Findings)
}

// A file with something in place of its content is reported once, and not again as a
// file that cannot be read.
func TestOneCauseGivesOneFinding(t *testing.T) {
	for _, name := range []string{"m/model.safetensors", "m/config.json", "m/tokenizer.json"} {
		info := inspect(t, sound(map[string]string{name: pointer}))
		about := 0
		for _, f := range info.Findings {
			if "m/"+f.File == name {
				about++
			}
		}
		assert.Equal(t, 1, about, "%s: %+v", name, info.Findings)
	}
}

const cacheDir = "hub/models--org--name/"

func inspectCache(t *testing.T, files map[string]string) *answer.Info {
	t.Helper()
	info, err := loader.New().Inspect(treeFS(files), cacheDir+"snapshots/abc")
	require.NoError(t, err)
	return info
}

// inCache is the sound checkpoint as a snapshot of the cache.
func inCache(more map[string]string) map[string]string {
	files := map[string]string{}
	for name, text := range sound(nil) {
		files[cacheDir+"snapshots/abc/"+strings.TrimPrefix(name, "m/")] = text
	}
	for name, text := range more {
		if text == "" {
			delete(files, cacheDir+name)
		} else {
			files[cacheDir+name] = text
		}
	}
	return files
}

func TestHubCacheReportsMissingFiles(t *testing.T) {
	tree := `{"format_version":1,"files":{"config.json":{"size":` + strconv.Itoa(len(sparseConfig)) + `},"tokenizer.json":{"size":1},` +
		`"vocab.json":{"size":10},"model.safetensors":{"size":130,"lfs_size":4000},"pytorch_model.bin":{"size":5000},"merges.txt":{"size":3}}}`
	info := inspectCache(t, inCache(map[string]string{"trees/abc.json": tree, "refs/main": "abc\n", "refs/v2": "def", "blobs/e.incomplete": "1234"}))
	found := map[string]string{}
	for _, f := range info.Findings {
		found[f.Code+" "+f.File] = f.Hint
	}
	assert.Equal(t, map[string]string{
		"cache-ref-dangling refs/v2":             "hf download org/name",
		"incomplete-download blobs/e.incomplete": "hf download org/name",
		"file-size tokenizer.json":               "delete it and run hf download org/name tokenizer.json",
		"file-size model.safetensors":            "delete it and run hf download org/name model.safetensors",
		"file-missing vocab.json":                "hf download org/name vocab.json",
		"file-missing merges.txt":                "hf download org/name merges.txt",
		"file-missing ":                          "nothing to do if they were left out on purpose",
	}, found)
	assert.Empty(t, inspectCache(t, inCache(map[string]string{"refs/main": "abc"})).Findings)
}

func TestMemorySaysThatWeightsDifferFromTheCommit(t *testing.T) {
	tree := `{"format_version":1,"files":{"model.safetensors":{"size":130,"lfs_size":4000}}}`
	info := inspectCache(t, inCache(map[string]string{"trees/abc.json": tree}))
	require.NotNil(t, info.Weights)
	require.False(t, *info.Weights.Complete)
	require.NotNil(t, info.Memory)
	assert.Contains(t, strings.Join(info.Memory.Notes, "\n"), "incomplete")
}

func TestMissingShardInHubCacheHasDownloadHint(t *testing.T) {
	info := inspectCache(t, inCache(map[string]string{"snapshots/abc/model.safetensors": "",
		"snapshots/abc/model.safetensors.index.json": indexOf("a", "model-00001-of-00001.safetensors")}))
	i := slices.IndexFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.ShardMissing })
	require.GreaterOrEqual(t, i, 0, "%+v", info.Findings)
	assert.Equal(t, "hf download org/name model-00001-of-00001.safetensors", info.Findings[i].Hint)
	assert.Equal(t, []string{"model-00001-of-00001.safetensors"}, info.Weights.Missing)
}

// plainFS has files that can be read forward only.
type plainFS struct{ fs.FS }

type plainFile struct{ fs.File }

func (p plainFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if _, ok := f.(fs.ReadDirFile); ok {
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return f, nil
		}
	}
	return plainFile{f}, nil
}

func TestFilesWithoutReadAt(t *testing.T) {
	files := sound(map[string]string{"m/model.safetensors": tensors("model.embed_tokens.weight") + ""})
	want := inspect(t, files)
	got, err := loader.New().Inspect(plainFS{treeFS(files)}, "m")
	require.NoError(t, err)
	assert.Equal(t, want.Weights, got.Weights)
	assert.Empty(t, got.Findings)
}

func TestErrorKindsInFindingsTableExist(t *testing.T) {
	for _, kind := range []fault.Kind{fault.LFSPointer, fault.HTMLPage, fault.ZeroFilled, fault.Empty, fault.Incomplete, fault.Truncated, fault.Unsafe, fault.Unreadable} {
		data, err := os.ReadFile("finding/findings.tsv")
		require.NoError(t, err)
		assert.Contains(t, string(data), string(kind))
	}
}
