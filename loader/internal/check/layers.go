package check

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/weights"
)

// layerWords are the elements of tensor names that come before the number of a layer.
var layerWords = []string{"layers", "layer", "h", "blk", "blocks", "block"}

// layerStack is the layers whose tensors have one prefix.
type layerStack struct {
	prefix  string // "model.layers"
	present []bool
	tensors int
}

// findLayerStacks groups the numbered layers by the prefix of their tensors.
func findLayerStacks(l *weights.Tensors) (all []*layerStack) {
	byPrefix := map[string]*layerStack{}
	for i := range l.List {
		prefix, number, ok := cutLayer(l.Name(i))
		if !ok {
			continue
		}
		s := byPrefix[string(prefix)]
		if s == nil {
			s = &layerStack{prefix: string(prefix)}
			byPrefix[s.prefix] = s
			all = append(all, s)
		}
		for number >= len(s.present) {
			s.present = append(s.present, false)
		}
		s.present[number] = true
		s.tensors++
	}
	return all
}

// cutLayer gives the number of the first layer in the name of a tensor, and the prefix
// before it; ok is false where there is none.
func cutLayer(name []byte) (prefix []byte, number int, ok bool) {
	for from := 0; ; {
		dot := bytes.IndexByte(name[from:], '.')
		if dot < 0 {
			return nil, 0, false
		}
		word := string(name[from : from+dot])
		end := from + dot
		from = end + 1
		if !slices.Contains(layerWords, word) {
			continue
		}
		digits, _, found := bytes.Cut(name[from:], []byte("."))
		n, err := strconv.Atoi(string(digits))
		if found && err == nil && n >= 0 && n < config.MaxLayers {
			return name[:end], n, true
		}
	}
}

// The layers and the embedding that the config gives are compared with the tensors.
// Loaders initialize missing layers with random values, or fail. Only the language model
// is checked, and only in layouts that do not split tensors. The severity is milder for
// classes that are not known or process more than text, as it is less certain that their
// tensors are named as expected.
var _ = register(Check{
	Name:  "layers",
	Codes: []string{finding.LayersMissing, finding.ShapeMismatch},
	Needs: Headers,
	Run: func(f *Facts) []answer.Finding {
		c, r, info := f.Checkpoint, f.Weights, f.Info
		if !unsplitLayouts[info.Layout] || c.Doc.File != config.ConfigJSON && len(r.GGUF) == 0 ||
			info.Category != answer.Transformers && info.Category != answer.ASR || !slices.Contains(config.KeyList("task"), string(info.Task)) {
			return nil
		}
		grade := finding.Usual
		if !textTasks[info.Task] || isUnknownClass(info) || info.RemoteCode {
			grade = finding.Milder
		}
		findings := missingLayers(c, r, grade)
		if len(r.GGUF) == 0 {
			findings = append(findings, checkEmbedding(c, r, grade)...)
		}
		return findings
	},
})

// unsplitLayouts are the layouts that do not split tensors, and number the layers from
// 0.
var unsplitLayouts = map[string]bool{detect.LayoutTransformers: true, detect.LayoutGGUF: true, "mlx": true, "sentence-transformers": true}

// textTasks are the tasks of models that process only text.
var textTasks = map[answer.Task]bool{"causal_lm": true, "seq2seq_lm": true, "reward_model": true, "text_decoder_backbone": true}

// layerCount gives the number of layers of the language model and where it is from; 0
// where it is not known. certain is false where layers may have no tensors of their own,
// because they share them or the config describes each layer.
func layerCount(c *checkpoint.Directory, r *weights.Headers) (layers int64, source config.Source, certain bool) {
	if len(r.GGUF) > 0 {
		f := r.GGUF[0]
		layers = f.ModelKey("block_count").Int() - f.ModelKey("nextn_predict_layers").Int() // files may be without these
		if layers < 0 || layers >= config.MaxLayers || f.Architecture() == "deci" {
			return 0, source, false
		}
		return layers, config.NewSource(f.Path, f.Architecture()+".block_count"), true
	}
	d := c.Quantities()
	if slices.ContainsFunc(config.KeyList("shared_layers"), func(key string) bool {
		v := d.Value(key)
		return v.Exists() && v.Type != gjson.Null && v.Type != gjson.False
	}) {
		return 0, source, false
	}
	layers, source, ok := d.Get("layers")
	if !ok || layers >= config.MaxLayers {
		return 0, source, true
	}
	return layers, source, true
}

