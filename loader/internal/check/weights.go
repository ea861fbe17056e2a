package check

import (
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// A model without weights.
var _ = register(Check{
	Name:  "weights-present",
	Codes: []string{finding.WeightsMissing},
	Run: func(f *Facts) []answer.Finding {
		switch i := f.Info; {
		case f.Weights != nil, f.ConfigErr != nil, i.Category == answer.Unknown, i.Category == answer.Diffusers, layoutsWithWeightsInside[i.Layout]:
			return nil
		}
		return single(finding.WeightsMissing, "", "no weight files", f.Checkpoint.DownloadHint(""))
	},
})

// layoutsWithWeightsInside are layouts with files in which the weights are not
// recognized.
var layoutsWithWeightsInside = map[string]bool{"core ml": true, "litert": true, "tensorflow saved model": true}
