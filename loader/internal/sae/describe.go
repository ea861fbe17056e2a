package sae

import (
	_ "embed"
	"path"
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
	Kind         string
	Sites        []string
	Architecture string
	DIn, DSAE    *int64
	Hook         string

	hasLayer [maxLayers]bool // which numbers are in Layers
}

// maxLayers is above the number of layers of any model.
const maxLayers = 1000

// Describe gathers base model, kind, sites and layers from the configs of all
// autoencoders, and from names where no config gives them. A config that cannot be read
// is left out and reported. Where configs name different base models, Name is nil,
// Candidates has them, and it is reported.
func Describe(c *checkpoint.Directory, r *Release) *Description {
	d := newDescriber(c, r)
	directories := r.listAll()
	var all []autoencoder
	for _, dir := range directories {
		if a, ok := r.match(dir); ok {
			all = append(all, a)
		}
	}
	for _, file := range d.configFiles(all, directories) {
		d.read(file)
	}
	named := len(d.models) > 0
	for _, a := range all {
		d.addPath(a.family, path.Join(c.Dir, a.dir), a.dir)
		if !named {
			d.addModelsFromName(a, directories)
		}
	}
	for _, dir := range directories {
		d.addFiles(dir)
		if len(all) == 0 {
			d.addPath(answer.UnknownName, path.Join(c.Dir, dir.dir), dir.dir)
		}
	}
	return d.finish()
}

// describer is the state of Describe and Summarize.
type describer struct {
	*Description
	c       *checkpoint.Directory
	r       *Release
	sources map[string]string // the file that names a base model, by the model
	models  []string          // in the order in which they were found
}

func newDescriber(c *checkpoint.Directory, r *Release) *describer {
	return &describer{c: c, r: r, sources: map[string]string{}, Description: &Description{
		BaseModel: answer.BaseModel{Layers: []int{}, Candidates: []string{}, Findings: []answer.Finding{}},
		Kind:      answer.UnknownName, Sites: slices.Clone(r.Sites),
	}}
}

// addModel adds a base model that a file or a directory names, under its repository's name.
func (d *describer) addModel(model, source string) {
	if model = resolveModel(model); model != "" && d.sources[model] == "" {
		d.sources[model] = source
		d.models = append(d.models, model)
	}
}

// addModelsFromName adds the base models that names give for an autoencoder.
func (d *describer) addModelsFromName(a autoencoder, directories []*directory) {
	models, source := baseModelsFromName(d.c, a, directories)
	for _, model := range models {
		d.addModel(model, source)
	}
}

// read adds what a config gives; ok is false for one that exists and cannot be read,
// which is reported.
func (d *describer) read(file string) (ok bool) {
	config, err := d.r.readConfig(file)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return true
		}
		d.Findings = append(d.Findings, finding.New(finding.SAEConfigMalformed, file,
			"passed over: "+finding.MessageOf(err), "repair the file, or download it again"))
		return false
	}
	d.addModel(baseModelOf(config), file)
	d.addConfig(config)
	return true
}

// finish completes the description.
func (d *describer) finish() *Description {
	b := d.Description
	switch len(d.models) {
	case 0:
	case 1:
		source := d.sources[d.models[0]]
		b.Name, b.Source = &d.models[0], &source
	default:
		b.Candidates = d.models
		b.Findings = append(b.Findings, finding.New(finding.SAEBaseModelAmbiguous, "",
			"several base models are named: "+strings.Join(d.models, ", "), "give one release at a time, or the directory of one autoencoder"))
	}
	if len(b.Layers) == 0 {
		b.addLayersIn(d.c.Name()) // of one autoencoder, given by its own directory
	}
	slices.Sort(b.Layers)
	if b.Kind == answer.UnknownName && (d.r.HasAutoencoders() || len(d.r.Sites) > 0) {
		b.Kind = "sae"
	}
	return b
}

