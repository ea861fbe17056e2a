// Package weights chooses the weight files that a loader takes, and reads their
// headers: tensors with name, element type and size, how many parameters they hold,
// and what is missing.
package weights

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/tree"
	"omniloader/loader/npz"
	"omniloader/loader/pickle"
	"omniloader/loader/safetensors"
	"omniloader/loader/shards"
	"omniloader/loader/sniff"
)

// storedTensor is a tensor as a header describes it. Headers hold a hundred
// thousand of them, so the names lie in one text.
type storedTensor struct {
	nameEnd  int // in tensorList.names; it begins where the one before ends
	file     int // among the files read
	DType    string
	Elements int64
	bytes    int64
	Rows     int64 // the first dimension, 1 for a scalar
}

// TensorList is the tensors of the weight files that were chosen.
type TensorList struct {
	names   []byte
	Tensors []storedTensor
}

func (l *TensorList) add(name []byte, t storedTensor) {
	l.names = append(l.names, name...)
	t.nameEnd = len(l.names)
	l.Tensors = append(l.Tensors, t)
}

func (l *TensorList) Name(i int) []byte {
	start := 0
	if i > 0 {
		start = l.Tensors[i-1].nameEnd
	}
	return l.names[start:l.Tensors[i].nameEnd]
}

// HoldsAny tells whether there is a tensor of one of a few names. It is one pass, for
// however many: real files have held a million tensors.
func (l *TensorList) HoldsAny(names []string) bool {
	for i := range l.Tensors {
		name := l.Name(i)
		for _, n := range names {
			if string(name) == n {
				return true
			}
		}
	}
	return false
}

// Reader gathers what the weight files say.
type Reader struct {
	c    *checkpoint.Checkpoint
	Info *answer.WeightsInfo
	List TensorList
	GGUF []*gguf.File

	GGUFKVHeads []int64              // of each layer, where the first GGUF file lists them
	quant       *answer.Quantization // as the config has it
	Findings    []answer.Finding
	files       []tree.File // all of the checkpoint

	packedBlocks bool // blocks of packed weights, whose number the headers do not tell
	Unread       bool // of a format, or so broken, that nothing is known of its tensors
}

func (r *Reader) report(code, file, message, hint string) {
	r.Findings = append(r.Findings, finding.New(code, file, message, hint))
}

// broken reports a file that is part of the weights and cannot be used.
func (r *Reader) broken(file string, err error, fallback string) {
	r.Info.Complete = false
	r.Unread = true
	found := finding.New(finding.CodeOfError(err, fallback), file, finding.WithoutPath(err), finding.HintOf(err))
	if found.Code == finding.FileUnreadable { // nothing loads without it
		found.Code, found.Severity = finding.WeightsUnreadable, answer.SeverityError
	}
	r.Findings = append(r.Findings, found)
}

// Read describes the weights among files, nil where there are none.
func Read(c *checkpoint.Checkpoint, files []tree.File, v *detect.Result) (*Reader, choice) {
	chosen := chooseWeights(c, findWeightSets(files), v)
	if len(chosen.sets) == 0 {
		return nil, chosen
	}
	r := &Reader{c: c, quant: quantization.Of(c), files: files, Info: &answer.WeightsInfo{
		Format: chosen.sets[0].format, Files: []string{}, Ignored: []string{}, Companions: []string{}, Missing: []string{},
		DTypes: map[string]int64{}, Complete: true,
	}}
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
	return r, chosen
}

