// Package configfile reads the settings of a run from a YAML file, omniloader.yaml. Each
// key is the name of a flag of "run", or "paths" for the feature files and folders;
// "profiles" has groups of such keys by name. The package knows no flag itself: [File.Check]
// and [Setting.Apply] take the flags from a flag set, so that a value is checked by the
// flag that it is for. Nothing of a file is expanded or executed.
package configfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"omniloader/internal/suggest"
)

const (
	// Name is the name of a config file that is looked for.
	Name = "omniloader.yaml"
	// otherName is what the file may be called by mistake.
	otherName = "omniloader.yml"
	// MaxSize is the largest config file that is read, in bytes.
	MaxSize = 64 << 10
	// PathsKey is the key for the feature files and folders, which have no flag.
	PathsKey = "paths"
	// profilesKey is the key for groups of settings by name.
	profilesKey = "profiles"
)

// File is a config file that was read. Its keys are not checked yet, see Check.
type File struct {
	Path     string // as it was given to Read
	Settings []Setting
	Profiles []Profile // in the order of the file
}

// Profile is a group of settings with a name.
type Profile struct {
	Name     string
	Settings []Setting
}

// Setting is one key with its value.
type Setting struct {
	Key    string
	Values []Value // one for a single value, any number for a list
	IsList bool
	Place  Place // of the key

	fault error // what is wrong with the value whatever the key is, or nil
}

// Value is a single value.
type Value struct {
	Text   string // as written, without quotes
	IsBool bool   // true or false, without quotes
	Place  Place
}

// Place is a place in a config file; line and column count from 1, and 0 is not known.
type Place struct {
	Path         string
	Line, Column int
}

func (p Place) String() string {
	text := p.Path
	for _, n := range []int{p.Line, p.Column} {
		if n == 0 {
			break
		}
		text += ":" + strconv.Itoa(n)
	}
	return text
}

// Error is a fault of a config file.
type Error struct {
	Place   Place
	Message string
	Advice  string // the way out, or ""
}

// Error reads `omniloader.yaml:3:1: unknown key "itertions"`.
func (e *Error) Error() string { return e.Place.String() + ": " + e.Message }

// Hint gives the way out, or "".
func (e *Error) Hint() string { return e.Advice }

func (p Place) errorf(advice, format string, args ...any) *Error {
	return &Error{Place: p, Message: fmt.Sprintf(format, args...), Advice: advice}
}

var lineSuffix = regexp.MustCompile(`(:[0-9]+)+$`)

// Find looks for a config file for features at a path, "" for none: in the folder of the
// features, then in each folder above it up to the working directory; for a path outside
// the working directory in its own folder, and then in the working directory. Without a
// path it looks in the working directory only. It gives the path of the file, relative to
// the working directory where it lies in it, and "" where there is none.
func Find(features string) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, dir := range searched(features, here) {
		name := filepath.Join(dir, Name)
		if _, err := os.Lstat(name); err == nil {
			return relative(here, name), nil
		}
		other := filepath.Join(dir, otherName)
		if _, err := os.Lstat(other); err == nil {
			return "", Place{Path: relative(here, other)}.errorf("rename it, or name it with --config", "a config file is called %s, and this one is not read", Name)
		}
	}
	return "", nil
}

