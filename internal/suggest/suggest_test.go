package suggest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearestFindsTheLikelyWord(t *testing.T) {
	known := []string{"pretty", "progress", "junit", "cucumber"}
	for _, c := range []struct{ typed, want string }{
		{"prety", "pretty"},
		{"JUnit", "junit"},
		{"jnuit", "junit"},
		{"cucmber", "cucumber"},
		{"xyz", ""},
		{"", ""},
	} {
		got, ok := Nearest(c.typed, known)
		assert.Equal(t, c.want, got, c.typed)
		assert.Equal(t, c.want != "", ok, c.typed)
	}
}

func TestNearestDoesNotDependOnTheOrderOfTheKnownWords(t *testing.T) {
	a, _ := Nearest("mx", []string{"mix", "max"})
	b, _ := Nearest("mx", []string{"max", "mix"})
	assert.Equal(t, "max", a)
	assert.Equal(t, a, b)
}

func TestAShortWordIsNotTurnedIntoAnUnrelatedOne(t *testing.T) {
	_, ok := Nearest("x", []string{"s", "B"})
	assert.False(t, ok)
}

func TestDidYouMeanListsTheKnownWordsWhereNoneIsNear(t *testing.T) {
	assert.Equal(t, `did you mean "junit"?`, DidYouMean("junt", []string{"html", "junit"}))
	assert.Equal(t, "known: html, junit", DidYouMean("zzz", []string{"html", "junit"}))
	assert.Empty(t, DidYouMean("zzz", nil))
}

func TestDistanceCountsASwapAsOne(t *testing.T) {
	assert.Equal(t, 1, distance([]rune("tag"), []rune("tga")))
	assert.Equal(t, 3, distance([]rune("kitten"), []rune("sitting")))
	assert.Equal(t, 4, distance(nil, []rune("word")))
}
