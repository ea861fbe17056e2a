package tokenizer

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	update = flag.Bool("update", false, "let the reference write the golden answers")
	rounds = flag.Int("texts", 150, "random texts for each configuration compared with the reference")
)

// reference is the Rust library, run by node.
type reference struct {
	in  *json.Encoder
	out *bufio.Reader
}

// startReference skips the test unless OMNILOADER_REFERENCE names a node_modules
// directory that has the package "tokenizers".
func startReference(t testing.TB) *reference {
	dir := os.Getenv("OMNILOADER_REFERENCE")
	if dir == "" {
		t.Skip("OMNILOADER_REFERENCE does not name a node_modules directory")
	}
	cmd := exec.Command("node", "testdata/reference.js")
	cmd.Env = append(os.Environ(), "NODE_PATH="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	in := json.NewEncoder(stdin)
	in.SetEscapeHTML(false)
	return &reference{in, bufio.NewReaderSize(stdout, 1<<20)}
}

type refEncoding struct {
	Error    string
	IDs      []uint32
	Tokens   []string
	Offsets  [][2]int
	Types    []uint32
	Words    []int32
	Special  []int
	Attended []int
	Overflow []refEncoding
}

type refAnswer struct {
	Error     string
	Seconds   float64
	Size      int
	Tokens    int
	RSS       int
	Encodings []refEncoding
	Texts     []string
}

func (r *reference) ask(t testing.TB, q map[string]any) refAnswer {
	require.NoError(t, r.in.Encode(q))
	line, err := r.out.ReadBytes('\n')
	require.NoError(t, err, "the reference died")
	var a refAnswer
	require.NoError(t, json.Unmarshal(line, &a))
	return a
}

// variant is a configuration made from another one.
type variant struct {
	Name string
	Base string
	Set  map[string]json.RawMessage
}

func readVariants(t testing.TB) []variant {
	data, err := os.ReadFile("testdata/variants/variants.json")
	require.NoError(t, err)
	var v []variant
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

// file returns the tokenizer.json of the variant. Members of "model" replace single
// members of the model; null removes "type".
func (v *variant) file(t testing.TB) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", v.Base, "tokenizer.json"))
	require.NoError(t, err)
	var top map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &top))
	for name, value := range v.Set {
		if name != "model" {
			top[name] = value
			continue
		}
		var model, set map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(top["model"], &model))
		require.NoError(t, json.Unmarshal(value, &set))
		for k, x := range set {
			if model[k] = x; k == "type" && string(x) == "null" {
				delete(model, k)
			}
		}
		top["model"], err = json.Marshal(model)
		require.NoError(t, err)
	}
	out, err := json.Marshal(top)
	require.NoError(t, err)
	return out
}

func asReference(e *Encoding) refEncoding {
	out := refEncoding{IDs: e.IDs, Tokens: e.Tokens, Types: e.TypeIDs, Words: e.Words}
	for i := range e.IDs {
		out.Offsets = append(out.Offsets, [2]int{e.Offsets[i].Start, e.Offsets[i].End})
		out.Special = append(out.Special, map[bool]int{true: 1}[e.Special[i]])
		out.Attended = append(out.Attended, map[bool]int{true: 1}[e.Attended[i]])
	}
	for _, o := range e.Overflow {
		out.Overflow = append(out.Overflow, asReference(o))
	}
	return out
}

// difference describes how a result differs from the reference's, "" where it does not.
func difference(got *Encoding, err error, want refEncoding) string {
	if err != nil || want.Error != "" {
		if (err != nil) != (want.Error != "") {
			return fmt.Sprintf("error %v, the reference has %q", err, want.Error)
		}
		return ""
	}
	return compare(asReference(got), want)
}

func compare(got, want refEncoding) string {
	same := func(what string, a, b any) string {
		if reflect.ValueOf(a).Len() == 0 && reflect.ValueOf(b).Len() == 0 || reflect.DeepEqual(a, b) {
			return ""
		}
		return fmt.Sprintf("%s %v, want %v", what, a, b)
	}
	for _, d := range []string{same("ids", got.IDs, want.IDs), same("tokens", got.Tokens, want.Tokens), same("types", got.Types, want.Types), same("offsets", got.Offsets, want.Offsets),
		same("words", got.Words, want.Words), same("special", got.Special, want.Special), same("attended", got.Attended, want.Attended)} {
		if d != "" {
			return d
		}
	}
	if len(got.Overflow) != len(want.Overflow) {
		return fmt.Sprintf("%d overflowing, want %d", len(got.Overflow), len(want.Overflow))
	}
	for i := range got.Overflow {
		if d := compare(got.Overflow[i], want.Overflow[i]); d != "" {
			return fmt.Sprintf("overflow %d: %s", i, d)
		}
	}
	return ""
}

