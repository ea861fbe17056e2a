package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// mutant returns the n-th mutated file, the same in every run, and what was changed.
func mutant(t testing.TB, dirs []string, n int) (file []byte, what string) {
	r := rand.New(rand.NewPCG(uint64(n), 42))
	dir := dirs[n%len(dirs)]
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	require.NoError(t, err)
	name := filepath.Base(dir)
	if n%4 == 3 {
		data = slices.Clone(data)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(data))
			switch r.IntN(4) {
			case 0:
				data[at] ^= 1 << r.IntN(8)
			case 1:
				data = data[:at]
			case 2:
				data = slices.Insert(data, at, []byte(`"],{}:0e9`)[r.IntN(9)])
			default:
				data = slices.Delete(data, at, min(len(data), at+1+r.IntN(9)))
			}
			if len(data) == 0 {
				break
			}
		}
		return data, name + ": bytes"
	}
	var tree any
	require.NoError(t, json.Unmarshal(data, &tree))
	for range 1 + r.IntN(2)*r.IntN(2) {
		tree, what = mutateTree(r, tree, name)
	}
	file, err = json.Marshal(tree)
	require.NoError(t, err)
	return file, what
}

var oddValues = []any{nil, true, 0, -1, 1.5, int64(1 << 40), "", "x", "\u0000", " ", []any{}, map[string]any{}, []any{""}, "▁", strings.Repeat("a", 300), "(a*)*b", "(?=", "[^", int64(4294967295)}

// mutateTree changes one value; small components are chosen as often as the vocabulary.
func mutateTree(r *rand.Rand, v any, path string) (any, string) {
	stop := r.IntN(5) == 0 && strings.Contains(path, ".") // deleting the top members gives the same few errors
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			return oddValues[r.IntN(len(oddValues))], path + " replaced"
		}
		keys := slices.Sorted(maps.Keys(x))
		if !strings.Contains(path, ".") && r.IntN(4) > 0 { // the vocabulary is large, and has few kinds of errors
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == "model" || k == "version" })
		}
		k := keys[r.IntN(len(keys))]
		if stop {
			switch r.IntN(3) {
			case 0:
				delete(x, k)
				return x, path + "." + k + " deleted"
			case 1:
				x[k+"x"] = x[k]
				delete(x, k)
				return x, path + "." + k + " renamed"
			}
		}
		var what string
		x[k], what = mutateTree(r, x[k], path+"."+k)
		return x, what
	case []any:
		if len(x) == 0 || stop && r.IntN(2) == 0 {
			break
		}
		i := r.IntN(len(x))
		if stop {
			return slices.Delete(x, i, i+1), fmt.Sprintf("%s[%d] deleted", path, i)
		}
		var what string
		x[i], what = mutateTree(r, x[i], fmt.Sprintf("%s[%d]", path, i))
		return x, what
	}
	n := oddValues[r.IntN(len(oddValues))]
	if b, ok := v.(bool); ok && r.IntN(3) > 0 {
		n = !b
	}
	return n, fmt.Sprintf("%s = %v", path, n)
}

const mutants = 500

var mutantTexts = []string{"Hello, world! 12345  日本語 é\n\n<s>", strings.Repeat("a", 3000), strings.Repeat(" \n", 500) + "x"}

// TestMutatedFilesNeitherPanicNorRunAway loads mutated files and encodes with those that
// load. It fails for a panic, for an error without a kind, and for memory beyond a few
// times the file.
func TestMutatedFilesNeitherPanicNorRunAway(t *testing.T) {
	dirs := configurations(t)
	loaded := 0
	worst, slowest := uint64(0), time.Duration(0)
	for n := range mutants {
		file, what := mutant(t, dirs, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		ok := useMutant(t, file, what)
		runtime.ReadMemStats(&after)
		slowest = max(slowest, time.Since(start))
		worst = max(worst, after.TotalAlloc-before.TotalAlloc)
		if ok {
			loaded++
		}
	}
	t.Logf("%d of %d load; most memory for one %.1f MB, longest %v", loaded, mutants, float64(worst)/1e6, slowest)
	assert.Less(t, worst, uint64(64<<20))
}

func useMutant(t testing.TB, file []byte, what string) (loaded bool) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", what, r)
		}
	}()
	tok, err := fromJSON(fileTokenizer, file)
	if err != nil {
		assert.NotEmpty(t, fault.KindOf(err), "%s: %v", what, err)
		return false
	}
	for _, text := range mutantTexts {
		for _, special := range []bool{true, false} {
			e, err := tok.Encode(text, EncodeOptions{NoSpecial: !special})
			if err != nil {
				assert.NotEmpty(t, fault.KindOf(err), "%s: %v", what, err)
				continue
			}
			tok.Decode(e.IDs, special)
		}
	}
	return true
}

// TestMutatedFilesAreRefusedWhereTheReferenceRefuses loads the same files with the
// reference, in a child process that may crash.
func TestMutatedFilesAreRefusedWhereTheReferenceRefuses(t *testing.T) {
	ref := startReference(t)
	dirs := configurations(t)
	refused, missing, lenient, strict, died := 0, 0, 0, 0, 0
	for n := range mutants {
		file, what := mutant(t, dirs, n)
		if err := ref.in.Encode(map[string]any{"op": "load", "json": string(file)}); err != nil {
			ref = startReference(t)
			died++
			continue
		}
		line, err := ref.out.ReadBytes('\n')
		if err != nil {
			died++
			ref = startReference(t)
			continue
		}
		var a refAnswer
		require.NoError(t, json.Unmarshal(line, &a))
		_, err = fromJSON(fileTokenizer, file)
		switch {
		case a.Error != "" && err == nil:
			lenient++
			isMissing := strings.Contains(a.Error, "missing field") || strings.Contains(a.Error, "did not match any variant")
			if isMissing {
				missing++
			}
			t.Logf("%s: the reference refuses: %s", what, a.Error)
			assert.False(t, isMissing, "%s: %s", what, a.Error)
		case a.Error == "" && err != nil:
			strict++
			t.Logf("%s: only we refuse: %v", what, err)
		case a.Error != "":
			refused++
		}
	}
	t.Logf("both refuse %d; only the reference %d, %d of them for a missing field; only we %d; it died %d times", refused, lenient, missing, strict, died)
}
