// Package hub fetches single files of a model from a server that answers as the
// Hugging Face hub does, into a cache of the layout that the hub's own clients keep:
// models--<org>--<name> with blobs, refs and snapshots. It fetches what it is asked
// for and knows nothing of what the files mean; it is no general client, and never
// uploads.
//
// net/http is enough here: the loop over attempts has to own the answer's body to
// resume a download, which clients that retry do not allow.
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
	"time"

	"omniloader/loader/fault"
)

// Kinds of failure of a hub; see package fault for the others.
const (
	Denied      fault.Kind = "access denied"        // it asks for a token, or for another one
	Unavailable fault.Kind = "hub unavailable"      // no answer, or one that says to come back
	Mismatch    fault.Kind = "wrong content"        // size or checksum are not those announced
	BadAnswer   fault.Kind = "unexpected hub reply" // an answer that this client does not understand
)

// Limits on what a server may send.
const (
	MaxFileSize  = 256 << 20 // bytes; the largest real tokenizer.json has 33 MB
	maxList      = 16 << 20  // bytes of the description of a repository
	maxRedirects = 5
	maxAnswers   = 64 // for one file, however often it makes some progress
)

// Client fetches from one server. Its fields are set before its first use; it is
// then safe for concurrent use.
type Client struct {
	Endpoint string // address of the server: "https://hub.example"
	Token    string // for this server and no other, "" for none
	Cache    string // directory of the cache

	// The zero values of these are the usual ones.
	HTTP     *http.Client                               // transport and timeouts
	Stall    time.Duration                              // a download without a byte for so long is given up: 30 s
	Attempts int                                        // without progress, for each request: 5
	Wait     func(context.Context, time.Duration) error // between attempts
}

// Snapshot is what Fetch fetched.
type Snapshot struct {
	Dir    string // the directory of the files
	Commit string
	Bytes  int64 // that were downloaded now; the rest was there
}

var (
	repoName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,95}(/[0-9A-Za-z][0-9A-Za-z._-]{0,95})?$`)
	commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)
	entityID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$`)
	fileName = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z._-]{0,200}$`)
	refName  = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z._-]{0,99}(/[0-9A-Za-z_][0-9A-Za-z._-]{0,99}){0,4}$`)
)

// mainBranch is the revision that is meant where none is named.
const mainBranch = "main"

// Fetch brings files of a repository into the cache, as they are at a revision: a
// branch, a tag or a commit, "" for the main branch. choose picks them from the names
// at its top. A file that the cache has whole is not fetched again, one that is
// broken there is replaced, and one that was begun is continued. The ref is written
// last: a snapshot that it names is whole. Other processes may do the same at the same
// time. Nothing is written outside the repository's directory of the cache, whatever
// links stand in it.
//
// The error is of the kind fault.NotFound where there is no such repository or choose
// picks nothing, Denied where the token does not open it, and Unavailable where the
// server did not answer in time or in full.
func (c *Client) Fetch(ctx context.Context, repo, revision string, choose func(names []string) []string) (*Snapshot, error) {
	if !repoName.MatchString(repo) || strings.Contains(repo, "--") || strings.Contains(repo, "..") {
		return nil, fault.New(fault.NotFound, repo, "not the name of a repository").WithHint("a name has the form <org>/<name>")
	}
	if revision == "" {
		revision = mainBranch
	}
	if !refName.MatchString(revision) || strings.Contains(revision, "..") {
		return nil, fault.New(fault.NotFound, repo, fmt.Sprintf("%q is not the name of a revision", clip(revision)))
	}
	f, err := c.fetching(repo)
	if err != nil {
		return nil, err
	}
	names, err := f.list(ctx, revision)
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
		if err := f.file(ctx, path.Join(snapshot, name), name); err != nil {
			return nil, err
		}
	}
	if revision != f.commit {
		if err := f.setRef(path.Join("refs", revision)); err != nil {
			return nil, err
		}
	}
	return &Snapshot{Dir: f.place(snapshot), Commit: f.commit, Bytes: f.bytes}, nil
}

