package loader

import (
	"cmp"
	_ "embed"
	"iter"
	"slices"
	"strings"
	"sync"
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
	Category  Category
	Task      Task
	ModelType string // the model type it usually comes with, "" where none is known
	RealName  string // the class that loads it: itself, but for misspellings in use

	omni *omniRule
	how  string // of a registered class: who registered it, for people
}

// Family is what the registry knows of a model type.
type Family struct {
	ModelType    string
	Category     Category // "" where the type alone does not tell
	Task         Task
	Architecture string // the class it has by default, "" where none is known
	LoadsAs      string // the class that loads it, "" where that is Architecture

	omni *omniRule
}

// loader is the class that loads the family's checkpoints, "" where none is
// known.
func (f *Family) loader() string {
	if f == nil {
		return ""
	}
	if f.LoadsAs != "" {
		return f.LoadsAs
	}
	return f.Architecture
}

// omniRule is one line of omni.tsv.
type omniRule struct{ needs []string }

type registry struct {
	classes  map[string]*Class        // shared: never changed once built
	folded   func() map[string]string // spelling-insensitive name to the listed one, made when first asked
	names    []string                 // the listed names, sorted
	families map[string]*Family
	omni     map[string]*omniRule // by folded name
	rules    []classRule          // for classes that are not listed
	over     []classRule          // sections that decide over a listed class as well
}

// known parses the tables on first use.
var known = sync.OnceValue(buildRegistry)

func buildRegistry() *registry {
	r := &registry{
		classes:  make(map[string]*Class, 3200),
		names:    make([]string, 0, 3200),
		families: make(map[string]*Family, 700),
		omni:     make(map[string]*omniRule, 64),
	}
	for f := range tableRows(architecturesTSV) {
		c := &Class{Name: f[0], Category: Category(f[1]), Task: Task(f[2]), ModelType: f[3], RealName: f[4]}
		if c.RealName == "" {
			c.RealName = c.Name
		}
		r.classes[c.Name] = c
		r.names = append(r.names, c.Name)
	}
	for f := range tableRows(modelTypesTSV) {
		r.families[f[0]] = &Family{ModelType: f[0], Category: Category(f[1]), Task: Task(f[2]), Architecture: f[3], LoadsAs: f[4]}
	}
	for f := range tableRows(omniTSV) {
		rule := &omniRule{}
		if f[1] != "" {
			rule.needs = strings.Split(f[1], ",")
		}
		r.omni[foldName(f[0])] = rule
		if c, ok := r.classes[f[0]]; ok {
			c.omni = rule
		}
		if family, ok := r.families[f[0]]; ok {
			family.omni = rule
		}
	}
	r.readRules()
	r.fold()
	return r
}

// fold prepares the look-up of names that are spelled differently.
func (r *registry) fold() {
	names := r.names
	r.folded = sync.OnceValue(func() map[string]string {
		folded := make(map[string]string, len(names))
		for _, name := range names {
			if key := foldName(name); folded[key] == "" {
				folded[key] = name
			}
		}
		return folded
	})
}

// tableColumns is the width of the widest table; narrower ones leave the rest
// empty.
const tableColumns = 5

// tableRows gives the rows of a table: "#" begins a comment, "-" is an empty
// field. The array is reused from row to row.
func tableRows(table string) iter.Seq[*[tableColumns]string] {
	return func(yield func(*[tableColumns]string) bool) {
		var fields [tableColumns]string
		for line := range strings.Lines(table) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			for i := range fields {
				fields[i], line, _ = strings.Cut(line, "\t")
				if fields[i] == "-" {
					fields[i] = ""
				}
			}
			if !yield(&fields) {
				return
			}
		}
	}
}

// LookupClass gives what is known of a class name, spelled exactly so.
func LookupClass(name string) (Class, bool) {
	if c := known().classes[name]; c != nil {
		return *c, true
	}
	return Class{}, false
}

// LookupFamily gives what is known of a model type.
func LookupFamily(modelType string) (Family, bool) {
	if f := known().families[modelType]; f != nil {
		return *f, true
	}
	return Family{}, false
}

// byClassName is how a class is mostly found.
const byClassName = "class name in architectures of config.json"

// foundBy says how a class was found that is spelled as it is listed.
func (c *Class) foundBy() string { return cmp.Or(c.how, byClassName) }

// resolveClass finds a class by its exact name, then without regard to case and
// underscores, then by what stands behind the last dot (a module in front), then
// without the prefix of a training wrapper. The second result says how, for
// people, and is empty where the name is not known.
func (r *registry) resolveClass(name string) (*Class, string) {
	if c := r.classes[name]; c != nil {
		return c, c.foundBy()
	}
	var buf [64]byte
	for _, v := range [...]struct{ name, how string }{
		{name, "class name, spelled differently, in architectures of config.json"},
		{name[strings.LastIndexByte(name, '.')+1:], "class name behind its module in architectures of config.json"},
		{strings.TrimPrefix(name, "FSDP"), "class name without its wrapper's prefix in architectures of config.json"},
	} {
		if c := r.classes[v.name]; c != nil {
			return c, v.how
		}
		if c := r.classes[r.folded()[string(appendFolded(buf[:0], v.name))]]; c != nil {
			return c, v.how
		}
	}
	return nil, ""
}

// foldedOmni gives the rule for a class name or a model type that is not
// listed, nil where there is none.
func (r *registry) foldedOmni(name string) *omniRule {
	var buf [64]byte
	return r.omni[string(appendFolded(buf[:0], name))]
}

// nearestClass gives the known name that begins most like name, or "" where
// fewer than four letters agree.
func (r *registry) nearestClass(name string) string {
	i, _ := slices.BinarySearch(r.names, name)
	best, length := "", 3
	for _, j := range [...]int{i - 1, i} {
		if j < 0 || j >= len(r.names) {
			continue
		}
		if n := commonPrefix(name, r.names[j]); n > length {
			best, length = r.names[j], n
		}
	}
	return best
}

func commonPrefix(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// foldName drops what spellings of one name differ in: case, "_", "-" and ".".
func foldName(name string) string { return string(appendFolded(nil, name)) }

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
