package undertest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
	"omniloader/loader/undertest"
)

// throughJSON writes an error as JSON and reads it again, as two processes do.
func throughJSON(t *testing.T, err error) error {
	t.Helper()
	text, failed := json.Marshal(undertest.NewError(err))
	require.NoError(t, failed)
	read := new(undertest.Error)
	require.NoError(t, json.Unmarshal(text, read))
	return fmt.Errorf("reading: %w", read)
}

func TestKindFileOffsetAndHintSurviveJSON(t *testing.T) {
	cause := fault.At(fault.LFSPointer, "models/m/model.safetensors", 0, "133 bytes").WithHint("run git lfs pull").WithCause(io.ErrUnexpectedEOF)
	err := fmt.Errorf("inspecting: %w", cause)
	got := throughJSON(t, err)
	assert.EqualError(t, got, "reading: inspecting: models/m/model.safetensors: byte 0: 133 bytes: git-lfs pointer")
	assert.ErrorIs(t, got, fault.LFSPointer)
	assert.NotErrorIs(t, got, fault.Truncated)
	assert.Equal(t, fault.LFSPointer, fault.KindOf(got))
	assert.Equal(t, "models/m/model.safetensors", fault.PathOf(got))
	assert.Equal(t, "run git lfs pull", fault.HintOf(got))
	var place *fault.Error
	require.ErrorAs(t, got, &place)
	assert.Zero(t, place.Offset, "the first byte is not the same as no byte")

	again := throughJSON(t, got)
	assert.EqualError(t, again, "reading: "+got.Error())
	assert.Equal(t, "run git lfs pull", fault.HintOf(again))
}

func TestAnErrorWithoutAPlaceHasNone(t *testing.T) {
	got := throughJSON(t, errors.New("out of memory"))
	assert.EqualError(t, got, "reading: out of memory")
	assert.Equal(t, fault.Kind(""), fault.KindOf(got))
	assert.Empty(t, fault.PathOf(got)+fault.HintOf(got))
	text, err := json.Marshal(undertest.NewError(errors.New("x")))
	require.NoError(t, err)
	assert.JSONEq(t, `{"message": "x"}`, string(text))
	assert.Nil(t, undertest.NewError(nil))
	assert.ErrorIs(t, throughJSON(t, fault.Truncated), fault.Truncated, "a bare kind is one too")
}

func TestAnErrorOfAnotherLanguageNeedsNoMessage(t *testing.T) {
	for text, want := range map[string]string{
		`{"kind": "not JSON", "file": "config.json", "offset": 12}`: "config.json: byte 12: not JSON",
		`{"kind": "not found"}`:                                 "not found",
		`{"kind": "truncated", "message": "cut", "unknown": 1}`: "cut",
	} {
		e := new(undertest.Error)
		require.NoError(t, json.Unmarshal([]byte(text), e))
		assert.EqualError(t, e, want)
		assert.ErrorIs(t, e, fault.KindOf(e))
	}
}

// Kinds spells those of other packages itself, as it does not import them.
func TestKindsAreSpelledAsThePackagesOfTheLoaderSpellThem(t *testing.T) {
	for _, k := range []fault.Kind{answer.NotAnSAE, tokenizer.UnknownComponent, tokenizer.MissingField, tokenizer.BadVocabulary, tokenizer.BadPattern} {
		assert.Contains(t, undertest.Kinds(), k)
	}
	assert.Len(t, undertest.Kinds(), 22)
}

func TestNoErrorIsNil(t *testing.T) {
	assert.True(t, undertest.NewError(nil) == nil, "not a nil pointer in an error")
}
