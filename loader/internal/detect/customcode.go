package detect

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
)

// CustomCode lists the Python files that loading the checkpoint would run, sorted: those
// beside the config, and those that auto_map names, "repo--file.py" for a file of
// another repository.
func CustomCode(c *checkpoint.Directory) (files []string) {
	for _, name := range c.Names {
		if strings.HasSuffix(name, ".py") && isCodeFile(name) {
			files = append(files, name)
		}
	}
	if file := pipelineCodeFile(c); file != "" && !slices.Contains(files, file) {
		files = append(files, file)
	}
	for _, target := range configAutoMapFiles(c) {
		if !slices.Contains(files, target) {
			files = append(files, target)
		}
	}
	if len(files) > 1 {
		slices.Sort(files)
	}
	return files
}

// pipelineCodeFile gives the file of a pipeline with its own code, "" where it has none.
// Its _class_name is a list of module and class. Source: diffusers,
// src/diffusers/pipelines/pipeline_utils.py.
func pipelineCodeFile(c *checkpoint.Directory) string {
	raw := c.Doc.Raw(config.KeyClassName)
	if len(raw) == 0 || raw[0] != '[' {
		return ""
	}
	if parts := gjson.ParseBytes(raw).Array(); len(parts) == 2 && parts[0].Type == gjson.String && parts[0].Str != "" {
		return parts[0].Str + ".py"
	}
	return ""
}

// isCodeFile tells whether a Python file has a name that transformers gives to code of a
// model.
func isCodeFile(name string) bool {
	for _, prefix := range [...]string{"modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "feature_extraction_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// hasModelingCode tells whether the directory has the Python code of a model.
func hasModelingCode(c *checkpoint.Directory) bool {
	c.Complete()
	return slices.ContainsFunc(c.Names, func(name string) bool {
		return strings.HasPrefix(name, "modeling_") && strings.HasSuffix(name, ".py")
	})
}

// configAutoMapFiles is AutoMapFiles for the auto_map of the main file.
func configAutoMapFiles(c *checkpoint.Directory) (files []string) {
	if !c.Doc.ContainsAny(config.KeyAutoMap) {
		return nil
	}
	return AutoMapFiles(c.Doc.Object(config.KeyAutoMap))
}

// AutoMapFiles lists the Python files that an auto_map names. Its values are
// "module.Class", "repo--module.Class", or lists of these and nulls. Source:
// transformers, dynamic_module_utils.py.
func AutoMapFiles(autoMap gjson.Result) (files []string) {
	add := func(v gjson.Result) {
		if v.Type != gjson.String {
			return
		}
		module := v.Str[:max(strings.LastIndexByte(v.Str, '.'), 0)]
		if module == "" {
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

// CustomCodeFindings reports files of the auto_map of the main file that are not in the
// directory.
func CustomCodeFindings(c *checkpoint.Directory) []answer.Finding {
	return AutoMapFindings(c, c.Doc.File, configAutoMapFiles(c))
}

// AutoMapFindings reports those of files, which the auto_map of config names, that are
// not in the directory.
func AutoMapFindings(c *checkpoint.Directory, config string, files []string) (findings []answer.Finding) {
	for _, file := range files {
		repo, name, elsewhere := strings.Cut(file, "--")
		switch {
		case elsewhere:
			findings = append(findings, finding.New(finding.CustomCodeElsewhere, config,
				"auto_map names "+name+" in another repository, "+repo, "download "+name+" from "+repo+" to load it offline"))
		case !c.Has(file):
			findings = append(findings, finding.New(finding.CustomCodeMissing, file,
				"auto_map of "+config+" names it, and it is not there", ""))
		}
	}
	return findings
}

// autoMapTask gives the row of auto_classes.tsv for the keys of auto_map; ok is false
// where there is none, or keys have rows of different categories.
func autoMapTask(c *checkpoint.Directory) (auto registry.AutoClass, ok bool) {
	agree := true
	c.Doc.Object(config.KeyAutoMap).ForEach(func(k, _ gjson.Result) bool {
		class, known := registry.AutoClasses()[k.Str]
		switch {
		case !known:
		case auto.Name == "":
			auto = class
		default:
			agree = agree && class.Category == auto.Category
		}
		return true
	})
	return auto, auto.Name != "" && agree
}
