package loader

import (
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// The files that hold a chat template.
const (
	fileChatTemplate     = "chat_template.jinja"
	fileChatTemplateJSON = "chat_template.json"
	chatTemplatesDir     = "additional_chat_templates"
	defaultTemplate      = "default"
)

// chatTemplate says where the template is, nil where there is none. A file of its
// own beats what tokenizer_config.json holds, as in the transformers library;
// processors of multimodal models had a JSON file for it.
// A template of another form is a finding of info.
func (c *checkpoint) chatTemplate(info *Info, files []fileInfo, r *weightReader) *ChatTemplate {
	t := &ChatTemplate{Names: []string{}}
	add := func(source, name string) {
		if name == defaultTemplate && t.Source == "" {
			t.Source = source
		}
		if !slices.Contains(t.Names, name) {
			t.Names = append(t.Names, name)
		}
	}
	if c.hasContent(fileChatTemplate, files) {
		add(fileChatTemplate, defaultTemplate)
	}
	for i := range files {
		if f := &files[i]; f.dir() == chatTemplatesDir && path.Ext(f.name) == ".jinja" && f.problem == nil {
			add(f.name, strings.TrimSuffix(f.base(), ".jinja"))
		}
	}
	for _, name := range [...]string{fileTokenizerConfig, fileChatTemplateJSON} {
		if !c.hasContent(name, files) {
			continue
		}
		config, err := readObject(c.fsys, c.dir, name)
		if err != nil {
			continue // reported with the tokenizer
		}
		switch v := config.Get("chat_template"); {
		case v.Type == gjson.String && v.Str != "":
			add(name, defaultTemplate)
		case v.IsArray():
			for _, entry := range v.Array() {
				if n := entry.Get("name").String(); n != "" && entry.Get("template").Type == gjson.String {
					add(name, n)
				}
			}
		case v.IsObject():
			v.ForEach(func(n, template gjson.Result) bool {
				if template.Type == gjson.String {
					add(name, n.String())
				}
				return true
			})
		case v.Exists() && v.Type != gjson.Null && v.Type != gjson.String:
			info.addFinding(CodeChatTemplate, name, "chat_template is "+v.Raw+", and neither a text nor a list of named ones", "")
		}
	}
	if r != nil && len(r.gguf) > 0 {
		for key := range r.gguf[0].Keys() {
			rest, ok := strings.CutPrefix(key, "tokenizer.chat_template")
			if !ok {
				continue
			}
			if rest == "" {
				add(r.gguf[0].Path, defaultTemplate)
			} else if rest[0] == '.' {
				add(r.gguf[0].Path, rest[1:])
			}
		}
	}
	if len(t.Names) == 0 {
		return nil
	}
	return t
}

// hasContent tells whether a file stands at the top and holds what it should.
func (c *checkpoint) hasContent(name string, files []fileInfo) bool {
	if !c.has(name) {
		return false
	}
	i := slices.IndexFunc(files, func(f fileInfo) bool { return f.name == name })
	return i >= 0 && files[i].problem == nil
}
