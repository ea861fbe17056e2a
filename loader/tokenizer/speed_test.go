package tokenizer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// largeFile builds a byte-level tokenizer.json with about 128,000 tokens and 220,000
// merges, as current models have them: one or more merges produce each token. With pairs
// merges are written as pairs.
func largeFile(pairs bool) []byte {
	const tokens, merges = 128000, 220000
	r := rand.New(rand.NewPCG(1, 2))
	var vocab, list []string
	known := make(map[string]bool, tokens)
	add := func(s string) bool {
		if known[s] {
			return false
		}
		known[s] = true
		vocab = append(vocab, s)
		return true
	}
	for _, c := range byteChars {
		add(string(c))
	}
	type pair struct{ a, b string }
	seen := make(map[pair]bool, merges)
	emit := func(a, b string) {
		if p := (pair{a, b}); !seen[p] && len(list) < merges {
			seen[p] = true
			if pairs {
				list = append(list, "["+strconv.Quote(a)+","+strconv.Quote(b)+"]")
			} else {
				list = append(list, strconv.Quote(a+" "+b))
			}
		}
	}
	letters := []string{"e", "t", "a", "o", "i", "n", "s", "h", "r", "d", "l", "c", "u", "m", "w", "f", "g", "y", "p", "b", "v", "k"}
	for i := 0; len(vocab) < tokens; i++ {
		var a, b string
		switch n := len(vocab); {
		case i < 22*22:
			a, b = letters[i/22], letters[i%22]
		case i < 22*22+22:
			a, b = "Ġ", letters[i-22*22]
		default:
			// Short and early parts are frequent, as in a trained vocabulary.
			a = vocab[256+int(float64(n-256)*r.Float64()*r.Float64())]
			if b = vocab[256+int(float64(n-256)*r.Float64()*r.Float64())]; strings.HasPrefix(b, "Ġ") || len(a)+len(b) > 14 {
				b = letters[r.IntN(len(letters))]
			}
			if len(a) > 14 {
				continue
			}
		}
		if add(a + b) {
			emit(a, b)
			s := a + b
			for cut := 1; cut < len(s); cut++ { // other merges that produce it
				if l, rest := s[:cut], s[cut:]; l != a && known[l] && known[rest] {
					emit(l, rest)
				}
			}
		}
	}
	var out bytes.Buffer
	out.WriteString(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":` + strconv.Itoa(len(vocab)) +
		`,"content":"<|begin_of_text|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,` +
		`"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":` + strconv.Quote(splitPatterns()["llama3"][0]) +
		`},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},` +
		`"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},` +
		`"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":true,"vocab":{`)
	for i, s := range vocab {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, "      %q:%d", s, i)
	}
	out.WriteString("},\n\"merges\":[")
	for i, s := range list {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.WriteString("      " + s)
	}
	out.WriteString("]}}")
	return out.Bytes()
}

// corpus generates documents of n bytes that resemble text: words of a Zipf-like
// distribution, numbers, punctuation, lines.
func corpus(documents, n int) []string {
	r := rand.New(rand.NewPCG(5, 6))
	words := make([]string, 30000)
	syllables := []string{"the", "ing", "er", "an", "re", "on", "at", "en", "nd", "ti", "es", "or", "te", "of", "ed", "is", "it", "al", "ar", "st", "to", "nt", "ng", "se", "ha", "as", "ou", "io", "le", "ve", "co", "me", "de", "hi", "ri", "ro", "ic", "ne", "ea", "ra", "ce", "é", "ü", "Мо", "ск", "日本"}
	for i := range words {
		for range 1 + r.IntN(4) {
			words[i] += syllables[r.IntN(len(syllables))]
		}
		if r.IntN(8) == 0 {
			words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
		}
	}
	out := make([]string, documents)
	for i := range out {
		var b strings.Builder
		for b.Len() < n {
			f := r.Float64()
			b.WriteString(words[int(f*f*f*float64(len(words)))])
			switch r.IntN(20) {
			case 0:
				b.WriteString(". ")
			case 1:
				b.WriteString(", ")
			case 2:
				fmt.Fprintf(&b, " %d ", r.IntN(3000))
			case 3:
				b.WriteString("\n\n")
			default:
				b.WriteString(" ")
			}
		}
		out[i] = strings.ToValidUTF8(b.String(), "")
	}
	return out
}

func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}

// TestSpeedBesideTheReference loads and encodes with both libraries alternately, and
// prints the ratios of the medians.
func TestSpeedBesideTheReference(t *testing.T) {
	ref := startReference(t)
	for _, pairs := range []bool{false, true} {
		data := largeFile(pairs)
		file := filepath.Join(t.TempDir(), "tokenizer.json")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		texts := corpus(64, 16<<10)
		bytes := 0
		var q [][]string
		for _, s := range texts {
			bytes += len(s)
			q = append(q, []string{s})
		}
		var loads, refLoads, encodes, refEncodes []float64
		for range 5 {
			a := ref.ask(t, map[string]any{"op": "load", "file": file})
			require.Empty(t, a.Error)
			refLoads = append(refLoads, a.Seconds)
			a = ref.ask(t, map[string]any{"op": "time", "texts": q})
			refEncodes = append(refEncodes, a.Seconds)

			runtime.GC()
			start := time.Now()
			read, err := os.ReadFile(file)
			require.NoError(t, err)
			tok, err := fromJSON(fileTokenizer, read)
			require.NoError(t, err)
			loads = append(loads, time.Since(start).Seconds())
			tokens := 0
			start = time.Now()
			for _, s := range texts {
				ids, err := tok.IDs(s, false)
				require.NoError(t, err)
				tokens += len(ids)
			}
			encodes = append(encodes, time.Since(start).Seconds())
			require.Equal(t, a.Tokens, tokens)
		}
		mb := float64(bytes) / 1e6
		t.Logf("pairs %v, %.1f MB: load %.0f ms, reference %.0f ms, ratio %.2f; encode %.1f MB/s, reference %.1f MB/s, ratio %.1f",
			pairs, float64(len(data))/1e6, 1e3*median(loads), 1e3*median(refLoads), median(loads)/median(refLoads),
			mb/median(encodes), mb/median(refEncodes), median(refEncodes)/median(encodes))
	}
}

// TestLoadingALargeFileTakesLittleMemory bounds the heap allocations of loading relative
// to the size of the file.
func TestLoadingALargeFileTakesLittleMemory(t *testing.T) {
	data := largeFile(false)
	var before, after runtime.MemStats
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	runtime.ReadMemStats(&before)
	tok, err := fromJSON(fileTokenizer, data)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	taken := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d tokens, %.1f MB file, %.1f MB allocated", tok.VocabSize(), float64(len(data))/1e6, float64(taken)/1e6)
	require.Less(t, taken, uint64(40e6))
}

func BenchmarkLoadLarge(b *testing.B) {
	data := largeFile(false)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fromJSON(fileTokenizer, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadSmall(b *testing.B) {
	data, err := os.ReadFile("testdata/llama3/tokenizer.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fromJSON(fileTokenizer, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	texts := corpus(16, 16<<10)
	for _, dir := range configurations(b) {
		tok := loadJSON(b, dir)
		b.Run(filepath.Base(dir), func(b *testing.B) {
			b.SetBytes(int64(len(texts[0])))
			for i := 0; b.Loop(); i++ {
				if _, err := tok.IDs(texts[i%len(texts)], true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
