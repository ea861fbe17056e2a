package table

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAPatternMatchesInTheTimeOfTheName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a", "a", true}, {"a", "ab", false},
		{"*b", "ab", true}, {"*b", "ba", false}, {"a*", "ab", true}, {"*ab*ab*", "abab", true}, {"*ab*ab*", "aab", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"*Text*Model*", "ModelText", false}, {"*Text*Model*", "XTextYModelZ", true},
		{"*For*Classification", "ForXClassification", true}, {"*For*Classification", "ForClassification", true},
	} {
		g := NewPattern(c.pattern)
		assert.Equal(t, c.want, g.Match(c.name), "%s: %s", c.pattern, c.name)
	}
	g, long := NewPattern("*a*b*c*"), strings.Repeat("ab", 1<<20)
	assert.Zero(t, testing.AllocsPerRun(10, func() { g.Match(long) }))
}
