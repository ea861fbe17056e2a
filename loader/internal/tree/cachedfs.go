package tree

import (
	"bytes"
	"io"
	"io/fs"
)

// CachedFS is a filesystem that keeps listings, the status of files and the content of
// small files in memory, for one inspection of a checkpoint. It is not safe for
// concurrent use.
type CachedFS struct {
	fs.FS
	stats map[string]cachedStat
	dirs  map[string]cachedDir
	files map[string]cachedFile
	kept  int64 // bytes of files
}

type cachedStat struct {
	info fs.FileInfo
	err  error
}

type cachedDir struct {
	entries []fs.DirEntry
	err     error
}

type cachedFile struct {
	info fs.FileInfo
	data []byte
}

// The limits of what is kept, in bytes: of one file, and of all.
const (
	maxCachedFile = 16 << 10
	maxCached     = 8 << 20
)

// NewCachedFS makes a CachedFS with an empty cache.
func NewCachedFS(fsys fs.FS) *CachedFS {
	return &CachedFS{FS: fsys, stats: map[string]cachedStat{}, dirs: map[string]cachedDir{}, files: map[string]cachedFile{}}
}

func (s *CachedFS) ReadDir(name string) ([]fs.DirEntry, error) {
	d, ok := s.dirs[name]
	if !ok {
		d.entries, d.err = fs.ReadDir(s.FS, name)
		s.dirs[name] = d
	}
	return d.entries, d.err
}

func (s *CachedFS) Stat(name string) (fs.FileInfo, error) {
	st, ok := s.stats[name]
	if !ok {
		st.info, st.err = fs.Stat(s.FS, name)
		s.stats[name] = st
	}
	return st.info, st.err
}

// SetStat stores the status of a regular file that the caller has got by other means.
func (s *CachedFS) SetStat(name string, info fs.FileInfo) { s.stats[name] = cachedStat{info, nil} }

func (s *CachedFS) Open(name string) (fs.File, error) {
	if f, ok := s.files[name]; ok {
		return f.open(), nil
	}
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCachedFile || s.kept+info.Size() > maxCached {
		return f, nil // the caller gets the error when it reads
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		f.Close()
		return s.FS.Open(name)
	}
	f.Close()
	seen := cachedFile{info, data}
	s.files[name] = seen
	s.kept += info.Size()
	return seen.open(), nil
}

func (f *cachedFile) open() *openedFile {
	opened := &openedFile{info: f.info}
	opened.Reset(f.data)
	return opened
}

// openedFile is an open file whose content is in memory.
type openedFile struct {
	bytes.Reader
	info fs.FileInfo
}

func (f *openedFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openedFile) Close() error { return nil }

// Uncached gives the filesystem below a CachedFS; any other one as it is.
func Uncached(fsys fs.FS) fs.FS {
	if s, ok := fsys.(*CachedFS); ok {
		return s.FS
	}
	return fsys
}
