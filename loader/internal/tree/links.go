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
type LinkedDirs struct {
	Fsys   fs.FS
	stack  []linkedDir
	met    int // links entered
	behind int // files met behind those that were left
	said   bool
}

type linkedDir struct {
	name   string // where the link lies, as it is walked
	real   string // where it leads, as far as is known
	parent string // the directory that it lies in, without links as far as is known
	before int    // files that were met before it
}

// real gives a walked directory's place without the links on the way, as far as
// is known.
func (l *LinkedDirs) real(dir string) string {
	if len(l.stack) == 0 {
		return dir
	}
	top := l.stack[len(l.stack)-1]
	return path.Join(top.real, Relative(top.name, dir))
}

// Enter says why a link to a directory is not followed, or "" where it is; then
// leave is to be called.
func (l *LinkedDirs) Enter(name string, files int) (why string) {
	switch {
	case len(l.stack) >= maxLinkDepth:
		return "it is a link within " + strconv.Itoa(maxLinkDepth) + " others"
	case l.met >= maxLinkedDirs:
		return "more than " + strconv.Itoa(maxLinkedDirs) + " links to directories"
	case l.behindLinks(files) >= maxLinkedFiles:
		return ManyLinked
	}
	d := linkedDir{name: name, real: name, parent: l.real(path.Dir(name)), before: files}
	if target, err := fs.ReadLink(l.Fsys, name); err == nil {
		if path.IsAbs(target) {
			d.real = path.Join(".", target) // that of a filesystem whose root is the disk's
		} else {
			d.real = path.Join(d.parent, target)
		}
		back := within(d.real, d.parent) || strings.HasSuffix(d.real, "..")
		for _, outer := range l.stack {
			back = back || within(d.real, outer.parent)
		}
		if back {
			return "it leads back to a directory that it lies in"
		}
	}
	l.met++
	l.stack = append(l.stack, d)
	return ""
}

var ManyLinked = "more than " + strconv.Itoa(maxLinkedFiles) + " files behind links; the rest was not looked at"

// behindLinks counts the files that were met behind links.
func (l *LinkedDirs) behindLinks(files int) int {
	if len(l.stack) == 0 {
		return l.behind
	}
	return l.behind + files - l.stack[0].before
}

// Full names the link that the walk is in where no more is to be looked at behind
// it, once; ok is false then, whether it is named or not.
func (l *LinkedDirs) Full(files int) (name string, ok bool) {
	if len(l.stack) == 0 || l.behindLinks(files) < maxLinkedFiles {
		return "", true
	}
	if !l.said {
		l.said = true
		name = l.stack[0].name
	}
	return name, false
}

func (l *LinkedDirs) Leave(files int) {
	top := len(l.stack) - 1
	if top == 0 {
		l.behind += files - l.stack[0].before
	}
	l.stack = l.stack[:top]
}

// within tells whether a directory is, or lies below, another.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
