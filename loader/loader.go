// Package loader says what a model checkpoint is, from its directory alone: the
// architecture, the category, whether a loader is known for it, its
// quantization, sparse autoencoder, tokenizer, and what is wrong with it.
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
	"strconv"
	"strings"
)

// Loader answers questions about checkpoints. The zero value works, has no
// fallbacks, and looks for base models beside the checkpoint only. A Loader is
// safe for concurrent use.
type Loader struct {
	roots     []string
	fallbacks []string
	fetch     Fetch            // nil where the filesystem is all there is
	registry  func() *registry // nil where only the built-in names are known
	context   int64            // tokens that Inspect sizes the cache for, 0 for the model's own
}

// search is where the loader looks for tokenizers.
func (l *Loader) search() *tokenizerSearch {
	return &tokenizerSearch{roots: l.roots, fallbacks: l.fallbacks, fetch: l.fetch, names: l.names()}
}

// Option changes a Loader when it is made.
type Option func(*Loader)

// WithModelRoots names directories of the checkpoint's filesystem below which
// base models are looked for, as <root>/<org>/<name>, <root>/<name>, or in the
// layout of the Hugging Face cache.
func WithModelRoots(dirs ...string) Option {
	return func(l *Loader) { l.roots = append(l.roots, dirs...) }
}

// WithTokenizerFallbacks names directories of the checkpoint's filesystem whose
// tokenizer is taken where neither a checkpoint nor its base model has one, in
// the order given.
func WithTokenizerFallbacks(dirs ...string) Option {
	return func(l *Loader) { l.fallbacks = append(l.fallbacks, dirs...) }
}

// New returns a Loader.
func New(options ...Option) *Loader {
	l := &Loader{}
	for _, o := range options {
		o(l)
	}
	return l
}

// names gives the class names that checkpoints are looked up in, nil for the built-in ones.
func (l *Loader) names() *registry {
	if l.registry == nil {
		return nil
	}
	return l.registry()
}

// open lists the directory and reads the one file that says what it is.
func (l *Loader) open(fsys fs.FS, dir string) (*checkpoint, error) {
	return openDescribed(l.names(), fsys, dir)
}

// Detection is the answer to what kind of loader a checkpoint needs.
type Detection struct {
	Category  Category `json:"category"`
	Task      Task     `json:"task"`
	Layout    string   `json:"layout"`
	DecidedBy string   `json:"decided_by"`
}

// Category says what kind of loader the checkpoint at dir needs.
func (l *Loader) Category(fsys fs.FS, dir string) (*Detection, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.release()
	v := c.classify()
	return &Detection{v.category, v.task, v.layout, v.decidedBy}, nil
}

// Support says whether a loader is known for a checkpoint.
type Support struct {
	IsSupported bool    `json:"is_supported"`
	Error       *string `json:"error"`       // why not; null where it is
	RemoteCode  bool    `json:"remote_code"` // only by running the code that it brings
	LoadsAs     string  `json:"loads_as"`    // the class that loads it, "unknown" where none is named
	Nearest     *string `json:"nearest"`     // the known class most like an unknown one
}

// Support says whether a loader is known for the checkpoint at dir.
func (l *Loader) Support(fsys fs.FS, dir string) (*Support, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.release()
	v := c.classify()
	s := c.support(&v)
	return &s, nil
}

// IsOmni says whether the checkpoint at dir takes speech, vision and text.
func (l *Loader) IsOmni(fsys fs.FS, dir string) (bool, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return false, err
	}
	defer c.release()
	return c.omni(), nil
}

// IsSAE says whether the checkpoint at dir is a sparse autoencoder.
func (l *Loader) IsSAE(fsys fs.FS, dir string) (bool, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return false, err
	}
	defer c.release()
	v := c.classify()
	return v.category == SAE, nil
}

// SAEBaseModel says which model the sparse autoencoder at dir reads. The error
// is of the kind NotAnSAE where it is none.
func (l *Loader) SAEBaseModel(fsys fs.FS, dir string) (*BaseModel, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.release()
	v := c.classify()
	if v.sae == nil {
		return nil, notAnSAE(dir, v.decidedBy)
	}
	return &c.describeSAE(v.sae).BaseModel, nil
}

