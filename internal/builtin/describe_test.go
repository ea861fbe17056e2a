package builtin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/builtin"
	"omniloader/loader/undertest"
)

// Each answer to each operation, on many presets, has the fields that are described, all of
// them, of the kinds that are described.
func TestAnswersHaveTheFieldsThatAreDescribed(t *testing.T) {
	loader := builtin.New("")
	described := loader.(undertest.Described)
	seen := map[string]bool{}
	for _, preset := range []string{"qwen3-8b", "llama-2-7b-lora", "llama-2-7b-gguf", "gemma-scope-2b-res", "gpt2", "stable-diffusion-1.5", "broken-missing-shard"} {
		disk := fixtures.NewFs()
		require.NoError(t, fixtures.New(disk, "models/m").AddPreset(preset))
		for _, operation := range loader.Operations() {
			call, err := loader.Prepare(operation, undertest.Input{FS: afero.NewIOFS(disk), Dir: "models/m",
				Options: undertest.Options{Tokenizer: undertest.TokenizerInput{Text: "a", IDs: []uint32{1}}}})
			require.NoError(t, err)
			value, err := call(context.Background())
			if err != nil {
				continue // not every checkpoint has a tokenizer or a base model
			}
			text, err := json.Marshal(value)
			require.NoError(t, err)
			var answer map[string]any
			require.NoError(t, json.Unmarshal(text, &answer))
			seen[operation] = true
			checkFields(t, operation+" of "+preset, described.Fields(operation), answer, nil)
		}
	}
	assert.ElementsMatch(t, loader.Operations(), slices.Collect(maps.Keys(seen)), "every operation gave an answer")
	assert.Nil(t, described.Fields("no such operation"))
}

// checkFields compares the keys of an object with the described fields that are directly
// below keys.
func checkFields(t *testing.T, where string, fields []undertest.Field, object map[string]any, keys []string) {
	t.Helper()
	var known []string
	open := false // the object has keys that are not described
	for _, f := range fields {
		if len(f.Keys) != len(keys)+1 || !slices.Equal(f.Keys[:len(keys)], keys) {
			continue
		}
		key := f.Keys[len(keys)]
		if key == undertest.AnyKey {
			for name, value := range object {
				assert.Equal(t, f.Kind, kindOfJSON(value), "%s: %v %s", where, keys, name)
			}
			open = true
			continue
		}
		known = append(known, key)
		if value := object[key]; value != nil {
			assert.Equal(t, f.Kind, kindOfJSON(value), "%s: %s", where, strings.Join(f.Keys, "."))
			if inner, ok := value.(map[string]any); ok {
				checkFields(t, where, fields, inner, f.Keys)
			}
		}
	}
	if !open {
		assert.ElementsMatch(t, known, slices.Collect(maps.Keys(object)), "%s: fields below %v", where, keys)
	}
}

func kindOfJSON(value any) undertest.FieldKind {
	switch value.(type) {
	case string:
		return undertest.KindText
	case float64:
		return undertest.KindNumber
	case bool:
		return undertest.KindBoolean
	case []any:
		return undertest.KindList
	case map[string]any:
		return undertest.KindObject
	}
	return undertest.FieldKind(fmt.Sprintf("%T", value))
}

// Every size is marked as one, and no other number is.
func TestSizesAreDescribedAsSizes(t *testing.T) {
	var sizes, signed []string
	for _, f := range builtin.New("").(undertest.Described).Fields(undertest.Verification) {
		if f.Bytes && f.Kind == undertest.KindNumber {
			sizes = append(sizes, strings.Join(f.Keys, "."))
		}
		if f.Signed {
			signed = append(signed, strings.Join(f.Keys, "."))
		}
	}
	assert.Equal(t, []string{"size", "weights.bytes", "weights.tensor_bytes", "weights.dtypes.*", "memory.weights",
		"memory.weights_as.float32", "memory.weights_as.bfloat16", "memory.weights_as.int8", "memory.weights_as.int4", "memory.weights_as.*",
		"memory.kv_cache", "memory.kv_bytes_per_token", "memory.total", "verified.bytes"}, sizes)
	assert.Equal(t, []string{"tokenizer.pad_token_id"}, signed)
}

func TestEveryCodeOfAFindingIsDescribed(t *testing.T) {
	codes := builtin.New("").(undertest.Described).FindingCodes()
	assert.Contains(t, codes, "shard-missing")
	assert.Greater(t, len(codes), 80)
}
