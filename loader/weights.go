package loader

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/gguf"
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
	dtype    string
	elements int64
	bytes    int64
	rows     int64 // the first dimension, 1 for a scalar
}

// tensorList is the tensors of the weight files that were chosen.
type tensorList struct {
	names   []byte
	tensors []storedTensor
}

func (l *tensorList) add(name []byte, t storedTensor) {
	l.names = append(l.names, name...)
	t.nameEnd = len(l.names)
	l.tensors = append(l.tensors, t)
}

func (l *tensorList) name(i int) []byte {
	start := 0
	if i > 0 {
		start = l.tensors[i-1].nameEnd
	}
	return l.names[start:l.tensors[i].nameEnd]
}

// holdsAny tells whether there is a tensor of one of a few names. It is one pass, for
// however many: real files have held a million tensors.
func (l *tensorList) holdsAny(names []string) bool {
	for i := range l.tensors {
		name := l.name(i)
		for _, n := range names {
			if string(name) == n {
				return true
			}
		}
	}
	return false
}

// weightReader gathers what the weight files say.
type weightReader struct {
	c    *checkpoint
	info *WeightsInfo
	list tensorList
	gguf []*gguf.File

	ggufKVHeads []int64       // of each layer, where the first GGUF file lists them
	quant       *Quantization // as the config has it
	findings    []Finding
	files       []fileInfo // all of the checkpoint

	packedBlocks bool // blocks of packed weights, whose number the headers do not tell
	unread       bool // of a format, or so broken, that nothing is known of its tensors
}

func (r *weightReader) report(code, file, message, hint string) {
	r.findings = append(r.findings, finding(code, file, message, hint))
}

// broken reports a file that is part of the weights and cannot be used.
func (r *weightReader) broken(file string, err error, fallback string) {
	r.info.Complete = false
	r.unread = true
	found := finding(codeOfError(err, fallback), file, withoutPath(err), hintOf(err))
	if found.Code == CodeFileUnreadable { // nothing loads without it
		found.Code, found.Severity = CodeWeightsUnreadable, SeverityError
	}
	r.findings = append(r.findings, found)
}

// readWeights describes the weights among files, nil where there are none.
func (c *checkpoint) readWeights(files []fileInfo, v *verdict) (*weightReader, choice) {
	chosen := c.chooseWeights(findWeightSets(files), v)
	if len(chosen.sets) == 0 {
		return nil, chosen
	}
	r := &weightReader{c: c, quant: c.quantization(), files: files, info: &WeightsInfo{
		Format: chosen.sets[0].format, Files: []string{}, Ignored: []string{}, Companions: []string{}, Missing: []string{},
		DTypes: map[string]int64{}, Complete: true,
	}}
	for _, s := range chosen.sets {
		r.set(s, files)
	}
	slices.Sort(r.info.Files)
	for _, s := range chosen.companions {
		for _, f := range s.files {
			r.info.Companions = append(r.info.Companions, f.name)
		}
	}
	r.reportIgnored(&chosen)
	r.checkGGUF()
	r.count()
	return r, chosen
}

// set reads one set of files.
func (r *weightReader) set(s *weightSet, files []fileInfo) {
	if s.variant != "" {
		r.info.Variant = s.variant
		r.report(CodeWeightsVariantOnly, path.Join(s.dir, s.key), "no plain file stands beside the variant "+s.variant, fmt.Sprintf("load with variant=%q", s.variant))
	}
	var index *shards.Index
	if s.index != nil {
		r.info.Index = s.index.name
		index = r.readIndex(s)
	}
	taken := s.files
	if index != nil {
		taken = slices.DeleteFunc(slices.Clone(s.files), func(f *fileInfo) bool {
			return !slices.ContainsFunc(index.Shards, func(shard shards.Shard) bool { return shard.File == f.base() })
		})
		r.missingFromIndex(s, index)
	} else if s.sharded && s.index == nil {
		taken = r.series(s)
	}
	var headers *shards.Headers
	if index != nil {
		headers = index.Headers()
	}
	var builder shards.Builder
	building := s.sharded && s.index == nil && s.format == "safetensors"
	for _, f := range taken {
		r.info.Files = append(r.info.Files, f.name)
		r.info.Bytes += f.size
		from := len(r.list.tensors)
		if !r.file(f, s) {
			continue
		}
		var bytes int64
		for i := from; i < len(r.list.tensors); i++ {
			bytes += r.list.tensors[i].bytes
		}
		if headers != nil {
			headers.Shard(f.base(), bytes)
		}
		if building {
			builder.Shard(f.base(), bytes)
		}
		for i := from; i < len(r.list.tensors); i++ {
			if headers != nil {
				headers.Tensor(r.list.name(i))
			}
			if building {
				builder.Tensor(r.list.name(i))
			}
		}
	}
	if index != nil {
		r.checkIndex(s, index, headers, files)
	}
	if building {
		built := builder.Index(path.Join(s.dir, s.key+".index.json"))
		r.report(CodeIndexMissing, built.Path, fmt.Sprintf("the weights are in shards, and their index is not here; the shards' headers give a weight map of %d tensors in %d files, %s",
			built.Len(), len(built.Shards), sniff.ByteSize(max(built.TotalSize, 0))), "")
	}
}

