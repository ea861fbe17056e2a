package loader

import (
	_ "embed"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/fault"
)

// NotAnSAE is the kind of error for a question that only a sparse autoencoder
// can answer.
const NotAnSAE fault.Kind = "not an SAE"

//go:embed sae_directories.tsv
var saeDirectoriesTSV string

// saeDirectories are the directory names by which sites of a model are known,
// in the order in which they are searched for a base model.
var saeDirectories = sync.OnceValue(func() (names []string) {
	for f := range tableRows(saeDirectoriesTSV) {
		names = append(names, f[0])
	}
	return names
})

// tokenizerMarks are the files whose presence says that a directory is a model
// with a tokenizer, and no sparse autoencoder.
var tokenizerMarks = []string{
	"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tekken.json", "vocab.json", "vocab.txt",
}

// saeEvidence is what makes a directory a sparse autoencoder.
type saeEvidence struct {
	sites []string // indicator directories, in table order
	bare  bool     // nothing inside them was seen: only the names speak
}

func (e *saeEvidence) decidedBy() string {
	if len(e.sites) == 1 {
		return "directory " + e.sites[0]
	}
	return "directories " + strings.Join(e.sites, ", ")
}

// findSAE looks for the directories of a sparse autoencoder. A tokenizer beside
// them says that it is none; so does a config that names a class or model type,
// unless an autoencoder's files are inside.
func (c *checkpoint) findSAE() *saeEvidence {
	if c.marks&markSAEDirectory == 0 || c.marks&markTokenizer != 0 {
		return nil
	}
	var e *saeEvidence
	for _, name := range saeDirectories() {
		if c.hasDir(name) {
			if e == nil {
				e = &saeEvidence{}
			}
			e.sites = append(e.sites, name)
		}
	}
	if e != nil && len(c.classes) > 0 && !c.sitesHold(e.sites) {
		return nil
	}
	return e
}

// sitesHold tells whether one of the directories holds an autoencoder's own
// directory or file.
func (c *checkpoint) sitesHold(sites []string) bool {
	for _, site := range sites {
		for name := range c.layers(site) {
			inside, err := fs.ReadDir(c.fsys, path.Join(c.dir, site, name))
			if err == nil && slices.ContainsFunc(inside, func(e fs.DirEntry) bool { return isSAEFile(e.Name()) }) {
				return true
			}
		}
	}
	return false
}

func isSAEFile(name string) bool {
	return name == fileConfig || strings.HasPrefix(name, "params") || strings.HasPrefix(name, "sae")
}

// layers yields the directories inside a site.
func (c *checkpoint) layers(site string) func(func(string) bool) {
	return func(yield func(string) bool) {
		dir := path.Join(c.dir, site)
		entries, err := fs.ReadDir(c.fsys, dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if isDir(c.fsys, dir, e) && !yield(e.Name()) {
				return
			}
		}
	}
}

// BaseModel is the model that a sparse autoencoder reads.
type BaseModel struct {
	BaseModel *string   `json:"base_model"`        // null where no file names it
	Source    *string   `json:"base_model_source"` // the file that named it
	Layers    []int     `json:"layers"`            // layers seen on the way, ascending
	Findings  []Finding `json:"findings"`
}

// saeBaseModel reads the first config.json of an indicator directory that names
// the base model. A malformed one is passed over and reported.
func (c *checkpoint) saeBaseModel(e *saeEvidence) *BaseModel {
	b := &BaseModel{Layers: []int{}, Findings: []Finding{}}
	for _, site := range e.sites {
		for name := range c.layers(site) {
			if layer, ok := layerNumber(name); ok && !slices.Contains(b.Layers, layer) {
				b.Layers = append(b.Layers, layer)
			}
			if b.BaseModel != nil {
				continue
			}
			file := path.Join(site, name, fileConfig)
			model, err := readModelName(c.fsys, c.dir, file)
			switch {
			case err == nil && model != "":
				b.BaseModel, b.Source = &model, &file
			case err != nil && fault.KindOf(err) != fault.NotFound:
				b.Findings = append(b.Findings, Finding{SeverityWarning, CodeSAEConfigMalformed, file,
					"passed over: " + withoutPath(err), "repair the file, or download it again"})
			}
		}
	}
	slices.Sort(b.Layers)
	return b
}

func readModelName(fsys fs.FS, dir, file string) (string, error) {
	data, err := readFile(fsys, dir, file, MaxConfigSize)
	if err != nil {
		return "", err
	}
	var doc document
	if err := parseDocument(file, data, &doc); err != nil {
		return "", err
	}
	return doc.text(keyModelName), nil
}

// layerNumber reads the number out of "layer_17_width_16k" and "layer_3".
func layerNumber(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "layer_")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, "_")
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0
}

// withoutPath is an error's text without the file's name in front.
func withoutPath(err error) string {
	return strings.TrimPrefix(err.Error(), fault.PathOf(err)+": ")
}

func notAnSAE(dir, decidedBy string) error {
	return fault.New(NotAnSAE, dir, "decided by "+decidedBy)
}
