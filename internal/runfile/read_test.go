package runfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	headerText   = `{"record":"run","format":"omniloader run","format_version":1}` + "\n"
	featureText  = `{"record":"feature","uri":"a.feature"}` + "\n"
	scenarioText = `{"record":"scenario","id":"1","uri":"a.feature","status":"passed"}` + "\n"
	endText      = `{"record":"end","scenarios":1}` + "\n"
)

func TestAFileCutAnywhereGivesWhatWasWhole(t *testing.T) {
	file := FromOutcome(sample(t), sampleHeader(), sampleDetails)
	var b bytes.Buffer
	require.NoError(t, file.Encode(&b))
	whole := b.Bytes()
	start := bytes.IndexByte(whole, '\n') + 1
	for size := range whole {
		part := whole[:size]
		if size%17 != 0 && !bytes.ContainsRune(whole[max(0, size-2):min(size+2, len(whole))], '\n') {
			continue // it takes long to try each
		}
		got, err := Read(bytes.NewReader(part), "run.json")
		if size < start-1 { // within the header
			require.Error(t, err, size)
			continue
		}
		require.NoError(t, err, size)
		rest := part[bytes.LastIndexByte(part, '\n')+1:]
		lines := bytes.Count(part, []byte("\n"))
		if size == start-1 || len(rest) > 0 && rest[len(rest)-1] == '}' && bytes.HasPrefix(whole[size:], []byte("\n")) {
			lines, rest = lines+1, nil // only the line break is missing
		}
		require.Equal(t, len(rest) > 0, got.Cut, size)
		records := 1 + len(got.Features) + len(got.Scenarios)
		if got.Comparison != nil {
			records++
		}
		if size == len(whole)-1 {
			require.NotNil(t, got.End)
			continue
		}
		require.Equal(t, lines, records, size)
		require.Nil(t, got.End)
		require.NotEmpty(t, got.Notes())
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		text, message, hint string
		kind                error
	}{
		"nothing":                {"", "run.json: the file is empty", "`omniloader run`", ErrNotARunFile},
		"text":                   {"hello\nworld\n", "run.json: line 1, byte 0: the first line is not the header of a run file", "`omniloader run`", ErrNotARunFile},
		"a results file":         {`{"name":"x","results":[]}`, "run.json: line 1, byte 0: this is a results file, not a run file", "`omniloader run`", ErrNotARunFile},
		"another format":         {`{"record":"run","format":"x","format_version":1}` + "\n", "the first line is not the header", "`omniloader run`", ErrNotARunFile},
		"a scenario first":       {scenarioText + headerText, "the first line is not the header", "`omniloader run`", ErrNotARunFile},
		"a newer version":        {`{"record":"run","format":"omniloader run","format_version":2}` + "\n", "run.json: line 1, byte 0: format_version is 2, and this program reads up to 1", "newer one", ErrVersion},
		"no version":             {`{"record":"run","format":"omniloader run"}` + "\n", "the header has no format_version", "", ErrMalformed},
		"version 0":              {`{"record":"run","format":"omniloader run","format_version":0}` + "\n", "the header has no format_version", "", ErrMalformed},
		"half a header":          {`{"record":"run","format":"omni`, "run.json: line 1, byte 0: the file ends within its first record", "", ErrMalformed},
		"a header of another":    {`{"record":"run","format":"omniloader run","format_version":1,"workers":"x"}` + "\n", "run.json: line 1, byte 73: workers has the wrong type, string", "", ErrMalformed},
		"no JSON":                {headerText + featureText + "{\"record\":\"scenario\",!}\n" + endText, "run.json: line 3, byte 122: not JSON: invalid character '!'", "", ErrMalformed},
		"no object":              {headerText + "[1]\n", "line 2, byte 62: the line has the wrong type, array", "", ErrMalformed},
		"no kind":                {headerText + "{}\n", `line 2, byte 62: an object without the key "record"`, "", ErrMalformed},
		"another type":           {headerText + featureText + `{"record":"scenario","id":7}` + "\n", "line 3, byte 127: id has the wrong type, number", "", ErrMalformed},
		"a text of another type": {headerText + `{"record":"feature","uri":[1]}` + "\n", `a text is a string, or an object with the key "base64"`, "", ErrMalformed},
		"a feature twice":        {headerText + featureText + featureText, `line 3, byte 101: feature "a.feature" has a record already`, "", ErrMalformed},
		"no feature":             {headerText + scenarioText, `scenario "" is of feature "a.feature", which has no record`, "", ErrMalformed},
		"no id":                  {headerText + featureText + `{"record":"scenario","uri":"a.feature","status":"passed"}`, "a scenario without an id", "", ErrMalformed},
		"no status":              {headerText + featureText + `{"record":"scenario","id":"1","name":"n","uri":"a.feature"}`, `scenario "n" has no status`, "", ErrMalformed},
		"no comparison":          {headerText + `{"record":"comparison"}` + "\n", "a comparison without its content", "", ErrMalformed},
		"two files joined":       {headerText + headerText, "line 2, byte 62: the header of a second run", "", ErrMalformed},
		"more behind the end":    {headerText + featureText + endText + scenarioText, `a record "scenario" behind the last one, "end"`, "", ErrMalformed},
		"a joined file":          {headerText + endText + headerText, `a record "run" behind the last one, "end"`, "", ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text), "run.json")
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.ErrorIs(t, err, tt.kind)
			assert.Contains(t, err.Error(), tt.message)
			assert.Contains(t, e.Hint(), tt.hint)
			if tt.hint == "" {
				assert.Empty(t, e.Hint())
			}
		})
	}
}

