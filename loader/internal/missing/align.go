package missing

import (
	"slices"
	"strings"

	"omniloader/loader/internal/classtensors"
)

// minMatch is the share of the names of a table that a checkpoint must have for its tensors
// to be named as there.
const minMatch = 0.3

// align finds how the names of the table are spelled in the checkpoint: as they are, without
// the prefix of the class around the base model, or with one. Where fewer than minMatch are
// found, the class is left unknown.
func (a *analysis) align(class *classtensors.Class) {
	a.flat = make(map[string]bool, 64)
	for name := range a.outside {
		a.flat[classtensors.Collapse(name)] = true
	}
	for _, s := range a.stacks {
		for _, m := range s.order {
			a.flat[join(s.prefix, "#."+m.flat)] = true
		}
	}
	expected := class.Names
	best, bestCount := func(n string) string { return n }, 0
	for i, rename := range renamings(expected, a.flat) {
		if i > 0 && bestCount == len(expected) {
			break
		}
		count := 0
		for _, n := range expected {
			if a.hasFlat(rename(n)) {
				count++
			}
		}
		if count > bestCount {
			best, bestCount = rename, count
		}
	}
	if float64(bestCount) < minMatch*float64(len(expected)) {
		return
	}
	a.class, a.rename = class, best
	a.compareConfig()
}

// hasFlat tells whether the checkpoint has a tensor, with # for numbers, or the tensors that
// a quantization stores in its place: of the same module, or under the name with an ending.
func (a *analysis) hasFlat(name string) bool {
	name = normal(name)
	if a.flat[name] {
		return true
	}
	if !a.model.Quantized {
		return false
	}
	stem, isWeight := strings.CutSuffix(name, ".weight")
	if isWeight {
		return slices.ContainsFunc(packedEndings, func(end string) bool { return a.flat[stem+end] })
	}
	return a.flat[name+"_blocks"] || a.flat[name+"_packed"] || a.flat[name+".weight"]
}

// packedEndings are the ends of the names of packed weights, in place of ".weight".
var packedEndings = []string{".qweight", ".weight_packed", ".qweight_type", ".trellis", ".q_weight", ".B", ".codes", ".weight._data", ".weight_qdata", "._weight_qdata", ".indices", ".SCB", ".weight_blocks", ".w_q", ".W_q"}

// renamings are the ways in which the names of a table may be spelled.
func renamings(expected []string, have map[string]bool) (all []func(string) string) {
	all = append(all, func(n string) string { return n })
	seen := map[string]bool{}
	for _, n := range expected {
		if first, _, ok := strings.Cut(n, "."); ok && !seen[first] {
			seen[first] = true
			all = append(all, func(n string) string { return strings.TrimPrefix(n, first+".") })
		}
	}
	added := map[string]bool{}
	for n := range have {
		if first, _, ok := strings.Cut(n, "."); ok && !added[first] && len(added) < 8 {
			added[first] = true
			all = append(all, func(n string) string {
				if strings.HasPrefix(n, first+".") {
					return n
				}
				return first + "." + n
			})
		}
	}
	return all
}

// irrelevantKeys are parts of keys whose value changes no name.
var irrelevantKeys = []string{"rope", "rotary", "quantization", "token", "sliding_window", "pretraining", "dtype", "attn_impl", "_name_or_path", "revision", "vocab_size", "head_dim", "language", "version", "scaling", "template", "feature", "temperature", "reduction", "decode", "output", "max_", "prompt", "seed"}

// compareConfig finds out what the config changes in comparison with the default config,
// from which the table was made.
func (a *analysis) compareConfig() {
	a.deviation = map[string]bool{}
	for _, s := range a.class.Switches {
		if v := a.value(s.Key); v.IsBool() && v.Bool() != s.Default {
			for _, n := range s.Without {
				a.deviation[a.rename(n)] = true
			}
		}
	}
	for key, value := range a.class.Fixed {
		name := key[strings.LastIndexByte(key, '.')+1:]
		if slices.ContainsFunc(irrelevantKeys, func(part string) bool { return strings.Contains(name, part) }) {
			continue
		}
		if v := a.value(key); v.Exists() && v.String() != value {
			a.uncertain = true
			return
		}
	}
}

// tied tells whether the output head shares the weights of the embedding.
func (a *analysis) tied() (tied, known bool) {
	for _, key := range [...]string{"tie_word_embeddings", "text_config.tie_word_embeddings", "decoder.tie_word_embeddings"} {
		if v := a.value(key); v.IsBool() {
			return v.Bool(), true
		}
	}
	return false, false
}

