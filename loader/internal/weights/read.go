// Package weights chooses the weight files that a loader takes, and reads their
// headers: tensors with name, element type and size, how many parameters they hold, and
// what is missing.
package weights

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
	"omniloader/loader/sniff"
)

// Headers are the weight files that a loader takes, as their headers describe them.
type Headers struct {
	Info    *answer.WeightsInfo
	Tensors Tensors
	GGUF    []*gguf.File // of a GGUF model, each of its files
	KVHeads []int64      // key-value heads of each layer, where the first GGUF file lists them
	// AllPresent: no file of the weights is missing, and all could be read.
	AllPresent bool
	// SomeUnread: of a format, or so broken, that nothing is known of its tensors.
	SomeUnread bool
	Findings   []answer.Finding // of reading them
}

// reader gathers what the weight files say.
type reader struct {
	*Headers
	c            *checkpoint.Directory
	quant        *answer.Quantization // as the config has it
	files        []tree.File          // all of the checkpoint
	packedBlocks bool                 // blocks of packed weights, whose number the headers do not tell
}

func (r *reader) report(code, file, message, hint string) {
	r.Findings = append(r.Findings, finding.New(code, file, message, hint))
}

// reportBroken reports a file that is part of the weights and cannot be used.
func (r *reader) reportBroken(file string, err error, fallback string) {
	r.Info.Complete = false
	r.SomeUnread = true
	code, hint := finding.CodeForError(err, fallback), finding.HintOf(err)
	if code == finding.FileUnreadable { // nothing loads without it
		e, _ := finding.Explain(code)
		code, hint = finding.WeightsUnreadable, cmp.Or(hint, e.WayOut)
	}
	r.report(code, file, finding.MessageOf(err), hint)
}

// Read describes the weights among files, nil where there are none.
func Read(c *checkpoint.Directory, files []tree.File, v *detect.Classification) *Headers {
	chosen := chooseWeights(c, findWeightSets(files), v)
	if len(chosen.sets) == 0 {
		return nil
	}
	r := &reader{c: c, quant: quantization.FromConfigs(c), files: files, Headers: &Headers{Info: &answer.WeightsInfo{
		Format: chosen.sets[0].format, Files: []string{}, Ignored: []string{}, Companions: []string{}, Missing: []string{},
		DTypes: map[string]int64{}, Complete: true,
	}}}
	for _, s := range chosen.sets {
		r.readSet(s, files)
	}
	slices.Sort(r.Info.Files)
	for _, s := range chosen.companions {
		for _, f := range s.files {
			r.Info.Companions = append(r.Info.Companions, f.Name)
		}
	}
	r.reportIgnored(&chosen)
	r.checkGGUF()
	r.count()
	r.AllPresent = r.Info.Complete
	if v.Layout == tensorRTLayout {
		r.checkRanks()
	}
	return r.Headers
}

// readSet reads one set of files.
func (r *reader) readSet(s *weightSet, files []tree.File) {
	if s.variant != "" {
		r.Info.Variant = s.variant
		r.report(finding.WeightsVariantOnly, path.Join(s.dir, s.key), "no plain file stands beside the variant "+s.variant, fmt.Sprintf("load with variant=%q", s.variant))
	}
	var index *shards.Index
	if s.index != nil {
		r.Info.Index = s.index.Name
		index = r.readIndex(s)
	}
	taken := s.files
	if index != nil {
		taken = slices.DeleteFunc(slices.Clone(s.files), func(f *tree.File) bool {
			return !slices.ContainsFunc(index.Shards, func(shard shards.Shard) bool { return shard.File == f.Base() })
		})
		r.addMissingShards(s, index)
	} else if s.sharded && s.index == nil {
		taken = r.chooseSeries(s)
	}
	var headers *shards.Headers
	if index != nil {
		headers = index.Headers()
	}
	var builder shards.Builder
	building := s.sharded && s.index == nil && s.format == "safetensors"
	for _, f := range taken {
		r.Info.Files = append(r.Info.Files, f.Name)
		r.Info.Bytes += f.Size
		from := len(r.Tensors.List)
		if !r.readHeader(f, s) {
			continue
		}
		var bytes int64
		for i := from; i < len(r.Tensors.List); i++ {
			bytes += r.Tensors.List[i].Bytes
		}
		if headers != nil {
			headers.Shard(f.Base(), bytes)
		}
		if building {
			builder.Shard(f.Base(), bytes)
		}
		for i := from; i < len(r.Tensors.List); i++ {
			if headers != nil {
				headers.Tensor(r.Tensors.Name(i))
			}
			if building {
				builder.Tensor(r.Tensors.Name(i))
			}
		}
	}
	if index != nil {
		r.checkIndex(s, index, headers, files)
	}
	if building {
		built := builder.Index(path.Join(s.dir, s.key+".index.json"))
		r.report(finding.IndexMissing, built.Path, fmt.Sprintf("the weights are in shards, and their index is not here; the shards' headers give a weight map of %d tensors in %d files, %s",
			built.Len(), len(built.Shards), sniff.ByteSize(max(built.TotalSize, 0))), "")
	}
}

// checkGGUF compares the shards of a GGUF model.
func (r *reader) checkGGUF() {
	if len(r.GGUF) == 0 {
		return
	}
	_, split := r.GGUF[0].Split()
	if len(r.GGUF) == 1 && !split {
		return
	}
	for _, err := range gguf.CheckShards(r.GGUF) {
		r.Info.Complete = false
		r.report(finding.CodeForError(err, finding.ShardsDisagree), fault.PathOf(err), finding.MessageOf(err), finding.HintOf(err))
	}
}
