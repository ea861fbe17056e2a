package check

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
)

// An adapter is not usable without its base model.
var _ = register(Check{
	Name:  "adapter-base",
	Codes: []string{finding.AdapterNeedsBase},
	Run: func(f *Facts) []answer.Finding {
		c, base := f.Checkpoint, f.Info.BaseModel
		if c.Doc.File != config.AdapterConfigJSON || f.Info.SAE != nil || base == nil || c.Doc.Text(config.KeyBaseModelPath) == "" || detect.BasePathMissing(c) {
			return nil
		}
		return single(finding.AdapterNeedsBase, config.AdapterConfigJSON, "it changes "+*base+", and is nothing without it", "")
	},
})
