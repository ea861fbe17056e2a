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

// weightSet is a single weight file, or the shards of one model, in one directory.
type weightSet struct {
	dir     string
	key     string // the name without shard number: "model.safetensors"
	variant string // "fp16", "" for the plain files
	format  string
	role    string
	rank    int // row of weight_names.tsv, or more
	sharded bool
	unnamed bool         // shards by their names that the index of their name does not name
	index   *tree.File   // index of the shards, nil where there is none
	files   []*tree.File // sorted by name

	parsed *shards.Index // index as read, nil where it was not read or cannot be
}

// setID identifies a weightSet. A single file and the shards of the same name are two
// sets.
type setID struct {
	dir, key string
	sharded  bool
}

// findWeightSets groups the weight files into sets, sorted by directory and then by
// preference.
func findWeightSets(files []tree.File) []*weightSet {
	byID := map[setID]*weightSet{}
	var sets []*weightSet
	set := func(id setID, make func() weightSet) *weightSet {
		s := byID[id]
		if s == nil {
			n := make()
			s = &n
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
		made := newWeightSet(id.key, f, files)
		if pattern := made.key; pattern != "" {
			id.key = pattern // consolidated.00.pth, consolidated.01.pth … are one set
		}
		s := set(id, func() weightSet { return made })
		s.files = append(s.files, f)
	}
	slices.SortStableFunc(sets, func(a, b *weightSet) int {
		return cmp.Or(strings.Compare(a.dir, b.dir), cmp.Compare(a.order(), b.order()), strings.Compare(a.key, b.key))
	})
	return sets
}

// order is the preference of the set, lower first: plain names before variants, and a
// single file before the shards of the same name, as in transformers and
// huggingface_hub.
func (s *weightSet) order() int {
	n := s.rank * 2
	if s.sharded && !(s.role == format.RoleUnlisted && s.index != nil) {
		n++
	}
	if s.variant != "" {
		n += variantRank
	}
	return n
}

// Ranks after those of weight_names.tsv.
const (
	variantRank  = 1000
	unlistedRank = 2000
)

// newWeightSet makes an empty set for a name without shard number. f is one of its
// files, nil for an index. The key is set where a pattern of weight_names.tsv with
// several files matches.
func newWeightSet(key string, f *tree.File, files []tree.File) weightSet {
	ext, _ := format.ByExtension(key)
	s := weightSet{rank: unlistedRank + ext.Rank}
	if ext.Format != nil {
		s.format = ext.Format.Name
	}
	if f != nil {
		if other := format.Recognise(f, files); other != nil {
			s.format = other.Name
			if other.ByContent { // a model of these formats is one file
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
	// model.fp16.safetensors: the second extension is the name of a variant.
	stem := strings.TrimSuffix(key, path.Ext(key))
	if variant := path.Ext(stem); variant != "" {
		plain := strings.TrimSuffix(stem, variant)
		if p := format.MatchName(plain + path.Ext(key)); p != nil && p.Role == format.RoleModel {
			s.role, s.format, s.rank, s.variant = format.RoleModel, p.Format, p.Rank, variant[1:]
		}
	}
	return s
}

// choice says which weight sets a loader reads.
type choice struct {
	sets         []*weightSet // read by a loader
	companions   []*weightSet // read together with sets
	ignored      []*weightSet
	alternatives bool // ignored has other versions of sets
}

// namedByIndex gives each chosen set with an index the files that the index names,
// whatever they are called and in whichever directory below it they are, and takes them
// out of all other sets. Files that go by the name of the index, and that it does not
// name, make an ignored set. An index that cannot be read leaves its set as the names
// make it.
func (r *reader) namedByIndex(chosen *choice, files []tree.File) {
	owner := map[*tree.File]*weightSet{}
	for _, s := range chosen.sets {
		if s.index == nil {
			continue
		}
		if s.parsed = r.readIndex(s); s.parsed == nil {
			continue
		}
		named := make(map[string]bool, len(s.parsed.Shards))
		for _, shard := range s.parsed.Shards {
			if !shard.Unsafe {
				named[path.Join(s.dir, shard.File)] = true
			}
		}
		byName := s.files
		s.files = nil
		for i := range files {
			if f := &files[i]; named[f.Name] && owner[f] == nil {
				s.files = append(s.files, f)
				owner[f] = s
			}
		}
		if rest := slices.DeleteFunc(byName, func(f *tree.File) bool { return named[f.Name] }); len(rest) > 0 {
			other := *s
			other.index, other.parsed, other.files, other.unnamed = nil, nil, rest, true
			chosen.ignored = append(chosen.ignored, &other)
		}
	}
	if len(owner) == 0 {
		return
	}
	withoutNamed := func(sets []*weightSet) []*weightSet {
		return slices.DeleteFunc(sets, func(s *weightSet) bool {
			before := len(s.files)
			s.files = slices.DeleteFunc(s.files, func(f *tree.File) bool { return owner[f] != nil && owner[f] != s })
			return len(s.files) == 0 && before > 0 && s.index == nil
		})
	}
	chosen.sets, chosen.companions, chosen.ignored = withoutNamed(chosen.sets), withoutNamed(chosen.companions), withoutNamed(chosen.ignored)
}

// preferredQuantization is the version of a GGUF model that llama.cpp downloads from a
// repository if no file is named.
const preferredQuantization = "Q4_K_M"

// chooseWeights chooses the sets that a loader reads. A pipeline has one in each
// component, a release of autoencoders one in each directory. Any other checkpoint has
// them at the top; sets in subdirectories are other copies, or parts that are loaded
// separately.
func chooseWeights(c *checkpoint.Directory, sets []*weightSet, v *detect.Classification) choice {
	var out choice
	byDir := map[string][]*weightSet{}
	var dirs []string
	hasWeights := slices.ContainsFunc(sets, func(s *weightSet) bool {
		return s.role != format.RoleVocabulary && s.role != format.RoleOther && s.role != format.RoleCompanion
	})
	for _, s := range sets {
		switch s.role {
		case format.RoleCompanion:
			out.companions = append(out.companions, s)
			continue
		case format.RoleOther:
			continue
		case format.RoleVocabulary:
			if hasWeights {
				continue
			}
		}
		if byDir[s.dir] == nil {
			dirs = append(dirs, s.dir)
		}
		byDir[s.dir] = append(byDir[s.dir], s)
	}
	for _, dir := range dirs {
		slices.SortStableFunc(byDir[dir], func(a, b *weightSet) int { return cmp.Compare(rankOf(c, a, v), rankOf(c, b, v)) })
	}
	used := dirs
	switch pipeline := c.Doc.File == config.ModelIndexJSON || c.Doc.File == config.ModularModelIndexJSON; {
	case pipeline:
		used = slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return dir == "." || strings.Contains(dir, "/") })
	case v.SAE != nil:
	case byDir["."] != nil:
		used = []string{"."}
		for _, dir := range dirs {
			if c.Has("modules.json") && dir[0] >= '0' && dir[0] <= '9' && strings.Contains(dir, "_") {
				used = append(used, dir) // 2_Dense of a sentence-transformers model
			}
		}
	default:
		used = preferredDirs(dirs, byDir)
	}
	for _, dir := range dirs {
		if !slices.Contains(used, dir) {
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

// rankOf is the order of a set. Sets of adapter weights come first where the checkpoint
// is an adapter, and last where it is a model.
func rankOf(c *checkpoint.Directory, s *weightSet, v *detect.Classification) int {
	const last = 10_000
	switch adapter := v.Category == answer.Adapter || c.Doc.File == config.AdapterConfigJSON; {
	case s.role == format.RoleAdapter && !adapter:
		return s.order() + last
	case s.role != format.RoleAdapter && adapter:
		return s.order() + last
	}
	return s.order()
}

// preferredDirs gives the directories whose first set has the most preferred format.
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

// chooseInDir chooses the first set of a directory. Of files that weight_names.tsv does
// not list, all are chosen where their format keeps a model in several files.
func chooseInDir(c *checkpoint.Directory, sets []*weightSet, v *detect.Classification, out *choice) {
	first := sets[0]
	ext, _ := format.ByExtension(first.key)
	all := first.role == format.RoleUnlisted && ext.Multiple == format.PartsOfOneModel
	if first.index != nil { // it names the files of the model
		out.sets, out.ignored = append(out.sets, first), append(out.ignored, sets[1:]...)
		return
	}
	if all && c.Doc.File == "" && v.SAE == nil && !differInDigitsOnly(sets) {
		all = false // it is not known whether they are one model
	}
	if !all && first.role == format.RoleUnlisted || first.role == format.RoleAlternative {
		out.alternatives = out.alternatives || len(sets) > 1 && sets[1].format == first.format
		if i := slices.IndexFunc(sets, func(s *weightSet) bool {
			return s.format == first.format && strings.Contains(s.key, preferredQuantization)
		}); i > 0 {
			first = sets[i]
		}
	}
	for _, s := range sets {
		if s == first || all && s.role == format.RoleUnlisted && s.format == first.format {
			out.sets = append(out.sets, s)
		} else {
			out.ignored = append(out.ignored, s)
		}
	}
}

// differInDigitsOnly tells whether the names of the sets differ in digits alone, as
// rank0.safetensors and rank1.safetensors.
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
