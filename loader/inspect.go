package loader

import (
	"context"
	"io/fs"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/check"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/memory"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
)

// Inspect says what the checkpoint at dir is and what is wrong with it: beyond
// ModelInfo the size, the tokenizer, the weight files (by their headers alone), the
// memory they take, the model card, and what is wrong with any of them. What cannot be
// read is reported as a finding; only a directory that cannot be listed is an error.
func (l *Loader) Inspect(fsys fs.FS, dir string) (*answer.Info, error) {
	i := newInspection(l, fsys)
	if err := i.open(dir); err != nil {
		return nil, err
	}
	for _, stage := range stages {
		stage(i)
	}
	info := i.Info
	info.Findings = finding.Consolidate(append(i.findings, check.Run(&i.Facts)...), func(file string) bool { return tree.HasProblem(i.Files, file) })
	return info, nil
}

// stages fill in the facts and the answer, each from those before it. None of them
// reads what another one reported.
var stages = []func(*inspection){
	(*inspection).readCard,
	(*inspection).describe,
	(*inspection).readFiles,
	(*inspection).readWeights,
	(*inspection).readTokenizer,
	(*inspection).readChatTemplate,
	(*inspection).computeMemory,
	(*inspection).compareWithCommit,
}

// inspection is one call of Inspect.
type inspection struct {
	check.Facts
	loader         *Loader
	fsys           *tree.CachedFS
	classification detect.Classification
	card           *answer.CardInfo
	findings       []answer.Finding // of reading
}

func newInspection(l *Loader, fsys fs.FS) *inspection {
	return &inspection{loader: l, fsys: tree.NewCachedFS(fsys), findings: []answer.Finding{}}
}

func (i *inspection) report(findings ...answer.Finding) { i.findings = append(i.findings, findings...) }

// open lists the directory, reads the file that says what it is, and decides. Where
// that file cannot be read, the others decide.
func (i *inspection) open(dir string) error {
	c, err := checkpoint.List(i.fsys, dir)
	if err != nil {
		return err
	}
	c.CustomRegistry = i.loader.customRegistry()
	i.Checkpoint = c
	if i.ConfigErr = c.ReadMainFile(); i.ConfigErr != nil {
		c.Doc, c.Classes, c.ModelType, c.Findings = config.Document{}, nil, "", nil
	}
	i.classification = detect.Classify(c)
	return nil
}

func (i *inspection) readCard() {
	var findings []answer.Finding
	i.card, findings = i.Checkpoint.Card()
	i.report(findings...)
}

// describe makes the answer of ModelInfo. The card's base model counts where no file of
// the checkpoint names one.
func (i *inspection) describe() {
	info := buildInfo(i.Checkpoint, &i.classification, i.card)
	if i.ConfigErr != nil && info.Category == answer.Unknown {
		reason := i.ConfigErr.Error()
		info.Error, info.DecidedBy, info.Findings = &reason, "no rule: "+fault.PathOf(i.ConfigErr)+" cannot be read", nil
	}
	if i.card != nil && info.BaseModel == nil && len(i.card.BaseModels) > 0 {
		base := i.card.BaseModels[0]
		info.BaseModel = &base
	}
	info.Card = i.card
	i.Info = info
	i.report(info.Findings...)
}

func (i *inspection) readFiles() {
	var findings []answer.Finding
	i.Files, findings = i.Checkpoint.Walk(i.fsys)
	i.report(findings...)
	i.report(i.Checkpoint.Sniff(i.Files)...)
	for k := range i.Files {
		i.Info.Size += i.Files[k].Size
	}
}

// readWeights reads the headers of the weights, and the pickles that are not among them.
func (i *inspection) readWeights() {
	i.Weights = weights.Read(i.Checkpoint, i.Files, &i.classification)
	var read []string
	if w := i.Weights; w != nil {
		i.Info.Weights, read = w.Info, w.Info.Files
		i.report(w.Findings...)
	}
	i.report(weights.ScanPickles(i.Checkpoint, i.Files, read)...)
	if i.Info.Quantization == nil {
		i.Info.Quantization = weights.Quantization(i.Checkpoint, i.Weights)
		i.Info.IsQuantized = i.Info.Quantization != nil
	}
}

// readTokenizer describes the tokenizer of the checkpoint or of its base model.
func (i *inspection) readTokenizer() {
	i.Tokenizer, i.TokenizerErr = i.loader.tokenizerFinder().Find(context.Background(), i.fsys, i.Checkpoint.Dir, tokens.Describe)
	if i.TokenizerErr != nil {
		i.Tokenizer = nil
		return
	}
	i.Info.Tokenizer = i.Tokenizer.TokenizerInfo
	i.report(i.Tokenizer.Findings...)
}

func (i *inspection) readChatTemplate() {
	var findings []answer.Finding
	i.Info.ChatTemplate, findings = tokens.ChatTemplate(i.Checkpoint, i.Tokenizer, i.Files, i.Weights)
	i.report(findings...)
}

func (i *inspection) computeMemory() {
	memory.Estimate(i.Checkpoint, i.Info, i.Weights, i.loader.context)
}

func (i *inspection) compareWithCommit() {
	i.Commit = weights.CompareWithCommit(i.Checkpoint, i.Files, i.Info.Weights)
}
