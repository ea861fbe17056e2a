package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/builtin"
	"omniloader/loader"
	"omniloader/loader/fault"
	"omniloader/loader/undertest"
)

// The code on docs/library.md stands in these examples, line by line.

// models is a filesystem with checkpoints, in the place of os.DirFS("/models").
func models(presets ...string) fs.FS {
	fsys := fixtures.NewFs()
	for _, name := range presets {
		if err := fixtures.New(fsys, name).AddPreset(name); err != nil {
			panic(err)
		}
	}
	return afero.NewIOFS(fsys)
}

func Example_modelInfo() {
	show := func(fsys fs.FS) error {
		l := loader.New()
		info, err := l.ModelInfo(fsys, "llama-3-8b")
		if err != nil {
			return err
		}
		fmt.Println(info.Architecture, info.Category, info.IsSupported)
		return nil
	}
	fmt.Println(show(models("llama-3-8b")))
	// Output:
	// LlamaForCausalLM transformers true
	// <nil>
}

func Example_inspect() {
	show := func(l *loader.Loader, fsys fs.FS) error {
		info, err := l.Inspect(fsys, "broken-missing-shard")
		if err != nil {
			return err
		}
		for _, f := range info.Findings {
			if f.Severity == "error" {
				fmt.Println(f.Code, f.File)
			}
		}
		return nil
	}
	fmt.Println(show(loader.New(), models("broken-missing-shard")))
	// Output:
	// shard-missing model-00003-of-00004.safetensors
	// <nil>
}

func Example_errors() {
	fsys := fixtures.NewFs()
	if err := fixtures.New(fsys, "mine").AddConfig("not JSON"); err != nil {
		panic(err)
	}
	show := func(l *loader.Loader, fsys fs.FS) {
		_, err := l.ModelInfo(fsys, "mine")
		switch fault.KindOf(err) {
		case fault.NotFound:
			fmt.Println("there is no such checkpoint")
		case fault.NotJSON:
			fmt.Println(fault.PathOf(err), "is broken")
		}
	}
	show(loader.New(), afero.NewIOFS(fsys))
	// Output: config.json is broken
}

func Example_architectures() {
	fsys := fixtures.NewFs()
	if err := fixtures.New(fsys, "ours").AddConfig(`{"architectures": ["OurForCausalLM"]}`); err != nil {
		panic(err)
	}
	show := func(fsys fs.FS) error {
		table := strings.NewReader("OurForCausalLM\ttransformers\tcausal_lm\n")
		added, err := loader.ReadArchitectures("ours.tsv", table)
		if err != nil {
			return err
		}
		l := loader.New(loader.WithArchitectures(added))
		support, err := l.Support(fsys, "ours")
		if err != nil {
			return err
		}
		fmt.Println(support.IsSupported)
		return nil
	}
	fmt.Println(show(afero.NewIOFS(fsys)))
	// Output:
	// true
	// <nil>
}

func Example_tokenizer() {
	show := func(fsys fs.FS) error {
		l := loader.New(loader.WithModelRoots("library"))
		tok, about, err := l.LoadTokenizer(fsys, "gpt2")
		if err != nil {
			return err
		}
		ids, err := tok.IDs("hello world", true)
		fmt.Println(about.Type, len(ids) > 0)
		return err
	}
	fmt.Println(show(models("gpt2")))
	// Output:
	// BPE true
	// <nil>
}

func Example_underTest() {
	show := func(ctx context.Context, l undertest.Loader, fsys fs.FS) error {
		call, err := l.Prepare(undertest.ModelInfo, undertest.Input{FS: fsys, Dir: "gpt2"})
		if err != nil {
			return err
		}
		answer, err := call(ctx)
		text, _ := json.Marshal(answer)
		fmt.Println(strings.Contains(string(text), `"model_type":"gpt2"`))
		return err
	}
	fmt.Println(show(context.Background(), builtin.New(""), models("gpt2")))
	// Output:
	// true
	// <nil>
}
