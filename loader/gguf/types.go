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

// Knowledge, one line each, sorted by the first column; a block of 0 elements
// stands for a type that ggml has removed.
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
	for id, rest := range numbered(typesTSV) {
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
	for id, rest := range numbered(fileTypesTSV) {
		name, _, _ := strings.Cut(rest, "\t")
		all[uint64(id)] = name
	}
	return all
})

// numbered yields the lines of a table behind its header: the number in the first
// column, and the rest.
func numbered(table string) iter.Seq2[int, string] {
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

// number reads a number of the tables, whose form a test checks.
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

// String gives ggml's name, "Q4_K".
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

// Block gives the elements of one block, and its bytes.
func (t Type) Block() (elements, bytes uint64) {
	b := t.block()
	return b.elements, b.bytes
}

// BitsPerWeight is what one element takes, scales and minima included; 0 for an
// unknown type.
func (t Type) BitsPerWeight() float64 {
	b := t.block()
	if b.elements == 0 {
		return 0
	}
	return float64(b.bytes) * 8 / float64(b.elements)
}

// FileType gives general.file_type and its name without the prefix MOSTLY_:
// "Q4_K_M". The numbering is llama_ftype's in llama.h, and neither Type's nor
// ggml_ftype's. The name is empty where the number is unknown, and ok is false
// where the key is missing or no integer.
func (f *File) FileType() (id uint64, name string, ok bool) {
	v := f.Key("general.file_type")
	if !v.Valid() || !v.Type().integer() || v.Type().signed() && v.Int() < 0 {
		return 0, "", false
	}
	return v.Uint(), fileTypes()[v.Uint()], true
}

// Architecture is what a general.architecture stands for.
type Architecture struct {
	Name     string // as in general.architecture
	Category string // what loads it: transformers, vision_encoder, audio_encoder, diffusers
	Task     string // causal_lm, text_encoder, vision_language, projector …
	Source   string // who knows it: llama.cpp, ollama for its own engine's names, or comfyui-gguf
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
