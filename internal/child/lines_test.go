package child

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		input io.Reader
		lines []string
		end   error
	}{
		"none":            {strings.NewReader(""), nil, io.EOF},
		"some":            {strings.NewReader("a\n\nbc\r\n"), []string{"a", "", "bc"}, io.EOF},
		"at the limit":    {strings.NewReader("12345678\n12345678\r\n"), []string{"12345678", "12345678"}, io.EOF},
		"too long":        {strings.NewReader("1\n123456789\n2\n"), []string{"1"}, ErrLineTooLong},
		"much too long":   {strings.NewReader(strings.Repeat("x", 1000)), nil, ErrLineTooLong},
		"half a line":     {strings.NewReader("one\ntwo"), []string{"one"}, ErrPartialLine},
		"byte by byte":    {iotest.OneByteReader(strings.NewReader("a\nb\n")), []string{"a", "b"}, io.EOF},
		"error":           {io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken)), []string{"a"}, broken},
		"error in a line": {io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), []string{"a"}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLines(test.input, 8)
			for _, want := range test.lines {
				line, err := l.Next()
				require.NoError(t, err)
				assert.Equal(t, want, string(line))
			}
			for range 2 {
				_, err := l.Next()
				assert.ErrorIs(t, err, test.end)
			}
		})
	}
	_, err := NewLines(strings.NewReader("{\"id\": "), 80).Next()
	assert.EqualError(t, err, `ended in the middle of a line: "{\"id\": "`)
}

func TestTailKeepsWholeLinesWhateverTheWrites(t *testing.T) {
	const all = "first\nsecond\nthird\n"
	for size := 1; size <= len(all); size++ {
		k := tail{limit: 10}
		for i := 0; i < len(all); i += size {
			n, err := k.Write([]byte(all[i:min(i+size, len(all))]))
			require.NoError(t, err)
			require.Positive(t, n)
		}
		text, dropped := k.text()
		assert.Equal(t, "third\n", text, size)
		assert.EqualValues(t, len(all)-len(text), dropped)
	}
	k := tail{limit: 10}
	_, _ = k.Write([]byte("short\n"))
	text, dropped := k.text()
	assert.Equal(t, "short\n", text)
	assert.Zero(t, dropped)
}
