package suggest

import (
	"math/rand/v2"
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

func TestQuestionQuotesTheText(t *testing.T) {
	assert.Equal(t, `did you mean "--tags"?`, Question("--tags"))
	assert.Equal(t, `did you mean "a\"\nb"?`, Question("a\"\nb"))
}

func TestDidYouMeanListsTheKnownWordsWhereNoneIsNear(t *testing.T) {
	assert.Equal(t, `did you mean "junit"?`, DidYouMean("junt", []string{"html", "junit"}))
	assert.Equal(t, "known: html, junit", DidYouMean("zzz", []string{"html", "junit"}))
	assert.Empty(t, DidYouMean("zzz", nil))
}

func TestDistanceCountsASwapAsOne(t *testing.T) {
	assert.Equal(t, 1, distance([]rune("tag"), []rune("tga"), 9))
	assert.Equal(t, 3, distance([]rune("kitten"), []rune("sitting"), 9))
	assert.Equal(t, 4, distance(nil, []rune("word"), 9))
}

// TestDistanceUpToALimit compares what is cut short with what is counted to the end.
func TestDistanceUpToALimit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() []rune {
		w := make([]rune, r.IntN(9))
		for i := range w {
			w[i] = rune("abcdé"[r.IntN(5)])
		}
		return w
	}
	for range 5000 {
		a, b := word(), word()
		whole := distance(a, b, 99)
		assert.LessOrEqual(t, countLetters(a).distance(countLetters(b)), whole, "%q %q", string(a), string(b))
		for limit := range 9 {
			assert.Equal(t, min(whole, limit), min(distance(a, b, limit), limit), "%q %q up to %d", string(a), string(b), limit)
		}
	}
}
