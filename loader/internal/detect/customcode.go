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

// CustomCode lists the Python files that loading the checkpoint would run: those
// beside the config, and those that auto_map names, "repo--file.py" where they
// live in another repository. Nothing of it is ever run here.
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

// pipelineCodeFile names the file of a pipeline that brings its own class, "" where
// it brings none: its _class_name is then a list of module and class. Source:
// diffusers, src/diffusers/pipelines/pipeline_utils.py.
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

func isCodeFile(name string) bool {
	for _, prefix := range [...]string{"modeling_", "configuration_", "tokenization_", "processing_", "image_processing_", "feature_extraction_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// hasModelingCode tells whether the directory brings the code of its model.
func hasModelingCode(c *checkpoint.Directory) bool {
	return slices.ContainsFunc(c.Names, func(name string) bool {
		return strings.HasPrefix(name, "modeling_") && strings.HasSuffix(name, ".py")
	})
}

// configAutoMapFiles lists the files that auto_map names.
func configAutoMapFiles(c *checkpoint.Directory) (files []string) {
	if !c.Doc.ContainsAny(config.KeyAutoMap) {
		return nil
	}
	return AutoMapFiles(c.Doc.Object(config.KeyAutoMap))
}

// AutoMapFiles lists the files that an auto_map names. Its values are
// "module.Class", "repo--module.Class", or lists of them with nulls between.
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

// CustomCodeFindings report auto_map's targets that are not in the directory.
func CustomCodeFindings(c *checkpoint.Directory) []answer.Finding {
	return AutoMapFindings(c, c.Doc.File, configAutoMapFiles(c))
}

// AutoMapFindings report those of the files that a config's auto_map names which
// are not in the directory.
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

// autoMapTask gives the task that auto_map's keys name, where they do and agree on
// the category.
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
