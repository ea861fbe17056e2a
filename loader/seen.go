package loader

import (
	"bytes"
	"io"
	"io/fs"
)

// seenFS remembers what was read of a filesystem, for the length of one
// inspection: an inspection asks the same directory for its listing, and the same
// small files for their content, from several sides. It is not for several
// goroutines.
type seenFS struct {
	fs.FS
	stats map[string]seenStat
	dirs  map[string]seenDir
	files map[string]seenFile
	kept  int64 // bytes of files
}

type seenStat struct {
	info fs.FileInfo
	err  error
}

type seenDir struct {
	entries []fs.DirEntry
	err     error
}

type seenFile struct {
	info fs.FileInfo
	data []byte
}

// What is kept of files, in bytes. Configs and cards are small; of a large file
// only the head is read, and once.
const (
	maxSeenFile = 16 << 10
	maxSeen     = 8 << 20
)

func newSeen(fsys fs.FS) *seenFS {
	return &seenFS{FS: fsys, stats: map[string]seenStat{}, dirs: map[string]seenDir{}, files: map[string]seenFile{}}
}

func (s *seenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	d, ok := s.dirs[name]
	if !ok {
		d.entries, d.err = fs.ReadDir(s.FS, name)
		s.dirs[name] = d
	}
	return d.entries, d.err
}

func (s *seenFS) Stat(name string) (fs.FileInfo, error) {
	st, ok := s.stats[name]
	if !ok {
		st.info, st.err = fs.Stat(s.FS, name)
		s.stats[name] = st
	}
	return st.info, st.err
}

// note keeps what a walk said of a regular file.
func (s *seenFS) note(name string, info fs.FileInfo) { s.stats[name] = seenStat{info, nil} }

func (s *seenFS) Open(name string) (fs.File, error) {
	if f, ok := s.files[name]; ok {
		return f.open(), nil
	}
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSeenFile || s.kept+info.Size() > maxSeen {
		return f, nil // whoever opened it will meet the error
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		f.Close()
		return s.FS.Open(name)
	}
	f.Close()
	seen := seenFile{info, data}
	s.files[name] = seen
	s.kept += info.Size()
	return seen.open(), nil
}

func (f *seenFile) open() *openSeen {
	opened := &openSeen{info: f.info}
	opened.Reset(f.data)
	return opened
}

// openSeen is a file of which everything is in memory.
type openSeen struct {
	bytes.Reader
	info fs.FileInfo
}

func (f *openSeen) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openSeen) Close() error               { return nil }
