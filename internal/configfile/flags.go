package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"omniloader/internal/suggest"
)

// Annotations of flags, which say how a config file may set them.
const (
	excluded  = "configfile: not in a file"
	onlyReads = "configfile: only reads"
	replaces  = "configfile: replaces"
)

// Exclude keeps flags out of config files: those that say which file is read, and any that
// could start a program.
func Exclude(set *pflag.FlagSet, names ...string) { annotate(set, excluded, names) }

// OnlyReads marks flags that name a FILE and never write it.
func OnlyReads(set *pflag.FlagSet, names ...string) { annotate(set, onlyReads, names) }

// Contrary marks two flags that cannot be used together. One that is given with more
// precedence then puts the other of a config file out of force.
func Contrary(set *pflag.FlagSet, a, b string) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		known := set.Lookup(pair[0]).Annotations[replaces]
		if err := set.SetAnnotation(pair[0], replaces, append(slices.Clone(known), pair[1])); err != nil {
			panic(err) // there is no such flag
		}
	}
}

func annotate(set *pflag.FlagSet, key string, names []string) {
	for _, name := range names {
		if err := set.SetAnnotation(name, key, []string{"yes"}); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// ContraryTo gives the flags that cannot be used together with a flag.
func ContraryTo(f *pflag.Flag) []string { return f.Annotations[replaces] }

// IsKey tells whether a config file may set a flag.
func IsKey(f *pflag.Flag) bool {
	return f.Name != "help" && !f.Hidden && f.Annotations[excluded] == nil
}

// Keys gives the keys that a config file may have at most: PathsKey and the flags of the
// set, in their order.
func Keys(set *pflag.FlagSet) []string {
	keys := []string{PathsKey}
	set.VisitAll(func(f *pflag.Flag) {
		if IsKey(f) {
			keys = append(keys, f.Name)
		}
	})
	return keys
}

// Check gives an error for each key that no flag has and for each value that its flag
// refuses, in the whole file. newFlags makes an unused set of the flags. Each error is an
// *Error.
func (f *File) Check(newFlags func() *pflag.FlagSet) []error {
	groups := [][]Setting{f.Settings}
	for _, p := range f.Profiles {
		groups = append(groups, p.Settings)
	}
	var failures []error
	for _, settings := range groups {
		set := newFlags()
		for i := range settings {
			if err := settings[i].check(set); err != nil {
				failures = append(failures, err)
			}
		}
	}
	return failures
}

// check sets the flag of an unused set.
func (s *Setting) check(set *pflag.FlagSet) error {
	f := set.Lookup(s.Key)
	switch {
	case s.Key == PathsKey && s.fault == nil:
		return s.checkPaths()
	case s.Key == PathsKey:
		return s.fault
	case s.Key == profilesKey:
		return s.Place.errorf("write it at the top of the file, not in a profile", "a profile has no profiles")
	case f == nil:
		advice := suggest.DidYouMean(s.Key, append(Keys(set), profilesKey))
		return s.Place.errorf(advice, "unknown key %q", s.Key)
	case !IsKey(f):
		return s.Place.errorf("give it on the command line: --"+f.Name, "the flag --%s cannot be set in a config file", f.Name)
	case s.fault != nil:
		return s.fault
	}
	return s.Apply(set)
}

func (s *Setting) checkPaths() error {
	for _, v := range s.Values {
		switch {
		case v.IsBool:
			return v.Place.errorf("put it in quotes if a file is called so", "paths takes feature files and folders, not %s", v.Text)
		case v.Text == "":
			return v.Place.errorf("leave it out, or name a feature file or folder", "paths has an empty entry")
		}
		if err := v.refuseTilde(); err != nil {
			return err
		}
	}
	return nil
}

// Paths gives the values of a setting of PathsKey as paths: relative ones are relative to
// the folder of the config file.
func (s *Setting) Paths() []string {
	var paths []string
	for _, v := range s.Values {
		paths = append(paths, v.beside(v.Text))
	}
	return paths
}

// Apply sets the flag of this key, which the set must have, to the values. Relative paths
// in them become relative to the folder of the config file. The error is an *Error.
func (s *Setting) Apply(set *pflag.FlagSet) error {
	f := set.Lookup(s.Key)
	texts, err := s.texts(f)
	if err != nil {
		return err
	}
	for i, text := range texts {
		if err := set.Set(s.Key, text); err != nil {
			var invalid *pflag.InvalidValueError
			reason := err
			if errors.As(err, &invalid) {
				reason = errors.Unwrap(invalid)
			}
			return s.Values[i].Place.errorf("", "%s: %q: %v", s.Key, text, reason)
		}
	}
	return nil
}

// texts gives the values as the flag takes them on the command line.
func (s *Setting) texts(f *pflag.Flag) ([]string, error) {
	_, repeatable := f.Value.(pflag.SliceValue)
	name, _ := pflag.UnquoteUsage(f)
	commaSeparated := name == "LIST"
	if s.IsList && !repeatable && !commaSeparated {
		return nil, s.Place.errorf("", "%s takes a single value, not a list", s.Key)
	}
	var texts []string
	for _, v := range s.Values {
		isBool := f.Value.Type() == "bool"
		switch {
		case isBool && !v.IsBool:
			return nil, v.Place.errorf("", "%s takes true or false, not %q", s.Key, v.Text)
		case !isBool && v.IsBool:
			return nil, v.Place.errorf("put it in quotes if the word is meant", "%s takes a value (%s), not %s", s.Key, name, v.Text)
		}
		text, err := v.resolved(f)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	if commaSeparated {
		texts = []string{strings.Join(texts, ",")}
	}
	return texts, nil
}

// pathIn splits a value of a flag into what stands before a path and the path: the name of
// the value in the flag's help says whether it is one ("FILE", "DIR", "NAME[:FILE]").
func pathIn(f *pflag.Flag, text string) (before, path string, isPath bool) {
	name, _ := pflag.UnquoteUsage(f)
	name = strings.NewReplacer("[", "", "]", "").Replace(name)
	before, kind, behindColon := strings.Cut(name, ":")
	if !behindColon {
		before, kind = "", name
	}
	if kind != "FILE" && kind != "DIR" && kind != "PATH" {
		return "", "", false
	}
	if before == "" {
		return "", text, text != ""
	}
	before, path, _ = strings.Cut(text, ":")
	return before + ":", path, path != ""
}

// resolved gives the value with a path in it relative to the config file.
func (v Value) resolved(f *pflag.Flag) (string, error) {
	before, path, isPath := pathIn(f, v.Text)
	if !isPath {
		return v.Text, nil
	}
	if err := (Value{Text: path, Place: v.Place}).refuseTilde(); err != nil {
		return "", err
	}
	return before + v.beside(path), nil
}

// refuseTilde gives an error for a path with "~", which a shell would replace.
func (v Value) refuseTilde() error {
	if v.Text == "~" || strings.HasPrefix(v.Text, "~/") {
		return v.Place.errorf("write the path out, or relative to the config file", "%q: ~ is not replaced in a config file", v.Text)
	}
	return nil
}

// beside gives a path seen from the folder of the config file.
func (v Value) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(v.Place.Path), filepath.FromSlash(path))
}

// OutsideFolder gives an error for the first setting that lets a run write a file outside
// of the folder of the config file, links followed, and nil where there is none. It is for
// a file that was found and not named: someone else may have written it.
func OutsideFolder(set *pflag.FlagSet, settings []Setting) error {
	for _, s := range settings {
		f := set.Lookup(s.Key)
		if f == nil || f.Annotations[onlyReads] != nil {
			continue
		}
		name, _ := pflag.UnquoteUsage(f)
		if strings.HasSuffix(name, "DIR") { // folders are read
			continue
		}
		for _, v := range s.Values {
			if _, path, isPath := pathIn(f, v.Text); isPath && !isBelow(filepath.Dir(v.Place.Path), v.beside(path)) {
				return v.Place.errorf("name a file below it, or name the config file with --config, or the file with --"+s.Key,
					"%s: %q is outside of the folder of the config file, and a config file that was not named does not write there", s.Key, v.Text)
			}
		}
	}
	return nil
}

// isBelow tells whether a path, which need not exist, is below a folder, links followed.
func isBelow(dir, path string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	if path, err = filepath.Abs(path); err != nil {
		return false
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, followed(path))
	return err == nil && filepath.IsLocal(rel)
}

// followed is a path with the links in it followed, as far as it exists. A link to what
// does not exist yet is followed too.
func followed(path string) string {
	const mostLinks = 40
	rest := ""
	for links := 0; links <= mostLinks; {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(real, rest)
		}
		if target, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(path), target)
			}
			path = target
			links++
			continue
		}
		parent := filepath.Dir(path)
		if parent == path {
			break
		}
		path, rest = parent, filepath.Join(filepath.Base(path), rest)
	}
	return filepath.Join(path, rest)
}
