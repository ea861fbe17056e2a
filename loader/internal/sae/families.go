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

// family is one line of sae_families.tsv.
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

// modelAliases maps short names of models, in lower case, to repositories.
var modelAliases = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 512)
	for f := range table.Rows(modelAliasesTSV) {
		m[strings.ToLower(f[0])] = f[1]
	}
	return m
})

// findAutoencoders finds the directories that hold an autoencoder.
// A directory below a site counts where it holds a file that an autoencoder has,
// though no family is known by it.
func findAutoencoders(c *checkpoint.Directory, tree []directory, sites []string) (units []autoencoder) {
	for _, d := range tree {
		found := len(units)
		for _, f := range families() {
			if matchesFamily(c, f, d, tree) {
				units = append(units, autoencoder{Family: f.name, dir: d.dir, config: f.config})
				break
			}
		}
		if site, _, nested := strings.Cut(d.dir, "/"); len(units) == found && nested && slices.Contains(sites, site) && slices.ContainsFunc(d.files, isAutoencoderFile) {
			units = append(units, autoencoder{Family: answer.UnknownName, dir: d.dir})
		}
	}
	return units
}

func isAutoencoderFile(name string) bool {
	return name == config.ConfigJSON || strings.HasPrefix(name, "params") || strings.HasPrefix(name, "sae")
}

func matchesFamily(c *checkpoint.Directory, f family, d directory, tree []directory) bool {
	if f.config != "" && !slices.Contains(d.files, f.config) || f.weights != "" && !d.hasFile(f.weights, tree) {
		return false
	}
	if f.path != "*" && !table.Match(f.path, path.Join(c.Dir, d.dir)) {
		return false
	}
	if len(f.keys) == 0 {
		return true
	}
	config, err := c.ReadJSONOrYAML(path.Join(d.dir, f.config))
	return err == nil && slices.ContainsFunc(f.keys, func(key string) bool {
		key, want, asked := strings.Cut(key, "=")
		v := config.Get(key)
		return v.Exists() && v.Type != gjson.Null && (!asked || v.String() == want)
	})
}

// hasFile tells whether a file fits the pattern, in the directory itself or, where
// the pattern has a slash, below it.
func (d directory) hasFile(pattern string, tree []directory) bool {
	files := d.files
	if sub, rest, ok := strings.Cut(pattern, "/"); ok {
		pattern, files = rest, nil
		for _, other := range tree {
			if other.dir == path.Join(d.dir, sub) {
				files = other.files
			}
		}
	}
	return slices.ContainsFunc(files, func(name string) bool {
		return table.Match(pattern, name)
	})
}

// resolveModel turns the name that a config gives a model into a repository: a
// short name of the TransformerLens library is looked up, and Gemma's "-v3" is
// spelled "-3". Other names stay as they are.
func resolveModel(name string) string {
	if repo, ok := modelAliases()[strings.ToLower(name)]; ok {
		return repo
	}
	if strings.HasPrefix(name, "gemma-v3") || strings.HasPrefix(name, "google/gemma-v3") {
		return resolveModel("google/" + strings.Replace(path.Base(name), "-v3", "-3", 1))
	}
	return name
}

// The names of releases that tell a base model by themselves.
var (
	gemmaScope1Name = regexp.MustCompile(`gemma-scope-(\d+b)-(pt|it)(?:-|/|$)`)
	gemmaScope2Name = regexp.MustCompile(`gemma-scope-2-(\d+[bm])-(pt|it)(?:-|/|$)`)
	goodfireName    = regexp.MustCompile(`(?i)^(.+)-SAE-l\d+$`)
)

// baseModelsFromName reads the base model out of the names of directories and files,
// where a family has no config that says it; none where they do not tell, several
// where the makers of the release say different things.
func baseModelsFromName(c *checkpoint.Directory, u autoencoder, tree []directory) (models []string, source string) {
	full := path.Join(c.Dir, u.dir)
	switch u.Family {
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
		for _, d := range tree {
			for _, name := range d.files {
				if m := goodfireName.FindStringSubmatch(strings.TrimSuffix(name, path.Ext(name))); m != nil {
					return []string{withOrganization(m[1])}, "the file's name " + name
				}
			}
		}
	case "llama-scope":
		models = []string{"meta-llama/Llama-3.1-8B"}
		if strings.Contains(full, "R1") { // its makers name the one, the catalogue of SAELens the other
			models = append(models, "deepseek-ai/DeepSeek-R1-Distill-Llama-8B")
		}
		return models, "the family " + u.Family
	}
	return nil, ""
}

// withOrganization adds the organisation to a model's bare name, where the name is one
// of a known maker.
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
