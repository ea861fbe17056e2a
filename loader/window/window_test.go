package window_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

func sample(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestNextReadsBeyondTheBuffer(t *testing.T) {
	data := sample(3*window.Bytes + 11)
	r := window.New(bytes.NewReader(data), int64(len(data)), "f", 0)
	var got []byte
	for n := 1; r.Left() > 0; n = n%977 + 1 {
		n := min(n, int(r.Left()))
		b, err := r.Next(n)
		require.NoError(t, err)
		got = append(got, b...)
	}
	assert.Equal(t, data, got)
	assert.Equal(t, int64(len(data)), r.Fetched(), "every byte is fetched once")
}

func TestPastTheEndIsTruncated(t *testing.T) {
	for _, read := range []func(r *window.Reader) error{
		func(r *window.Reader) error { _, err := r.Next(5); return err },
		func(r *window.Reader) error { return r.Skip(math.MaxUint64) },
		func(r *window.Reader) error { _, err := r.Append(nil, 1<<62); return err },
		func(r *window.Reader) error { _, err := r.Line(nil, 100); return err },
	} {
		r := window.New(bytes.NewReader(make([]byte, 4)), 4, "f", 100)
		err := read(r)
		assert.ErrorIs(t, err, fault.Truncated)
		assert.Contains(t, err.Error(), "f: byte 100: ")
	}
}

func TestFileShorterThanItsSizeIsTruncated(t *testing.T) {
	r := window.New(bytes.NewReader(make([]byte, 4)), 400, "f", 0)
	_, err := r.Next(5)
	assert.ErrorIs(t, err, fault.Truncated)
}

func TestSkipDoesNotFetch(t *testing.T) {
	data := sample(1 << 20)
	r := window.New(bytes.NewReader(data), int64(len(data)), "f", 0)
	_, err := r.Next(1)
	require.NoError(t, err)
	require.NoError(t, r.Skip(1<<20-3))
	b, err := r.Next(2)
	require.NoError(t, err)
	assert.Equal(t, data[1<<20-2:], b)
	assert.Less(t, r.Fetched(), int64(window.Bytes+3))
	r.MoveTo(3)
	b, err = r.Next(2)
	require.NoError(t, err)
	assert.Equal(t, data[3:5], b)
}

func TestLineReadsBeyondTheBufferAndIsBounded(t *testing.T) {
	data := append(bytes.Repeat([]byte("x"), window.Bytes+5), "\nrest\n"...)
	r := window.New(bytes.NewReader(data), int64(len(data)), "f", 0)
	b, err := r.Line(nil, 1<<20)
	require.NoError(t, err)
	assert.Len(t, b, window.Bytes+5)
	b, err = r.Line(nil, 4)
	require.NoError(t, err)
	assert.Equal(t, "rest", string(b))

	r.MoveTo(0)
	_, err = r.Line(nil, 100)
	assert.ErrorIs(t, err, fault.TooLarge)
}

type broken struct{ io.ReaderAt }

var errDisk = errors.New("disk on fire")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

func TestFailingReadIsUnreadable(t *testing.T) {
	r := window.New(broken{}, 10, "f", 0)
	_, err := r.Next(1)
	assert.ErrorIs(t, err, fault.Unreadable)
	assert.ErrorIs(t, err, errDisk)
}

// lax behaves as afero's MemMapFs: short reads without an error, and a panic for a
// negative offset.
type lax []byte

func (l lax) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		panic("negative offset")
	}
	return copy(p, l[min(off, int64(len(l))):]), nil
}

func TestBoundedKeepsTheContractOfReaderAt(t *testing.T) {
	r := window.Bounded(lax("hello"), 5)
	b := make([]byte, 4)
	n, err := r.ReadAt(b, 3)
	assert.Equal(t, 2, n)
	assert.Equal(t, io.EOF, err)
	_, err = r.ReadAt(b, 5)
	assert.Equal(t, io.EOF, err)
	_, err = r.ReadAt(b, -1)
	assert.Error(t, err)
	n, err = r.ReadAt(b, 1)
	assert.Equal(t, 4, n)
	assert.NoError(t, err)
}

func TestLaxReadersGiveTheSameResult(t *testing.T) {
	r := window.New(lax("hello"), 9, "f", 0)
	_, err := r.Next(6)
	assert.ErrorIs(t, err, fault.Truncated)
}
