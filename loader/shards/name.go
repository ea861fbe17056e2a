package shards

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Name is the name of a shard in parts: model-00001-of-00003.safetensors.
type Name struct {
	Stem   string // "model", with a variant and a directory where it has them
	Suffix string // ".safetensors", or ".fp16.safetensors" as older names have it
	Number int    // 1 in the example; a few repositories count from 0
	Count  int    // 3 in the example

	// NumberDigits and CountDigits are how many digits were written, zeros included.
	// Writers use five; some repositories have other numbers of digits.
	NumberDigits, CountDigits int
}

// separator is between the number and the count.
const separator = "-of-"

// maxDigits bounds the digits of a number in a name.
const maxDigits = 9

const digits = "0123456789"

// ParseName splits a name, and reports whether it is a shard's: a hyphen, a number,
// "-of-" and a count, at the end or before a dot.
func ParseName(file string) (n Name, ok bool) {
	at := strings.LastIndex(file, separator)
	if at < 0 {
		return Name{}, false
	}
	before, after := file[:at], file[at+len(separator):]
	stem := strings.TrimRight(before, digits)
	rest := strings.TrimLeft(after, digits)
	n = Name{
		Suffix:       rest,
		NumberDigits: len(before) - len(stem),
		CountDigits:  len(after) - len(rest),
	}
	n.Stem, ok = strings.CutSuffix(stem, "-")
	if !ok || n.Stem == "" || rest != "" && rest[0] != '.' ||
		n.NumberDigits == 0 || n.NumberDigits > maxDigits || n.CountDigits == 0 || n.CountDigits > maxDigits {
		return Name{}, false
	}
	n.Number, _ = strconv.Atoi(before[len(stem):])
	n.Count, _ = strconv.Atoi(after[:n.CountDigits])
	return n, true
}

// Padded reports whether number and count have as many digits as writers use: five, or
// more where the count needs them.
func (n Name) Padded() bool {
	width := max(5, len(strconv.Itoa(n.Count)))
	return n.NumberDigits == width && n.CountDigits == width
}

// File is one entry of a directory listing.
type File struct {
	Name string // with slashes, relative to the index's directory
	Size int64  // in bytes
}

// Series is the shards of one save in a directory, by their names.
type Series struct {
	Stem, Suffix string
	Count        int    // how many shards there should be, by the names
	Files        []File // by number, at least one
	Missing      []int  // the numbers without a file, at most a thousand of them
	Lacking      int    // how many numbers have no file
}

// maxMissing bounds Series.Missing: the count of a name may be 999,999,999.
const maxMissing = 1000

// Complete reports whether all shards are there.
func (s *Series) Complete() bool { return s.Lacking == 0 && s.Count > 0 }

// String returns the names of the series as a pattern: "model-*-of-00003.safetensors".
func (s *Series) String() string {
	width := 5
	if len(s.Files) > 0 {
		if n, ok := ParseName(s.Files[0].Name); ok {
			width = n.CountDigits
		}
	}
	return fmt.Sprintf("%s-*-of-%0*d%s", s.Stem, width, s.Count, s.Suffix)
}

// FindSeries groups the shards among files by stem, suffix and count, and returns the
// groups in that order. Files that are no shards are left out.
func FindSeries(files []File) []Series {
	type entry struct {
		name Name
		file File
	}
	var entries []entry
	for _, f := range files {
		if n, ok := ParseName(f.Name); ok {
			entries = append(entries, entry{n, f})
		}
	}
	group := func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.name.Stem, b.name.Stem), cmp.Compare(a.name.Suffix, b.name.Suffix), cmp.Compare(a.name.Count, b.name.Count))
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(group(a, b), cmp.Compare(a.name.Number, b.name.Number), cmp.Compare(a.file.Name, b.file.Name))
	})
	var all []Series
	for len(entries) > 0 {
		end := 1
		for end < len(entries) && group(entries[0], entries[end]) == 0 {
			end++
		}
		first := entries[0].name
		s := Series{Stem: first.Stem, Suffix: first.Suffix, Count: first.Count}
		next := min(first.Number, 1) // from 0, if there is a shard 0
		last := next + s.Count       // exclusive
		for _, e := range entries[:end] {
			s.Files = append(s.Files, e.file)
			s.addMissing(next, min(e.name.Number, last))
			next = max(next, e.name.Number+1)
		}
		s.addMissing(next, last)
		all = append(all, s)
		entries = entries[end:]
	}
	return all
}

// addMissing records that the numbers from begin up to end have no file.
func (s *Series) addMissing(begin, end int) {
	if begin >= end {
		return
	}
	s.Lacking += end - begin
	for n := begin; n < end && len(s.Missing) < maxMissing; n++ {
		s.Missing = append(s.Missing, n)
	}
}

// weightExtensions are the extensions of weight files for which the usual writers write
// indexes.
var weightExtensions = [...]string{".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".npz"}

// indexWord is in an index's name, between that of the weights and the extension.
const indexWord = ".index."

// base is the last part of a path with separators of any operating system.
func base(file string) string { return file[strings.LastIndexAny(file, `/\`)+1:] }

// IsIndex reports whether a file's name is that of a sharded checkpoint's index.
func IsIndex(file string) bool {
	return strings.HasSuffix(file, ".json") && strings.Contains(base(file), indexWord)
}

// IndexedExtension returns the extension of the shards of an index by the name of the
// index: ".safetensors" for model.safetensors.index.json, for
// model.safetensors.index.fp16.json and for model.safetensors.fp16.index.json. It is
// "" where the name contains none, or is not that of an index. It knows the extensions of
// the formats that have indexes by convention: safetensors, PyTorch, Keras, Flax, NumPy.
func IndexedExtension(index string) string {
	return IndexedExtensionOf(index, weightExtensions[:])
}

// IndexedExtensionOf is IndexedExtension for weight files with other extensions, each of
// which begins with a dot.
func IndexedExtensionOf(index string, extensions []string) string {
	before, _, found := strings.Cut(base(index), indexWord)
	if !found || !IsIndex(index) {
		return ""
	}
	for before != "" {
		for _, e := range extensions {
			if strings.HasSuffix(before, e) {
				return e
			}
		}
		before = before[:max(strings.LastIndexByte(before, '.'), 0)]
	}
	return ""
}

// unshardedName returns the name that the checkpoint of an index would have as a
// single file, "model.safetensors", or "" where the name of the index does not imply
// it.
func unshardedName(index string) string {
	before, after, found := strings.Cut(base(index), indexWord)
	e := IndexedExtension(index)
	stem, ok := strings.CutSuffix(before, e)
	if !found || e == "" || !ok {
		return ""
	}
	// model.safetensors.index.fp16.json belongs to model.fp16.safetensors.
	variant := strings.TrimSuffix(strings.TrimSuffix(after, "json"), ".")
	if variant != "" {
		variant = "." + variant
	}
	return stem + variant + e
}

// extension is the last part of a path from its last dot on, with the dot.
func extension(file string) string {
	name := base(file)
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[dot:]
	}
	return ""
}

// Escapes reports whether a name, joined to a directory, may lead out of it. The rules
// of Windows apply on every system, since checkpoints are copied between systems:
// drives, roots, parent directories, streams (name:stream) and characters that names
// on Windows cannot have count as escaping.
func Escapes(name string) bool {
	if name == "" || strings.ContainsAny(name, `:*?"<>|`) || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' }) {
		return true
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if name[0] == '/' {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		// Windows ignores dots and spaces at the end of a name, so ".. " is a parent.
		if strings.HasPrefix(part, "..") && strings.Trim(part, ". ") == "" {
			return true
		}
	}
	return false
}
