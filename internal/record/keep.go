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
	smallText = 64 << 10  // a describing file of this size is kept whole
	largeText = 1 << 20   // and so is one up to here, compressed, read or not
	wholeText = 64 << 20  // and up to here where the loader reads most of it
	trimFrom  = 1 << 20   // a tokenizer.json beyond this is trimmed
	plainHead = 512       // of a file of a format that no rule here is about
	sniffed   = 4 << 10   // to tell a format by
	readMost  = 4 << 20   // of what the loader read of a file of no known format
	headMost  = 128 << 20 // of a header; safetensors allows 100 MB
)

// describing are the endings of files that describe a model. Of others only
// names, sizes and headers are kept, so that what merely lies in the directory
// stays there.
var describing = []string{
	".cfg", ".index", ".ini", ".jinja", ".json", ".jsonl", ".md", ".metadata", ".model", ".modelfile", ".nemo", ".pbtxt",
	".py", ".tiktoken", ".tmpl", ".toml", ".tsv", ".txt", ".vocab", ".xml", ".yaml", ".yml",
}

func describes(name string) bool {
	return slices.Contains(describing, strings.ToLower(path.Ext(name)))
}

// hidden tells whether a name, or a directory on the way, begins with a dot, as
// files with passwords do. The records of a download are an exception.
func hidden(name string) bool {
	name = strings.TrimPrefix(name, ".cache/huggingface/")
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// keeper makes a recording.
type keeper struct {
	source  *source
	seen    *traced
	private *private
	spoken  map[string]bool // the files that the answer is about

	covered []string // files in which something was covered
	trimmed []string // files of which less is kept than was read
}

// record keeps what is needed, and says where the loader's answer differs from
// the one wanted: "" where it does not. A trimmed tokenizer is kept whole where
// that mends it.
func (k *keeper) record(ctx context.Context, name string, entries []entry, want []byte) (r *fixtures.Recording, different string, err error) {
	for _, trim := range []bool{true, false} {
		k.covered, k.trimmed = nil, nil
		r = &fixtures.Recording{Name: name}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return nil, "", err
			}
			f, err := k.keep(e, trim)
			if err != nil {
				return nil, "", fmt.Errorf("%s: %s: %w", k.source.given, e.name, cause(err))
			}
			r.Files = append(r.Files, f)
		}
		if different, err = again(r, want, k.private); err != nil || different == "" || len(k.trimmed) == 0 {
			break
		}
	}
	return r, different, err
}

// notes say what was changed, for people.
func (k *keeper) notes() (notes []string) {
	if len(k.covered) > 0 {
		notes = append(notes, "names of users, paths of this machine, addresses or secrets are written as xxx in "+strings.Join(k.covered, ", "))
	}
	for _, name := range k.trimmed {
		notes = append(notes, name+" is kept without most of its vocabulary")
	}
	return notes
}

// keep gives what is kept of one file.
func (k *keeper) keep(e entry, trim bool) (fixtures.RecordedFile, error) {
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
		whole, err := readRun(r, run{0, e.size})
		if err != nil {
			return out, err
		}
		if small, ok := trimTokenizer(whole); ok {
			out.Parts, out.Padded = []fixtures.Part{{Data: k.cover(e.name, small)}}, true
			k.trimmed = append(k.trimmed, e.name)
			return out, nil
		}
	}
	runs, err := k.runs(r, e)
	if err != nil {
		return out, err
	}
	if len(runs) == 0 {
		return out, standIn(&out, r)
	}
	for _, part := range runs {
		data, err := readRun(r, part)
		if err != nil {
			return out, err
		}
		out.Parts = append(out.Parts, fixtures.Part{Offset: part.from, Data: k.cover(e.name, data)})
	}
	return out, nil
}

func (k *keeper) cover(name string, data []byte) []byte {
	covered, times := k.private.cover(name, data)
	if times > 0 && !slices.Contains(k.covered, name) {
		k.covered = append(k.covered, name)
	}
	return covered
}

func readRun(r io.ReaderAt, part run) ([]byte, error) {
	data := make([]byte, part.to-part.from)
	_, err := io.ReadFull(io.NewSectionReader(r, part.from, part.to-part.from), data)
	return data, err
}

// runs says which runs of a file's bytes are kept, by its format; where no rule
// of a format speaks, what the loader read.
func (k *keeper) runs(r io.ReaderAt, e entry) ([]run, error) {
	head, err := readRun(r, run{0, min(e.size, sniffed)})
	if err != nil {
		return nil, err
	}
	read := k.seen.read(e.name)
	whole := []run{{0, e.size}}
	switch {
	case path.Ext(e.name) == ".safetensors" && !isText(head):
		return []run{{0, safetensorsHead(head, e.size)}}, nil
	case bytes.HasPrefix(head, []byte("GGUF")) || bytes.HasPrefix(head, []byte("FUGG")):
		return ggufHead(r, e, read), nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipRuns(r, e.size, read), nil
	case e.size <= smallText && (describes(e.name) || standsIn(e, head) || isReference(e.name)),
		e.size <= largeText && describes(e.name),
		e.size <= wholeText && describes(e.name) && total(read) > e.size/2:
		return whole, nil
	}
	c := sniff.Head(e.name, e.size, head)
	if (c.Format == "" || c.Format == sniff.Text) && c.Problem == nil && !k.spoken[e.name] {
		return nil, nil
	}
	if c.Format == "" && c.Problem == nil {
		return []run{{0, min(e.size, sniffed)}}, nil // a reader was wrong about it, as its head shows
	}
	var kept []run
	if c.Format != "" && !isText(head) {
		kept = append(kept, run{0, min(e.size, plainHead)})
	}
	for _, part := range read {
		if room := readMost - total(kept); room > 0 {
			kept = append(kept, run{part.from, min(part.to, part.from+room)})
		}
	}
	return joined(kept), nil
}

// standIn fills a file of which nothing is kept, for it is the owner's own and
// says nothing of the model, with what looks as different from a blank file as it
// did: spaces for a text, and for anything else its first byte that is not zero.
// A file that begins blank stays blank.
func standIn(f *fixtures.RecordedFile, r io.ReaderAt) error {
	head, err := readRun(r, run{0, min(f.Size, sniffed)})
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

// standsIn tells whether something else than content stands in a file's place:
// what a failed download leaves, which is not anybody's own.
func standsIn(e entry, head []byte) bool {
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
	if n > headMost {
		return min(size, plainHead)
	}
	return min(size, 8+int64(n))
}

// ggufHead is everything before the weights. Of a header that is broken it is
// what the loader read, and no less than a sniff.
func ggufHead(r io.ReaderAt, e entry, read []run) []run {
	if f, err := gguf.Read(r, e.size, e.name); err == nil && f.DataOffset <= headMost {
		return []run{{0, min(e.size, f.DataOffset)}}
	}
	kept := []run{{0, min(e.size, sniffed)}}
	for _, part := range read {
		kept = append(kept, run{part.from, min(part.to, headMost)})
	}
	return joined(kept)
}
