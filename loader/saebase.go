package loader

import (
	_ "embed"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
)

// BaseModel is the model that a sparse autoencoder reads.
type BaseModel struct {
	BaseModel  *string   `json:"base_model"`            // null where no file names it, or files name several
	Source     *string   `json:"base_model_source"`     // the file that named it
	Candidates []string  `json:"base_model_candidates"` // where several are named
	Layers     []int     `json:"layers"`                // layers seen, ascending
	Findings   []Finding `json:"findings"`
}

// saeDescription is what the files of a release of autoencoders say of it.
type saeDescription struct {
	BaseModel
	kind  string
	sites []string
}

// maxSAEConfigs bounds how many configs of one release are read.
const maxSAEConfigs = 256

// describeSAE gathers base model, kind, sites and layers from the autoencoders'
// configs, and from names where there are none. A malformed config is passed
// over and reported; configs that disagree are reported, and then none wins.
func (c *checkpoint) describeSAE(e *saeEvidence) *saeDescription {
	b := &saeDescription{BaseModel: BaseModel{Layers: []int{}, Candidates: []string{}, Findings: []Finding{}}, kind: None, sites: slices.Clone(e.sites)}
	names := map[string]string{} // base model to the file that named it
	var order []string
	note := func(model, source string) {
		if model = resolveModel(model); model != "" && names[model] == "" {
			names[model] = source
			order = append(order, model)
		}
	}
	for i, file := range c.saeConfigs(e) {
		if i == maxSAEConfigs {
			break
		}
		config, err := c.readAny(file)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				b.Findings = append(b.Findings, Finding{SeverityWarning, CodeSAEConfigMalformed, file,
					"passed over: " + withoutPath(err), "repair the file, or download it again"})
			}
			continue
		}
		note(baseModelKey(config), file)
		b.addConfig(config)
	}
	named := len(order) > 0
	for _, u := range e.units {
		b.addPath(u.family, path.Join(c.dir, u.dir), u.dir)
		if !named {
			models, source := c.baseFromName(u, e.tree)
			for _, model := range models {
				note(model, source)
			}
		}
	}
	for _, d := range e.tree {
		b.addFiles(d)
		if len(e.units) == 0 {
			b.addPath(None, d.dir, d.dir)
		}
	}
	switch len(order) {
	case 0:
	case 1:
		source := names[order[0]]
		b.BaseModel.BaseModel, b.Source = &order[0], &source
	default:
		b.Candidates = order
		b.Findings = append(b.Findings, Finding{SeverityWarning, CodeSAEBaseModelAmbiguous, "",
			"several base models are named: " + strings.Join(order, ", "), "give one release at a time, or the directory of one autoencoder"})
	}
	slices.Sort(b.Layers)
	b.Layers = slices.Compact(b.Layers)
	if b.kind == None && (len(e.units) > 0 || len(e.sites) > 0) {
		b.kind = "sae"
	}
	return b
}

