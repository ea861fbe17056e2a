// Package checkpoint opens a directory as one listing and one of its files show it.
// Everything that is asked of a checkpoint starts from there.
package checkpoint

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tree"
	"omniloader/loader/jsonscan"
	"omniloader/loader/regular"
)

// Checkpoint is a directory as one listing and one of its files show it. All
// questions are answered from it; only few of them need to read more.
type Directory struct {
	FS       fs.FS
	Dir      string
	Entries  []fs.DirEntry   // sorted by name
	Names    []string        // of the entries: asking an entry for its name may cost a lock
	Doc      config.Document // the file that says what the directory is
	Classes  []string        // class names that doc gives
	Marks    Mark
	Findings []answer.Finding

	ModelType  string           // that doc gives, "" where it gives none
	class      *registry.Class  // the registry's entry of the first of classes, as last looked up
	family     *registry.Family // of modelType, as last looked up
	AutoMapKey string           // the key of auto_map that gave the class, "" where architectures did

	members    config.Members    // of doc, as first asked for
	quantities config.Quantities // of doc, as first asked for

	CustomRegistry *registry.Registry // the names that its loader knows, nil for the built-in ones

	requestedDir string   // the directory asked for, where dir is a snapshot of it
	ResolvedVia  string   // how dir was found, for people
	Snapshots    []string // of a cache that does not say which is meant
}

// pool holds checkpoints whose question is answered, for the next one: nothing
// of an answer points into them.
var pool = sync.Pool{New: func() any { return new(Directory) }}

// Registry gives the names that the checkpoint's loader knows.
func (c *Directory) Registry() *registry.Registry {
	if c.CustomRegistry != nil {
		return c.CustomRegistry
	}
	return registry.Builtin()
}

