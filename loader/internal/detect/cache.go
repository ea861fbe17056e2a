package detect

import (
	"omniloader/loader/internal/checkpoint"
)

// classifyCache says what is known of a repository's directory in the cache whose
// snapshot is not clear.
func classifyCache(c *checkpoint.Directory, v *Classification) {
	v.DecidedBy = "no rule: the cache holds no snapshot"
	if len(c.Snapshots) > 0 {
		v.DecidedBy = "no rule: the cache does not say which snapshot is meant"
		v.Candidates = c.Snapshots
	}
}
