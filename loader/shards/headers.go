package shards

import (
	"fmt"
	"path"
)

// Headers gathers what the shards' headers say, for Index.Check: Shard begins a
// shard, and Tensor adds a tensor to it. It is not for several goroutines.
type Headers struct {
	index   *Index
	shards  map[string]int32 // files to places in index.Shards
	read    []bool           // for each shard
	current int32            // the shard begun, or -1 where the index has it not
	file    string           // its name
	own     []bool           // for each tensor: its shard has it
	astray  map[int32]string // tensors to the last other shard that has them
	extra   map[string]string
	strays  []*stray
	twice   samples
	matched int
	bytes   int64
}

// stray is the tensors of one shard that the index does not name.
type stray struct {
	file string
	samples
}

// Headers returns an empty collection for this index.
func (x *Index) Headers() *Headers {
	h := &Headers{
		index: x, current: -1, shards: make(map[string]int32, len(x.Shards)),
		read: make([]bool, len(x.Shards)), own: make([]bool, len(x.names)),
		astray: map[int32]string{}, extra: map[string]string{},
	}
	for i, s := range x.Shards {
		h.shards[path.Clean(s.File)] = int32(i)
	}
	return h
}

// Shard begins a shard whose tensors take so many bytes together.
func (h *Headers) Shard(file string, bytes int64) {
	h.file, h.current = file, -1
	i, ok := h.shards[path.Clean(file)]
	if !ok {
		return
	}
	if !h.read[i] {
		h.bytes += bytes
	}
	h.current, h.read[i] = i, true
}

// Tensor adds a tensor of the shard begun last. name is not kept.
func (h *Headers) Tensor(name []byte) {
	i, ok := h.index.place[string(name)]
	switch {
	case !ok:
		h.unlisted(string(name))
	case h.index.shardOf[i] == h.current:
		h.own[i] = true
		h.matched++
	default:
		h.astray[i] = h.file
		h.matched++
	}
}

func (h *Headers) unlisted(name string) {
	if file, ok := h.extra[name]; ok && file != h.file {
		h.twice.add(name)
	}
	h.extra[name] = h.file
	if n := len(h.strays); n == 0 || h.strays[n-1].file != h.file {
		h.strays = append(h.strays, &stray{file: h.file})
	}
	h.strays[len(h.strays)-1].add(name)
}

// whole tells that every shard of the index was read.
func (h *Headers) whole() bool {
	for _, read := range h.read {
		if !read {
			return false
		}
	}
	return true
}

// report adds what the headers say to the problems.
func (h *Headers) report(c *checker) {
	x := h.index
	if h.matched == 0 && len(h.extra) > 0 && len(x.names) > 0 {
		c.stale = true
		c.report(Problem{Kind: StaleIndex, File: x.Path, Count: x.Len(), Hint: rebuild,
			Detail: fmt.Sprintf("none of the %d tensors it names is in the shards that were read, which hold %d others", x.Len(), len(h.extra))})
		return
	}
	twice := h.twice
	missing := make([]samples, len(x.Shards))
	found := make([]string, len(x.Shards)) // where the last missing one was instead
	for i, name := range x.names {
		if x.place[name] != int32(i) {
			continue // it stands again, and the last one counts
		}
		shard := x.shardOf[i]
		other, elsewhere := h.astray[int32(i)]
		switch {
		case h.own[i] && elsewhere:
			twice.add(name)
		case !h.own[i] && h.read[shard]:
			missing[shard].add(name)
			if elsewhere {
				found[shard] = other
			}
		}
	}
	if twice.count > 0 {
		c.report(Problem{Kind: TensorTwice, File: x.Path, Tensors: twice.names, Count: twice.count, Hint: "remove the shard that is of another save",
			Detail: "more than one shard holds " + twice.text("tensor", "tensors")})
	}
	for i := range missing {
		m := &missing[i]
		if m.count == 0 {
			continue
		}
		detail := "the index assigns to it " + m.text("tensor", "tensors")
		if found[i] != "" {
			detail += ", found in " + found[i]
		}
		c.report(Problem{Kind: MissingTensor, File: x.Shards[i].File, Tensors: m.names, Count: m.count, Detail: detail, Hint: rebuild})
	}
	for _, s := range h.strays {
		c.report(Problem{Kind: UnlistedTensor, File: s.file, Tensors: s.names, Count: s.count, Hint: rebuild,
			Detail: "it holds, and the index does not name, " + s.text("tensor", "tensors")})
	}
}

// Builder makes the index of a sharded checkpoint that has none, out of the
// shards' headers. The zero value is empty and ready.
type Builder struct {
	index  Index
	shards map[string]int32
	shard  int32
	bytes  int64
}

// Shard begins a shard whose tensors take so many bytes together.
func (b *Builder) Shard(file string, bytes int64) {
	if b.shards == nil {
		b.shards = map[string]int32{}
	}
	at, ok := b.shards[file]
	if !ok {
		at = int32(len(b.index.Shards))
		b.shards[file] = at
		b.index.Shards = append(b.index.Shards, Shard{File: file, Unsafe: Escapes(file)})
		b.bytes += bytes
	}
	b.shard = at
}

// Tensor adds a tensor of the shard begun last; before the first it does
// nothing. name is not kept.
func (b *Builder) Tensor(name []byte) {
	if b.shards == nil {
		return
	}
	b.index.names = append(b.index.names, string(name))
	b.index.shardOf = append(b.index.shardOf, b.shard)
}

// Index ends the work and gives the index, to be written at path. A tensor that
// two shards have is among the problems that its Check gives. The Builder is
// empty again.
func (b *Builder) Index(path string) *Index {
	x := b.index
	x.Path, x.TotalSize = path, b.bytes
	x.finish()
	*b = Builder{}
	return &x
}
