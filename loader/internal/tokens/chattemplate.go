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

// ChatTemplate gives the chat templates of a checkpoint, nil where there are none, and
// reports files that should contain one and cannot be used. described is the description
// of its tokenizer, nil where it has none; h is nil where there are no weights.
func ChatTemplate(c *checkpoint.Directory, described *Description, files []tree.File, h *weights.Headers) (*answer.ChatTemplate, []answer.Finding) {
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
	if h != nil && len(h.GGUF) > 0 {
		for key := range h.GGUF[0].Keys() {
			rest, ok := strings.CutPrefix(key, "tokenizer.chat_template")
			if !ok {
				continue
			}
			if rest == "" {
				add(h.GGUF[0].Path, defaultTemplate)
			} else if rest[0] == '.' {
				add(h.GGUF[0].Path, rest[1:])
			}
		}
	}
	if len(t.Names) == 0 {
		return nil, findings
	}
	return t, findings
}

// defaultTemplate is the name of the template that is used where no name is given.
const defaultTemplate = "default"
