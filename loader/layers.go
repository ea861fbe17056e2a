package loader

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// layerWords stand in a tensor's name before the number of its layer.
var layerWords = []string{"layers", "layer", "h", "blk", "blocks", "block"}

// numbered is the layers that the tensors' names of one stack number.
type numbered struct {
	prefix  string // "model.layers"
	seen    []bool
	tensors int
}

// stacks finds the stacks of numbered layers in the tensors' names.
func (l *tensorList) stacks() (all []*numbered) {
	byPrefix := map[string]*numbered{}
	for i := range l.tensors {
		prefix, number, ok := cutLayer(l.name(i))
		if !ok {
			continue
		}
		s := byPrefix[string(prefix)]
		if s == nil {
			s = &numbered{prefix: string(prefix)}
			byPrefix[s.prefix] = s
			all = append(all, s)
		}
		for number >= len(s.seen) {
			s.seen = append(s.seen, false)
		}
		s.seen[number] = true
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
		if found && err == nil && n >= 0 && n < maxLayers {
			return name[:end], n, true
		}
	}
}

// checkLayers compares the weights with what the config says of their shape:
// layers of which no tensor is here, and an embedding of another size. Loaders
// fill such layers with random values, or stop. Only what a model of text keeps in
// one stack of layers is compared, in layouts that keep it whole: tensor-parallel
// ones split both. It is an error where the class is listed and reads text alone;
// of other models it is not certain that their parts are laid out so.
func (c *checkpoint) checkLayers(info *Info, r *weightReader) []Finding {
	if r == nil || r.unread || !r.info.Complete || len(r.list.tensors) == 0 || !wholeLayouts[info.Layout] || c.doc.file != fileConfig && len(r.gguf) == 0 ||
		info.Category != Transformers && info.Category != ASR || !slices.Contains(configKeys()["task"], string(info.Task)) {
		return nil
	}
	findings := c.missingLayers(r)
	if len(r.gguf) == 0 {
		findings = append(findings, c.checkEmbedding(r)...)
	}
	if !textTasks[info.Task] || hasCode(info.Findings, CodeArchitectureUnknown) || info.RemoteCode {
		for i := range findings {
			findings[i].Severity = SeverityWarning
		}
	}
	return findings
}

// wholeLayouts keep each tensor in one piece, under the numbers of the whole.
var wholeLayouts = map[string]bool{layoutTransformers: true, layoutGGUF: true, "mlx": true, "sentence-transformers": true}

// textTasks are those of models that are one stack of layers, or two.
var textTasks = map[Task]bool{"causal_lm": true, "seq2seq_lm": true, "reward_model": true, "text_decoder_backbone": true}

// layerCount is how many layers the language model has, and where that is said; 0
// where nothing says so. sure is false where layers may be without tensors of their
// own: where several share one set, or the config lays each out singly.
func (c *checkpoint) layerCount(r *weightReader) (layers int64, source string, sure bool) {
	if len(r.gguf) > 0 {
		f := r.gguf[0]
		layers = f.ModelKey("block_count").Int() - f.ModelKey("nextn_predict_layers").Int() // those may be left out
		if layers < 0 || layers >= maxLayers || f.Architecture() == "deci" {
			return 0, "", false
		}
		return layers, f.Path + ": " + f.Architecture() + ".block_count", true
	}
	d := c.dimensions()
	if slices.ContainsFunc(configKeys()["shared_layers"], func(key string) bool {
		v := d.value(key)
		return v.Exists() && v.Type != gjson.Null && v.Type != gjson.False
	}) {
		return 0, "", false
	}
	layers, source, ok := d.get("layers")
	if !ok || layers >= maxLayers {
		return 0, "", true
	}
	return layers, source, true
}

