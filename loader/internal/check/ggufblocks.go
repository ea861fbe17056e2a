package check

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

//go:embed gguf_roots.tsv
var ggufRootsTSV string

//go:embed gguf_pairs.tsv
var ggufPairsTSV string

// ggufRoots gives the tensors outside the blocks of an architecture.
var ggufRoots = sync.OnceValue(func() map[string][]string {
	roots := map[string][]string{}
	for f := range table.Rows(ggufRootsTSV) {
		roots[f[0]] = strings.Split(f[1], ",")
	}
	return roots
})

// ggufPair is a row of gguf_pairs.tsv.
type ggufPair struct {
	tensor        string
	needs, butNot []string
}

var ggufPairs = sync.OnceValue(func() (rows []ggufPair) {
	for f := range table.Rows(ggufPairsTSV) {
		rows = append(rows, ggufPair{f[0], strings.Split(f[1], ","), strings.Split(f[2], ",")})
	}
	return rows
})

// The tensors of a GGUF model are compared with what its architecture needs, and the blocks
// with each other. llama.cpp refuses a model that lacks one.
var _ = register(Check{
	Name:  "gguf-tensors",
	Codes: []string{finding.TensorMissing},
	Needs: Headers,
	Run: func(f *Facts) (findings []answer.Finding) {
		if len(f.Weights.GGUF) == 0 || len(f.Info.Candidates) > 0 {
			return nil
		}
		file := f.Weights.GGUF[0]
		known, ok := gguf.LookupArchitecture(file.Architecture())
		content, _ := file.Content()
		if content != gguf.Model || !ok || known.Source != "llama.cpp" || !writesOrReadsText(f.Info.Task) {
			return nil
		}
		var names []string
		if blocks := findBlocks(f); len(blocks) > 0 {
			names = append(missingRoots(f, file), missingInBlocks(file, f.Weights.KVHeads, blocks)...)
		}
		var lacking [2][]string
		for _, name := range names {
			grade := 0
			if strings.HasSuffix(name, ".bias") {
				grade = 1 // llama.cpp takes most biases as they come
			}
			lacking[grade] = append(lacking[grade], name)
		}
		for grade, list := range lacking {
			if len(list) > 0 {
				findings = append(findings, finding.NewGraded(finding.Grade(grade), finding.TensorMissing, file.Path,
					"no tensor "+finding.JoinFirst(list)+", which the architecture "+file.Architecture()+" or the other blocks have", ""))
			}
		}
		return findings
	},
})

// writesOrReadsText tells whether a task is one of language models and text encoders.
func writesOrReadsText(task answer.Task) bool {
	return task == "text_encoder" || slices.Contains(config.KeyList("task"), string(task))
}

// missingRoots lists the tensors outside the blocks that are not there.
func missingRoots(f *Facts, file *gguf.File) (names []string) {
	roots, ok := ggufRoots()[file.Architecture()]
	if !ok {
		roots = []string{"token_embd", "output_norm"}
	}
	for _, root := range roots {
		if root == "output_norm" && f.Info.Task == "text_encoder" {
			continue // most encoders have none
		}
		if name := root + ".weight"; !f.Weights.Tensors.HasAny([]string{name}) {
			names = append(names, name)
		}
	}
	return names
}

// findBlocks lists the tensors of each block, without "blk.N.", by the prefix of the blocks:
// "blk", "enc.blk", "dec.blk".
func findBlocks(f *Facts) map[string][][]string {
	stacks := map[string][][]string{}
	for i := range f.Weights.Tensors.List {
		stack, n, rest, ok := cutBlock(string(f.Weights.Tensors.Name(i)))
		if !ok {
			continue
		}
		blocks := stacks[stack]
		for n >= len(blocks) {
			blocks = append(blocks, nil)
		}
		blocks[n] = append(blocks[n], rest)
		stacks[stack] = blocks
	}
	return stacks
}

// cutBlock parses "blk.3.attn_q.weight".
func cutBlock(name string) (stack string, n int, rest string, ok bool) {
	stack, rest, ok = strings.Cut(name, "blk.")
	digits, rest, found := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	return stack + "blk", n, rest, ok && found && err == nil && n >= 0 && n < config.MaxLayers && (stack == "" || strings.HasSuffix(stack, "."))
}

// isExpertOfItsOwn tells whether a tensor of a block is that of one expert:
// "ffn_gate.7.weight".
func isExpertOfItsOwn(rest string) bool {
	part, more, ok := strings.Cut(rest, ".")
	number, _, found := strings.Cut(more, ".")
	_, err := strconv.Atoi(number)
	return ok && found && err == nil && (part == "ffn_gate" || part == "ffn_up" || part == "ffn_down")
}

