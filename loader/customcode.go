package loader

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
)

// customCode lists the Python files that loading the checkpoint would run: those
// beside the config, and those that auto_map names, "repo--file.py" where they
// live in another repository. Nothing of it is ever run here.
func (c *checkpoint) customCode() (files []string) {
	for _, name := range c.names {
		if strings.HasSuffix(name, ".py") && isCodeFile(name) {
			files = append(files, name)
		}
	}
	if file := c.pipelineCode(); file != "" && !slices.Contains(files, file) {
		files = append(files, file)
	}
	for _, target := range c.autoMapFiles() {
		if !slices.Contains(files, target) {
			files = append(files, target)
		}
	}
	if len(files) > 1 {
		slices.Sort(files)
	}
	return files
}

// pipelineCode names the file of a pipeline that brings its own class, "" where
// it brings none: its _class_name is then a list of module and class. Source:
// diffusers, src/diffusers/pipelines/pipeline_utils.py.
func (c *checkpoint) pipelineCode() string {
	raw := c.doc.value(keyClassName)
	if len(raw) == 0 || raw[0] != '[' {
		return ""
	}
	if parts := gjson.ParseBytes(raw).Array(); len(parts) == 2 && parts[0].Type == gjson.String && parts[0].Str != "" {
		return parts[0].Str + ".py"
	}
	return ""
}

func isCodeFile(name string) bool {
	for _, prefix := range [...]string{"modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "feature_extraction_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// hasModelingCode tells whether the directory brings the code of its model.
func (c *checkpoint) hasModelingCode() bool {
	return slices.ContainsFunc(c.names, func(name string) bool {
		return strings.HasPrefix(name, "modeling_") && strings.HasSuffix(name, ".py")
	})
}

// autoMapFiles lists the files that auto_map names.
func (c *checkpoint) autoMapFiles() (files []string) {
	if !c.doc.any(keyAutoMap) {
		return nil
	}
	return codeFiles(c.doc.object(keyAutoMap))
}

// codeFiles lists the files that an auto_map names. Its values are
// "module.Class", "repo--module.Class", or lists of them with nulls between.
func codeFiles(autoMap gjson.Result) (files []string) {
	add := func(v gjson.Result) {
		if v.Type != gjson.String {
			return
		}
		module, _, ok := cutLast(v.Str, ".")
		if !ok || module == "" {
			return
		}
		if file := module + ".py"; !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	autoMap.ForEach(func(_, v gjson.Result) bool {
		if v.IsArray() {
			v.ForEach(func(_, v gjson.Result) bool { add(v); return true })
		} else {
			add(v)
		}
		return true
	})
	return files
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// customCodeFindings report auto_map's targets that are not in the directory.
func (c *checkpoint) customCodeFindings() []Finding {
	return c.codeFindings(c.doc.file, c.autoMapFiles())
}

// codeFindings report those of the files that a config's auto_map names which
// are not in the directory.
func (c *checkpoint) codeFindings(config string, files []string) (findings []Finding) {
	for _, file := range files {
		repo, name, elsewhere := strings.Cut(file, "--")
		switch {
		case elsewhere:
			findings = append(findings, finding(CodeCustomCodeElsewhere, config,
				"auto_map names "+name+" in another repository, "+repo, "download "+name+" from "+repo+" to load it offline"))
		case !c.has(file):
			findings = append(findings, finding(CodeCustomCodeMissing, file,
				"auto_map of "+config+" names it, and it is not there", ""))
		}
	}
	return findings
}

//go:embed auto_classes.tsv
var autoClassesTSV string

// autoClass is one line of auto_classes.tsv.
type autoClass struct {
	name     string
	category Category
	task     Task
	asked    string // "first" or "last"
}

// autoClasses says which task a key of auto_map names.
var autoClasses = sync.OnceValue(func() map[string]autoClass {
	m := map[string]autoClass{}
	for f := range tableRows(autoClassesTSV) {
		m[f[0]] = autoClass{f[0], Category(f[1]), Task(f[2]), f[3]}
	}
	return m
})

// autoMapClass gives the class that auto_map names for the model, and under which
// key: one that names a task before AutoModel, which names none.
func (c *checkpoint) autoMapClass() (key, class string) {
	c.doc.object(keyAutoMap).ForEach(func(k, v gjson.Result) bool {
		if v.IsArray() {
			v = v.Get("0")
		}
		_, task := autoClasses()[k.Str]
		if _, name, ok := cutLast(v.Str, "."); ok && len(name) <= maxName && (task || k.Str == "AutoModel" && class == "") {
			key, class = k.Str, name
		}
		return class == "" || !task
	})
	return key, class
}

// fromAutoMap gives the task that auto_map's keys name, where they do and agree on
// the category.
func (c *checkpoint) fromAutoMap() (auto autoClass, ok bool) {
	agree := true
	c.doc.object(keyAutoMap).ForEach(func(k, _ gjson.Result) bool {
		class, known := autoClasses()[k.Str]
		switch {
		case !known:
		case auto.name == "":
			auto = class
		default:
			agree = agree && class.category == auto.category
		}
		return true
	})
	return auto, auto.name != "" && agree
}
