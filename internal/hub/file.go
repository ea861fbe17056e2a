package hub

import (
	"context"
	"crypto/sha1" // the ids of git, not a safeguard against forgery
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"omniloader/loader/fault"
)

// described is what the hub says of a file before sending it.
type described struct {
	address string
	etag    string // names the blob; the checksum where it is one
	size    int64  // -1 where it is not said
}

// file brings one file into the snapshot.
func (f *fetching) file(ctx context.Context, snapshot, name string) error {
	pointer := filepath.Join(snapshot, name)
	if whole(pointer) {
		return nil
	}
	d, err := f.describe(ctx, name)
	if err != nil {
		return err
	}
	blob := filepath.Join(f.dir, "blobs", d.etag)
	if check(blob, d) != nil {
		os.Remove(blob) // what is there, if anything, is not the content
		if err := f.download(ctx, d, blob); err != nil {
			return err
		}
	}
	if err := point(blob, pointer); err != nil {
		return fault.New(fault.Unreadable, pointer, "the cache cannot be written").WithCause(err)
	}
	return nil
}

// whole tells whether the file of a snapshot leads to a blob that has the checksum it
// is named by. A client that was interrupted, or a cache that was cleaned, leaves
// links that lead nowhere, and blobs that were cut.
func whole(pointer string) bool {
	target, err := os.Readlink(pointer)
	if err != nil {
		return false // a copy: the hub is asked what it should be
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(pointer), target)
	}
	return check(target, described{etag: filepath.Base(target), size: -1}) == nil
}

// point makes the file of the snapshot: a relative link as the hub's own clients
// make it, else a hard link or a copy. What is there and leads elsewhere is replaced.
func point(blob, pointer string) error {
	if there, err := os.Stat(pointer); err == nil {
		if wanted, err := os.Stat(blob); err == nil && os.SameFile(there, wanted) {
			return nil
		}
	}
	if err := os.Remove(pointer); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Symlink(filepath.Join("..", "..", "blobs", filepath.Base(blob)), pointer)
	if err == nil || errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	}
	if os.Link(blob, pointer) == nil {
		return nil
	}
	data, err := os.ReadFile(blob)
	if err != nil {
		return err
	}
	part := pointer + ".incomplete"
	if err := noLink(part); err != nil {
		return err
	}
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return err
	}
	return os.Rename(part, pointer)
}

// describe asks for the name, checksum and size of a file's content.
func (f *fetching) describe(ctx context.Context, name string) (d described, err error) {
	d = described{address: f.endpoint.JoinPath(f.repo, "resolve", f.commit, name).String(), size: -1}
	err = f.try(ctx, func() (bool, error) {
		answer, err := f.ask(ctx, http.MethodHead, d.address, 0, true)
		if err != nil {
			return false, err
		}
		answer.Body.Close()
		h := answer.Header
		etag := h.Get("X-Linked-Etag")
		size := h.Get("X-Linked-Size")
		if etag == "" {
			etag, size = h.Get("Etag"), h.Get("Content-Length")
		}
		d.etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
		if !entityID.MatchString(d.etag) {
			return false, fault.New(BadAnswer, d.address, fmt.Sprintf("the answer names no content: Etag %q", clip(etag))).
				WithHint("is this the address of a hub?")
		}
		if size != "" {
			if d.size, err = strconv.ParseInt(size, 10, 64); err != nil || d.size < 0 {
				return false, fault.New(BadAnswer, d.address, fmt.Sprintf("the size %q is no number", clip(size)))
			}
		}
		if d.size > MaxFileSize {
			return false, fault.New(fault.TooLarge, d.address, fmt.Sprintf("%d bytes, the limit is %d", d.size, MaxFileSize))
		}
		return false, nil
	})
	return d, err
}

// download writes a blob. It begins where an earlier download ended: the bytes that
// are there are those of the same content, since the content names the file. Another
// process that does the same writes the same bytes to the same places.
func (f *fetching) download(ctx context.Context, d described, blob string) error {
	part := blob + ".incomplete"
	err := f.try(ctx, func() (bool, error) { return f.more(ctx, d, part) })
	if err != nil {
		if fault.KindOf(err) == Mismatch {
			os.Remove(part) // what is there cannot be continued
		}
		return err
	}
	if err := check(part, d); err != nil {
		if !exists(part) && exists(blob) {
			return nil // another process was faster
		}
		os.Remove(part) // its bytes are wrong: beginning with them again would not help
		return err
	}
	if err := os.Rename(part, blob); err != nil && !exists(blob) {
		return fault.New(fault.Unreadable, blob, "the cache cannot be written").WithCause(err)
	}
	return nil
}

