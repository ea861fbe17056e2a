package hub

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// putInCache writes a file into the repository's directory of the cache, or with to a link.
func putInCache(t *testing.T, c *Client, name, content, to string) string {
	t.Helper()
	at := filepath.Join(c.Cache, "models--org--base", name)
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	if to != "" {
		require.NoError(t, os.Symlink(to, at))
	} else {
		require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
	}
	return at
}

// etags gives the names of the blobs of both tokenizer files.
func (s *server) etags(t *testing.T) (large, small string) {
	t.Helper()
	c := s.client(t)
	_, err := fetch(t, c)
	require.NoError(t, err)
	link := func(name string) string {
		target, err := os.Readlink(filepath.Join(c.Cache, "models--org--base", "snapshots", commit, name))
		require.NoError(t, err)
		return filepath.Base(target)
	}
	return link("tokenizer.json"), link("tokenizer_config.json")
}

func TestWhatIsBrokenInTheCacheIsReplaced(t *testing.T) {
	s := newServer(t)
	large, small := s.etags(t)
	require.Len(t, large, 64)
	require.Len(t, small, 40)
	snapshot := "snapshots/" + commit + "/"
	wrong := strings.Repeat("x", len(s.files["tokenizer.json"]))
	for name, prepare := range map[string]func(c *Client){
		"cut file in the snapshot":       func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", "0123", "") },
		"wrong file in the snapshot":     func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", wrong, "") },
		"wrong small file":               func(c *Client) { putInCache(t, c, snapshot+"tokenizer_config.json", `{"a":2}`, "") },
		"link that leads nowhere":        func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", "", "../../blobs/none") },
		"link to the blob that is gone":  func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", "", "../../blobs/"+large) },
		"link in a circle":               func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", "", "tokenizer.json") },
		"link out of the cache":          func(c *Client) { putInCache(t, c, snapshot+"tokenizer.json", "", filepath.Join(t.TempDir(), "x")) },
		"blob of the right size":         func(c *Client) { putInCache(t, c, "blobs/"+large, wrong, "") },
		"small blob of the right size":   func(c *Client) { putInCache(t, c, "blobs/"+small, `{"a":3}`, "") },
		"begun download of another file": func(c *Client) { putInCache(t, c, "blobs/"+large+".incomplete", wrong, "") },
	} {
		c := s.client(t)
		prepare(c)
		snap, err := fetch(t, c)
		require.NoError(t, err, name)
		s.checkCache(t, c, snap)
	}
}

func TestALinkToAnotherBlobIsReplaced(t *testing.T) {
	s := newServer(t)
	c := s.client(t)
	putInCache(t, c, "blobs/other", s.files["README.md"], "")
	putInCache(t, c, "snapshots/"+commit+"/tokenizer.json", "", "../../blobs/other")
	snap, err := fetch(t, c)
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(snap.Dir, "tokenizer.json"))
	require.NoError(t, err)
	assert.Equal(t, s.files["tokenizer.json"], string(data))
	other, err := os.ReadFile(filepath.Join(c.Cache, "models--org--base", "blobs", "other"))
	require.NoError(t, err)
	assert.Equal(t, "x", string(other), "the blob itself stays")
}

func TestASoundBlobIsNotFetchedAgain(t *testing.T) {
	s := newServer(t)
	large, _ := s.etags(t)
	c := s.client(t)
	putInCache(t, c, "blobs/"+large, s.files["tokenizer.json"], "")
	snap, err := fetch(t, c)
	require.NoError(t, err)
	s.checkCache(t, c, snap)
	assert.Equal(t, int64(len(s.files["tokenizer_config.json"])), snap.Bytes)
}

// A user who can write into the cache must not make this program write elsewhere.
func TestLinksInTheCacheCannotRedirectWrites(t *testing.T) {
	s := newServer(t)
	large, _ := s.etags(t)
	for _, link := range []string{"blobs/" + large + ".incomplete", "blobs/" + large, "refs/main",
		"snapshots/" + commit + "/tokenizer.json", "snapshots/" + commit + "/tokenizer.json.incomplete"} {
		victim := filepath.Join(t.TempDir(), "victim")
		require.NoError(t, os.WriteFile(victim, []byte("KEEP"), 0o644))
		c := s.client(t)
		at := putInCache(t, c, link, "", victim)
		snap, err := fetch(t, c)
		require.NoError(t, err, link)
		data, err := os.ReadFile(victim)
		require.NoError(t, err)
		assert.Equal(t, "KEEP", string(data), link)
		if filepath.Ext(link) != ".incomplete" {
			got, err := os.ReadFile(at)
			require.NoError(t, err, link)
			assert.NotEqual(t, "KEEP", string(got), link)
		}
		assert.FileExists(t, filepath.Join(snap.Dir, "tokenizer.json"), link)
	}
	for _, dir := range []string{"blobs", "refs", "snapshots", "snapshots/" + commit} {
		elsewhere := t.TempDir()
		c := s.client(t)
		putInCache(t, c, dir, "", elsewhere)
		_, err := fetch(t, c)
		require.ErrorIs(t, err, fault.Unreadable, dir)
		entries, err := os.ReadDir(elsewhere)
		require.NoError(t, err)
		assert.Empty(t, entries, dir)
	}
}

