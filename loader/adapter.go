package loader

import (
	"io/fs"
	"path"
	"strings"
)

// addAdapter fills in the model that an adapter changes. Three things are told
// apart: a repository or a directory that is there; a path of the machine that
// the adapter was trained on; and nothing at all.
func (c *checkpoint) addAdapter(info *Info) {
	base := c.doc.text(keyBaseModelPath)
	switch {
	case base == "":
		what := "is missing"
		if c.doc.values[keyBaseModelPath].end != 0 {
			what = "is " + string(c.doc.value(keyBaseModelPath))
		}
		info.Findings = append(info.Findings, finding(CodeAdapterBaseMissing, fileAdapter, "base_model_name_or_path "+what+": nothing names the base model", ""))
		return
	case isPath(base) && !c.isDirectory(base):
		info.Findings = append(info.Findings, finding(CodeAdapterBasePath, fileAdapter, "base_model_name_or_path is the path "+base+", which is not here", ""))
	}
	info.BaseModel = &base
}

// isPath tells a path from the name of a repository, "org/name" or "name".
func isPath(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") ||
		strings.Contains(name, `\`) || len(name) > 1 && name[1] == ':' || strings.Count(name, "/") > 1
}

// isDirectory tells whether a path leads to a directory: seen from the
// filesystem's root, or from the checkpoint where it is relative.
func (c *checkpoint) isDirectory(name string) bool {
	target := path.Clean(strings.TrimPrefix(name, "/"))
	if !strings.HasPrefix(name, "/") {
		target = path.Join(c.dir, name)
	}
	if !fs.ValidPath(target) {
		return false
	}
	info, err := fs.Stat(c.fsys, target)
	return err == nil && info.IsDir()
}
