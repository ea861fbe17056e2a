// Package loader says what a model checkpoint is, from its directory alone: the
// architecture, the category, whether a loader is known for it, its quantization,
// sparse autoencoder, tokenizer, and what is wrong with it. The types of the answers are
// in package answer, the codes of what is wrong in package finding.
//
// It reads from any fs.FS, never writes, never loads weights, and never runs
// anything that a checkpoint brings. The questions that a loader asks first
// (ModelInfo, Category, Support, IsOmni, IsSAE) cost one directory listing and
// one small file; Inspect looks further.
//
// A directory that is not there, or whose describing file cannot be read, is an
// error that names the file, the place in it and the kind; only Inspect reports
// the latter as a finding, so that no checkpoint is hidden.
package loader

import (
	"io/fs"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/sae"
	"omniloader/loader/internal/tokens"
)

// FileError is the error of every reader: path, offset, kind, hint.
type FileError = fault.Error

// Loader answers questions about checkpoints. The zero value works, has no
// fallbacks, and looks for base models beside the checkpoint only. A Loader is
// safe for concurrent use.
type Loader struct {
	roots     []string
	fallbacks []string
	fetch     tokens.Fetch              // nil where the filesystem is all there is
	registry  func() *registry.Registry // nil where only the built-in names are known
	context   int64                     // tokens that Inspect sizes the cache for, 0 for the model's own
}

// New returns a Loader.
func New(options ...Option) *Loader {
	l := &Loader{}
	for _, o := range options {
		o(l)
	}
	return l
}

// Category says what kind of loader the checkpoint at dir needs.
func (l *Loader) Category(fsys fs.FS, dir string) (*answer.Detection, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	v := detect.Classify(c)
	return &answer.Detection{Category: v.Category, Task: v.Task, Layout: v.Layout, DecidedBy: v.DecidedBy}, nil
}

// Support says whether a loader is known for the checkpoint at dir.
func (l *Loader) Support(fsys fs.FS, dir string) (*answer.Support, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	v := detect.Classify(c)
	s := detect.Support(c, &v)
	return &s, nil
}

// IsOmni says whether the checkpoint at dir takes speech, vision and text.
func (l *Loader) IsOmni(fsys fs.FS, dir string) (bool, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return false, err
	}
	defer c.Release()
	return detect.IsOmni(c), nil
}

// IsSAE says whether the checkpoint at dir is a sparse autoencoder.
func (l *Loader) IsSAE(fsys fs.FS, dir string) (bool, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return false, err
	}
	defer c.Release()
	v := detect.Classify(c)
	return v.Category == answer.SAE, nil
}

// SAEBaseModel says which model the sparse autoencoder at dir reads. The error
// is of the kind NotAnSAE where it is none.
func (l *Loader) SAEBaseModel(fsys fs.FS, dir string) (*answer.BaseModel, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	v := detect.Classify(c)
	if v.SAE == nil {
		return nil, notAnSAE(dir, v.DecidedBy)
	}
	return &sae.Describe(c, v.SAE).BaseModel, nil
}

// ModelInfo says what the checkpoint at dir is, from one listing and one file.
// Size, Tokenizer and Weights are left to Inspect.
func (l *Loader) ModelInfo(fsys fs.FS, dir string) (*answer.Info, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	return modelInfo(c), nil
}

// modelInfo gathers what one listing and one file tell.
func modelInfo(c *checkpoint.Directory) *answer.Info {
	v := detect.Classify(c)
	return buildInfo(c, &v, nil)
}

// buildInfo gathers what is known once the checkpoint was classified. card is the model
// card, nil where it was not read.
func buildInfo(c *checkpoint.Directory, v *detect.Classification, card *answer.CardInfo) *answer.Info {
	s := detect.Support(c, v)
	info := &answer.Info{
		Name:          c.Name(),
		Path:          c.RequestedDir(),
		Layout:        v.Layout,
		Category:      v.Category,
		Task:          v.Task,
		Architecture:  answer.OrUnknown(c.Architecture()),
		Architectures: c.Classes,
		ModelType:     answer.OrUnknown(c.ModelType),
		DecidedBy:     v.DecidedBy,
		IsSupported:   s.IsSupported,
		Error:         s.Error,
		LoadsAs:       s.LoadsAs,
		RemoteCode:    s.RemoteCode,
		IsOmni:        detect.IsOmni(c),
		HasTalker:     detect.HasTalker(c),
		Quantization:  quantization.FromConfigs(c),
		CustomFiles:   detect.CustomCode(c),
		IsSAE:         v.Category == answer.SAE,
		Candidates:    v.Candidates,
		Findings:      c.Findings,
	}
	if v.Category == answer.Diffusers {
		info.PipelineKind = detect.PipelineKind(c.Architecture())
	}
	info.IsQuantized = info.Quantization != nil
	info.HasCustomFiles = len(info.CustomFiles) > 0
	addSAE(c, info, v.SAE)
	if v.BaseModel != "" {
		base := v.BaseModel // not its address: the verdict stays off the heap
		info.BaseModel = &base
	}
	if v.AdapterBase != nil {
		info.Architecture, info.Architectures, info.ModelType = v.AdapterBase.Classes[0], v.AdapterBase.Classes, answer.OrUnknown(v.AdapterBase.ModelType)
	}
	info.Findings = append(info.Findings, detect.CandidateFindings(v)...)
	if c.Doc.File == config.AdapterConfigJSON {
		detect.AddAdapterBase(c, info, card)
	}
	info.Findings = append(info.Findings, detect.ClassFindings(c, v, &s)...)
	if len(info.CustomFiles) > 0 {
		info.Findings = append(info.Findings, detect.CustomCodeFindings(c)...)
	}
	finding.Sort(info.Findings)
	info.Architectures, info.CustomFiles, info.Candidates = orEmpty(info.Architectures), orEmpty(info.CustomFiles), orEmpty(info.Candidates)
	info.Findings = orEmpty(info.Findings)
	return info
}

// orEmpty gives a list that is [] in JSON, and not null, where there is none.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// addSAE fills in what an autoencoder's files say.
func addSAE(c *checkpoint.Directory, info *answer.Info, e *sae.Release) {
	if e == nil {
		return
	}
	b := sae.Describe(c, e)
	base := b.BaseModel.Name
	info.BaseModel = base
	family := answer.UnknownName
	if len(e.Autoencoders) > 0 {
		family = e.Autoencoders[0].Family
	}
	info.SAE = &answer.SAEInfo{Family: family, Kind: b.Kind, BaseModel: base, BaseModelSource: b.Source, BaseModelCandidates: b.Candidates, Sites: b.Sites, Layers: b.Layers}
	info.SAE.Sites = orEmpty(info.SAE.Sites)
	info.Findings = append(info.Findings, b.Findings...)
	if base == nil && len(b.Candidates) == 0 {
		info.Findings = append(info.Findings, finding.New(finding.SAEBaseModelUnknown, "",
			"no file names the model that it reads", "its tokenizer has to be given as a fallback"))
	}
	if len(e.Autoencoders) == 0 {
		info.Findings = append(info.Findings, finding.New(finding.SAEBareDirectories, e.Sites[0],
			"only the names of directories say that this is a sparse autoencoder", "download the weights and their config.json"))
	}
}

// notAnSAE says what the checkpoint is instead.
func notAnSAE(dir, decidedBy string) error {
	return fault.New(answer.NotAnSAE, dir, "decided by "+decidedBy)
}
