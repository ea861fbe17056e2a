// Package weights chooses the weight files that a loader reads, and reads their headers:
// name, element type and size of each tensor, the number of parameters, and files that
// are missing. It does not read the data of tensors.
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
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
	"omniloader/loader/sniff"
)

// Headers are the headers of the weight files that a loader reads.
type Headers struct {
	Info    *answer.WeightsInfo
	Tensors Tensors
	GGUF    []*gguf.File // of a GGUF model, one for each of its files
	KVHeads []int64      // number of key-value heads of each layer, where the first GGUF file lists them
	// AllPresent: no file of the weights is missing, and every header could be read.
	AllPresent bool
	// Incomplete: a file or a part of one is missing, also by what was compared after the
	// headers.
	Incomplete bool
	// Compared says with what the weights were compared, for Incomplete to mean something:
	// "headers with the sizes of the files".
	Compared []string
	// SomeUnread: the tensors of at least one file are not known.
	SomeUnread bool
	Findings   []answer.Finding // of reading the headers
}

// reader is the state of Read.
type reader struct {
	*Headers
	c            *checkpoint.Directory
	quant        *answer.Quantization // as the configs declare it, nil where they declare none
	files        []tree.File          // all files of the checkpoint
	packedBlocks bool                 // see format.Header
	addTensor    func(format.Tensor)  // of Tensors
	frozenNorms  map[string]bool      // modules of batch normalization whose weight and bias are buffers
}

// compared records what was compared.
func (h *Headers) compared(what string) {
	if !slices.Contains(h.Compared, what) {
		h.Compared = append(h.Compared, what)
	}
}

// report adds a finding with its usual severity.
func (r *reader) report(code, file, message, hint string) {
	r.Findings = append(r.Findings, finding.New(code, file, message, hint))
}

// reportBroken reports a weight file that cannot be used. fallback is the code for an
// error whose kind has none.
func (r *reader) reportBroken(file string, err error, fallback string) {
	r.Incomplete = true
	r.SomeUnread = true
	code, hint := finding.CodeForError(err, fallback), finding.HintOf(err)
	if code == finding.FileUnreadable { // loading fails without the file
		e, _ := finding.Explain(code)
		code, hint = finding.WeightsUnreadable, cmp.Or(hint, e.WayOut)
	}
	r.report(code, file, finding.MessageOf(err), hint)
}

// Read chooses among files, which are those of the checkpoint, and reads the headers;
// nil where there are no weight files.
func Read(c *checkpoint.Directory, files []tree.File, v *detect.Classification) *Headers {
	chosen := chooseWeights(c, findWeightSets(files), v)
	if len(chosen.sets) == 0 {
		return nil
	}
	r := &reader{c: c, quant: quantization.FromConfigs(c), files: files, Headers: &Headers{Info: &answer.WeightsInfo{
		Format: chosen.sets[0].format, Files: []string{}, Ignored: []string{}, Companions: []string{}, Missing: []string{},
		DTypes: map[string]int64{},
	}}}
	r.addTensor = r.Tensors.add
	r.namedByIndex(&chosen, files)
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
	if !r.SomeUnread && len(r.Info.Files) > 0 {
		r.compared("headers with the sizes of the files")
	}
	r.count()
	r.AllPresent = !r.Incomplete
	if v.Layout == tensorRTLayout {
		r.checkRanks()
	}
	return r.Headers
}

// readSet reads the headers of a set of files, and compares them with the index.
func (r *reader) readSet(s *weightSet, files []tree.File) {
	if s.variant != "" {
		r.Info.Variant = s.variant
		r.report(finding.WeightsVariantOnly, path.Join(s.dir, s.key), "no plain file stands beside the variant "+s.variant, fmt.Sprintf("load with variant=%q", s.variant))
	}
	index, used := s.parsed, s.files
	if s.index != nil {
		r.Info.Index = s.index.Name
	}
	if index != nil {
		r.addMissingShards(s, index)
		r.compared("shards with the index")
	} else if s.sharded && s.index == nil {
		used = r.chooseSeries(s)
	}
	var headers *shards.Headers
	if index != nil {
		headers = index.Headers()
	}
	var builder shards.Builder
	buildIndex := s.sharded && s.index == nil && format.ByName(s.format).Index == format.RequiredIndex
	for _, f := range used {
		r.Info.Files = append(r.Info.Files, f.Name)
		r.Info.Bytes += f.Size
		first := len(r.Tensors.List)
		if !r.readHeader(f, s) {
			continue
		}
		var bytes int64
		for i := first; i < len(r.Tensors.List); i++ {
			bytes += r.Tensors.List[i].Bytes
		}
		if headers != nil {
			headers.Shard(s.shardName(f), bytes)
		}
		if buildIndex {
			builder.Shard(f.Base(), bytes)
		}
		for i := first; i < len(r.Tensors.List); i++ {
			if headers != nil {
				headers.Tensor(r.Tensors.Name(i))
			}
			if buildIndex {
				builder.Tensor(r.Tensors.Name(i))
			}
		}
	}
	if index != nil {
		r.checkIndex(s, index, headers, files)
	}
	if buildIndex {
		built := builder.Index(path.Join(s.dir, s.key+".index.json"))
		r.report(finding.IndexMissing, built.Path, fmt.Sprintf("the weights are in shards, and their index is not here; the shards' headers give a weight map of %s in %s, %s",
			finding.Plural(built.Len(), "tensor"), finding.Plural(len(built.Shards), "file"), sniff.ByteSize(max(built.TotalSize, 0))), "")
	}
}

// checkGGUF checks that the shards of a GGUF model belong together.
func (r *reader) checkGGUF() {
	if len(r.GGUF) == 0 {
		return
	}
	_, split := r.GGUF[0].Split()
	if len(r.GGUF) == 1 && !split {
		return
	}
	for _, err := range gguf.CheckShards(r.GGUF) {
		r.Incomplete = true
		r.report(finding.CodeForError(err, finding.ShardsDisagree), fault.PathOf(err), finding.MessageOf(err), finding.HintOf(err))
	}
}
