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
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/sae"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
)

// Inspect describes the checkpoint at dir completely: beyond ModelInfo its size,
// tokenizer, weights (by their headers), memory and model card, and what is wrong with
// any of them. A file that cannot be read is a finding; the error is for a directory
// that cannot be listed.
func (l *Loader) Inspect(fsys fs.FS, dir string) (*answer.Info, error) {
	i := newInspection(l, fsys)
	if err := i.open(dir); err != nil {
		return nil, err
	}
	for _, stage := range stages {
		stage(i)
	}
	info := i.Info
	found := check.Run(&i.Facts)
	if i.Tokenizer != nil {
		i.Tokenizer.Info() // what the checks compared is released
	}
	info.Findings = finding.Consolidate(append(i.findings, found...), func(file string) bool { return tree.HasProblem(i.Files, file) })
	if info.Weights != nil {
		info.Weights.Complete, info.Weights.CompleteReason = check.Complete(&i.Facts, info.Findings)
		if complete := info.Weights.Complete; complete == nil || !*complete {
			finding.WithholdRemovals(info.Findings)
		}
	}
	return info, nil
}

// stages set facts and fields of the answer, each using those of earlier stages. None
// reads the findings of another.
var stages = []func(*inspection){
	(*inspection).readCard,
	(*inspection).describe,
	(*inspection).readFiles,
	(*inspection).readWeights,
	(*inspection).compareWithCommit,
	(*inspection).readTokenizer,
	(*inspection).readChatTemplate,
	(*inspection).computeMemory,
}

// inspection is the state of Inspect.
type inspection struct {
	check.Facts
	loader         *Loader
	fsys           *tree.CachedFS
	classification detect.Classification
	card           *answer.CardInfo
	findings       []answer.Finding // of the stages
}

func newInspection(l *Loader, fsys fs.FS) *inspection {
	return &inspection{loader: l, fsys: tree.NewCachedFS(fsys), findings: []answer.Finding{}}
}

// report adds findings.
func (i *inspection) report(findings ...answer.Finding) { i.findings = append(i.findings, findings...) }

// open lists the directory, parses the main file and classifies the checkpoint. Where
// the main file cannot be read, the other files are used.
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

// readCard reads the model card.
func (i *inspection) readCard() {
	var findings []answer.Finding
	i.card, findings = i.Checkpoint.Card()
	i.report(findings...)
}

// describe builds the answer of ModelInfo. The base model of the card is used where no
// other file names one.
func (i *inspection) describe() {
	info := buildInfo(i.Checkpoint, &i.classification, i.card, sae.Describe)
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

// readFiles lists all files, and reads the first bytes of each.
func (i *inspection) readFiles() {
	var findings []answer.Finding
	i.Files, findings = i.Checkpoint.Walk(i.fsys)
	i.report(findings...)
	i.report(i.Checkpoint.Sniff(i.Files)...)
	for k := range i.Files {
		i.Info.Size += i.Files[k].Size
	}
}

// readWeights reads the headers of the weights, and scans the other pickles.
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
	if q := i.Info.Quantization; q != nil {
		q.Mixed = quantization.ReadModules(i.Checkpoint).Describe(q)
	}
}

// readTokenizer describes the tokenizer of the checkpoint or of its base model.
func (i *inspection) readTokenizer() {
	i.Tokenizer, i.TokenizerErr = i.loader.tokenizerFinder().Find(context.Background(), i.fsys, i.Checkpoint.Dir, tokens.Describe)
	if i.TokenizerErr != nil {
		i.Tokenizer = nil
		return
	}
	i.Info.Tokenizer = &i.Tokenizer.TokenizerInfo
	i.report(i.Tokenizer.Findings...)
}

// readChatTemplate finds the chat template.
func (i *inspection) readChatTemplate() {
	var findings []answer.Finding
	i.Info.ChatTemplate, findings = tokens.ChatTemplate(i.Checkpoint, i.Tokenizer, i.Files, i.Weights)
	i.report(findings...)
}

// computeMemory computes the memory that the loaded model needs.
func (i *inspection) computeMemory() {
	memory.Estimate(i.Checkpoint, i.Info, i.Weights, i.loader.context)
}

// compareWithCommit compares a snapshot of the Hugging Face cache with the list of its
// commit's files.
func (i *inspection) compareWithCommit() {
	i.Commit = weights.CompareWithCommit(i.Checkpoint, i.Files, i.Weights)
}