// readIndex reads the index of a set, nil where it cannot be read.
func (r *weightReader) readIndex(s *weightSet) *shards.Index {
	if s.index.problem != nil { // reported already
		r.info.Complete = false
		return nil
	}
	h, err := openAt(r.c.fsys, r.c.dir, s.index.name)
	if err == nil {
		defer h.Close()
		var index *shards.Index
		if index, err = shards.Read(s.index.name, h, h.size); err == nil {
			return index
		}
	}
	r.info.Complete = false
	r.report(CodeIndexUnreadable, s.index.name, withoutPath(err), hintOf(err))
	return nil
}

// missingFromIndex notes the shards that an index names and the directory has
// not, for the report on completeness.
func (r *weightReader) missingFromIndex(s *weightSet, index *shards.Index) {
	for _, shard := range index.Shards {
		if !shard.Unsafe && !slices.ContainsFunc(s.files, func(f *fileInfo) bool { return f.base() == shard.File }) {
			r.info.Missing = append(r.info.Missing, path.Join(s.dir, shard.File))
			r.info.Complete = false
		}
	}
}

// checkIndex reports where index, directory and shards disagree.
func (r *weightReader) checkIndex(s *weightSet, index *shards.Index, headers *shards.Headers, files []fileInfo) {
	var listing []shards.File
	for i := range files {
		if f := &files[i]; f.dir() == s.dir {
			listing = append(listing, shards.File{Name: f.base(), Size: f.size})
		}
	}
	for _, p := range index.Check(listing, headers) {
		if p.Kind == fault.Empty || p.Kind == shards.SingleFileToo { // said elsewhere
			continue
		}
		file := p.File
		if file != s.index.name {
			file = path.Join(s.dir, file)
		}
		hint := p.Hint
		if p.Kind == shards.MissingShard {
			hint = r.c.howToGet(file)
		}
		found := finding(codeOfKind(p.Kind), file, p.Detail, hint)
		r.findings = append(r.findings, found)
		if found.Severity == SeverityError {
			r.info.Complete = false
		}
	}
}

// series chooses among shards without an index: the save that is whole, or else
// the one with the most files; and reports the shards that its names promise.
func (r *weightReader) series(s *weightSet) []*fileInfo {
	var listing []shards.File
	for _, f := range s.files {
		listing = append(listing, shards.File{Name: f.base(), Size: f.size})
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
		r.info.Complete = false
		for _, n := range best.Missing {
			r.info.Missing = append(r.info.Missing, path.Join(s.dir, fmt.Sprintf("%s-%05d-of-%05d%s", best.Stem, n, best.Count, best.Suffix)))
		}
		if s.format != "gguf" { // whose own check says it
			r.report(CodeShardMissing, r.info.Missing[len(r.info.Missing)-len(best.Missing)],
				fmt.Sprintf("%d of the %d shards that the names promise are not here", best.Lacking, best.Count), r.c.howToGet(s.dir))
		}
	}
	return slices.DeleteFunc(slices.Clone(s.files), func(f *fileInfo) bool {
		return !slices.ContainsFunc(best.Files, func(b shards.File) bool { return b.Name == f.base() })
	})
}

// file reads the header of one file; it tells whether that was possible.
func (r *weightReader) file(f *fileInfo, s *weightSet) bool {
	if f.problem != nil { // reported already
		r.info.Complete, r.unread = false, true
		return false
	}
	read := weightFormats[s.format]
	if formats := contentsOf[s.format]; formats != nil && !slices.Contains(formats, f.format) {
		r.broken(f.name, fault.At(fault.Malformed, f.name, 0, "the first bytes are not those of a "+s.format+" file").WithHint("download the file again"), CodeWeightsUnreadable)
		return false
	}
	if read == nil {
		r.unread = true
		return false
	}
	h, err := openAt(r.c.fsys, r.c.dir, f.name)
	if err != nil {
		r.broken(f.name, err, CodeFileUnreadable)
		return false
	}
	defer h.Close()
	return read(r, f, h)
}