// readSet reads one set of files.
func (r *Reader) readSet(s *weightSet, files []tree.File) {
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
		r.missingFromIndex(s, index)
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
		from := len(r.List.Tensors)
		if !r.readHeader(f, s) {
			continue
		}
		var bytes int64
		for i := from; i < len(r.List.Tensors); i++ {
			bytes += r.List.Tensors[i].bytes
		}
		if headers != nil {
			headers.Shard(f.Base(), bytes)
		}
		if building {
			builder.Shard(f.Base(), bytes)
		}
		for i := from; i < len(r.List.Tensors); i++ {
			if headers != nil {
				headers.Tensor(r.List.Name(i))
			}
			if building {
				builder.Tensor(r.List.Name(i))
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

// readIndex reads the index of a set, nil where it cannot be read.
func (r *Reader) readIndex(s *weightSet) *shards.Index {
	if s.index.Problem != nil { // reported already
		r.Info.Complete = false
		return nil
	}
	h, err := tree.OpenAt(r.c.FS, r.c.Dir, s.index.Name)
	if err == nil {
		defer h.Close()
		var index *shards.Index
		if index, err = shards.Read(s.index.Name, h, h.Size); err == nil {
			return index
		}
	}
	r.Info.Complete = false
	r.report(finding.IndexUnreadable, s.index.Name, finding.WithoutPath(err), finding.HintOf(err))
	return nil
}

// missingFromIndex notes the shards that an index names and the directory has
// not, for the report on completeness.
func (r *Reader) missingFromIndex(s *weightSet, index *shards.Index) {
	for _, shard := range index.Shards {
		if !shard.Unsafe && !slices.ContainsFunc(s.files, func(f *tree.File) bool { return f.Base() == shard.File }) {
			r.Info.Missing = append(r.Info.Missing, path.Join(s.dir, shard.File))
			r.Info.Complete = false
		}
	}
}

// checkIndex reports where index, directory and shards disagree.
func (r *Reader) checkIndex(s *weightSet, index *shards.Index, headers *shards.Headers, files []tree.File) {
	var listing []shards.File
	for i := range files {
		if f := &files[i]; f.Dir() == s.dir {
			listing = append(listing, shards.File{Name: f.Base(), Size: f.Size})
		}
	}
	for _, p := range index.Check(listing, headers) {
		if p.Kind == fault.Empty || p.Kind == shards.SingleFileToo { // said elsewhere
			continue
		}
		file := p.File
		if file != s.index.Name {
			file = path.Join(s.dir, file)
		}
		hint := p.Hint
		if p.Kind == shards.MissingShard {
			hint = r.c.HowToGet(file)
		}
		found := finding.New(finding.CodeOfKind(p.Kind), file, p.Detail, hint)
		r.Findings = append(r.Findings, found)
		if found.Severity == answer.SeverityError {
			r.Info.Complete = false
		}
	}
}

// chooseSeries chooses among shards without an index: the save that is whole, or else
// the one with the most files; and reports the shards that its names promise.
func (r *Reader) chooseSeries(s *weightSet) []*tree.File {
	var listing []shards.File
	for _, f := range s.files {
		listing = append(listing, shards.File{Name: f.Base(), Size: f.Size})
	}
	var best *shards.Series
	found := shards.FindSeries(listing)
	for i := range found {
		x := &found[i]
		if best == nil || x.Complete() && !best.Complete() || x.Complete() == best.Complete() && len(x.Files) > len(best.Files) {
			best = x
		}
	}
	if best == nil {
		return s.files
	}
	if best.Lacking > 0 {
		r.Info.Complete = false
		for _, n := range best.Missing {
			r.Info.Missing = append(r.Info.Missing, path.Join(s.dir, fmt.Sprintf("%s-%05d-of-%05d%s", best.Stem, n, best.Count, best.Suffix)))
		}
		if s.format != "gguf" { // whose own check says it
			r.report(finding.ShardMissing, r.Info.Missing[len(r.Info.Missing)-len(best.Missing)],
				fmt.Sprintf("%d of the %d shards that the names promise are not here", best.Lacking, best.Count), r.c.HowToGet(s.dir))
		}
	}
	return slices.DeleteFunc(slices.Clone(s.files), func(f *tree.File) bool {
		return !slices.ContainsFunc(best.Files, func(b shards.File) bool { return b.Name == f.Base() })
	})
}

// readHeader reads the header of one file; it tells whether that was possible.
func (r *Reader) readHeader(f *tree.File, s *weightSet) bool {
	if f.Problem != nil { // reported already
		r.Info.Complete, r.Unread = false, true
		return false
	}
	read := weightFormats[s.format]
	if formats := contentsOf[s.format]; formats != nil && !slices.Contains(formats, f.Format) {
		r.broken(f.Name, fault.At(fault.Malformed, f.Name, 0, "the first bytes are not those of a "+s.format+" file").WithHint("download the file again"), finding.WeightsUnreadable)
		return false
	}
	if read == nil {
		r.Unread = true
		return false
	}
	h, err := tree.OpenAt(r.c.FS, r.c.Dir, f.Name)
	if err != nil {
		r.broken(f.Name, err, finding.FileUnreadable)
		return false
	}
	defer h.Close()
	return read(r, f, h)
}

// weightFormats are the formats whose headers are read.
var weightFormats = map[string]func(*Reader, *tree.File, *tree.Handle) bool{
	"safetensors": (*Reader).safetensors,
	"gguf":        (*Reader).ggufFile,
	"pytorch":     (*Reader).pickleFile,
	"torchscript": (*Reader).pickleFile,
	"numpy":       (*Reader).npzFile,
	"onnx":        (*Reader).onnxFile,
	"dduf":        (*Reader).ddufFile,
}

func (r *Reader) safetensors(f *tree.File, h *tree.Handle) bool {
	file := len(r.Info.Files)
	before, named := len(r.List.Tensors), len(r.List.names)
	summary, err := safetensors.Scan(f.Name, h, h.Size, func(e safetensors.Entry) error {
		rows := int64(1)
		if len(e.Shape) > 0 {
			rows = int64(e.Shape[0])
		}
		r.List.add(e.Name, storedTensor{file: file, DType: e.DType.String(), Elements: e.Elements, bytes: e.End - e.Begin, Rows: rows})
		return nil
	})
	if err != nil {
		r.List.Tensors, r.List.names = r.List.Tensors[:before], r.List.names[:named]
		r.broken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	if format := summary.Metadata["format"]; format != "" && r.Info.Framework == "" {
		r.Info.Framework = format
	}
	return true
}

func (r *Reader) ggufFile(f *tree.File, h *tree.Handle) bool {
	file, err := gguf.Read(h, h.Size, f.Name)
	if file != nil {
		if r.GGUF = append(r.GGUF, file); len(r.GGUF) == 1 {
			r.GGUFKVHeads = kvHeadsOfLayers(file)
		}
		for i := range file.Tensors {
			t := &file.Tensors[i]
			shape := t.Shape()
			rows := int64(1)
			if len(shape) > 0 {
				rows = int64(shape[0])
			}
			r.List.add([]byte(t.Name), storedTensor{file: len(r.Info.Files), DType: t.Type.String(), Elements: int64(t.Elements()), bytes: int64(t.Bytes), Rows: rows})
		}
	}
	if err != nil {
		r.broken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	return true
}

// kvHeadsOfLayers reads the key-value heads of each layer where the file lists
// them one by one, as those of hybrid models do; nil where it does not.
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

// pickleFile reads what a pickle would unpickle to. Tensors that look into the
// same storage count once.
func (r *Reader) pickleFile(f *tree.File, h *tree.Handle) bool {
	p, err := pickle.Read(h, h.Size, f.Name)
	if p != nil {
		seen := make([]bool, len(p.Storages))
		for i := range p.Tensors {
			t := &p.Tensors[i]
			if t.Storage >= 0 {
				if seen[t.Storage] {
					continue
				}
				seen[t.Storage] = true
			}
			rows := int64(1)
			if len(t.Shape) > 0 {
				rows = t.Shape[0]
			}
			r.List.add([]byte(t.Name), storedTensor{file: len(r.Info.Files), DType: answer.OrNone(t.DType), Elements: t.Elements(), bytes: t.Bytes(), Rows: rows})
		}
		r.Findings = append(r.Findings, pickleFindings(p, f.Name, finding.PickleUnknown)...)
		for _, problem := range p.Problems {
			r.broken(f.Name, problem, finding.WeightsUnreadable)
		}
	}
	if err != nil {
		r.broken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	return true
}

func (r *Reader) npzFile(f *tree.File, h *tree.Handle) bool {
	arrays, err := npz.Read(h, h.Size, f.Name)
	for i := range arrays {
		a := &arrays[i]
		rows := int64(1)
		if len(a.Shape) > 0 {
			rows = a.Shape[0]
		}
		r.List.add([]byte(a.Name), storedTensor{file: len(r.Info.Files), DType: answer.OrNone(a.DType), Elements: a.Elements(), bytes: a.Bytes(), Rows: rows})
		if a.Pickled {
			r.report(finding.PickleUnknown, f.Name, "the array "+a.Name+" holds Python objects, which loading unpickles", "load it with allow_pickle=False, which refuses them")
		}
	}
	if err != nil {
		r.broken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	return true
}

// pickleFindings report the imports that are not harmless, each risk once.
func pickleFindings(p *pickle.File, file, unknown string) (findings []answer.Finding) {
	for _, risk := range [...]struct {
		risk pickle.Risk
		code string
	}{{pickle.Dangerous, finding.PickleDangerous}, {pickle.Suspicious, unknown}} {
		var names []string
		why := ""
		for _, i := range p.Imports {
			if i.Risk == risk.risk && !slices.Contains(names, i.String()) {
				names = append(names, i.String())
				if why == "" {
					why = i.Why
				}
			}
		}
		if risk.risk == pickle.Suspicious && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !isTorchScript(n) }) {
			f := finding.New(finding.PickleUnknown, file, "it is a TorchScript program: its classes lie in the archive", "torch.jit.load runs them: load it only from where you trust")
			f.Severity = answer.SeverityNote
			findings = append(findings, f)
			continue
		}
		if len(names) > 0 && risk.code != "" {
			if len(names) > 3 {
				names = append(names[:3], "…")
			}
			message := "unpickling it imports " + strings.Join(names, ", ")
			if why != "" {
				message += ": " + why
			}
			findings = append(findings, finding.New(risk.code, file, message, ""))
		}
	}
	return findings
}

// isTorchScript tells whether a class belongs to TorchScript: it lies in the
// archive itself, or builds its lists.
func isTorchScript(name string) bool {
	return strings.HasPrefix(name, "__torch__.") || strings.HasPrefix(name, "torch.jit._pickle.")
}

// ScanPickles looks at the pickles that are not among the weights read, since
// somebody may load them. What is unknown in them (a trainer's own classes) is
// their affair; what is dangerous is not.
func ScanPickles(c *checkpoint.Checkpoint, files []tree.File, read []string) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if f.Problem != nil || slices.Contains(read, f.Name) {
			continue
		}
		switch f.Format {
		case sniff.Pickle, sniff.TorchLegacy:
		case sniff.Zip:
			switch path.Ext(f.Name) {
			case ".bin", ".pt", ".pth", ".ckpt", ".pkl":
			default:
				continue
			}
		default:
			continue
		}
		h, err := tree.OpenAt(c.FS, c.Dir, f.Name)
		if err != nil {
			continue // said when its first bytes were read
		}
		if p, _ := pickle.Read(h, h.Size, f.Name); p != nil { // broken or not, what it imports counts
			findings = append(findings, pickleFindings(p, f.Name, "")...)
		}
		h.Close()
	}
	return findings
}

// checkGGUF compares the shards of a GGUF model.
func (r *Reader) checkGGUF() {
	if len(r.GGUF) == 0 {
		return
	}
	_, split := r.GGUF[0].Split()
	if len(r.GGUF) == 1 && !split {
		return
	}
	for _, err := range gguf.CheckShards(r.GGUF) {
		r.Info.Complete = false
		r.report(finding.CodeOfError(err, finding.ShardsDisagree), fault.PathOf(err), finding.WithoutPath(err), finding.HintOf(err))
	}
}

// reportIgnored says what a loader leaves aside, and what a less careful one
// would load twice.
func (r *Reader) reportIgnored(chosen *choice) {
	var same, other []*weightSet
	for _, s := range chosen.ignored {
		for _, f := range s.files {
			r.Info.Ignored = append(r.Info.Ignored, f.Name)
		}
		if len(s.files) == 0 || s.role == roleAdapter {
			continue
		}
		sameDir := slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir })
		if s.sharded && slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir && t.key == s.key }) {
			r.report(finding.WeightsSingleAndIndex, path.Join(s.dir, s.key), fmt.Sprintf("the single file is taken, as transformers does; %d shards of the same name are left aside", len(s.files)), "")
			continue
		}
		if s.variant != "" || chosen.alternatives && s.format == r.Info.Format {
			continue // meant to be chosen between
		}
		if s.role == roleUnlisted && 2*sizeOfSets(s) < sizeOfSets(chosen.sets...) {
			continue // some other part, such as a head of an embedding model: not the weights again
		}
		if sameDir && s.format == r.Info.Format {
			same = append(same, s)
		} else {
			other = append(other, s)
		}
	}
	slices.Sort(r.Info.Ignored)
	if chosen.alternatives {
		others := finding.CountOf(len(r.Info.Ignored), "other file") + " beside it"
		if slices.ContainsFunc(r.Info.Ignored, func(name string) bool { return format.GGUFStem(name) != format.GGUFStem(r.Info.Files[0]) }) {
			r.report(finding.WeightsAlternatives, r.Info.Files[0], "this one is described; "+others+", which may be of other models", "")
		} else {
			r.report(finding.WeightsAlternatives, r.Info.Files[0], "this one is described; "+others+", as versions of it", "")
		}
	}
	if len(same) > 0 {
		r.report(finding.WeightsDuplicate, same[0].files[0].Name, describeSets(same)+" beside the weights in use, in the same format", "")
	}
	if len(other) > 0 {
		f := finding.New(finding.WeightsDuplicate, other[0].files[0].Name, describeSets(other)+" beside the weights in use, in another format or directory", "")
		f.Severity = answer.SeverityNote
		r.Findings = append(r.Findings, f)
	}
}

// describeSets counts the files of sets and their bytes.
func describeSets(sets []*weightSet) string {
	files, bytes := 0, sizeOfSets(sets...)
	for _, s := range sets {
		files += len(s.files)
	}
	if files == 1 {
		return "1 file of " + sniff.ByteSize(bytes)
	}
	return fmt.Sprintf("%d files of %s", files, sniff.ByteSize(bytes))
}

func sizeOfSets(sets ...*weightSet) (bytes int64) {
	for _, s := range sets {
		for _, f := range s.files {
			bytes += f.Size
		}
	}
	return bytes
}