// OpenDir lists the directory and reads the one file that says what it is. own is
// what the loader knows besides the built-in names, nil for nothing. The caller releases
// the checkpoint when the answer is made.
func Open(own *registry.Registry, fsys fs.FS, dir string) (*Directory, error) {
	c := pool.Get().(*Directory)
	c.CustomRegistry = own
	err := c.list(fsys, dir)
	if err == nil {
		err = c.ReadMainFile()
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// What is kept for the next question at most: a buffer of so many bytes, and
// room for so many names.
const (
	maxPooledBuffer = 64 << 10
	maxPooledNames  = 256
)

func (c *Directory) Release() {
	buffer := c.Doc.Data[:0]
	if cap(buffer) > maxPooledBuffer {
		buffer = nil
	}
	names := c.Names[:0]
	if cap(names) > maxPooledNames {
		names = nil
	}
	clear(c.Names)
	*c = Directory{} // in place: a value with something in it would be built elsewhere and copied
	c.Doc.Data, c.Names = buffer, names
	pool.Put(c)
}

// List takes the listing of a directory.
func List(fsys fs.FS, dir string) (*Directory, error) {
	c := &Directory{}
	if err := c.list(fsys, dir); err != nil {
		return nil, err
	}
	return c, nil
}

// list takes the one listing. Of a repository in the Hugging Face cache it takes
// that of its snapshot.
func (c *Directory) list(fsys fs.FS, dir string) error {
	err := c.ListDir(fsys, dir)
	if err == nil && c.Marks&markSnapshots != 0 && c.MainFile() == "" {
		return c.openSnapshot()
	}
	return err
}

// ListDir takes the listing of this directory and no other.
func (c *Directory) ListDir(fsys fs.FS, dir string) error {
	if !fs.ValidPath(dir) {
		if !utf8.ValidString(dir) {
			return fault.New(fault.NotFound, strconv.Quote(dir), "the path is not UTF-8, which the file interface asks for").WithHint("rename the directory")
		}
		return fault.New(fault.NotFound, dir, "no valid path: it must be relative, with forward slashes, and without \"..\"")
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		if info, statErr := fs.Stat(fsys, dir); statErr == nil && !info.IsDir() {
			return fault.New(fault.NotAFile, dir, "a file stands where the checkpoint's directory should").
				WithHint("give the directory that holds the file")
		}
		return tree.FileError(dir, err)
	}
	c.FS, c.Dir, c.Entries = fsys, dir, entries
	c.Names = slices.Grow(c.Names[:0], len(entries))
	for _, e := range entries {
		c.Names = append(c.Names, e.Name())
	}
	c.Marks = findMarks(c.Names)
	return nil
}

// ReadMain parses the file that says most, where there is one.
func (c *Directory) ReadMainFile() error {
	name := c.MainFile()
	if name == "" {
		return nil
	}
	data, err := c.ReadListed(name, config.MaxSize)
	if err != nil {
		return err
	}
	if err := config.ParseDocument(name, data, &c.Doc); err != nil {
		return err
	}
	if newer := c.newestVersionedConfig(); newer != "" {
		if data, err = c.ReadListed(newer, config.MaxSize); err != nil {
			return err
		}
		c.Doc = config.Document{}
		if err := config.ParseDocument(newer, data, &c.Doc); err != nil {
			return err
		}
		c.Doc.File = name // what is decided is decided in its name
	}
	c.Findings = append(c.Findings, c.Doc.Findings()...)
	c.ModelType = c.parseModelType()
	if name == config.ConfigJSON {
		c.setClasses()
	} else {
		c.Classes = c.ParseClassName()
	}
	return nil
}

// ReadListed reads a file that stands in the listing, which tells what kind of
// file it is.
func (c *Directory) ReadListed(name string, limit int64) ([]byte, error) {
	if i, ok := slices.BinarySearch(c.Names, name); ok && c.Entries[i].Type().IsRegular() {
		at := name // both parts are clean: path.Join would look at every byte again
		if c.Dir != "." {
			at = c.Dir + "/" + name
		}
		f, size, err := regular.OpenListed(c.FS, at, name)
		if err != nil {
			return nil, err
		}
		return tree.ReadOpened(f, size, name, limit, c.Doc.Data)
	}
	return tree.ReadFile(c.FS, c.Dir, name, limit)
}

// MainFile names the file that says what the directory is, "" where there is
// none. A pipeline's index beats everything; an adapter's config beats a copy of
// its base model's, unless the base model's weights are there too.
func (c *Directory) MainFile() string {
	switch {
	case c.Marks&MarkModelIndex != 0:
		return config.ModelIndexJSON
	case c.Marks&MarkModularIndex != 0:
		return config.ModularModelIndexJSON
	case c.Marks&MarkAdapter != 0 && !c.HasModelWeights():
		return config.AdapterConfigJSON
	case c.Marks&MarkConfig != 0:
		return config.ConfigJSON
	}
	return ""
}

// marks are the names in a listing that decide what a directory may be, found
// with one look at each name.
type Mark uint16

const (
	MarkModelIndex Mark = 1 << iota
	MarkModularIndex
	MarkAdapter
	MarkConfig
	MarkTokenizer
	MarkSAEDirectory
	MarkSentenceTransformers
	markSnapshots
	MarkQuantizationFile
)

var markOfName = sync.OnceValue(func() map[string]Mark {
	m := map[string]Mark{
		config.ModelIndexJSON: MarkModelIndex, config.ModularModelIndexJSON: MarkModularIndex,
		config.AdapterConfigJSON: MarkAdapter, config.ConfigJSON: MarkConfig,
		"modules.json":        MarkSentenceTransformers,
		hubcache.SnapshotsDir: markSnapshots,
	}
	for _, name := range tokenizerFiles {
		m[name] = MarkTokenizer
	}
	for _, name := range SAEDirectories() {
		m[name] = MarkSAEDirectory
	}
	for _, name := range QuantizationFiles {
		m[name] = MarkQuantizationFile
	}
	return m
})

func findMarks(names []string) (found Mark) {
	byName := markOfName()
	for _, name := range names {
		found |= byName[name]
	}
	return found
}

// Has tells whether the listing holds a name, be it a file or a directory.
func (c *Directory) Has(name string) bool {
	_, ok := slices.BinarySearch(c.Names, name)
	return ok
}

// HasDir tells whether the listing holds a directory, followed through a link.
func (c *Directory) HasDir(name string) bool {
	i, ok := slices.BinarySearch(c.Names, name)
	return ok && tree.IsDir(c.FS, c.Dir, c.Entries[i])
}

// HasModelWeights tells whether weights of a whole model stand in the directory.
func (c *Directory) HasModelWeights() bool {
	for _, name := range c.Names {
		if strings.HasPrefix(name, "model") && strings.HasSuffix(name, ".safetensors") ||
			strings.HasPrefix(name, "pytorch_model") && strings.HasSuffix(name, ".bin") {
			return true
		}
	}
	return false
}

// readClasses settles the class names of config.json: those in architectures,
// else the one that auto_map names.
func (c *Directory) setClasses() {
	if c.Classes = c.parseArchitectures(); len(c.Classes) > 0 {
		return
	}
	if key, class := c.autoMapClass(); class != "" {
		c.Classes, c.AutoMapKey = []string{class}, key
	}
}

// longName describes a name that is too long to be one.
func describeLongName(n int) string { return "a name of " + strconv.Itoa(n) + " bytes" }

// readArchitectures gives config.json's class names. Real files hold null, one
// string, or entries that are no strings.
func (c *Directory) parseArchitectures() (names []string) {
	raw := c.Doc.Raw(config.KeyArchitectures)
	s := jsonscan.New(raw)
	odd := func(what string) {
		c.Findings = append(c.Findings, finding.New(finding.ConfigArchitectures, c.Doc.File,
			`"architectures" holds `+what, `write a list of class names, such as ["LlamaForCausalLM"]`))
	}
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name := c.Doc.Text(config.KeyArchitectures)
		if len(name) > registry.MaxNameLength {
			odd(describeLongName(len(name)) + "; it is passed over")
			break
		}
		odd("one string in place of a list; it is taken as the only name")
		names = append(names, name)
	case jsonscan.Array:
		err := s.Array(func(int) error {
			if kind := s.Kind(); kind != jsonscan.String {
				odd(kind.String() + " among its names; it is passed over")
				_, err := s.Raw()
				return err
			}
			name, err := s.Text()
			switch n := len(name); {
			case n > registry.MaxNameLength:
				odd(describeLongName(n) + " among its names; it is passed over")
			case n > 0:
				names = append(names, c.className(name))
			}
			return err
		})
		if err != nil { // the span was checked when it was found
			return nil
		}
	default:
		odd(kind.String() + " in place of a list; it is passed over")
	}
	return names
}

// readModelType gives the model type, "" where there is none.
func (c *Directory) parseModelType() string {
	raw := c.Doc.Raw(config.KeyModelType)
	s := jsonscan.New(raw)
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name, err := s.Text()
		if len(name) > registry.MaxNameLength {
			c.Findings = append(c.Findings, finding.New(finding.ConfigModelType, c.Doc.File,
				`"model_type" holds `+describeLongName(len(name))+"; it is passed over", `write a short name, such as "llama"`))
			break
		}
		if err == nil {
			if c.family = c.Registry().Families[string(name)]; c.family != nil {
				return c.family.ModelType // without a copy
			}
			return string(name)
		}
	default:
		c.Findings = append(c.Findings, finding.New(finding.ConfigModelType, c.Doc.File,
			`"model_type" holds `+kind.String()+" in place of a string; it is passed over", `write a string, such as "llama"`))
	}
	return ""
}

