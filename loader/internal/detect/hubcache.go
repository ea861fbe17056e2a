package detect

import (
	"omniloader/loader/internal/checkpoint"
)

// classifyCache is for a repository's directory in the Hugging Face cache of which it is
// not clear which snapshot to use.
func classifyCache(c *checkpoint.Directory, v *Classification) {
	v.DecidedBy = "no rule: the cache holds no snapshot"
	if len(c.Snapshots) > 0 {
		v.DecidedBy = "no rule: the cache does not say which snapshot is meant"
		v.Candidates = c.Snapshots
	}
}
