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
type Checkpoint struct {
	FS       fs.FS
	Dir      string
	Entries  []fs.DirEntry   // sorted by name
	Names    []string        // of the entries: asking an entry for its name may cost a lock
	Doc      config.Document // the file that says what the directory is
	Classes  []string        // class names that doc gives
	Marks    marks
	Findings []answer.Finding

	ModelType string           // that doc gives, "" where it gives none
	class     *registry.Class  // the registry's entry of the first of classes, as last looked up
	family    *registry.Family // of modelType, as last looked up
	FromAuto  string           // the key of auto_map that gave the class, "" where architectures did

	top      config.Members    // of doc, as first asked for
	sections config.Dimensions // of doc, as first asked for

	Registered *registry.Registry // the names that its loader knows, nil for the built-in ones

	requestedDir string   // the directory asked for, where dir is a snapshot of it
	ResolvedVia  string   // how dir was found, for people
	Snapshots    []string // of a cache that does not say which is meant
}

// pool holds checkpoints whose question is answered, for the next one: nothing
// of an answer points into them.
var pool = sync.Pool{New: func() any { return new(Checkpoint) }}

// Registry gives the names that the checkpoint's loader knows.
func (c *Checkpoint) Registry() *registry.Registry {
	if c.Registered != nil {
		return c.Registered
	}
	return registry.Builtin()
}

