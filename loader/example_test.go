package loader_test

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"strings"

	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/loader"
	"omniloader/loader/tokenizer"
)

// models is a filesystem with checkpoints, in the place of os.DirFS("/models").
func models(presets ...string) fs.FS {
	fsys := fixtures.NewFs()
	for _, name := range presets {
		if err := fixtures.New(fsys, name).AddPreset(name); err != nil {
			log.Fatal(err)
		}
	}
	return afero.NewIOFS(fsys)
}

func ExampleLoader_ModelInfo() {
	l := loader.New()
	info, err := l.ModelInfo(models("llama-3-8b"), "llama-3-8b")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Architecture, info.Category, info.Task, info.IsSupported)
	// Output: LlamaForCausalLM transformers causal_lm true
}

func ExampleLoader_Category() {
	d, err := loader.New().Category(models("whisper-small"), "whisper-small")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Category, "by", d.DecidedBy)
	// Output: asr by class name in architectures of config.json
}

func ExampleLoader_Support() {
	s, err := loader.New().Support(models("broken-class-slip"), "broken-class-slip")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.IsSupported, *s.Error)
	fmt.Println("nearest:", *s.Nearest)
	// Output:
	// false no loader is known for the class "Qwen3ForCasualLM" of model type "qwen3_custom"
	// nearest: Qwen3ForCausalLM
}

func ExampleLoader_IsOmni() {
	omni, err := loader.New().IsOmni(models("qwen2.5-omni-7b"), "qwen2.5-omni-7b")
	fmt.Println(omni, err)
	// Output: true <nil>
}

func ExampleLoader_IsSAE() {
	sae, err := loader.New().IsSAE(models("saelens-gpt2-small"), "saelens-gpt2-small")
	fmt.Println(sae, err)
	// Output: true <nil>
}

func ExampleLoader_SAEBaseModel() {
	base, err := loader.New().SAEBaseModel(models("saelens-gpt2-small"), "saelens-gpt2-small")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*base.Name, "named by", *base.Source)
	// Output: gpt2 named by blocks.0.hook_resid_pre/cfg.json
}

func ExampleLoader_Inspect() {
	info, err := loader.New().Inspect(models("broken-missing-shard"), "broken-missing-shard")
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range info.Findings {
		if f.Severity == "error" {
			fmt.Println(f.Code, f.File)
		}
	}
	// Output: shard-missing model-00003-of-00004.safetensors
}

func ExampleLoader_Tokenizer() {
	t, err := loader.New().Tokenizer(models("gpt2"), "gpt2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Type, *t.VocabSize, t.Origin)
	// Output: BPE 50257 checkpoint
}

func ExampleLoader_LoadTokenizer() {
	t, _, err := loader.New().LoadTokenizer(models("gpt2"), "gpt2")
	if err != nil {
		log.Fatal(err)
	}
	encoding, err := t.Encode("Hello", tokenizer.EncodeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(encoding.IDs) > 0)
	// Output: true
}

func ExampleLoader_TokenizerFindings() {
	fsys, l := models("clip-vit-base-patch32"), loader.New()
	t, info, err := l.LoadTokenizer(fsys, "clip-vit-base-patch32")
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range l.TokenizerFindings(fsys, "clip-vit-base-patch32", t, info) {
		fmt.Println(f.Severity, f.Code)
	}
	// Output:
	// warning special-token-id-mismatch
	// warning special-token-id-mismatch
	// note pad-token-is-eos
}

func ExampleLoader_Verify() {
	v, findings, err := loader.New().Verify(context.Background(), models("gpt2"), "gpt2", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Files, "compared:", findings[0].Message)
	// Output: 0 compared: no hash of any file is on record
}

func ExampleOnlyWeights() {
	fsys, dir, ok := loader.OnlyWeights(models("llama-2-7b-gguf"), "llama-2-7b-gguf/llama-2-7b.Q4_K_M.gguf")
	fmt.Println(ok, dir)
	info, err := loader.New().ModelInfo(fsys, dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Layout, info.ModelType)
	// Output:
	// true llama-2-7b-gguf
	// gguf llama
}

func ExampleWithArchitectures() {
	table := strings.NewReader("OurForCausalLM\ttransformers\tcausal_lm\tllama\tLlamaForCausalLM\n")
	added, err := loader.ReadArchitectures("ours.tsv", table)
	if err != nil {
		log.Fatal(err)
	}
	fsys := fixtures.NewFs()
	if err := fixtures.New(fsys, "m").AddConfig(`{"architectures": ["OurForCausalLM"]}`); err != nil {
		log.Fatal(err)
	}
	s, err := loader.New(loader.WithArchitectures(added)).Support(afero.NewIOFS(fsys), "m")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.IsSupported, s.LoadsAs)
	// Output: true LlamaForCausalLM
}
