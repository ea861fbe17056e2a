// Package classtensors has the names of the tensors that the transformers library saves for
// each class of its auto modules, made from the default config. refresh.py makes the tables
// from an installed library.
package classtensors

import (
	_ "embed"
	"sort"
	"strings"
	"sync"
)

// A row of the tables is looked up without reading the others: class_tensors.tsv has 1 MB.
var (
	//go:embed class_tensors.tsv
	classTensorsTSV string
	//go:embed layer_tensors.tsv
	layerTensorsTSV string
)

// Class is what is saved for one class and model type.
type Class struct {
	Name, ModelType string
	Embedding, Head string   // modules of the token embedding and of the output head in memory, "" where there is none
	Outside         []string // tensors outside any stack of layers
	Stacks          []Stack
	Switches        []Switch
	// Fixed are the keys of the config that are null or text by default, under their path,
	// with the default. Another value may stand for other tensors.
	Fixed map[string]string
	// Names are all names but those of Some, with # for every number.
	Names []string
}

// Stack is a list of layers.
type Stack struct {
	Prefix string   // "model.layers"
	Keys   []string // keys of the config, with their path, that may give the number of layers
	Layers *Layers
}

// Layers has the names of the tensors of the layers of a stack, without the prefix and the
// number of the layer, and with # for every other number.
type Layers struct {
	All, NotFirst, NotLast, First, Last []string // by the layers that have them
	Some                                []string // in layers that depend on the config
}

// Switch is a key of the config, with its path, whose other value leaves out tensors.
type Switch struct {
	Key     string
	Default bool
	Without []string // names with # for every number
}

// parsed keeps the rows that were looked up, by class and model type. Only rows of the table
// are kept.
var parsed sync.Map

// Lookup finds a class. Where the class has no row of this model type, its first row is
// taken. The result must not be changed.
func Lookup(class, modelType string) (*Class, bool) {
	type key struct{ class, modelType string }
	if c, ok := parsed.Load(key{class, modelType}); ok {
		return c.(*Class), true
	}
	row, ok := find(classTensorsTSV, class+"\t"+modelType+"\t")
	if !ok {
		if row, ok = find(classTensorsTSV, class+"\t"); !ok {
			return nil, false
		}
	}
	f := strings.Split(row, "\t")
	c := &Class{Name: f[0], ModelType: f[1], Embedding: f[2], Head: f[3], Outside: list(f[4], ","), Fixed: map[string]string{}}
	for _, s := range list(f[5], ";") {
		prefix, rest, _ := strings.Cut(s, "=")
		id, keys, _ := strings.Cut(rest, ":")
		c.Stacks = append(c.Stacks, Stack{prefix, list(keys, "|"), layers(id)})
	}
	for _, s := range list(f[6], ";") {
		k, rest, _ := strings.Cut(s, "=")
		value, names, _ := strings.Cut(rest, ":")
		c.Switches = append(c.Switches, Switch{k, value == "true", list(names, ",")})
	}
	for _, s := range list(f[7], ";") {
		k, value, _ := strings.Cut(s, "=")
		c.Fixed[k] = value
	}
	c.Names = flatNames(c)
	if c.ModelType == modelType {
		parsed.Store(key{class, modelType}, c)
	}
	return c, true
}

// flatNames lists the names of a class but those of Some.
func flatNames(c *Class) (names []string) {
	for _, n := range c.Outside {
		names = append(names, Collapse(n))
	}
	for i := range c.Stacks {
		s := &c.Stacks[i]
		for _, list := range [...][]string{s.Layers.All, s.Layers.NotFirst, s.Layers.NotLast, s.Layers.First, s.Layers.Last} {
			for _, n := range list {
				if s.Prefix != "" {
					n = s.Prefix + ".#." + n
				} else {
					n = "#." + n
				}
				names = append(names, n)
			}
		}
	}
	return names
}

// Collapse replaces each element of a name that is a number by #.
func Collapse(name string) string {
	if !strings.ContainsAny(name, "0123456789") {
		return name
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if IsNumber(p) {
			parts[i] = "#"
		}
	}
	return strings.Join(parts, ".")
}

// IsNumber tells whether an element of a name is a number.
func IsNumber[T string | []byte](element T) bool {
	for i := range len(element) {
		if element[i] < '0' || element[i] > '9' {
			return false
		}
	}
	return len(element) > 0
}

// layers finds a row of layer_tensors.tsv.
func layers(id string) *Layers {
	row, _ := find(layerTensorsTSV, id+"\t")
	f := strings.Split(row, "\t")
	for len(f) < 7 {
		f = append(f, "")
	}
	return &Layers{All: list(f[1], ","), NotFirst: list(f[2], ","), NotLast: list(f[3], ","), First: list(f[4], ","), Last: list(f[5], ","), Some: list(f[6], ",")}
}

func list(s, separator string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, separator)
}

// find gives the first line of a sorted table that begins with a text, by bisection.
func find(text, begin string) (line string, ok bool) {
	at := sort.Search(len(text), func(i int) bool { return text[lineStart(text, i):] >= begin })
	rest := text[lineStart(text, at):]
	if !strings.HasPrefix(rest, begin) {
		return "", false
	}
	line, _, _ = strings.Cut(rest, "\n")
	return line, true
}

// lineStart is the start of the line that has byte i.
func lineStart(text string, i int) int { return strings.LastIndexByte(text[:i], '\n') + 1 }
