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

// Description is what the files of a release of autoencoders say of it.
type Description struct {
	answer.BaseModel
	Kind  string
	Sites []string
}

// maxSAEConfigs bounds how many configs of one release are read.
const maxSAEConfigs = 256

// Describe gathers base model, kind, sites and layers from the autoencoders'
// configs, and from names where there are none. A malformed config is passed
// over and reported; configs that disagree are reported, and then none wins.
func Describe(c *checkpoint.Directory, e *Release) *Description {
	b := &Description{BaseModel: answer.BaseModel{Layers: []int{}, Candidates: []string{}, Findings: []answer.Finding{}}, Kind: answer.UnknownName, Sites: slices.Clone(e.Sites)}
	names := map[string]string{} // base model to the file that named it
	var order []string
	note := func(model, source string) {
		if model = resolveModel(model); model != "" && names[model] == "" {
			names[model] = source
			order = append(order, model)
		}
	}
	for i, file := range configFiles(c, e) {
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
		note(baseModelOf(config), file)
		b.addConfig(config)
	}
	named := len(order) > 0
	for _, u := range e.Autoencoders {
		b.addPath(u.Family, path.Join(c.Dir, u.dir), u.dir)
		if !named {
			models, source := baseModelsFromName(c, u, e.directories)
			for _, model := range models {
				note(model, source)
			}
		}
	}
	for _, d := range e.directories {
		b.addFiles(d)
		if len(e.Autoencoders) == 0 {
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
	if b.Kind == answer.UnknownName && (len(e.Autoencoders) > 0 || len(e.Sites) > 0) {
		b.Kind = "sae"
	}
	return b
}

// configFiles lists the files that may name the base model: the units' own
// configs, those of their neighbours, and what stands one directory up.
func configFiles(c *checkpoint.Directory, e *Release) (files []string) {
	add := func(dir, name string) {
		if file := path.Join(dir, name); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, d := range e.directories {
		site, _, nested := strings.Cut(d.dir, "/")
		if nested && slices.Contains(e.Sites, site) && slices.Contains(d.files, config.ConfigJSON) {
			add(d.dir, config.ConfigJSON)
		}
		if nested && path.Base(d.dir) == config.ConfigJSON { // reading a directory fails, and says so
			add(path.Dir(d.dir), config.ConfigJSON)
		}
	}
	for _, u := range e.Autoencoders {
		if u.config != "" {
			add(u.dir, u.config)
		}
		if u.Family == "sparsify" || u.Family == "llamascopium" {
			for _, dir := range [...]string{u.dir, path.Dir(u.dir)} {
				for _, name := range [...]string{config.ConfigJSON, "lm_config.json"} {
					if slices.ContainsFunc(e.directories, func(d directory) bool { return d.dir == dir && slices.Contains(d.files, name) }) {
						add(dir, name)
					}
				}
			}
		}
	}
	return files
}

// baseModelKeys are the keys under which the families name the base model.
var baseModelKeys = [...]string{"model_name", "metadata.model_name", "base_model", "trainer.lm_name", "model"}

func baseModelOf(config gjson.Result) string {
	for _, key := range baseModelKeys {
		if v := config.Get(key); v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return ""
}

// layerNames finds the numbers of layers in names: layer_17, layers.5, blocks.8,
// h.3; L0R and L12TC of Llama Scope; -l50. The "l0" of "_l0_big" is no layer.
var layerNames = regexp.MustCompile(`(?:^|[/._-])(?:layer_?|layers\.|blocks\.|h\.)(\d+)(?:[._/-]|$)|(?:^|[/-])L(\d+)(?:[RAM]|TC)(?:[/_-]|$)|-l(\d+)(?:[./]|$)`)

//go:embed sae_sites.tsv
var saeSitesTSV string

// saeSite is one line of sae_sites.tsv.
type saeSite struct{ family, directory, site, kind string }

var saeSites = sync.OnceValue(func() (sites []saeSite) {
	for f := range table.Rows(saeSitesTSV) {
		sites = append(sites, saeSite{f[0], f[1], f[2], f[3]})
	}
	return sites
})

// addPath reads layer and site out of the path of a directory, dir below the
// checkpoint and full in front of that, and the kind where a name tells it.
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
	words := strings.FieldsFunc(full, func(r rune) bool { return strings.ContainsRune("/-_.", r) })
	for _, name := range [...]string{"transcoder", "crosscoder", "clt"} {
		if kind == name || slices.ContainsFunc(words, func(w string) bool { return strings.TrimSuffix(w, "s") == name }) {
			b.Kind = name
			return
		}
	}
}

// siteOfPath finds the site that a directory's name tells, from the inside out.
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

// addSite keeps a site that is not there yet; the directories of a whole release
// may have "_all" behind it.
func (b *Description) addSite(site string) {
	if !slices.ContainsFunc(b.Sites, func(s string) bool { return strings.TrimSuffix(s, "_all") == site }) {
		b.Sites = append(b.Sites, site)
	}
}

// addFiles reads layers out of file names: layer5.sae.pt, 6.pt, model-SAE-l50.pt.
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

func (b *Description) addLayersIn(name string) {
	for _, m := range layerNames.FindAllStringSubmatch(name, -1) {
		b.addLayer(m[1] + m[2] + m[3]) // one of them is not empty
	}
}

func (b *Description) addLayer(digits string) {
	if n, err := strconv.Atoi(digits); err == nil && n < 1000 {
		b.Layers = append(b.Layers, n)
	}
}

// addConfig reads kind, site and layer out of a config.
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
