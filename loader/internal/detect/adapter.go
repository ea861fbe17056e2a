package detect

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/repo"
)

// AddAdapter fills in the model that an adapter changes. Three things are told
// apart: a repository or a directory that is there; a path of the machine that
// the adapter was trained on; and nothing at all.
func AddAdapter(c *checkpoint.Checkpoint, info *answer.Info) {
	base := c.Doc.Text(config.KeyBaseModelPath)
	switch {
	case base == "":
		what := "is missing"
		if c.Doc.Values[config.KeyBaseModelPath].End != 0 {
			what = "is " + string(c.Doc.Value(config.KeyBaseModelPath))
		}
		info.Findings = append(info.Findings, finding.New(finding.AdapterBaseMissing, config.FileAdapter, "base_model_name_or_path "+what+": nothing names the base model", ""))
		return
	case repo.IsPath(base) && !c.IsDirectory(base):
		info.Findings = append(info.Findings, finding.New(finding.AdapterBasePath, config.FileAdapter, "base_model_name_or_path is the path "+base+", which is not here", ""))
	}
	info.BaseModel = &base
}
