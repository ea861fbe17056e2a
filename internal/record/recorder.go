package record

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/fixtures"
	"omniloader/loader/gguf"
	"omniloader/loader/regular"
	"omniloader/loader/sniff"
)

// Limits in bytes for what is kept of a file.
const (
	smallText   = 64 << 10  // a text of a name without a descriptive extension is kept whole up to this size
	largeText   = 1 << 20   // a descriptive file is kept whole up to this size
	wholeText   = 64 << 20  // a descriptive file that the loader reads most of, up to this size
	trimFrom    = 1 << 20   // a larger tokenizer.json is trimmed
	plainHead   = 512       // the start of a file of another known format
	sniffBytes  = 4 << 10   // the start of a file, from which its format is recognised
	maxReadKept = 4 << 20   // ranges that the loader read of a file of another format
	maxHeader   = 128 << 20 // a header; safetensors allows 100 MB
)

// descriptiveExtensions are the extensions of files that describe a model. Of other
// files only names, sizes and headers are kept, because they may be private.
var descriptiveExtensions = []string{
	".cfg", ".index", ".ini", ".jinja", ".json", ".jsonl", ".md", ".metadata", ".model", ".modelfile", ".nemo", ".pbtxt",
	".py", ".tiktoken", ".tmpl", ".toml", ".tsv", ".txt", ".vocab", ".xml", ".yaml", ".yml",
}

// isDescriptive says whether the file has one of descriptiveExtensions.
func isDescriptive(name string) bool {
	return slices.Contains(descriptiveExtensions, strings.ToLower(path.Ext(name)))
}

// hidden says whether the name of the file or of a directory above it starts with a
// dot, as files with passwords often do. The records of a Hugging Face download are an
// exception.
func hidden(name string) bool {
	name = strings.TrimPrefix(name, ".cache/huggingface/")
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// recorder makes the recording of a checkpoint.
type recorder struct {
	source    *source
	reads     *tracingFS
	redactor  *redactor
	mentioned map[string]bool // files that the loader's answer is about

	redacted []string // files in which something was redacted
	trimmed  []string // tokenizers that were trimmed
}

// record makes a recording and says where the loader's answer about it differs from
// want: "" if it does not. Large tokenizers are trimmed, unless that changes the
// answer.
func (k *recorder) record(ctx context.Context, name string, entries []entry, want []byte) (r *fixtures.Recording, different string, err error) {
	for _, trim := range []bool{true, false} {
		k.redacted, k.trimmed = nil, nil
		r = &fixtures.Recording{Name: name}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return nil, "", err
			}
			f, err := k.recordFile(e, trim)
			if err != nil {
				return nil, "", fmt.Errorf("%s: %s: %w", k.source.requestedDir, e.name, cause(err))
			}
			r.Files = append(r.Files, f)
		}
		if different, err = compareAnswers(r, want, k.redactor); err != nil || different == "" || len(k.trimmed) == 0 {
			break
		}
	}
	return r, different, err
}

// notes returns notes for people about what was changed.
func (k *recorder) notes() (notes []string) {
	if len(k.redacted) > 0 {
		notes = append(notes, "user names, paths of this machine, e-mail addresses or secrets are replaced by xxx in "+strings.Join(k.redacted, ", "))
	}
	for _, name := range k.trimmed {
		notes = append(notes, name+" is kept without most of its vocabulary")
	}
	return notes
}

// recordFile returns what is kept of one file.
func (k *recorder) recordFile(e entry, trim bool) (fixtures.RecordedFile, error) {
	out := fixtures.RecordedFile{Name: e.name, Size: e.size, Link: e.link}
	if e.link != "" || strings.HasSuffix(e.name, "/") || e.size == 0 || hidden(e.name) {
		return out, nil
	}
	f, _, err := regular.Open(k.source.fsys, path.Join(k.source.dir, e.name), e.name)
	if err != nil {
		return out, err
	}
	defer f.Close()
	r, ok := f.(io.ReaderAt)
	if !ok {
		return out, fs.ErrInvalid
	}
	if trim && path.Base(e.name) == "tokenizer.json" && e.size > trimFrom && e.size <= wholeText {
		whole, err := readRange(r, byteRange{0, e.size})
		if err != nil {
			return out, err
		}
		if small, ok := trimTokenizer(whole); ok {
			out.Parts, out.Padded = []fixtures.Part{{Data: k.redact(e.name, small)}}, true
			k.trimmed = append(k.trimmed, e.name)
			return out, nil
		}
	}
	runs, err := k.rangesToKeep(r, e)
	if err != nil {
		return out, err
	}
	if len(runs) == 0 {
		return out, fillPlaceholder(&out, r)
	}
	for _, part := range runs {
		data, err := readRange(r, part)
		if err != nil {
			return out, err
		}
		out.Parts = append(out.Parts, fixtures.Part{Offset: part.from, Data: k.redact(e.name, data)})
	}
	return out, nil
}

