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

// metadata is what the hub says of a file before it sends the content.
type metadata struct {
	address string
	etag    string // the name of the blob; a checksum, where it looks like one
	ifRange string // the Etag for requests of a part, "" where it does not allow them
	size    int64  // bytes, -1 where it is not known
}

// checksum gives the hash whose sum the etag is, nil for none: the hub names large files
// by their SHA-256, and others by git's id of a blob, a SHA-1 that starts with the size.
func (m metadata) checksum(size int64) hash.Hash {
	switch _, err := hex.DecodeString(m.etag); {
	case err != nil:
		return nil
	case len(m.etag) == 2*sha256.Size:
		return sha256.New()
	case len(m.etag) == 2*sha1.Size:
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
		return sum
	}
	return nil
}

// fetchFile brings one file into the snapshot, at a path of the cache. A file that is in
// the cache is kept only if its size and checksum are those that the hub announces.
func (f *fetcher) fetchFile(ctx context.Context, snapshotPath, name string) error {
	m, err := f.metadata(ctx, name)
	if err != nil {
		return err
	}
	if f.verify(snapshotPath, m) == nil {
		return nil
	}
	blob := path.Join("blobs", m.etag)
	if f.verify(blob, m) != nil {
		if err := f.download(ctx, m, blob); err != nil {
			return err
		}
	}
	if err := f.linkToBlob(blob, snapshotPath); err != nil {
		return f.cacheError(snapshotPath, err)
	}
	return nil
}

// linkToBlob makes or replaces the file of the snapshot: a relative link, as the hub's
// own clients make it, else a hard link or a copy.
func (f *fetcher) linkToBlob(blob, snapshotPath string) error {
	partial := path.Join("blobs", rand.Text()+".incomplete") // not in the snapshot, where others would see it
	defer f.cache.Remove(partial)
	if f.cache.Symlink(path.Join("..", "..", blob), partial) != nil && f.cache.Link(blob, partial) != nil {
		data, err := f.cache.ReadFile(blob)
		if err != nil {
			return err
		}
		if err := f.cache.WriteFile(partial, data, 0o644); err != nil {
			return err
		}
	}
	return f.cache.Rename(partial, snapshotPath)
}

// metadata requests the name, checksum and size of a file's content.
func (f *fetcher) metadata(ctx context.Context, name string) (m metadata, err error) {
	m = metadata{address: f.endpoint.JoinPath(f.repo, "resolve", f.commit, name).String(), size: -1}
	err = f.retry(ctx, func() (bool, error) {
		response, err := f.send(ctx, request{method: http.MethodHead, address: m.address, stopAtMetadata: true})
		if err != nil {
			return false, err
		}
		response.Body.Close()
		h := response.Header
		etag, size := h.Get("X-Linked-Etag"), h.Get("X-Linked-Size")
		if etag == "" {
			etag, size = h.Get("Etag"), h.Get("Content-Length")
			if !strings.HasPrefix(etag, "W/") { // RFC 9110, 13.1.5: not with a weak one
				m.ifRange = etag
			}
		}
		m.etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
		if !entityID().MatchString(m.etag) {
			return false, fault.New(BadAnswer, m.address, fmt.Sprintf("the response has no Etag that can name a blob: %q", clip(etag))).
				WithHint("is this the address of a hub?")
		}
		if size != "" {
			if m.size, err = strconv.ParseInt(size, 10, 64); err != nil || m.size < 0 {
				return false, fault.New(BadAnswer, m.address, fmt.Sprintf("the size %q is not a number of bytes", clip(size)))
			}
		}
		if m.size > MaxFileSize {
			return false, fault.New(fault.TooLarge, m.address, fmt.Sprintf("%d bytes, the limit is %d", m.size, MaxFileSize))
		}
		return false, nil
	})
	return m, err
}

// download writes a blob. It continues an earlier download: the name of the partial file
// is the name of the content, so that its bytes are part of the same content. Should they
// not be, the download starts again. Another process may download the same blob at the
// same time: it writes the same bytes to the same offsets.
func (f *fetcher) download(ctx context.Context, m metadata, blob string) error {
	partial := blob + ".incomplete"
	_, statErr := f.cache.Lstat(partial)
	err := f.downloadOnce(ctx, m, blob, partial)
	if statErr == nil && fault.KindOf(err) == Mismatch {
		err = f.downloadOnce(ctx, m, blob, partial)
	}
	return err
}