// ModelInfo says what the checkpoint at dir is, from one listing and one file.
// Size, Tokenizer and Weights are left to Inspect.
func (l *Loader) ModelInfo(fsys fs.FS, dir string) (*Info, error) {
	c, err := l.open(fsys, dir)
	if err != nil {
		return nil, err
	}
	defer c.release()
	return c.info(), nil
}

// info gathers what one listing and one file tell.
func (c *checkpoint) info() *Info {
	v := c.classify()
	return c.describe(&v)
}

// describe gathers what is known once the checkpoint was classified.
func (c *checkpoint) describe(v *verdict) *Info {
	s := c.support(v)
	info := &Info{
		Name:          c.name(),
		Path:          c.asked(),
		Layout:        v.layout,
		Category:      v.category,
		Task:          v.task,
		Architecture:  orNone(c.architecture()),
		Architectures: c.classes,
		ModelType:     orNone(c.modelType),
		DecidedBy:     v.decidedBy,
		IsSupported:   s.IsSupported,
		Error:         s.Error,
		LoadsAs:       s.LoadsAs,
		RemoteCode:    s.RemoteCode,
		IsOmni:        c.omni(),
		HasTalker:     c.hasTalker(),
		Quantization:  c.quantization(),
		CustomFiles:   c.customCode(),
		IsSAE:         v.category == SAE,
		Candidates:    v.candidates,
		Findings:      c.findings,
	}
	if v.category == Diffusers {
		info.PipelineKind = pipelineKind(c.architecture())
	}
	info.IsQuantized = info.Quantization != nil
	info.HasCustomFiles = len(info.CustomFiles) > 0
	c.addSAE(info, v.sae)
	if v.baseModel != "" {
		base := v.baseModel // not its address: the verdict stays off the heap
		info.BaseModel = &base
	}
	if v.adapts != nil {
		info.Architecture, info.Architectures, info.ModelType = v.adapts.classes[0], v.adapts.classes, orNone(v.adapts.modelType)
	}
	if len(v.candidates) > 0 {
		hint := "give the directory or the file of one of them"
		if len(v.candidates) == 1 {
			hint = "give the directory " + v.candidates[0]
		}
		info.Findings = append(info.Findings, Finding{SeverityWarning, CodeLayoutAmbiguous, "",
			strings.TrimPrefix(v.decidedBy, "no rule: ") + ": " + strings.Join(v.candidates, ", "), hint})
	}
	if c.doc.file == fileAdapter {
		c.addAdapter(info)
	}
	info.Findings = append(info.Findings, c.classFindings(v, &s)...)
	if len(info.CustomFiles) > 0 {
		info.Findings = append(info.Findings, c.customCodeFindings()...)
	}
	sortFindings(info.Findings)
	if info.Architectures == nil {
		info.Architectures = []string{}
	}
	if info.CustomFiles == nil {
		info.CustomFiles = []string{}
	}
	if info.Findings == nil {
		info.Findings = []Finding{}
	}
	if info.Candidates == nil {
		info.Candidates = []string{}
	}
	return info
}

// addSAE fills in what an autoencoder's files say.
func (c *checkpoint) addSAE(info *Info, e *saeEvidence) {
	if e == nil {
		return
	}
	b := c.describeSAE(e)
	base := b.BaseModel.BaseModel
	info.BaseModel = base
	family := None
	if len(e.units) > 0 {
		family = e.units[0].family
	}
	info.SAE = &SAEInfo{Family: family, Kind: b.kind, BaseModel: base, BaseModelSource: b.Source, BaseModelCandidates: b.Candidates, Sites: b.sites, Layers: b.Layers}
	if info.SAE.Sites == nil {
		info.SAE.Sites = []string{}
	}
	info.Findings = append(info.Findings, b.Findings...)
	if base == nil && len(b.Candidates) == 0 {
		info.Findings = append(info.Findings, Finding{SeverityNote, CodeSAEBaseModelUnknown, "",
			"no file names the model that it reads", "its tokenizer has to be given as a fallback"})
	}
	if len(e.units) == 0 {
		info.Findings = append(info.Findings, Finding{SeverityNote, CodeSAEBareDirectories, e.sites[0],
			"only the names of directories say that this is a sparse autoencoder", "download the weights and their config.json"})
	}
}