// searched gives the folders that Find looks in, in their order.
func searched(features, here string) []string {
	if features == "" {
		return []string{here}
	}
	dir, err := filepath.Abs(features)
	if err != nil {
		return []string{here}
	}
	if info, err := os.Stat(dir); err != nil {
		dir = filepath.Dir(lineSuffix.ReplaceAllString(dir, ""))
	} else if !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	if rel, err := filepath.Rel(here, dir); err != nil || !filepath.IsLocal(rel) {
		return []string{dir, here}
	}
	dirs := []string{dir}
	for dir != here {
		dir = filepath.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

// relative gives a path relative to a folder that it is below, else the path itself.
func relative(here, name string) string {
	if rel, err := filepath.Rel(here, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}

// Read reads a config file of at most MaxSize bytes. The error is an *Error.
func Read(path string) (*File, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

func readBounded(path string) ([]byte, error) {
	at := Place{Path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, at.errorf("", "there is no such config file")
	case err != nil:
		return nil, at.errorf("", "%v", withoutPath(err))
	case info.IsDir():
		return nil, at.errorf("name the file in it", "this is a folder, not a config file")
	case !info.Mode().IsRegular(): // reading a pipe would wait
		return nil, at.errorf("", "not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, at.errorf("", "%v", withoutPath(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, at.errorf("", "%v", withoutPath(err))
	}
	if len(text) > MaxSize {
		return nil, at.errorf("", "larger than %d KiB, the limit for a config file", MaxSize>>10)
	}
	return text, nil
}

func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// Parse reads the text of a config file; path is for messages. The error is an *Error.
func Parse(path string, text []byte) (*File, error) {
	f := &File{Path: path}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err == io.EOF {
		return f, nil
	} else if err != nil {
		return nil, syntaxError(path, text, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Place{path, second.Line, second.Column}.errorf("remove the line --- and join them", "a second document; a config file is one")
	} else if err != io.EOF {
		return nil, syntaxError(path, text, err)
	}
	p := parser{path: path}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" { // only comments
		return f, nil
	}
	err := p.pairs(root, func(key, value *yaml.Node) error {
		if key.Value == profilesKey {
			return p.profiles(f, value)
		}
		f.Settings = append(f.Settings, p.setting(key, value))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+)(?:[:,] column ([0-9]+))?: )?(.*)$`)

// reserved finds a value that begins with a character that YAML keeps for itself, the most
// usual mistake: a tag without quotes.
var reserved = regexp.MustCompile("^\\s*(?:- +)?(?:[A-Za-z0-9_-]+: *)?(?:\\[[^\"']*)?([@`%])")

func syntaxError(path string, text []byte, err error) *Error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return Place{Path: path}.errorf("", "%v", err)
	}
	line, _ := strconv.Atoi(m[1])
	line = max(line, 1) // left out where it is the first
	column, _ := strconv.Atoi(m[2])
	advice := ""
	for i, l := range strings.Split(string(text), "\n") {
		if at := reserved.FindStringSubmatchIndex(l); at != nil {
			line, column = i+1, at[2]+1
			advice = fmt.Sprintf("put a value that begins with %s in quotes: \"%s…\"", l[at[2]:at[3]], l[at[2]:at[3]])
			break
		}
	}
	return Place{path, line, column}.errorf(advice, "not YAML: %s", m[3])
}

// parser turns nodes into settings.
type parser struct{ path string }

func (p parser) place(n *yaml.Node) Place { return Place{p.path, n.Line, n.Column} }

// pairs calls do for each key and value of a mapping. The error is an *Error.
func (p parser) pairs(n *yaml.Node, do func(key, value *yaml.Node) error) error {
	if err := p.refuse(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		return p.place(n).errorf("write lines such as \"iterations: 50\"", "keys with values are needed here, not %s", kindOf(n))
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if err := p.refuse(key); err != nil {
			return err
		}
		if key.Kind != yaml.ScalarNode {
			return p.place(key).errorf("", "a key is a word, not %s", kindOf(key))
		}
		if line, twice := first[key.Value]; twice {
			return p.place(key).errorf("remove one of them", "the key %q is here twice; first in line %d", key.Value, line)
		}
		first[key.Value] = key.Line
		if err := do(key, value); err != nil {
			return err
		}
	}
	return nil
}

// refuse gives an error for what a config file must not use, so that what is written is
// what is read.
func (p parser) refuse(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return p.place(n).errorf("write the value out; --profile NAME keeps groups of settings", "anchors and aliases are not read")
	case n.Style&yaml.TaggedStyle != 0:
		return p.place(n).errorf("leave the tag out", "tags such as %s are not read", n.Tag)
	case n.Kind == yaml.ScalarNode && n.Tag == "!!merge":
		return p.place(n).errorf("write the settings out; --profile NAME keeps groups of settings", "merging with << is not done")
	}
	return nil
}

func (p parser) profiles(f *File, n *yaml.Node) error {
	return p.pairs(n, func(name, settings *yaml.Node) error {
		profile := Profile{Name: name.Value}
		if settings.Kind == yaml.ScalarNode && settings.Tag == "!!null" {
			return p.place(name).errorf("write its settings below it, indented", "the profile %q is empty", name.Value)
		}
		err := p.pairs(settings, func(key, value *yaml.Node) error {
			profile.Settings = append(profile.Settings, p.setting(key, value))
			return nil
		})
		f.Profiles = append(f.Profiles, profile)
		return err
	})
}

func (p parser) setting(key, value *yaml.Node) Setting {
	s := Setting{Key: key.Value, Place: p.place(key), IsList: value.Kind == yaml.SequenceNode}
	items := []*yaml.Node{value}
	if s.IsList {
		if s.fault = p.refuse(value); s.fault != nil {
			return s
		}
		items = value.Content
	}
	if len(items) == 0 {
		s.fault = p.place(value).errorf("leave the key out, or name a value", "the list of %q is empty", key.Value)
	}
	for _, item := range items {
		v, err := p.value(key.Value, item)
		if err != nil {
			s.fault = err
			return s
		}
		s.Values = append(s.Values, v)
	}
	return s
}

func (p parser) value(key string, n *yaml.Node) (Value, error) {
	if err := p.refuse(n); err != nil {
		return Value{}, err
	}
	if n.Kind != yaml.ScalarNode {
		return Value{}, p.place(n).errorf("", "%q takes a single value or a list of them, not %s", key, kindOf(n))
	}
	if n.Tag == "!!null" {
		return Value{}, p.place(n).errorf("leave the key out, or write a value behind it", "%q has no value", key)
	}
	if strings.ContainsRune(n.Value, 0) {
		return Value{}, p.place(n).errorf("", "%q has a NUL character in its value", key)
	}
	return Value{Text: n.Value, IsBool: n.Tag == "!!bool", Place: p.place(n)}, nil
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return "a single value"
}

// Profile gives the settings of the profile of a name. The error is an *Error.
func (f *File) Profile(name string) (Profile, error) {
	var names []string
	for _, p := range f.Profiles {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	advice := suggest.DidYouMean(name, names)
	if len(names) == 0 {
		advice = "a profile is a group of settings below the key profiles"
	}
	return Profile{}, Place{Path: f.Path}.errorf(advice, "there is no profile %q", name)
}

// ProfileNames gives the names of the profiles, sorted.
func (f *File) ProfileNames() []string {
	var names []string
	for _, p := range f.Profiles {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}
