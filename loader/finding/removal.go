package finding

import "omniloader/loader/answer"

// removalCodes are the codes whose way out is to remove files of the weights.
var removalCodes = map[string]bool{ShardNotInIndex: true, TensorInTwoShards: true, WeightsDuplicate: true, WeightsSingleAndIndex: true}

// WithholdRemovals changes the hints that advise to remove weight files, for a checkpoint
// whose weights in use are not known to be complete: the files may be the only ones with
// a part of the model.
func WithholdRemovals(findings []answer.Finding) {
	for i := range findings {
		if removalCodes[findings[i].Code] {
			findings[i].Hint = "Keep all files until the weights in use are complete: these may hold what is missing."
		}
	}
}