func TestAResponseThatIsTooShortIsNotRequestedAgain(t *testing.T) {
	s := newServer(t)
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/tokenizer.json" {
			return false
		}
		w.Header().Set("Content-Length", "9995")
		fmt.Fprint(w, s.files["tokenizer.json"][:9995])
		return true
	}
	_, err := fetch(t, s.client(t))
	require.ErrorIs(t, err, Mismatch)
	assert.Contains(t, err.Error(), "received 9995 bytes, 10000 were announced")
	assert.Len(t, s.requests, 4)
}

// Sending the same bytes again is no progress, however many they are.
func TestTheSameBytesAgainAreNoProgress(t *testing.T) {
	s := newServer(t)
	sent := 0
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/tokenizer.json" {
			return false
		}
		sent++
		w.Header().Set("Content-Length", "10000")
		fmt.Fprint(w, s.files["tokenizer.json"][:9000])
		return true // and closes before the end
	}
	_, err := fetch(t, s.client(t))
	require.ErrorIs(t, err, Unavailable)
	assert.Equal(t, 5, sent)
}

// serveWithEtag serves tokenizer.json with ETags, for HEAD and GET, that are no checksums.
func (s *server) serveWithEtag(head, get, content string, ranges *[]string) {
	s.large["tokenizer.json"] = false
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if filepath.Base(r.URL.Path) != "tokenizer.json" {
			return false
		}
		tag := get
		if r.Method == http.MethodHead {
			tag = head
		} else {
			*ranges = append(*ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
		}
		w.Header().Set("Etag", tag)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		return true
	}
}

func TestAFileThatChangesDuringTheDownloadIsRefused(t *testing.T) {
	s := newServer(t)
	var ranges []string
	s.serveWithEtag(`"v1"`, `"v2"`, s.files["tokenizer.json"], &ranges)
	c := s.client(t)
	_, err := fetch(t, c)
	require.ErrorIs(t, err, Mismatch)
	assert.Contains(t, err.Error(), "changed in the meantime")
	left, err := filepath.Glob(filepath.Join(c.Cache, "models--org--base", "blobs", "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestADownloadContinuesOnlyWithTheSameContent(t *testing.T) {
	const tail = "0123456789"
	for name, c := range map[string]struct{ tag, ranges string }{
		"same":   {`"v1"`, `bytes=700- "v1"`},
		"weak":   {`W/"v1"`, " "}, // does not allow ranges: the whole file again
		"linked": {"", "bytes=700- "},
	} {
		s := newServer(t)
		var ranges []string
		blob := "v1"
		if c.tag != "" {
			s.serveWithEtag(c.tag, c.tag, s.files["tokenizer.json"], &ranges)
		} else { // the storage has other ETags, so that only the checksum counts
			blob, _ = s.etags(t)
			s.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/tokenizer.json" {
					ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
				}
				return false
			}
		}
		client := s.client(t)
		putInCache(t, client, "blobs/"+blob+".incomplete", strings.Repeat(tail, 70), "")
		snap, err := fetch(t, client)
		require.NoError(t, err, name)
		s.checkCache(t, client, snap)
		assert.Equal(t, []string{c.ranges}, ranges, name)
	}
}

func TestARevisionIsFetchedUnderItsOwnRef(t *testing.T) {
	s := newServer(t)
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			return false
		}
		fmt.Fprintf(w, `{"sha":%q,"siblings":[{"rfilename":"tokenizer.json"}]}`, commit)
		return true
	}
	for revision, escaped := range map[string]string{"dev": "dev", "refs/pr/1": "refs%2Fpr%2F1"} {
		c := s.client(t)
		var requested string
		before := s.before
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				requested = r.URL.EscapedPath()
			}
			return before(w, r)
		}
		_, err := c.Fetch(t.Context(), "org/base", revision, tokenizerFiles)
		require.NoError(t, err, revision)
		assert.Equal(t, "/api/models/org/base/revision/"+escaped, requested)
		ref, err := os.ReadFile(filepath.Join(c.Cache, "models--org--base", "refs", revision))
		require.NoError(t, err, revision)
		assert.Equal(t, commit, string(ref))
		assert.NoFileExists(t, filepath.Join(c.Cache, "models--org--base", "refs", "main"))
	}
	c := s.client(t)
	_, err := c.Fetch(t.Context(), "org/base", commit, tokenizerFiles)
	require.NoError(t, err)
	refs, err := os.ReadDir(filepath.Join(c.Cache, "models--org--base", "refs"))
	require.NoError(t, err)
	assert.Empty(t, refs, "a commit needs no ref")

	for _, revision := range []string{"../../x", "/etc", "a//b", "a b", "a/../b", "-x"} {
		_, err := c.Fetch(t.Context(), "org/base", revision, tokenizerFiles)
		assert.ErrorIs(t, err, fault.NotFound, revision)
	}
}
