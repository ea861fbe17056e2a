package weights

import (
	"fmt"
	"path"
	"slices"

	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
)

// readHeader reads the header of a weight file, and returns false where that was not
// possible.
func (r *reader) readHeader(f *tree.File, s *weightSet) bool {
	if f.Problem != nil { // reported already
		r.Incomplete, r.SomeUnread = true, true
		return false
	}
	row := format.ByName(s.format)
	if row.Contents != nil && !slices.Contains(row.Contents, f.Format) {
		r.reportBroken(f.Name, fault.At(fault.Malformed, f.Name, 0, "the first bytes are not those of a "+s.format+" file").WithHint("download the file again"), finding.WeightsUnreadable)
		return false
	}
	if row.Read == nil {
		r.SomeUnread = true
		return false
	}
	h, err := tree.OpenAt(r.c.FS, r.c.Dir, f.Name)
	if err != nil {
		r.reportBroken(f.Name, err, finding.FileUnreadable)
		return false
	}
	defer h.Close()
	before := len(r.Tensors.List)
	header, err := row.Read(f, h, r.addTensor)
	if header.Unusable {
		r.Tensors.truncate(before)
	} else if !r.addHeader(f, &header, err == nil) {
		return false
	}
	if err != nil {
		r.reportBroken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	return true
}

// addHeader adds what a header contains besides its tensors. complete is false where the
// header could be read only in part. It returns false where the file cannot be used.
func (r *reader) addHeader(f *tree.File, header *format.Header, complete bool) bool {
	if r.Info.Framework == "" {
		r.Info.Framework = header.Framework
	}
	if header.GGUF != nil {
		r.GGUF = append(r.GGUF, header.GGUF)
		if len(r.GGUF) == 1 {
			r.KVHeads = kvHeadsOfLayers(header.GGUF)
			r.Info.ByteOrder = header.GGUF.ByteOrderName()
		}
	}
	r.packedBlocks = r.packedBlocks || header.PackedBlocks
	r.Findings = append(r.Findings, header.Findings...)
	for _, problem := range header.Problems {
		r.reportBroken(f.Name, problem, finding.WeightsUnreadable)
	}
	for _, e := range header.External {
		if e.Unsafe {
			r.Incomplete = true
			r.report(finding.IndexUnsafe, f.Name, fmt.Sprintf("the header places the data of a tensor in %.80q", e.File), "")
			return false
		}
		if complete {
			r.checkExternal(path.Join(f.Dir(), e.File), e.Bytes)
		}
	}
	return true
}

// kvHeadsOfLayers gives the number of key-value heads of each layer where the file lists
// them, as for hybrid models; else nil.
func kvHeadsOfLayers(f *gguf.File) (heads []int64) {
	v := f.ModelKey("attention.head_count_kv")
	if v.Len() == 0 || v.Len() > config.MaxLayers {
		return nil
	}
	for e, err := range v.Elements() {
		n := e.Int()
		if err != nil || n < 0 || n > 1<<16 {
			return nil
		}
		heads = append(heads, n)
	}
	return heads
}

// checkExternal checks that a file with the data of tensors is present and has the size
// that the header needs.
func (r *reader) checkExternal(name string, needed int64) {
	for i := range r.files {
		f := &r.files[i]
		if f.Name != name {
			continue
		}
		r.Info.Bytes += f.Size
		switch {
		case f.Problem != nil: // reported as such
			r.Incomplete = true
		case f.Size < needed:
			r.Incomplete = true
			r.report(finding.WeightsTruncated, name, fmt.Sprintf("it has %s, and the model's tensors reach to %s", finding.ExactBytes(f.Size), finding.ExactBytes(needed)), "")
		}
		return
	}
	r.Incomplete = true
	r.Info.Missing = append(r.Info.Missing, name)
	r.report(finding.ShardMissing, name, "the model keeps the data of its tensors in this file, which is not here", r.c.DownloadHint(name))
}
