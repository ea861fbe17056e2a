package suite

import "bytes"

// sourceWithOnly returns the feature's source in which the lines of scenarios and
// Examples rows that are not kept are blank. All other lines keep their numbers, so that
// reports point at the right place. It returns nil if no scenario is kept.
//
// This is how a selection is run: godog itself can select a scenario only by the line of
// its keyword, and changes the names of features when it does.
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

// keywordLine returns the line of the scenario's keyword, which is the same for all rows
// of an outline.
func keywordLine(s *Scenario) int {
	if s.Outline != 0 {
		return s.Outline
	}
	return s.Line
}
