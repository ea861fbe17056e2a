package jsondiff

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lines(t *testing.T, expected, got string) []string {
	t.Helper()
	e, err := Decode([]byte(expected))
	require.NoError(t, err)
	g, err := Decode([]byte(got))
	require.NoError(t, err)
	var all []string
	for _, d := range Compare(e, g) {
		all = append(all, d.String())
	}
	return all
}

func TestEachDifferenceIsALineWithItsPath(t *testing.T) {
	for _, c := range []struct {
		expected, got string
		want          []string
	}{
		{`{"a": 1}`, `{"a": 1}`, nil},
		{`{"a": 1, "b": [1, 2]}`, `{"b": [1, 2], "a": 1.0}`, nil},
		{`{"a": 1}`, `{"a": 2}`, []string{"a: expected 1, got 2"}},
		{`{"a": {"b": "x", "c": null}}`, `{"a": {"b": "<y>", "c": false}}`, []string{`a.b: expected "x", got "<y>"`, "a.c: expected null, got false"}},
		{`{"a": 1}`, `{"b": 1}`, []string{"a: expected 1, got nothing", "b: expected nothing, got 1"}},
		{`{"a": null}`, `{}`, []string{"a: expected null, got nothing"}},
		{`{"a": [1, 2, 3]}`, `{"a": [1, 5, 3]}`, []string{"a[1]: expected 2, got 5"}},
		{`{"a": [1, 2, 3]}`, `{"a": [0, 1, 3, 4]}`, []string{"a[0]: expected nothing, got 0", "a[1]: expected 2, got nothing", "a[3]: expected nothing, got 4"}},
		{`{"a": [{"c": 1}, {"c": 2}]}`, `{"a": [{"c": 2}]}`, []string{`a[0]: expected {"c":1}, got nothing`}},
		{`{"a": [{"c": 1}]}`, `{"a": [{"c": 2}]}`, []string{`a[0].c: expected 1, got 2`}},
		{`{"a b": {"c.d": 1}}`, `{"a b": {"c.d": 2}}`, []string{`["a b"]["c.d"]: expected 1, got 2`}},
		{`[]`, `{}`, []string{`the whole document: expected [], got {}`}},
		{`9007199254740993`, `9007199254740992`, []string{`the whole document: expected 9007199254740993, got 9007199254740992`}},
		{`1e3`, `1000`, nil},
		{`{"a": []}`, `{"a": null}`, []string{"a: expected [], got null"}},
	} {
		assert.Equal(t, c.want, lines(t, c.expected, c.got), "%s and %s", c.expected, c.got)
	}
}

func TestAnObjectThatIsNilHasNoMembers(t *testing.T) {
	assert.Len(t, Compare(map[string]any(nil), map[string]any{"a": true}), 1)
}

func TestALongValueIsShortened(t *testing.T) {
	got := lines(t, `"`+strings.Repeat("ä", 5000)+`"`, `1`)
	require.Len(t, got, 1)
	assert.Less(t, len([]rune(got[0])), 200)
	assert.Contains(t, got[0], "ä…, got 1")
}

func TestListsTooLongToAlignAreComparedByPosition(t *testing.T) {
	one := "[" + strings.Repeat("1,", 1200) + "1]"
	two := "[" + strings.Repeat("1,", 1100) + "2]"
	assert.Len(t, lines(t, one, two), 101)
}

func TestADocumentIsExactlyOneValue(t *testing.T) {
	for text, want := range map[string]string{"": "unexpected EOF", "{": "unexpected EOF", "{} x": "after the value", "{}{}": "after the value"} {
		_, err := Decode([]byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}
