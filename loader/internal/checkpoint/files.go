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

// Walk lists every file below the checkpoint with its size, sorted by name; links are
// followed, to directories within bounds. It has known remember each file's status.
func (c *Directory) Walk(known *tree.CachedFS) (files []tree.File, findings []answer.Finding) {
	w := walk{c: c, known: known, links: tree.LinkTracker{FS: tree.Uncached(c.FS)}}
	if err := fs.WalkDir(c.FS, c.Dir, w.visit); err != nil {
		w.report(finding.FileUnreadable, c.Dir, tree.Cause(err), "")
	}
	return w.files, w.findings
}

// walk is one walk through the files below a checkpoint.
type walk struct {
	c        *Directory
	known    *tree.CachedFS
	links    tree.LinkTracker
	files    []tree.File
	findings []answer.Finding
}

// report adds a finding about what is at a path of the filesystem.
func (w *walk) report(code, at, message, hint string) {
	name := ""
	if at != w.c.Dir {
		name = tree.TrimDir(w.c.Dir, at)
	}
	w.findings = append(w.findings, finding.New(code, name, message, hint))
}

// visit is the function of fs.WalkDir.
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
		return fs.SkipAll // met behind a link, and reported
	}
	if link, ok := w.links.Full(len(w.files)); !ok {
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

// enter decides whether the walk goes into a directory.
func (w *walk) enter(p string, e fs.DirEntry) error {
	if p != w.c.Dir && e.Name() == ".git" {
		return fs.SkipDir
	}
	if format.IsWeights(e.Name()) {
		w.report(finding.FileUnreadable, p, "a directory has the name of a weights file", "the weights may be inside, or the download went wrong")
	}
	return nil
}

// follow goes where a link leads.
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

// add lists a regular file.
func (w *walk) add(p string, e fs.DirEntry, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		if format.IsWeights(e.Name()) && !info.IsDir() {
			w.report(finding.FileUnreadable, p, tree.DescribeSpecial(info.Mode())+" stands in its place", "download the file")
		}
		return nil
	}
	w.known.SetStat(p, info)
	w.files = append(w.files, tree.File{Name: tree.TrimDir(w.c.Dir, p), Size: info.Size()})
	if len(w.files) == tree.MaxFiles {
		w.report(finding.TooManyFiles, w.c.Dir, "more than "+strconv.Itoa(tree.MaxFiles)+" files; the rest was not looked at", "")
		return fs.SkipAll
	}
	return nil
}

// Sniff reads the first bytes of every file and notes what they say.
func (c *Directory) Sniff(files []tree.File) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if strings.HasPrefix(f.Name, hubcache.LocalDir) {
			continue
		}
		h, err := tree.Open(c.FS, c.Dir, f.Name)
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, f.Name, finding.MessageOf(err), finding.HintOf(err)))
			continue
		}
		content, err := sniff.File(f.Name, h, h.Size)
		h.Close()
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, f.Name, finding.MessageOf(err), finding.HintOf(err)))
			continue
		}
		f.Format = content.Format // hidden or not: a pickle may have been hidden
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
