package checkpoint

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
)

// FileCard is the model card. Its front matter is YAML between two lines "---",
// as the Hugging Face Hub reads it.
const FileCard = "README.md"

// maxCard bounds what is read of a card for its front matter, in bytes.
const maxCard = 64 << 10

// Card reads the front matter, nil where there is none. Only scalars and lists of
// them are taken; aliases are not followed, so that a small text cannot grow.
func (c *Checkpoint) Card() (*answer.CardInfo, []answer.Finding) {
	if !c.Has(FileCard) {
		return nil, nil
	}
	data, err := tree.ReadHead(c.FS, c.Dir, FileCard, maxCard)
	if err != nil {
		return nil, nil // a directory of that name, say
	}
	matter, ok := frontMatter(data)
	if !ok {
		return nil, nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(matter, &root); err != nil {
		return nil, []answer.Finding{finding.New(finding.CardUnreadable, FileCard, "the front matter is no YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "")}
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	keys := map[string][]string{}
	members := root.Content[0].Content
	for i := 0; i+1 < len(members); i += 2 {
		keys[members[i].Value] = scalars(members[i+1])
	}
	first := func(key string) string {
		if values := keys[key]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	info := &answer.CardInfo{
		License: strings.ToLower(first("license")), LicenseName: first("license_name"), LicenseLink: first("license_link"),
		BaseModels: keys["base_model"], BaseModelRelated: first("base_model_relation"),
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

// frontMatter is the text between the first line, "---", and the next such line.
func frontMatter(data []byte) ([]byte, bool) {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	first, rest, found := bytes.Cut(data, []byte("\n"))
	if !found || string(bytes.TrimRight(first, "\r ")) != "---" {
		return nil, false
	}
	at := 0
	for line := range bytes.Lines(rest) {
		if string(bytes.TrimRight(line, "\r\n ")) == "---" {
			return rest[:at], true
		}
		at += len(line)
	}
	return nil, false
}

// scalars are the texts of a scalar or of a list of them.
func scalars(n *yaml.Node) (values []string) {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, n := range nodes {
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && n.Value != "" {
			values = append(values, n.Value)
		}
	}
	return values
}

// AddCard fills in what the card says. Its base model counts where no file of
// the checkpoint names one.
func (c *Checkpoint) AddCard(info *answer.Info) {
	card, findings := c.Card()
	info.Card = card
	info.Findings = append(info.Findings, findings...)
	if card == nil || info.BaseModel != nil || len(card.BaseModels) == 0 {
		return
	}
	base := card.BaseModels[0]
	info.BaseModel = &base
	// The hint of an adapter that names no base model can now be exact.
	if i := slices.IndexFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.AdapterBaseMissing }); i >= 0 {
		info.Findings[i].Hint = "the card names " + base + ": set base_model_name_or_path to it"
	}
}
