package shards

import (
	"fmt"
	"path"
)

// Headers collects the tensors of the shards' headers, for Index.Check: Shard begins a
// shard, and Tensor adds a tensor to it. It is not safe for concurrent use.
type Headers struct {
	index     *Index
	shards    map[string]int32   // files to indexes of index.Shards
	read      []bool             // by shard: its header was added
	current   int32              // the current shard, or -1 where the index does not name it
	file      string             // name of the current shard
	inOwn     []bool             // by tensor: found in the shard that the index assigns
	inOther   map[int32]string   // by tensor: the last other shard where it was found
	extra     map[string]string  // tensors that the index does not name, and their shard
	unlisted  []*unlistedTensors // the same by shard
	duplicate samples            // tensors of extra in two shards
	matched   int                // tensors that the index names
	bytes     int64              // of the tensors of all shards of the index
}

// unlistedTensors are the tensors of one shard that the index does not name.
type unlistedTensors struct {
	file string
	samples
}

// Headers returns an empty collection for this index.
func (x *Index) Headers() *Headers {
	h := &Headers{
		index: x, current: -1, shards: make(map[string]int32, len(x.Shards)),
		read: make([]bool, len(x.Shards)), inOwn: make([]bool, len(x.names)),
		inOther: map[int32]string{}, extra: map[string]string{},
	}
	for i, s := range x.Shards {
		h.shards[path.Clean(s.File)] = int32(i)
	}
	return h
}

// Shard begins a shard whose tensors have so many bytes together.
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

// Tensor adds a tensor of the current shard. name is copied.
func (h *Headers) Tensor(name []byte) {
	i, ok := h.index.lastIndex[string(name)]
	switch {
	case !ok:
		h.addUnlisted(string(name))
	case h.index.shardOf[i] == h.current:
		h.inOwn[i] = true
		h.matched++
	default:
		h.inOther[i] = h.file
		h.matched++
	}
}

func (h *Headers) addUnlisted(name string) {
	if file, ok := h.extra[name]; ok && file != h.file {
		h.duplicate.add(name)
	}
	h.extra[name] = h.file
	if n := len(h.unlisted); n == 0 || h.unlisted[n-1].file != h.file {
		h.unlisted = append(h.unlisted, &unlistedTensors{file: h.file})
	}
	h.unlisted[len(h.unlisted)-1].add(name)
}

// allRead reports whether the header of every shard of the index was added.
func (h *Headers) allRead() bool {
	for _, read := range h.read {
		if !read {
			return false
		}
	}
	return true
}

// report adds the problems that the headers show.
func (h *Headers) report(c *checker) {
	x := h.index
	if h.matched == 0 && len(h.extra) > 0 && len(x.names) > 0 {
		c.stale = true
		c.report(Problem{Kind: StaleIndex, File: x.Path, Count: x.Len(), Hint: hintRebuild,
			Detail: fmt.Sprintf("none of the %d tensors it names is in the shards that were read, which hold %d others", x.Len(), len(h.extra))})
		return
	}
	duplicate := h.duplicate
	missing := make([]samples, len(x.Shards))
	found := make([]string, len(x.Shards)) // the shard that has the last of the missing ones
	for i, name := range x.names {
		if x.lastIndex[name] != int32(i) {
			continue // the index repeats the name, and the last one counts
		}
		shard := x.shardOf[i]
		other, elsewhere := h.inOther[int32(i)]
		switch {
		case h.inOwn[i] && elsewhere:
			duplicate.add(name)
		case !h.inOwn[i] && h.read[shard]:
			missing[shard].add(name)
			if elsewhere {
				found[shard] = other
			}
		}
	}
	if duplicate.count > 0 {
		c.report(Problem{Kind: TensorTwice, File: x.Path, Tensors: duplicate.names, Count: duplicate.count, Hint: "remove the shard that is of another save",
			Detail: "more than one shard holds " + duplicate.text("tensor", "tensors")})
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
		c.report(Problem{Kind: MissingTensor, File: x.Shards[i].File, Tensors: m.names, Count: m.count, Detail: detail, Hint: hintRebuild})
	}
	for _, s := range h.unlisted {
		c.report(Problem{Kind: UnlistedTensor, File: s.file, Tensors: s.names, Count: s.count, Hint: hintRebuild,
			Detail: "it holds, and the index does not name, " + s.text("tensor", "tensors")})
	}
}

// Builder builds the index of a sharded checkpoint that has none from the headers of
// its shards. The zero value is ready to use.
type Builder struct {
	index  Index
	shards map[string]int32
	shard  int32
	bytes  int64
}

// Shard begins a shard whose tensors have so many bytes together.
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

// Tensor adds a tensor of the current shard; before the first shard it does nothing.
// name is copied.
func (b *Builder) Tensor(name []byte) {
	if b.shards == nil {
		return
	}
	b.index.names = append(b.index.names, string(name))
	b.index.shardOf = append(b.index.shardOf, b.shard)
}

// Index returns the index, to be written at path, and empties the Builder. Check of the
// index reports tensors that two shards have.
func (b *Builder) Index(path string) *Index {
	x := b.index
	x.Path, x.TotalSize = path, b.bytes
	x.finish()
	*b = Builder{}
	return &x
}
