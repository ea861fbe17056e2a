package detect

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/repo"
	"strings"

	"github.com/tidwall/gjson"
)

// AddAdapterBase sets the base model of an adapter in info, and reports one that is not
// named, or is a path that does not exist. A base model that only the card names is
// given as a hint.
func AddAdapterBase(c *checkpoint.Directory, info *answer.Info, card *answer.CardInfo) {
	info.Adapter = describeAdapter(c)
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

// BasePathMissing tells whether an adapter names its base model by a path that does not
// exist.
func BasePathMissing(c *checkpoint.Directory) bool {
	base := c.Doc.Text(config.KeyBaseModelPath)
	return repo.IsPath(base) && !c.IsDirectory(base)
}

// adapterBaseConfig opens the copy of the base model's config.json beside an adapter's
// config, nil where there is none that can be read.
func adapterBaseConfig(c *checkpoint.Directory) *checkpoint.Directory {
	if !c.Markers.Has(checkpoint.MarkerConfig) {
		return nil
	}
	base := &checkpoint.Directory{CustomRegistry: c.CustomRegistry, FS: c.FS, Dir: c.Dir, Names: c.Names, Entries: c.Entries, Markers: checkpoint.MarkerConfig}
	if base.ReadMainFile() != nil || len(base.Classes) == 0 {
		return nil
	}
	return base
}

// maxTargets is how many target modules of an adapter are listed.
const maxTargets = 100

// describeAdapter reads adapter_config.json. Source: peft/config.py and the configs in
// peft/tuners.
func describeAdapter(c *checkpoint.Directory) *answer.AdapterInfo {
	m := c.Members()
	a := &answer.AdapterInfo{Kind: answer.OrUnknown(strings.ToLower(m.Get("peft_type").Str)), Targets: []string{}}
	if r := m.Get("r"); r.Type == gjson.Number && r.Int() > 0 {
		a.Rank = new(r.Int())
	}
	for _, key := range [...]string{"lora_alpha", "alpha"} {
		if v := m.Get(key); a.Alpha == nil && v.Type == gjson.Number {
			a.Alpha = new(v.Num)
		}
	}
	switch t := m.Get("target_modules"); {
	case t.Type == gjson.String:
		a.Targets = append(a.Targets, t.Str)
	case t.IsArray():
		for _, v := range t.Array() {
			if v.Type == gjson.String && len(a.Targets) < maxTargets {
				a.Targets = append(a.Targets, v.Str)
			}
		}
	}
	return a
}
