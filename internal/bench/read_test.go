package bench

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePredecessorsFileIsRead(t *testing.T) {
	f, err := ReadFile("testdata/predecessor.json")
	require.NoError(t, err)
	assert.Zero(t, f.Schema)
	assert.Equal(t, "3.11.9", f.PythonVersion)
	assert.Empty(t, f.GoVersion)
	require.Len(t, f.Results, 2)
	assert.Equal(t, 0.000456, f.Results[0].MeanTime)
	assert.Equal(t, 100, f.Results[0].Iterations)
	assert.InDelta(t, 0.0002, f.Results[1].MeanTime, 1e-15, "computed from the total")
	assert.Equal(t, []string{"detection", "memory"}, f.Summary.Categories)
	assert.Equal(t, []string{`result "memory_sae_detection" lacks mean_time, median_time, p95_time, p99_time, std_dev`}, f.Notes)
}

func TestAKeyThatManyResultsLackIsOneNote(t *testing.T) {
	f, err := Read(strings.NewReader(`{"results": [{"name": "a", "mean_time": 1}, {"name": "b", "mean_time": 1}, {"name": "c", "mean_time": 1, "p95_time": 1}]}`), "x.json")
	require.NoError(t, err)
	assert.Equal(t, []string{
		`2 results lack iterations, max_time, median_time, memory_delta_mb, min_time, p95_time, p99_time, std_dev, total_time ("a" is the first)`,
		`result "c" lacks iterations, max_time, median_time, memory_delta_mb, min_time, p99_time, std_dev, total_time`,
	}, f.Notes)
}

func TestAnInvalidResultsFileNamesPlaceAndReason(t *testing.T) {
	one := func(result string) string { return "{\n \"results\": [\n  " + result + "]}" }
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "x.json: is empty"},
		{"text", "hello", "x.json: line 1, byte 0: not JSON: invalid character 'h' looking for beginning of value"},
		{"cut", `{"results": [{"name": "a"`, "x.json: line 1, byte 25: not JSON: it ends in the middle"},
		{"cut by a newline", "{\"results\": [\n", "x.json: line 2, byte 14: not JSON: it ends in the middle"},
		{"a missing comma", "{\n\"name\": \"n\"\n\"results\": []}", `x.json: line 3, byte 14: not JSON: invalid character '"' after object key:value pair`},
		{"two documents", `{"results": []}` + "\n{}", "x.json: line 2, byte 16: more follows after the end of the JSON object"},
		{"a list", `[]`, "x.json: line 1, byte 1: the file is a JSON array where an object is needed"},
		{"null", `null`, `x.json: is JSON without the list "results", so no results file`},
		{"another object", `{"a": 1}`, `x.json: is JSON without the list "results", so no results file`},
		{"no list", `{"results": {}}`, "x.json: line 1, byte 13: results is a JSON object where a list is needed"},
		{"a text for a time", one(`{"name": "a", "mean_time": "fast"}`), "x.json: line 3, byte 51: results.mean_time is a JSON string where a number is needed"},
		{"half an iteration", one(`{"name": "a", "iterations": 1.5, "mean_time": 1}`), "x.json: line 3, byte 49: results.iterations is a JSON number 1.5 where a whole number is needed"},
		{"a huge number", one(`{"name": "a", "mean_time": 1e999}`), "x.json: line 3, byte 50: results.mean_time is a JSON number 1e999 where a number is needed"},
		{"NaN", one(`{"name": "a", "mean_time": NaN}`), "x.json: line 3, byte 45: NaN is no JSON number, and no measurement"},
		{"Infinity", one(`{"name": "a", "mean_time": Infinity}`), "x.json: line 3, byte 45: Infinity is no JSON number, and no measurement"},
		{"-Infinity", one(`{"name": "a", "mean_time": -Infinity}`), "x.json: line 3, byte 45: -Infinity is no JSON number, and no measurement"},
		{"a negative time", one(`{"name": "a", "mean_time": -0.5}`), `x.json: result "a": mean_time is -0.5, a time must not be negative`},
		{"negative iterations", one(`{"name": "a", "mean_time": 1, "iterations": -1}`), `x.json: result "a": iterations is -1, it must not be negative`},
		{"a negative size", one(`{"name": "a", "mean_time": 1, "bytes_per_op": -1}`), "x.json: line 3, byte 66: results.bytes_per_op is a JSON number -1 where a whole number that is not negative is needed"},
		{"two of one name", one(`{"name": "a", "mean_time": 1}, {"name": "a", "mean_time": 2}`), `x.json: two results are named "a"`},
		{"no name", one(`{"name": "a", "mean_time": 1}, {"mean_time": 2}`), "x.json: result 2 of the list has no name"},
		{"no mean", one(`{"name": "a", "total_time": 1, "iterations": 0}`), `x.json: result "a" has no mean_time, and no total_time and iterations to compute it from`},
		{"a newer schema", `{"schema": 3, "results": []}`, "x.json: its schema is 3, this program knows up to 2"},
		{"a negative schema", `{"schema": -1, "results": []}`, "x.json: its schema is -1, which no version wrote"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "x.json: is UTF-16, and JSON is UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Read(strings.NewReader(c.text), "x.json")
			assert.Nil(t, f)
			require.EqualError(t, err, c.want)
			var fileError *FileError
			require.ErrorAs(t, err, &fileError)
			assert.NotEmpty(t, fileError.Hint())
		})
	}
}

func TestAByteOrderMarkIsPassedOverAndCountedInOffsets(t *testing.T) {
	f, err := Read(strings.NewReader("\xef\xbb\xbf{\"results\": []}"), "x.json")
	require.NoError(t, err)
	assert.NotNil(t, f.Results)
	_, err = Read(strings.NewReader("\xef\xbb\xbfx"), "x.json")
	assert.ErrorContains(t, err, "byte 3: ")
}

func TestAMissingResultsFileSaysHowToWriteOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.json")
	_, err := ReadFile(path)
	assert.EqualError(t, err, path+": there is no such file")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	var fileError *FileError
	require.ErrorAs(t, err, &fileError)
	assert.Contains(t, fileError.Hint(), "--output")

	dir := t.TempDir()
	_, err = ReadFile(dir)
	assert.ErrorContains(t, err, dir+": cannot be read: ")
	assert.NotContains(t, err.Error(), "read "+dir)
}

func TestAReadThatFailsIsReported(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := Read(iotest.ErrReader(broken), "x.json")
	assert.ErrorIs(t, err, broken)
}

func TestAFileTooLargeForResultsIsRefused(t *testing.T) {
	_, err := Read(zeros{}, "x.json")
	assert.EqualError(t, err, "x.json: longer than 16 MiB, too large for a results file")
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/predecessor.json", "testdata/results.golden.json"} {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte(`{"results":[{"name":"a","mean_time":NaN}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data), "fuzz.json")
		if err != nil {
			var fileError *FileError
			if !errors.As(err, &fileError) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		// what was read can be written and read again
		var out bytes.Buffer
		if err := file.Encode(&out); err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		if _, err := Read(&out, "again.json"); err != nil {
			t.Fatalf("cannot be read again: %v\n%s", err, out.String())
		}
		if len(file.Results) > 0 {
			c, err := Compare(file, file, DefaultThreshold)
			if err != nil || c.Counts[Red]+c.Counts[Green] > 0 {
				t.Fatalf("compared with itself: %+v, %v", c, err)
			}
		}
	})
}
