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

// Walk lists every file below the checkpoint with its size, sorted by name; links
// are followed, to directories within bounds.
func (c *Checkpoint) Walk(seen *tree.CachedFS) (files []tree.File, findings []answer.Finding) {
	links := tree.LinkedDirs{Fsys: tree.PlainFS(c.FS)}
	var visit fs.WalkDirFunc
	visit = func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, tree.Relative(c.Dir, p), tree.Cause(err), ""))
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if p != c.Dir && e.Name() == ".git" {
				return fs.SkipDir
			}
			if format.IsWeights(e.Name()) {
				findings = append(findings, finding.New(finding.FileUnreadable, tree.Relative(c.Dir, p), "a directory has the name of a weights file", "the weights may be inside, or the download went wrong"))
			}
			return nil
		}
		if len(files) >= tree.MaxFiles {
			return fs.SkipAll // met behind a link, and said
		}
		if link, ok := links.Full(len(files)); !ok {
			if link != "" {
				findings = append(findings, finding.New(finding.LinkNotFollowed, tree.Relative(c.Dir, link), tree.ManyLinked, ""))
			}
			return fs.SkipAll
		}
		info, err := e.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if info, err = fs.Stat(c.FS, p); errors.Is(err, fs.ErrPermission) {
				findings = append(findings, finding.New(finding.FileUnreadable, tree.Relative(c.Dir, p), "the file that the link leads to: "+tree.Cause(err), ""))
				return nil
			} else if err != nil {
				findings = append(findings, finding.New(finding.LinkBroken, tree.Relative(c.Dir, p), "the link cannot be followed: "+tree.Cause(err), ""))
				return nil
			}
			if info.IsDir() {
				if why := links.Enter(p, len(files)); why != "" {
					findings = append(findings, finding.New(finding.LinkNotFollowed, tree.Relative(c.Dir, p), why, ""))
					return nil
				}
				err := fs.WalkDir(c.FS, p, visit)
				links.Leave(len(files))
				return err
			}
		}
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, tree.Relative(c.Dir, p), tree.Cause(err), ""))
			return nil
		}
		if !info.Mode().IsRegular() {
			if format.IsWeights(e.Name()) && !info.IsDir() {
				findings = append(findings, finding.New(finding.FileUnreadable, tree.Relative(c.Dir, p), tree.SpecialFile(info.Mode())+" stands in its place", "download the file"))
			}
			return nil
		}
		seen.Remember(p, info)
		files = append(files, tree.File{Name: tree.Relative(c.Dir, p), Size: info.Size()})
		if len(files) == tree.MaxFiles {
			findings = append(findings, finding.New(finding.TooManyFiles, "", "more than "+strconv.Itoa(tree.MaxFiles)+" files; the rest was not looked at", ""))
			return fs.SkipAll
		}
		return nil
	}
	err := fs.WalkDir(c.FS, c.Dir, visit)
	if err != nil {
		findings = append(findings, finding.New(finding.FileUnreadable, "", tree.Cause(err), ""))
	}
	return files, findings
}

// Sniff reads the first bytes of every file and notes what they say.
func (c *Checkpoint) Sniff(files []tree.File) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if strings.HasPrefix(f.Name, hubcache.Records) {
			continue
		}
		h, err := tree.OpenAt(c.FS, c.Dir, f.Name)
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, f.Name, finding.WithoutPath(err), finding.HintOf(err)))
			continue
		}
		content, err := sniff.File(f.Name, h, h.Size)
		h.Close()
		if err != nil {
			findings = append(findings, finding.New(finding.FileUnreadable, f.Name, finding.WithoutPath(err), finding.HintOf(err)))
			continue
		}
		f.Format = content.Format // hidden or not: a pickle may have been hidden
		if !f.IsHidden() {
			f.Problem, f.Pointer = content.Problem, content.Pointer
		}
	}
	return findings
}
