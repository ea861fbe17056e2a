package checkpoint

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
)

// CardFile is the model card. It begins with YAML between two lines "---", the front
// matter. Source: huggingface_hub, docs/hub/model-cards.
const CardFile = "README.md"

// maxCardRead is how many bytes of a card are read.
const maxCardRead = 64 << 10

// Card reads the front matter of the model card, nil where there is none. Scalars and
// lists of scalars are read.
func (c *Directory) Card() (*answer.CardInfo, []answer.Finding) {
	if !c.Has(CardFile) {
		return nil, nil
	}
	data, err := tree.ReadHead(c.FS, c.Dir, CardFile, maxCardRead)
	if err != nil {
		return nil, nil // a directory of that name, say
	}
	matter, ok := frontMatter(data)
	if !ok {
		return nil, nil
	}
	members, err := config.ParseYAML(CardFile, matter)
	switch {
	case fault.KindOf(err) == fault.WrongType:
		return nil, nil
	case err != nil:
		var e *fault.Error
		errors.As(err, &e)
		return nil, []answer.Finding{finding.New(finding.CardUnreadable, CardFile, "the front matter is no YAML: "+e.Detail, "")}
	}
	keys := map[string][]string{}
	for _, m := range members {
		keys[m.Key] = slices.DeleteFunc(m.Values, func(v string) bool { return v == "" })
	}
	first := func(key string) string {
		if values := keys[key]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	info := &answer.CardInfo{
		License: strings.ToLower(first("license")), LicenseName: first("license_name"), LicenseLink: first("license_link"),
		BaseModels: keys["base_model"], BaseModelRelation: first("base_model_relation"),
		PipelineTag: first("pipeline_tag"), LibraryName: first("library_name"), Languages: keys["language"],
	}
	if info.BaseModels == nil {
		info.BaseModels = []string{}
	}
	if info.Languages == nil {
		info.Languages = []string{}
	}
	return info, nil
}

// frontMatter gives the text between a first line "---" and the next such line; ok is
// false where there is none.
func frontMatter(data []byte) ([]byte, bool) {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	first, rest, found := bytes.Cut(data, []byte("\n"))
	if !found || string(bytes.TrimRight(first, "\r ")) != "---" {
		return nil, false
	}
	offset := 0
	for line := range bytes.Lines(rest) {
		if string(bytes.TrimRight(line, "\r\n ")) == "---" {
			return rest[:offset], true
		}
		offset += len(line)
	}
	return nil, false
}