// OpenDir lists the directory and reads the one file that says what it is. own is
// what the loader knows besides the built-in names, nil for nothing. The caller releases
// the checkpoint when the answer is made.
func OpenDir(own *registry.Registry, fsys fs.FS, dir string) (*Checkpoint, error) {
	c := pool.Get().(*Checkpoint)
	c.Registered = own
	err := c.list(fsys, dir)
	if err == nil {
		err = c.ReadMain()
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
	maxSpare      = 64 << 10
	maxSpareNames = 256
)

func (c *Checkpoint) Release() {
	buffer := c.Doc.Data[:0]
	if cap(buffer) > maxSpare {
		buffer = nil
	}
	names := c.Names[:0]
	if cap(names) > maxSpareNames {
		names = nil
	}
	clear(c.Names)
	*c = Checkpoint{} // in place: a value with something in it would be built elsewhere and copied
	c.Doc.Data, c.Names = buffer, names
	pool.Put(c)
}

// List takes the listing of a directory.
func List(fsys fs.FS, dir string) (*Checkpoint, error) {
	c := &Checkpoint{}
	if err := c.list(fsys, dir); err != nil {
		return nil, err
	}
	return c, nil
}

// list takes the one listing. Of a repository in the Hugging Face cache it takes
// that of its snapshot.
func (c *Checkpoint) list(fsys fs.FS, dir string) error {
	err := c.ListDir(fsys, dir)
	if err == nil && c.Marks&markSnapshots != 0 && c.MainFile() == "" {
		return c.intoCache()
	}
	return err
}

// ListDir takes the listing of this directory and no other.
func (c *Checkpoint) ListDir(fsys fs.FS, dir string) error {
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
		return tree.OpenError(dir, err)
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
func (c *Checkpoint) ReadMain() error {
	name := c.MainFile()
	if name == "" {
		return nil
	}
	data, err := c.ReadListed(name, config.MaxConfigSize)
	if err != nil {
		return err
	}
	if err := config.ParseDocument(name, data, &c.Doc); err != nil {
		return err
	}
	if newer := c.newestConfig(); newer != "" {
		if data, err = c.ReadListed(newer, config.MaxConfigSize); err != nil {
			return err
		}
		c.Doc = config.Document{}
		if err := config.ParseDocument(newer, data, &c.Doc); err != nil {
			return err
		}
		c.Doc.File = name // what is decided is decided in its name
	}
	c.Findings = append(c.Findings, c.Doc.Notes()...)
	c.ModelType = c.readModelType()
	if name == config.FileConfig {
		c.readClasses()
	} else {
		c.Classes = c.ReadClassName()
	}
	return nil
}

// ReadListed reads a file that stands in the listing, which tells what kind of
// file it is.
func (c *Checkpoint) ReadListed(name string, limit int64) ([]byte, error) {
	if i, ok := slices.BinarySearch(c.Names, name); ok && c.Entries[i].Type().IsRegular() {
		at := name // both parts are clean: path.Join would look at every byte again
		if c.Dir != "." {
			at = c.Dir + "/" + name
		}
		f, size, err := regular.OpenListed(c.FS, at, name)
		if err != nil {
			return nil, err
		}
		return tree.ReadWhole(f, size, name, limit, c.Doc.Data)
	}
	return tree.ReadBounded(c.FS, c.Dir, name, limit)
}

// MainFile names the file that says what the directory is, "" where there is
// none. A pipeline's index beats everything; an adapter's config beats a copy of
// its base model's, unless the base model's weights are there too.
func (c *Checkpoint) MainFile() string {
	switch {
	case c.Marks&MarkModelIndex != 0:
		return config.FileModelIndex
	case c.Marks&MarkModularIndex != 0:
		return config.FileModularIndex
	case c.Marks&MarkAdapter != 0 && !c.HasModelWeights():
		return config.FileAdapter
	case c.Marks&MarkConfig != 0:
		return config.FileConfig
	}
	return ""
}

// marks are the names in a listing that decide what a directory may be, found
// with one look at each name.
type marks uint16

const (
	MarkModelIndex marks = 1 << iota
	MarkModularIndex
	MarkAdapter
	MarkConfig
	MarkTokenizer
	MarkSAEDirectory
	MarkSentenceTransformers
	markSnapshots
	MarkQuantFile
)

var marksByName = sync.OnceValue(func() map[string]marks {
	m := map[string]marks{
		config.FileModelIndex: MarkModelIndex, config.FileModularIndex: MarkModularIndex,
		config.FileAdapter: MarkAdapter, config.FileConfig: MarkConfig,
		"modules.json":        MarkSentenceTransformers,
		hubcache.DirSnapshots: markSnapshots,
	}
	for _, name := range tokenizerMarks {
		m[name] = MarkTokenizer
	}
	for _, name := range SAEDirectories() {
		m[name] = MarkSAEDirectory
	}
	for _, name := range QuantFiles {
		m[name] = MarkQuantFile
	}
	return m
})

func findMarks(names []string) (found marks) {
	byName := marksByName()
	for _, name := range names {
		found |= byName[name]
	}
	return found
}

// Has tells whether the listing holds a name, be it a file or a directory.
func (c *Checkpoint) Has(name string) bool {
	_, ok := slices.BinarySearch(c.Names, name)
	return ok
}

// HasDir tells whether the listing holds a directory, followed through a link.
func (c *Checkpoint) HasDir(name string) bool {
	i, ok := slices.BinarySearch(c.Names, name)
	return ok && tree.IsDir(c.FS, c.Dir, c.Entries[i])
}

// HasModelWeights tells whether weights of a whole model stand in the directory.
func (c *Checkpoint) HasModelWeights() bool {
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
func (c *Checkpoint) readClasses() {
	if c.Classes = c.readArchitectures(); len(c.Classes) > 0 {
		return
	}
	if key, class := c.autoMapClass(); class != "" {
		c.Classes, c.FromAuto = []string{class}, key
	}
}

// longName describes a name that is too long to be one.
func longName(n int) string { return "a name of " + strconv.Itoa(n) + " bytes" }

// readArchitectures gives config.json's class names. Real files hold null, one
// string, or entries that are no strings.
func (c *Checkpoint) readArchitectures() (names []string) {
	raw := c.Doc.Value(config.KeyArchitectures)
	s := jsonscan.New(raw)
	odd := func(what string) {
		c.Findings = append(c.Findings, finding.New(finding.ConfigArchitectures, c.Doc.File,
			`"architectures" holds `+what, `write a list of class names, such as ["LlamaForCausalLM"]`))
	}
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name := c.Doc.Text(config.KeyArchitectures)
		if len(name) > registry.MaxName {
			odd(longName(len(name)) + "; it is passed over")
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
			case n > registry.MaxName:
				odd(longName(n) + " among its names; it is passed over")
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
func (c *Checkpoint) readModelType() string {
	raw := c.Doc.Value(config.KeyModelType)
	s := jsonscan.New(raw)
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name, err := s.Text()
		if len(name) > registry.MaxName {
			c.Findings = append(c.Findings, finding.New(finding.ConfigModelType, c.Doc.File,
				`"model_type" holds `+longName(len(name))+"; it is passed over", `write a short name, such as "llama"`))
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
func (c *Checkpoint) className(name []byte) string {
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
func (c *Checkpoint) ListedFamily() *registry.Family {
	if c.family == nil || c.family.ModelType != c.ModelType {
		c.family = c.Registry().Families[c.ModelType]
	}
	return c.family
}

// ListedClass is the registry's entry of the first class name, nil where it is
// not listed.
func (c *Checkpoint) ListedClass() *registry.Class {
	if name := c.Architecture(); c.class == nil || c.class.Name != name {
		c.class = c.Registry().Classes[name]
	}
	return c.class
}

// ResolveClass finds the first class name in the registry, in whatever spelling.
func (c *Checkpoint) ResolveClass() (*registry.Class, string) {
	if class := c.ListedClass(); class != nil {
		return class, class.FoundBy()
	}
	return c.Registry().ResolveClass(c.Architecture())
}

func kindOf(raw []byte) jsonscan.Kind {
	s := jsonscan.New(raw)
	return s.Kind()
}

// ReadClassName gives the class in "_class_name". Pipelines with code of their
// own store a list of module and class.
func (c *Checkpoint) ReadClassName() []string {
	switch raw := c.Doc.Value(config.KeyClassName); kindOf(raw) {
	case jsonscan.String:
		if name := c.Doc.Text(config.KeyClassName); name != "" && len(name) <= registry.MaxName {
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
		if err == nil && last != "" && len(last) <= registry.MaxName {
			return []string{last}
		}
	}
	return nil
}

// Name is the base name of the directory asked for; the root of a filesystem has
// none.
func (c *Checkpoint) Name() string {
	if dir := c.RequestedDir(); dir != "." {
		return path.Base(dir)
	}
	return ""
}

// RequestedDir is the directory as the caller gave it.
func (c *Checkpoint) RequestedDir() string {
	if c.requestedDir != "" {
		return c.requestedDir
	}
	return c.Dir
}
