package hub

import (
	"context"
	"crypto/rand"
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
	"path"
	"strconv"
	"strings"

	"omniloader/loader/fault"
)

// described is what the hub says of a file before sending it.
type described struct {
	address string
	etag    string // names the blob; the checksum where it is one
	quoted  string // the etag as the file's own server writes it, "" where it cannot vouch for a part
	size    int64  // -1 where it is not said
}

// checksum is the kind of checksum that the etag is, nil for none: the hub names
// large files by their SHA-256 and the others by git's id of a blob.
func (d described) checksum(size int64) hash.Hash {
	switch _, err := hex.DecodeString(d.etag); {
	case err != nil:
		return nil
	case len(d.etag) == 2*sha256.Size:
		return sha256.New()
	case len(d.etag) == 2*sha1.Size:
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
		return sum
	}
	return nil
}

// file brings one file into the snapshot. What the cache has of it counts only if it
// has the size and the checksum that the hub announces.
func (f *fetching) file(ctx context.Context, pointer, name string) error {
	d, err := f.describe(ctx, name)
	if err != nil {
		return err
	}
	if f.check(pointer, d) == nil {
		return nil
	}
	blob := path.Join("blobs", d.etag)
	if f.check(blob, d) != nil {
		if err := f.download(ctx, d, blob); err != nil {
			return err
		}
	}
	if err := f.point(blob, pointer); err != nil {
		return f.unwritable(pointer, err)
	}
	return nil
}

// point makes the file of the snapshot, in the place of whatever has its name: a
// relative link as the hub's own clients make it, else a hard link or a copy.
func (f *fetching) point(blob, pointer string) error {
	part := path.Join("blobs", rand.Text()+".incomplete") // a snapshot never shows it
	defer f.cache.Remove(part)
	if f.cache.Symlink(path.Join("..", "..", blob), part) != nil && f.cache.Link(blob, part) != nil {
		data, err := f.cache.ReadFile(blob)
		if err != nil {
			return err
		}
		if err := f.cache.WriteFile(part, data, 0o644); err != nil {
			return err
		}
	}
	return f.cache.Rename(part, pointer)
}

