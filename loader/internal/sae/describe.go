package sae

import (
	_ "embed"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

// Description describes a release of sparse autoencoders.
type Description struct {
	answer.BaseModel
	Kind  string
	Sites []string
}

// maxSAEConfigs is how many configs of one release are read.
const maxSAEConfigs = 256

// Describe gathers base model, kind, sites and layers from the configs of the
// autoencoders, and from names where no config gives them. A config that cannot be read
// is left out and reported. Where configs name different base models, Name is nil,
// Candidates has them, and it is reported.
func Describe(c *checkpoint.Directory, r *Release) *Description {
	b := &Description{BaseModel: answer.BaseModel{Layers: []int{}, Candidates: []string{}, Findings: []answer.Finding{}}, Kind: answer.UnknownName, Sites: slices.Clone(r.Sites)}
	names := map[string]string{} // the file that names a base model, by the model
	var order []string
	addModel := func(model, source string) {
		if model = resolveModel(model); model != "" && names[model] == "" {
			names[model] = source
			order = append(order, model)
		}
	}
	for i, file := range configFiles(c, r) {
		if i == maxSAEConfigs {
			break
		}
		config, err := c.ReadJSONOrYAML(file)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				b.Findings = append(b.Findings, finding.New(finding.SAEConfigMalformed, file,
					"passed over: "+finding.MessageOf(err), "repair the file, or download it again"))
			}
			continue
		}
		addModel(baseModelOf(config), file)
		b.addConfig(config)
	}
	named := len(order) > 0
	for _, a := range r.Autoencoders {
		b.addPath(a.Family, path.Join(c.Dir, a.dir), a.dir)
		if !named {
			models, source := baseModelsFromName(c, a, r.directories)
			for _, model := range models {
				addModel(model, source)
			}
		}
	}
	for _, d := range r.directories {
		b.addFiles(d)
		if len(r.Autoencoders) == 0 {
			b.addPath(answer.UnknownName, d.dir, d.dir)
		}
	}
	switch len(order) {
	case 0:
	case 1:
		source := names[order[0]]
		b.BaseModel.Name, b.Source = &order[0], &source
	default:
		b.Candidates = order
		b.Findings = append(b.Findings, finding.New(finding.SAEBaseModelAmbiguous, "",
			"several base models are named: "+strings.Join(order, ", "), "give one release at a time, or the directory of one autoencoder"))
	}
	slices.Sort(b.Layers)
	b.Layers = slices.Compact(b.Layers)
	if b.Kind == answer.UnknownName && (len(r.Autoencoders) > 0 || len(r.Sites) > 0) {
		b.Kind = "sae"
	}
	return b
}