// more downloads what is missing of a blob, as far as it comes.
func (f *fetching) more(ctx context.Context, d described, part string) (progress bool, err error) {
	if err := noLink(part); err != nil {
		return false, err
	}
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, fault.New(fault.Unreadable, part, "the cache cannot be written").WithCause(err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fault.New(fault.Unreadable, part, "the cache cannot be written").WithCause(closeErr)
		}
	}()
	from, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return false, fault.New(fault.Unreadable, part, "").WithCause(err)
	}
	if d.size >= 0 && from == d.size {
		return false, nil
	}
	had := from
	if from > d.size { // or the size is not known
		if err := file.Truncate(0); err != nil {
			return false, fault.New(fault.Unreadable, part, "the cache cannot be written").WithCause(err)
		}
		from = 0
	}
	answer, err := f.ask(ctx, http.MethodGet, d.address, from, false)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if from, err = begin(answer, d, from); err != nil {
		return false, err
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return false, fault.New(fault.Unreadable, part, "").WithCause(err)
	}
	limit := int64(MaxFileSize)
	if d.size >= 0 {
		limit = d.size
	}
	in := f.unstalled(answer)
	defer in.stop()
	w := &counted{w: file}
	_, err = io.Copy(w, io.LimitReader(in, limit-from+1))
	f.bytes += w.n
	switch {
	case w.err != nil:
		return false, fault.New(fault.Unreadable, part, "the cache cannot be written").WithCause(w.err)
	case from+w.n > limit:
		return false, fault.New(Mismatch, d.address, fmt.Sprintf("more than the %d bytes announced", limit))
	case ctx.Err() != nil:
		return false, fault.New(Unavailable, d.address, "given up").WithCause(ctx.Err())
	case err != nil || d.size >= 0 && from+w.n < d.size:
		return from+w.n > had, &transient{fault.New(Unavailable, d.address,
			fmt.Sprintf("the answer broke off after %d of %d bytes", from+w.n, d.size)).WithCause(err).
			WithHint("what has come is kept; the next call continues")}
	}
	return true, nil
}

// noLink removes what stands in the place of an unfinished download and is no plain
// file: a link there would have the download written over the file it leads to.
func noLink(part string) error {
	info, err := os.Lstat(part)
	if err != nil || info.Mode().IsRegular() {
		return nil // whoever opens it meets the error
	}
	if err := os.Remove(part); err != nil {
		return fault.New(fault.Unreadable, part, "the cache cannot be written").WithCause(err)
	}
	return nil
}

// begin says where in the file an answer begins.
func begin(answer *http.Response, d described, asked int64) (int64, error) {
	if answer.StatusCode == http.StatusOK {
		return 0, nil // the server sends all of it, whatever was asked
	}
	var first, last, all int64
	if n, _ := fmt.Sscanf(answer.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &all); n != 3 ||
		first != asked || d.size >= 0 && all != d.size {
		return 0, fault.New(Mismatch, d.address, fmt.Sprintf("asked for the bytes from %d, it sends %q", asked, clip(answer.Header.Get("Content-Range"))))
	}
	return first, nil
}

// counted tells a failure to write from a failure to read.
type counted struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

// check compares a downloaded file with its size and checksum: the hub names large
// files by their SHA-256 and the others by git's id of a blob.
func check(part string, d described) error {
	file, err := os.Open(part)
	if err != nil {
		return fault.New(fault.Unreadable, part, "").WithCause(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fault.New(fault.Unreadable, part, "").WithCause(err)
	}
	if d.size >= 0 && info.Size() != d.size {
		return fault.New(Mismatch, d.address, fmt.Sprintf("%d bytes came, %d were announced", info.Size(), d.size))
	}
	var sum hash.Hash
	switch _, err := hex.DecodeString(d.etag); {
	case err != nil:
		return nil
	case len(d.etag) == 2*sha256.Size:
		sum = sha256.New()
	case len(d.etag) == 2*sha1.Size:
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", info.Size())
	default:
		return nil
	}
	if _, err := io.Copy(sum, file); err != nil {
		return fault.New(fault.Unreadable, part, "").WithCause(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ToLower(d.etag) {
		return fault.New(Mismatch, d.address, "its checksum is "+got+", announced was "+d.etag).WithHint("try again; if it stays so, the server or a proxy changes the file")
	}
	return nil
}
