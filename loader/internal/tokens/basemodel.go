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

// baseModel is the model that a checkpoint was made from, whose tokenizer it uses where
// it has none.
type baseModel struct {
	name            string // of a repository, or a path; "" where it is not known
	revision        string // of the repository, "" for the main branch
	unknownReason   string // why it is not known
	uncertainSource string // the file and key that give the name, where the tokenizer may be another one
	mayBePath       bool   // name may be a path, as fine-tuning from a local directory writes it
}

// isPath tells whether the name is a path, and no repository.
func (b baseModel) isPath() bool { return repo.IsPath(b.name) }

// baseModelOf finds the base model of a checkpoint. Sources: peft, PeftConfig
// (base_model_name_or_path, revision); transformers, PreTrainedConfig (_name_or_path);
// the model cards of the hub (base_model).
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

// modelFromCardOrConfig gives the model that the card or config.json names as the one
// that the checkpoint was made from. A card with several is that of a merged model, and
// gives none.
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
	root       string // the directory in which path was looked for, "" where path was given
	inHubCache bool   // a snapshot of the Hugging Face cache
}

// How many directories above the checkpoint are searched: for <org>/<name>, and for
// <name> alone.
const (
	maxAncestors       = 4
	maxNearbyAncestors = 2
)

// locations lists the directories where a base model may be. A path is one location,
// relative to the checkpoint or absolute in the filesystem. A model <org>/<name> may be
// in the directories above the checkpoint, nearest first, and in the model roots: as
// <org>/<name> or in a Hugging Face cache, and in a model root also as <name>. A
// directory <name> near the checkpoint is uncertain, since it may be of another
// organization.
func (f *Finder) locations(fsys fs.FS, base baseModel, dir string) (exact, uncertain []location) {
	if !fs.ValidPath(base.name) || base.name == "." {
		return base.pathLocations(dir), nil
	}
	add := func(list *[]location, l location) {
		same := func(other location) bool { return other.path == l.path }
		if l.path != dir && !slices.ContainsFunc(exact, same) && !slices.ContainsFunc(uncertain, same) {
			*list = append(*list, l)
		}
	}
	addIn := func(root string, isRoot bool) {
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
		addIn(up, false)
		if i < maxNearbyAncestors {
			near = append(near, up)
		}
	}
	for _, root := range f.Roots {
		addIn(root, true)
	}
	for _, up := range near {
		add(&uncertain, location{path: path.Join(up, path.Base(base.name)), root: up})
	}
	return exact, uncertain
}

// pathLocations gives the location of a base model that is named by a path, none where
// the path is not valid in the filesystem.
func (b baseModel) pathLocations(dir string) []location {
	target := path.Clean(strings.TrimPrefix(b.name, "/"))
	if !strings.HasPrefix(b.name, "/") {
		target = path.Join(dir, b.name)
	}
	if !b.mayBePath || !fs.ValidPath(target) || target == dir || strings.HasPrefix(b.name, "~") {
		return nil
	}
	return []location{{path: target}}
}
