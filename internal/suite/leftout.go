package suite

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
)

// folder is a folder that was searched for feature files.
type folder struct{ leftOut []leftOutPath }

// leftOutPath is something in a folder that looks as if it had features and is not read.
type leftOutPath struct {
	uri  string
	kind leftOutKind
}

type leftOutKind int

const (
	folderLink leftOutKind = iota
	hiddenFolder
	otherCase
)

// leftOutReasons has the reason for one path, and for several.
var leftOutReasons = map[leftOutKind][2]string{
	folderLink:   {"link to a folder", "links to folders"},
	hiddenFolder: {"hidden folder with features", "hidden folders with features"},
	otherCase:    {"file named *.FEATURE", "files named *.FEATURE"},
}

// note notes an entry of a folder that is left out without being asked for.
func (f *folder) note(fsys fs.FS, name, uri string, entry fs.DirEntry) {
	add := func(kind leftOutKind) { f.leftOut = append(f.leftOut, leftOutPath{uri, kind}) }
	switch {
	case entry.IsDir():
		if isHidden(name, entry) && hasFeature(fsys, name) {
			add(hiddenFolder)
		}
	case entry.Type()&fs.ModeSymlink != 0 && isFolder(fsys, name):
		add(folderLink)
	case !engine.IsFeature(name) && engine.IsFeature(strings.ToLower(name)):
		add(otherCase)
	}
}

func isHidden(name string, entry fs.DirEntry) bool {
	return name != "." && strings.HasPrefix(entry.Name(), ".")
}

func isFolder(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name) // follows links
	return err == nil && info.IsDir()
}

// hasFeature says whether a hidden folder has feature files, as far as can be seen quickly.
// Version control systems keep nothing in theirs that a user wrote.
func hasFeature(fsys fs.FS, name string) bool {
	const maxEntries = 2000
	switch path.Base(name) {
	case ".git", ".hg", ".svn":
		return false
	}
	found, entries := false, 0
	_ = fs.WalkDir(fsys, name, func(file string, entry fs.DirEntry, err error) error {
		if entries++; err != nil || entries > maxEntries {
			return fs.SkipAll
		}
		if !entry.IsDir() && engine.IsFeature(file) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// leftOutPaths counts what was left out in the folders that the features were found in.
func leftOutPaths(features []*Feature) []outcome.LeftOut {
	var all []leftOutPath
	for _, f := range features {
		for _, searched := range f.folders {
			all = append(all, searched.leftOut...)
		}
	}
	return countLeftOut(all)
}

// countLeftOut counts paths by the reason. A path that is there twice counts once.
func countLeftOut(paths []leftOutPath) []outcome.LeftOut {
	seen := map[leftOutPath]bool{}
	counts := map[leftOutKind]int{}
	for _, l := range paths {
		if !seen[l] {
			seen[l] = true
			counts[l.kind]++
		}
	}
	var list []outcome.LeftOut
	for _, kind := range []leftOutKind{folderLink, hiddenFolder, otherCase} {
		if n := counts[kind]; n > 0 {
			list = append(list, outcome.LeftOut{Reason: leftOutReasons[kind][min(n, 2)-1], Count: n})
		}
	}
	return list
}

// LeftOut counts what was left out without being asked for: scenarios by their tag, and
// files and folders.
func (p *Plan) LeftOut() []outcome.LeftOut { return slices.Clone(p.leftOut) }
