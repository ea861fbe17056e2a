package checkpoint

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// Walk lists every file of the checkpoint with its size, in the order of fs.WalkDir.
// Links are followed within the limits of tree.LinkTracker, .git is left out, and what
// cannot be read is reported. The status of each file is stored in cache.
func (c *Directory) Walk(cache *tree.CachedFS) (files []tree.File, findings []answer.Finding) {
	w := walk{c: c, cache: cache, links: tree.LinkTracker{FS: tree.Uncached(c.FS)}}
	if err := fs.WalkDir(c.FS, c.Dir, w.visit); err != nil {
		w.report(finding.FileUnreadable, c.Dir, tree.Cause(err), "")
	}
	return w.files, w.findings
}

// walk is the state of Walk.
type walk struct {
	c        *Directory
	cache    *tree.CachedFS
	links    tree.LinkTracker
	files    []tree.File
	findings []answer.Finding
}

// report adds a finding about the path p of the filesystem.
func (w *walk) report(code, p, message, hint string) {
	name := ""
	if p != w.c.Dir {
		name = tree.TrimDir(w.c.Dir, p)
	}
	w.findings = append(w.findings, finding.New(code, name, message, hint))
}

// visit is the callback of fs.WalkDir.
func (w *walk) visit(p string, e fs.DirEntry, err error) error {
	switch {
	case err != nil:
		w.report(finding.FileUnreadable, p, tree.Cause(err), "")
		if e != nil && e.IsDir() {
			return fs.SkipDir
		}
		return nil
	case e.IsDir():
		return w.enter(p, e)
	case len(w.files) >= tree.MaxFiles:
		return fs.SkipAll // reached inside a link, and reported there
	}
	if link, reached := w.links.LimitReached(len(w.files)); reached {
		if link != "" {
			w.report(finding.LinkNotFollowed, link, tree.TooManyLinkedFiles, "")
		}
		return fs.SkipAll
	}
	info, err := e.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return w.follow(p, e)
	}
	if err != nil {
		w.report(finding.FileUnreadable, p, tree.Cause(err), "")
		return nil
	}
	return w.add(p, e, info)
}

// enter is called for a directory, and returns fs.SkipDir where it is not to be walked.
func (w *walk) enter(p string, e fs.DirEntry) error {
	if p != w.c.Dir && e.Name() == ".git" {
		return fs.SkipDir
	}
	if format.IsWeights(e.Name()) {
		w.report(finding.FileUnreadable, p, "a directory has the name of a weights file", "the weights may be inside, or the download went wrong")
	}
	return nil
}

// follow adds the file that a link leads to, or walks the directory.
func (w *walk) follow(p string, e fs.DirEntry) error {
	info, err := fs.Stat(w.c.FS, p)
	switch {
	case errors.Is(err, fs.ErrPermission):
		w.report(finding.FileUnreadable, p, "the file that the link leads to: "+tree.Cause(err), "")
		return nil
	case err != nil:
		w.report(finding.LinkBroken, p, "the link cannot be followed: "+tree.Cause(err), "")
		return nil
	case !info.IsDir():
		return w.add(p, e, info)
	}
	if why := w.links.Enter(p, len(w.files)); why != "" {
		w.report(finding.LinkNotFollowed, p, why, "")
		return nil
	}
	defer func() { w.links.Leave(len(w.files)) }()
	return fs.WalkDir(w.c.FS, p, w.visit)
}

// add adds a regular file.
func (w *walk) add(p string, e fs.DirEntry, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		if format.IsWeights(e.Name()) && !info.IsDir() {
			w.report(finding.FileUnreadable, p, "it is "+tree.DescribeSpecial(info.Mode())+", not a file", "download the file")
		}
		return nil
	}
	w.cache.SetStat(p, info)
	w.files = append(w.files, tree.File{Name: tree.TrimDir(w.c.Dir, p), Size: info.Size()})
	if len(w.files) == tree.MaxFiles {
		w.report(finding.TooManyFiles, w.c.Dir, "more than "+strconv.Itoa(tree.MaxFiles)+" files; the rest was not read", "")
		return fs.SkipAll
	}
	return nil
}

// Sniff reads the first bytes of every file, and sets Format, Problem and Pointer of the
// files accordingly. Files that cannot be read are reported.
func (c *Directory) Sniff(files []tree.File) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if strings.HasPrefix(f.Name, hubcache.LocalDir) {
			continue
		}
		h, err := tree.OpenAt(c.FS, c.Dir, f.Name)
		if err != nil {
			findings = append(findings, finding.FromError(finding.FileUnreadable, f.Name, err))
			continue
		}
		content, err := sniff.File(f.Name, h, h.Size)
		h.Close()
		if err != nil {
			findings = append(findings, finding.FromError(finding.FileUnreadable, f.Name, err))
			continue
		}
		f.Format = content.Format // also of a hidden file, which may be a pickle
		if !f.IsHidden() {
			f.Problem, f.Pointer = content.Problem, content.Pointer
		}
	}
	for i := range files {
		f := &files[i]
		if f.Problem != nil || !f.IsHidden() {
			continue
		}
		if f.Problem = sniff.Unfinished(f.Name); f.Problem != nil {
			f.Problem.Detail += ", of " + sniff.ByteSize(f.Size)
		}
	}
	return findings
}