// weightFormats are the formats whose headers are read.
var weightFormats = map[string]func(*weightReader, *fileInfo, *handle) bool{
	"safetensors": (*weightReader).safetensors,
	"gguf":        (*weightReader).ggufFile,
	"pytorch":     (*weightReader).pickleFile,
	"torchscript": (*weightReader).pickleFile,
	"numpy":       (*weightReader).npzFile,
	"onnx":        (*weightReader).onnxFile,
	"dduf":        (*weightReader).ddufFile,
}

func (r *weightReader) safetensors(f *fileInfo, h *handle) bool {
	file := len(r.info.Files)
	before, named := len(r.list.tensors), len(r.list.names)
	summary, err := safetensors.Scan(f.name, h, h.size, func(e safetensors.Entry) error {
		rows := int64(1)
		if len(e.Shape) > 0 {
			rows = int64(e.Shape[0])
		}
		r.list.add(e.Name, storedTensor{file: file, dtype: e.DType.String(), elements: e.Elements, bytes: e.End - e.Begin, rows: rows})
		return nil
	})
	if err != nil {
		r.list.tensors, r.list.names = r.list.tensors[:before], r.list.names[:named]
		r.broken(f.name, err, CodeWeightsUnreadable)
		return false
	}
	if format := summary.Metadata["format"]; format != "" && r.info.Framework == "" {
		r.info.Framework = format
	}
	return true
}

func (r *weightReader) ggufFile(f *fileInfo, h *handle) bool {
	file, err := gguf.Read(h, h.size, f.name)
	if file != nil {
		if r.gguf = append(r.gguf, file); len(r.gguf) == 1 {
			r.ggufKVHeads = kvHeadsOfLayers(file)
		}
		for i := range file.Tensors {
			t := &file.Tensors[i]
			shape := t.Shape()
			rows := int64(1)
			if len(shape) > 0 {
				rows = int64(shape[0])
			}
			r.list.add([]byte(t.Name), storedTensor{file: len(r.info.Files), dtype: t.Type.String(), elements: int64(t.Elements()), bytes: int64(t.Bytes), rows: rows})
		}
	}
	if err != nil {
		r.broken(f.name, err, CodeWeightsUnreadable)
		return false
	}
	return true
}

// kvHeadsOfLayers reads the key-value heads of each layer where the file lists
// them one by one, as those of hybrid models do; nil where it does not.
func kvHeadsOfLayers(f *gguf.File) (heads []int64) {
	v := f.ModelKey("attention.head_count_kv")
	if v.Len() == 0 || v.Len() > maxLayers {
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
func (r *weightReader) pickleFile(f *fileInfo, h *handle) bool {
	p, err := pickle.Read(h, h.size, f.name)
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
			r.list.add([]byte(t.Name), storedTensor{file: len(r.info.Files), dtype: orNone(t.DType), elements: t.Elements(), bytes: t.Bytes(), rows: rows})
		}
		r.findings = append(r.findings, pickleFindings(p, f.name, CodePickleUnknown)...)
		for _, problem := range p.Problems {
			r.broken(f.name, problem, CodeWeightsUnreadable)
		}
	}
	if err != nil {
		r.broken(f.name, err, CodeWeightsUnreadable)
		return false
	}
	return true
}

func (r *weightReader) npzFile(f *fileInfo, h *handle) bool {
	arrays, err := npz.Read(h, h.size, f.name)
	for i := range arrays {
		a := &arrays[i]
		rows := int64(1)
		if len(a.Shape) > 0 {
			rows = a.Shape[0]
		}
		r.list.add([]byte(a.Name), storedTensor{file: len(r.info.Files), dtype: orNone(a.DType), elements: a.Elements(), bytes: a.Bytes(), rows: rows})
		if a.Pickled {
			r.report(CodePickleUnknown, f.name, "the array "+a.Name+" holds Python objects, which loading unpickles", "load it with allow_pickle=False, which refuses them")
		}
	}
	if err != nil {
		r.broken(f.name, err, CodeWeightsUnreadable)
		return false
	}
	return true
}