// support says whether a loader is known, and if not, why.
func (c *checkpoint) support(v *verdict) Support {
	s := Support{LoadsAs: orNone(v.loadsAs)}
	switch {
	case v.sae != nil, v.category == Adapter, v.category == SAE, v.known, v.loadsAs != "":
		s.IsSupported = true
		return s
	case c.hasModelingCode():
		s.IsSupported, s.RemoteCode = true, true
		return s
	}
	var reason string
	switch name, modelType := c.architecture(), c.modelType; {
	case len(v.candidates) == 1:
		reason = "the model lies in the directory " + v.candidates[0]
	case len(v.candidates) > 0:
		reason = "it holds several models: give the directory or the file of one"
	case v.unlisted:
		reason = "no loader is known for the architecture " + strconv.Quote(modelType)
	case c.doc.file == "" && v.layout != layoutUnknown:
		reason = "the layout is " + v.layout + ", and no file says what kind of model it is"
	case c.doc.file == "" && v.category != Unknown:
		reason = "no file names the class of the model"
	case c.doc.file == "":
		reason = "nothing in the directory says what it is"
	case name != "":
		reason = "no loader is known for the class " + strconv.Quote(name)
		if modelType != "" {
			reason += " of model type " + strconv.Quote(modelType)
		}
		if near := c.known().nearestClass(name); near != "" {
			s.Nearest = &near
		}
	case modelType != "":
		reason = "no loader is known for the model type " + strconv.Quote(modelType)
	default:
		reason = c.doc.file + " names no class"
	}
	s.Error = &reason
	return s
}

// classFindings report how well the class is known.
func (c *checkpoint) classFindings(v *verdict, s *Support) (findings []Finding) {
	name := c.architecture()
	renamed := v.family != nil && v.family.LoadsAs != "" // its checkpoints name a class and mean another
	switch {
	case s.RemoteCode:
		findings = append(findings, Finding{SeverityNote, CodeCustomCode, c.doc.file,
			"no loader is known for " + orNone(name) + "; it loads by running the Python code it brings", "read the code before trusting it"})
	case !s.IsSupported && v.category == Unknown && len(v.candidates) > 0: // which is a finding of its own
	case s.IsSupported && v.category == Unknown:
		findings = append(findings, Finding{SeverityNote, CodeNothingRecognized, "",
			"the layout is " + v.layout + "; no file says what kind of model it is", v.loadsAs + " runs it all the same; a pipeline_tag in " + fileCard + " would say what it is for"})
	case !s.IsSupported && v.category == Unknown:
		hint := "give the directory that holds config.json, model_index.json or the weights"
		if v.layout != layoutUnknown {
			hint = "the file may be damaged: compare it with the model's repository, or look into the model card"
		}
		findings = append(findings, Finding{SeverityError, CodeNothingRecognized, c.doc.file, *s.Error, hint})
	case !s.IsSupported:
		hint := "a newer loader may know it; one that runs the code of the model's repository does"
		if c.doc.file == "" && !v.unlisted {
			hint = "the model card says which library loads it"
		}
		if s.Nearest != nil {
			hint = "the nearest class known is " + *s.Nearest
		}
		findings = append(findings, Finding{SeverityWarning, CodeArchitectureUnknown, c.doc.file, *s.Error, hint})
	case v.class != nil && v.class.RealName != name && !renamed:
		findings = append(findings, Finding{SeverityNote, CodeArchitectureSpelling, c.doc.file,
			strconv.Quote(name) + " is " + v.class.RealName + " under another spelling", "write " + strconv.Quote(v.class.RealName)})
	}
	if v.class != nil && v.family != nil && !renamed && v.class.ModelType != "" && !related(v.class.ModelType, v.family.ModelType) {
		findings = append(findings, Finding{SeverityWarning, CodeArchitectureMismatch, c.doc.file,
			name + " belongs to model type " + strconv.Quote(v.class.ModelType) + ", and the file says " + strconv.Quote(v.family.ModelType), "the class decides; correct the model type if it is a slip"})
	}
	return findings
}

// related tells whether a model type is one that a class comes with, or of a
// family with it. A class may come with several, by commas.
func related(classTypes, modelType string) bool {
	if classTypes == modelType {
		return true
	}
	for t := range strings.SplitSeq(classTypes, ",") {
		if strings.HasPrefix(t, modelType) || strings.HasPrefix(modelType, t) {
			return true
		}
	}
	return false
}

func orNone(s string) string {
	if s == "" {
		return None
	}
	return s
}
