package sae

import (
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
)

// maxFirstConfigs is how many configs Summarize tries until it can read one.
const maxFirstConfigs = 4

// Summarize is Describe from the first config alone, and from the names of directories.
// It lists only the directories that sites and layers are named in, and not those of the
// autoencoders, so that its time depends little on how many there are. A base model that
// only another config names is not found, and one that differs is not reported.
func Summarize(c *checkpoint.Directory, r *Release) *Description {
	if r.first == nil {
		return Describe(c, r)
	}
	first := *r.first
	d := newDescriber(c, r)
	own := r.list(first.dir)
	for _, file := range d.configFiles([]autoencoder{first}, []*directory{own}) {
		if !d.read(file) && path.Dir(file) == first.dir {
			d.readNext(path.Base(file))
		}
	}
	named := len(d.models) > 0
	if !named {
		d.addModelsFromName(first, []*directory{own})
	}
	d.addPath(first.family, path.Join(c.Dir, first.dir), first.dir)
	d.addFiles(own)
	s := siblings{describer: d, family: first.family, named: named, sites: sitesOf(first.family)}
	s.depth = s.informativeDepth(own)
	s.visit(r.list("."), siteOfPath(first.family, c.Dir))
	return d.finish()
}

// readNext reads configs of the same name beside the first one, which cannot be read,
// until one can.
func (d *describer) readNext(name string) {
	parent := path.Dir(d.r.first.dir)
	tried := 1
	for _, dir := range d.r.list(parent).dirs {
		if dir <= path.Base(d.r.first.dir) {
			continue
		}
		if tried++; tried > maxFirstConfigs || d.read(path.Join(parent, dir, name)) {
			return
		}
	}
}

// siblings adds the sites and layers that the names of the directories beside the first
// autoencoder contain.
type siblings struct {
	*describer
	family string
	named  bool // a config names the base model
	sites  []saeSite
	depth  int // the element of a path, counted from 1, that is the last to name a site or a layer
}

// informativeDepth finds depth by the path of the first autoencoder, own: 0 where it names
// none, and one more than the path is long where the names of its files do.
func (s *siblings) informativeDepth(own *directory) (depth int) {
	hasLayer := false
	if own.dir != "." {
		for i, name := range strings.Split(own.dir, "/") {
			layer := false
			for range layersIn(name) {
				layer, hasLayer = true, true
			}
			if layer || siteOf(s.sites, name) != nil {
				depth = i + 1
			}
		}
	}
	before := len(s.Layers)
	s.addFiles(own)
	if !hasLayer && len(s.Layers) > before {
		depth = own.depth() + 1
	}
	return depth
}

// visit adds the names in d and, above depth, in the directories below it. site is that of
// the path of d.
func (s *siblings) visit(d *directory, site *saeSite) {
	s.addFiles(d)
	depth := d.depth()
	if depth >= s.depth || depth > maxSAEDepth || len(d.dirs) == 0 {
		return
	}
	s.addLayersIn(d.dir)
	if depth+1 < s.depth {
		d.sort()
	}
	for i := 0; i < len(d.dirs); i++ {
		name := d.dirs[i]
		own := siteOf(s.sites, name)
		if own != nil && d.unsorted { // sites are listed in the order of the names: once more, sorted
			d.sort()
			i = -1
			continue
		}
		if own == nil {
			own = site
		}
		if depth+1 == s.depth {
			s.addNamed(name, own)
			continue
		}
		sub := s.r.listUnsorted(path.Join(d.dir, name))
		if slices.ContainsFunc(sub.files, isWeightsOrConfig) {
			s.addNamed(name, own)
		}
		s.visit(sub, own)
	}
	if s.named || s.family != "openai" {
		return
	}
	for _, name := range d.dirs { // the path has the name of the base model
		s.addModelsFromName(autoencoder{family: s.family, dir: path.Join(d.dir, name)}, nil)
	}
}

// addNamed adds what the name of a directory tells, and the site of its path.
func (s *siblings) addNamed(name string, site *saeSite) {
	s.addLayersIn(name)
	if site != nil {
		s.addSite(site.site)
	}
	if s.Kind == answer.UnknownName {
		s.addKind(site, name)
	}
}

// isWeightsOrConfig tells whether a file may be one of an autoencoder, by its extension.
func isWeightsOrConfig(name string) bool {
	ext := path.Ext(name)
	return ext != ".md" && slices.Contains(autoencoderExtensions[:], ext)
}
