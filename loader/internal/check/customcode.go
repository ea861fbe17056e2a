package check

import (
	"path"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"

	"github.com/tidwall/gjson"
)

// Python files that the configs of tokenizer and processors name, and that are missing.
var _ = register(Check{
	Name:  "custom-code",
	Codes: []string{finding.CustomCodeElsewhere, finding.CustomCodeMissing},
	Run:   func(f *Facts) []answer.Finding { return checkProcessorCode(f.Checkpoint, f.Files) },
})

// codeConfigs are the configs beside config.json that can have an auto_map.
var codeConfigs = [...]string{tokens.TokenizerConfigJSON, "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"}

// checkProcessorCode reports Python files that these configs and model_file of
// config.json name, and that are missing.
func checkProcessorCode(c *checkpoint.Directory, files []tree.File) (findings []answer.Finding) {
	for _, name := range codeConfigs {
		if !c.HasContent(name, files) {
			continue
		}
		object, err := config.ReadJSON(c.FS, c.Dir, name)
		if err != nil {
			continue // reported by other checks
		}
		findings = append(findings, detect.AutoMapFindings(c, name, detect.AutoMapFiles(object.Get("auto_map")))...)
	}
	if file := c.Members().Get("model_file"); c.Doc.File == config.ConfigJSON && file.Type == gjson.String && file.Str != "" && !tree.HasFile(files, path.Clean(file.Str)) {
		findings = append(findings, finding.New(finding.CustomCodeMissing, file.Str, "model_file of config.json names it, and it is not there", ""))
	}
	return findings
}