// openCache opens the repository's directory and makes those in it. From here on no
// path and no link leads out of it.
func (f *fetching) openCache(dirs ...string) (err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return f.unwritable("", err)
	}
	if f.cache, err = os.OpenRoot(f.dir); err != nil {
		return f.unwritable("", err)
	}
	for _, dir := range dirs {
		if err := f.cache.MkdirAll(dir, 0o755); err != nil {
			f.cache.Close()
			return f.unwritable(dir, err)
		}
	}
	return nil
}

// setRef lets a ref name the commit, whole or not at all.
func (f *fetching) setRef(ref string) error {
	part := ref + "." + rand.Text() + ".incomplete"
	err := f.cache.WriteFile(part, []byte(f.commit), 0o644)
	if err == nil {
		err = f.cache.Rename(part, ref)
	}
	if err != nil {
		f.cache.Remove(part)
		return f.unwritable(ref, err)
	}
	return nil
}

// place is where a file of the repository's cache is on the disk.
func (f *fetching) place(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *fetching) unwritable(name string, err error) error {
	return fault.New(fault.Unreadable, f.place(name), "the cache cannot be written").WithCause(err)
}

// fetching is one call of Fetch.
type fetching struct {
	*Client
	endpoint *url.URL
	repo     string
	dir      string   // of the repository in the cache
	cache    *os.Root // the same, opened
	commit   string
	bytes    int64
}

