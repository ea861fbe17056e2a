package sae

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// layerPattern is what layersIn finds, as a regular expression.
var layerPattern = regexp.MustCompile(`(?:^|[/._-])(?:layer_?|layers\.|blocks\.|h\.)(\d+)(?:[._/-]|$)|(?:^|[/-])L(\d+)(?:[RAM]|TC)(?:[/_-]|$)|-l(\d+)(?:[./]|$)`)

func TestLayersInNames(t *testing.T) {
	for name, want := range map[string][]string{
		"resid_post/layer_17_width_16k_l0_big": {"17"},
		"layers.3.mlp":                         {"3"},
		"blocks.8.hook_resid_pre":              {"8"},
		"h.3":                                  {"3"},
		"layer5.sae.pt":                        {"5"},
		"Llama3_1-8B-Base-L15R-8x":             {"15"},
		"Llama3_1-8B-Base-L12TC-32x":           {"12"},
		"Llama-3.3-70B-Instruct-SAE-l50.pt":    {"50"},
		"canonical_l0_big":                     nil,
		"player_5":                             nil,
		"layer_":                               nil,
		"":                                     nil,
	} {
		assert.Equal(t, want, slices.Collect(layersIn(name)), name)
	}
}

func TestLayersInNamesAsAPattern(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"layer", "layer_", "layers.", "blocks.", "h.", "L", "R", "TC", "-l", "7", "12", "/", ".", "_", "-", "x"}
	for range 20_000 {
		name := ""
		for range random.IntN(9) {
			name += parts[random.IntN(len(parts))]
		}
		var want []string
		for _, m := range layerPattern.FindAllStringSubmatch(name, -1) {
			want = append(want, m[1]+m[2]+m[3])
		}
		if !assert.Equal(t, want, slices.Collect(layersIn(name)), name) {
			return
		}
	}
}