// downloadOnce downloads the missing part of a blob and renames the partial file to the
// blob. It removes a partial file with wrong content.
func (f *fetcher) downloadOnce(ctx context.Context, m metadata, blob, partial string) error {
	furthest := int64(0)
	err := f.retry(ctx, func() (bool, error) {
		size, err := f.appendMissing(ctx, m, partial)
		progress := size > furthest // downloading the same bytes again is no progress
		furthest = max(furthest, size)
		return progress, err
	})
	if err != nil {
		if fault.KindOf(err) == Mismatch {
			f.cache.Remove(partial) // it cannot be continued
		}
		return err
	}
	if err := f.verify(partial, m); err != nil {
		if f.verify(blob, m) == nil {
			return nil // another process has completed it
		}
		f.cache.Remove(partial) // continuing it would not correct its bytes
		return err
	}
	if err := f.cache.Rename(partial, blob); err != nil && f.verify(blob, m) != nil {
		return f.cacheError(blob, err)
	}
	return nil
}

// openPartial opens the file of an earlier download, or makes it. A link or anything else
// that is not a regular file is removed, and never followed.
func (f *fetcher) openPartial(partial string) (*os.File, error) {
	earlier, err := f.cache.Lstat(partial)
	if err == nil && !earlier.Mode().IsRegular() {
		if err := f.cache.Remove(partial); err != nil {
			return nil, f.cacheError(partial, err)
		}
		earlier = nil
	}
	if earlier == nil {
		file, err := f.cache.OpenFile(partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) { // another process has made it in the meantime
			return nil, &transient{f.cacheError(partial, err)}
		} else if err != nil {
			return nil, f.cacheError(partial, err)
		}
		return file, nil
	}
	file, err := f.cache.OpenFile(partial, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) { // another process has completed it in the meantime
		return nil, &transient{f.cacheError(partial, err)}
	} else if err != nil {
		return nil, f.cacheError(partial, err)
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(earlier, now) {
		file.Close()
		return nil, &transient{f.cacheError(partial, errors.New("another file has replaced it"))}
	}
	return file, nil
}

// appendMissing downloads the missing part of a blob, as far as the connection lasts, and
// gives the size of the partial file after that, also with an error.
func (f *fetcher) appendMissing(ctx context.Context, m metadata, partial string) (size int64, err error) {
	file, err := f.openPartial(partial)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = f.cacheError(partial, closeErr)
		}
	}()
	from, err := resumeAt(file, m)
	if err != nil {
		return 0, f.cacheError(partial, err)
	}
	if m.size >= 0 && from == m.size {
		return from, nil
	}
	response, err := f.send(ctx, request{method: http.MethodGet, address: m.address, from: from, ifRange: m.ifRange})
	if err != nil {
		return from, err
	}
	defer response.Body.Close()
	if from, err = responseOffset(response, m, from); err != nil {
		return 0, err
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return 0, f.cacheError(partial, err)
	}
	body := f.stallReader(response)
	defer body.stop()
	w := &countingWriter{w: file}
	_, err = io.Copy(w, io.LimitReader(body, m.limit()-from+1))
	f.bytes += w.n
	size = from + w.n
	if w.err != nil {
		return size, f.cacheError(partial, w.err)
	}
	return size, explainDownload(ctx, m, size, w.n == response.ContentLength, err)
}

// limit is the largest size that the content may have.
func (m metadata) limit() int64 {
	if m.size >= 0 {
		return m.size
	}
	return MaxFileSize
}

// resumeAt gives the offset from which a partial file is to be continued, 0 for one that
// cannot be, which it empties.
func resumeAt(partial *os.File, m metadata) (int64, error) {
	from, err := partial.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	resumable := m.ifRange != "" || m.checksum(0) != nil
	if from <= m.size && (resumable || from == m.size) { // never where the size is not known
		return from, nil
	}
	return 0, partial.Truncate(0)
}

