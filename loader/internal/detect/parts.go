package detect

import (
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
)

//go:embed parts.tsv
var partsTSV string

// Part is what one weight file without a config has: a model, or a part of one.
type Part struct {
	Layout   string
	Category answer.Category
	Task     answer.Task
	What     string // "the transformer of Flux"
	Needs    string // what it is loaded together with: "its VAE and its text encoders"; "" where nothing or not known
	Name     string // the pattern of the names that told it

	names []namePattern
}

// namePattern is one pattern of the column names of parts.tsv.
type namePattern struct {
	text     string
	prefix   bool // text ends in the place of the asterisk
	contains bool
	absent   bool // no name may match
}

func (p *namePattern) matches(name []byte) bool {
	switch {
	case p.contains:
		return strings.Contains(string(name), p.text)
	case p.prefix:
		return len(name) >= len(p.text) && string(name[:len(p.text)]) == p.text
	}
	return string(name) == p.text
}

// parts are the rows of parts.tsv.
var parts = sync.OnceValue(func() (all []Part) {
	for f := range table.Rows(partsTSV) {
		category, task, _ := strings.Cut(f[1], "/")
		p := Part{Layout: f[0], Category: answer.Category(category), Task: answer.Task(task), What: f[3], Needs: f[4]}
		for text := range strings.SplitSeq(f[2], ",") {
			n := namePattern{}
			text, n.absent = strings.CutPrefix(text, "!")
			if p.Name == "" {
				p.Name = text
			}
			var begins bool
			text, begins = strings.CutPrefix(text, "*")
			text, n.prefix = strings.CutSuffix(text, "*")
			n.contains, n.text = begins, text
			p.names = append(p.names, n)
		}
		all = append(all, p)
	}
	return all
})

// FindPart gives the first row of parts.tsv whose names are among those of the tensors; nil
// where there is none.
func FindPart(names iter.Seq[[]byte]) *Part {
	all := parts()
	found := make([]uint8, len(all)) // bits of the patterns that matched
	for name := range names {
		for i := range all {
			for k := range all[i].names {
				if found[i]&(1<<k) == 0 && all[i].names[k].matches(name) {
					found[i] |= 1 << k
				}
			}
		}
	}
	for i := range all {
		if all[i].isComplete(found[i]) {
			return &all[i]
		}
	}
	return nil
}

// isComplete tells whether the names that must exist were found, and no other.
func (p *Part) isComplete(found uint8) bool {
	for k := range p.names {
		if found&(1<<k) != 0 == p.names[k].absent {
			return false
		}
	}
	return true
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
	part := FindPart(func(yield func([]byte) bool) {
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
