package tree

import (
	"bytes"
	"io"
	"io/fs"
)

// CachedFS remembers what was read of a filesystem, for the length of one
// inspection: an inspection asks the same directory for its listing, and the same
// small files for their content, from several sides. It is not for several
// goroutines.
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

// What is kept of files, in bytes. Configs and cards are small; of a large file
// only the head is read, and once.
const (
	maxCachedFile = 16 << 10
	maxCached     = 8 << 20
)

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

// Remember keeps what a walk said of a regular file.
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
		return f, nil // whoever opened it will meet the error
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

// openCached is a file of which everything is in memory.
type openedFile struct {
	bytes.Reader
	info fs.FileInfo
}

func (f *openedFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openedFile) Close() error { return nil }