// configFiles lists the files that may name the base model: config.json below a site, the
// configs of the autoencoders, and for some families config.json and lm_config.json in the
// directory of the autoencoder and in its parent.
func (d *describer) configFiles(all []autoencoder, directories []*directory) (files []string) {
	added := map[string]bool{}
	add := func(dir, name string) {
		if file := path.Join(dir, name); !added[file] {
			added[file] = true
			files = append(files, file)
		}
	}
	for _, dir := range directories {
		site, _, nested := strings.Cut(dir.dir, "/")
		if nested && slices.Contains(d.r.Sites, site) && slices.Contains(dir.files, config.ConfigJSON) {
			add(dir.dir, config.ConfigJSON)
		}
		if nested && path.Base(dir.dir) == config.ConfigJSON { // a directory of that name: reading it is an error, which is reported
			add(path.Dir(dir.dir), config.ConfigJSON)
		}
	}
	for _, a := range all {
		if a.config != "" {
			add(a.dir, a.config)
		}
		if a.family != "sparsify" && a.family != "llamascopium" {
			continue
		}
		for _, dir := range [...]string{a.dir, path.Dir(a.dir)} {
			for _, name := range [...]string{config.ConfigJSON, "lm_config.json"} {
				if listed := d.r.listed[dir]; listed != nil && slices.Contains(listed.files, name) {
					add(dir, name)
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

//go:embed sae_sites.tsv
var saeSitesTSV string

// saeSite is one row of sae_sites.tsv.
type saeSite struct {
	family, directory, site, kind string
	pattern                       table.Pattern // of directory
}

var saeSites = sync.OnceValue(func() (sites []saeSite) {
	for f := range table.Rows(saeSitesTSV) {
		sites = append(sites, saeSite{f[0], f[1], f[2], f[3], table.NewPattern(f[1])})
	}
	return sites
})

// sitesOf gives the rows of sae_sites.tsv for a family.
func sitesOf(family string) []saeSite {
	if sites, ok := sitesByFamily()[family]; ok {
		return sites
	}
	return sitesByFamily()["*"]
}

// sitesByFamily are the rows of sae_sites.tsv for each family that it names, and under
// "*" those for all others.
var sitesByFamily = sync.OnceValue(func() map[string][]saeSite {
	m := map[string][]saeSite{}
	for _, row := range saeSites() {
		m[row.family] = nil
	}
	for family := range m {
		m[family] = slices.DeleteFunc(slices.Clone(saeSites()), func(s saeSite) bool { return s.family != "*" && s.family != family })
	}
	return m
})

// siteOf finds the row for the name of a directory.
// It is nil where there is none.
func siteOf(sites []saeSite, name string) *saeSite {
	name = strings.TrimSuffix(name, "_all")
	for i := range sites {
		if sites[i].pattern.Match(name) {
			return &sites[i]
		}
	}
	return nil
}

// siteOfPath finds the row for a path, from its last element to its first; nil where there
// is none.
func siteOfPath(family, full string) *saeSite {
	sites := sitesOf(family)
	for part := full; part != "." && part != "/" && part != ""; part = path.Dir(part) {
		if s := siteOf(sites, path.Base(part)); s != nil {
			return s
		}
	}
	return nil
}

// addPath adds the layer, the site and the kind that the path of a directory contains.
// dir is relative to the checkpoint, full begins at the root of the filesystem.
func (b *Description) addPath(family, full, dir string) {
	b.addLayersIn(dir)
	site := siteOfPath(family, full)
	if site != nil {
		b.addSite(site.site)
	}
	if b.Kind == answer.UnknownName {
		b.addKind(site, full)
	}
}

// addKind sets the kind to that of a site, nil where there is none, or to one that is a word
// of a path.
func (b *Description) addKind(site *saeSite, full string) {
	for _, name := range [...]string{"transcoder", "crosscoder", "clt"} {
		if site != nil && site.kind == name || strings.Contains(full, name) && slices.ContainsFunc(strings.FieldsFunc(full, isWordSeparator), func(w string) bool { return strings.TrimSuffix(w, "s") == name }) {
			b.Kind = name
			return
		}
	}
}

func isWordSeparator(c rune) bool { return strings.ContainsRune("/-_.", c) }

// addSite adds a site where it is not in the list; "resid_post_all" stands for
// "resid_post".
func (b *Description) addSite(site string) {
	if !slices.ContainsFunc(b.Sites, func(s string) bool { return strings.TrimSuffix(s, "_all") == site }) {
		b.Sites = append(b.Sites, site)
	}
}

// addFiles adds the layers in the names of the files of a directory: layer5.sae.pt,
// 6.pt, model-SAE-l50.pt.
func (b *Description) addFiles(d *directory) {
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
	for digits := range layersIn(name) {
		b.addLayer(digits)
	}
}

// addLayer adds the layer of a decimal number.
func (b *Description) addLayer(digits string) {
	if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n < maxLayers && !b.hasLayer[n] {
		b.hasLayer[n] = true
		b.Layers = append(b.Layers, n)
	}
}

// Keys that give the architecture, the widths and the hook of an autoencoder: of SAELens,
// dictionary_learning, sparsify and the scopes.
var (
	architectureKeys = [...]string{"architecture", "sae_type", "model_type", "trainer.dict_class", "activation"}
	inputKeys        = [...]string{"d_in", "d_model", "trainer.activation_dim", "hidden_size"}
	featureKeys      = [...]string{"d_sae", "width", "trainer.dict_size", "num_latents", "dict_size"}
	hookKeys         = [...]string{"hook_name", "metadata.hook_name", "hook_point", "hook_point_in", "hf_hook_point_in"}
)

// addDimensions adds what a config says of the autoencoder itself, where no config before it
// did.
func (b *Description) addDimensions(config gjson.Result) {
	text := func(to *string, keys []string) {
		for _, key := range keys {
			if v := config.Get(key); *to == "" && v.Type == gjson.String && len(v.Str) <= maxConfigText {
				*to = v.Str
			}
		}
	}
	number := func(to **int64, keys []string) {
		for _, key := range keys {
			if v := config.Get(key); *to == nil && v.Type == gjson.Number && v.Int() > 0 {
				*to = new(v.Int())
			}
		}
	}
	text(&b.Architecture, architectureKeys[:])
	text(&b.Hook, hookKeys[:])
	number(&b.DIn, inputKeys[:])
	number(&b.DSAE, featureKeys[:])
}

// maxConfigText is the longest text in bytes that is taken over from a config.
const maxConfigText = 200

// addConfig adds the kind, the sites and the layers that a config gives.
func (b *Description) addConfig(config gjson.Result) {
	b.addDimensions(config)
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
	if b.Kind == answer.UnknownName && strings.Contains(config.Get("architecture").Str, "transcoder") { // SAELens 6: jumprelu_transcoder, skip_transcoder
		b.Kind = "transcoder"
	}
	if b.Kind == answer.UnknownName && (config.Get("skip_connection").Bool() || config.Get("transcode").Bool()) {
		b.Kind = "transcoder"
	}
	for _, key := range [...]string{"hook_layer", "trainer.layer"} {
		if v := config.Get(key); v.Type == gjson.Number {
			b.addLayer(v.Raw)
		}
	}
	for _, key := range hookKeys {
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
