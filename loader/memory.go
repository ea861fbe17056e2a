package loader

import (
	_ "embed"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/tidwall/gjson"
)

//go:embed config_keys.tsv
var configKeysTSV string

// configKeys holds the keys by the quantity that they give.
var configKeys = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for f := range tableRows(configKeysTSV) {
		m[f[0]] = append(m[f[0]], f[1])
	}
	return m
})

//go:embed library_defaults.tsv
var libraryDefaultsTSV string

// libraryDefault is one line of library_defaults.tsv.
type libraryDefault struct {
	key   string
	value int64
}

// libraryDefaults holds the lines by model type and quantity.
var libraryDefaults = sync.OnceValue(func() map[[2]string]libraryDefault {
	m := map[[2]string]libraryDefault{}
	for f := range tableRows(libraryDefaultsTSV) {
		n, _ := strconv.ParseInt(f[3], 10, 64) // a test reads the table
		m[[2]string{f[0], f[1]}] = libraryDefault{f[2], n}
	}
	return m
})

// WithContext asks Inspect for the memory that a context of so many tokens takes,
// in place of the model's own context length.
func WithContext(tokens int64) Option {
	return func(l *Loader) { l.context = tokens }
}

// dimensions reads quantities from a config, a section of it that describes the
// language model first.
type dimensions struct {
	file     string
	sections []section
}

type section struct {
	path  string // "" for the top level
	value members
}

// dimensions gives the config's sections in the order in which they are asked.
func (c *checkpoint) dimensions() dimensions {
	if c.sections.sections != nil && c.sections.file == c.doc.file {
		return c.sections
	}
	d := dimensions{file: c.doc.file}
	if len(c.doc.data) == 0 {
		return d
	}
	root := c.config()
	for _, path := range configKeys()["section"] {
		if v := root.Get(path); v.IsObject() {
			d.sections = append(d.sections, section{path + ".", newMembers(v)})
		}
	}
	d.sections = append(d.sections, section{"", root})
	c.sections = d
	return d
}

// get gives a quantity and the key that has it. Numbers that no model has
// (negative, fractions, Python's 1e30 for "no limit") count as missing.
func (d dimensions) get(quantity string) (n int64, source string, ok bool) {
	const beyond = 1 << 31
	for _, s := range d.sections {
		for _, key := range configKeys()[quantity] {
			v := s.value.Get(key)
			if v.Type == gjson.Number && v.Num >= 1 && v.Num < beyond && v.Num == math.Trunc(v.Num) {
				return int64(v.Num), d.file + ": " + s.path + key, true
			}
		}
	}
	return 0, "", false
}

// libraryDefault is what the library takes for a quantity where a config of this
// model type is silent. The part that describes the language model has to name
// its own type.
func (d dimensions) libraryDefault(quantity string) (libraryDefault, bool) {
	if len(d.sections) == 0 || d.file != fileConfig {
		return libraryDefault{}, false
	}
	part := d.sections[0].value
	l, ok := libraryDefaults()[[2]string{part.Get("model_type").Str, quantity}]
	if quantity != "full_every" && part.Get(l.key).Exists() {
		return libraryDefault{}, false // not silent, though it says nothing that can be used
	}
	return l, ok
}

// orDefault gives a quantity, and where the config is silent the library's
// default, as which its source is marked.
func (d dimensions) orDefault(quantity string) (n int64, source string, ok bool) {
	if n, source, ok = d.get(quantity); ok {
		return n, source, true
	}
	l, ok := d.libraryDefault(quantity)
	if !ok {
		return 0, "", false
	}
	return l.value, "default of the transformers library: " + l.key + " of " + d.sections[0].value.Get("model_type").Str, true
}

// value gives a raw key of the first section that has it.
func (d dimensions) value(key string) gjson.Result {
	for _, s := range d.sections {
		if v := s.value.Get(key); v.Exists() && v.Type != gjson.Null {
			return v
		}
	}
	return gjson.Result{}
}

// inspectMemory fills in the context length and the memory.
func (c *checkpoint) inspectMemory(info *Info, r *weightReader, asked int64) {
	d := c.dimensions()
	fromGGUF := r != nil && len(r.gguf) > 0
	if n := c.sentenceLength(); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, fileSentence+": max_seq_length"
	} else if n, source, ok := d.orDefault("context"); ok && !fromGGUF {
		info.ContextLength, info.ContextLengthSource = &n, source
	} else if fromGGUF {
		if n := r.gguf[0].ModelKey("context_length").Int(); n > 0 && n < 1<<31 {
			info.ContextLength, info.ContextLengthSource = &n, r.gguf[0].Path+": "+r.gguf[0].Architecture()+".context_length"
		}
	} else if n := boundedInt(c.params("max_seq_len")); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, fileParams+": max_seq_len"
	}
	if r == nil || r.info.StoredElements == nil {
		return
	}
	m := &MemoryInfo{Weights: r.info.TensorBytes, WeightsAs: map[string]int64{}, Notes: []string{}}
	if p := r.info.Parameters; p != nil && *p < 1<<58 {
		for _, t := range [...]struct {
			name string
			bits int64
		}{{"float32", 32}, {"bfloat16", 16}, {"int8", 8}, {"int4", 4}} {
			m.WeightsAs[t.name] = *p * t.bits / 8
		}
	}
	m.Total = m.Weights
	if !r.info.Complete {
		m.Notes = append(m.Notes, "the weights are incomplete: what is missing is not counted")
	}
	info.Memory = m
	if !slices.Contains(configKeys()["task"], string(info.Task)) && !fromGGUF {
		return
	}
	m.Context = info.ContextLength
	if asked > 0 {
		m.Context = &asked
		if info.ContextLength != nil && asked > *info.ContextLength {
			m.Notes = append(m.Notes, fmt.Sprintf("the model was made for %d tokens, fewer than asked for", *info.ContextLength))
		}
	}
	shape, ok := configCache(d)
	if fromGGUF {
		shape, ok = ggufCache(r)
	}
	if !ok || m.Context == nil {
		return
	}
	perToken := shape.perToken()
	m.KVBytesPerToken = &perToken
	m.Notes = append(m.Notes, shape.notes...)
	if bytes, ok := shape.bytes(*m.Context); ok {
		m.KVCache = &bytes
		m.Total += bytes
	}
}

// fileSentence bounds the texts of a sentence-transformers model: it cuts them
// there, whatever the model inside could take. Source: sentence_transformers,
// models/Transformer.py.
const fileSentence = "sentence_bert_config.json"

// sentenceLength is the number of tokens at which a sentence-transformers model
// cuts texts, 0 where no file says it.
func (c *checkpoint) sentenceLength() int64 {
	if c.marks&markSentenceTransformers == 0 {
		return 0
	}
	name := path.Join(path.Dir(c.doc.file), fileSentence) // beside the config of the model inside
	v, err := readObject(c.fsys, c.dir, name)
	if err != nil {
		return 0
	}
	return boundedInt(v.Get("max_seq_length"))
}

// params gives a key of Mistral's params.json.
func (c *checkpoint) params(key string) gjson.Result {
	if !c.has(fileParams) {
		return gjson.Result{}
	}
	v, err := readObject(c.fsys, c.dir, fileParams)
	if err != nil {
		return gjson.Result{}
	}
	return v.Get(key)
}