// randomText generates texts with characters and sequences that are special to tokenizers.
func randomText(r *rand.Rand, seeds []string) string {
	var b strings.Builder
	for range 1 + r.IntN(12) {
		switch r.IntN(14) {
		case 0:
			b.WriteString(strings.Repeat(" ", 1+r.IntN(4)))
		case 1:
			b.WriteString([]string{"\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028", "\x85", "\u200b", "\u200d", "\ufeff", "\x00", "\x1c"}[r.IntN(12)])
		case 2:
			fmt.Fprintf(&b, "%d", r.IntN(1000000))
		case 3:
			b.WriteString([]string{"'s", "'S", "'ll", "'LL", "'ſ", "n't", " do not", "don't", "``", "''", "I'm"}[r.IntN(11)])
		case 4:
			for range 1 + r.IntN(5) {
				b.WriteRune(rune(0x20 + r.IntN(0x5F)))
			}
		case 5:
			for range 1 + r.IntN(5) {
				b.WriteRune(rune(0xA0 + r.IntN(0x400)))
			}
		case 6:
			for range 1 + r.IntN(4) {
				b.WriteRune([]rune{0x4E00, 0x3040, 0x30A0, 0xAC00, 0x0E00, 0x0900, 0x0600, 0x0590, 0x1100, 0x1F600}[r.IntN(10)] + rune(r.IntN(0x60)))
			}
		case 7:
			if c := rune(r.IntN(0x30000)); utf8.ValidRune(c) {
				b.WriteRune(c)
			}
		case 8:
			b.WriteString([]string{"e\u0301", "a\u030a\u0323", "\u1100\u1161\u11a8", "ﬁ", "Ⅷ", "½", "①", "㍿", "İ", "ẞ", "Σ", "ǆ", "\u0344", "ｱ", "…", "™", "👨‍👩‍👧", "🇩🇪", "\u212b", "ß"}[r.IntN(20)])
		case 9:
			b.WriteString([]string{"<s>", "</s>", "[MASK]", "[SEP]", "<|endoftext|>", "<unk>", "▁", "Ġ", "##", "</w>", "<0x41>", "<mask>", "aaaa", "a a", "the", "THE"}[r.IntN(16)])
		default:
			s := []rune(seeds[r.IntN(len(seeds))])
			if len(s) == 0 {
				continue
			}
			from := r.IntN(len(s))
			b.WriteString(string(s[from:min(len(s), from+1+r.IntN(20))]))
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

func seedTexts(t testing.TB) []string {
	var out []string
	for _, v := range readVectors(t, "testdata/gpt2/vectors.json").Vectors {
		if utf8.ValidString(v.Text) {
			out = append(out, v.Text)
		}
	}
	return out
}

// configuration is a tokenizer.json to compare.
type configuration struct {
	name string
	file []byte
}

func allConfigurations(t testing.TB) (all []configuration) {
	for _, dir := range configurations(t) {
		data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
		require.NoError(t, err)
		all = append(all, configuration{filepath.Base(dir), data})
	}
	for _, v := range readVariants(t) {
		all = append(all, configuration{"variant_" + v.Name, v.file(t)})
	}
	return all
}

// comparison compares one configuration with the reference.
type comparison struct {
	ref          *reference
	tok          *Tokenizer
	total, wrong int
}

// TestReferenceOnRandomTexts compares every configuration and variant with the Rust
// library: ids, tokens, offsets, words, masks, overflow, pairs and decoded text.
func TestReferenceOnRandomTexts(t *testing.T) {
	ref := startReference(t)
	seeds := seedTexts(t)
	total := 0
	for n, c := range allConfigurations(t) {
		t.Run(c.name, func(t *testing.T) {
			a := ref.ask(t, map[string]any{"op": "load", "json": string(c.file)})
			tok, err := fromJSON(fileTokenizer, c.file)
			if a.Error != "" {
				require.Error(t, err, "the reference refuses: %s", a.Error)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, a.Size, tok.VocabSize())
			r := rand.New(rand.NewPCG(uint64(n), 7))
			x := comparison{ref: ref, tok: tok}
			for _, special := range []bool{true, false} {
				var texts [][]string
				for range *rounds / 2 {
					text := []string{randomText(r, seeds)}
					if r.IntN(5) == 0 {
						text = append(text, randomText(r, seeds))
					}
					texts = append(texts, text)
				}
				x.decode(t, x.encode(t, texts, special))
			}
			total += x.total
			if x.wrong > 0 {
				t.Errorf("%d of %d wrong", x.wrong, x.total)
			}
		})
	}
	t.Logf("%d texts", total)
}

// fail reports the first differences of a configuration and counts the others.
func (x *comparison) fail(t *testing.T, format string, args ...any) {
	if x.wrong++; x.wrong <= 3 {
		t.Errorf(format, args...)
	}
}

// encode compares the encodings of texts and pairs, and returns the reference's ids.
func (x *comparison) encode(t *testing.T, texts [][]string, special bool) (ids [][]uint32) {
	answer := x.ref.ask(t, map[string]any{"op": "encode", "texts": texts, "special": special})
	require.Empty(t, answer.Error)
	for i, text := range texts {
		o := EncodeOptions{NoSpecial: !special, Chars: true}
		var got *Encoding
		var err error
		if len(text) == 1 {
			got, err = x.tok.Encode(text[0], o)
		} else {
			got, err = x.tok.EncodePair(text[0], text[1], o)
		}
		want := answer.Encodings[i]
		if x.tok.truncation != nil && len(text) == 2 {
			continue // which text is truncated depends on the length of both
		}
		if x.tok.truncation != nil && err == nil && want.Error == "" {
			got, want = headOf(got, x.tok.truncation), headOfReference(want, x.tok.truncation)
		}
		d := difference(got, err, want)
		if d == "" && len(text) == 1 && err == nil {
			fast, err := x.tok.IDs(text[0], special)
			if err != nil || !reflect.DeepEqual(empty(fast), empty(want.IDs)) {
				d = fmt.Sprintf("fast ids %v %v, want %v", fast, err, want.IDs)
			}
		}
		x.total++
		if d != "" {
			x.fail(t, "%q: %s", text, d)
		}
		ids = append(ids, empty(want.IDs))
	}
	return nonEmpty(ids)
}

// decode compares the texts of lists of ids.
func (x *comparison) decode(t *testing.T, lists [][]uint32) {
	if len(lists) == 0 {
		return // no text had a token
	}
	for _, skip := range []bool{true, false} {
		decoded := x.ref.ask(t, map[string]any{"op": "decode", "ids": lists, "skip": skip})
		require.Empty(t, decoded.Error)
		for i, list := range lists {
			if got := x.tok.Decode(list, skip); got != decoded.Texts[i] {
				x.fail(t, "decode %v: %q, want %q", list, got, decoded.Texts[i])
			}
		}
	}
}

// headOf leaves out what 0.23.2, the newest npm package, does not have for a text that
// is truncated: the overflow, and in truncation from the left the indexes of pieces.
func headOf(e *Encoding, tr *Truncation) *Encoding {
	head := *e
	head.Overflow = nil
	if tr.Left {
		head.Words = nil
	}
	return &head
}

func headOfReference(e refEncoding, tr *Truncation) refEncoding {
	e.Overflow = nil
	if tr.Left {
		e.Words = nil
	}
	return e
}

// nonEmpty leaves out empty lists, on which one decoder of the reference crashes.
func nonEmpty(ids [][]uint32) (out [][]uint32) {
	for _, l := range ids {
		if len(l) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// TestReferenceOnSentencePieceModels compares with the C++ library (npm package
// sentencepiece-js).
func TestReferenceOnSentencePieceModels(t *testing.T) {
	ref := startReference(t)
	seeds := seedTexts(t)
	for _, file := range []string{"llama2/tokenizer.model", "gemma/tokenizer.model", "t5/spiece.model"} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("testdata", file)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			tok, err := fromSentencePiece("tokenizer.model", data)
			require.NoError(t, err)
			r := rand.New(rand.NewPCG(3, 9))
			var texts [][]string
			for range *rounds {
				texts = append(texts, []string{strings.ReplaceAll(randomText(r, seeds), "\x00", "")})
			}
			for _, s := range seeds {
				texts = append(texts, []string{strings.ReplaceAll(s, "\x00", "")})
			}
			answer := ref.ask(t, map[string]any{"op": "sentencepiece", "file": path, "texts": texts})
			if strings.Contains(answer.Error, "Cannot find module") {
				t.Skip(answer.Error)
			}
			require.Empty(t, answer.Error)
			wrong := 0
			for i, text := range texts {
				got, err := tok.IDs(text[0], true)
				require.NoError(t, err)
				if !reflect.DeepEqual(empty(got), empty(answer.Encodings[i].IDs)) {
					if wrong++; wrong < 5 {
						t.Errorf("%q: %v, want %v", text[0], got, answer.Encodings[i].IDs)
					}
				}
			}
			t.Logf("%d texts, %d encoded otherwise", len(texts), wrong)
		})
	}
}

// golden is what the reference answered for one variant: the texts, or why it
// refuses the file.
type golden struct {
	Name    string   `json:"name"`
	Refuses bool     `json:"refuses,omitempty"`
	Texts   []answer `json:"texts,omitempty"`
}

type answer struct {
	Text    []string `json:"text"`
	Fails   bool     `json:"fails,omitempty"`
	IDs     []uint32 `json:"ids"`
	Offsets [][2]int `json:"offsets"`
	Decoded string   `json:"decoded"`
}

// TestVariantsGiveTheAnswersOfTheReference needs no reference; with -update, and the
// reference at hand, it writes the answers anew.
func TestVariantsGiveTheAnswersOfTheReference(t *testing.T) {
	const file = "testdata/variants/answers.json"
	variants := readVariants(t)
	if *update {
		writeAnswers(t, file, variants)
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []golden
	require.NoError(t, json.Unmarshal(data, &all))
	require.Len(t, all, len(variants))
	for i, v := range variants {
		require.Equal(t, v.Name, all[i].Name)
		tok, err := fromJSON(fileTokenizer, v.file(t))
		if all[i].Refuses {
			assert.Error(t, err, v.Name)
			continue
		}
		require.NoError(t, err, v.Name)
		for _, want := range all[i].Texts {
			var got *Encoding
			if o := (EncodeOptions{Chars: true}); len(want.Text) == 2 {
				got, err = tok.EncodePair(want.Text[0], want.Text[1], o)
			} else {
				got, err = tok.Encode(want.Text[0], o)
			}
			if want.Fails {
				assert.Error(t, err, "%s %q", v.Name, want.Text)
				continue
			}
			require.NoError(t, err, "%s %q", v.Name, want.Text)
			assert.Equal(t, empty(want.IDs), empty(got.IDs), "%s %q", v.Name, want.Text)
			assert.Equal(t, fmt.Sprint(want.Offsets), fmt.Sprint(asReference(got).Offsets), "%s %q", v.Name, want.Text)
			assert.Equal(t, want.Decoded, tok.Decode(want.IDs, true), "%s %q", v.Name, want.Text)
		}
	}
}

func writeAnswers(t *testing.T, file string, variants []variant) {
	ref := startReference(t)
	seeds := seedTexts(t)
	var all []golden
	for n, v := range variants {
		g := golden{Name: v.Name}
		if a := ref.ask(t, map[string]any{"op": "load", "json": string(v.file(t))}); a.Error != "" {
			g.Refuses = true
			all = append(all, g)
			continue
		}
		r := rand.New(rand.NewPCG(uint64(n), 77))
		texts := [][]string{{"Hello,  World! It's 12345 THE\r\n\ta\u00e9 ﬁ 日本語 <s>"}, {"a b", " the <|endoftext|> x"}}
		for range 3 {
			texts = append(texts, []string{randomText(r, seeds)})
		}
		a := ref.ask(t, map[string]any{"op": "encode", "texts": texts, "special": true})
		require.Empty(t, a.Error)
		for i, e := range a.Encodings {
			x := answer{Text: texts[i], Fails: e.Error != "", IDs: e.IDs, Offsets: e.Offsets}
			if len(e.IDs) > 0 {
				d := ref.ask(t, map[string]any{"op": "decode", "ids": [][]uint32{e.IDs}, "skip": true})
				require.Empty(t, d.Error)
				x.Decoded = d.Texts[0]
			}
			g.Texts = append(g.Texts, x)
		}
		all = append(all, g)
	}
	var b strings.Builder
	b.WriteString("[\n")
	for i, g := range all {
		line, err := json.Marshal(g)
		require.NoError(t, err)
		b.Write(line)
		if i < len(all)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString("]\n")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
}
