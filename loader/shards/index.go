// Package shards reads the index of a sharded checkpoint, which maps tensors to files,
// and reports how it differs from the directory. It opens no shard: a caller who has
// read their headers may add them.
//
// Differences are a list of Problem; only an index that cannot be read is an error.
package shards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// MaxIndex is the longest index read, in bytes. An index of a million tensors has
// about 120 MB.
const MaxIndex = 256 << 20

// Unknown is the total size of an index that has none.
const Unknown int64 = -1

// Shard is one file that an index names.
type Shard struct {
	File    string // as the index writes it
	Tensors int    // how many tensors the index assigns to the file
	// Unsafe reports that the name leads out of the directory: the file must not be
	// opened.
	Unsafe bool
}

// Index is a sharded checkpoint's map from tensors to files.
type Index struct {
	// Path is the index's own file, as problems name it.
	Path string
	// TotalSize is metadata.total_size, the bytes of all tensors, or Unknown.
	TotalSize int64
	// Shards are the files, sorted by name.
	Shards []Shard

	names     []string         // the tensors, in the index's order, repeated ones too
	shardOf   []int32          // by tensor: index of Shards
	lastIndex map[string]int32 // tensors to indexes of names; of repeated ones the last
	problems  []Problem        // found while reading
}

// Len is how many tensors the index maps.
func (x *Index) Len() int { return len(x.lastIndex) }

// File returns the shard of a tensor. Of a tensor that occurs twice the last counts, as
// for Python's json module.
func (x *Index) File(tensor string) (file string, ok bool) {
	i, ok := x.lastIndex[tensor]
	if !ok {
		return "", false
	}
	return x.Shards[x.shardOf[i]].File, true
}

// All yields the tensors and their files, in the index's order.
func (x *Index) All(yield func(tensor, file string) bool) {
	for i, name := range x.names {
		if x.lastIndex[name] == int32(i) && !yield(name, x.Shards[x.shardOf[i]].File) {
			return
		}
	}
}

// Read reads an index of size bytes; path is its name, which also implies the extension
// of its shards. Errors are fault.TooLarge,
// fault.Empty, fault.NotJSON, fault.TooDeep, fault.Truncated, fault.WrongType,
// fault.Malformed (no weight_map, or two) or fault.Unreadable.
func Read(path string, r io.ReaderAt, size int64) (*Index, error) {
	if size > MaxIndex {
		return nil, fault.New(fault.TooLarge, path, fmt.Sprintf("an index of %d bytes, the limit is %d", size, MaxIndex))
	}
	data := make([]byte, max(size, 0))
	n, err := io.ReadFull(io.NewSectionReader(r, 0, size), data)
	switch {
	case err == nil || len(data) == 0:
		return Parse(path, data)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.At(fault.Truncated, path, int64(n), fmt.Sprintf("the file ends here, though it should have %d bytes", size)).WithCause(err)
	}
	return nil, fault.At(fault.Unreadable, path, int64(n), "reading the index").WithCause(err)
}

// Parse is Read for an index in memory. The Index does not refer to data.
func Parse(path string, data []byte) (*Index, error) {
	if len(data) > MaxIndex {
		return nil, fault.New(fault.TooLarge, path, fmt.Sprintf("an index of %d bytes, the limit is %d", len(data), MaxIndex))
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fault.New(fault.Empty, path, fmt.Sprintf("%d bytes, an index is needed", len(data))).WithHint(hintRebuild)
	}
	p := parser{scanner: jsonscan.New(data), size: len(data), index: &Index{Path: path, TotalSize: Unknown}}
	if err := p.parse(); err != nil {
		return nil, p.addPath(err)
	}
	p.index.finish()
	return p.index, nil
}

// usualEntry is about how many bytes of the text there are for each tensor, for the
// first allocation; the names are about half of it.
const usualEntry = 80

// parser reads an index. All names are slices of one string, so that a tensor needs no
// allocation of its own.
type parser struct {
	scanner jsonscan.Scanner
	size    int // of the text
	index   *Index

	names    strings.Builder
	ends     []int            // of each name in names
	shards   map[string]int32 // files to indexes of index.Shards
	last     []byte           // the file of the tensor before
	lastFile int32            // and its index
	sawMap   bool
	badSize  string // total_size where it is no integer
}

