package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// server is a hub with one repository, org/base. Large files lie on another host.
type server struct {
	*httptest.Server
	storage *httptest.Server // where large files are
	files   map[string]string
	large   map[string]bool
	// before handles a request and gives true, or gives false for the usual response.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	requests []string // method, path and range
	tokens   []string // received by the storage
}

func newServer(t *testing.T) *server {
	s := &server{files: map[string]string{
		"tokenizer.json": strings.Repeat("0123456789", 1000), "tokenizer_config.json": `{"a":1}`, "README.md": "x",
	}, large: map[string]bool{"tokenizer.json": true}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.hub))
	s.storage = httptest.NewServer(http.HandlerFunc(s.store))
	t.Cleanup(s.Close)
	t.Cleanup(s.storage.Close)
	return s
}

func (s *server) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
}

func (s *server) hub(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	if s.before != nil && s.before(w, r) {
		return
	}
	name := filepath.Base(r.URL.Path)
	content, ok := s.files[name]
	switch {
	case r.URL.Path == "/api/models/org/base/revision/main":
		fmt.Fprintf(w, `{"sha":%q,"siblings":[{"rfilename":"../../evil"},{"rfilename":"sub/tokenizer.json"}`, commit)
		for name := range s.files {
			fmt.Fprintf(w, `,{"rfilename":%q}`, name)
		}
		fmt.Fprint(w, "]}")
	case !strings.HasPrefix(r.URL.Path, "/org/base/resolve/"+commit+"/") || !ok:
		http.NotFound(w, r)
	case s.large[name]:
		sum := sha256.Sum256([]byte(content))
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		w.Header().Set("Location", s.storage.URL+"/"+name)
		w.WriteHeader(http.StatusFound)
	default:
		sum := sha1.Sum([]byte(fmt.Sprintf("blob %d\x00%s", len(content), content)))
		w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}
}

func (s *server) store(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	s.mu.Lock()
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	s.mu.Unlock()
	if s.before != nil && s.before(w, r) {
		return
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(s.files[filepath.Base(r.URL.Path)]))
}

func (s *server) client(t *testing.T) *Client {
	return &Client{Endpoint: s.URL, Cache: t.TempDir(), Wait: func(context.Context, time.Duration) error { return nil }}
}

func tokenizerFiles(names []string) (out []string) {
	for _, n := range names {
		if strings.HasPrefix(n, "tokenizer") {
			out = append(out, n)
		}
	}
	return out
}

func fetch(t *testing.T, c *Client) (*Snapshot, error) {
	return c.Fetch(t.Context(), "org/base", "", tokenizerFiles)
}

// checkCache compares the files in the cache with those of the server.
func (s *server) checkCache(t *testing.T, c *Client, snap *Snapshot) {
	t.Helper()
	repo := filepath.Join(c.Cache, "models--org--base")
	assert.Equal(t, filepath.Join(repo, "snapshots", commit), snap.Dir)
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		data, err := os.ReadFile(filepath.Join(snap.Dir, name))
		require.NoError(t, err)
		assert.Equal(t, s.files[name], string(data))
	}
	ref, err := os.ReadFile(filepath.Join(repo, "refs", "main"))
	require.NoError(t, err)
	assert.Equal(t, commit, string(ref))
	blobs, err := filepath.Glob(filepath.Join(repo, "blobs", "*"))
	require.NoError(t, err)
	assert.Len(t, blobs, 2, "one for each file, and no partial file")
	assert.NoFileExists(t, filepath.Join(snap.Dir, "README.md"))
	assert.NoDirExists(t, filepath.Join(c.Cache, "evil"))
}

func TestFilesAreFetchedIntoTheCacheAndOnlyOnce(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
	assert.Equal(t, int64(10007), snap.Bytes)

	s.requests = nil
	snap, err = fetch(t, c)
	require.NoError(t, err)
	assert.Equal(t, []string{"GET /api/models/org/base/revision/main", "HEAD /org/base/resolve/" + commit + "/tokenizer.json",
		"HEAD /org/base/resolve/" + commit + "/tokenizer_config.json"}, s.requests)
	assert.Zero(t, snap.Bytes)
}

func TestTheTokenGoesToTheHubAlone(t *testing.T) {
	s := newServer(t)
	hubTokens := map[string]bool{}
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(s.storage.URL, r.Host) {
			hubTokens[r.Header.Get("Authorization")] = true
		}
		return false
	}
	c := s.client(t)
	c.Token = "secret"
	_, err := fetch(t, c)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"Bearer secret": true}, hubTokens)
	assert.Equal(t, []string{""}, s.tokens)
}

func TestAResponseThatIsCutOffIsContinued(t *testing.T) {
	s := newServer(t)
	cuts := 0
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.URL.Path != "/tokenizer.json" || cuts == 3 {
			return false
		}
		cuts++
		content := s.files["tokenizer.json"]
		from := 0
		_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
		}
		fmt.Fprint(w, content[from:from+1500])
		return true // and closes before the end
	}
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
	assert.Equal(t, 3, cuts)
	assert.Contains(t, s.requests, "GET /tokenizer.json bytes=4500-")
	assert.Equal(t, int64(10007), snap.Bytes, "nothing is downloaded twice")
}

