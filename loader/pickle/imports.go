package pickle

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Risk says how dangerous an import is for whoever unpickles the file.
type Risk uint8

// The risks. A name that the table lacks is suspicious, since importing it runs code
// that this reader does not know.
const (
	Allowed    Risk = iota // data only: what torch.load(weights_only=True) accepts, and plain values
	Suspicious             // unknown
	Dangerous              // known to run code, or to access files, memory or the network
)

// String returns the risk in lower case, as in the table.
func (r Risk) String() string {
	if int(r) < len(risks) {
		return risks[r]
	}
	return "risk " + strconv.Itoa(int(r))
}

var risks = [...]string{Allowed: "allowed", Suspicious: "suspicious", Dangerous: "dangerous"}

// Import is one name that a pickle asks Python to import.
type Import struct {
	Module string // empty where it is only known while unpickling
	Name   string
	Risk   Risk
	Why    string // what makes it dangerous or harmless
	Called bool   // by REDUCE, NEWOBJ, OBJ, INST or BUILD
	Opcode string // GLOBAL, STACK_GLOBAL, INST or EXT
	Offset int64  // in the file, after the first opcode that names it; in a compressed member, from that member's start
	Member string // file inside the archive, or empty
}

// String returns the full name, "os.system".
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
	member string // of the archive, being read
	base   int64  // offset of that member in the file
}

// add returns the index of an import, and lists it where it is new. The last entry
// stands for all imports beyond maxImports.
func (i *imports) add(opcode, module, name string, offset int64) int {
	key := [2]string{module, name}
	if at, have := i.index[key]; have {
		return at
	}
	if len(i.list) >= maxImports-1 {
		if len(i.list) == maxImports-1 {
			i.list = append(i.list, Import{Name: "more imports than are listed", Risk: Dangerous, Why: "hides among too many", Opcode: opcode, Offset: i.base + offset, Member: i.member})
		}
		return maxImports - 1
	}
	if i.index == nil {
		i.index = map[[2]string]int{}
	}
	risk, why := classify(module, name)
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

// classify returns the risk of importing name from module, and the reason. The exact
// name is looked up first, then the module as a whole, then the packages that contain
// it.
//
// From protocol 4 on a name may be a dotted path: importing "serialization.os.system"
// from torch reaches os.system through a module that looks harmless. Every step of
// such a path is looked up as a module.
func classify(module, name string) (Risk, string) {
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

// elementType is the element type that a storage class or a dtype stands for.
type elementType struct {
	dtype string // as in safetensors where that has the type; empty for an untyped storage
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

// lookupType finds an element type; kind is "storage" for classes of torch storages,
// or "dtype" for torch's dtypes.
func lookupType(kind, name string) (elementType, bool) {
	t, found := elementTypes()[[2]string{kind, name}]
	return t, found
}

// dtypeBytes maps dtypes to the size of one element in bytes.
var dtypeBytes = sync.OnceValue(func() map[string]int64 {
	all := map[string]int64{}
	for _, t := range elementTypes() {
		if t.dtype != "" {
			all[t.dtype] = t.bytes
		}
	}
	return all
})
