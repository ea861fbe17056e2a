// Package registry has the class names and model types that are known, those that a
// user adds, and the rules for names that are not listed.
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

// The tables are data: a new class name is one line in architectures.tsv.
var (
	//go:embed architectures.tsv
	architecturesTSV string
	//go:embed model_types.tsv
	modelTypesTSV string
	//go:embed omni.tsv
	omniTSV string
)

// Class is what the registry knows of a class name.
type Class struct {
	Name      string // as listed, which may differ in spelling from the name asked
	Category  answer.Category
	Task      answer.Task
	ModelType string // the model type it usually comes with, "" where none is known
	RealName  string // the class that loads it: itself, but for misspellings in use

	Omni    *OmniRule
	foundBy string // of a registered class: who registered it, for people
}

// Family is what the registry knows of a model type.
type Family struct {
	ModelType    string
	Category     answer.Category // "" where the type alone does not tell
	Task         answer.Task
	Architecture string // the class it has by default, "" where none is known
	LoadsAs      string // the class that loads it, "" where that is Architecture

	Omni *OmniRule
}

// Loader is the class that loads the family's checkpoints, "" where none is
// known.
func (f *Family) LoadingClass() string {
	if f == nil {
		return ""
	}
	if f.LoadsAs != "" {
		return f.LoadsAs
	}
	return f.Architecture
}

// OmniRule is one line of omni.tsv.
type OmniRule struct{ Needs []string }

type Registry struct {
	Classes   map[string]*Class        // shared: never changed once built
	folded    func() map[string]string // spelling-insensitive name to the listed one, made when first asked
	names     []string                 // the listed names, sorted
	Families  map[string]*Family
	omni      map[string]*OmniRule // by folded name
	rules     []ClassRule          // for classes that are not listed
	overrides []ClassRule          // sections that decide over a listed class as well
}

// Builtin parses the tables on first use.
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

// fold prepares the look-up of names that are spelled differently.
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

// LookupClass gives what is known of a class name, spelled exactly so.
func LookupClass(name string) (Class, bool) {
	if c := Builtin().Classes[name]; c != nil {
		return *c, true
	}
	return Class{}, false
}

// LookupFamily gives what is known of a model type.
func LookupFamily(modelType string) (Family, bool) {
	if f := Builtin().Families[modelType]; f != nil {
		return *f, true
	}
	return Family{}, false
}

// byClassName is how a class is mostly found.
const fromArchitectures = "class name in architectures of config.json"

// FoundBy says how a class was found that is spelled as it is listed.
func (c *Class) DecidedBy() string { return cmp.Or(c.foundBy, fromArchitectures) }

// ResolveClass finds a class by its exact name, then without regard to case and
// underscores, then by what stands behind the last dot (a module in front), then
// without the prefix of a training wrapper. The second result says how, for
// people, and is empty where the name is not known.
func (r *Registry) ResolveClass(name string) (*Class, string) {
	if c := r.Classes[name]; c != nil {
		return c, c.DecidedBy()
	}
	var buf [64]byte
	for _, v := range [...]struct{ name, how string }{
		{name, "class name, spelled differently, in architectures of config.json"},
		{name[strings.LastIndexByte(name, '.')+1:], "class name behind its module in architectures of config.json"},
		{strings.TrimPrefix(name, "FSDP"), "class name without its wrapper's prefix in architectures of config.json"},
	} {
		if c := r.Classes[v.name]; c != nil {
			return c, v.how
		}
		if c := r.Classes[r.folded()[string(appendFolded(buf[:0], v.name))]]; c != nil {
			return c, v.how
		}
	}
	return nil, ""
}

// FoldedOmni gives the rule for a class name or a model type that is not
// listed, nil where there is none.
func (r *Registry) OmniRuleOf(name string) *OmniRule {
	var buf [64]byte
	return r.omni[string(appendFolded(buf[:0], name))]
}

// NearestClass gives the known name that begins most like name, or "" where
// fewer than four letters agree.
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

// foldName drops what spellings of one name differ in: case, "_", "-" and ".".
func foldedName(name string) string { return string(appendFolded(nil, name)) }

// appendFolded appends the folded name, so that a look-up needs no allocation:
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

// MaxName bounds the names of classes and model types that are looked up, in
// bytes. The longest that is listed has 92.
const MaxNameLength = 256