func TestWhatANewerProgramAddsIsPassedOver(t *testing.T) {
	text := headerText + featureText + `{"record":"sunshine","x":[]}` + "\n\n" +
		`{"later":{"a":[1]},"record":"scenario","id":"1","uri":"a.feature","status":"sunny","steps":[{"status":"odd","text":"t","x":{}}]}` + "\n" + endText
	file, err := Read(strings.NewReader(text), "run.json")
	require.NoError(t, err)
	require.Len(t, file.Scenarios, 1)
	assert.Empty(t, file.Notes())
	run := file.ToOutcome()
	assert.EqualValues(t, "sunny", run.Features[0].Scenarios[0].Status)
	assert.EqualValues(t, "odd", run.Features[0].Scenarios[0].Steps[0].Status)
}

func TestALastLineWithoutALineBreakCounts(t *testing.T) {
	file, err := Read(strings.NewReader(headerText+featureText+scenarioText+strings.TrimSpace(endText)), "run.json")
	require.NoError(t, err)
	assert.False(t, file.Cut)
	assert.NotNil(t, file.End)
	assert.Empty(t, file.Notes())
}

func TestRecordsCanBeReadOneByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, FromOutcome(sample(t), sampleHeader(), nil).Write(path))
	r, err := Open(path)
	require.NoError(t, err)
	assert.Equal(t, "00112233", r.Header.RunID)
	counts := map[string]int{}
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		for kind, is := range map[string]bool{"feature": record.Feature != nil, "scenario": record.Scenario != nil, "comparison": record.Comparison != nil, "end": record.End != nil} {
			if is {
				counts[kind]++
			}
		}
	}
	assert.Equal(t, map[string]int{"feature": 3, "scenario": 12, "comparison": 1, "end": 1}, counts)
	_, err = r.Next()
	assert.Equal(t, io.EOF, err)
	require.NoError(t, r.Close())
}

func TestAnErrorIsGivenAgain(t *testing.T) {
	r, err := NewReader(strings.NewReader(headerText+"{}\n"+featureText), "run.json")
	require.NoError(t, err)
	_, first := r.Next()
	require.Error(t, first)
	_, second := r.Next()
	assert.Equal(t, first, second)
	assert.NoError(t, r.Close())
}

// shorterLines lowers the limit of a line for a test that does not run in parallel: lines of
// 64 MiB took a tenth of the time of all tests of the package.
func shorterLines(t *testing.T) {
	maxLine = 4 << 20
	t.Cleanup(func() { maxLine = MaxLine })
}

func TestALineThatIsTooLong(t *testing.T) {
	shorterLines(t)
	_, err := Read(io.MultiReader(strings.NewReader(headerText), endless('x')), "run.json")
	assert.ErrorIs(t, err, ErrTooLarge)
	assert.EqualError(t, err, "run.json: line 2, byte 62: a line of more than 4 MiB")
}

func TestTooManyRecords(t *testing.T) {
	_, err := Read(io.MultiReader(strings.NewReader(headerText), endless('\n')), "run.json")
	assert.ErrorIs(t, err, ErrTooLarge)
	assert.ErrorContains(t, err, "more than 1000000 records")
}

func TestAFileThatIsTooLargeToBeReadAsAWhole(t *testing.T) {
	r, err := NewReader(strings.NewReader(headerText+featureText+scenarioText), "run.json")
	require.NoError(t, err)
	r.next = MaxFile
	_, err = r.all()
	assert.ErrorIs(t, err, ErrTooLarge)
	assert.ErrorContains(t, err, "more than 1024 MiB")
}

// endless is a file of one character.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	_, err := ReadFile(filepath.Join(t.TempDir(), "none.json"))
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Contains(t, e.Error(), "none.json: there is no such file")
	assert.Contains(t, e.Hint(), DefaultPath)
	_, err = ReadFile(t.TempDir())
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Error(), "cannot be read: ")
	_, err = Read(io.MultiReader(strings.NewReader(headerText), iotest.ErrReader(errors.New("unplugged"))), "run.json")
	assert.EqualError(t, err, "run.json: cannot be read: unplugged")
}

func TestNotesSayWhatIsMissing(t *testing.T) {
	file := &File{Header: Header{Planned: 5}, Scenarios: make([]Scenario, 2), End: &End{Interrupted: true, Scenarios: 3, Error: "engine"}}
	assert.Equal(t, []string{"the run was interrupted: 2 of 5 scenarios had ended", "the run ended early: engine", "the file has 2 scenarios, and its last record says 3"}, file.Notes())
}

// Whatever the bytes are: no panic, an error of ours or a file that can be written, read
// and reported again.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, FromOutcome(sample(f), sampleHeader(), sampleDetails).Encode(&b))
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()/2])
	for _, text := range []string{"", headerText, headerText + featureText + scenarioText + endText, headerText + "{}\n", headerText + featureText + `{"record":"scenario","id":"1","uri":{"base64":"/w=="},"status":"x"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data), "run.json")
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Error())
			return
		}
		file.Notes()
		run := file.ToOutcome()
		for name, render := range renderers() {
			_ = render(io.Discard, run) // a source that is no feature file is an error
			require.NotEmpty(t, name)
		}
		var b bytes.Buffer
		require.NoError(t, file.Encode(&b))
		again, err := Read(&b, "run.json")
		require.NoError(t, err)
		require.Equal(t, len(file.Scenarios), len(again.Scenarios))
		require.Equal(t, fmt.Sprint(file.Header.Selection.Paths), fmt.Sprint(again.Header.Selection.Paths))
	})
}
