package detect

import (
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
	"omniloader/loader/jsonscan"
)

// modulesFile lists the modules of a sentence-transformers model.
const modulesFile = "modules.json"

// classifySentenceTransformers classifies by the config of the transformers model inside
// a sentence-transformers model of the old layout, mostly in 0_Transformer, and makes it
// the main file of c. Source: sentence_transformers/SentenceTransformer.py.
func classifySentenceTransformers(c *checkpoint.Directory, v *Classification) {
	data, err := tree.ReadLimited(c.FS, c.Dir, modulesFile, config.MaxSize)
	if err != nil {
		return
	}
	if s := jsonscan.New(data); s.Kind() != jsonscan.Array {
		return
	} else if _, err := s.Raw(); err != nil || s.End() != nil {
		return
	}
	for _, m := range gjson.ParseBytes(data).Array() {
		name := strings.TrimSuffix(m.Get("path").Str, "/")
		if !strings.HasSuffix(m.Get("type").Str, ".Transformer") || name == "" || !c.HasDir(name) {
			continue
		}
		inner := &checkpoint.Directory{CustomRegistry: c.CustomRegistry}
		if inner.ListDir(c.FS, path.Join(c.Dir, name)) != nil || !inner.Markers.Has(checkpoint.MarkerConfig) || inner.ReadMainFile() != nil || inner.Doc.File != config.ConfigJSON {
			return
		}
		w := classifyMainConfig(inner)
		if w.Category == "" {
			return
		}
		c.Doc, c.Classes, c.ModelType = inner.Doc, inner.Classes, inner.ModelType // Class and Family look these up again
		c.Doc.File = path.Join(name, config.ConfigJSON)
		c.Findings = append(c.Findings, inner.Findings...)
		v.Category, v.Task, v.class, v.family, v.loadsAs = w.Category, w.Task, w.class, w.family, w.loadsAs
		v.DecidedBy = w.DecidedBy + "; in " + name + ", which " + modulesFile + " names"
		return
	}
}
