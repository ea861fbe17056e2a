package outcome

import (
	"fmt"
	"strings"
)

// LeftOut counts what a run left out for one reason.
type LeftOut struct {
	Reason string `json:"reason"` // a tag, or words such as "link to a folder"
	Count  int    `json:"count"`
}

// LeftOutText returns "left out: 3 @wip, 1 link to a folder", and "" if nothing was left
// out.
func LeftOutText(list []LeftOut) string {
	var counts []string
	for _, l := range list {
		if l.Count > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", l.Count, l.Reason))
		}
	}
	if len(counts) == 0 {
		return ""
	}
	return "left out: " + strings.Join(counts, ", ")
}
