package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is a text with the reference's results.
type vector struct {
	Text               string   `json:"text_base64"`
	Kind               string   `json:"kind"`
	IDs                []uint32 `json:"ids"`
	Bare               []uint32 `json:"ids_without_special"`
	Decoded            string   `json:"decoded"`
	DecodedSkipSpecial string   `json:"decoded_skip_special"`
}

type vectors struct {
	VocabSize int      `json:"vocab_size"`
	Vectors   []vector `json:"vectors"`
}

func readVectors(t testing.TB, file string) vectors {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(data, &v))
	for i := range v.Vectors {
		text, err := base64.StdEncoding.DecodeString(v.Vectors[i].Text)
		require.NoError(t, err)
		v.Vectors[i].Text = string(text)
	}
	return v
}

func configurations(t testing.TB) []string {
	dirs, err := filepath.Glob("testdata/*/vectors.json")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for i, d := range dirs {
		dirs[i] = filepath.Dir(d)
	}
	return dirs
}

func loadJSON(t testing.TB, dir string) *Tokenizer {
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	require.NoError(t, err)
	tok, err := fromJSON(fileTokenizer, data)
	require.NoError(t, err)
	return tok
}

func TestVectorsOfTheReference(t *testing.T) {
	for _, dir := range configurations(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			tok := loadJSON(t, dir)
			v := readVectors(t, filepath.Join(dir, "vectors.json"))
			require.NotEmpty(t, v.Vectors)
			assert.Equal(t, v.VocabSize, tok.VocabSize())
			wrong := 0
			for _, want := range v.Vectors {
				ids, err := tok.IDs(want.Text, true)
				require.NoError(t, err)
				bare, err := tok.IDs(want.Text, false)
				require.NoError(t, err)
				full, err := tok.Encode(want.Text, EncodeOptions{})
				require.NoError(t, err)
				ok := assert.Equal(t, empty(want.IDs), empty(ids), "%q", want.Text) &&
					assert.Equal(t, empty(want.Bare), empty(bare), "%q", want.Text) &&
					assert.Equal(t, empty(want.IDs), empty(full.IDs), "%q", want.Text) &&
					assert.Equal(t, want.Decoded, tok.Decode(want.Bare, false), "%q", want.Text) &&
					assert.Equal(t, want.DecodedSkipSpecial, tok.Decode(want.Bare, true), "%q", want.Text)
				if !ok {
					if wrong++; wrong > 3 {
						t.FailNow()
					}
				}
			}
			t.Log(strings.TrimPrefix(dir, "testdata/"), len(v.Vectors), "texts")
		})
	}
}

// empty returns an empty slice for nil.
func empty(ids []uint32) []uint32 {
	if ids == nil {
		return []uint32{}
	}
	return ids
}
