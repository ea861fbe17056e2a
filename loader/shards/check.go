package shards

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
)

// The kinds of problem. fault.Unsafe (a name that leads out of the directory)
// and fault.Empty (a shard of no bytes) occur too.
const (
	MissingShard     fault.Kind = "missing shard"                 // the index names it, the directory lacks it
	UnlistedShard    fault.Kind = "shard not in the index"        // the directory has it, the index does not name it
	TensorTwice      fault.Kind = "tensor in two shards"          // by the index, or by the shards' headers
	MissingTensor    fault.Kind = "tensor missing from its shard" // the index assigns it to a shard that does not have it
	UnlistedTensor   fault.Kind = "tensor not in the index"       // a shard has it, the index does not name it
	StaleIndex       fault.Kind = "stale index"                   // it belongs to another save of the model
	WrongTotalSize   fault.Kind = "wrong total size"              // metadata.total_size disagrees with the files
	ExtensionChanged fault.Kind = "shard of another format"       // a pickle in an index of safetensors
	OddPadding       fault.Kind = "odd zero padding"              // model-00001-of-000004: a note, since this package does not construct names
	NumberGap        fault.Kind = "gap in the shard numbers"      // a number up to the count that no shard of the index has
	SingleFileToo    fault.Kind = "single file beside an index"   // readers differ in which of the two they take
)

// Problem is one thing wrong, or notable, with a sharded checkpoint.
type Problem struct {
	Kind fault.Kind
	// File is the file concerned, as the index or the directory names it, or the
	// index's own path.
	File   string
	Detail string
	Hint   string // what the user can do about it, or ""
	// Tensors are the first few of the tensors concerned. Count is how many tensors,
	// shards or numbers are concerned; 0 where it is one file.
	Tensors []string
	Count   int
}

// Fault returns the problem as an error.
func (p *Problem) Fault() *fault.Error {
	return fault.New(p.Kind, p.File, p.Detail).WithHint(p.Hint)
}

// The hints.
const (
	hintRebuild  = "rebuild the index from the shards' headers"
	hintDownload = "download the file again"
	hintRefuse   = "do not load this checkpoint: no writer writes such an index"
)

// maxFiles bounds the problems that name a single missing or unlisted file.
const maxFiles = 1000

// samples counts names and keeps the first few.
type samples struct {
	names []string
	count int
}

func (s *samples) add(name string) {
	const most = 3
	if s.count++; len(s.names) < most {
		s.names = append(s.names, strings.Clone(name))
	}
}

// text returns `tensor "a"` or `5 tensors ("a", "b", "c", …)`.
func (s *samples) text(one, many string) string {
	quoted := make([]string, 0, len(s.names)+1)
	for _, name := range s.names {
		quoted = append(quoted, fmt.Sprintf("%q", clip(name)))
	}
	if s.count == 1 {
		return one + " " + quoted[0]
	}
	if s.count > len(s.names) {
		quoted = append(quoted, "…")
	}
	return fmt.Sprintf("%d %s (%s)", s.count, many, strings.Join(quoted, ", "))
}

// choose gives the form of a word that agrees with text: one for a single name, else many.
func (s *samples) choose(one, many string) string {
	if s.count == 1 {
		return one
	}
	return many
}

// checkNames checks the names of the shards. huggingface_hub refuses an index with
// names outside of the directory, or with another extension.
func (x *Index) checkNames() {
	want := IndexedExtension(x.Path)
	named := make([]File, 0, len(x.Shards))
	var unsafe, other, odd samples
	for _, s := range x.Shards {
		if s.Unsafe {
			unsafe.add(s.File)
			continue
		}
		if want == "" {
			want = extension(s.File)
		}
		if !strings.EqualFold(extension(s.File), want) {
			other.add(s.File)
		}
		named = append(named, File{Name: s.File})
		if n, ok := ParseName(s.File); ok && !n.Padded() {
			odd.add(s.File)
		}
	}
	if unsafe.count > 0 {
		x.report(Problem{Kind: fault.Unsafe, File: x.Path, Count: unsafe.count, Hint: hintRefuse,
			Detail: fmt.Sprintf("the %s of %s %s outside the directory", unsafe.choose("path", "paths"), unsafe.text("the shard", "shards"), unsafe.choose("leads", "lead"))})
	}
	if other.count > 0 {
		x.report(Problem{Kind: ExtensionChanged, File: x.Path, Count: other.count, Hint: hintRefuse,
			Detail: fmt.Sprintf("the names should end in %q: %s %s", want, other.text("the shard", "shards"), other.choose("does not", "do not"))})
	}
	if odd.count > 0 {
		x.report(Problem{Kind: OddPadding, File: odd.names[0], Count: odd.count, Hint: "readers that construct the names will not find the files",
			Detail: fmt.Sprintf("the numbers of %d of the %d names are not of five digits", odd.count, len(x.Shards))})
	}
	for _, s := range FindSeries(named) {
		if s.Lacking > 0 {
			x.report(Problem{Kind: NumberGap, File: x.Path, Count: s.Lacking,
				Detail: fmt.Sprintf("%s is of %d shards, the index uses %d; not %s", s.String(), s.Count, len(s.Files), numbers(s.Missing, s.Lacking))})
		}
	}
}