// saeConfigs lists the files that may name the base model: the units' own
// configs, those of their neighbours, and what stands one directory up.
func (c *checkpoint) saeConfigs(e *saeEvidence) (files []string) {
	add := func(dir, name string) {
		if file := path.Join(dir, name); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	for _, d := range e.tree {
		site, _, nested := strings.Cut(d.dir, "/")
		if nested && slices.Contains(e.sites, site) && slices.Contains(d.files, fileConfig) {
			add(d.dir, fileConfig)
		}
		if nested && path.Base(d.dir) == fileConfig { // reading a directory fails, and says so
			add(path.Dir(d.dir), fileConfig)
		}
	}
	for _, u := range e.units {
		if u.config != "" {
			add(u.dir, u.config)
		}
		if u.family == "sparsify" || u.family == "llamascopium" {
			for _, dir := range [...]string{u.dir, path.Dir(u.dir)} {
				for _, name := range [...]string{fileConfig, "lm_config.json"} {
					if slices.ContainsFunc(e.tree, func(d saeDir) bool { return d.dir == dir && slices.Contains(d.files, name) }) {
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

func baseModelKey(config gjson.Result) string {
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
	for f := range tableRows(saeSitesTSV) {
		sites = append(sites, saeSite{f[0], f[1], f[2], f[3]})
	}
	return sites
})

// addPath reads layer and site out of the path of a directory, dir below the
// checkpoint and full in front of that, and the kind where a name tells it.
func (b *saeDescription) addPath(family, full, dir string) {
	b.addLayersOf(dir)
	kind := ""
	if site, ok := siteOf(family, full); ok {
		kind = site.kind
		b.addSite(site.site)
	}
	if b.kind != None {
		return
	}
	words := strings.FieldsFunc(full, func(r rune) bool { return strings.ContainsRune("/-_.", r) })
	for _, name := range [...]string{"transcoder", "crosscoder", "clt"} {
		if kind == name || slices.ContainsFunc(words, func(w string) bool { return strings.TrimSuffix(w, "s") == name }) {
			b.kind = name
			return
		}
	}
}

// siteOf finds the site that a directory's name tells, from the inside out.
func siteOf(family, full string) (saeSite, bool) {
	for part := full; part != "." && part != "/" && part != ""; part = path.Dir(part) {
		name := strings.TrimSuffix(path.Base(part), "_all")
		for _, s := range saeSites() {
			if s.family != "*" && s.family != family {
				continue
			}
			if ok, _ := path.Match(s.directory, name); ok {
				return s, true
			}
		}
	}
	return saeSite{}, false
}

// addSite keeps a site that is not there yet; the directories of a whole release
// may have "_all" behind it.
func (b *saeDescription) addSite(site string) {
	if !slices.ContainsFunc(b.sites, func(s string) bool { return strings.TrimSuffix(s, "_all") == site }) {
		b.sites = append(b.sites, site)
	}
}

// addFiles reads layers out of file names: layer5.sae.pt, 6.pt, model-SAE-l50.pt.
func (b *saeDescription) addFiles(d saeDir) {
	for _, name := range d.files {
		stem, isPT := strings.CutSuffix(name, ".pt")
		if isPT && path.Base(d.dir) == "autoencoders" {
			b.addLayer(stem)
		}
		if strings.HasSuffix(name, ".json") {
			continue
		}
		b.addLayersOf(name)
	}
}

func (b *saeDescription) addLayersOf(name string) {
	for _, m := range layerNames.FindAllStringSubmatch(name, -1) {
		b.addLayer(m[1] + m[2] + m[3]) // one of them is not empty
	}
}

func (b *saeDescription) addLayer(digits string) {
	if n, err := strconv.Atoi(digits); err == nil && n < 1000 {
		b.Layers = append(b.Layers, n)
	}
}

// addConfig reads kind, site and layer out of a config.
func (b *saeDescription) addConfig(config gjson.Result) {
	for _, key := range [...]string{"sae_type", "type", "model_kind"} {
		v := config.Get(key)
		if v.Type != gjson.String || b.kind != None {
			continue
		}
		for _, kind := range [...]string{"transcoder", "crosscoder", "clt", "sae"} {
			if strings.HasPrefix(v.Str, kind) || kind == "clt" && v.Str == "cross_layer_transcoder" {
				b.kind = kind
				break
			}
		}
	}
	if b.kind == None && (config.Get("skip_connection").Bool() || config.Get("transcode").Bool()) {
		b.kind = "transcoder"
	}
	for _, key := range [...]string{"hook_layer", "trainer.layer"} {
		if v := config.Get(key); v.Type == gjson.Number {
			b.addLayer(v.Raw)
		}
	}
	for _, key := range [...]string{"hook_name", "metadata.hook_name", "hook_point", "hook_point_in", "hf_hook_point_in"} {
		if v := config.Get(key); v.Type == gjson.String {
			b.addLayersOf(v.Str)
			for _, s := range saeSites() {
				if s.family == "*" && strings.Contains(v.Str, s.directory) {
					b.addSite(s.site)
				}
			}
		}
	}
}

// withoutPath is an error's text without the file's name in front.
func withoutPath(err error) string {
	return strings.TrimPrefix(err.Error(), fault.PathOf(err)+": ")
}
