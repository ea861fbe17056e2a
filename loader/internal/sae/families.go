package sae

import (
	_ "embed"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

//go:embed sae_families.tsv
var familiesTSV string

//go:embed model_aliases.tsv
var modelAliasesTSV string

// family is one row of sae_families.tsv.
type family struct {
	name, path, config, weights string
	keys                        []string
}

var families = sync.OnceValue(func() (families []family) {
	for f := range table.Rows(familiesTSV) {
		family := family{name: f[0], path: f[1], config: f[2], weights: f[4]}
		if f[3] != "" {
			family.keys = strings.Split(f[3], ",")
		}
		families = append(families, family)
	}
	return families
})

// modelAliases gives the repository for a short name in lower case; the rows of
// model_aliases.tsv.
var modelAliases = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 512)
	for f := range table.Rows(modelAliasesTSV) {
		m[strings.ToLower(f[0])] = f[1]
	}
	return m
})

// match tells whether a directory has the files of an autoencoder: by the families of
// sae_families.tsv, and below a site by any file as autoencoders have it.
func (r *Release) match(d *directory) (autoencoder, bool) {
	if len(d.files) == 0 && d.complete {
		return autoencoder{}, false
	}
	for i := range families() {
		if f := &families()[i]; r.matchesFamily(f, d) {
			return autoencoder{family: f.name, dir: d.dir, config: f.config}, true
		}
	}
	if site, _, nested := strings.Cut(d.dir, "/"); nested && slices.Contains(r.Sites, site) && slices.ContainsFunc(d.files, isAutoencoderFile) {
		return autoencoder{family: answer.UnknownName, dir: d.dir}, true
	}
	return autoencoder{}, false
}

// isAutoencoderFile tells whether a file has a name that files of autoencoders have.
func isAutoencoderFile(name string) bool {
	return name == config.ConfigJSON || strings.HasPrefix(name, "params") || strings.HasPrefix(name, "sae")
}

// matchesFamily tells whether a directory matches a row of sae_families.tsv.
func (r *Release) matchesFamily(f *family, d *directory) bool {
	if f.config != "" && !d.has(r.c, f.config) || f.weights != "" && !r.hasFile(d, f.weights) {
		return false
	}
	if f.path != "*" && !table.Match(f.path, path.Join(r.c.Dir, d.dir)) {
		return false
	}
	if len(f.keys) == 0 {
		return true
	}
	config, err := r.readConfig(path.Join(d.dir, f.config))
	return err == nil && slices.ContainsFunc(f.keys, func(key string) bool {
		key, want, hasValue := strings.Cut(key, "=")
		v := config.Get(key)
		return v.Exists() && v.Type != gjson.Null && (!hasValue || v.String() == want)
	})
}

// hasFile tells whether a file matches the pattern; a pattern with a slash is for a file
// one directory down.
func (r *Release) hasFile(d *directory, pattern string) bool {
	files := d.files
	if sub, rest, ok := strings.Cut(pattern, "/"); ok {
		if d.complete && !slices.Contains(d.dirs, sub) {
			return false
		}
		pattern, files = rest, r.list(path.Join(d.dir, sub)).files
	}
	return slices.ContainsFunc(files, func(name string) bool {
		return table.Match(pattern, name)
	})
}

// resolveModel gives the repository for the name that a config gives a model: an alias
// of model_aliases.tsv is replaced, and Gemma's "-v3" becomes "-3". Any other name is
// returned unchanged.
func resolveModel(name string) string {
	if repo, ok := modelAliases()[strings.ToLower(name)]; ok {
		return repo
	}
	if strings.HasPrefix(name, "gemma-v3") || strings.HasPrefix(name, "google/gemma-v3") {
		return resolveModel("google/" + strings.Replace(path.Base(name), "-v3", "-3", 1))
	}
	return name
}

// Names of releases that contain the name of the base model.
var (
	gemmaScope1Name = regexp.MustCompile(`gemma-scope-(\d+b)-(pt|it)(?:-|/|$)`)
	gemmaScope2Name = regexp.MustCompile(`gemma-scope-2-(\d+[bm])-(pt|it)(?:-|/|$)`)
	goodfireName    = regexp.MustCompile(`(?i)^(.+)-SAE-l\d+$`)
	saeTrainingName = regexp.MustCompile(`^final_sparse_autoencoder_(.+)_(?:blocks|h)\.\d+\.`)
)

// baseModelsFromName gives the base model from the names of directories and files, for
// families whose configs do not name it: none where the names do not contain it, several
// where sources disagree.
func baseModelsFromName(c *checkpoint.Directory, a autoencoder, dirs []*directory) (models []string, source string) {
	full := path.Join(c.Dir, a.dir)
	switch a.family {
	case "gemma-scope-1":
		if m := gemmaScope1Name.FindStringSubmatch(full); m != nil {
			model := "google/gemma-2-" + m[1]
			if m[2] == "it" {
				model += "-it"
			}
			return []string{model}, "the directory's name " + c.Name()
		}
	case "gemma-scope-2":
		if m := gemmaScope2Name.FindStringSubmatch(full); m != nil {
			return []string{"google/gemma-3-" + m[1] + "-" + m[2]}, "the directory's name " + c.Name()
		}
	case "openai":
		for part := range strings.SplitSeq(full, "/") {
			if repo, ok := modelAliases()[part]; ok {
				return []string{repo}, "the directory's name " + part
			}
		}
	case "goodfire":
		for _, d := range dirs {
			for _, name := range d.files {
				if m := goodfireName.FindStringSubmatch(strings.TrimSuffix(name, path.Ext(name))); m != nil {
					return []string{withOrganization(m[1])}, "the file's name " + name
				}
			}
		}
	case "sae-training": // mats_sae_training, which SAELens grew from
		for _, d := range dirs {
			for _, name := range d.files {
				if m := saeTrainingName.FindStringSubmatch(name); m != nil {
					return []string{withOrganization(m[1])}, "the file's name " + name
				}
			}
		}
	case "llama-scope":
		models = []string{"meta-llama/Llama-3.1-8B"}
		if strings.Contains(full, "R1") { // its model card names the one, the catalogue of SAELens the other
			models = append(models, "deepseek-ai/DeepSeek-R1-Distill-Llama-8B")
		}
		return models, "the family " + a.family
	}
	return nil, ""
}

// withOrganization adds the organization to a bare model name, by organizations.tsv.
func withOrganization(name string) string {
	if repo := resolveModel(name); repo != name {
		return repo
	}
	for f := range table.Rows(organizationsTSV) {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(f[0])) {
			return f[1] + "/" + name
		}
	}
	return name
}

//go:embed organizations.tsv
var organizationsTSV string