// pickleFindings report the imports that are not harmless, each risk once.
func pickleFindings(p *pickle.File, file, unknown string) (findings []Finding) {
	for _, risk := range [...]struct {
		risk pickle.Risk
		code string
	}{{pickle.Dangerous, CodePickleDangerous}, {pickle.Suspicious, unknown}} {
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
			f := finding(CodePickleUnknown, file, "it is a TorchScript program: its classes lie in the archive", "torch.jit.load runs them: load it only from where you trust")
			f.Severity = SeverityNote
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
			findings = append(findings, finding(risk.code, file, message, ""))
		}
	}
	return findings
}

// isTorchScript tells whether a class belongs to TorchScript: it lies in the
// archive itself, or builds its lists.
func isTorchScript(name string) bool {
	return strings.HasPrefix(name, "__torch__.") || strings.HasPrefix(name, "torch.jit._pickle.")
}

// scanPickles looks at the pickles that are not among the weights read, since
// somebody may load them. What is unknown in them (a trainer's own classes) is
// their affair; what is dangerous is not.
func (c *checkpoint) scanPickles(files []fileInfo, read []string) (findings []Finding) {
	for i := range files {
		f := &files[i]
		if f.problem != nil || slices.Contains(read, f.name) {
			continue
		}
		switch f.format {
		case sniff.Pickle, sniff.TorchLegacy:
		case sniff.Zip:
			switch path.Ext(f.name) {
			case ".bin", ".pt", ".pth", ".ckpt", ".pkl":
			default:
				continue
			}
		default:
			continue
		}
		h, err := openAt(c.fsys, c.dir, f.name)
		if err != nil {
			continue // said when its first bytes were read
		}
		if p, _ := pickle.Read(h, h.size, f.name); p != nil { // broken or not, what it imports counts
			findings = append(findings, pickleFindings(p, f.name, "")...)
		}
		h.Close()
	}
	return findings
}

// checkGGUF compares the shards of a GGUF model.
func (r *weightReader) checkGGUF() {
	if len(r.gguf) == 0 {
		return
	}
	_, split := r.gguf[0].Split()
	if len(r.gguf) == 1 && !split {
		return
	}
	for _, err := range gguf.CheckShards(r.gguf) {
		r.info.Complete = false
		r.report(codeOfError(err, CodeShardsDisagree), fault.PathOf(err), withoutPath(err), hintOf(err))
	}
}

// reportIgnored says what a loader leaves aside, and what a less careful one
// would load twice.
func (r *weightReader) reportIgnored(chosen *choice) {
	var same, other []*weightSet
	for _, s := range chosen.ignored {
		for _, f := range s.files {
			r.info.Ignored = append(r.info.Ignored, f.name)
		}
		if len(s.files) == 0 || s.role == roleAdapter {
			continue
		}
		sameDir := slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir })
		if s.sharded && slices.ContainsFunc(chosen.sets, func(t *weightSet) bool { return t.dir == s.dir && t.key == s.key }) {
			r.report(CodeWeightsSingleAndIndex, path.Join(s.dir, s.key), fmt.Sprintf("the single file is taken, as transformers does; %d shards of the same name are left aside", len(s.files)), "")
			continue
		}
		if s.variant != "" || chosen.alternatives && s.format == r.info.Format {
			continue // meant to be chosen between
		}
		if s.role == roleUnlisted && 2*sizeOfSets(s) < sizeOfSets(chosen.sets...) {
			continue // some other part, such as a head of an embedding model: not the weights again
		}
		if sameDir && s.format == r.info.Format {
			same = append(same, s)
		} else {
			other = append(other, s)
		}
	}
	slices.Sort(r.info.Ignored)
	if chosen.alternatives {
		others := countOf(len(r.info.Ignored), "other file") + " beside it"
		if slices.ContainsFunc(r.info.Ignored, func(name string) bool { return ggufStem(name) != ggufStem(r.info.Files[0]) }) {
			r.report(CodeWeightsAlternatives, r.info.Files[0], "this one is described; "+others+", which may be of other models", "")
		} else {
			r.report(CodeWeightsAlternatives, r.info.Files[0], "this one is described; "+others+", as versions of it", "")
		}
	}
	if len(same) > 0 {
		r.report(CodeWeightsDuplicate, same[0].files[0].name, describeSets(same)+" beside the weights in use, in the same format", "")
	}
	if len(other) > 0 {
		f := finding(CodeWeightsDuplicate, other[0].files[0].name, describeSets(other)+" beside the weights in use, in another format or directory", "")
		f.Severity = SeverityNote
		r.findings = append(r.findings, f)
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
			bytes += f.size
		}
	}
	return bytes
}
