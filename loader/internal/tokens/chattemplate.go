package tokens

import (
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
	"omniloader/loader/tokenizer"
)

// ChatTemplate says where the template is, nil where there is none, and which files
// of templates cannot be used. What the tokenizer's description has read already is not
// read again.
func ChatTemplate(c *checkpoint.Directory, described *Description, files []tree.File, r *weights.Headers) (*answer.ChatTemplate, []answer.Finding) {
	t := &answer.ChatTemplate{Names: []string{}}
	add := func(source, name string) {
		if name == defaultTemplate && t.Source == "" {
			t.Source = source
		}
		if !slices.Contains(t.Names, name) {
			t.Names = append(t.Names, name)
		}
	}
	var findings []answer.Finding
	var templates []tokenizer.ChatTemplate
	var errs []error
	if described != nil && described.outline != nil && described.Path == c.Dir {
		templates, errs = described.outline.Templates, described.outline.Faulty
	} else {
		templates, errs = tokenizer.ChatTemplates(c.FS, c.Dir, c.Names)
	}
	for _, template := range templates {
		add(template.Source, template.Name)
	}
	for _, err := range errs {
		err = tree.TrimErrorDir(err, c.Dir)
		if file := fault.PathOf(err); !tree.HasProblem(files, file) {
			findings = append(findings, finding.FromError(finding.ChatTemplateUnreadable, file, err))
		}
	}
	if r != nil && len(r.GGUF) > 0 {
		for key := range r.GGUF[0].Keys() {
			rest, ok := strings.CutPrefix(key, "tokenizer.chat_template")
			if !ok {
				continue
			}
			if rest == "" {
				add(r.GGUF[0].Path, defaultTemplate)
			} else if rest[0] == '.' {
				add(r.GGUF[0].Path, rest[1:])
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
