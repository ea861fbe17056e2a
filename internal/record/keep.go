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

// What is kept of a file, in bytes.
const (
	smallText   = 64 << 10  // a describing file of this size is kept whole
	largeText   = 1 << 20   // and so is one up to here, compressed, read or not
	wholeText   = 64 << 20  // and up to here where the loader reads most of it
	trimFrom    = 1 << 20   // a tokenizer.json beyond this is trimmed
	plainHead   = 512       // of a file of a format that no rule here is about
	sniffBytes  = 4 << 10   // to tell a format by
	maxReadKept = 4 << 20   // of what the loader read of a file of no known format
	maxHeader   = 128 << 20 // of a header; safetensors allows 100 MB
)

// descriptiveExtensions are the endings of files that describe a model. Of others only
// names, sizes and headers are kept, so that what merely lies in the directory
// stays there.
var descriptiveExtensions = []string{
	".cfg", ".index", ".ini", ".jinja", ".json", ".jsonl", ".md", ".metadata", ".model", ".modelfile", ".nemo", ".pbtxt",
	".py", ".tiktoken", ".tmpl", ".toml", ".tsv", ".txt", ".vocab", ".xml", ".yaml", ".yml",
}

func isDescriptive(name string) bool {
	return slices.Contains(descriptiveExtensions, strings.ToLower(path.Ext(name)))
}

// hidden tells whether a name, or a directory on the way, begins with a dot, as
// files with passwords do. The records of a download are an exception.
func hidden(name string) bool {
	name = strings.TrimPrefix(name, ".cache/huggingface/")
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// recorder makes a recording.
type recorder struct {
	source    *source
	reads     *tracingFS
	redactor  *redactor
	mentioned map[string]bool // the files that the answer is about

	redacted []string // files in which something was covered
	trimmed  []string // files of which less is kept than was read
}

// record keeps what is needed, and says where the loader's answer differs from
// the one wanted: "" where it does not. A trimmed tokenizer is kept whole where
// that mends it.
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

// notes say what was changed, for people.
func (k *recorder) notes() (notes []string) {
	if len(k.redacted) > 0 {
		notes = append(notes, "names of users, paths of this machine, addresses or secrets are written as xxx in "+strings.Join(k.redacted, ", "))
	}
	for _, name := range k.trimmed {
		notes = append(notes, name+" is kept without most of its vocabulary")
	}
	return notes
}

// recordFile gives what is kept of one file.
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

func (k *recorder) redact(name string, data []byte) []byte {
	covered, times := k.redactor.redact(name, data)
	if times > 0 && !slices.Contains(k.redacted, name) {
		k.redacted = append(k.redacted, name)
	}
	return covered
}

func readRange(r io.ReaderAt, part byteRange) ([]byte, error) {
	data := make([]byte, part.to-part.from)
	_, err := io.ReadFull(io.NewSectionReader(r, part.from, part.to-part.from), data)
	return data, err
}

// rangesToKeep says which rangesToKeep of a file's bytes are kept, by its format; where no rule
// of a format speaks, what the loader read.
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
		return []byteRange{{0, min(e.size, sniffBytes)}}, nil // a reader was wrong about it, as its head shows
	}
	var kept []byteRange
	if c.Format != "" && !isText(head) {
		kept = append(kept, byteRange{0, min(e.size, plainHead)})
	}
	for _, part := range read {
		if room := maxReadKept - totalBytes(kept); room > 0 {
			kept = append(kept, byteRange{part.from, min(part.to, part.from+room)})
		}
	}
	return mergeRanges(kept), nil
}

// fillPlaceholder fills a file of which nothing is kept, for it is the owner's own and
// says nothing of the model, with what looks as different from a blank file as it
// did: spaces for a text, and for anything else its first byte that is not zero.
// A file that begins blank stays blank.
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

// isReference tells the files of the Hugging Face cache that name a commit.
func isReference(name string) bool { return path.Base(path.Dir(name)) == "refs" }

// isText tells whether a file begins like a text: a pointer of Git LFS and a web
// page do, in the place of weights.
func isText(head []byte) bool {
	return len(head) > 0 && !bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}

// isFailedDownload tells whether something else than content stands in a file's place:
// what a failed download leaves, which is not anybody's own.
func isFailedDownload(e entry, head []byte) bool {
	c := sniff.Head(e.name, e.size, head)
	return c.Problem != nil && isText(head)
}

// safetensorsHead is the length of the header with the eight bytes that give it,
// or, where those cannot be true, of as much as tells that.
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

// ggufHead is everything before the weights. Of a header that is broken it is
// what the loader read, and no less than a sniff.
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
