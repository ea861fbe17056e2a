// Package check compares the parts of a checkpoint with each other (the config with the
// weights, the tokenizer with the embedding, the files with those of the repository),
// and reports where they disagree. Each check is a value that is registered in a file of
// its subject; it reads facts and does not change them.
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

// Facts are what was read of a checkpoint. They are complete before the first check, and
// do not change.
type Facts struct {
	Checkpoint *checkpoint.Directory
	// Info is the answer; all of it but Findings is complete.
	Info      *answer.Info
	Files     []tree.File
	ConfigErr error // why the main file cannot be read, nil where it was read
	Weights   *weights.Headers
	Commit    *weights.CommitComparison // nil where there is no list of the commit's files
	Tokenizer *tokens.Description
	// TokenizerErr is why Tokenizer is nil.
	TokenizerErr error
}

// Needs is a set of facts that a check requires.
type Needs uint

// The facts that a check can require. A check that requires none is always run.
const (
	Config    Needs = 1 << iota // the main file is config.json, and was read
	Weights                     // weight files were found
	Headers                     // every header of the weights was read, and no weight file is missing
	Tokenizer                   // a tokenizer was found and described
	Commit                      // the snapshot was compared with the list of its commit's files
	Cache                       // the directory is in a Hugging Face cache
)

// available gives the facts that were read.
func (f *Facts) available() (n Needs) {
	add := func(fact Needs, isAvailable bool) {
		if isAvailable {
			n |= fact
		}
	}
	_, cached := f.Checkpoint.CacheRepository()
	add(Config, f.Checkpoint.Doc.File == config.ConfigJSON)
	add(Weights, f.Weights != nil)
	add(Headers, f.Weights != nil && f.Weights.AllPresent && !f.Weights.SomeUnread && len(f.Weights.Tensors.List) > 0)
	add(Tokenizer, f.Tokenizer != nil)
	add(Commit, f.Commit != nil)
	add(Cache, cached)
	return n
}

// Check is one comparison.
type Check struct {
	Name  string   // "layers"
	Codes []string // the codes of all findings that it can report
	Needs Needs
	Run   func(*Facts) []answer.Finding
}

var registered []*Check

// register adds a check to All.
func register(c Check) *Check {
	registered = append(registered, &c)
	return &c
}

// All lists the checks, sorted by name.
var All = sync.OnceValue(func() []*Check {
	return slices.SortedFunc(slices.Values(registered), func(a, b *Check) int { return cmp.Compare(a.Name, b.Name) })
})

// Run runs every check whose needs are available. The findings are in no particular
// order.
func Run(f *Facts) (findings []answer.Finding) {
	available := f.available()
	for _, c := range All() {
		findings = append(findings, c.findings(f, available)...)
	}
	return findings
}

// Findings runs the check, if its needs are available.
func (c *Check) Findings(f *Facts) []answer.Finding { return c.findings(f, f.available()) }

func (c *Check) findings(f *Facts, available Needs) []answer.Finding {
	if c.Needs&available != c.Needs {
		return nil
	}
	return c.Run(f)
}

// single gives a list of one finding with its usual severity.
func single(code, file, message, hint string) []answer.Finding {
	return []answer.Finding{finding.New(code, file, message, hint)}
}
