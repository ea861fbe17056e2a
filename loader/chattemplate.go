package loader

import (
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// chatTemplate says where the template is, nil where there is none, and which files
// of templates cannot be used. What the tokenizer's description has read already is not
// read again.
func (c *checkpoint) chatTemplate(described *tokenizerDescription, files []fileInfo, r *weightReader) (*ChatTemplate, []Finding) {
	t := &ChatTemplate{Names: []string{}}
	add := func(source, name string) {
		if name == defaultTemplate && t.Source == "" {
			t.Source = source
		}
		if !slices.Contains(t.Names, name) {
			t.Names = append(t.Names, name)
		}
	}
	var findings []Finding
	var templates []tokenizer.ChatTemplate
	var errs []error
	if described != nil && described.outline != nil && described.Path == c.dir {
		templates, errs = described.outline.Templates, described.outline.Faulty
	} else {
		templates, errs = tokenizer.ChatTemplates(c.fsys, c.dir, c.names)
	}
	for _, template := range templates {
		add(template.Source, template.Name)
	}
	for _, err := range errs {
		err = inDirectory(err, c.dir)
		if file := fault.PathOf(err); !hasProblem(files, file) {
			findings = append(findings, finding(CodeChatTemplateUnreadable, file, withoutPath(err), hintOf(err)))
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
		return nil, findings
	}
	return t, findings
}

// defaultTemplate is the name of the template that is in use where none is asked for.
const defaultTemplate = "default"

// hasContent tells whether a file stands at the top and holds what it should.
func (c *checkpoint) hasContent(name string, files []fileInfo) bool {
	return c.has(name) && hasFile(files, name) && !hasProblem(files, name)
}
