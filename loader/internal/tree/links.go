package tree

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Bounds on the directories that are reached through links: how many links deep,
// how many links, and how many files behind them. Pipelines share components so,
// a few at a time; a link to a directory of data is not to be walked to its end.
const (
	maxLinkDepth   = 4
	maxLinkedDirs  = 256
	maxLinkedFiles = 10_000
)

// LinkedDirs are the links to directories that a walk is in. A link that leads back
// to a directory on the way to it would be followed without an end.
type LinkTracker struct {
	FS          fs.FS
	stack       []linkedDir
	entered     int // links entered
	filesBehind int // files met behind those that were left
	reported    bool
}

type linkedDir struct {
	name   string // where the link lies, as it is walked
	target string // where it leads, as far as is known
	parent string // the directory that it lies in, without links as far as is known
	before int    // files that were met before it
}

// real gives a walked directory's place without the links on the way, as far as
// is known.
func (l *LinkTracker) resolve(dir string) string {
	if len(l.stack) == 0 {
		return dir
	}
	top := l.stack[len(l.stack)-1]
	return path.Join(top.target, TrimDir(top.name, dir))
}

// Enter says why a link to a directory is not followed, or "" where it is; then
// leave is to be called.
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
			d.target = path.Join(".", target) // that of a filesystem whose root is the disk's
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

var TooManyLinkedFiles = "more than " + strconv.Itoa(maxLinkedFiles) + " files behind links; the rest was not looked at"

// behindLinks counts the files that were met behind links.
func (l *LinkTracker) countBehind(files int) int {
	if len(l.stack) == 0 {
		return l.filesBehind
	}
	return l.filesBehind + files - l.stack[0].before
}

// Full names the link that the walk is in where no more is to be looked at behind
// it, once; ok is false then, whether it is named or not.
func (l *LinkTracker) Full(files int) (name string, ok bool) {
	if len(l.stack) == 0 || l.countBehind(files) < maxLinkedFiles {
		return "", true
	}
	if !l.reported {
		l.reported = true
		name = l.stack[0].name
	}
	return name, false
}

func (l *LinkTracker) Leave(files int) {
	top := len(l.stack) - 1
	if top == 0 {
		l.filesBehind += files - l.stack[0].before
	}
	l.stack = l.stack[:top]
}

// within tells whether a directory is, or lies below, another.
func isWithin(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
