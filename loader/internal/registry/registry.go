// Package registry has the known class names and model types, with their category, task
// and the class that loads them; the class names that a user adds; and the rules for
// names that are not listed. It reads no files of a checkpoint.
package registry

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/table"
)

// A new class name is one line in architectures.tsv.
var (
	//go:embed architectures.tsv
	architecturesTSV string
	//go:embed model_types.tsv
	modelTypesTSV string
	//go:embed omni.tsv
	omniTSV string
)

// Class is the entry of a class name.
type Class struct {
	Name      string // as listed; a look-up may have used another spelling
	Category  answer.Category
	Task      answer.Task
	ModelType string // its usual model type, "" where none is known
	RealName  string // the class that loads it: the class itself, unless Name is a common misspelling

	Omni    *OmniRule
	foundBy string // of a class that a user added: the text of DecidedBy, with the file
}

// Family is the entry of a model type.
type Family struct {
	ModelType    string
	Category     answer.Category // "" where it depends on the class
	Task         answer.Task
	Architecture string // the class of a config that names none, "" where none is known
	LoadsAs      string // the class that loads it, "" where that is Architecture

	Omni *OmniRule
}

// LoadingClass gives the class that loads the family's checkpoints, "" where none is
// known. f may be nil.
func (f *Family) LoadingClass() string {
	if f == nil {
		return ""
	}
	if f.LoadsAs != "" {
		return f.LoadsAs
	}
	return f.Architecture
}

// OmniRule is one row of omni.tsv: the sections that a config must have for the model to
// take speech, vision and text.
type OmniRule struct{ Needs []string }

// Registry is a set of known class names and model types. It does not change, and is
// safe for concurrent use.
type Registry struct {
	Classes   map[string]*Class        // by name; never changed, since registries share it
	folded    func() map[string]string // folded name to listed name, built when first used
	names     []string                 // the listed names, sorted
	Families  map[string]*Family
	omni      map[string]*OmniRule // by folded name
	rules     []ClassRule          // for classes that are not listed, in order
	overrides []ClassRule          // rules of the kind "override"
}

// Builtin gives the registry of the embedded tables, which are parsed on first use.
var Builtin = sync.OnceValue(newBuiltin)

func newBuiltin() *Registry {
	r := &Registry{
		Classes:  make(map[string]*Class, 3200),
		names:    make([]string, 0, 3200),
		Families: make(map[string]*Family, 700),
		omni:     make(map[string]*OmniRule, 64),
	}
	for f := range table.Rows(architecturesTSV) {
		c := &Class{Name: f[0], Category: answer.Category(f[1]), Task: answer.Task(f[2]), ModelType: f[3], RealName: f[4]}
		if c.RealName == "" {
			c.RealName = c.Name
		}
		r.Classes[c.Name] = c
		r.names = append(r.names, c.Name)
	}
	for f := range table.Rows(modelTypesTSV) {
		r.Families[f[0]] = &Family{ModelType: f[0], Category: answer.Category(f[1]), Task: answer.Task(f[2]), Architecture: f[3], LoadsAs: f[4]}
	}
	for f := range table.Rows(omniTSV) {
		rule := &OmniRule{}
		if f[1] != "" {
			rule.Needs = strings.Split(f[1], ",")
		}
		r.omni[foldedName(f[0])] = rule
		if c, ok := r.Classes[f[0]]; ok {
			c.Omni = rule
		}
		if family, ok := r.Families[f[0]]; ok {
			family.Omni = rule
		}
	}
	r.readRules()
	r.indexFolded()
	return r
}

// indexFolded sets the function that gives the index of folded names.
func (r *Registry) indexFolded() {
	names := r.names
	r.folded = sync.OnceValue(func() map[string]string {
		folded := make(map[string]string, len(names))
		for _, name := range names {
			if key := foldedName(name); folded[key] == "" {
				folded[key] = name
			}
		}
		return folded
	})
}

