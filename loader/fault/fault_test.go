package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/fault"
)

func TestErrorNamesPlaceDetailAndKind(t *testing.T) {
	err := fault.At(fault.Truncated, "model.safetensors", 8, "header claims 9 GB, file has 1 kB")
	assert.EqualError(t, err, "model.safetensors: byte 8: header claims 9 GB, file has 1 kB: truncated")
	assert.EqualError(t, fault.New(fault.NotFound, "", ""), "not found")
}

func TestKindAndCauseAreBothFound(t *testing.T) {
	err := fmt.Errorf("opening: %w", fault.New(fault.Unreadable, "config.json", "").WithCause(io.ErrUnexpectedEOF))
	assert.ErrorIs(t, err, fault.Unreadable)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.NotErrorIs(t, err, fault.Truncated)
	assert.Equal(t, fault.Unreadable, fault.KindOf(err))
	assert.Equal(t, "config.json", fault.PathOf(err))
}

func TestHintTravelsWithTheError(t *testing.T) {
	err := fmt.Errorf("inspecting: %w", fault.New(fault.LFSPointer, "a.bin", "").WithHint("run `git lfs pull`"))
	assert.Equal(t, "run `git lfs pull`", fault.HintOf(err))
	assert.Empty(t, fault.HintOf(errors.New("plain")))
}

func TestOtherErrorsHaveNoKind(t *testing.T) {
	assert.Equal(t, fault.Kind(""), fault.KindOf(io.EOF))
	assert.Equal(t, fault.Truncated, fault.KindOf(fmt.Errorf("x: %w", fault.Truncated)))
	assert.Empty(t, fault.PathOf(io.EOF))
}
