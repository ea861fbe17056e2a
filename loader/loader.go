// Package loader examines the directory of a model checkpoint: the architecture, the
// category, whether a loader is known for it, its quantization, tokenizer, weights and
// memory, and what is wrong with it. The types of the answers are in package answer, the
// codes of the findings in package finding.
//
// It reads from any fs.FS. It does not write, does not read the data of weights, and does
// not run code of a checkpoint. ModelInfo, Category, Support, IsOmni and IsSAE read one
// directory listing and one small file in most cases; Inspect reads more.
//
// A directory that does not exist, and a config that cannot be read, are errors with the
// file, the offset and the kind of error. Inspect reports the latter as a finding.
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

// FileError is an error in a file: path, offset, kind and hint.
type FileError = fault.Error

// Loader examines checkpoints. The zero value is usable: it has no options, so it looks for
// base models near the checkpoint only. A Loader is safe for concurrent use. Every dir is a
// path of fsys in the form of fs.ValidPath.
type Loader struct {
	roots     []string
	fallbacks []string
	fetch     tokens.Fetch              // nil where WithFetch was not given
	registry  func() *registry.Registry // nil for the built-in registry
	context   int64                     // tokens of the context that Inspect computes the memory for, 0 for that of the model
}

// New returns a Loader with the options.
func New(options ...Option) *Loader {
	l := &Loader{}
	for _, o := range options {
		o(l)
	}
	return l
}

// Category says which kind of loader the checkpoint at dir needs. It reads no more than
// that takes: its DecidedBy for a release of sparse autoencoders names the directories
// where these are enough, and that of ModelInfo the first autoencoder.
func (l *Loader) Category(fsys fs.FS, dir string) (*answer.Detection, error) {
	c, err := l.openToClassify(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	v := detect.Classify(c)
	return &answer.Detection{Category: v.Category, Task: v.Task, Layout: v.Layout, DecidedBy: v.DecidedBy}, nil
}

// Support says whether a loader is known for the checkpoint at dir.
func (l *Loader) Support(fsys fs.FS, dir string) (*answer.Support, error) {
	c, err := l.openToClassify(fsys, dir)
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
	c, err := l.openToClassify(fsys, dir)
	if err != nil {
		return false, err
	}
	defer c.Release()
	v := detect.Classify(c)
	return v.Category == answer.SAE, nil
}

// SAEBaseModel gives the model that the sparse autoencoder at dir reads. The kind of the
// error is answer.NotAnSAE where the checkpoint is none.
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

// ModelInfo describes the checkpoint at dir by one listing and one small file, in most
// cases. Of a release of sparse autoencoders it lists the directories whose names have
// sites and layers, and reads the config of the first autoencoder: a base model that only
// other configs name, or name differently, is found by Inspect and SAEBaseModel. Fields marked (Inspect) in answer.Info are left empty.
func (l *Loader) ModelInfo(fsys fs.FS, dir string) (*answer.Info, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	return modelInfo(c), nil
}

// modelInfo describes an opened checkpoint.
func modelInfo(c *checkpoint.Directory) *answer.Info {
	v := detect.Classify(c)
	return buildInfo(c, &v, nil, sae.Summarize)
}

// buildInfo describes a checkpoint that was classified. card is its model card, nil
// where that was not read; describeSAE describes a release of sparse autoencoders, and is
// sae.Describe or sae.Summarize.
func buildInfo(c *checkpoint.Directory, v *detect.Classification, card *answer.CardInfo, describeSAE func(*checkpoint.Directory, *sae.Release) *sae.Description) *answer.Info {
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
	addSAE(c, info, v.SAE, describeSAE)
	if v.BaseModel != "" {
		base := v.BaseModel // a copy, so that v is not allocated on the heap
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

// orEmpty gives an empty list for nil, which is [] in JSON and not null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// addSAE adds the description of a release of sparse autoencoders; r may be nil.
func addSAE(c *checkpoint.Directory, info *answer.Info, r *sae.Release, describe func(*checkpoint.Directory, *sae.Release) *sae.Description) {
	if r == nil {
		return
	}
	b := describe(c, r)
	base := b.BaseModel.Name
	info.BaseModel = base
	info.SAE = &answer.SAEInfo{Family: r.Family(), Kind: b.Kind, BaseModel: base, BaseModelSource: b.Source, BaseModelCandidates: b.Candidates, Sites: b.Sites, Layers: b.Layers,
		Architecture: b.Architecture, DIn: b.DIn, DSAE: b.DSAE, Hook: b.Hook}
	info.SAE.Sites = orEmpty(info.SAE.Sites)
	info.Findings = append(info.Findings, b.Findings...)
	if base == nil && len(b.Candidates) == 0 {
		info.Findings = append(info.Findings, finding.New(finding.SAEBaseModelUnknown, "",
			"no file names the model that it reads", "its tokenizer has to be given as a fallback"))
	}
	if !r.HasAutoencoders() {
		info.Findings = append(info.Findings, finding.New(finding.SAEBareDirectories, r.Sites[0],
			"only the names of directories say that this is a sparse autoencoder", "download the weights and their config.json"))
	}
}

// notAnSAE makes the error for a checkpoint that is no sparse autoencoder.
func notAnSAE(dir, decidedBy string) error {
	return fault.New(answer.NotAnSAE, dir, "decided by "+decidedBy)
}
