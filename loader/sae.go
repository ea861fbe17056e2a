package loader

import (
	_ "embed"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/fault"
)

// NotAnSAE is the kind of error for a question that only a sparse autoencoder
// can answer.
const NotAnSAE fault.Kind = "not an SAE"

//go:embed sae_directories.tsv
var saeDirectoriesTSV string

// saeDirectories are the directory names by which sites of a model are known,
// in the order in which they are searched for a base model.
var saeDirectories = sync.OnceValue(func() (names []string) {
	for f := range tableRows(saeDirectoriesTSV) {
		names = append(names, f[0])
	}
	return names
})

// tokenizerMarks are the files whose presence says that a directory is a model
// with a tokenizer, and no sparse autoencoder.
var tokenizerMarks = []string{
	"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt",
}

// saeUnit is one directory of a release that holds an autoencoder.
type saeUnit struct {
	family string
	dir    string // below the checkpoint, "." for its root
	config string // the config file in dir, "" where the family has none
}

// saeEvidence is what makes a directory a release of sparse autoencoders.
type saeEvidence struct {
	sites []string  // indicator directories, in table order
	units []saeUnit // autoencoders found, in the order of the walk
	tree  []saeDir  // what was walked
}

func (e *saeEvidence) decidedBy() string {
	if len(e.units) > 0 {
		u := e.units[0]
		what := "files"
		if u.config != "" {
			what = path.Join(u.dir, u.config)
		} else if u.dir != "." {
			what = "files in " + u.dir
		}
		return what + ", as the family " + u.family + " has them"
	}
	if len(e.sites) == 1 {
		return "directory " + e.sites[0]
	}
	return "directories " + strings.Join(e.sites, ", ")
}

// findSAE looks for sparse autoencoders. A tokenizer beside them says that it is
// none; so does a config that names a class, unless an autoencoder's files are
// inside. Directories that are merely called like a site count where nothing
// else speaks: with lower confidence, which is a finding.
func (c *checkpoint) findSAE() *saeEvidence {
	if c.marks&(markTokenizer|markModelIndex|markModularIndex|markAdapter) != 0 {
		return nil
	}
	named := len(c.classes) > 0 || c.listedFamily() != nil
	if named && c.marks&markSAEDirectory == 0 {
		return nil // the way of ordinary models: nothing more is read
	}
	e := &saeEvidence{}
	if c.marks&markSAEDirectory != 0 {
		for _, name := range saeDirectories() {
			if c.hasDir(name) {
				e.sites = append(e.sites, name)
			}
		}
	}
	if !named || len(e.sites) > 0 {
		e.tree = c.walkSAE()
		e.units = c.saeUnits(e.tree, e.sites)
	}
	if len(e.units) == 0 {
		e.sites = slices.DeleteFunc(e.sites, e.holdsOtherThings)
		if named || len(e.sites) == 0 {
			return nil
		}
	}
	return e
}

// holdsOtherThings tells whether the directory called like a site has files, and
// none of them could be of an autoencoder: a program's source code, say.
func (e *saeEvidence) holdsOtherThings(site string) bool {
	files := 0
	for _, d := range e.tree {
		if d.dir != site && !strings.HasPrefix(d.dir, site+"/") {
			continue
		}
		for _, name := range d.files {
			if slices.Contains(saeExtensions[:], path.Ext(name)) {
				return false
			}
		}
		files += len(d.files)
	}
	return files > 0
}

// saeExtensions are those of the files that autoencoders are kept in, and of the
// notes that may stand in for them.
var saeExtensions = [...]string{".json", ".yaml", ".safetensors", ".npz", ".pt", ".pth", ".bin", ".md"}

// Bounds on what is looked at to find autoencoders: the largest public releases
// have about 2,000 directories, three levels deep.
const (
	maxSAEDepth = 4
	maxSAEDirs  = 4000
)

// saeDir is one directory of a release.
type saeDir struct {
	dir   string // below the checkpoint
	files []string
}

// walkSAE lists the directories of the checkpoint, nearest first, sorted.
func (c *checkpoint) walkSAE() (dirs []saeDir) {
	dirs = append(dirs, saeDir{dir: "."})
	entries := c.entries
	for i := 0; i < len(dirs); i++ {
		d := &dirs[i]
		if i > 0 {
			var err error
			if entries, err = fs.ReadDir(c.fsys, path.Join(c.dir, d.dir)); err != nil {
				continue
			}
		}
		depth := strings.Count(d.dir, "/")
		for _, e := range entries {
			name := e.Name()
			if !isDir(c.fsys, path.Join(c.dir, d.dir), e) {
				d.files = append(d.files, name)
			} else if depth < maxSAEDepth && len(dirs) < maxSAEDirs && name[0] != '.' {
				dirs = append(dirs, saeDir{dir: path.Join(d.dir, name)})
				d = &dirs[i] // append may have moved it
			}
		}
	}
	return dirs
}

// notAnSAE says what the checkpoint is instead.
func notAnSAE(dir, decidedBy string) error {
	return fault.New(NotAnSAE, dir, "decided by "+decidedBy)
}
