package runfile

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnIdStaysTheSame(t *testing.T) {
	outline := Identity{File: "features/a.feature", Rule: "r", Name: "n", Row: []Cell{{"b", "2"}, {"a", "1"}}}
	// Earlier run files, and what is kept of them, have these ids.
	assert.Equal(t, "a60c519dc3dbb2d0", Identity{File: "features/a.feature", Name: "n"}.ID())
	assert.Equal(t, "35efbb9949f0d48d", outline.ID())
	assert.Equal(t, "cf6ab613e3942391f88ed698557e1680", PlanHash(slices.Values([]string{"b", "a"})))
	assert.Equal(t, PlanHash(slices.Values([]string{"b", "a"})), PlanHash(slices.Values([]string{"a", "b"})))

	same := outline
	same.File, same.Row, same.Number = "./features//a.feature", []Cell{{"a", "1"}, {"b", "2"}}, 1
	assert.Equal(t, outline.ID(), same.ID())
	assert.Equal(t, "b", outline.Row[0].Column, "the row is not reordered")
}

func TestEachPartOfAnIdentityCounts(t *testing.T) {
	all := []Identity{
		{}, {File: "a"}, {Rule: "a"}, {Name: "a"}, {Row: []Cell{{"a", ""}}}, {Row: []Cell{{"", "a"}}}, {Row: []Cell{{"a", ""}, {"a", ""}}}, {Number: 2}, {Number: 3},
		{File: "ab", Rule: "c"}, {File: "a", Rule: "bc"}, {Rule: "ab", Name: "c"}, {Rule: "a", Name: "bc"},
	}
	ids := map[string]Identity{}
	for _, i := range all {
		id := i.ID()
		assert.Len(t, id, idLength)
		assert.NotContains(t, ids, id, "%+v and %+v", i, ids[id])
		ids[id] = i
	}
}

func TestNumbering(t *testing.T) {
	var n Numbering
	var numbers []int
	ids := map[string]bool{}
	for _, name := range []string{"a", "b", "a", "a", "b"} {
		i := Identity{File: "x.feature", Name: name, Number: 7}
		ids[n.Assign(&i)] = true
		assert.True(t, ids[i.ID()])
		numbers = append(numbers, i.Number)
	}
	assert.Equal(t, []int{0, 0, 2, 3, 2}, numbers)
	assert.Len(t, ids, 5)
}

func TestText(t *testing.T) {
	for _, text := range []string{"", "plain", "<a & b>", "\"\\\n\x00\x7f", "é\u2028\ufffd", `\ufffd`, "\xff", "a\xc3", strings.Repeat("\xf0", 5)} {
		data, err := json.Marshal(Text(text))
		require.NoError(t, err)
		var got Text
		require.NoError(t, json.Unmarshal(data, &got))
		assert.Equal(t, text, string(got))
	}
	plain, err := Text("a <b>").MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `"a <b>"`, string(plain))
	data, err := json.Marshal(Text("\xff"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"base64":"/w=="}`, string(data))
	for _, wrong := range []string{"7", "[]", "{}", `{"base64":7}`, `{"base64":"?"}`, "true"} {
		assert.Error(t, json.Unmarshal([]byte(wrong), new(Text)), wrong)
	}
	missing := Text("as before")
	require.NoError(t, json.Unmarshal([]byte("null"), &missing))
	assert.Equal(t, Text("as before"), missing)
}

func TestAnExcerptDoesNotCutACharacter(t *testing.T) {
	assert.Equal(t, &Excerpt{Text: "aé"}, NewExcerpt("aé", 3))
	assert.Equal(t, &Excerpt{Text: "a", Bytes: 3}, NewExcerpt("aé", 2))
	assert.Equal(t, &Excerpt{Text: "", Bytes: 3}, NewExcerpt("aé", 0))
	assert.Equal(t, &Excerpt{Text: "\x80", Bytes: 9}, NewExcerpt(strings.Repeat("\x80", 9), 5), "text that is no UTF-8 is cut all the same")
}

func TestTree(t *testing.T) {
	fsys := fstest.MapFS{
		"m/config.json":          {Data: []byte("{}")},
		"m/sub/a.safetensors":    {Data: make([]byte, 7)},
		"m/broken":               {Mode: 0o777 | fs.ModeSymlink, Data: []byte("nowhere")},
		"m/folder":               {Mode: 0o777 | fs.ModeSymlink, Data: []byte("sub")},
		"m/link":                 {Mode: 0o777 | fs.ModeSymlink, Data: []byte("sub/a.safetensors")},
		"m/pipe":                 {Mode: 0o666 | fs.ModeNamedPipe},
		"other/not-in-it.txt":    {},
		"m/sub/deeper/empty.bin": {},
	}
	assert.Equal(t, &Tree{Root: "m", Files: []TreeFile{
		{Path: "broken", Problem: "a link: file does not exist"}, {Path: "config.json", Size: 2}, {Path: "folder", Problem: "a link: a folder, which is not followed"},
		{Path: "link", Size: 7}, {Path: "pipe", Problem: "a pipe, a socket or a device"}, {Path: "sub/a.safetensors", Size: 7}, {Path: "sub/deeper/empty.bin"},
	}}, NewTree(fsys, "m/"))
	assert.Len(t, NewTree(fsys, ".").Files, 8)
	assert.Equal(t, &Tree{Root: "none", Files: []TreeFile{{Path: "none", Problem: "file does not exist"}}}, NewTree(fsys, "none"))
}

func TestALargeTreeIsCut(t *testing.T) {
	fsys := fstest.MapFS{}
	for i := range maxTreeWalk + 10 {
		fsys["m/"+strings.Repeat("x", i%100)+string(rune('a'+i/1000))+strings.Repeat("y", i/100%10)+".bin"] = &fstest.MapFile{}
	}
	n := len(fsys)
	tree := NewTree(fsys, "m")
	assert.Len(t, tree.Files, MaxTreeFiles)
	assert.Equal(t, min(n, maxTreeWalk-1)-MaxTreeFiles, tree.More)
	assert.Equal(t, n > maxTreeWalk-1, tree.Open)
}
