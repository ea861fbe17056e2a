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
// one stack of layers is compared.
func (c *checkpoint) checkLayers(info *Info, r *weightReader) (findings []Finding) {
	if r == nil || r.unread || !r.info.Complete || len(r.list.tensors) == 0 || c.doc.file != fileConfig && len(r.gguf) == 0 ||
		info.Category != Transformers && info.Category != ASR || !slices.Contains(configKeys()["task"], string(info.Task)) {
		return nil
	}
	layers, source, ok := c.dimensions().get("layers")
	if len(r.gguf) > 0 {
		n := r.gguf[0].ModelKey("block_count").Int()
		layers, source, ok = n, r.gguf[0].Path+": "+r.gguf[0].Architecture()+".block_count", n > 0 && n < maxLayers
	}
	if !ok {
		layers = 0 // a gap shows all the same
	}
	if layers < maxLayers {
		findings = append(findings, r.missingLayers(int(layers), source)...)
	}
	if len(r.gguf) == 0 {
		findings = append(findings, c.checkEmbedding(r)...)
	}
	return findings
}

// missingLayers looks for the layers in the largest stack of those that may be the
// language model's.
func (r *weightReader) missingLayers(layers int, source string) []Finding {
	var stack *numbered
	for _, s := range r.list.stacks() {
		if strings.Contains(s.prefix, "vis") || strings.Contains(s.prefix, "audio") || strings.Contains(s.prefix, "encoder") && !strings.Contains(s.prefix, "decoder") {
			continue
		}
		if stack == nil || s.tensors > stack.tensors {
			stack = s
		}
	}
	if stack == nil {
		return nil
	}
	var missing []int
	for i := range max(layers, len(stack.seen)) {
		if i >= len(stack.seen) || !stack.seen[i] {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	message := fmt.Sprintf("no tensor %s.%s.*", stack.prefix, ranges(missing))
	if missing[len(missing)-1] < layers {
		message += fmt.Sprintf("; %s gives %d layers", source, layers)
	}
	return []Finding{finding(CodeLayersMissing, r.info.Files[0], message, "")}
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

// narrowing are the keys by which a config says that its embedding is not as wide
// as its layers.
var narrowing = []string{"embedding_size", "word_embed_proj_dim", "embedding_hidden_size", "hidden_size_per_layer_input", "token_embedding_size", "embed_dim", "input_embedding_size", "dense_embed_size"}

// checkEmbedding compares the embedding's size with the config's.
func (c *checkpoint) checkEmbedding(r *weightReader) []Finding {
	d := c.dimensions()
	vocab, vocabSource, okVocab := d.get("vocab")
	hidden, hiddenSource, okHidden := d.get("hidden")
	if slices.ContainsFunc(narrowing, func(key string) bool { return d.value(key).Type == gjson.Number }) {
		okHidden = false
	}
	found := -1
	for i := range r.list.tensors {
		name := string(r.list.name(i))
		if slices.ContainsFunc(embeddingNames, func(e string) bool { return name == e || strings.HasSuffix(name, "."+e) }) {
			if found >= 0 {
				return nil // which of them the config speaks of is not clear
			}
			found = i
		}
	}
	if found < 0 {
		return nil
	}
	t := &r.list.tensors[found]
	if packedTypes[t.dtype] || t.rows <= 0 || t.elements%t.rows != 0 || t.elements == t.rows {
		return nil
	}
	what := ""
	if okVocab && t.rows < vocab {
		what = fmt.Sprintf("%s gives %d rows", vocabSource, vocab)
	} else if width := t.elements / t.rows; okHidden && width != hidden {
		what = fmt.Sprintf("%s gives a width of %d", hiddenSource, hidden)
	}
	if what == "" {
		return nil
	}
	return []Finding{finding(CodeShapeMismatch, r.info.Files[0],
		fmt.Sprintf("%s is %d by %d, and %s", r.list.name(found), t.rows, t.elements/t.rows, what), "")}
}