func (c *Client) fetching(repo string) (*fetching, error) {
	u, err := url.Parse(strings.TrimRight(c.Endpoint, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, fault.New(fault.Unsupported, c.Endpoint, "not the address of a hub").WithHint("write it as https://hub.example")
	}
	client := *c
	if client.HTTP == nil {
		client.HTTP = &http.Client{Transport: transport()}
	}
	own := *client.HTTP
	// Redirects are followed by hand: what each answer says counts, and the token
	// goes to the hub alone.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.HTTP = &own
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
	return &fetching{Client: &client, endpoint: u, repo: repo, dir: dir}, nil
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

// list asks for the commit of a revision and the files at its top.
func (f *fetching) list(ctx context.Context, revision string) (names []string, err error) {
	address := f.endpoint.JoinPath("api", "models", f.repo, "revision", url.PathEscape(revision)).String()
	var reply struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
	}
	err = f.try(ctx, func() (bool, error) {
		answer, err := f.ask(ctx, request{method: http.MethodGet, address: address})
		if err != nil {
			return false, err
		}
		defer answer.Body.Close()
		body := f.unstalled(answer)
		defer body.stop()
		data, err := io.ReadAll(io.LimitReader(body, maxList+1))
		switch {
		case err != nil:
			return false, &transient{fault.New(Unavailable, address, "the answer broke off").WithCause(err)}
		case len(data) > maxList:
			return false, fault.New(fault.TooLarge, address, fmt.Sprintf("the list of files has more than %d bytes", maxList))
		}
		if err := json.Unmarshal(data, &reply); err != nil {
			return false, fault.New(BadAnswer, address, "the list of files is no JSON").WithCause(err).
				WithHint("is this the address of a hub?")
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if !commitID.MatchString(reply.SHA) {
		return nil, fault.New(BadAnswer, address, fmt.Sprintf("the commit %q is none", clip(reply.SHA)))
	}
	f.commit = reply.SHA
	for _, s := range reply.Siblings {
		if fileName.MatchString(s.Name) { // no directories: nothing can lead out of the cache
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// transient marks an error that another attempt may not meet.
type transient struct{ error }

func (t *transient) Unwrap() error { return t.error }

// later is a transient error with the time that the server asked for.
type later struct {
	error
	after time.Duration
}

func (l *later) Unwrap() error { return l.error }

// try does one thing until it succeeds, fails for good, or has failed too often
// without progress.
func (f *fetching) try(ctx context.Context, one func() (progress bool, err error)) error {
	pause := 500 * time.Millisecond
	for failures, answers := 0, 1; ; answers++ {
		progress, err := one()
		var again *transient
		if err == nil || !errors.As(err, &again) {
			return err
		}
		if ctx.Err() != nil {
			return again.error
		}
		if failures++; progress {
			failures, pause = 1, 500*time.Millisecond
		}
		if failures >= f.Attempts || answers >= maxAnswers {
			return again.error
		}
		d := pause
		var asked *later
		if errors.As(err, &asked) && asked.after > d {
			d = min(asked.after, time.Minute)
		}
		pause = min(2*pause, 8*time.Second)
		if err := f.Wait(ctx, d); err != nil {
			return again.error
		}
	}
}

// request is what ask sends.
type request struct {
	method, address string
	from            int64  // the first byte that is wanted
	etag            string // only if the content is still this one, else all of it; "" for not said
	described       bool   // an answer will do that describes the file, be it a redirect to its bytes
}

// ask sends a request and follows redirects. An answer that is given has the status
// 200 or 206, or is a redirect that describes the file where that will do.
func (f *fetching) ask(ctx context.Context, r request) (*http.Response, error) {
	address := r.address
	at, err := url.Parse(address)
	for hop := 0; err == nil; hop++ {
		request, err := http.NewRequestWithContext(ctx, r.method, at.String(), nil)
		if err != nil {
			return nil, fault.New(BadAnswer, address, "").WithCause(err)
		}
		request.Header.Set("Accept-Encoding", "identity") // sizes and ranges count the file's own bytes
		request.Header.Set("User-Agent", "omniloader")
		if r.from > 0 {
			request.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.from))
			if r.etag != "" {
				request.Header.Set("If-Range", r.etag)
			}
		}
		if f.Token != "" && at.Scheme == f.endpoint.Scheme && at.Host == f.endpoint.Host {
			request.Header.Set("Authorization", "Bearer "+f.Token)
		}
		answer, err := f.HTTP.Do(request)
		if err != nil {
			var wrapped *url.Error // names the address a second time
			if errors.As(err, &wrapped) {
				err = wrapped.Err
			}
			return nil, &transient{fault.New(Unavailable, address, "no answer").WithCause(err).WithHint("check the address and the network")}
		}
		isRedirect := answer.StatusCode >= 300 && answer.StatusCode < 400 && answer.Header.Get("Location") != ""
		if !isRedirect {
			return f.judge(answer, address)
		}
		if r.described && answer.Header.Get("X-Linked-Etag") != "" {
			return answer, nil
		}
		answer.Body.Close()
		next, err := at.Parse(answer.Header.Get("Location"))
		switch {
		case err != nil || next.Scheme != "http" && next.Scheme != "https":
			return nil, fault.New(BadAnswer, address, "it redirects to no address")
		case at.Scheme == "https" && next.Scheme == "http":
			return nil, fault.New(fault.Unsafe, address, "it redirects from https to http, to "+next.Host)
		case hop == maxRedirects:
			return nil, fault.New(BadAnswer, address, fmt.Sprintf("it redirects more than %d times", maxRedirects))
		}
		at = next
	}
	return nil, fault.New(BadAnswer, address, "").WithCause(err)
}

// judge turns a status into an error where it is none of success.
func (f *fetching) judge(answer *http.Response, address string) (*http.Response, error) {
	status := answer.StatusCode
	if status == http.StatusOK || status == http.StatusPartialContent {
		return answer, nil
	}
	answer.Body.Close()
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		hint := "set HF_TOKEN to a token that may read " + f.repo
		if f.Token != "" {
			hint = "the token may not read " + f.repo + ": ask for access on its page, or use another one"
		}
		return nil, fault.New(Denied, address, answer.Status).WithHint(hint)
	case status == http.StatusNotFound:
		return nil, fault.New(fault.NotFound, address, "the hub does not know it").
			WithHint("check the name; a private model looks the same without a token")
	case status == http.StatusRequestedRangeNotSatisfiable:
		return nil, fault.New(Mismatch, address, answer.Status)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		e := fault.New(Unavailable, address, answer.Status).WithHint("try again later")
		return nil, &transient{&later{e, retryAfter(answer.Header)}}
	}
	return nil, fault.New(BadAnswer, address, answer.Status)
}

func retryAfter(h http.Header) time.Duration {
	d, err := time.ParseDuration(h.Get("Retry-After") + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// body is an answer's body that ends where no byte comes for too long.
type body struct {
	io.Reader
	timer *time.Timer
	stall time.Duration
}

func (f *fetching) unstalled(answer *http.Response) *body {
	return &body{answer.Body, time.AfterFunc(f.Stall, func() { answer.Body.Close() }), f.Stall}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if n > 0 {
		b.timer.Reset(b.stall)
	}
	return n, err
}

func (b *body) stop() { b.timer.Stop() }

func clip(s string) string { return s[:min(len(s), 80)] }
