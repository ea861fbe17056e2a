package quantity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAmountsAreReadWithAndWithoutUnits(t *testing.T) {
	for text, want := range map[string]Amount{
		"4": {Value: 4}, "-1": {Value: -1}, "0.5": {Value: 0.5}, "16 GB": {16e9, 0.5e9, true}, "16GiB": {16 << 30, 0.5 * (1 << 30), true},
		"1.5 kB": {1500, 0.05 * 1e3, true}, "0 B": {0, 0.5, true}, "7 billion": {7e9, 0.5e9, false}, "6.74 billion": {6.74e9, 0.005 * 1e9, false},
	} {
		got, err := ParseAmount(text)
		require.NoError(t, err, text)
		assert.InDelta(t, want.Value, got.Value, 1e-3, text)
		assert.InDelta(t, want.Precision, got.Precision, 1e-3, text)
		assert.Equal(t, want.IsSize, got.IsSize, text)
	}
}

func TestAnAmountWithAUnitIsMeantToItsDigits(t *testing.T) {
	size, err := ParseAmount("4.08 GB")
	require.NoError(t, err)
	assert.True(t, size.Is(4080287250))
	assert.False(t, size.Is(4086000000))
	number, err := ParseAmount("4")
	require.NoError(t, err)
	assert.True(t, number.Is(4))
	assert.False(t, number.Is(4.1), "a number without a unit is exact")
}

func TestAmountsThatCannotBeReadSayWhy(t *testing.T) {
	for text, want := range map[string]string{
		"1.2.3":    `"1.2.3" is not a number`,
		"GB":       `"GB" is not a number`,
		"1.2.3 GB": `"1.2.3 GB" is not a number`,
		"-1 GB":    `"-1 GB" is negative: no size is`,
		"16 gb":    `unknown unit "gb", did you mean "GB"?`,
		"3 tokens": `unknown unit "tokens", known: B, kB, KiB, MB, MiB, GB, GiB, thousand, million, billion, trillion`,
	} {
		_, err := ParseAmount(text)
		assert.ErrorContains(t, err, want, text)
	}
}
