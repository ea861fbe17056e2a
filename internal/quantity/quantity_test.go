package quantity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDurationsAreRead(t *testing.T) {
	for text, want := range map[string]float64{
		"2 ms": 0.002, "2ms": 0.002, "10 µs": 1e-5, "80 µs": 8e-5, "7 ns": 7e-9, "0.5 ms": 0.0005, ".5 s": 0.5, "1 s": 1, "300 µs": 300e-6, "300 us": 300e-6, "300 μs": 300e-6,
		"40 ns": 40e-9, " 1.5  s ": 1.5, "0 ms": 0,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, "%s: exactly, as figures are compared with it", text)
	}
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]float64{
		"1 B": 1, "1 kB": 1000, "1 KiB": 1024, "1 MB": 1e6, "1.5MiB": 1.5 * (1 << 20), "2 GB": 2e9, "1 GiB": 1 << 30,
	} {
		got, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestAnUnreadableQuantityIsAnErrorThatGivesAnExample(t *testing.T) {
	for _, c := range []struct {
		parse func(string) (float64, error)
		text  string
		want  string
	}{
		{ParseDuration, "2", `"2" is no duration: it has no unit, as in "2 ms"`},
		{ParseDuration, "2 m", `"2 m" is no duration: unknown unit "m", known: ns, µs, us, ms, s`},
		{ParseDuration, "2 MS", `"2 MS" is no duration: unknown unit "MS", did you mean "ms"?`},
		{ParseDuration, "2 msec", `"2 msec" is no duration: unknown unit "msec", known: ns, µs, us, ms, s`},
		{ParseDuration, "fast", `"fast" is no duration: it does not begin with a number, as in "2 ms"`},
		{ParseDuration, "", `"" is no duration: it does not begin with a number, as in "2 ms"`},
		{ParseDuration, "-1 ms", `"-1 ms" is no duration: "-1" is negative`},
		{ParseDuration, "-0 ms", `"-0 ms" is no duration: "-0" is negative`},
		{ParseDuration, "1.2.3 ms", `"1.2.3 ms" is no duration: "1.2.3" is no number`},
		{ParseDuration, "NaN ms", `"NaN ms" is no duration: it does not begin with a number, as in "2 ms"`},
		{ParseSize, "1 mb", `"1 mb" is no size: unknown unit "mb", did you mean "MB"?`},
		{ParseSize, "1 KB", `"1 KB" is no size: unknown unit "KB", did you mean "kB"?`},
		{ParseSize, "1 mib", `"1 mib" is no size: unknown unit "mib", did you mean "MiB"?`},
		{ParseSize, "1 MBs", `"1 MBs" is no size: unknown unit "MBs", known: B, kB, KiB, MB, MiB, GB, GiB`},
		{ParseSize, "1 TB", `"1 TB" is no size: unknown unit "TB", known: B, kB, KiB, MB, MiB, GB, GiB`},
		{ParseSize, "1 ms", `"1 ms" is no size: unknown unit "ms", known: B, kB, KiB, MB, MiB, GB, GiB`},
	} {
		_, err := c.parse(c.text)
		assert.EqualError(t, err, c.want)
	}
}

func TestQuantitiesAreWrittenInTheLargestUnitThatFits(t *testing.T) {
	for _, c := range []struct {
		seconds float64
		want    string
	}{
		{0, "0 ns"}, {4.56e-7, "456 ns"}, {1e-9, "1 ns"}, {4.2e-10, "0.42 ns"}, {9.996e-7, "1 µs"}, {1.2345e-6, "1.23 µs"}, {0.002, "2 ms"}, {0.0999, "99.9 ms"},
		{0.9996, "1 s"}, {61.2, "61.2 s"}, {3600, "3600 s"}, {1e-24, "0 ns"},
	} {
		assert.Equal(t, c.want, FormatDuration(c.seconds))
	}
	for _, c := range []struct {
		bytes float64
		want  string
	}{
		{0, "0 B"}, {999, "999 B"}, {1024, "1.02 kB"}, {-2500, "-2.5 kB"}, {1048576, "1.05 MB"}, {5e9, "5 GB"}, {5e12, "5000 GB"},
	} {
		assert.Equal(t, c.want, FormatSize(c.bytes))
	}
}

func TestAWrittenDurationCanBeReadAgain(t *testing.T) {
	for _, v := range []float64{0.002, 3e-6, 450e-9, 1.5} {
		got, err := ParseDuration(FormatDuration(v))
		require.NoError(t, err)
		assert.InEpsilon(t, v, got, 1e-12)
	}
}

func FuzzQuantities(f *testing.F) {
	for _, s := range []string{"2 ms", "1 MB", "-0 s", "1e9 s", "9999999999999999999999 GB", "µ", "1 \xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (float64, error){ParseDuration, ParseSize} {
			if v, err := parse(text); err == nil && !(v >= 0) {
				t.Errorf("%q gave %v", text, v)
			}
		}
	})
}

func TestCountWritesThePluralOfTheNoun(t *testing.T) {
	for want, c := range map[string]struct {
		n    int
		noun string
	}{
		"0 files": {0, "file"}, "1 file": {1, "file"}, "1000 files": {1000, "file"}, "1 process": {1, "process"}, "2 processes": {2, "process"}, "2 more failures": {2, "more failure"},
	} {
		assert.Equal(t, want, Count(c.n, c.noun))
	}
}
