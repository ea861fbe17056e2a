package report

import (
	"fmt"
	"io"
	"strings"

	"omniloader/internal/outcome"
)

// Rerun writes the place of each scenario that failed or could not be judged, one a line:
// the path and the line of its file. A file with problems of its own, such as one that does
// not parse, has its path alone, which stands for all of its scenarios. The command line
// takes such a file as @FILE. Behind them are the scenarios that were not run because the run
// ended before. A run that did nothing leaves remarks, which begin with #: the reasons.
func Rerun(w io.Writer, run *outcome.Run, _ Options) error {
	var b strings.Builder
	add := func(place string) {
		if strings.HasPrefix(place, "#") {
			place = "./" + place // no remark
		}
		b.WriteString(place + "\n")
	}
	for _, f := range run.Features {
		if len(f.Problems) > 0 {
			add(f.URI)
			continue
		}
		for _, s := range f.Scenarios {
			if group := s.Status.Group(); group == outcome.Failed || group == outcome.CouldNotJudge {
				add(fmt.Sprintf("%s:%d", f.URI, s.Line))
			}
		}
	}
	for _, place := range run.NotRun {
		add(place)
	}
	if b.Len() == 0 && len(scenarios(run)) == 0 {
		for _, p := range run.Problems {
			fmt.Fprintf(&b, "# %s\n", oneLine(p.Error()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
