package table

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a", "a", true}, {"a", "ab", false},
		{"*b", "ab", true}, {"*b", "ba", false}, {"a*", "ab", true}, {"*ab*ab*", "abab", true}, {"*ab*ab*", "aab", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"*Text*Model*", "ModelText", false}, {"*Text*Model*", "XTextYModelZ", true},
		{"*For*Classification", "ForXClassification", true}, {"*For*Classification", "ForClassification", true},
		{"#", "7", true}, {"#", "", false}, {"#", "x", false}, {"layers.#", "layers.17", true}, {"layers.#", "layers.", false},
		{"layers.#", "layers.1x", false}, {"*L#R*", "Llama-L12R-8x", true}, {"*L#R*", "Llama-LR", false},
		{"*-#", "a-1-22", true}, {"*-#", "a-1-x", false}, {"v#.#", "v1.23", true},
	} {
		assert.Equal(t, c.want, Match(c.pattern, c.name), "%q: %q", c.pattern, c.name)
		prepared := NewPattern(c.pattern)
		assert.Equal(t, c.want, prepared.Match(c.name), "%q, prepared: %q", c.pattern, c.name)
	}
	long := strings.Repeat("ab", 1<<20)
	assert.Zero(t, testing.AllocsPerRun(10, func() { Match("*a*b*c*", long) }))
}