// className gives a name as a string, without a copy where it is a listed one,
// and keeps the entry of the first.
func (c *Directory) className(name []byte) string {
	class := c.Registry().Classes[string(name)]
	if c.class == nil {
		c.class = class
	}
	if class == nil {
		return string(name)
	}
	return class.Name
}

// ListedFamily is the registry's entry of the model type, nil where it is not
// listed.
func (c *Directory) Family() *registry.Family {
	if c.family == nil || c.family.ModelType != c.ModelType {
		c.family = c.Registry().Families[c.ModelType]
	}
	return c.family
}

// ListedClass is the registry's entry of the first class name, nil where it is
// not listed.
func (c *Directory) Class() *registry.Class {
	if name := c.Architecture(); c.class == nil || c.class.Name != name {
		c.class = c.Registry().Classes[name]
	}
	return c.class
}

// ResolveClass finds the first class name in the registry, in whatever spelling.
func (c *Directory) ResolveClass() (*registry.Class, string) {
	if class := c.Class(); class != nil {
		return class, class.DecidedBy()
	}
	return c.Registry().ResolveClass(c.Architecture())
}

func kindOf(raw []byte) jsonscan.Kind {
	s := jsonscan.New(raw)
	return s.Kind()
}

// ReadClassName gives the class in "_class_name". Pipelines with code of their
// own store a list of module and class.
func (c *Directory) ParseClassName() []string {
	switch raw := c.Doc.Raw(config.KeyClassName); kindOf(raw) {
	case jsonscan.String:
		if name := c.Doc.Text(config.KeyClassName); name != "" && len(name) <= registry.MaxNameLength {
			return []string{name}
		}
	case jsonscan.Array:
		s := jsonscan.New(raw)
		var last string
		err := s.Array(func(int) error {
			if s.Kind() != jsonscan.String {
				_, err := s.Raw()
				return err
			}
			name, err := s.Text()
			last = string(name)
			return err
		})
		if err == nil && last != "" && len(last) <= registry.MaxNameLength {
			return []string{last}
		}
	}
	return nil
}

// Name is the base name of the directory asked for; the root of a filesystem has
// none.
func (c *Directory) Name() string {
	if dir := c.RequestedDir(); dir != "." {
		return path.Base(dir)
	}
	return ""
}

// RequestedDir is the directory as the caller gave it.
func (c *Directory) RequestedDir() string {
	if c.requestedDir != "" {
		return c.requestedDir
	}
	return c.Dir
}
