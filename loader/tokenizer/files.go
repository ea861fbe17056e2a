package tokenizer

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/regular"
)

func (l *directoryLoader) has(name string) bool { return slices.Contains(l.names, name) }

// takes reports whether the source reads files of this name.
func (s *vocabularySource) takes(name string) bool {
	if name == s.pattern || !strings.Contains(s.pattern, "*") {
		return name == s.pattern
	}
	ok, _ := path.Match(s.pattern, name)
	return ok
}

// bestVocabulary returns the file among the names of a directory from which Load takes
// the vocabulary, "" where there is none.
func bestVocabulary(names []string) string {
	name, _ := best(names)
	return name
}

// best returns the first vocabulary file in the order of vocabularySources, and its row.
func best(names []string) (string, *vocabularySource) {
	for i := range vocabularySources {
		s, found := &vocabularySources[i], ""
		for _, name := range names {
			if s.takes(name) && (found == "" || s.newest && laterVersion(name, found)) {
				found = name
			}
		}
		if found != "" {
			return found, s
		}
	}
	return "", nil
}

// best returns the vocabulary file of the directory. Where the config lists versions of
// tokenizer.json, it is the latest of those that exist. Source: get_fast_tokenizer_file
// of transformers, tokenization_utils_base.py.
func (l *directoryLoader) best() (name string, s *vocabularySource) {
	list, ok := l.side.config.optional("fast_tokenizer_files")
	if items, err := list.array("fast_tokenizer_files"); ok && err == nil {
		for _, item := range items {
			file, err := item.str("a file")
			if err == nil && versionedFile(file) && l.has(file) && (name == "" || laterVersion(file, name)) {
				name = file
			}
		}
	}
	if name != "" {
		return name, &vocabularySources[0]
	}
	return best(l.names)
}

// versionedFile reports whether a name is one of fast_tokenizer_files, such as
// tokenizer.4.0.json.
func versionedFile(name string) bool {
	version, ok := strings.CutPrefix(name, "tokenizer.")
	version, isJSON := strings.CutSuffix(version, ".json")
	return ok && isJSON && version != "" && strings.Trim(version, "0123456789.") == ""
}

// laterVersion reports whether a is after b by the numbers in the names.
func laterVersion(a, b string) bool {
	numbers := func(s string) (out []int) {
		for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(f)
			out = append(out, n)
		}
		return out
	}
	return slices.Compare(numbers(a), numbers(b)) > 0
}

// FilesOf returns those of a directory's files that Load reads, the vocabulary first:
// the files to download for loading a tokenizer.
func FilesOf(names []string) []string {
	var out []string
	for _, name := range names {
		if versionedFile(name) { // the config decides which
			out = append(out, name)
		}
	}
	if name := bestVocabulary(names); name != "" {
		out = append(out, name)
		if name == fileVocab && slices.Contains(names, fileMerges) {
			out = append(out, fileMerges)
		}
	}
	for _, name := range []string{fileConfig, fileSpecial, fileAdded, fileTemplate, fileTemplateJSON} {
		if slices.Contains(names, name) {
			out = append(out, name)
		}
	}
	if len(out) > 0 && slices.Contains(names, fileModel) {
		out = append(out, fileModel)
	}
	return out
}

// file reads a file of the directory; one of more than limit bytes is an error.
func (l *directoryLoader) file(name string, limit int64) ([]byte, error) {
	full := path.Join(l.dir, name)
	f, size, err := regular.Open(l.fsys, full, full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Unreadable, full, "a link that leads nowhere").WithCause(err).WithHint("download the file again")
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	switch {
	case size > limit:
		return nil, fault.New(fault.TooLarge, full, strconv.FormatInt(size, 10)+" bytes, the limit is "+strconv.FormatInt(limit, 10))
	case size == 0:
		return nil, fault.New(fault.Empty, full, "").WithHint("the download may not have begun; fetch the file again")
	}
	data := make([]byte, size)
	if n, err := io.ReadFull(f, data); err != nil {
		return nil, fault.At(fault.Truncated, full, int64(n), "the file ends before its size").WithCause(err)
	}
	switch {
	case data[0] == 0 && len(bytes.Trim(data[:min(len(data), 4096)], "\x00")) == 0:
		return nil, fault.At(fault.ZeroFilled, full, 0, "the file was allocated and never written").WithHint("download the file again")
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return nil, fault.New(fault.LFSPointer, full, "").WithHint("run `git lfs pull`")
	case looksLikeHTML(data):
		return nil, fault.New(fault.HTMLPage, full, "").WithHint("the server sent a page in place of the file; fetch it again, logged in if need be")
	}
	l.files = append(l.files, name)
	return data, nil
}

func looksLikeHTML(data []byte) bool {
	head := bytes.TrimLeft(data[:min(len(data), 256)], " \t\r\n\xEF\xBB\xBF")
	if len(head) == 0 || head[0] != '<' {
		return false
	}
	head = bytes.ToLower(head)
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// object reads a file that is one JSON object.
func (l *directoryLoader) object(name string) (object, error) {
	data, err := l.file(name, maxSideFile)
	if err != nil {
		return object{}, err
	}
	n := node{path: path.Join(l.dir, name), raw: data}
	s := jsonscan.New(data)
	if _, err := s.Raw(); err != nil {
		return object{}, n.locate(err)
	}
	if err := s.End(); err != nil {
		return object{}, n.locate(err)
	}
	return n.object("the file")
}

func (l *directoryLoader) readSideFiles() error {
	for _, f := range []struct {
		name string
		to   *object
	}{{fileConfig, &l.side.config}, {fileSpecial, &l.side.special}, {fileAdded, &l.side.added}} {
		if !l.has(f.name) {
			continue
		}
		var err error
		if *f.to, err = l.object(f.name); err != nil {
			return err
		}
	}
	l.side.hasConfig = l.has(fileConfig)
	l.class = l.side.text("tokenizer_class")
	l.readModel()
	return l.side.read()
}

// readModel reads from config.json the model type, the pad token id, and the class where
// the config of the tokenizer names none. Errors are ignored: the file belongs to the
// model, not to the tokenizer.
func (l *directoryLoader) readModel() {
	if !l.has(fileModel) {
		return
	}
	n := len(l.files)
	data, err := l.file(fileModel, maxModelFile)
	l.files = l.files[:n]
	if err != nil {
		return
	}
	config, err := node{path: path.Join(l.dir, fileModel), raw: data}.pick("the file", "model_type", "tokenizer_class", "pad_token_id", "text_config")
	if err != nil {
		return
	}
	l.model = textOf(config, "model_type")
	if l.class == "" {
		l.class = textOf(config, "tokenizer_class")
	}
	pad, ok := config.lookup("pad_token_id")
	if text, isThere := config.optional("text_config"); !ok && isThere && text.kind() == jsonscan.Object {
		if o, err := text.pick("text_config", "pad_token_id"); err == nil {
			pad, ok = o.lookup("pad_token_id")
		}
	}
	if id, isID := parseID(pad.raw); ok && isID {
		l.pad = int64(id)
	}
}

func (l *directoryLoader) vocabularyFile(name string) ([]byte, error) {
	data, err := l.file(name, maxVocabularyFile)
	if err == nil {
		n := len(l.files) - 1 // the vocabulary comes first
		l.files = slices.Insert(l.files[:n:n], 0, name)
	}
	return data, err
}

// FileOf reports whether a file belongs to a tokenizer, by its name.
func FileOf(name string) bool {
	switch name {
	case fileConfig, fileSpecial, fileAdded, fileMerges:
		return true
	}
	return versionedFile(name) || bestVocabulary([]string{name}) != ""
}
