package tokens

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/repo"
	"omniloader/loader/internal/sae"
)

// baseModel is the model whose tokenizer a checkpoint without one uses.
type baseModel struct {
	name            string // of a repository, or a path; "" where it is not known
	revision        string // of the repository, "" for the main branch
	unknownReason   string // why it is not known
	uncertainSource string // where it stands, if that does not say that the tokenizer is the same
	mayBePath       bool   // a path may stand in the name's place, as training from a disk leaves it
}

func (b baseModel) isPath() bool { return repo.IsPath(b.name) }

// baseModelOf names the model whose tokenizer a checkpoint without one uses. Sources:
// peft, PeftConfig (base_model_name_or_path, revision); transformers,
// PreTrainedConfig (_name_or_path); the hub's model cards (base_model).
func baseModelOf(c *checkpoint.Directory) baseModel {
	if err := c.ReadMainFile(); err != nil {
		return baseModel{unknownReason: "its base model is not known: " + err.Error()}
	}
	v := detect.Classify(c)
	switch {
	case v.SAE != nil:
		if b := sae.Describe(c, v.SAE).BaseModel; b.Name != nil {
			return baseModel{name: *b.Name}
		}
		return baseModel{unknownReason: "a sparse autoencoder whose base model no file names"}
	case c.Doc.File == config.AdapterConfigJSON:
		if name := c.Doc.Text(config.KeyBaseModelPath); name != "" {
			revision := gjson.GetBytes(c.Doc.Data, "revision")
			b := baseModel{name: name, mayBePath: true}
			if revision.Type == gjson.String && revision.Str != "." && fs.ValidPath(revision.Str) {
				b.revision = revision.Str
			}
			return b
		}
		return baseModel{unknownReason: "an adapter that does not name its base model"}
	case v.BaseModel != "":
		return baseModel{name: repo.FromAddress(v.BaseModel)}
	case v.Category == answer.Transformers || v.Category == answer.ASR:
		return modelFromCardOrConfig(c)
	}
	return baseModel{unknownReason: "it has no base model"}
}

// modelFromCardOrConfig names the model that a checkpoint was made of, by its card or its config. A
// card that names several is that of a merge, and none of them is meant.
func modelFromCardOrConfig(c *checkpoint.Directory) baseModel {
	if card, _ := c.Card(); card != nil && len(card.BaseModels) == 1 && !repo.IsPath(card.BaseModels[0]) {
		return baseModel{name: card.BaseModels[0], uncertainSource: "base_model of " + checkpoint.CardFile}
	}
	if c.Doc.File == config.ConfigJSON {
		if v := gjson.GetBytes(c.Doc.Data, "_name_or_path"); v.Type == gjson.String && v.Str != "" && !repo.IsPath(v.Str) {
			return baseModel{name: v.Str, uncertainSource: "_name_or_path of " + config.ConfigJSON}
		}
	}
	return baseModel{unknownReason: "it has no base model"}
}

// location is a directory where a base model may be.
type location struct {
	path       string
	root       string // below which it was looked for, "" where it was named
	inHubCache bool   // a snapshot in the layout of the Hugging Face cache
}

// How far up a base model is looked for, under its full name and under its last name
// alone.
const (
	maxAncestors       = 4
	maxNearbyAncestors = 2
)

// locations lists where a base model may be. A path is where it says, seen from the
// checkpoint or from the root of the filesystem. A model <org>/<name> may be below the
// directories above the checkpoint, nearest first, and below the model roots, as
// <root>/<org>/<name> or in the Hugging Face cache; below a model root as
// <root>/<name> too. What has only its last name and lies near the checkpoint is
// guessed: it may be another model of that name.
func (l *Finder) locations(fsys fs.FS, base baseModel, dir string) (exact, guessed []location) {
	if !fs.ValidPath(base.name) || base.name == "." {
		return base.pathLocations(dir), nil
	}
	add := func(list *[]location, p location) {
		same := func(q location) bool { return q.path == p.path }
		if p.path != dir && !slices.ContainsFunc(exact, same) && !slices.ContainsFunc(guessed, same) {
			*list = append(*list, p)
		}
	}
	below := func(root string, isRoot bool) {
		add(&exact, location{path: path.Join(root, base.name), root: root})
		if isRoot {
			add(&exact, location{path: path.Join(root, path.Base(base.name)), root: root})
		}
		if base.isPath() {
			return
		}
		for _, cache := range [...]string{root, path.Join(root, "hub")} {
			add(&exact, location{path: hubcache.FindSnapshot(fsys, cache, base.name, base.revision), root: root, inHubCache: true})
		}
	}
	var near []string
	for up, i := dir, 0; up != "." && i < maxAncestors; i++ {
		up = path.Dir(up)
		below(up, false)
		if i < maxNearbyAncestors {
			near = append(near, up)
		}
	}
	for _, root := range l.Roots {
		below(root, true)
	}
	for _, up := range near {
		add(&guessed, location{path: path.Join(up, path.Base(base.name)), root: up})
	}
	return exact, guessed
}

// pathLocations is where a path leads, nothing where it leads nowhere in the filesystem.
func (b baseModel) pathLocations(dir string) []location {
	at := path.Clean(strings.TrimPrefix(b.name, "/"))
	if !strings.HasPrefix(b.name, "/") {
		at = path.Join(dir, b.name)
	}
	if !b.mayBePath || !fs.ValidPath(at) || at == dir || strings.HasPrefix(b.name, "~") {
		return nil
	}
	return []location{{path: at}}
}
