package check

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
)

//go:embed pipeline_parts.tsv
var pipelinePartsTSV string

// componentRule is one row of pipeline_parts.tsv.
type componentRule struct {
	class string // suffix of the component's class
	files []string
}

var componentFiles = sync.OnceValue(func() (parts []componentRule) {
	for f := range table.Rows(pipelinePartsTSV) {
		parts = append(parts, componentRule{f[0], strings.FieldsFunc(f[1], func(r rune) bool { return r == ',' })})
	}
	return parts
})

// component is one component of a pipeline in model_index.json.
type component struct{ name, library, class string }

// components lists the components that model_index.json names by library and class. all
// counts those of null as well, which the pipeline was saved without.
func components(c *checkpoint.Directory) (list []component, all int) {
	gjson.ParseBytes(c.Doc.Data).ForEach(func(k, v gjson.Result) bool {
		parts := v.Array()
		if !v.IsArray() || len(parts) != 2 || strings.HasPrefix(k.Str, "_") {
			return true
		}
		all++
		if parts[0].Type == gjson.String && parts[1].Type == gjson.String {
			list = append(list, component{k.Str, parts[0].Str, parts[1].Str})
		}
		return true
	})
	return list, all
}

// The components that model_index.json names are compared with the directories.
var _ = register(Check{
	Name:  "pipeline",
	Codes: []string{finding.ComponentClass, finding.ComponentIncomplete, finding.ComponentMissing, finding.ConfigUnreadable, finding.PipelineEmpty},
	Run: func(f *Facts) []answer.Finding {
		if f.Checkpoint.Doc.File != config.ModelIndexJSON {
			return nil
		}
		return checkPipeline(f.Checkpoint, f.Files)
	},
})

// checkPipeline compares model_index.json with the directories of the components.
func checkPipeline(c *checkpoint.Directory, files []tree.File) (findings []answer.Finding) {
	list, all := components(c)
	if all == 0 {
		return []answer.Finding{finding.New(finding.PipelineEmpty, config.ModelIndexJSON, "it names no component", "")}
	}
	namesIn := map[string][]string{} // base names of the files by directory
	for i := range files {
		dir, base := path.Split(files[i].Name)
		namesIn[strings.TrimSuffix(dir, "/")] = append(namesIn[strings.TrimSuffix(dir, "/")], base)
	}
	for _, part := range list {
		if !c.HasDir(part.name) {
			findings = append(findings, finding.New(finding.ComponentMissing, part.name, "model_index.json names "+part.class+" in this directory, which is not here", c.DownloadHint(part.name)))
			continue
		}
		findings = append(findings, checkComponent(c, part, namesIn[part.name])...)
	}
	return findings
}

// checkComponent checks the directory of a component, whose files are names.
func checkComponent(c *checkpoint.Directory, part component, names []string) []answer.Finding {
	for _, p := range componentFiles() {
		if !strings.HasSuffix(part.class, p.class) {
			continue
		}
		if len(p.files) == 0 || slices.ContainsFunc(p.files, func(name string) bool { return slices.Contains(names, name) }) {
			return nil
		}
		what := p.files[0] + " is not here"
		if len(p.files) > 1 {
			what = "none of " + strings.Join(p.files, ", ") + " is here"
		}
		return []answer.Finding{finding.New(finding.ComponentIncomplete, part.name, "the component is a "+part.class+", and "+what, c.DownloadHint(part.name))}
	}
	hasConfig := slices.Contains(names, config.ConfigJSON)
	if len(names) == 0 {
		return []answer.Finding{finding.New(finding.ComponentMissing, part.name, "the directory of "+part.class+" holds no file", c.DownloadHint(part.name))}
	}
	switch hasWeights := slices.ContainsFunc(names, format.IsWeights); {
	case hasConfig && !hasWeights:
		return []answer.Finding{finding.New(finding.ComponentMissing, part.name, "the component "+part.class+" has its config and no weights", c.DownloadHint(part.name))}
	case !hasConfig && slices.ContainsFunc(names, format.NeedsConfig):
		return []answer.Finding{finding.New(finding.ComponentIncomplete, part.name+"/"+config.ConfigJSON, "the weights of "+part.class+" are here without it", c.DownloadHint(part.name+"/"+config.ConfigJSON))}
	case !hasConfig || part.library != "diffusers":
		return nil // many classes of transformers can load the same weights
	}
	object, err := config.ReadJSON(c.FS, tree.Join(c.Dir, part.name), config.ConfigJSON)
	if err != nil {
		return []answer.Finding{finding.FromError(finding.ConfigUnreadable, part.name+"/"+config.ConfigJSON, err)}
	}
	own := object.Get("_class_name").String()
	if own == "" || own == part.class || strings.HasPrefix(part.class, "Auto") && strings.HasSuffix(part.class, "Model") || part.class == "Flax"+own || own == "Flax"+part.class {
		return nil
	}
	return []answer.Finding{finding.New(finding.ComponentClass, part.name+"/"+config.ConfigJSON, "it is the config of "+own+", and model_index.json names "+part.class, "")}
}
