package tree

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// The limits on directories that are reached through links: links within links, links in
// all, and files behind them. Pipelines share components by a few links; a link to a
// large data directory must not be walked to its end.
const (
	maxLinkDepth   = 4
	maxLinkedDirs  = 256
	maxLinkedFiles = 10_000
)

// LinkTracker decides which links to directories a walk follows. A link to a directory
// above itself is not followed, since the walk would not end.
type LinkTracker struct {
	FS          fs.FS
	stack       []linkedDir // the links that the walk is in
	entered     int         // links entered so far
	filesBehind int         // files found behind links that were left again
	reported    bool        // LimitReached has named a link
}

type linkedDir struct {
	name   string // path of the link, as walked
	target string // path of the directory that it leads to, as far as known
	parent string // directory of the link, with known links resolved
	before int    // files that were found before the link was entered
}

// resolve gives the path of a walked directory with the known links replaced by their
// targets.
func (l *LinkTracker) resolve(dir string) string {
	if len(l.stack) == 0 {
		return dir
	}
	top := l.stack[len(l.stack)-1]
	return path.Join(top.target, TrimDir(top.name, dir))
}

// Enter is called when a walk that has found so many files comes to a link to a
// directory. It returns "" where the walk is to follow it, and then Leave has to be
// called; otherwise why not.
func (l *LinkTracker) Enter(name string, files int) (why string) {
	switch {
	case len(l.stack) >= maxLinkDepth:
		return "it is a link within " + strconv.Itoa(maxLinkDepth) + " others"
	case l.entered >= maxLinkedDirs:
		return "more than " + strconv.Itoa(maxLinkedDirs) + " links to directories"
	case l.countBehind(files) >= maxLinkedFiles:
		return TooManyLinkedFiles
	}
	d := linkedDir{name: name, target: name, parent: l.resolve(path.Dir(name)), before: files}
	if target, err := fs.ReadLink(l.FS, name); err == nil {
		if path.IsAbs(target) {
			d.target = path.Join(".", target) // as in a filesystem whose root is that of the disk
		} else {
			d.target = path.Join(d.parent, target)
		}
		back := isWithin(d.target, d.parent) || strings.HasSuffix(d.target, "..")
		for _, outer := range l.stack {
			back = back || isWithin(d.target, outer.parent)
		}
		if back {
			return "it leads back to a directory that it lies in"
		}
	}
	l.entered++
	l.stack = append(l.stack, d)
	return ""
}

// TooManyLinkedFiles is the message of a walk that LimitReached ends.
var TooManyLinkedFiles = "more than " + strconv.Itoa(maxLinkedFiles) + " files behind links; the rest was not read"

// countBehind gives the number of files found behind links.
func (l *LinkTracker) countBehind(files int) int {
	if len(l.stack) == 0 {
		return l.filesBehind
	}
	return l.filesBehind + files - l.stack[0].before
}

// LimitReached tells whether too many files were found behind links, so that the walk has
// to leave the link it is in. link is that link the first time, and "" later.
func (l *LinkTracker) LimitReached(files int) (link string, reached bool) {
	if len(l.stack) == 0 || l.countBehind(files) < maxLinkedFiles {
		return "", false
	}
	if !l.reported {
		l.reported = true
		link = l.stack[0].name
	}
	return link, true
}

// Leave is called when the walk has left the directory of the link entered last.
func (l *LinkTracker) Leave(files int) {
	top := len(l.stack) - 1
	if top == 0 {
		l.filesBehind += files - l.stack[0].before
	}
	l.stack = l.stack[:top]
}