// LookupClass gives the built-in entry of a class name in this exact spelling.
func LookupClass(name string) (Class, bool) {
	if c := Builtin().Classes[name]; c != nil {
		return *c, true
	}
	return Class{}, false
}

// LookupFamily gives the built-in entry of a model type in this exact spelling.
func LookupFamily(modelType string) (Family, bool) {
	if f := Builtin().Families[modelType]; f != nil {
		return *f, true
	}
	return Family{}, false
}

// fromArchitectures is the text of DecidedBy for a built-in class.
const fromArchitectures = "class name in architectures of config.json"

// DecidedBy names the key and file that gave the class name, and the table that a user
// added it with.
func (c *Class) DecidedBy() string { return cmp.Or(c.foundBy, fromArchitectures) }

// ResolveClass finds a class by its exact name; else without regard to case, "_", "-"
// and "."; else without the module in front of the last dot; else without the prefix of
// a training wrapper (FSDP). decidedBy says which of these it was, and is empty where
// the class is not known.
func (r *Registry) ResolveClass(name string) (class *Class, decidedBy string) {
	if c := r.Classes[name]; c != nil {
		return c, c.DecidedBy()
	}
	var buf [64]byte
	for _, v := range [...]struct{ name, decidedBy string }{
		{name, "class name, spelled differently, in architectures of config.json"},
		{name[strings.LastIndexByte(name, '.')+1:], "class name behind its module in architectures of config.json"},
		{strings.TrimPrefix(name, "FSDP"), "class name without its wrapper's prefix in architectures of config.json"},
	} {
		if c := r.Classes[v.name]; c != nil {
			return c, v.decidedBy
		}
		if c := r.Classes[r.folded()[string(appendFolded(buf[:0], v.name))]]; c != nil {
			return c, v.decidedBy
		}
	}
	return nil, ""
}

// OmniRuleOf gives the rule of omni.tsv for a class name or a model type in any
// spelling, nil where there is none.
func (r *Registry) OmniRuleOf(name string) *OmniRule {
	var buf [64]byte
	return r.omni[string(appendFolded(buf[:0], name))]
}

// NearestClass gives the known class name with the longest common prefix, "" where that
// is shorter than four bytes.
func (r *Registry) NearestClass(name string) string {
	i, _ := slices.BinarySearch(r.names, name)
	best, length := "", 3
	for _, j := range [...]int{i - 1, i} {
		if j < 0 || j >= len(r.names) {
			continue
		}
		if n := table.CommonPrefixLen(name, r.names[j]); n > length {
			best, length = r.names[j], n
		}
	}
	return best
}

// namesWithFirstByte gives the listed names that begin with a byte: those with the
// capital letter, and those with the small one. For a byte that is no letter the second
// part is empty.
func (r *Registry) namesWithFirstByte(first byte) [2][]string {
	capital, small := first, first
	switch {
	case first >= 'a' && first <= 'z':
		capital = first - 'a' + 'A'
	case first >= 'A' && first <= 'Z':
		small = first - 'A' + 'a'
	default:
		return [2][]string{r.namesFrom(first)}
	}
	return [2][]string{r.namesFrom(capital), r.namesFrom(small)}
}

// namesFrom gives the listed names that begin with this byte.
func (r *Registry) namesFrom(first byte) []string {
	compare := func(name string, first int) int {
		if name == "" {
			return -1
		}
		return int(name[0]) - first
	}
	from, _ := slices.BinarySearchFunc(r.names, int(first), compare)
	to, _ := slices.BinarySearchFunc(r.names, int(first)+1, compare)
	return r.names[from:to]
}

// foldedName removes what spellings of a name differ in: case, "_", "-" and ".".
func foldedName(name string) string { return string(appendFolded(nil, name)) }

// appendFolded appends foldedName(name) to dst, so that a look-up does not allocate:
// m[string(appendFolded(buf[:0], name))].
func appendFolded(dst []byte, name string) []byte {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '.':
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// MaxNameLength is the length in bytes beyond which a class name or a model type is not
// looked up. The longest listed one has 92.
const MaxNameLength = 256