// explainDownload gives an error unless a download is complete. size is that of the
// partial file; complete tells whether the response had as many bytes as it said; err is
// the error of reading it.
func explainDownload(ctx context.Context, m metadata, size int64, complete bool, err error) error {
	missing := m.size >= 0 && size < m.size
	switch {
	case size > m.limit():
		return fault.New(Mismatch, m.address, fmt.Sprintf("more than the %d bytes announced", m.limit()))
	case ctx.Err() != nil:
		return fault.New(Unavailable, m.address, "cancelled").WithCause(ctx.Err())
	case err == nil && missing && complete:
		// The server has sent all that it wants to: another attempt would not help.
		return fault.New(Mismatch, m.address, fmt.Sprintf("received %d bytes, %d were announced", size, m.size)).
			WithHint("try again; if it happens again, the server or a proxy truncates the file")
	case err != nil || missing:
		return &transient{fault.New(Unavailable, m.address,
			fmt.Sprintf("the response was cut off after %d of %d bytes", size, m.size)).WithCause(err).
			WithHint("the bytes received are kept, and the next call continues")}
	}
	return nil
}

// responseOffset gives the offset in the file at which a response starts; asked is that
// of the request. Without a checksum, only the Etag tells whether the response is of the
// content that the metadata is of.
func responseOffset(response *http.Response, m metadata, asked int64) (int64, error) {
	if etag := response.Header.Get("Etag"); m.ifRange != "" && etag != "" && etag != m.ifRange && m.checksum(0) == nil {
		return 0, fault.New(Mismatch, m.address, fmt.Sprintf("the file changed in the meantime: its Etag was %s and is %q", m.ifRange, clip(etag))).
			WithHint("try again")
	}
	if response.StatusCode == http.StatusOK {
		return 0, nil // the server ignores ranges, and sends the whole file
	}
	contentRange := response.Header.Get("Content-Range")
	var first, last, all int64
	if n, _ := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &first, &last, &all); n != 3 || first != asked || m.size >= 0 && all != m.size {
		return 0, fault.New(Mismatch, m.address, fmt.Sprintf("the bytes from %d were requested, the response has %q", asked, clip(contentRange)))
	}
	return first, nil
}

// countingWriter counts the bytes written, and keeps the error of writing, so that it can
// be told from one of reading.
type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

// verify compares a file of the cache with the size and the checksum that were announced.
// It accepts a regular file, or a link to one.
func (f *fetcher) verify(name string, m metadata) error {
	info, err := f.cache.Stat(name)
	if err != nil {
		return fault.New(fault.Unreadable, f.diskPath(name), "").WithCause(err)
	}
	if !info.Mode().IsRegular() { // opening a named pipe would block
		return fault.New(fault.NotAFile, f.diskPath(name), "")
	}
	if m.size >= 0 && info.Size() != m.size {
		return fault.New(Mismatch, m.address, fmt.Sprintf("received %d bytes, %d were announced", info.Size(), m.size))
	}
	sum := m.checksum(info.Size())
	if sum == nil {
		return f.verifyLink(name, m)
	}
	file, err := f.cache.Open(name)
	if err != nil {
		return fault.New(fault.Unreadable, f.diskPath(name), "").WithCause(err)
	}
	defer file.Close()
	if _, err := io.Copy(sum, io.LimitReader(file, MaxFileSize)); err != nil {
		return fault.New(fault.Unreadable, f.diskPath(name), "").WithCause(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ToLower(m.etag) {
		return fault.New(Mismatch, m.address, "its checksum is "+got+", announced was "+m.etag).WithHint("try again; if it happens again, the server or a proxy changes the file")
	}
	return nil
}

// verifyLink is verify for content without a checksum: a link has to be one to the blob
// with the name of the content.
func (f *fetcher) verifyLink(name string, m metadata) error {
	if target, err := f.cache.Readlink(name); err == nil && path.Base(target) != m.etag {
		return fault.New(Mismatch, m.address, "the cache has the content "+strconv.Quote(clip(path.Base(target)))+", announced was "+m.etag)
	}
	return nil
}