func (p *parser) parse() error {
	s := &p.scanner
	if k := s.Kind(); k != jsonscan.Object && k != jsonscan.Invalid {
		return p.wrong("the index is %s, an object is needed", k)
	}
	err := s.Object(func(name []byte) error {
		switch string(name) {
		case "metadata":
			return p.metadata()
		case "weight_map":
			return p.weightMap()
		}
		_, err := s.Raw()
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	if !p.sawMap {
		return fault.New(fault.Malformed, "", "there is no weight_map").WithHint(hintRebuild)
	}
	text, begin := p.names.String(), 0
	p.index.names = make([]string, len(p.ends))
	for i, end := range p.ends {
		p.index.names[i], begin = text[begin:end], end
	}
	if p.badSize != "" {
		p.index.report(Problem{Kind: WrongTotalSize, File: p.index.Path, Detail: "metadata.total_size is " + p.badSize + ", a whole number is needed"})
	}
	return nil
}

// metadata may contain anything; only total_size is used. Some writers omit it, others
// write a float.
func (p *parser) metadata() error {
	s := &p.scanner
	if s.Kind() != jsonscan.Object {
		_, err := s.Raw()
		return err
	}
	return s.Object(func(name []byte) error {
		isSize, kind := string(name) == "total_size", s.Kind()
		raw, err := s.Raw()
		if err != nil || !isSize {
			return err
		}
		p.index.TotalSize, p.badSize = Unknown, ""
		switch n, ok := wholeNumber(raw); {
		case ok:
			p.index.TotalSize = n
		case kind == jsonscan.Number:
			p.badSize = string(raw[:min(len(raw), 40)])
		case kind != jsonscan.Null:
			p.badSize = kind.String()
		}
		return nil
	})
}

// wholeNumber parses a non-negative integer, which may be written as 1.5e3.
func wholeNumber(raw []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, n >= 0
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(f >= 0 && f < 1<<53) || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

func (p *parser) weightMap() error {
	s, x := &p.scanner, p.index
	if k := s.Kind(); k != jsonscan.Object {
		return p.wrong("weight_map is %s, an object is needed", k)
	}
	if p.sawMap {
		return fault.At(fault.Malformed, "", int64(s.Offset()), "weight_map occurs twice")
	}
	p.sawMap, p.shards = true, map[string]int32{}
	p.names.Grow(p.size / 2)
	p.ends = make([]int, 0, p.size/usualEntry)
	x.shardOf = make([]int32, 0, p.size/usualEntry)
	return s.Object(func(name []byte) error {
		if k := s.Kind(); k != jsonscan.String {
			return p.wrong("weight_map holds %s for %q, a file's name is needed", k, clip(string(name)))
		}
		p.names.Write(name)
		file, err := s.Text()
		if err != nil {
			return err
		}
		if len(p.ends) == 0 || !bytes.Equal(file, p.last) {
			at, ok := p.shards[string(file)]
			if !ok {
				at = int32(len(x.Shards))
				p.shards[string(file)] = at
				x.Shards = append(x.Shards, Shard{File: string(file), Unsafe: Escapes(string(file))})
			}
			p.last, p.lastFile = file, at
		}
		x.shardOf = append(x.shardOf, p.lastFile)
		p.ends = append(p.ends, p.names.Len())
		return nil
	})
}

func (p *parser) wrong(format string, args ...any) error {
	return fault.At(fault.WrongType, "", int64(p.scanner.Offset()), fmt.Sprintf(format, args...))
}

// addPath sets the path of an error of the scanner or the parser.
func (p *parser) addPath(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return fault.New(fault.NotJSON, p.index.Path, "").WithCause(err)
	}
	e.Path = p.index.Path
	return e
}

// finish sorts the shards, counts their tensors, and checks what can be checked by the
// index alone.
func (x *Index) finish() {
	order := make([]int32, len(x.Shards))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(x.Shards[a].File, x.Shards[b].File) })
	sorted, moved := make([]Shard, len(order)), make([]int32, len(order))
	for to, from := range order {
		sorted[to], moved[from] = x.Shards[from], int32(to)
	}
	x.Shards = sorted

	x.lastIndex = make(map[string]int32, len(x.names))
	var twice samples
	for i, name := range x.names {
		x.shardOf[i] = moved[x.shardOf[i]]
		if first, found := x.lastIndex[name]; found {
			x.Shards[x.shardOf[first]].Tensors--
			if x.shardOf[first] != x.shardOf[i] {
				twice.add(name)
			}
		}
		x.lastIndex[name] = int32(i)
		x.Shards[x.shardOf[i]].Tensors++
	}
	if twice.count > 0 {
		x.report(Problem{
			Kind: TensorTwice, File: x.Path, Tensors: twice.names, Count: twice.count,
			Detail: "more than one file is given for " + twice.text("tensor", "tensors"), Hint: hintRebuild,
		})
	}
	if len(x.names) == 0 {
		x.report(Problem{Kind: StaleIndex, File: x.Path, Detail: "the index names no tensor", Hint: hintRebuild})
	}
	x.checkNames()
}

func (x *Index) report(p Problem) { x.problems = append(x.problems, p) }

// MarshalJSON writes the index as transformers does: metadata first, the
// tensors sorted.
func (x *Index) MarshalJSON() ([]byte, error) {
	files := make(map[string]string, len(x.names))
	for tensor, file := range x.All {
		files[tensor] = file
	}
	metadata := map[string]int64{}
	if x.TotalSize != Unknown {
		metadata["total_size"] = x.TotalSize
	}
	return json.Marshal(struct {
		Metadata  map[string]int64  `json:"metadata"`
		WeightMap map[string]string `json:"weight_map"`
	}{metadata, files})
}

// clip shortens a name from the file for a message.
func clip(name string) string {
	const most = 120
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