// missingLayers looks for layers of the language model of which there is no tensor.
func (c *checkpoint) missingLayers(r *weightReader) []Finding {
	layers, source, sure := c.layerCount(r)
	stack := r.languageStack()
	if !sure || stack == nil {
		return nil
	}
	end := int(layers) // beyond it are those that predict several tokens, some of which may be left out
	if end == 0 {
		end = len(stack.seen)
	}
	var missing []int
	for i := range end {
		if i >= len(stack.seen) || !stack.seen[i] {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	message := fmt.Sprintf("no tensor %s.%s.*", stack.prefix, ranges(missing))
	if layers > 0 {
		message += fmt.Sprintf("; %s gives %d layers", source, layers)
	}
	f := finding(CodeLayersMissing, r.info.Files[0], message, "")
	if layers == 0 {
		f.Severity = SeverityWarning // a gap alone
	}
	return []Finding{f}
}

// otherParts stand in the names of stacks and embeddings that are not the language
// model's.
var otherParts = []string{"vis", "vit", "vpm", "apm", "sam_", "image", "audio", "speech", "former", "tts", "talker", "depth", "code", "mtp"}

// isBesideText tells whether a name is of a part that is not the language model, or
// of an encoder.
func isBesideText(name string) bool {
	return strings.Contains(name, "encoder") && !strings.Contains(name, "decoder") ||
		slices.ContainsFunc(otherParts, func(part string) bool {
			return strings.Contains(strings.ReplaceAll(strings.ReplaceAll(name, "decoder", ""), "transformer", ""), part)
		})
}

// languageStack finds the language model's stack of layers: the only one that may be
// it, or the one beside the embedding. Where neither is clear it gives nil.
func (r *weightReader) languageStack() *numbered {
	var may []*numbered
	for _, s := range r.list.stacks() {
		switch {
		case len(r.gguf) > 0 && s.prefix == "blk":
			return s
		case len(r.gguf) == 0 && !isBesideText(s.prefix):
			may = append(may, s)
		}
	}
	if len(may) == 1 {
		return may[0]
	}
	beside, ok := r.embedding()
	if !ok {
		return nil
	}
	parent := parentOf(string(r.list.name(beside)))
	may = slices.DeleteFunc(may, func(s *numbered) bool { return parentOf(s.prefix) != parent })
	if len(may) != 1 {
		return nil
	}
	return may[0]
}

// parentOf gives the module that a tensor or a stack of layers lies in.
func parentOf(name string) string {
	name = strings.TrimSuffix(name, ".weight")
	return name[:max(strings.LastIndexByte(name, '.'), 0)]
}

// ranges writes ascending numbers: "1", "{1-31}", "{1, 4-6}".
func ranges(numbers []int) string {
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

// embedding finds the language model's embedding of tokens. Where there are several,
// which of them the config speaks of is not clear, and ok is false.
func (r *weightReader) embedding() (at int, ok bool) {
	for i := range r.list.tensors {
		name := string(r.list.name(i))
		switch {
		case strings.HasSuffix(name, "shared.weight"):
			return 0, false
		case !slices.ContainsFunc(embeddingNames, func(e string) bool { return name == e || strings.HasSuffix(name, "."+e) }), isBesideText(name):
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
func (c *checkpoint) checkEmbedding(r *weightReader) []Finding {
	d := c.dimensions()
	narrow := slices.ContainsFunc(configKeys()["narrow"], func(key string) bool { return d.value(key).Type == gjson.Number })
	d.sections = d.sections[:min(len(d.sections), 1)]
	vocab, vocabSource, okVocab := d.get("vocab")
	hidden, hiddenSource, okHidden := d.get("hidden")
	at, ok := r.embedding()
	if !ok {
		return nil
	}
	t := &r.list.tensors[at]
	if packedTypes[t.dtype] || t.rows <= 0 || t.elements%t.rows != 0 || t.elements == t.rows {
		return nil
	}
	what := ""
	if okVocab && t.rows < vocab {
		what = fmt.Sprintf("%s gives %d rows", vocabSource, vocab)
	} else if width := t.elements / t.rows; okHidden && !narrow && width != hidden {
		what = fmt.Sprintf("%s gives a width of %d", hiddenSource, hidden)
	}
	if what == "" {
		return nil
	}
	return []Finding{finding(CodeShapeMismatch, r.info.Files[0],
		fmt.Sprintf("%s is %d by %d, and %s", r.list.name(at), t.rows, t.elements/t.rows, what), "")}
}
