package weights

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
)

// weightSet is weight files of one directory that belong together: a single
// file, or the shards of one save.
type weightSet struct {
	dir     string
	key     string // the name without number: "model.safetensors"
	variant string // "fp16"
	format  string
	role    string
	rank    int // in the table, for the order
	sharded bool
	index   *tree.File   // of the shards, nil where there is none
	files   []*tree.File // by name
}

// setID tells weight sets apart. A single file and the shards of the same name
// are two.
type setID struct {
	dir, key string
	sharded  bool
}

// findWeightSets groups the weight files, in the order in which a loader of each
// directory would take them.
func findWeightSets(files []tree.File) []*weightSet {
	byID := map[setID]*weightSet{}
	var sets []*weightSet
	set := func(id setID, make func() weightSet) *weightSet {
		s := byID[id]
		if s == nil {
			made := make()
			s = &made
			s.dir, s.key, s.sharded = id.dir, id.key, id.sharded
			byID[id] = s
			sets = append(sets, s)
		}
		return s
	}
	for i := range files {
		f := &files[i]
		if f.IsHidden() {
			continue
		}
		base, dir := f.Base(), f.Dir()
		if shards.IsIndex(base) {
			if key := format.IndexKey(base); key != "" {
				s := set(setID{dir, key, true}, func() weightSet { return newWeightSet(key, nil, files) })
				s.index = f
			}
			continue
		}
		if _, ok := format.ByExtension(base); !ok {
			continue
		}
		id := setID{dir: dir, key: base}
		if n, ok := shards.ParseName(base); ok {
			id.key, id.sharded = n.Stem+n.Suffix, true
		}
		described := newWeightSet(id.key, f, files)
		if pattern := described.key; pattern != "" {
			id.key = pattern // consolidated.00.pth and its fellows are one set
		}
		s := set(id, func() weightSet { return described })
		s.files = append(s.files, f)
	}
	slices.SortStableFunc(sets, func(a, b *weightSet) int {
		return cmp.Or(strings.Compare(a.dir, b.dir), cmp.Compare(a.order(), b.order()), strings.Compare(a.key, b.key))
	})
	return sets
}

// order puts plain names before variants, and a single file before the shards of
// the same name, as transformers and huggingface_hub do.
func (s *weightSet) order() int {
	n := s.rank * 2
	if s.sharded {
		n++
	}
	if s.variant != "" {
		n += variantRank
	}
	return n
}

// Ranks beyond those of the listed names.
const (
	variantRank  = 1000
	unlistedRank = 2000
)

// newWeightSet says what a name stands for. f is a file of it, nil for an index.
// The key is set where a pattern of several files fits.
func newWeightSet(key string, f *tree.File, files []tree.File) weightSet {
	ext, _ := format.ByExtension(key)
	s := weightSet{rank: unlistedRank + ext.Rank}
	if ext.Format != nil {
		s.format = ext.Format.Name
	}
	if f != nil {
		if other := format.Recognise(f, files); other != nil {
			s.format = other.Name
			if other.ByContent { // none of these comes in several files of one model
				s.role = format.RoleAlternative
			}
			return s
		}
	}
	if p := format.MatchName(key); p != nil {
		s.role, s.format, s.rank = p.Role, p.Format, p.Rank
		if p.Role == format.RoleModel && strings.Contains(p.Pattern, "*") {
			s.key = p.Pattern
		}
		return s
	}
	// model.fp16.safetensors: what stands before the extension is a variant's name.
	stem := strings.TrimSuffix(key, path.Ext(key))
	if variant := path.Ext(stem); variant != "" {
		plain := strings.TrimSuffix(stem, variant)
		if p := format.MatchName(plain + path.Ext(key)); p != nil && p.Role == format.RoleModel {
			s.role, s.format, s.rank, s.variant = format.RoleModel, p.Format, p.Rank, variant[1:]
		}
	}
	return s
}

// choice is what a loader takes of the weight files.
type choice struct {
	sets         []*weightSet // loaded, at most one for each directory but for unlisted names
	companions   []*weightSet // loaded beside them
	ignored      []*weightSet
	alternatives bool // ignored holds other versions of what is loaded
}

// preferredQuantization is the version of a GGUF model that llama.cpp takes where it is
// given a repository and no file's name.
const preferredQuantization = "Q4_K_M"

