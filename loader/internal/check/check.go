// Package check compares what was read of a checkpoint: its config with its weights,
// its files with what its download left on record, its tokenizer with its embedding,
// and reports where they do not fit. A check is a value in a file of its own; it reads
// facts and changes none.
package check

import (
	"cmp"
	"slices"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
)

// Facts are what was read of a checkpoint. They no longer change.
type Facts struct {
	Checkpoint *checkpoint.Directory
	// Info is the answer, of which all is final but its findings.
	Info      *answer.Info
	Files     []tree.File
	ConfigErr error // why the file that says what the directory is cannot be read
	Weights   *weights.Headers
	Commit    *weights.CommitComparison // nil where the list of the commit's files is not here
	Tokenizer *tokens.Description
	// TokenizerErr is why there is no tokenizer.
	TokenizerErr error
}

// Needs are facts without which a check has nothing to compare.
type Needs uint

// The facts that a check may need. A check that needs none runs always.
const (
	Config    Needs = 1 << iota // config.json says what the directory is, and was read
	Weights                     // weight files were found
	Headers                     // every header of the weights was read, and no file is missing
	Tokenizer                   // a tokenizer was found and described
	Commit                      // the list of the commit's files is known
	Cache                       // the directory is in a Hugging Face cache
)

// available gives the facts that are there.
func (f *Facts) available() (n Needs) {
	set := func(need Needs, there bool) {
		if there {
			n |= need
		}
	}
	_, cached := f.Checkpoint.CacheRepository()
	set(Config, f.Checkpoint.Doc.File == config.ConfigJSON)
	set(Weights, f.Weights != nil)
	set(Headers, f.Weights != nil && f.Weights.AllPresent && !f.Weights.SomeUnread && len(f.Weights.Tensors.List) > 0)
	set(Tokenizer, f.Tokenizer != nil)
	set(Commit, f.Commit != nil)
	set(Cache, cached)
	return n
}

// Check is one comparison.
type Check struct {
	Name  string   // "layers"
	Codes []string // of the findings that it reports, all of them
	Needs Needs
	Run   func(*Facts) []answer.Finding
}

var registered []*Check

// register adds a check to those that Run carries out.
func register(c Check) *Check {
	registered = append(registered, &c)
	return &c
}

// All lists the checks by their names.
var All = sync.OnceValue(func() []*Check {
	return slices.SortedFunc(slices.Values(registered), func(a, b *Check) int { return cmp.Compare(a.Name, b.Name) })
})

// Run carries out every check whose facts are there. The order of the findings says
// nothing; see finding.Sort.
func Run(f *Facts) (findings []answer.Finding) {
	there := f.available()
	for _, c := range All() {
		findings = append(findings, c.findings(f, there)...)
	}
	return findings
}

// Findings carries out one check, if its facts are there.
func (c *Check) Findings(f *Facts) []answer.Finding { return c.findings(f, f.available()) }

func (c *Check) findings(f *Facts, there Needs) []answer.Finding {
	if c.Needs&there != c.Needs {
		return nil
	}
	return c.Run(f)
}

// single is a list of one finding, with the code's own severity.
func single(code, file, message, hint string) []answer.Finding {
	return []answer.Finding{finding.New(code, file, message, hint)}
}
