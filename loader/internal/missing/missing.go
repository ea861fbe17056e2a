// Package missing finds tensors that the weights of a checkpoint lack. It compares the
// layers of a stack with each other, and the names with those that the transformers library
// saves for the class. The config decides what a class needs: a name that a switch of the
// config leaves out is not missing, and where the tensors have other names than the table,
// nothing is said.
package missing

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/classtensors"
)

// Names are the names of the tensors.
type Names interface {
	Len() int
	Name(i int) []byte // valid until the next change of the tensors
}

// Model is what the tensors are compared with.
type Model struct {
	Class string // that loads the checkpoint
	// Type is the model type of the config.
	Type string
	// Config gives the value of a key, with its path ("text_config.num_hidden_layers"), of the
	// config.
	Config func(path string) gjson.Result
	// Quantized: a weight may be stored as several tensors of other names.
	Quantized bool
}

// Gap is one thing that is missing.
type Gap struct {
	// Names are the tensors that are missing, or one for all that a module lacks: "vision_tower.*".
	Names []string
	// Because says what shows that it is missing: "the other layers have it".
	Because string
	// Certain: a loader initializes it with random values, or fails. Else it may be a
	// variant of the class.
	Certain bool
	// Layers: whole layers are missing. Names has the prefix and the numbers.
	Layers bool
	// Expected: the table has the name, and no tensor of the checkpoint.
	Expected bool
	// Variant: so many names of the table are missing that the checkpoint is likely of a
	// variant of the class.
	Variant bool
}

// Find gives what is missing. Its time is proportional to the number of tensors.
func Find(names Names, m Model) (gaps []Gap) {
	t := newTree(names)
	a := &analysis{tree: t, model: m}
	if class, ok := classtensors.Lookup(m.Class, m.Type); ok {
		a.align(class)
	}
	for _, s := range t.stacks {
		a.compareLayers(s)
	}
	return append(a.gaps, a.expected()...)
}

// analysis is the state of Find.
type analysis struct {
	*tree
	model Model
	class *classtensors.Class // nil where it is not known, or its tensors have other names
	// align gives the name in the checkpoint for one of the table.
	rename func(string) string
	gaps   []Gap

	flat      map[string]bool // the names of the checkpoint with # for numbers
	deviation map[string]bool // names that the config leaves out
	inTable   map[string]bool // see isInTable
	uncertain bool            // the config has another value than the default in a key that may change names
}

// value gives a key of the config.
func (a *analysis) value(path string) gjson.Result { return a.model.Config(path) }

// report adds a gap.
func (a *analysis) report(g Gap) { a.gaps = append(a.gaps, g) }

// harmless are the ends of the names of buffers and companions that files may have or not.
var harmless = []string{"rotary_emb.inv_freq", "position_ids", "masked_bias", "attn.bias", "num_batches_tracked", "relative_position_index", "inv_freq", "token_type_ids"}

func isHarmless(name string) bool {
	return slices.ContainsFunc(harmless, func(end string) bool { return strings.HasSuffix(name, end) })
}