func TestADownloadIsContinuedByTheNextCall(t *testing.T) {
	s := newServer(t)
	cut := true
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !cut || r.URL.Path != "/tokenizer.json" {
			return false
		}
		w.Header().Set("Content-Length", "10000")
		if r.Header.Get("Range") == "" {
			fmt.Fprint(w, s.files["tokenizer.json"][:700])
		}
		return true
	}
	c := s.client(t)
	c.Attempts = 2
	_, err := fetch(t, c)
	require.ErrorIs(t, err, Unavailable)
	assert.NoFileExists(t, filepath.Join(c.Cache, "models--org--base", "refs", "main"), "the snapshot is incomplete")
	cut = false
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
}

func TestAServerThatIgnoresRangesSendsTheFileAnew(t *testing.T) {
	s := newServer(t)
	first := true
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/tokenizer.json" {
			return false
		}
		if first {
			first = false
			w.Header().Set("Content-Length", "10000")
			fmt.Fprint(w, s.files["tokenizer.json"][:10])
		} else {
			fmt.Fprint(w, s.files["tokenizer.json"])
		}
		return true
	}
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
}

func TestARequestToABusyServerIsRepeated(t *testing.T) {
	s := newServer(t)
	statuses := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadGateway}
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if len(statuses) == 0 {
			return false
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(statuses[0])
		statuses = statuses[1:]
		return true
	}
	c := s.client(t)
	var waits []time.Duration
	c.Wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
	assert.Equal(t, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}, waits)
}

func TestAServerThatStaysBusyIsUnavailable(t *testing.T) {
	s := newServer(t)
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	_, err := fetch(t, s.client(t))
	require.ErrorIs(t, err, Unavailable)
	assert.Len(t, s.requests, 5)
	assert.NotEmpty(t, fault.HintOf(err))

	s.Close()
	_, err = fetch(t, s.client(t))
	assert.ErrorIs(t, err, Unavailable)
}

func TestADownloadThatStallsIsAborted(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/tokenizer.json" {
			return false
		}
		w.Header().Set("Content-Length", "10000")
		fmt.Fprint(w, "01234")
		w.(http.Flusher).Flush()
		<-release
		return true
	}
	c := s.client(t)
	c.Stall, c.Attempts = 200*time.Millisecond, 1
	_, err := fetch(t, c)
	close(release)
	require.ErrorIs(t, err, Unavailable)
	assert.Contains(t, err.Error(), "cut off after 5 of 10000 bytes")
}

func TestASlowServerChangesNothing(t *testing.T) {
	s := newServer(t)
	s.before = func(http.ResponseWriter, *http.Request) bool {
		select { // as slow as a distant server
		case <-t.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
		return false
	}
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
}

func TestWrongContentIsRefusedAndNotKept(t *testing.T) {
	for name, content := range map[string]string{
		"changed": strings.Repeat("9876543210", 1000), "longer": strings.Repeat("0123456789", 1001),
	} {
		s := newServer(t)
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/tokenizer.json" {
				return false
			}
			fmt.Fprint(w, content)
			return true
		}
		c := s.client(t)
		_, err := fetch(t, c)
		require.ErrorIs(t, err, Mismatch, name)
		left, err := filepath.Glob(filepath.Join(c.Cache, "models--org--base", "blobs", "*"))
		require.NoError(t, err)
		assert.Empty(t, left, name)

		s.before = nil
		snap, err := fetch(t, c)
		require.NoError(t, err)
		s.checkCache(t, c, snap)
	}
}

func TestErrorsHaveHints(t *testing.T) {
	for status, c := range map[int]struct {
		kind fault.Kind
		hint string
	}{
		http.StatusUnauthorized: {Denied, "HF_TOKEN"},
		http.StatusForbidden:    {Denied, "HF_TOKEN"},
		http.StatusNotFound:     {fault.NotFound, "without a token"},
		http.StatusTeapot:       {BadAnswer, ""},
	} {
		s := newServer(t)
		s.before = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true }
		_, err := fetch(t, s.client(t))
		require.ErrorIs(t, err, c.kind)
		assert.Contains(t, fault.HintOf(err), c.hint)
		assert.Len(t, s.requests, 1, "repeating the request would not help")
	}
}

func TestResponsesThatAreNotOfAHubAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		list, etag, size string
		kind             fault.Kind
	}{
		"page":     {list: "<html>", kind: BadAnswer},
		"commit":   {list: `{"sha":"../../x"}`, kind: BadAnswer},
		"nothing":  {list: `{"sha":"` + commit + `","siblings":[{"rfilename":"x/tokenizer.json"}]}`, kind: fault.NotFound},
		"no etag":  {etag: "", size: "5", kind: BadAnswer},
		"bad etag": {etag: `"../../../x"`, size: "5", kind: BadAnswer},
		"huge":     {etag: `"a"`, size: "999999999999", kind: fault.TooLarge},
	} {
		s := newServer(t)
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case c.list != "":
				fmt.Fprint(w, c.list)
			case r.Method == http.MethodHead:
				w.Header().Set("Etag", c.etag)
				w.Header().Set("Content-Length", c.size)
			default:
				return false
			}
			return true
		}
		_, err := fetch(t, s.client(t))
		assert.ErrorIs(t, err, c.kind, name)
	}
}

