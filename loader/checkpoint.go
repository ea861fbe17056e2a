package loader

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/regular"
)

// The files that say what a directory is.
const (
	fileConfig       = "config.json"
	fileModelIndex   = "model_index.json"
	fileModularIndex = "modular_model_index.json"
	fileAdapter      = "adapter_config.json"
	fileParams       = "params.json" // of Mistral's and Meta's own formats
)

// checkpoint is a directory as one listing and one of its files show it. All
// questions are answered from it; only few of them need to read more.
type checkpoint struct {
	fsys     fs.FS
	dir      string
	entries  []fs.DirEntry // sorted by name
	names    []string      // of the entries: asking an entry for its name may cost a lock
	doc      document      // the file that says what the directory is
	classes  []string      // class names that doc gives
	marks    marks
	findings []Finding

	modelType string  // that doc gives, "" where it gives none
	class     *Class  // the registry's entry of the first of classes, as last looked up
	family    *Family // of modelType, as last looked up
	fromAuto  string  // the key of auto_map that gave the class, "" where architectures did

	top      members    // of doc, as first asked for
	sections dimensions // of doc, as first asked for

	own *registry // the names that its loader knows, nil for the built-in ones

	given     string   // the directory asked for, where dir is a snapshot of it
	via       string   // how dir was found, for people
	snapshots []string // of a cache that does not say which is meant
}

// spare holds checkpoints whose question is answered, for the next one: nothing
// of an answer points into them.
var spare = sync.Pool{New: func() any { return new(checkpoint) }}

// known gives the names that the checkpoint's loader knows.
func (c *checkpoint) known() *registry {
	if c.own != nil {
		return c.own
	}
	return known()
}