// missingInBlocks lists tensors that a block lacks. kvHeads are the key-value heads of each
// layer, nil where the file has no list.
func missingInBlocks(file *gguf.File, kvHeads []int64, stacks map[string][][]string) (names []string) {
	for _, stack := range [...]string{"blk", "enc.blk", "dec.blk"} {
		kinds := map[blockKind][]int{}
		for i, b := range stacks[stack] {
			if len(b) == 0 {
				continue // by the check "layers"
			}
			slices.Sort(b)
			kind := kindOfBlock(file, kvHeads, i)
			kinds[kind] = append(kinds[kind], i)
		}
		gaps := map[string]bool{}
		for _, members := range kinds {
			missingOfKind(stack, stacks[stack], members, gaps)
		}
		missingOfOne(stack, stacks[stack], kinds, gaps)
		if stack == "blk" {
			missingOfPairs(file, stacks[stack], gaps)
		}
		for name := range gaps {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, compareBlocks)
	return names
}

// compareBlocks orders names of tensors by their block, then by name.
func compareBlocks(a, b string) int {
	_, i, _, _ := cutBlock(a)
	_, j, _, _ := cutBlock(b)
	if i != j {
		return i - j
	}
	return strings.Compare(a, b)
}

// blockKind is the kind of a block by the keys of the file: blocks of one kind have the
// same tensors.
type blockKind struct {
	leading  bool // dense, before blocks with experts
	nextn    bool // predicts further tokens
	sharedKV bool // uses the keys and values of another
	full     bool // full attention among others
	experts  bool // every few blocks
	noKV     bool // without key-value heads
}

// kindOfBlock gives the kind of block i.
func kindOfBlock(file *gguf.File, kvHeads []int64, i int) blockKind {
	n := int64(i)
	number := func(key string) int64 { return file.ModelKey(key).Int() }
	isEvery := func(key string) bool { e := number(key); return e > 1 && (n+1)%e == 0 }
	count := number("block_count")
	return blockKind{
		leading: n < number("leading_dense_block_count"), nextn: n >= count-number("nextn_predict_layers"), sharedKV: n >= count-number("attention.shared_kv_layers"),
		full: isEvery("full_attention_interval"), experts: isEvery("interleave_moe_layer_step"), noKV: i < len(kvHeads) && kvHeads[i] == 0,
	}
}

// isOptional tells whether a tensor may be there in some blocks of a kind alone: factors
// of rotation, biases of positions that blocks share, and scales of quantized tensors.
func isOptional(rest string) bool {
	return strings.HasSuffix(rest, "scale") || strings.HasPrefix(rest, "rope_") || strings.HasPrefix(rest, "attn_rot_embd") || strings.HasPrefix(rest, "attn_rel_b")
}

// missingOfKind adds to gaps what blocks of one kind lack that most of them have. A block
// that also has tensors that most have not is of a kind that the keys do not tell, and so
// are blocks without a tensor that are more than a third.
func missingOfKind(stack string, blocks [][]string, members []int, gaps map[string]bool) {
	have := map[string]int{}
	for _, i := range members {
		for _, rest := range blocks[i] {
			have[rest]++
		}
	}
	isUsual := func(rest string) bool { return have[rest]*2 > len(members) || len(members) == 2 }
	for rest, n := range have {
		lacking := len(members) - n
		if lacking == 0 || isOptional(rest) || !isUsual(rest) || len(members) > 2 && lacking*3 > len(members) {
			continue
		}
		for _, i := range members {
			if _, has := slices.BinarySearch(blocks[i], rest); has || len(members) == 2 && hasOwn(blocks, members, i) {
				continue
			}
			if len(members) == 2 || !slices.ContainsFunc(blocks[i], func(r string) bool { return !isUsual(r) }) {
				gaps[stack+"."+strconv.Itoa(i)+"."+rest] = true
			}
		}
	}
}

// minCompared is the number of blocks from which a tensor that a single one lacks is told
// across kinds.
const minCompared = 4

// missingOfOne adds to gaps what a single block of all kinds lacks: a tensor that blocks of
// several kinds have, or one of the attention, which dense blocks before those with experts
// have as well.
func missingOfOne(stack string, blocks [][]string, kinds map[blockKind][]int, gaps map[string]bool) {
	total := 0
	have := map[string]int{}
	kindsWith := map[string]int{}
	for kind, members := range kinds {
		if kind.nextn {
			continue
		}
		total += len(members)
		ofKind := map[string]bool{}
		for _, i := range members {
			for _, rest := range blocks[i] {
				have[rest]++
				ofKind[rest] = true
			}
		}
		for rest := range ofKind {
			kindsWith[rest]++
		}
	}
	if total < minCompared {
		return
	}
	for kind, members := range kinds {
		if kind.nextn || kind.sharedKV {
			continue
		}
		for rest, n := range have {
			if n != total-1 || isOptional(rest) || kindsWith[rest] < 2 && !(kind.leading && (strings.HasPrefix(rest, "attn_") || rest == "ffn_norm.weight")) {
				continue
			}
			for _, i := range members {
				if _, has := slices.BinarySearch(blocks[i], rest); !has {
					gaps[stack+"."+strconv.Itoa(i)+"."+rest] = true
				}
			}
		}
	}
}

// hasOwn tells whether block i of two has a tensor that the other has not.
func hasOwn(blocks [][]string, members []int, i int) bool {
	other := members[0]
	if other == i {
		other = members[1]
	}
	return slices.ContainsFunc(blocks[i], func(r string) bool { _, has := slices.BinarySearch(blocks[other], r); return !has })
}

// missingOfPairs adds to gaps what a block of a decoder lacks for another of its tensors.
func missingOfPairs(file *gguf.File, blocks [][]string, gaps map[string]bool) {
	for i, b := range blocks {
		for _, p := range ggufPairs() {
			if _, has := slices.BinarySearch(b, p.tensor); !has || slices.Contains(p.butNot, file.Architecture()) {
				continue
			}
			if !slices.ContainsFunc(p.needs, func(n string) bool { _, has := slices.BinarySearch(b, n); return has }) {
				gaps["blk."+strconv.Itoa(i)+"."+p.needs[0]] = true
			}
		}
	}
}
