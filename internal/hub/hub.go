// Package hub fetches single files of a model from a server that answers as the
// Hugging Face hub does, into a cache of the layout that the hub's own clients keep:
// models--<org>--<name> with blobs, refs and snapshots. It knows nothing of what the
// files mean; it is no general client, and never uploads.
//
// It uses net/http without a retrying client, because resuming a download needs the body
// of each response, which such clients do not give.
//
// Sources: huggingface_hub, file_download.py, and its guide "manage-cache".
package hub

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"omniloader/loader/fault"
)

// Kinds of failure of a hub; see package fault for the others.
const (
	Denied      fault.Kind = "access denied"        // it needs a token, or another one
	Unavailable fault.Kind = "hub unavailable"      // no response, or one that says to try again later
	Mismatch    fault.Kind = "wrong content"        // size or checksum differ from those announced
	BadAnswer   fault.Kind = "unexpected hub reply" // a response that this client does not understand
)

// Limits on what a server may send.
const (
	MaxFileSize  = 256 << 20 // bytes; the largest real tokenizer.json has 33 MB
	maxList      = 16 << 20  // bytes of the description of a repository
	maxRedirects = 5
	maxResponses = 64 // for one file, even where each of them makes progress
)

// Client fetches from one server. Its fields are set before its first use; it is
// then safe for concurrent use.
type Client struct {
	Endpoint string // address of the server: "https://hub.example"
	Token    string // for this server and no other, "" for none
	Cache    string // directory of the cache

	// Fields with their zero value have these defaults.
	HTTP     *http.Client                               // transport and timeouts: those of this package
	Stall    time.Duration                              // a download is aborted after so long without a byte: 30 s
	Attempts int                                        // for each request, without progress: 5
	Wait     func(context.Context, time.Duration) error // between attempts: sleeps
}

// Snapshot is the result of Fetch.
type Snapshot struct {
	Dir    string // the directory of the files
	Commit string
	Bytes  int64 // downloaded by this call; the rest was in the cache
}

// Patterns of names are compiled when they are first used: most commands of the program
// use none.
var (
	repoName = compiled(`^[0-9A-Za-z][0-9A-Za-z._-]{0,95}(/[0-9A-Za-z][0-9A-Za-z._-]{0,95})?$`)
	commitID = compiled(`^[0-9a-f]{40}$`)
	entityID = compiled(`^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$`)
	fileName = compiled(`^[0-9A-Za-z_][0-9A-Za-z._-]{0,200}$`)
	refName  = compiled(`^[0-9A-Za-z_][0-9A-Za-z._-]{0,99}(/[0-9A-Za-z_][0-9A-Za-z._-]{0,99}){0,4}$`)
)

func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// mainBranch is the revision where none is named.
const mainBranch = "main"

// Fetch brings files of a repository into the cache, as they are at a revision: a
// branch, a tag or a commit, "" for the main branch. choose picks them from the names of
// the files in its top directory. A file that is complete in the cache is not fetched
// again, a damaged one is replaced, and an incomplete download is continued. The ref is
// written last, so that the snapshot it names is complete. Several processes may fetch
// the same files at the same time. Nothing is written outside the repository's directory
// of the cache, whatever links are in it.
//
// The error is of the kind fault.NotFound where there is no such repository or choose
// picks nothing, Denied where the token gives no access, and Unavailable where the
// server did not respond in time or not completely.
func (c *Client) Fetch(ctx context.Context, repo, revision string, choose func(names []string) []string) (*Snapshot, error) {
	if !repoName().MatchString(repo) || strings.Contains(repo, "--") || strings.Contains(repo, "..") {
		return nil, fault.New(fault.NotFound, repo, "not the name of a repository").WithHint("a name has the form <org>/<name>")
	}
	if revision == "" {
		revision = mainBranch
	}
	if !refName().MatchString(revision) || strings.Contains(revision, "..") {
		return nil, fault.New(fault.NotFound, repo, fmt.Sprintf("%q is not the name of a revision", clip(revision)))
	}
	f, err := c.newFetcher(repo)
	if err != nil {
		return nil, err
	}
	names, err := f.listFiles(ctx, revision)
	if err != nil {
		return nil, err
	}
	chosen := choose(names)
	if len(chosen) == 0 {
		return nil, fault.New(fault.NotFound, repo, "the repository has no file of the kind asked for")
	}
	snapshot := path.Join("snapshots", f.commit)
	if err := f.openCache(snapshot, "blobs", path.Dir(path.Join("refs", revision))); err != nil {
		return nil, err
	}
	defer f.cache.Close()
	for _, name := range chosen {
		if err := f.fetchFile(ctx, path.Join(snapshot, name), name); err != nil {
			return nil, err
		}
	}
	if revision != f.commit {
		if err := f.setRef(path.Join("refs", revision)); err != nil {
			return nil, err
		}
	}
	return &Snapshot{Dir: f.diskPath(snapshot), Commit: f.commit, Bytes: f.bytes}, nil
}