// chooseWeights says which of the sets a loader takes. A pipeline has a set in
// each of its components, a release of autoencoders one in each directory;
// otherwise the files at the top are the model, and what lies deeper is another
// copy of it or a part that the library asks for by itself.
func chooseWeights(c *checkpoint.Directory, sets []*weightSet, v *detect.Classification) choice {
	var out choice
	byDir := map[string][]*weightSet{}
	var dirs []string
	for _, s := range sets {
		switch s.role {
		case format.RoleCompanion:
			out.companions = append(out.companions, s)
			continue
		case format.RoleOther:
			continue
		}
		if byDir[s.dir] == nil {
			dirs = append(dirs, s.dir)
		}
		byDir[s.dir] = append(byDir[s.dir], s)
	}
	for _, dir := range dirs {
		slices.SortStableFunc(byDir[dir], func(a, b *weightSet) int { return cmp.Compare(rankOf(c, a, v), rankOf(c, b, v)) })
	}
	taken := dirs
	switch pipeline := c.Doc.File == config.ModelIndexJSON || c.Doc.File == config.ModularModelIndexJSON; {
	case pipeline:
		taken = slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return dir == "." || strings.Contains(dir, "/") })
	case v.SAE != nil:
	case byDir["."] != nil:
		taken = []string{"."}
		for _, dir := range dirs {
			if c.Has("modules.json") && dir[0] >= '0' && dir[0] <= '9' && strings.Contains(dir, "_") {
				taken = append(taken, dir) // 2_Dense of a sentence-transformers model
			}
		}
	default:
		taken = preferredDirs(dirs, byDir)
	}
	for _, dir := range dirs {
		if !slices.Contains(taken, dir) {
			out.ignored = append(out.ignored, byDir[dir]...)
			continue
		}
		chooseInDir(c, byDir[dir], v, &out)
	}
	if len(out.sets) > 1 && out.sets[0].role == format.RoleAlternative {
		out.ignored = append(out.ignored, out.sets[1:]...)
		out.sets, out.alternatives = out.sets[:1], true
	}
	return out
}

// rankOf is a set's order, in which an adapter's weights are the first for an
// adapter and the last for a model.
func rankOf(c *checkpoint.Directory, s *weightSet, v *detect.Classification) int {
	const beyond = 10_000
	switch adapter := v.Category == answer.Adapter || c.Doc.File == config.AdapterConfigJSON; {
	case s.role == format.RoleAdapter && !adapter:
		return s.order() + beyond
	case s.role != format.RoleAdapter && adapter:
		return s.order() + beyond
	}
	return s.order()
}

// preferredDirs are the directories whose first set has the format that loaders
// prefer.
func preferredDirs(dirs []string, byDir map[string][]*weightSet) (best []string) {
	least := -1
	rank := func(dir string) int { return format.ByName(byDir[dir][0].format).Rank() }
	for _, dir := range dirs {
		if r := rank(dir); least < 0 || r < least {
			least, best = r, nil
		}
		if rank(dir) == least {
			best = append(best, dir)
		}
	}
	return best
}

// chooseInDir takes the first of a directory's sets, and with it those that no
// row lists where their format says that they belong together.
func chooseInDir(c *checkpoint.Directory, sets []*weightSet, v *detect.Classification, out *choice) {
	first := sets[0]
	ext, _ := format.ByExtension(first.key)
	together := first.role == format.RoleUnlisted && ext.Multiple == format.PartsOfOneModel
	if together && c.Doc.File == "" && v.SAE == nil && !differInDigitsOnly(sets) {
		together = false // nothing says that they are one model
	}
	if !together && first.role == format.RoleUnlisted || first.role == format.RoleAlternative {
		out.alternatives = out.alternatives || len(sets) > 1 && sets[1].format == first.format
		if i := slices.IndexFunc(sets, func(s *weightSet) bool {
			return s.format == first.format && strings.Contains(s.key, preferredQuantization)
		}); i > 0 {
			first = sets[i]
		}
	}
	for _, s := range sets {
		if s == first || together && s.role == format.RoleUnlisted && s.format == first.format {
			out.sets = append(out.sets, s)
		} else {
			out.ignored = append(out.ignored, s)
		}
	}
}

// differInDigitsOnly tells whether the names differ in their digits alone, as those of
// rank0.safetensors and rank1.safetensors do.
func differInDigitsOnly(sets []*weightSet) bool {
	pattern := ""
	for _, s := range sets {
		p := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, s.key)
		if pattern != "" && p != pattern {
			return false
		}
		pattern = p
	}
	return len(sets) > 1
}