// redact replaces what is private in a part of a file, and remembers the file's name.
func (k *recorder) redact(name string, data []byte) []byte {
	covered, times := k.redactor.redact(name, data)
	if times > 0 && !slices.Contains(k.redacted, name) {
		k.redacted = append(k.redacted, name)
	}
	return covered
}

// readRange reads a range of bytes.
func readRange(r io.ReaderAt, part byteRange) ([]byte, error) {
	data := make([]byte, part.to-part.from)
	_, err := io.ReadFull(io.NewSectionReader(r, part.from, part.to-part.from), data)
	return data, err
}

// rangesToKeep returns the ranges of a file to keep: for a known format the headers,
// for a descriptive text the whole, for another file that the loader's answer mentions
// the ranges that the loader read.
func (k *recorder) rangesToKeep(r io.ReaderAt, e entry) ([]byteRange, error) {
	head, err := readRange(r, byteRange{0, min(e.size, sniffBytes)})
	if err != nil {
		return nil, err
	}
	read := k.reads.rangesRead(e.name)
	whole := []byteRange{{0, e.size}}
	switch {
	case path.Ext(e.name) == ".safetensors" && !isText(head):
		return []byteRange{{0, safetensorsHead(head, e.size)}}, nil
	case bytes.HasPrefix(head, []byte("GGUF")) || bytes.HasPrefix(head, []byte("FUGG")):
		return ggufHead(r, e, read), nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipRanges(r, e.size, read), nil
	case e.size <= smallText && (isDescriptive(e.name) || isFailedDownload(e, head) || isReference(e.name)),
		e.size <= largeText && isDescriptive(e.name),
		e.size <= wholeText && isDescriptive(e.name) && totalBytes(read) > e.size/2:
		return whole, nil
	}
	c := sniff.Head(e.name, e.size, head)
	if (c.Format == "" || c.Format == sniff.Text) && c.Problem == nil && !k.mentioned[e.name] {
		return nil, nil
	}
	if c.Format == "" && c.Problem == nil {
		return []byteRange{{0, min(e.size, sniffBytes)}}, nil // enough for the loader to see that it is not what its name says
	}
	var kept []byteRange
	if c.Format != "" && !isText(head) {
		kept = append(kept, byteRange{0, min(e.size, plainHead)})
	}
	for _, part := range read {
		if remaining := maxReadKept - totalBytes(kept); remaining > 0 {
			kept = append(kept, byteRange{part.from, min(part.to, part.from+remaining)})
		}
	}
	return mergeRanges(kept), nil
}

// fillPlaceholder is for a file of which nothing is kept, because it may be private.
// The loader must still see whether the file is blank and whether it is text, so a
// small text is replaced by spaces, and of any other file the first byte that is not
// zero is kept.
func fillPlaceholder(f *fixtures.RecordedFile, r io.ReaderAt) error {
	head, err := readRange(r, byteRange{0, min(f.Size, sniffBytes)})
	if err != nil {
		return err
	}
	if isText(head) && f.Size <= smallText {
		f.Padded = true
		return nil
	}
	if at := bytes.IndexFunc(head, func(r rune) bool { return r != 0 }); at >= 0 {
		f.Parts = []fixtures.Part{{Offset: int64(at), Data: head[at : at+1]}}
	}
	return nil
}

// isReference says whether the file is a reference in a Hugging Face cache, which holds
// the hash of a commit.
func isReference(name string) bool { return path.Base(path.Dir(name)) == "refs" }

// isText says whether a file starts like a text. A Git LFS pointer or a web page in the
// place of weights does.
func isText(head []byte) bool {
	return len(head) > 0 && !bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}

// isFailedDownload says whether the file is what a failed download leaves, such as a
// web page.
func isFailedDownload(e entry, head []byte) bool {
	c := sniff.Head(e.name, e.size, head)
	return c.Problem != nil && isText(head)
}

// safetensorsHead returns the number of bytes to keep of a safetensors file: its header
// with the eight bytes of its length, or, if the length is invalid, enough to show
// that.
func safetensorsHead(head []byte, size int64) int64 {
	if len(head) < 8 {
		return size
	}
	n := binary.LittleEndian.Uint64(head)
	if n > maxHeader {
		return min(size, plainHead)
	}
	return min(size, 8+int64(n))
}

// ggufHead returns everything before the tensors of a GGUF file. Of an invalid header
// it returns what the loader read, and at least sniffBytes.
func ggufHead(r io.ReaderAt, e entry, read []byteRange) []byteRange {
	if f, err := gguf.Read(r, e.size, e.name); err == nil && f.DataOffset <= maxHeader {
		return []byteRange{{0, min(e.size, f.DataOffset)}}
	}
	kept := []byteRange{{0, min(e.size, sniffBytes)}}
	for _, part := range read {
		kept = append(kept, byteRange{part.from, min(part.to, maxHeader)})
	}
	return mergeRanges(kept)
}
