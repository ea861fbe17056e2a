package gguf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Architecture returns general.architecture, which Hugging Face calls the model type:
// "llama", "qwen3moe"; "clip" for a projector.
func (f *File) Architecture() string { return f.Key("general.architecture").Text() }

// Name returns general.name.
func (f *File) Name() string { return f.Key("general.name").Text() }

// Content is the kind of content of a GGUF file.
type Content string

// The values of general.type. Files without that key are classified by Content.
const (
	Model     Content = "model"
	Adapter   Content = "adapter" // LoRA
	Projector Content = "mmproj"  // the vision or audio part of a multimodal model
	IMatrix   Content = "imatrix" // importance matrix, made for quantizing
	Vocab     Content = "vocab"   // a tokenizer alone
)

// Content returns the kind of content, and the key that decided it: general.type
// where the file has it, else another key that such files have.
func (f *File) Content() (content Content, decidedBy string) {
	if t := f.Key("general.type").Text(); t != "" {
		return Content(strings.ToLower(t)), "general.type"
	}
	switch {
	case f.Key("adapter.type").Valid():
		return Adapter, "adapter.type"
	case f.Architecture() == "clip":
		return Projector, "general.architecture"
	case !f.Partial && len(f.Tensors) == 0 && f.Key("tokenizer.ggml.tokens").Valid() && !f.Key("split.count").Valid():
		return Vocab, "tokenizer.ggml.tokens"
	}
	return Model, "general.architecture"
}

// HasProjectorType tells whether the file of a projector says its type, for images and
// sound together or for each.
func (f *File) HasProjectorType() bool {
	for _, key := range [...]string{"clip.projector_type", "clip.vision.projector_type", "clip.audio.projector_type"} {
		if f.Key(key).Text() != "" {
			return true
		}
	}
	return false
}

// BaseModels returns the repositories that general.base_model.* names, in order, at
// most 16. The first is where a tokenizer can be found.
func (f *File) BaseModels() []string {
	const most = 16
	var repos []string
	for i := range min(f.Key("general.base_model.count").Uint(), most) {
		if url := f.Key("general.base_model." + strconv.FormatUint(i, 10) + ".repo_url").Text(); url != "" {
			repos = append(repos, url)
		}
	}
	return repos
}

// Parameters is the number of weights: the elements of all tensors.
func (f *File) Parameters() uint64 {
	var n uint64
	for i := range f.Tensors {
		n += f.Tensors[i].Elements()
	}
	return n
}

// TensorBytes is the size of all tensors, without padding.
func (f *File) TensorBytes() uint64 {
	var n uint64
	for i := range f.Tensors {
		n += f.Tensors[i].Bytes
	}
	return n
}

// BitsPerWeight is the average over all tensors, 0 without any.
func (f *File) BitsPerWeight() float64 {
	n := f.Parameters()
	if n == 0 {
		return 0
	}
	return float64(f.TensorBytes()) * 8 / float64(n)
}

// Usage is a sum over the tensors of one type.
type Usage struct {
	Type     Type
	Tensors  int
	Elements uint64
	Bytes    uint64
}

// Usage sums the tensors by type, the type with the most bytes first.
func (f *File) Usage() []Usage {
	all := make([]Usage, len(blocks()))
	for i := range f.Tensors {
		t := &f.Tensors[i]
		u := &all[t.Type] // every tensor's type was found in the table
		u.Type = t.Type
		u.Tensors++
		u.Elements += t.Elements()
		u.Bytes += t.Bytes
	}
	all = slices.DeleteFunc(all, func(u Usage) bool { return u.Tensors == 0 })
	slices.SortFunc(all, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Type, b.Type))
	})
	return all
}