// configFiles lists the files that may name the base model: the configs of the
// autoencoders, config.json below a site, and for some families config.json and
// lm_config.json in the directory of the autoencoder and in its parent.
func configFiles(c *checkpoint.Directory, r *Release) (files []string) {
	add := func(dir, name string) {
		if file := path.Join(dir, name); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, d := range r.directories {
		site, _, nested := strings.Cut(d.dir, "/")
		if nested && slices.Contains(r.Sites, site) && slices.Contains(d.files, config.ConfigJSON) {
			add(d.dir, config.ConfigJSON)
		}
		if nested && path.Base(d.dir) == config.ConfigJSON { // a directory of that name: reading it is an error, which is reported
			add(path.Dir(d.dir), config.ConfigJSON)
		}
	}
	for _, a := range r.Autoencoders {
		if a.config != "" {
			add(a.dir, a.config)
		}
		if a.Family == "sparsify" || a.Family == "llamascopium" {
			for _, dir := range [...]string{a.dir, path.Dir(a.dir)} {
				for _, name := range [...]string{config.ConfigJSON, "lm_config.json"} {
					if slices.ContainsFunc(r.directories, func(d directory) bool { return d.dir == dir && slices.Contains(d.files, name) }) {
						add(dir, name)
					}
				}
			}
		}
	}
	return files
}

// baseModelKeys are the keys with which configs of autoencoders name the base model.
var baseModelKeys = [...]string{"model_name", "metadata.model_name", "base_model", "trainer.lm_name", "model"}

// baseModelOf gives the base model that a config names, "" where it names none.
func baseModelOf(config gjson.Result) string {
	for _, key := range baseModelKeys {
		if v := config.Get(key); v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return ""
}

// layerNames finds the number of a layer in a name: layer_17, layers.5, blocks.8, h.3;
// L0R and L12TC of Llama Scope; -l50 of Goodfire. It does not match "_l0_big", which is
// an L0 norm.
var layerNames = regexp.MustCompile(`(?:^|[/._-])(?:layer_?|layers\.|blocks\.|h\.)(\d+)(?:[._/-]|$)|(?:^|[/-])L(\d+)(?:[RAM]|TC)(?:[/_-]|$)|-l(\d+)(?:[./]|$)`)

//go:embed sae_sites.tsv
var saeSitesTSV string

// saeSite is one row of sae_sites.tsv.
type saeSite struct{ family, directory, site, kind string }

var saeSites = sync.OnceValue(func() (sites []saeSite) {
	for f := range table.Rows(saeSitesTSV) {
		sites = append(sites, saeSite{f[0], f[1], f[2], f[3]})
	}
	return sites
})

// addPath adds the layer, the site and the kind that the path of a directory contains.
// dir is relative to the checkpoint, full begins at the root of the filesystem.
func (b *Description) addPath(family, full, dir string) {
	b.addLayersIn(dir)
	kind := ""
	if site, ok := siteOfPath(family, full); ok {
		kind = site.kind
		b.addSite(site.site)
	}
	if b.Kind != answer.UnknownName {
		return
	}
	words := strings.FieldsFunc(full, func(c rune) bool { return strings.ContainsRune("/-_.", c) })
	for _, name := range [...]string{"transcoder", "crosscoder", "clt"} {
		if kind == name || slices.ContainsFunc(words, func(w string) bool { return strings.TrimSuffix(w, "s") == name }) {
			b.Kind = name
			return
		}
	}
}

// siteOfPath finds the row of sae_sites.tsv for a path, from its last element to its
// first.
func siteOfPath(family, full string) (saeSite, bool) {
	for part := full; part != "." && part != "/" && part != ""; part = path.Dir(part) {
		name := strings.TrimSuffix(path.Base(part), "_all")
		for _, s := range saeSites() {
			if s.family != "*" && s.family != family {
				continue
			}
			if table.Match(s.directory, name) {
				return s, true
			}
		}
	}
	return saeSite{}, false
}

// addSite adds a site where it is not in the list; "resid_post_all" stands for
// "resid_post".
func (b *Description) addSite(site string) {
	if !slices.ContainsFunc(b.Sites, func(s string) bool { return strings.TrimSuffix(s, "_all") == site }) {
		b.Sites = append(b.Sites, site)
	}
}

// addFiles adds the layers in the names of the files of a directory: layer5.sae.pt,
// 6.pt, model-SAE-l50.pt.
func (b *Description) addFiles(d directory) {
	for _, name := range d.files {
		stem, isPT := strings.CutSuffix(name, ".pt")
		if isPT && path.Base(d.dir) == "autoencoders" {
			b.addLayer(stem)
		}
		if strings.HasSuffix(name, ".json") {
			continue
		}
		b.addLayersIn(name)
	}
}

// addLayersIn adds the layers whose number a name contains.
func (b *Description) addLayersIn(name string) {
	for _, m := range layerNames.FindAllStringSubmatch(name, -1) {
		b.addLayer(m[1] + m[2] + m[3]) // exactly one group matches
	}
}

// addLayer adds the layer of a decimal number.
func (b *Description) addLayer(digits string) {
	if n, err := strconv.Atoi(digits); err == nil && n < 1000 {
		b.Layers = append(b.Layers, n)
	}
}

// addConfig adds the kind, the sites and the layers that a config gives.
func (b *Description) addConfig(config gjson.Result) {
	for _, key := range [...]string{"sae_type", "type", "model_kind"} {
		v := config.Get(key)
		if v.Type != gjson.String || b.Kind != answer.UnknownName {
			continue
		}
		for _, kind := range [...]string{"transcoder", "crosscoder", "clt", "sae"} {
			if strings.HasPrefix(v.Str, kind) || kind == "clt" && v.Str == "cross_layer_transcoder" {
				b.Kind = kind
				break
			}
		}
	}
	if b.Kind == answer.UnknownName && (config.Get("skip_connection").Bool() || config.Get("transcode").Bool()) {
		b.Kind = "transcoder"
	}
	for _, key := range [...]string{"hook_layer", "trainer.layer"} {
		if v := config.Get(key); v.Type == gjson.Number {
			b.addLayer(v.Raw)
		}
	}
	for _, key := range [...]string{"hook_name", "metadata.hook_name", "hook_point", "hook_point_in", "hf_hook_point_in"} {
		if v := config.Get(key); v.Type == gjson.String {
			b.addLayersIn(v.Str)
			for _, s := range saeSites() {
				if s.family == "*" && strings.Contains(v.Str, s.directory) {
					b.addSite(s.site)
				}
			}
		}
	}
}
