package record

import (
	"archive/zip"
	"cmp"
	"io"
	"path"
	"slices"
)

const (
	maxWholeEntry  = 4 << 20  // bytes of an entry that describes others, which is kept whole
	arrayHeadBytes = 1 << 10  // bytes kept of an array: its header
	maxEntryList   = 32 << 20 // bytes of the list of entries
)

// metadataEntries are the entries of a PyTorch archive that are not weights.
var metadataEntries = []string{"byteorder", "version", ".format_version", ".storage_alignment"}

// zipRanges returns the ranges of a zip archive that describe its content: the headers
// of its entries, the entries that describe others, the headers of arrays, and the list
// of entries at the end. If the archive cannot be listed, it returns what the loader
// read.
//
// Format: PKWARE's APPNOTE.TXT, sections 4.3.7 and 4.3.12.
func zipRanges(r io.ReaderAt, size int64, read []byteRange) []byteRange {
	kept := []byteRange{{0, min(size, plainHead)}}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		for _, part := range read {
			if remaining := maxReadKept - totalBytes(kept); remaining > 0 {
				kept = append(kept, byteRange{part.from, min(part.to, part.from+remaining)})
			}
		}
		return mergeRanges(kept)
	}
	type span struct {
		data, size int64
		file       *zip.File
	}
	var spans []span
	for _, f := range archive.File {
		if at, err := f.DataOffset(); err == nil && f.CompressedSize64 <= uint64(size-at) {
			spans = append(spans, span{at, int64(f.CompressedSize64), f})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.data, b.data) })
	end := int64(0)
	for _, s := range spans {
		if s.data-end <= 1<<17 { // a header with its name and padding
			kept = append(kept, byteRange{min(end, s.data), s.data})
		}
		base := path.Base(s.file.Name)
		switch {
		case s.size <= maxWholeEntry && (path.Ext(base) == ".pkl" || path.Ext(base) == ".json" || slices.Contains(metadataEntries, base)):
			kept = append(kept, byteRange{s.data, s.data + s.size})
		case path.Ext(base) == ".npy":
			most := int64(arrayHeadBytes)
			if s.file.Method != zip.Store {
				most *= 8 // a reader of compressed data reads ahead
			}
			kept = append(kept, byteRange{s.data, s.data + min(s.size, most)})
		}
		end = max(end, s.data+s.size)
	}
	if size-end <= maxEntryList {
		kept = append(kept, byteRange{end, size})
	}
	return mergeRanges(kept)
}