// missingLayers reports layers of the language model without tensors.
func missingLayers(c *checkpoint.Directory, r *weights.Headers, grade finding.Grade) []answer.Finding {
	layers, source, certain := layerCount(c, r)
	stack := findLanguageStack(r)
	if !certain || stack == nil {
		return nil
	}
	end := int(layers) // layers for multi-token prediction come after it, and may be missing
	if end == 0 {
		end = len(stack.present)
	}
	var missing []int
	for i := range end {
		if i >= len(stack.present) || !stack.present[i] {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	message := fmt.Sprintf("no tensor %s.%s.*", stack.prefix, formatRanges(missing))
	if layers > 0 {
		message += fmt.Sprintf("; %s gives %d layers", source, layers)
	}
	if layers == 0 {
		grade = finding.Milder // known by a gap in the numbers alone
	}
	return []answer.Finding{finding.NewGraded(grade, finding.LayersMissing, r.Info.Files[0], message, "")}
}

// otherComponentWords are parts of the names of tensors outside the language model.
var otherComponentWords = []string{"vis", "vit", "vpm", "apm", "sam_", "image", "audio", "speech", "former", "tts", "talker", "depth", "code", "mtp"}

// isOtherComponent tells whether a tensor name is of an encoder, or of another component
// than the language model.
func isOtherComponent(name string) bool {
	return strings.Contains(name, "encoder") && !strings.Contains(name, "decoder") ||
		slices.ContainsFunc(otherComponentWords, func(part string) bool {
			return strings.Contains(strings.ReplaceAll(strings.ReplaceAll(name, "decoder", ""), "transformer", ""), part)
		})
}

// findLanguageStack gives the language model's layers: the only candidate, else the only
// one in the module of the embedding, else nil.
func findLanguageStack(r *weights.Headers) *layerStack {
	var candidates []*layerStack
	for _, s := range findLayerStacks(&r.Tensors) {
		switch {
		case len(r.GGUF) > 0 && s.prefix == "blk":
			return s
		case len(r.GGUF) == 0 && !isOtherComponent(s.prefix):
			candidates = append(candidates, s)
		}
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	embedding, ok := findEmbedding(r)
	if !ok {
		return nil
	}
	parent := parentModule(string(r.Tensors.Name(embedding)))
	candidates = slices.DeleteFunc(candidates, func(s *layerStack) bool { return parentModule(s.prefix) != parent })
	if len(candidates) != 1 {
		return nil
	}
	return candidates[0]
}

// parentModule gives the module that contains a tensor or a stack of layers.
func parentModule(name string) string {
	name = strings.TrimSuffix(name, ".weight")
	return name[:max(strings.LastIndexByte(name, '.'), 0)]
}

// formatRanges writes ascending numbers: "1", "{1-31}", "{1, 4-6}".
func formatRanges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += "-" + strconv.Itoa(numbers[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	const few = 5
	if len(parts) > few {
		parts = append(parts[:few], "…")
	}
	if len(numbers) == 1 {
		return parts[0]
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// embeddingNames are the ends of the names of token embeddings.
var embeddingNames = []string{"embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "tok_embeddings.weight"}

// findEmbedding gives the index of the token embedding of the language model; ok is
// false where there is none, or more than one.
func findEmbedding(r *weights.Headers) (index int, ok bool) {
	for i := range r.Tensors.List {
		name := string(r.Tensors.Name(i))
		switch {
		case strings.HasSuffix(name, "shared.weight"):
			return 0, false
		case !slices.ContainsFunc(embeddingNames, func(e string) bool { return name == e || strings.HasSuffix(name, "."+e) }), isOtherComponent(name):
		case ok:
			return 0, false
		default:
			index, ok = i, true
		}
	}
	return index, ok
}

// checkEmbedding compares the size of the embedding with the config's. It may have more
// rows than the config gives, for padding. Only the first section of the config is used:
// other sections describe other components.
func checkEmbedding(c *checkpoint.Directory, r *weights.Headers, grade finding.Grade) []answer.Finding {
	d := c.Quantities()
	narrow := slices.ContainsFunc(config.KeyList("narrow"), func(key string) bool { return d.Value(key).Type == gjson.Number })
	d.Sections = d.Sections[:min(len(d.Sections), 1)]
	vocab, vocabSource, okVocab := d.Get("vocab")
	hidden, hiddenSource, okHidden := d.Get("hidden")
	index, ok := findEmbedding(r)
	if !ok {
		return nil
	}
	t := &r.Tensors.List[index]
	if weights.PackedDTypes[t.DType] || t.Rows <= 0 || t.Elements%t.Rows != 0 || t.Elements == t.Rows {
		return nil
	}
	what := ""
	if okVocab && t.Rows < vocab {
		what = fmt.Sprintf("%s gives %d rows", vocabSource, vocab)
	} else if width := t.Elements / t.Rows; okHidden && !narrow && width != hidden {
		what = fmt.Sprintf("%s gives a width of %d", hiddenSource, hidden)
	}
	if what == "" {
		return nil
	}
	return []answer.Finding{finding.NewGraded(grade, finding.ShapeMismatch, r.Info.Files[0],
		fmt.Sprintf("%s is %d by %d, and %s", r.Tensors.Name(index), t.Rows, t.Elements/t.Rows, what), "")}
}