func TestRedirects(t *testing.T) {
	s := newServer(t)
	s.before = func(w http.ResponseWriter, r *http.Request) bool { // a repository that was renamed
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/org/base/"); ok && r.URL.Query().Get("moved") == "" {
			w.Header().Set("Location", "/api/models/org/base/"+rest+"?moved=1")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)

	for location, kind := range map[string]fault.Kind{"/again": BadAnswer, "file:///etc/passwd": BadAnswer} {
		s.before = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
			return true
		}
		_, err = fetch(t, s.client(t))
		assert.ErrorIs(t, err, kind, location)
	}
}

func TestARedirectOutOfHTTPSIsRefused(t *testing.T) {
	s := httptest.NewTLSServer(http.RedirectHandler("http://hub.example/x", http.StatusFound))
	defer s.Close()
	c := &Client{Endpoint: s.URL, Cache: t.TempDir(), HTTP: s.Client()}
	_, err := fetch(t, c)
	assert.ErrorIs(t, err, fault.Unsafe)
}

func TestInvalidRepositoryNamesAreNotRequested(t *testing.T) {
	s := newServer(t)
	for _, repo := range []string{"", "..", "a/b/c", "/etc/passwd", "org/../x", "org/ba--se", "org/base?x=1", `org\base`} {
		_, err := s.client(t).Fetch(t.Context(), repo, "", tokenizerFiles)
		assert.ErrorIs(t, err, fault.NotFound, repo)
	}
	assert.Empty(t, s.requests)
	for _, endpoint := range []string{"", "hub.example", "ftp://hub.example", "https://me:secret@hub.example", "://"} {
		_, err := (&Client{Endpoint: endpoint, Cache: t.TempDir()}).Fetch(t.Context(), "org/base", "", tokenizerFiles)
		assert.ErrorIs(t, err, fault.Unsupported, endpoint)
	}
}

func TestACancelledFetchEnds(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(http.ResponseWriter, *http.Request) bool { cancel(); return false }
	_, err := s.client(t).Fetch(ctx, "org/base", "", tokenizerFiles)
	require.Error(t, err)
	assert.True(t, errors.Is(err, context.Canceled), err)
	assert.Len(t, s.requests, 1)
}

func TestConcurrentFetchesDoNotDisturbEachOther(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = c.Fetch(context.Background(), "org/base", "", tokenizerFiles) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
}

func TestADamagedCacheIsRepaired(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, pointer, blob string){
		"cut blob": func(t *testing.T, _, blob string) { require.NoError(t, os.Truncate(blob, 7)) },
		"other content": func(t *testing.T, _, blob string) {
			require.NoError(t, os.WriteFile(blob, make([]byte, 10_000), 0o600))
		},
		"blob gone":      func(t *testing.T, _, blob string) { require.NoError(t, os.Remove(blob)) },
		"link elsewhere": func(t *testing.T, pointer, _ string) { relink(t, pointer, "../../blobs/gone") },
		"cut copy": func(t *testing.T, pointer, _ string) {
			require.NoError(t, os.Remove(pointer))
			require.NoError(t, os.WriteFile(pointer, []byte("{"), 0o600))
		},
	} {
		s := newServer(t)
		c := s.client(t)
		snap, err := fetch(t, c)
		require.NoError(t, err)
		pointer := filepath.Join(snap.Dir, "tokenizer.json")
		blob, err := filepath.EvalSymlinks(pointer)
		require.NoError(t, err)
		damage(t, pointer, blob)
		snap, err = fetch(t, c)
		require.NoError(t, err, name)
		s.checkCache(t, c, snap)
	}
}

func relink(t *testing.T, pointer, target string) {
	require.NoError(t, os.Remove(pointer))
	require.NoError(t, os.Symlink(target, pointer))
}

func TestALinkInPlaceOfAPartialFileIsNotFollowed(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	snap, err := fetch(t, c)
	require.NoError(t, err)
	blob, err := filepath.EvalSymlinks(filepath.Join(snap.Dir, "tokenizer.json"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(blob))
	victim := filepath.Join(t.TempDir(), "victim")
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o600))
	require.NoError(t, os.Symlink(victim, blob+".incomplete"))
	snap, err = fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
	kept, err := os.ReadFile(victim)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept))
}

// A server that sends less than it announces, each time the same, is not asked for ever.
func TestAFileThatIsAlwaysTruncatedIsNotRequestedForever(t *testing.T) {
	s := newServer(t)
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.URL.Path != "/tokenizer.json" {
			return false
		}
		fmt.Fprint(w, s.files["tokenizer.json"][:9_995])
		return true
	}
	_, err := fetch(t, s.client(t))
	require.Error(t, err)
	gets := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, "GET /tokenizer.json") {
			gets++
		}
	}
	assert.Less(t, gets, 10)
}
