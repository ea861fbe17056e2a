package cli

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"omniloader/internal/configfile"
	"omniloader/loader/fault"
)

// configFlags are the flags of a command that say where settings come from.
type configFlags struct {
	file    string
	none    bool
	profile string
	show    bool

	set     *pflag.FlagSet  // of the command
	keys    []string        // the only keys that the command takes from a file; nil for all
	applied map[string]bool // flags that the config file has set
}

// defineSource defines the flags that say which file is read.
func (c *configFlags) defineSource(set *pflag.FlagSet) {
	c.set = set
	set.StringVar(&c.file, "config", "", "read settings from this config `FILE` (default: omniloader.yaml\nbeside the features, or in a folder above them)")
	set.BoolVar(&c.none, "no-config", false, "read no config file")
	set.StringVar(&c.profile, "profile", "", "use the profile of this `NAME` in the config file")
}

// define defines the flags, behind all others of run.
func (c *configFlags) define(set *pflag.FlagSet) {
	c.defineSource(set)
	set.BoolVar(&c.show, "show-config", false, "print the settings and where each comes from, run nothing")
	configfile.Exclude(set, "config", "no-config", "profile", "show-config", "update")
	configfile.OnlyReads(set, "baseline", "architectures", "shard-durations")
	configfile.Contrary(set, "all", "category")
	configfile.Contrary(set, "run-file", "no-run-file")
}

// profileNames gives the names of the profiles of the config file, for completion.
func (c *configFlags) profileNames() []string {
	file, err := c.read(nil)
	if err != nil || file == nil {
		return nil
	}
	return file.ProfileNames()
}

// read finds and reads the config file for features at these paths; it is nil where there
// is none.
func (c *configFlags) read(paths []string) (*configfile.File, error) {
	path := c.file
	if path == "" && !c.none {
		features := ""
		if len(paths) > 0 {
			features = paths[0]
		}
		var err error
		if path, err = configfile.Find(features); err != nil {
			return nil, err
		}
	}
	if path == "" {
		return nil, nil
	}
	return configfile.Read(path)
}

// configured says where the settings of a run come from.
type configured struct {
	file    *configfile.File // nil for none
	profile string
	paths   []string          // of feature files and folders
	origins map[string]string // by flag, and by configfile.PathsKey; none for a default
}

// The origins that are not places in a file.
const (
	fromCommandLine = "command line"
	fromDefault     = "default"
)

// configure applies the config file to the flags that are not given on the command line
// and not set by a variable. paths are those of the command line.
func (p *program) configure(flags *configFlags, paths []string) (*configured, error) {
	c := &configured{paths: paths, profile: flags.profile, origins: map[string]string{}}
	if len(paths) > 0 {
		c.origins[configfile.PathsKey] = fromCommandLine
	}
	flags.set.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			c.origins[f.Name] = fromCommandLine
		} else if variable := variableOf[f.Name]; variable != "" && os.Getenv(variable) != "" {
			c.origins[f.Name] = variable
		}
	})
	layers, err := c.load(p, flags, paths)
	if err != nil {
		return nil, err
	}
	before := maps.Clone(c.origins)
	for _, settings := range layers {
		if err := c.apply(flags, settings); err != nil {
			return nil, err
		}
	}
	flags.applied = map[string]bool{}
	for name := range c.origins {
		flags.applied[name] = before[name] == ""
	}
	return c, nil
}

// load reads the config file and gives its settings by precedence: those of the profile,
// then those without a profile.
func (c *configured) load(p *program, asked *configFlags, paths []string) (layers [][]configfile.Setting, err error) {
	switch {
	case asked.none && asked.file != "":
		return nil, errorWithHint("leave one of them out", "--config names a file, and --no-config asks for none")
	case asked.none && asked.profile != "":
		return nil, errorWithHint("leave one of them out", "--profile needs a config file, and --no-config asks for none")
	case asked.set.Changed("config") && asked.file == "":
		return nil, errorWithHint("name a file, or leave the flag out", "--config: empty")
	case asked.set.Changed("profile") && asked.profile == "":
		return nil, errorWithHint("name a profile, or leave the flag out", "--profile: empty")
	}
	if c.file, err = asked.read(paths); err != nil {
		return nil, err
	}
	if c.file == nil {
		if asked.profile != "" {
			return nil, errorWithHint("write "+configfile.Name+" beside the features or into this directory, or name a file with --config",
				"--profile %s: there is no config file", asked.profile)
		}
		return nil, nil
	}
	unused := func() *pflag.FlagSet { return newRunFlags(&cobra.Command{}).set }
	if err := p.complainAllButLast(c.file.Check(unused)); err != nil {
		return nil, err
	}
	if asked.profile != "" {
		profile, err := c.file.Profile(asked.profile)
		if err != nil {
			return nil, fmt.Errorf("--profile: %w", err)
		}
		layers = append(layers, profile.Settings)
	}
	layers = append(layers, c.file.Settings)
	if asked.file == "" {
		for _, settings := range layers {
			if err := configfile.OutsideFolder(unused(), settings); err != nil {
				return nil, err
			}
		}
	}
	return layers, nil
}

// apply sets what has no origin yet. A setting is passed over where one that cannot be used
// with it has an origin already.
func (c *configured) apply(flags *configFlags, settings []configfile.Setting) error {
	before := make(map[string]bool, len(c.origins))
	for name := range c.origins {
		before[name] = true
	}
	for _, s := range settings {
		if before[s.Key] || flags.keys != nil && !slices.Contains(flags.keys, s.Key) {
			continue
		}
		if s.Key == configfile.PathsKey {
			c.paths, c.origins[s.Key] = s.Paths(), s.Place.String()
			continue
		}
		if slices.ContainsFunc(configfile.ContraryTo(flags.set.Lookup(s.Key)), func(other string) bool { return before[other] }) {
			continue
		}
		if err := s.Apply(flags.set); err != nil {
			return err
		}
		c.origins[s.Key] = s.Place.String()
	}
	return nil
}

// flagInText finds the names of flags in a message.
var flagInText = regexp.MustCompile(`--([a-z][a-z-]*)`)

// explain adds to an error about flags which of them are set by the config file.
func (c *configured) explain(err error) error {
	if c.file == nil {
		return err
	}
	var places []string
	for _, m := range flagInText.FindAllStringSubmatch(err.Error(), -1) {
		origin := c.origins[m[1]]
		if strings.HasPrefix(origin, c.file.Path+":") && !slices.Contains(places, "--"+m[1]+" is set at "+origin) {
			places = append(places, "--"+m[1]+" is set at "+origin)
		}
	}
	if len(places) == 0 {
		return err
	}
	hint := strings.Join(places, ", ")
	if first := fault.HintOf(err); first != "" {
		hint = first + "; " + hint
	}
	return hintedError{err, hint}
}

// isUsed tells whether any setting comes from the config file.
func (c *configured) isUsed() bool {
	for _, origin := range c.origins {
		if c.file != nil && strings.HasPrefix(origin, c.file.Path+":") {
			return true
		}
	}
	return false
}

// noteConfig says which config file is used: a run must not surprise by settings that are
// not on the command line.
func (p *program) noteConfig(c *configured) {
	switch {
	case c.file == nil:
	case c.profile != "":
		p.note("settings of %s, profile %s", printable(c.file.Path), printable(c.profile))
	default:
		p.note("settings of %s", printable(c.file.Path))
	}
}
