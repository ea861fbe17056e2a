package detect

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/repo"
)

// AddAdapterBase fills in the model that an adapter changes. Three things are told
// apart: a repository or a directory that is there; a path of the machine that
// the adapter was trained on; and nothing at all. A card that names it is a hint.
func AddAdapterBase(c *checkpoint.Directory, info *answer.Info, card *answer.CardInfo) {
	base := c.Doc.Text(config.KeyBaseModelPath)
	switch {
	case base == "":
		what, hint := "is missing", ""
		if card != nil && len(card.BaseModels) > 0 {
			hint = "the card names " + card.BaseModels[0] + ": set base_model_name_or_path to it"
		}
		if c.Doc.Contains(config.KeyBaseModelPath) {
			what = "is " + string(c.Doc.Raw(config.KeyBaseModelPath))
		}
		info.Findings = append(info.Findings, finding.New(finding.AdapterBaseMissing, config.AdapterConfigJSON, "base_model_name_or_path "+what+": nothing names the base model", hint))
		return
	case BasePathMissing(c):
		info.Findings = append(info.Findings, finding.New(finding.AdapterBasePath, config.AdapterConfigJSON, "base_model_name_or_path is the path "+base+", which is not here", ""))
	}
	info.BaseModel = &base
}

// BasePathMissing tells whether an adapter names its base model by a path that leads
// nowhere.
func BasePathMissing(c *checkpoint.Directory) bool {
	base := c.Doc.Text(config.KeyBaseModelPath)
	return repo.IsPath(base) && !c.IsDirectory(base)
}
