package tokenizer

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pieces are those of the Rust library 0.23.3.
func TestPatternsOfPropertiesAndNames(t *testing.T) {
	for _, c := range []struct {
		regex, text string
		want        []Offset
	}{
		{`\p{Emoji}`, "a1😀", []Offset{{1, 2}, {2, 6}}},
		{`\p{Emoji_Presentation}`, "a1☀😀", []Offset{{5, 9}}},
		{`\p{Extended_Pictographic}`, "a1☀😀", []Offset{{2, 5}, {5, 9}}},
		{`\p{Uppercase}`, "aAⅧ", []Offset{{1, 2}, {2, 5}}},
		{`\p{Lowercase}`, "aAª", []Offset{{0, 1}, {2, 4}}},
		{`[[:print:]]+`, "a b\n", []Offset{{0, 3}}},
		{`[[:graph:]]+`, "a b\n", []Offset{{0, 1}, {2, 3}}},
		{`\p{Latn}+`, "aбb", []Offset{{0, 1}, {3, 4}}},
		{`\p{Hira}`, "aあ", []Offset{{1, 4}}},
		{`\R`, "a\r\n\nb\u2028", []Offset{{1, 3}, {3, 4}, {5, 8}}},
		{`\N`, "a\n", []Offset{{0, 1}}},
		{`(?<n>\w)\k<n>`, "abb", []Offset{{1, 3}}},
		{`(?<a>\w)(?<b>\w)\k<a>`, "abac", []Offset{{0, 3}}},
		{`(\w)\k<-1>`, "abb", []Offset{{1, 3}}},
	} {
		tok := must(t, `"pre_tokenizer":{"type":"Split","pattern":{"Regex":`+strconv.Quote(c.regex)+`},"behavior":"Removed","invert":true},
			"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}`)
		e, err := tok.Encode(c.text, EncodeOptions{})
		require.NoError(t, err, c.regex)
		assert.Equal(t, c.want, e.Offsets, c.regex)
	}
	for _, bad := range []string{`\k`, `\k<`, `\k<>`, `\k<n>(?<n>a)`, `(?<n>a)\k<1>`, `(?<n>a)(?<n>b)\k<n>`, `\p{Nope}`} {
		_, err := newRegex(bad)
		assert.Error(t, err, bad)
	}
}
