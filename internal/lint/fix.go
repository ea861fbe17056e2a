package lint

import (
	"bytes"
	"strings"
)

// Apply changes lines of a source, which may begin with a byte order mark, and returns what
// was changed. The ends of lines stay. A line that is not as the fix has it, or that was
// changed before, stays as it is; one of which nothing is left is removed.
func Apply(source []byte, fixes []Fix) (fixed []byte, made []Fix) {
	mark := []byte("\ufeff")
	body, hasMark := bytes.CutPrefix(source, mark)
	lines := bytes.SplitAfter(body, []byte("\n"))
	changed := map[int]bool{}
	for _, f := range fixes {
		if f.Line < 1 || f.Line > len(lines) || changed[f.Line] {
			continue
		}
		text := strings.TrimRight(string(lines[f.Line-1]), "\r\n")
		if text != f.Old || f.New == f.Old {
			continue
		}
		end := string(lines[f.Line-1])[len(text):]
		changed[f.Line] = true
		made = append(made, f)
		if strings.TrimSpace(f.New) == "" {
			lines[f.Line-1] = nil
		} else {
			lines[f.Line-1] = []byte(f.New + end)
		}
	}
	if hasMark {
		lines = append([][]byte{mark}, lines...)
	}
	return bytes.Join(lines, nil), made
}