// expected reports the names of the table that the checkpoint lacks.
func (a *analysis) expected() (gaps []Gap) {
	if a.class == nil || a.full {
		return nil
	}
	tied, tiedKnown := a.tied()
	groups := a.groupExpected()
	total := 0
	for _, g := range groups {
		if len(g.missing) == 0 {
			continue
		}
		extras := a.extras(g.module)
		if len(g.missing) == g.total && g.total >= 4 {
			if extras == 0 && a.hasSection(g.module) && !a.uncertain {
				gaps = append(gaps, Gap{Names: []string{g.module + ".*"}, Because: a.class.Name + " has it, and the config describes it", Certain: true})
			}
			continue
		}
		var names []string
		for _, n := range g.missing {
			switch {
			case a.deviation[n], isHarmless(n), strings.Contains(n, "pooler."):
			case a.isHead(n) && tied:
			case a.isEmbedding(n) && a.hasFlat(a.rename(a.class.Head+".weight")) && (tied || !tiedKnown):
			case a.isVariant(n):
			default:
				names = append(names, n)
			}
		}
		if len(names) > 0 {
			total += len(names)
			gaps = append(gaps, Gap{Names: names, Because: a.class.Name + " is saved with it", Certain: !a.uncertain, Expected: true, Variant: len(names) > fewNames})
		}
	}
	if total > 2*fewNames {
		for i := range gaps {
			gaps[i].Variant = gaps[i].Variant || gaps[i].Expected
		}
	}
	if head := a.class.Head; head == "lm_head" && tiedKnown && !tied {
		if n := a.rename(head + ".weight"); !slices.Contains(a.class.Outside, head+".weight") && !a.hasHead() {
			gaps = append(gaps, Gap{Names: []string{n}, Because: "the config does not tie it to the embedding", Certain: true, Expected: true})
		}
	}
	return gaps
}

// hasHead tells whether a tensor may be of an output head, by its name.
func (a *analysis) hasHead() bool {
	for n := range a.flat {
		if strings.Contains(n, "head") || strings.Contains(n, "embed_out") || strings.Contains(n, "output.weight") {
			return true
		}
	}
	return false
}

func (a *analysis) isHead(name string) bool {
	return a.class.Head != "" && strings.HasSuffix(name, strings.TrimPrefix(a.class.Head, "model.")+".weight")
}

func (a *analysis) isEmbedding(name string) bool {
	e := a.class.Embedding
	return e != "" && strings.HasSuffix(name, e[strings.LastIndexByte(e, '.')+1:]+".weight")
}

// isVariant tells whether the module of a name has tensors of other names in its place.
func (a *analysis) isVariant(name string) bool {
	module := name[:max(strings.LastIndexByte(name, '.'), 0)]
	if module == "" {
		return false
	}
	for n := range a.flat {
		if rest, ok := strings.CutPrefix(n, module+"."); ok && !strings.Contains(rest, ".") && !a.isInTable(n) && !isHarmless(n) {
			return true
		}
	}
	return false
}

// expectedGroup is the names of the table below one module.
type expectedGroup struct {
	module  string
	total   int
	missing []string
}

// groupExpected groups the names of the table by the module that has them: a stack of
// layers, or what is in front of the last element but one.
func (a *analysis) groupExpected() (groups []*expectedGroup) {
	byModule := map[string]*expectedGroup{}
	for _, n := range a.class.Names {
		n = a.rename(n)
		module, _, layered := strings.Cut(n, ".#.")
		if !layered {
			module, _, _ = strings.Cut(n, ".")
			if rest := n[len(module):]; (module == "model" || module == "transformer" || module == "base_model") && strings.Count(rest, ".") > 2 {
				second, _, _ := strings.Cut(rest[1:], ".")
				module += "." + second
			}
		}
		g := byModule[module]
		if g == nil {
			g = &expectedGroup{module: module}
			byModule[module] = g
			groups = append(groups, g)
		}
		g.total++
		if !a.hasFlat(n) {
			g.missing = append(g.missing, n)
		}
	}
	for _, n := range a.class.Outside { // of modules with numbers that are no layers, each is there
		n = a.rename(n)
		if flat := classtensors.Collapse(n); flat != n && a.hasFlat(flat) && !a.has(n) && !a.model.Quantized && !a.deviation[flat] {
			module, _, _ := strings.Cut(flat, ".#.")
			byModule[module].missing = append(byModule[module].missing, n)
		}
	}
	return groups
}

// has tells whether the checkpoint has a tensor.
func (t *tree) has(name string) bool {
	prefix, number, rest, ok := cutNumber([]byte(name))
	if !ok {
		return t.outside[normal(name)]
	}
	s := t.byName[string(prefix)]
	return s != nil && s.members[string(rest)] != nil && s.members[string(rest)].layers.has(number)
}

// isInTable tells whether the table has a name, with # for numbers.
func (a *analysis) isInTable(flat string) bool {
	if a.inTable == nil {
		a.inTable = map[string]bool{}
		for _, n := range a.class.Names {
			a.inTable[normal(a.rename(n))] = true
		}
		for i := range a.class.Stacks {
			s := &a.class.Stacks[i]
			for _, n := range s.Layers.Some {
				a.inTable[normal(a.rename(join(s.Prefix, "#."+n)))] = true
			}
		}
	}
	return a.inTable[flat]
}

// extras counts the names of the checkpoint that the table does not have and that may be
// those of a module under another name: any outside the modules of the table, or in this
// module.
func (a *analysis) extras(module string) (n int) {
	for name := range a.flat {
		if !a.isInTable(name) && !isHarmless(name) && !strings.HasSuffix(name, ".bias") {
			n++
		}
	}
	_ = module
	return n
}

// hasSection tells whether the config describes the component whose tensors have a prefix.
func (a *analysis) hasSection(module string) bool {
	for i := range a.class.Stacks {
		s := &a.class.Stacks[i]
		prefix := a.rename(s.Prefix)
		if prefix != module && !strings.HasPrefix(prefix, module+".") {
			continue
		}
		for _, key := range s.Keys {
			section, _, nested := strings.Cut(key, ".")
			if !nested || a.value(section).IsObject() {
				return true
			}
		}
	}
	return false
}
