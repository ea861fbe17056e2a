package tagexpr_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/tagexpr"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name, expr string
		match      []string // each a list of tags, separated by blanks
		miss       []string
	}{
		{"the empty expression takes everything", "", []string{"", "@a"}, nil},
		{"so does white space", " \t\n ", []string{"", "@a"}, nil},
		{"one tag", "@a", []string{"@a", "@b @a"}, []string{"", "@b", "@aa"}},
		{"a tag with a colon", "@benchmark:x_1", []string{"@benchmark:x_1"}, []string{"@benchmark"}},
		{"and", "@a and @b", []string{"@a @b"}, []string{"@a", "@b"}},
		{"or", "@a or @b", []string{"@a", "@b"}, []string{"", "@c"}},
		{"not", "not @a", []string{"", "@b"}, []string{"@a", "@a @b"}},
		{"not binds tighter than and", "not @a and @b", []string{"@b"}, []string{"@a", "@a @b", ""}},
		{"and binds tighter than or", "@a or @b and @c", []string{"@a", "@b @c"}, []string{"@b", "@c"}},
		{"whichever comes first", "@b and @c or @a", []string{"@a", "@b @c"}, []string{"@b", "@c"}},
		{"parentheses bind tightest", "(@a or @b) and @c", []string{"@a @c", "@b @c"}, []string{"@a", "@c"}},
		{"not of a group", "not (@a or @b)", []string{"", "@c"}, []string{"@a", "@b @c"}},
		{"not without a blank", "not(@a)", []string{""}, []string{"@a"}},
		{"not twice", "not not @a", []string{"@a"}, []string{""}},
		{"the contract's example", "@sae and not (@slow or @real)", []string{"@sae"}, []string{"@sae @slow", "@sae @real", "@slow"}},
		{"an operator inside a tag", "@android or @nothing", []string{"@android", "@nothing"}, []string{"@and", "@not"}},
		{"operators are lower case", "AND", []string{"AND"}, []string{"@a"}},
		{"escaped parentheses", `@a\(b\)`, []string{"@a(b)"}, []string{"@a"}},
		{"an escaped backslash", `@a\\b`, []string{`@a\b`}, []string{`@a\\b`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := tagexpr.Parse(tt.expr)
			require.NoError(t, err)
			for _, tags := range tt.match {
				assert.True(t, e.Match(strings.Fields(tags)), "%s on %q", tt.expr, tags)
			}
			for _, tags := range tt.miss {
				assert.False(t, e.Match(strings.Fields(tags)), "%s on %q", tt.expr, tags)
			}
		})
	}
}

func TestAnEscapedSpaceBelongsToTheTag(t *testing.T) {
	e, err := tagexpr.Parse(`@a\ b and @c`)
	require.NoError(t, err)
	assert.Equal(t, []string{"@a b", "@c"}, e.Tags())
	assert.True(t, e.Match([]string{"@a b", "@c"}))
}

func TestTheZeroExprMatchesEverything(t *testing.T) {
	var e tagexpr.Expr
	assert.True(t, e.Match([]string{"@a"}))
	assert.Empty(t, e.String())
}

func TestTagsAreListedOnce(t *testing.T) {
	e, err := tagexpr.Parse("@b or not @a and @b")
	require.NoError(t, err)
	assert.Equal(t, []string{"@b", "@a"}, e.Tags())
	assert.True(t, e.Names("@a"))
	assert.False(t, e.Names("@c"))
}

func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		name, expr, want string
		offset           int
		hinted           bool
	}{
		{"two tags", "@a @b", `expected and, or, or the end, found "@b"`, 3, false},
		{"nothing after and", "@a and", "expected a tag, found the end", 6, false},
		{"nothing after or", "@a or ", "expected a tag, found the end", 6, false},
		{"nothing after not", "not", "expected a tag, found the end", 3, false},
		{"nothing before and", "and @a", `expected a tag, found "and"`, 0, false},
		{"two operators", "@a and or @b", `expected a tag, found "or"`, 7, false},
		{"a tag, then not", "@a not @b", `expected and, or, or the end, found "not"`, 3, false},
		{"an open group", "@x or ( @a and @b", "this ( has no ) after it", 6, false},
		{"a closed group too many", "@a )", "this ) has no ( before it", 3, false},
		{"an empty group", "( )", `expected a tag, found ")"`, 2, false},
		{"two tags in a group", "(@a @b)", `expected and, or, or ), found "@b"`, 4, false},
		{"a group after a tag", "@a (@b)", `expected and, or, or the end, found "("`, 3, false},
		{"a wrong escape", `@a or @b\c`, `a \ stands before`, 8, true},
		{"an escape at the end", `@a\`, `a \ stands before`, 2, true},
		{"the old comma", "@a,@b", `"@a,@b" is no tag`, 0, true},
		{"the old comma at the end", "@a,", `"@a," is no tag`, 0, true},
		{"the old tilde", "~@a", `"~@a" is no tag`, 0, true},
		{"the old ampersands", "@a && @b", `found "&&"`, 3, true},
		{"no UTF-8", "@a or @\xff", "not valid UTF-8", 7, false},
		{"very deep", strings.Repeat("(", 5000) + "@a" + strings.Repeat(")", 5000), "nested deeper than 100", 100, false},
		{"very many nots", strings.Repeat("not ", 5000) + "@a", "nested deeper than 100", 400, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tagexpr.Parse(tt.expr)
			var syntax *tagexpr.SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.Contains(t, syntax.Message, tt.want)
			assert.Equal(t, tt.offset, syntax.Offset)
			assert.Equal(t, tt.hinted, syntax.Hint() != "")
		})
	}
}

func TestColumnsAreCountedInCharacters(t *testing.T) {
	_, err := tagexpr.Parse("@größe @b")
	assert.ErrorContains(t, err, "column 8:")
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "@a", "@a and not (@b or @c)", `@a\ b or \(x\)`, "((@a", "not not", "@a,@b", "\xff", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := tagexpr.Parse(source)
		if err != nil {
			var syntax *tagexpr.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.GreaterOrEqual(t, syntax.Offset, 0)
			require.LessOrEqual(t, syntax.Offset, len(source))
			require.NotEmpty(t, err.Error())
			return
		}
		// What String writes is the same expression; it may nest deeper than a
		// reader allows, because every parenthesis is written out.
		again, err := tagexpr.Parse(e.String())
		if err != nil {
			require.ErrorContains(t, err, "nested deeper")
			return
		}
		require.Equal(t, e.Tags(), again.Tags())
		if len(e.Tags()) > 8 {
			return
		}
		for set := range 1 << len(e.Tags()) {
			var tags []string
			for i, name := range e.Tags() {
				if set>>i&1 == 1 {
					tags = append(tags, name)
				}
			}
			require.Equal(t, e.Match(tags), again.Match(tags), "%q on %q", source, tags)
		}
		require.True(t, slices.Equal(e.Tags(), again.Tags()))
	})
}
