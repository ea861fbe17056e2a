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

// layerWords stand in a tensor's name before the number of its layer.
var layerWords = []string{"layers", "layer", "h", "blk", "blocks", "block"}

// layerStack is the layers that the tensors' names of one stack number.
type layerStack struct {
	prefix  string // "model.layers"
	present []bool
	tensors int
}

// findLayerStacks finds the stacks of numbered layers in the tensors' names.
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

// cutLayer finds the first layer's number in a tensor's name: the prefix before
// it and the number.
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

// The weights, against what the config says of their shape: layers of which no tensor
// is here, and an embedding of another size. Loaders fill such layers with random
// values, or stop. Only what a model of text keeps in one stack of layers is compared,
// in layouts that keep it whole: tensor-parallel ones split both. It is an error where
// the class is listed and reads text alone; of other models it is not certain that
// their parts are laid out so.
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

// unsplitLayouts keep each tensor in one piece, under the numbers of the whole.
var unsplitLayouts = map[string]bool{detect.LayoutTransformers: true, detect.LayoutGGUF: true, "mlx": true, "sentence-transformers": true}

// textTasks are those of models that are one stack of layers, or two.
var textTasks = map[answer.Task]bool{"causal_lm": true, "seq2seq_lm": true, "reward_model": true, "text_decoder_backbone": true}

// layerCount is how many layers the language model has, and where that is said; 0
// where nothing says so. sure is false where layers may be without tensors of their
// own: where several share one set, or the config lays each out singly.
func layerCount(c *checkpoint.Directory, r *weights.Headers) (layers int64, source string, sure bool) {
	if len(r.GGUF) > 0 {
		f := r.GGUF[0]
		layers = f.ModelKey("block_count").Int() - f.ModelKey("nextn_predict_layers").Int() // those may be left out
		if layers < 0 || layers >= config.MaxLayers || f.Architecture() == "deci" {
			return 0, "", false
		}
		return layers, f.Path + ": " + f.Architecture() + ".block_count", true
	}
	d := c.Quantities()
	if slices.ContainsFunc(config.KeyList("shared_layers"), func(key string) bool {
		v := d.Value(key)
		return v.Exists() && v.Type != gjson.Null && v.Type != gjson.False
	}) {
		return 0, "", false
	}
	layers, source, ok := d.Get("layers")
	if !ok || layers >= config.MaxLayers {
		return 0, "", true
	}
	return layers, source, true
}

// missingLayers looks for layers of the language model of which there is no tensor.
func missingLayers(c *checkpoint.Directory, r *weights.Headers, grade finding.Grade) []answer.Finding {
	layers, source, sure := layerCount(c, r)
	stack := findLanguageStack(r)
	if !sure || stack == nil {
		return nil
	}
	end := int(layers) // beyond it are those that predict several tokens, some of which may be left out
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
		grade = finding.Milder // a gap alone
	}
	return []answer.Finding{finding.NewGraded(grade, finding.LayersMissing, r.Info.Files[0], message, "")}
}

// otherComponentWords stand in the names of stacks and embeddings that are not the language
// model's.
var otherComponentWords = []string{"vis", "vit", "vpm", "apm", "sam_", "image", "audio", "speech", "former", "tts", "talker", "depth", "code", "mtp"}

// isOtherComponent tells whether a name is of a part that is not the language model, or
// of an encoder.
func isOtherComponent(name string) bool {
	return strings.Contains(name, "encoder") && !strings.Contains(name, "decoder") ||
		slices.ContainsFunc(otherComponentWords, func(part string) bool {
			return strings.Contains(strings.ReplaceAll(strings.ReplaceAll(name, "decoder", ""), "transformer", ""), part)
		})
}

// findLanguageStack finds the language model's stack of layers: the only one that may be
// it, or the one beside the embedding. Where neither is clear it gives nil.
func findLanguageStack(r *weights.Headers) *layerStack {
	var may []*layerStack
	for _, s := range findLayerStacks(&r.Tensors) {
		switch {
		case len(r.GGUF) > 0 && s.prefix == "blk":
			return s
		case len(r.GGUF) == 0 && !isOtherComponent(s.prefix):
			may = append(may, s)
		}
	}
	if len(may) == 1 {
		return may[0]
	}
	beside, ok := findEmbedding(r)
	if !ok {
		return nil
	}
	parent := parentModule(string(r.Tensors.Name(beside)))
	may = slices.DeleteFunc(may, func(s *layerStack) bool { return parentModule(s.prefix) != parent })
	if len(may) != 1 {
		return nil
	}
	return may[0]
}

// parentModule gives the module that a tensor or a stack of layers lies in.
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

// embeddingNames end the names of the embedding of tokens.
var embeddingNames = []string{"embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "tok_embeddings.weight"}

// findEmbedding finds the language model's embedding of tokens. Where there are several,
// which of them the config speaks of is not clear, and ok is false.
func findEmbedding(r *weights.Headers) (at int, ok bool) {
	for i := range r.Tensors.List {
		name := string(r.Tensors.Name(i))
		switch {
		case strings.HasSuffix(name, "shared.weight"):
			return 0, false
		case !slices.ContainsFunc(embeddingNames, func(e string) bool { return name == e || strings.HasSuffix(name, "."+e) }), isOtherComponent(name):
		case ok:
			return 0, false
		default:
			at, ok = i, true
		}
	}
	return at, ok
}

// checkEmbedding compares the embedding's size with the config's. More rows than
// tokens are padding. What the language model's own section leaves out, no other
// part's says.
func checkEmbedding(c *checkpoint.Directory, r *weights.Headers, grade finding.Grade) []answer.Finding {
	d := c.Quantities()
	narrow := slices.ContainsFunc(config.KeyList("narrow"), func(key string) bool { return d.Value(key).Type == gjson.Number })
	d.Sections = d.Sections[:min(len(d.Sections), 1)]
	vocab, vocabSource, okVocab := d.Get("vocab")
	hidden, hiddenSource, okHidden := d.Get("hidden")
	at, ok := findEmbedding(r)
	if !ok {
		return nil
	}
	t := &r.Tensors.List[at]
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
		fmt.Sprintf("%s is %d by %d, and %s", r.Tensors.Name(at), t.Rows, t.Elements/t.Rows, what), "")}
}
