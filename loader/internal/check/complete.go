package check

import (
	"cmp"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
)

// lackingCodes are the codes of errors that say that a part of the weights is missing,
// where the files themselves are there and whole.
var lackingCodes = []string{finding.LayersMissing, finding.TensorMissing, finding.WeightsEmpty}

// Complete tells whether the weights are complete, nil where nothing was compared, and
// why. findings are those of the whole inspection. There must be weights.
func Complete(f *Facts, findings []answer.Finding) (complete *bool, reason string) {
	isError := func(match func(*answer.Finding) bool) *answer.Finding {
		for i := range findings {
			if f := &findings[i]; f.Severity == answer.SeverityError && match(f) {
				return f
			}
		}
		return nil
	}
	lacking := isError(func(e *answer.Finding) bool {
		return slices.Contains(lackingCodes, e.Code) || e.Code == finding.ComponentMissing && componentHasWeights(f, e.File)
	})
	w := f.Weights
	if w.Incomplete || lacking != nil {
		if lacking == nil {
			lacking = isError(func(e *answer.Finding) bool {
				return slices.Contains(w.Info.Missing, e.File) || slices.Contains(w.Info.Files, e.File) || e.File != "" && e.File == w.Info.Index
			})
		}
		switch {
		case lacking != nil:
			reason = strings.TrimPrefix(lacking.File+": "+lacking.Message, ": ")
		case len(w.Info.Missing) > 0:
			reason = "missing: " + finding.JoinFirst(w.Info.Missing)
		default:
			reason = "a file of the weights cannot be used"
		}
		return new(false), reason
	}
	if len(w.Compared) == 0 {
		row := format.ByName(w.Info.Format)
		return nil, "nothing says what should be there: the headers of " + w.Info.Format + " files are not read (" + cmp.Or(row.UnreadReason, "format not known") + "), and there is no index"
	}
	return new(true), "compared: " + strings.Join(w.Compared, ", ")
}

// componentHasWeights tells whether the component of a pipeline at a directory has
// weights: tokenizers and schedulers have none.
func componentHasWeights(f *Facts, dir string) bool {
	list, _ := components(f.Checkpoint)
	i := slices.IndexFunc(list, func(c component) bool { return c.name == dir })
	return i >= 0 && !slices.ContainsFunc(componentFiles(), func(r componentRule) bool { return strings.HasSuffix(list[i].class, r.class) })
}
