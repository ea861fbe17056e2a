package loader

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
)

//go:embed pipeline_kinds.tsv
var pipelineKindsTSV string

//go:embed pipeline_parts.tsv
var pipelinePartsTSV string

type pipelineKindRule struct{ pattern, kind string }

var pipelineKinds = sync.OnceValue(func() (rules []pipelineKindRule) {
	for f := range tableRows(pipelineKindsTSV) {
		rules = append(rules, pipelineKindRule{f[0], f[1]})
	}
	return rules
})

type pipelinePart struct {
	class string // how its class ends
	files []string
}

var pipelineParts = sync.OnceValue(func() (parts []pipelinePart) {
	for f := range tableRows(pipelinePartsTSV) {
		parts = append(parts, pipelinePart{f[0], strings.FieldsFunc(f[1], func(r rune) bool { return r == ',' })})
	}
	return parts
})

// pipelineKind says what a diffusion pipeline makes of what, in the words of the
// hub's pipeline tags; "" where the class does not tell, and for what is no
// pipeline.
func pipelineKind(class string) string {
	if !strings.Contains(class, "Pipeline") {
		return ""
	}
	for _, rule := range pipelineKinds() {
		if fitsStars(rule.pattern, class) {
			return rule.kind
		}
	}
	return ""
}

// fitsStars tells whether a name fits a pattern whose stars stand for anything: one
// at its beginning, one at its end, and at most one between.
func fitsStars(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, first)
	for ok && rest != "" {
		var part string
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return ok
}

// component is one part of a pipeline, as model_index.json has it.
type component struct{ name, library, class string }

// components lists the parts that model_index.json names: each is a list of a
// library and a class. Those of null were left out on purpose, and only counted.
func (c *checkpoint) components() (list []component, all int) {
	gjson.ParseBytes(c.doc.data).ForEach(func(k, v gjson.Result) bool {
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

// checkPipeline compares model_index.json with the directories.
func (c *checkpoint) checkPipeline(files []fileInfo) (findings []Finding) {
	list, all := c.components()
	if all == 0 {
		return []Finding{finding(CodePipelineEmpty, fileModelIndex, "it names no component", "")}
	}
	within := map[string][]string{} // names of the files right in each directory
	for i := range files {
		dir, base := path.Split(files[i].name)
		within[strings.TrimSuffix(dir, "/")] = append(within[strings.TrimSuffix(dir, "/")], base)
	}
	for _, part := range list {
		if !c.hasDir(part.name) {
			findings = append(findings, finding(CodeComponentMissing, part.name, "model_index.json names "+part.class+" in this directory, which is not here", c.howToGet(part.name)))
			continue
		}
		findings = append(findings, c.checkComponent(part, within[part.name])...)
	}
	return findings
}

// checkComponent looks at the files of one component's directory.
func (c *checkpoint) checkComponent(part component, names []string) []Finding {
	for _, p := range pipelineParts() {
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
		return []Finding{finding(CodeComponentIncomplete, part.name, "the component is a "+part.class+", and "+what, c.howToGet(part.name))}
	}
	hasConfig := slices.Contains(names, fileConfig)
	if len(names) == 0 {
		return []Finding{finding(CodeComponentMissing, part.name, "the directory of "+part.class+" holds no file", c.howToGet(part.name))}
	}
	switch hasWeights := slices.ContainsFunc(names, isWeightFile); {
	case hasConfig && !hasWeights:
		return []Finding{finding(CodeComponentMissing, part.name, "the component "+part.class+" has its object and no weights", c.howToGet(part.name))}
	case !hasConfig && slices.ContainsFunc(names, needsConfig):
		return []Finding{finding(CodeComponentIncomplete, part.name+"/"+fileConfig, "the weights of "+part.class+" are here without it", c.howToGet(part.name+"/"+fileConfig))}
	case !hasConfig || part.library != "diffusers":
		return nil // classes of transformers load each other's weights
	}
	object, err := readObject(c.fsys, join(c.dir, part.name), fileConfig)
	if err != nil {
		return []Finding{finding(CodeConfigUnreadable, part.name+"/"+fileConfig, withoutPath(err), hintOf(err))}
	}
	own := object.Get("_class_name").String()
	if own == "" || own == part.class || strings.HasPrefix(part.class, "Auto") && strings.HasSuffix(part.class, "Model") || part.class == "Flax"+own || own == "Flax"+part.class {
		return nil
	}
	return []Finding{finding(CodeComponentClass, part.name+"/"+fileConfig, "it is the object of "+own+", and model_index.json names "+part.class, "")}
}

// needsConfig tells whether a file holds weights that say nothing of their model.
func needsConfig(name string) bool {
	return isWeightFile(name) && (strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin"))
}
