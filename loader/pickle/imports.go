package pickle

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Risk says what an import can do to whoever unpickles the file.
type Risk uint8

// The risks. What no table names is suspicious, since unpickling it runs code
// that this reader does not know.
const (
	Allowed    Risk = iota // data only: what torch.load(weights_only=True) lets pass, and plain values
	Suspicious             // unknown
	Dangerous              // known to run code, to reach files, memory or the network
)

// String gives the risk in lower case, as the table has it.
func (r Risk) String() string {
	if int(r) < len(risks) {
		return risks[r]
	}
	return "risk " + strconv.Itoa(int(r))
}

var risks = [...]string{Allowed: "allowed", Suspicious: "suspicious", Dangerous: "dangerous"}

// Import is one name that a pickle asks Python to import.
type Import struct {
	Module string // empty where it is not known before unpickling
	Name   string
	Risk   Risk
	Why    string // what makes it dangerous or harmless
	Called bool   // by REDUCE, NEWOBJ, OBJ, INST or BUILD
	Opcode string // GLOBAL, STACK_GLOBAL, INST or EXT
	Offset int64  // in the file, behind the first opcode that names it; in a compressed part, from that part's start
	Member string // file inside the archive, or empty
}

// String gives "os.system".
func (i Import) String() string {
	if i.Module == "" {
		return i.Name
	}
	return i.Module + "." + i.Name
}

// maxImports bounds the list; a state dictionary has ten, a whole model a few
// hundred.
const maxImports = 10_000

// imports collects the imports of one file, each once.
type imports struct {
	list   []Import
	index  map[[2]string]int
	member string
	base   int64
	more   bool // there were more than maxImports
}

// overflow is the entry for all imports beyond the limit.
func (i *imports) overflow() int {
	i.more = true
	return maxImports - 1
}

func (i *imports) add(opcode, module, name string, offset int64) int {
	key := [2]string{module, name}
	if at, have := i.index[key]; have {
		return at
	}
	if len(i.list) >= maxImports-1 {
		if len(i.list) == maxImports-1 {
			i.list = append(i.list, Import{Name: "more imports than are listed", Risk: Dangerous, Why: "hides among too many", Opcode: opcode, Offset: i.base + offset, Member: i.member})
		}
		return i.overflow()
	}
	if i.index == nil {
		i.index = map[[2]string]int{}
	}
	risk, why := Classify(module, name)
	i.index[key] = len(i.list)
	i.list = append(i.list, Import{
		Module: module, Name: name, Risk: risk, Why: why, Opcode: opcode, Offset: i.base + offset, Member: i.member,
	})
	return len(i.list) - 1
}

var (
	//go:embed imports.tsv
	importsTSV string
	//go:embed element_types.tsv
	elementTypesTSV string
)

type rule struct {
	key  string // module, tab, name or *
	risk Risk
	why  string
}

var rules = sync.OnceValue(func() []rule {
	_, table, _ := strings.Cut(importsTSV, "\n")
	all := make([]rule, 0, strings.Count(table, "\n"))
	for line := range strings.Lines(table) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		all = append(all, rule{fields[0] + "\t" + fields[1], Risk(slices.Index(risks[:], fields[2])), fields[3]})
	}
	return all
})

func findRule(module, name string) (rule, bool) {
	all := rules()
	i, found := slices.BinarySearchFunc(all, module+"\t"+name, func(r rule, key string) int {
		return strings.Compare(r.key, key)
	})
	if !found {
		return rule{}, false
	}
	return all[i], true
}

// Classify tells the risk of importing name from module, and why. The exact name
// is looked up first, then the module as a whole, then the packages it is in.
//
// From protocol 4 on a name may be a path: importing "serialization.os.system"
// from torch reaches os.system through a module that looks harmless. Every step
// of such a path counts as a module.
func Classify(module, name string) (Risk, string) {
	if module == "" {
		return Dangerous, "not known before unpickling"
	}
	if r, found := findRule(module, name); found {
		return r.risk, r.why
	}
	for m := module; ; {
		if r, found := findRule(m, "*"); found {
			return r.risk, r.why
		}
		dot := strings.LastIndexByte(m, '.')
		if dot < 0 {
			break
		}
		m = m[:dot]
	}
	if strings.Contains(name, ".") {
		for step := range strings.SplitSeq(name, ".") {
			if r, found := findRule(step, "*"); found && r.risk == Dangerous {
				return Dangerous, "reaches " + step + ", which " + r.why
			}
			if r, found := findRule("builtins", step); found && r.risk == Dangerous {
				return Dangerous, "reaches " + step + ", which " + r.why
			}
			if strings.HasPrefix(step, "__") {
				return Dangerous, "reaches " + step
			}
		}
		head, _, _ := strings.Cut(name, ".")
		if r, found := findRule(module, head); found && r.risk == Dangerous {
			return Dangerous, r.why
		}
	}
	return Suspicious, "unknown: unpickling it runs its module's code"
}

// elementType is what a storage type, or a dtype, means.
type elementType struct {
	dtype string // as safetensors spells it, where it has the type; empty for an untyped storage
	bytes int64  // of one element
}

var elementTypes = sync.OnceValue(func() map[[2]string]elementType {
	_, table, _ := strings.Cut(elementTypesTSV, "\n")
	all := make(map[[2]string]elementType, 80)
	for line := range strings.Lines(table) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		n, _ := strconv.ParseInt(fields[3], 10, 64) // a test checks the table
		all[[2]string{fields[0], fields[1]}] = elementType{strings.TrimPrefix(fields[2], "-"), n}
	}
	return all
})

// lookupType finds an element type; kind is storage, dtype or numpy.
func lookupType(kind, name string) (elementType, bool) {
	t, found := elementTypes()[[2]string{kind, name}]
	return t, found
}

// dtypeBytes gives the size of one element of a dtype, 0 where it is not known.
var dtypeBytes = sync.OnceValue(func() map[string]int64 {
	all := map[string]int64{}
	for _, t := range elementTypes() {
		if t.dtype != "" {
			all[t.dtype] = t.bytes
		}
	}
	return all
})
