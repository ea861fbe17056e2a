package gguf

import (
	_ "embed"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Type is the type of a tensor's data, numbered as ggml_type in ggml.h.
type Type uint32

// Tables, sorted by the first column. In types.tsv a block of 0 elements marks a type
// that ggml has removed.
var (
	//go:embed types.tsv
	typesTSV string
	//go:embed file_types.tsv
	fileTypesTSV string
	//go:embed architectures.tsv
	architecturesTSV string
)

type block struct {
	name            string
	elements, bytes uint64
}

// blocks is indexed by Type; numbers that were never used have no name.
var blocks = sync.OnceValue(func() []block {
	var all []block
	for id, rest := range numberedRows(typesTSV) {
		name, sizes, _ := strings.Cut(rest, "\t")
		elements, bytes, _ := strings.Cut(sizes, "\t")
		for len(all) <= id {
			all = append(all, block{})
		}
		all[id] = block{name, uint64(number(elements)), uint64(number(bytes))}
	}
	return all
})

// fileTypes maps general.file_type to its name.
var fileTypes = sync.OnceValue(func() map[uint64]string {
	all := make(map[uint64]string, 64)
	for id, rest := range numberedRows(fileTypesTSV) {
		name, _, _ := strings.Cut(rest, "\t")
		all[uint64(id)] = name
	}
	return all
})

// numberedRows yields the rows of a table after its header: the number in the first
// column, and the rest of the line.
func numberedRows(table string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		_, table, _ := strings.Cut(table, "\n")
		for line := range strings.Lines(table) {
			id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if !yield(number(id), rest) {
				return
			}
		}
	}
}

// number parses a number of the tables; a test checks that all are valid.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func (t Type) block() block {
	if all := blocks(); uint64(t) < uint64(len(all)) {
		return all[t]
	}
	return block{}
}

// String returns ggml's name, "Q4_K".
func (t Type) String() string {
	if name := t.block().name; name != "" {
		return name
	}
	return "type " + strconv.FormatUint(uint64(t), 10)
}

// Known reports that ggml has, or had, a type of this number.
func (t Type) Known() bool { return t.block().name != "" }

// Removed reports that ggml no longer reads this type.
func (t Type) Removed() bool { return t.Known() && t.block().elements == 0 }

// Block returns the number of elements of one block, and its size in bytes.
func (t Type) Block() (elements, bytes uint64) {
	b := t.block()
	return b.elements, b.bytes
}

// FileType returns general.file_type and its name without the prefix MOSTLY_:
// "Q4_K_M". The numbers are those of llama_ftype in llama.h, which differ from those
// of Type and of ggml_ftype. The name is empty where the number is unknown, and ok is
// false where the key is missing or no integer.
func (f *File) FileType() (id uint64, name string, ok bool) {
	v := f.Key("general.file_type")
	if !v.Valid() || !v.Type().integer() || v.Type().signed() && v.Int() < 0 {
		return 0, "", false
	}
	return v.Uint(), fileTypes()[v.Uint()], true
}

// Architecture describes a value of general.architecture.
type Architecture struct {
	Name     string // as in general.architecture
	Category string // what loads it: transformers, vision_encoder, audio_encoder, diffusers
	Task     string // causal_lm, text_encoder, vision_language, projector …
	Source   string // the program that uses the name: llama.cpp, ollama (for its own engine), comfyui-gguf
}

var architectures = sync.OnceValue(func() []Architecture {
	_, table, _ := strings.Cut(architecturesTSV, "\n")
	all := make([]Architecture, 0, strings.Count(table, "\n"))
	for line := range strings.Lines(table) {
		a := Architecture{}
		rest := strings.TrimSuffix(line, "\n")
		a.Name, rest, _ = strings.Cut(rest, "\t")
		a.Category, rest, _ = strings.Cut(rest, "\t")
		a.Task, a.Source, _ = strings.Cut(rest, "\t")
		all = append(all, a)
	}
	return all
})

// LookupArchitecture finds a name of general.architecture.
func LookupArchitecture(name string) (Architecture, bool) {
	all := architectures()
	i, found := slices.BinarySearchFunc(all, name, func(a Architecture, name string) int {
		return strings.Compare(a.Name, name)
	})
	if !found {
		return Architecture{}, false
	}
	return all[i], true
}
