package builtin_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/builtin"
	"omniloader/loader/fault"
	"omniloader/loader/undertest"
)

// input is a checkpoint of a preset in memory.
func input(t *testing.T, preset string) undertest.Input {
	t.Helper()
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, "m").AddPreset(preset))
	return undertest.Input{FS: afero.NewIOFS(fsys), Dir: "m"}
}

func TestEveryOperationAnswersWithAnObject(t *testing.T) {
	l := builtin.New("v1")
	assert.Equal(t, undertest.Builtin, l.Name())
	assert.Equal(t, "v1", l.Version())
	presets := map[string]string{undertest.SAEBaseModel: "saelens-gpt2-small"}
	for _, operation := range l.Operations() {
		preset := presets[operation]
		if preset == "" {
			preset = "gpt2"
		}
		in := input(t, preset)
		in.Options.Tokenizer = undertest.TokenizerInput{Text: "hello world", IDs: []uint32{0, 1}}
		call, err := l.Prepare(operation, in)
		require.NoError(t, err, operation)
		for range 2 {
			answer, err := call(t.Context())
			require.NoError(t, err, operation)
			text, err := json.Marshal(answer)
			require.NoError(t, err, operation)
			assert.Equal(t, byte('{'), text[0], operation)
		}
	}
	require.NoError(t, l.Close())
}

func TestAnOperationThatIsNotThereIsAnError(t *testing.T) {
	_, err := builtin.New("").Prepare("levitation", input(t, "gpt2"))
	assert.ErrorIs(t, err, undertest.ErrNoOperation)
	assert.ErrorContains(t, err, `"levitation"`)
}

func TestAnInvalidTableOfClassesFailsTheCall(t *testing.T) {
	l := builtin.New("")
	in := input(t, "gpt2")
	in.Options.Architectures = "Acme\tno-category\n"
	for _, operation := range l.Operations() {
		call, err := l.Prepare(operation, in)
		require.NoError(t, err, operation)
		_, err = call(t.Context())
		assert.Equal(t, "registered classes", fault.PathOf(err), operation)
		assert.ErrorIs(t, err, fault.Malformed, operation)
	}
}

// What one call is prepared with does not reach the next.
func TestOptionsAreThoseOfOneCall(t *testing.T) {
	l := builtin.New("")
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, "m").AddConfig(`{"architectures": ["AcmeModel"]}`))
	in := undertest.Input{FS: afero.NewIOFS(fsys), Dir: "m"}
	category := func(table string) string {
		in.Options.Architectures = table
		call, err := l.Prepare(undertest.CategoryOnly, in)
		require.NoError(t, err)
		answer, err := call(t.Context())
		require.NoError(t, err)
		text, err := json.Marshal(answer)
		require.NoError(t, err)
		return string(text)
	}
	before := category("")
	assert.Contains(t, category("AcmeModel\tasr\n"), `"category":"asr"`)
	assert.Equal(t, before, category(""))
}

func TestVerificationEndsWithItsContext(t *testing.T) {
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, "m").AddFiles(
		fixtures.File{Name: "notes.txt", Content: "hello\n"},
		fixtures.File{Name: ".cache/huggingface/download/notes.txt.metadata", Content: "abc\nce013625030ba8dba906f756967f9e9ca394464a\n1700000000.0\n"}))
	call, err := builtin.New("").Prepare(undertest.Verification, undertest.Input{FS: afero.NewIOFS(fsys), Dir: "m"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = call(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}