// numbers lists the first few of count numbers.
func numbers(list []int, count int) string {
	const most = 10
	texts := make([]string, 0, most)
	for _, n := range list[:min(len(list), most)] {
		texts = append(texts, fmt.Sprint(n))
	}
	text := strings.Join(texts, ", ")
	if count > most {
		text += fmt.Sprintf(" and %d more", count-most)
	}
	return text
}

// Check compares the index with the files of its directory, and with the headers of
// the shards; headers may be nil. The problems have a fixed order: those of the index
// itself, of the files, of the tensors, of the size.
func (x *Index) Check(files []File, headers *Headers) []Problem {
	c := checker{index: x, problems: slices.Clone(x.problems), sizes: make(map[string]int64, len(files)), named: make(map[string]bool, len(x.Shards))}
	for _, f := range files {
		c.sizes[path.Clean(f.Name)] = f.Size
	}
	c.files(files)
	if headers != nil {
		headers.report(&c)
	}
	if !c.stale {
		c.totalSize(headers)
	}
	return c.problems
}

type checker struct {
	index    *Index
	problems []Problem
	sizes    map[string]int64 // of the files in the directory
	named    map[string]bool  // files that the index names
	missing  int              // shards that the directory lacks
	stale    bool             // the index is that of another save
}

func (c *checker) report(p Problem) { c.problems = append(c.problems, p) }

// files compares the names of the index with those of the directory, in both
// directions.
func (c *checker) files(files []File) {
	missing := c.missingShards()
	c.missing = len(missing)
	others := c.unlistedShards(files)
	if len(missing) > 0 && c.staleIndex(len(missing), others) {
		return // naming each file would not help
	}
	for i, file := range missing {
		if i == maxFiles {
			c.report(Problem{Kind: MissingShard, File: c.index.Path, Count: len(missing) - i, Hint: hintDownload,
				Detail: fmt.Sprintf("%d more of the files it names are not here", len(missing)-i)})
			break
		}
		c.report(Problem{Kind: MissingShard, File: file, Detail: "the index names it, and it is not here", Hint: hintDownload})
	}
	for _, f := range others[:min(len(others), maxFiles)] {
		c.report(Problem{Kind: UnlistedShard, File: f.Name, Detail: "its name is a shard's, and the index does not name it",
			Hint: "remove it if it is of another save; else " + hintRebuild})
	}
	if whole := unshardedName(c.index.Path); whole != "" && !c.named[whole] {
		if _, found := c.sizes[whole]; found {
			c.report(Problem{Kind: SingleFileToo, File: whole, Detail: "most readers take the single file and leave the shards",
				Hint: "remove the one that is out of date"})
		}
	}
}

// missingShards lists the shards of the index that the directory lacks, and reports
// empty ones.
func (c *checker) missingShards() (missing []string) {
	for _, s := range c.index.Shards {
		name := path.Clean(s.File)
		c.named[name] = true
		if s.Unsafe {
			continue
		}
		switch size, found := c.sizes[name]; {
		case !found:
			missing = append(missing, s.File)
		case size == 0:
			c.report(Problem{Kind: fault.Empty, File: s.File, Detail: "the shard has 0 bytes", Hint: hintDownload})
		}
	}
	return missing
}

// unlistedShards lists the files that are shards of the index's format by their names,
// and that the index does not name.
func (c *checker) unlistedShards(files []File) (others []File) {
	want := IndexedExtension(c.index.Path)
	for _, f := range files {
		_, isShard := ParseName(f.Name)
		if isShard && !c.named[path.Clean(f.Name)] && (want == "" || strings.EqualFold(extension(f.Name), want)) {
			others = append(others, f)
		}
	}
	return others
}

// staleIndex reports the index as that of an earlier save where shards are missing and
// the directory has a complete series that the index does not name.
func (c *checker) staleIndex(missing int, others []File) bool {
	for _, s := range FindSeries(others) {
		if s.Complete() {
			c.stale = true
			c.report(Problem{Kind: StaleIndex, File: c.index.Path, Count: missing, Hint: hintRebuild,
				Detail: fmt.Sprintf("%d of the %d shards it names are not here, and a whole set that it does not name is: %s", missing, len(c.index.Shards), s.String())})
			return true
		}
	}
	return false
}

// totalSize compares metadata.total_size with the bytes of the tensors where all
// headers were read, and otherwise with those of the files, which may be longer by an
// estimate of their headers.
func (c *checker) totalSize(headers *Headers) {
	x := c.index
	if x.TotalSize == Unknown || c.missing > 0 || len(x.Shards) == 0 {
		return
	}
	if headers != nil && headers.allRead() {
		if headers.bytes != x.TotalSize {
			c.report(Problem{Kind: WrongTotalSize, File: x.Path, Hint: hintRebuild,
				Detail: fmt.Sprintf("metadata.total_size is %d, the shards' tensors take %d bytes", x.TotalSize, headers.bytes)})
		}
		return
	}
	const perShard, perTensor = 64 << 10, 1 << 10 // about 100 bytes for each tensor are usual
	var sum int64
	for _, s := range x.Shards {
		size, found := c.sizes[path.Clean(s.File)]
		if !found {
			return
		}
		sum += size
	}
	slack := int64(len(x.Shards))*perShard + int64(len(x.names))*perTensor
	if sum < x.TotalSize || sum-x.TotalSize > slack {
		c.report(Problem{Kind: WrongTotalSize, File: x.Path, Hint: "a shard was cut, or the index is of another save",
			Detail: fmt.Sprintf("metadata.total_size is %d, the shards have %d bytes", x.TotalSize, sum)})
	}
}