// describe asks for the name, checksum and size of a file's content.
func (f *fetching) describe(ctx context.Context, name string) (d described, err error) {
	d = described{address: f.endpoint.JoinPath(f.repo, "resolve", f.commit, name).String(), size: -1}
	err = f.try(ctx, func() (bool, error) {
		answer, err := f.ask(ctx, request{method: http.MethodHead, address: d.address, described: true})
		if err != nil {
			return false, err
		}
		answer.Body.Close()
		h := answer.Header
		etag, size := h.Get("X-Linked-Etag"), h.Get("X-Linked-Size")
		if etag == "" {
			etag, size = h.Get("Etag"), h.Get("Content-Length")
			if !strings.HasPrefix(etag, "W/") { // RFC 9110, 13.1.5: a weak one is not for parts
				d.quoted = etag
			}
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
// are there are those of the same content, since the content names the file. Should
// they be others, it begins anew. Another process that does the same writes the same
// bytes to the same places.
func (f *fetching) download(ctx context.Context, d described, blob string) error {
	part := blob + ".incomplete"
	_, begun := f.cache.Lstat(part)
	err := f.rest(ctx, d, blob, part)
	if begun == nil && fault.KindOf(err) == Mismatch {
		err = f.rest(ctx, d, blob, part)
	}
	return err
}

// rest downloads what is missing of a blob and puts it in its place. After wrong
// bytes it leaves nothing behind.
func (f *fetching) rest(ctx context.Context, d described, blob, part string) error {
	furthest := int64(0)
	err := f.try(ctx, func() (bool, error) {
		reached, err := f.more(ctx, d, part)
		progress := reached > furthest // sending the beginning again is none
		furthest = max(furthest, reached)
		return progress, err
	})
	if err != nil {
		if fault.KindOf(err) == Mismatch {
			f.cache.Remove(part) // what is there cannot be continued
		}
		return err
	}
	if err := f.check(part, d); err != nil {
		if f.check(blob, d) == nil {
			return nil // another process was faster
		}
		f.cache.Remove(part) // its bytes are wrong: beginning with them again would not help
		return err
	}
	if err := f.cache.Rename(part, blob); err != nil && f.check(blob, d) != nil {
		return f.unwritable(blob, err)
	}
	return nil
}

// open opens the begun download, or begins one. Only a regular file can be a begun
// download: a link in its place is removed and never followed.
func (f *fetching) open(part string) (*os.File, error) {
	begun, err := f.cache.Lstat(part)
	if err == nil && !begun.Mode().IsRegular() {
		if err := f.cache.Remove(part); err != nil {
			return nil, f.unwritable(part, err)
		}
		begun = nil
	}
	if begun == nil {
		file, err := f.cache.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) { // another process began it just now
			return nil, &transient{f.unwritable(part, err)}
		} else if err != nil {
			return nil, f.unwritable(part, err)
		}
		return file, nil
	}
	file, err := f.cache.OpenFile(part, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) { // another process ended it just now
		return nil, &transient{f.unwritable(part, err)}
	} else if err != nil {
		return nil, f.unwritable(part, err)
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(begun, now) {
		file.Close()
		return nil, &transient{f.unwritable(part, errors.New("another file took its place"))}
	}
	return file, nil
}

// more downloads what is missing of a blob, as far as it comes, and says how far that
// was.
func (f *fetching) more(ctx context.Context, d described, part string) (reached int64, err error) {
	file, err := f.open(part)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = f.unwritable(part, closeErr)
		}
	}()
	from, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, f.unwritable(part, err)
	}
	if d.size >= 0 && from == d.size {
		return from, nil
	}
	resumable := d.quoted != "" || d.checksum(0) != nil
	if from > d.size || !resumable { // or the size is not known
		if err := file.Truncate(0); err != nil {
			return 0, f.unwritable(part, err)
		}
		from = 0
	}
	answer, err := f.ask(ctx, request{method: http.MethodGet, address: d.address, from: from, etag: d.quoted})
	if err != nil {
		return from, err
	}
	defer answer.Body.Close()
	if from, err = begin(answer, d, from); err != nil {
		return 0, err
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return 0, f.unwritable(part, err)
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
	reached = from + w.n
	switch {
	case w.err != nil:
		return reached, f.unwritable(part, w.err)
	case reached > limit:
		return reached, fault.New(Mismatch, d.address, fmt.Sprintf("more than the %d bytes announced", limit))
	case ctx.Err() != nil:
		return reached, fault.New(Unavailable, d.address, "given up").WithCause(ctx.Err())
	case err == nil && d.size >= 0 && reached < d.size && w.n == answer.ContentLength:
		// It came whole, by its own count: asking again would not help.
		return reached, fault.New(Mismatch, d.address, fmt.Sprintf("%d bytes came, %d were announced", reached, d.size)).
			WithHint("try again; if it stays so, the server or a proxy cuts the file")
	case err != nil || d.size >= 0 && reached < d.size:
		return reached, &transient{fault.New(Unavailable, d.address,
			fmt.Sprintf("the answer broke off after %d of %d bytes", reached, d.size)).WithCause(err).
			WithHint("what has come is kept; the next call continues")}
	}
	return reached, nil
}

// begin says where in the file an answer begins. Where the etag is no checksum, it
// alone tells whether the answer is of the content that was described.
func begin(answer *http.Response, d described, asked int64) (int64, error) {
	if got := answer.Header.Get("Etag"); d.quoted != "" && got != "" && got != d.quoted && d.checksum(0) == nil {
		return 0, fault.New(Mismatch, d.address, fmt.Sprintf("the file changed meanwhile: its Etag was %s and is %q", d.quoted, clip(got))).
			WithHint("try again")
	}
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

// check compares a file of the cache with the size and the checksum that were
// announced. Only a regular file, or in a snapshot a link to one, can be right.
func (f *fetching) check(name string, d described) error {
	info, err := f.cache.Stat(name)
	if err != nil {
		return fault.New(fault.Unreadable, f.place(name), "").WithCause(err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return fault.New(fault.NotAFile, f.place(name), "")
	}
	if d.size >= 0 && info.Size() != d.size {
		return fault.New(Mismatch, d.address, fmt.Sprintf("%d bytes came, %d were announced", info.Size(), d.size))
	}
	sum := d.checksum(info.Size())
	if sum == nil {
		return f.checkName(name, d)
	}
	file, err := f.cache.Open(name)
	if err != nil {
		return fault.New(fault.Unreadable, f.place(name), "").WithCause(err)
	}
	defer file.Close()
	if _, err := io.Copy(sum, io.LimitReader(file, MaxFileSize)); err != nil {
		return fault.New(fault.Unreadable, f.place(name), "").WithCause(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ToLower(d.etag) {
		return fault.New(Mismatch, d.address, "its checksum is "+got+", announced was "+d.etag).WithHint("try again; if it stays so, the server or a proxy changes the file")
	}
	return nil
}

// checkName is the check that is left where there is no checksum: a link has to lead
// to the blob of the content's name.
func (f *fetching) checkName(name string, d described) error {
	if target, err := f.cache.Readlink(name); err == nil && path.Base(target) != d.etag {
		return fault.New(Mismatch, d.address, "the cache has the content "+strconv.Quote(clip(path.Base(target)))+", announced was "+d.etag)
	}
	return nil
}
