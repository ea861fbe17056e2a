package loader

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// baseModel is the model whose tokenizer a checkpoint without one uses.
type baseModel struct {
	name     string // of a repository, or a path; "" where it is not known
	revision string // of the repository, "" for the main branch
	missing  string // why it is not known
	guess    string // where it stands, if that does not say that the tokenizer is the same
	local    bool   // a path may stand in the name's place, as training from a disk leaves it
}

func (b baseModel) isPath() bool { return isPath(b.name) }

// baseModel names the model whose tokenizer a checkpoint without one uses. Sources:
// peft, PeftConfig (base_model_name_or_path, revision); transformers,
// PreTrainedConfig (_name_or_path); the hub's model cards (base_model).
func (c *checkpoint) baseModel() baseModel {
	if err := c.read(); err != nil {
		return baseModel{missing: "its base model is not known: " + err.Error()}
	}
	v := c.classify()
	switch {
	case v.sae != nil:
		if b := c.describeSAE(v.sae).BaseModel; b.BaseModel != nil {
			return baseModel{name: *b.BaseModel}
		}
		return baseModel{missing: "a sparse autoencoder whose base model no file names"}
	case c.doc.file == fileAdapter:
		if name := c.doc.text(keyBaseModelPath); name != "" {
			revision := gjson.GetBytes(c.doc.data, "revision")
			b := baseModel{name: name, local: true}
			if revision.Type == gjson.String && revision.Str != "." && fs.ValidPath(revision.Str) {
				b.revision = revision.Str
			}
			return b
		}
		return baseModel{missing: "an adapter that does not name its base model"}
	case v.baseModel != "":
		return baseModel{name: repositoryOf(v.baseModel)}
	case v.category == Transformers || v.category == ASR:
		return c.origin()
	}
	return baseModel{missing: "it has no base model"}
}

// origin names the model that a checkpoint was made of, by its card or its config. A
// card that names several is that of a merge, and none of them is meant.
func (c *checkpoint) origin() baseModel {
	if card, _ := c.card(); card != nil && len(card.BaseModels) == 1 && !isPath(card.BaseModels[0]) {
		return baseModel{name: card.BaseModels[0], guess: "base_model of " + fileCard}
	}
	if c.doc.file == fileConfig {
		if v := gjson.GetBytes(c.doc.data, "_name_or_path"); v.Type == gjson.String && v.Str != "" && !isPath(v.Str) {
			return baseModel{name: v.Str, guess: "_name_or_path of " + fileConfig}
		}
	}
	return baseModel{missing: "it has no base model"}
}

// repositoryOf gives the <org>/<name> of a repository that is named by its
// address, as GGUF files do; anything else stays as it is.
func repositoryOf(name string) string {
	_, rest, isAddress := strings.Cut(name, "://")
	if !isAddress {
		return name
	}
	_, repo, _ := strings.Cut(rest, "/")
	return strings.TrimRight(repo, "/")
}

// place is a directory where a base model may be.
type place struct {
	path   string
	root   string // below which it was looked for, "" where it was named
	cached bool   // a snapshot in the layout of the Hugging Face cache
}

// How far up a base model is looked for, under its full name and under its last name
// alone.
const (
	maxAncestors = 4
	maxNearby    = 2
)

// placesOf lists where a base model may be. A path is where it says, seen from the
// checkpoint or from the root of the filesystem. A model <org>/<name> may be below the
// directories above the checkpoint, nearest first, and below the model roots, as
// <root>/<org>/<name> or in the Hugging Face cache; below a model root as
// <root>/<name> too. What has only its last name and lies near the checkpoint is
// guessed: it may be another model of that name.
func (l *tokenizerSearch) placesOf(fsys fs.FS, base baseModel, dir string) (exact, guessed []place) {
	if !fs.ValidPath(base.name) || base.name == "." {
		return base.pathPlaces(dir), nil
	}
	add := func(list *[]place, p place) {
		same := func(q place) bool { return q.path == p.path }
		if p.path != dir && !slices.ContainsFunc(exact, same) && !slices.ContainsFunc(guessed, same) {
			*list = append(*list, p)
		}
	}
	below := func(root string, isRoot bool) {
		add(&exact, place{path: path.Join(root, base.name), root: root})
		if isRoot {
			add(&exact, place{path: path.Join(root, path.Base(base.name)), root: root})
		}
		if base.isPath() {
			return
		}
		for _, cache := range [...]string{root, path.Join(root, "hub")} {
			add(&exact, place{path: cachedSnapshot(fsys, cache, base.name, base.revision), root: root, cached: true})
		}
	}
	var near []string
	for up, i := dir, 0; up != "." && i < maxAncestors; i++ {
		up = path.Dir(up)
		below(up, false)
		if i < maxNearby {
			near = append(near, up)
		}
	}
	for _, root := range l.roots {
		below(root, true)
	}
	for _, up := range near {
		add(&guessed, place{path: path.Join(up, path.Base(base.name)), root: up})
	}
	return exact, guessed
}

// pathPlaces is where a path leads, nothing where it leads nowhere in the filesystem.
func (b baseModel) pathPlaces(dir string) []place {
	at := path.Clean(strings.TrimPrefix(b.name, "/"))
	if !strings.HasPrefix(b.name, "/") {
		at = path.Join(dir, b.name)
	}
	if !b.local || !fs.ValidPath(at) || at == dir || strings.HasPrefix(b.name, "~") {
		return nil
	}
	return []place{{path: at}}
}

// cachedSnapshot is where a model is in the layout of the Hugging Face cache:
// models--org--name/snapshots/<commit>, where refs/<revision> names the commit. Where
// no ref does and none is asked for, a snapshot that stands alone is taken; where
// there is none, the place is the model's own directory in the cache.
func cachedSnapshot(fsys fs.FS, cache, name, revision string) string {
	repo := path.Join(cache, "models--"+strings.ReplaceAll(name, "/", "--"))
	ref := fileMainRef
	if revision != "" {
		ref = path.Join("refs", revision)
	}
	if text, err := readFile(fsys, repo, ref, maxRef); err == nil {
		if commit := strings.TrimSpace(string(text)); commit != "" && !strings.Contains(commit, "/") && fs.ValidPath(commit) {
			return path.Join(repo, dirSnapshots, commit)
		}
	}
	if revision != "" { // a commit; any other is not here
		return path.Join(repo, dirSnapshots, path.Base(revision))
	}
	snapshots, err := fs.ReadDir(fsys, path.Join(repo, dirSnapshots))
	if err != nil || len(snapshots) != 1 {
		return repo
	}
	return path.Join(repo, dirSnapshots, snapshots[0].Name())
}
