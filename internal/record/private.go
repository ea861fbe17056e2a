package record

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// private covers what a file of a checkpoint tells of the machine and the people
// it comes from: names of users in paths, the paths of this machine, and access
// tokens. Every byte is covered by one byte, so that sizes and offsets stay true,
// and JSON stays JSON.
type private struct {
	paths    [][]byte // of this machine
	patterns []*regexp.Regexp
}

// cover puts this in the place of each byte.
const coverByte = 'x'

// privatePatterns have one group each: what is covered.
var privatePatterns = []*regexp.Regexp{
	regexp.MustCompile(`/(?:home|Users)/([^/"'\\\s\x00:<>|,;)]{1,64})`),
	regexp.MustCompile(`[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)([^/"'\\\x00:<>|]{1,64})`),
	regexp.MustCompile(`\bhf_([A-Za-z0-9]{20,})`),
}

func newPrivate(s *source) *private {
	p := &private{patterns: privatePatterns}
	add := func(dir string) {
		dir = filepath.ToSlash(dir)
		if strings.Count(strings.Trim(dir, "/"), "/") > 0 { // "/tmp" and "/models" tell nothing
			p.paths = append(p.paths, []byte(dir))
		}
	}
	add(filepath.Dir(s.path))
	if full, err := filepath.Abs(s.given); err == nil {
		add(filepath.Dir(full))
	}
	if dir, err := os.UserHomeDir(); err == nil {
		add(dir)
	}
	return p
}

// cover gives content with what is private covered, and how often that was so.
// The content itself is not changed.
func (p *private) cover(content []byte) (covered []byte, times int) {
	covered = content
	own := func() {
		if times++; times == 1 {
			covered = bytes.Clone(content)
		}
	}
	for _, path := range p.paths {
		for at := 0; ; {
			i := bytes.Index(covered[at:], path)
			if i < 0 {
				break
			}
			own()
			for j := at + i; j < at+i+len(path); j++ {
				if covered[j] != '/' {
					covered[j] = coverByte
				}
			}
			at += i + len(path)
		}
	}
	for _, pattern := range p.patterns {
		for _, m := range pattern.FindAllSubmatchIndex(covered, -1) {
			if len(bytes.Trim(covered[m[2]:m[3]], string(coverByte))) == 0 {
				continue
			}
			own()
			for j := m[2]; j < m[3]; j++ {
				covered[j] = coverByte
			}
		}
	}
	return covered, times
}
