package detect

import (
	"bytes"
	_ "embed"
	"iter"
	"path"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
)

//go:embed parts.tsv
var partsTSV string

// Part is what one weight file without a config has: a model, or a part of one.
type Part struct {
	Layout   string
	Category answer.Category
	Task     answer.Task
	What     string // "the transformer of Flux"
	Loading  string // how it is loaded: "together with its VAE and its text encoders"; "" where diffusers loads it alone
	Name     string // the pattern of the names that told it

	patterns int   // how many patterns the row has
	absent   uint8 // bits of the patterns that no name may match
	ownName  bool  // only for a file with a name that transformers does not give
}

// partPattern is one pattern of the column names of parts.tsv.
type partPattern struct {
	row  int
	bit  uint8
	text []byte
}

// partTable is parts.tsv with its patterns by the way in which a name is looked up.
type partTable struct {
	rows     []Part
	exact    map[string][]partPattern // by the whole name
	prefixes [256][]partPattern       // by the first byte
	contains []partPattern
}

// wrappers are prefixes that stand before all names of a model: of checkpoints of the
// original Stable Diffusion code and ComfyUI (model.diffusion_model.), of LoRAs and merges for
// ComfyUI (diffusion_model.), and of modules that are attributes of a Lightning module or of
// a pipeline (model.).
var wrappers = [...]string{"model.diffusion_model.", "diffusion_model.", "model."}

var parts = sync.OnceValue(func() *partTable {
	t := &partTable{exact: map[string][]partPattern{}}
	for f := range table.Rows(partsTSV) {
		category, task, _ := strings.Cut(f[1], "/")
		p := Part{Layout: f[0], Category: answer.Category(category), Task: answer.Task(task), What: f[3], Loading: f[4]}
		for text := range strings.SplitSeq(f[2], ",") {
			if text == ownNamePattern {
				p.ownName = true
				continue
			}
			t.add(len(t.rows), &p, text)
		}
		t.rows = append(t.rows, p)
	}
	return t
})

// ownNamePattern is a condition in the column names, on the name of the file.
const ownNamePattern = "own name"

// add adds a pattern of a row.
func (t *partTable) add(row int, p *Part, text string) {
	pattern := partPattern{row: row, bit: 1 << p.patterns}
	p.patterns++
	name, absent := strings.CutPrefix(text, "!")
	if absent {
		p.absent |= pattern.bit
	} else if p.Name == "" {
		p.Name = name
	}
	name, inside := strings.CutPrefix(name, "*")
	name, begins := strings.CutSuffix(name, "*")
	pattern.text = []byte(name)
	switch {
	case inside:
		t.contains = append(t.contains, pattern)
	case begins:
		t.prefixes[name[0]] = append(t.prefixes[name[0]], pattern)
	default:
		t.exact[name] = append(t.exact[name], pattern)
	}
}

// match sets the bits of the patterns that match a name.
func (t *partTable) match(name []byte, found []uint8) {
	if len(name) == 0 {
		return
	}
	for _, p := range t.exact[string(name)] {
		found[p.row] |= p.bit
	}
	for i := range t.prefixes[name[0]] {
		if p := &t.prefixes[name[0]][i]; found[p.row]&p.bit == 0 && bytes.HasPrefix(name, p.text) {
			found[p.row] |= p.bit
		}
	}
}

// FindPart gives the first row of parts.tsv whose names are among those of the tensors of a
// file; nil where there is none.
func FindPart(file string, names iter.Seq[[]byte]) *Part {
	t := parts()
	found := make([]uint8, len(t.rows))
	for name := range names {
		t.match(name, found)
		for i := range t.contains {
			if p := &t.contains[i]; found[p.row]&p.bit == 0 && bytes.Contains(name, p.text) {
				found[p.row] |= p.bit
			}
		}
		for _, w := range wrappers {
			if len(name) > len(w) && string(name[:len(w)]) == w {
				t.match(name[len(w):], found)
				break
			}
		}
	}
	for i := range t.rows {
		if p := &t.rows[i]; found[i] == (1<<p.patterns-1)&^p.absent && !(p.ownName && isModelName(file)) {
			return p
		}
	}
	return nil
}

// isModelName tells whether transformers or diffusers save a model, or a shard of one, under
// the name of a file.
func isModelName(file string) bool {
	if _, ok := shards.ParseName(file); ok {
		return true
	}
	p := format.MatchName(path.Base(file))
	return p != nil && p.Role == format.RoleModel
}

// maxPartTensors is how many tensors of a pickle are looked at.
const maxPartTensors = 100_000

// classifyPickle classifies by the names of the tensors in the first pickle.
func classifyPickle(c *checkpoint.Directory, v *Classification) {
	v.Layout = LayoutUnknown
	name := firstPickle(c)
	h, err := c.OpenAt(name)
	if err != nil {
		return
	}
	defer h.Close()
	var names [][]byte
	if _, err := format.ByName("pytorch").Read(&tree.File{Name: name, Size: h.Size}, h, func(t format.Tensor) {
		if len(names) < maxPartTensors {
			names = append(names, t.Name)
		}
	}); err != nil && len(names) == 0 {
		return
	}
	v.DecidedBy = "no rule: the tensors' names of " + name + " do not tell"
	part := FindPart(name, func(yield func([]byte) bool) {
		for _, n := range names {
			if !yield(n) {
				return
			}
		}
	})
	if part == nil && strings.HasPrefix(path.Base(name), "learned_embeds") {
		part = &Part{Layout: "textual inversion", Category: answer.Diffusers, Task: "textual_inversion"}
		v.DecidedBy = "name of " + name
		v.applyPart(part)
		return
	}
	if part != nil {
		v.applyPart(part)
		v.DecidedBy = "tensors named " + part.Name + " in " + name
	}
}

func (v *Classification) applyPart(p *Part) {
	v.Layout, v.Category, v.Task = p.Layout, p.Category, p.Task
}

// pickleExtensions are those of files that torch.save wrote.
var pickleExtensions = [...]string{"*.ckpt", "*.pt", "*.pth", "*.bin"}

// firstPickle gives the first file that may be a pickle, by its name.
func firstPickle(c *checkpoint.Directory) string {
	for _, p := range pickleExtensions {
		if files := c.Match(p); len(files) > 0 {
			return files[0]
		}
	}
	return ""
}
