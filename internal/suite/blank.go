package suite

import "bytes"

// sourceWithOnly gives the feature's source without the scenarios and Examples rows that
// are not kept. What goes is blanked line by line, so that every line left has
// the number it had, and reports point at the right place. Feature, rules,
// backgrounds, tags and the headers of kept outlines stay.
//
// An engine that selects for itself could be told what to run; godog selects by
// the header's line sourceWithOnly, and changes the names of features when it does.
func (f *Feature) sourceWithOnly(keep func(*Scenario) bool) []byte {
	drop := make([]bool, len(f.index.lines)+1)
	kept := map[int]bool{} // by the line of the scenario or outline
	for _, s := range f.Scenarios {
		if keep(s) {
			kept[keywordLine(s)] = true
		}
	}
	if len(kept) == 0 {
		return nil
	}
	for _, s := range f.Scenarios {
		switch {
		case !kept[keywordLine(s)]:
			for line := s.firstLine; line <= s.lastLine; line++ {
				drop[line] = true
			}
		case !keep(s):
			drop[s.Line] = true
		}
	}
	var b bytes.Buffer
	b.Grow(len(f.Source))
	for i, line := range f.index.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		if !drop[i+1] {
			b.Write(line)
		}
	}
	return b.Bytes()
}

// keywordLine gives the line of the scenario's keyword, which the rows of an outline
// share.
func keywordLine(s *Scenario) int {
	if s.Outline != 0 {
		return s.Outline
	}
	return s.Line
}