// openDescribed lists the directory and reads the one file that says what it is. own is
// what the loader knows besides the built-in names, nil for nothing. The caller releases
// the checkpoint when the answer is made.
func openDescribed(own *registry, fsys fs.FS, dir string) (*checkpoint, error) {
	c := spare.Get().(*checkpoint)
	c.own = own
	err := c.list(fsys, dir)
	if err == nil {
		err = c.read()
	}
	if err != nil {
		c.release()
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

func (c *checkpoint) release() {
	buffer := c.doc.data[:0]
	if cap(buffer) > maxSpare {
		buffer = nil
	}
	names := c.names[:0]
	if cap(names) > maxSpareNames {
		names = nil
	}
	clear(c.names)
	*c = checkpoint{} // in place: a value with something in it would be built elsewhere and copied
	c.doc.data, c.names = buffer, names
	spare.Put(c)
}

// list takes the listing of a directory.
func list(fsys fs.FS, dir string) (*checkpoint, error) {
	c := &checkpoint{}
	if err := c.list(fsys, dir); err != nil {
		return nil, err
	}
	return c, nil
}

// list takes the one listing. Of a repository in the Hugging Face cache it takes
// that of its snapshot.
func (c *checkpoint) list(fsys fs.FS, dir string) error {
	err := c.listDir(fsys, dir)
	if err == nil && c.marks&markSnapshots != 0 && c.mainFile() == "" {
		return c.intoCache()
	}
	return err
}

// listDir takes the listing of this directory and no other.
func (c *checkpoint) listDir(fsys fs.FS, dir string) error {
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
		return openError(dir, err)
	}
	c.fsys, c.dir, c.entries = fsys, dir, entries
	c.names = slices.Grow(c.names[:0], len(entries))
	for _, e := range entries {
		c.names = append(c.names, e.Name())
	}
	c.marks = findMarks(c.names)
	return nil
}

// read parses the file that says most, where there is one.
func (c *checkpoint) read() error {
	name := c.mainFile()
	if name == "" {
		return nil
	}
	data, err := c.readListed(name, MaxConfigSize)
	if err != nil {
		return err
	}
	if err := parseDocument(name, data, &c.doc); err != nil {
		return err
	}
	if newer := c.newestConfig(); newer != "" {
		if data, err = c.readListed(newer, MaxConfigSize); err != nil {
			return err
		}
		c.doc = document{}
		if err := parseDocument(newer, data, &c.doc); err != nil {
			return err
		}
		c.doc.file = name // what is decided is decided in its name
	}
	c.findings = append(c.findings, c.doc.notes()...)
	c.modelType = c.readModelType()
	if name == fileConfig {
		c.readClasses()
	} else {
		c.classes = c.readClassName()
	}
	return nil
}

// readListed reads a file that stands in the listing, which tells what kind of
// file it is.
func (c *checkpoint) readListed(name string, limit int64) ([]byte, error) {
	if i, ok := slices.BinarySearch(c.names, name); ok && c.entries[i].Type().IsRegular() {
		at := name // both parts are clean: path.Join would look at every byte again
		if c.dir != "." {
			at = c.dir + "/" + name
		}
		f, size, err := regular.OpenListed(c.fsys, at, name)
		if err != nil {
			return nil, err
		}
		return readWhole(f, size, name, limit, c.doc.data)
	}
	return readFile(c.fsys, c.dir, name, limit)
}

// mainFile names the file that says what the directory is, "" where there is
// none. A pipeline's index beats everything; an adapter's config beats a copy of
// its base model's, unless the base model's weights are there too.
func (c *checkpoint) mainFile() string {
	switch {
	case c.marks&markModelIndex != 0:
		return fileModelIndex
	case c.marks&markModularIndex != 0:
		return fileModularIndex
	case c.marks&markAdapter != 0 && !c.hasModelWeights():
		return fileAdapter
	case c.marks&markConfig != 0:
		return fileConfig
	}
	return ""
}

// marks are the names in a listing that decide what a directory may be, found
// with one look at each name.
type marks uint16

const (
	markModelIndex marks = 1 << iota
	markModularIndex
	markAdapter
	markConfig
	markTokenizer
	markSAEDirectory
	markSentenceTransformers
	markSnapshots
	markQuantFile
)

var marksByName = sync.OnceValue(func() map[string]marks {
	m := map[string]marks{
		fileModelIndex: markModelIndex, fileModularIndex: markModularIndex,
		fileAdapter: markAdapter, fileConfig: markConfig,
		"modules.json": markSentenceTransformers,
		dirSnapshots:   markSnapshots,
	}
	for _, name := range tokenizerMarks {
		m[name] = markTokenizer
	}
	for _, name := range saeDirectories() {
		m[name] = markSAEDirectory
	}
	for _, name := range quantFiles {
		m[name] = markQuantFile
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

// has tells whether the listing holds a name, be it a file or a directory.
func (c *checkpoint) has(name string) bool {
	_, ok := slices.BinarySearch(c.names, name)
	return ok
}

// hasDir tells whether the listing holds a directory, followed through a link.
func (c *checkpoint) hasDir(name string) bool {
	i, ok := slices.BinarySearch(c.names, name)
	return ok && isDir(c.fsys, c.dir, c.entries[i])
}

func isDir(fsys fs.FS, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// hasModelWeights tells whether weights of a whole model stand in the directory.
func (c *checkpoint) hasModelWeights() bool {
	for _, name := range c.names {
		if strings.HasPrefix(name, "model") && strings.HasSuffix(name, ".safetensors") ||
			strings.HasPrefix(name, "pytorch_model") && strings.HasSuffix(name, ".bin") {
			return true
		}
	}
	return false
}

// readClasses settles the class names of config.json: those in architectures,
// else the one that auto_map names.
func (c *checkpoint) readClasses() {
	if c.classes = c.readArchitectures(); len(c.classes) > 0 {
		return
	}
	if key, class := c.autoMapClass(); class != "" {
		c.classes, c.fromAuto = []string{class}, key
	}
}

// maxName bounds the names of classes and model types that are looked up, in
// bytes. The longest that is listed has 92.
const maxName = 256

// longName describes a name that is too long to be one.
func longName(n int) string { return "a name of " + strconv.Itoa(n) + " bytes" }

// readArchitectures gives config.json's class names. Real files hold null, one
// string, or entries that are no strings.
func (c *checkpoint) readArchitectures() (names []string) {
	raw := c.doc.value(keyArchitectures)
	s := jsonscan.New(raw)
	odd := func(what string) {
		c.findings = append(c.findings, Finding{SeverityWarning, CodeConfigArchitectures, c.doc.file,
			`"architectures" holds ` + what, `write a list of class names, such as ["LlamaForCausalLM"]`})
	}
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name := c.doc.text(keyArchitectures)
		if len(name) > maxName {
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
			case n > maxName:
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
func (c *checkpoint) readModelType() string {
	raw := c.doc.value(keyModelType)
	s := jsonscan.New(raw)
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name, err := s.Text()
		if len(name) > maxName {
			c.findings = append(c.findings, Finding{SeverityWarning, CodeConfigModelType, c.doc.file,
				`"model_type" holds ` + longName(len(name)) + "; it is passed over", `write a short name, such as "llama"`})
			break
		}
		if err == nil {
			if c.family = c.known().families[string(name)]; c.family != nil {
				return c.family.ModelType // without a copy
			}
			return string(name)
		}
	default:
		c.findings = append(c.findings, Finding{SeverityWarning, CodeConfigModelType, c.doc.file,
			`"model_type" holds ` + kind.String() + " in place of a string; it is passed over", `write a string, such as "llama"`})
	}
	return ""
}

// className gives a name as a string, without a copy where it is a listed one,
// and keeps the entry of the first.
func (c *checkpoint) className(name []byte) string {
	class := c.known().classes[string(name)]
	if c.class == nil {
		c.class = class
	}
	if class == nil {
		return string(name)
	}
	return class.Name
}

// listedFamily is the registry's entry of the model type, nil where it is not
// listed.
func (c *checkpoint) listedFamily() *Family {
	if c.family == nil || c.family.ModelType != c.modelType {
		c.family = c.known().families[c.modelType]
	}
	return c.family
}

// listedClass is the registry's entry of the first class name, nil where it is
// not listed.
func (c *checkpoint) listedClass() *Class {
	if name := c.architecture(); c.class == nil || c.class.Name != name {
		c.class = c.known().classes[name]
	}
	return c.class
}

// resolveClass finds the first class name in the registry, in whatever spelling.
func (c *checkpoint) resolveClass() (*Class, string) {
	if class := c.listedClass(); class != nil {
		return class, class.foundBy()
	}
	return c.known().resolveClass(c.architecture())
}

func kindOf(raw []byte) jsonscan.Kind {
	s := jsonscan.New(raw)
	return s.Kind()
}

// readClassName gives the class in "_class_name". Pipelines with code of their
// own store a list of module and class.
func (c *checkpoint) readClassName() []string {
	switch raw := c.doc.value(keyClassName); kindOf(raw) {
	case jsonscan.String:
		if name := c.doc.text(keyClassName); name != "" && len(name) <= maxName {
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
		if err == nil && last != "" && len(last) <= maxName {
			return []string{last}
		}
	}
	return nil
}

// name is the base name of the directory asked for; the root of a filesystem has
// none.
func (c *checkpoint) name() string {
	if dir := c.asked(); dir != "." {
		return path.Base(dir)
	}
	return ""
}

// asked is the directory as the caller gave it.
func (c *checkpoint) asked() string {
	if c.given != "" {
		return c.given
	}
	return c.dir
}