// openCache opens the repository's directory and makes directories in it. The os.Root
// refuses every path and link that leads out of it.
func (f *fetcher) openCache(dirs ...string) (err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return f.cacheError("", err)
	}
	if f.cache, err = os.OpenRoot(f.dir); err != nil {
		return f.cacheError("", err)
	}
	for _, dir := range dirs {
		if err := f.cache.MkdirAll(dir, 0o755); err != nil {
			f.cache.Close()
			return f.cacheError(dir, err)
		}
	}
	return nil
}

// setRef writes the commit into a ref, atomically.
func (f *fetcher) setRef(ref string) error {
	partial := ref + "." + rand.Text() + ".incomplete"
	err := f.cache.WriteFile(partial, []byte(f.commit), 0o644)
	if err == nil {
		err = f.cache.Rename(partial, ref)
	}
	if err != nil {
		f.cache.Remove(partial)
		return f.cacheError(ref, err)
	}
	return nil
}

// diskPath is the path of a file of the repository's cache, for the operating system.
func (f *fetcher) diskPath(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// cacheError is an error of writing a file of the cache.
func (f *fetcher) cacheError(name string, err error) error {
	return fault.New(fault.Unreadable, f.diskPath(name), "the cache cannot be written").WithCause(err)
}

// fetcher carries out one call of Fetch.
type fetcher struct {
	*Client
	endpoint *url.URL
	repo     string
	dir      string   // of the repository in the cache
	cache    *os.Root // the same, opened
	commit   string
	bytes    int64
}

func (c *Client) newFetcher(repo string) (*fetcher, error) {
	u, err := url.Parse(strings.TrimRight(c.Endpoint, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, fault.New(fault.Unsupported, c.Endpoint, "not the address of a hub").WithHint("write it as https://hub.example")
	}
	client := *c
	if client.HTTP == nil {
		client.HTTP = &http.Client{Transport: transport()}
	}
	noRedirects := *client.HTTP
	// send follows redirects itself: it needs the headers of each response, and sends the
	// token to the hub only.
	noRedirects.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.HTTP = &noRedirects
	if client.Stall == 0 {
		client.Stall = 30 * time.Second
	}
	if client.Attempts == 0 {
		client.Attempts = 5
	}
	if client.Wait == nil {
		client.Wait = wait
	}
	dir := filepath.Join(c.Cache, "models--"+strings.ReplaceAll(repo, "/", "--"))
	return &fetcher{Client: &client, endpoint: u, repo: repo, dir: dir}, nil
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// listFiles requests the commit of a revision and the names of the files in its top
// directory.
func (f *fetcher) listFiles(ctx context.Context, revision string) (names []string, err error) {
	address := f.endpoint.JoinPath("api", "models", f.repo, "revision", url.PathEscape(revision)).String()
	var reply struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
	}
	err = f.retry(ctx, func() (bool, error) {
		response, err := f.send(ctx, request{method: http.MethodGet, address: address})
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		body := f.stallReader(response)
		defer body.stop()
		data, err := io.ReadAll(io.LimitReader(body, maxList+1))
		switch {
		case err != nil:
			return false, &transient{fault.New(Unavailable, address, "the response was cut off").WithCause(err)}
		case len(data) > maxList:
			return false, fault.New(fault.TooLarge, address, fmt.Sprintf("the list of files has more than %d bytes", maxList))
		}
		if err := json.Unmarshal(data, &reply); err != nil {
			return false, fault.New(BadAnswer, address, "the list of files is not JSON").WithCause(err).
				WithHint("is this the address of a hub?")
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if !commitID().MatchString(reply.SHA) {
		return nil, fault.New(BadAnswer, address, fmt.Sprintf("%q is not a commit", clip(reply.SHA)))
	}
	f.commit = reply.SHA
	for _, s := range reply.Siblings {
		if fileName().MatchString(s.Name) { // no path with directories, which could lead out of the cache
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// transient marks an error that may not occur in another attempt.
type transient struct{ error }

func (t *transient) Unwrap() error { return t.error }

// retryLater is an error for which the server asks to wait before the next attempt.
type retryLater struct {
	error
	after time.Duration
}

func (l *retryLater) Unwrap() error { return l.error }

// retry calls attempt until it succeeds, fails with an error that is not transient, or
// has failed too often without progress.
func (f *fetcher) retry(ctx context.Context, attempt func() (progress bool, err error)) error {
	pause := 500 * time.Millisecond
	for failures, responses := 0, 1; ; responses++ {
		progress, err := attempt()
		var temporary *transient
		if err == nil || !errors.As(err, &temporary) {
			return err
		}
		if ctx.Err() != nil {
			return temporary.error
		}
		if failures++; progress {
			failures, pause = 1, 500*time.Millisecond
		}
		if failures >= f.Attempts || responses >= maxResponses {
			return temporary.error
		}
		d := pause
		var wanted *retryLater
		if errors.As(err, &wanted) && wanted.after > d {
			d = min(wanted.after, time.Minute)
		}
		pause = min(2*pause, 8*time.Second)
		if err := f.Wait(ctx, d); err != nil {
			return temporary.error
		}
	}
}

// request is what send sends.
type request struct {
	method, address string
	from            int64  // the first byte that is wanted
	ifRange         string // an Etag: where the content has another, all of it is wanted; "" for any
	stopAtMetadata  bool   // return a redirect that has the metadata of the file, and do not follow it
}

// send sends a request and follows redirects. The response has the status 200 or 206,
// or is a redirect that the request asks to return.
func (f *fetcher) send(ctx context.Context, r request) (*http.Response, error) {
	address := r.address
	target, err := url.Parse(address)
	for hop := 0; err == nil; hop++ {
		request, err := http.NewRequestWithContext(ctx, r.method, target.String(), nil)
		if err != nil {
			return nil, fault.New(BadAnswer, address, "").WithCause(err)
		}
		request.Header.Set("Accept-Encoding", "identity") // so that sizes and ranges are those of the file
		request.Header.Set("User-Agent", "omniloader")
		if r.from > 0 {
			request.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.from))
			if r.ifRange != "" {
				request.Header.Set("If-Range", r.ifRange)
			}
		}
		if f.Token != "" && target.Scheme == f.endpoint.Scheme && target.Host == f.endpoint.Host {
			request.Header.Set("Authorization", "Bearer "+f.Token)
		}
		response, err := f.HTTP.Do(request)
		if err != nil {
			var wrapped *url.Error // has the address too, which the fault gives already
			if errors.As(err, &wrapped) {
				err = wrapped.Err
			}
			return nil, &transient{fault.New(Unavailable, address, "no response").WithCause(err).WithHint("check the address and the network")}
		}
		isRedirect := response.StatusCode >= 300 && response.StatusCode < 400 && response.Header.Get("Location") != ""
		if !isRedirect {
			return f.checkStatus(response, address)
		}
		if r.stopAtMetadata && response.Header.Get("X-Linked-Etag") != "" {
			return response, nil
		}
		response.Body.Close()
		next, err := target.Parse(response.Header.Get("Location"))
		switch {
		case err != nil || next.Scheme != "http" && next.Scheme != "https":
			return nil, fault.New(BadAnswer, address, "it redirects to something that is not an http address")
		case target.Scheme == "https" && next.Scheme == "http":
			return nil, fault.New(fault.Unsafe, address, "it redirects from https to http, to "+next.Host)
		case hop == maxRedirects:
			return nil, fault.New(BadAnswer, address, fmt.Sprintf("it redirects more than %d times", maxRedirects))
		}
		target = next
	}
	return nil, fault.New(BadAnswer, address, "").WithCause(err)
}

// checkStatus gives an error for a response without success.
func (f *fetcher) checkStatus(response *http.Response, address string) (*http.Response, error) {
	status := response.StatusCode
	if status == http.StatusOK || status == http.StatusPartialContent {
		return response, nil
	}
	response.Body.Close()
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		hint := "set HF_TOKEN to a token that may read " + f.repo
		if f.Token != "" {
			hint = "the token may not read " + f.repo + ": ask for access on its page, or use another one"
		}
		return nil, fault.New(Denied, address, response.Status).WithHint(hint)
	case status == http.StatusNotFound:
		return nil, fault.New(fault.NotFound, address, "not found on the hub").
			WithHint("check the name; a private model looks the same without a token")
	case status == http.StatusRequestedRangeNotSatisfiable:
		return nil, fault.New(Mismatch, address, response.Status)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		e := fault.New(Unavailable, address, response.Status).WithHint("try again later")
		return nil, &transient{&retryLater{e, retryAfter(response.Header)}}
	}
	return nil, fault.New(BadAnswer, address, response.Status)
}

func retryAfter(h http.Header) time.Duration {
	d, err := time.ParseDuration(h.Get("Retry-After") + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// stallReader is the body of a response, which is closed after too long without a byte.
type stallReader struct {
	io.Reader
	timer *time.Timer
	stall time.Duration
}

func (f *fetcher) stallReader(response *http.Response) *stallReader {
	return &stallReader{response.Body, time.AfterFunc(f.Stall, func() { response.Body.Close() }), f.Stall}
}

func (b *stallReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if n > 0 {
		b.timer.Reset(b.stall)
	}
	return n, err
}

func (b *stallReader) stop() { b.timer.Stop() }

// clip shortens text from the server for a message.
func clip(s string) string { return s[:min(len(s), 80)] }
