package tokenizer

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// The files of chat templates other than tokenizer_config.json.
const (
	fileTemplate     = "chat_template.jinja"
	fileTemplateJSON = "chat_template.json"
	dirTemplates     = "additional_chat_templates"
	defaultTemplate  = "default"
)

// ChatTemplate is one of a checkpoint's chat templates.
type ChatTemplate struct {
	Name   string // "default" for the one that is used where no name is given
	Source string // the file that contains it
	Text   string
}

// ChatTemplates returns the chat templates of the directory at dir, whose files are
// names, in the order of their precedence: of two with the same name the first is used.
// Separate files come before tokenizer_config.json, and that before chat_template.json,
// which processors of multimodal models had. Templates that cannot be read are left out;
// errs has their errors.
//
// Source: transformers, tokenization_utils_base.py and processing_utils.py. A member
// chat_template is a string, a list of {name, template}, or an object of strings.
func ChatTemplates(fsys fs.FS, dir string, names []string) (templates []ChatTemplate, errs []error) {
	l := &directoryLoader{fsys: fsys, dir: dir, names: names}
	if l.has(fileConfig) {
		config, err := l.object(fileConfig)
		if err == nil { // Load reports the error
			l.side.config = config
		}
	}
	return l.templates()
}

func (l *directoryLoader) templates() (out []ChatTemplate, errs []error) {
	files := len(l.files)
	defer func() { l.files = slices.Delete(l.files, files, len(l.files)) }() // Config.Files has no templates
	file := func(source, name string) {
		text, err := l.file(source, maxSideFile)
		if err != nil {
			errs = append(errs, err)
			return
		}
		out = append(out, ChatTemplate{name, source, string(text)})
	}
	member := func(o object, source string) {
		list, err := o.templates(source)
		if err != nil {
			errs = append(errs, err)
		}
		out = append(out, list...)
	}
	if l.has(fileTemplate) {
		file(fileTemplate, defaultTemplate)
	}
	if l.has(dirTemplates) {
		entries, _ := fs.ReadDir(l.fsys, path.Join(l.dir, dirTemplates))
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), ".jinja"); ok {
				file(path.Join(dirTemplates, e.Name()), name)
			}
		}
	}
	member(l.side.config, fileConfig)
	if l.has(fileTemplateJSON) {
		o, err := l.object(fileTemplateJSON)
		if err != nil {
			errs = append(errs, err)
		} else {
			member(o, fileTemplateJSON)
		}
	}
	return out, errs
}

// templates reads the member chat_template.
func (o *object) templates(source string) (out []ChatTemplate, err error) {
	const key = "chat_template"
	n, ok := o.optional(key)
	if !ok {
		return nil, nil
	}
	switch n.kind() {
	case jsonscan.String:
		text, err := n.str(key)
		if err == nil && text != "" {
			out = append(out, ChatTemplate{defaultTemplate, source, text})
		}
		return out, err
	case jsonscan.Object:
		named, err := n.object(key)
		if err != nil {
			return nil, err
		}
		for i, name := range named.names {
			text, err := named.values[i].str("the chat template " + strconv.Quote(clip(name)))
			if err != nil {
				return out, err
			}
			out = append(out, ChatTemplate{name, source, text})
		}
		return out, nil
	case jsonscan.Array:
		items, err := n.array(key)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			c := ChatTemplate{Source: source}
			entry, err := item.object("a chat template")
			if err == nil {
				c.Name, err = entry.needStr("name")
			}
			if err == nil {
				c.Text, err = entry.needStr("template")
			}
			if err != nil {
				return out, err
			}
			out = append(out, c)
		}
		return out, nil
	}
	return nil, n.fail(fault.WrongType, "%s must be a text or hold texts, found %s", key, n.kind())
}
