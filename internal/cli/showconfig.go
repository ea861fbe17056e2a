package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"omniloader/internal/configfile"
)

// showConfig prints the settings of a run as YAML, each with where it comes from.
func (p *program) showConfig(flags *runFlags, c *configured) error {
	if c.file == nil {
		fmt.Fprintln(p.out, "# no config file")
	} else {
		fmt.Fprintf(p.out, "# config file: %s\n", printable(c.file.Path))
		if names := c.file.ProfileNames(); len(names) > 0 {
			fmt.Fprintf(p.out, "# profiles: %s\n", printable(strings.Join(names, ", ")))
		}
	}
	if c.profile != "" {
		fmt.Fprintf(p.out, "# profile in use: %s\n", printable(c.profile))
	}
	lines := []configLine{{configfile.PathsKey, c.paths, true, "text", c.origins[configfile.PathsKey]}}
	flags.set.VisitAll(func(f *pflag.Flag) {
		if configfile.IsKey(f) {
			lines = append(lines, configLineOf(f, c.origins[f.Name]))
		}
	})
	width := 0
	const widest = 40 // columns; comments of longer lines are not aligned
	for _, l := range lines {
		if n := len([]rune(l.String())); n <= widest {
			width = max(width, n)
		}
	}
	for _, l := range lines {
		origin := l.origin
		if origin == "" {
			origin = fromDefault
		}
		fmt.Fprintf(p.out, "%-*s  # %s\n", width, l.String(), printable(origin))
	}
	return nil
}

// configLine is a line of what --show-config prints.
type configLine struct {
	key    string
	values []string
	isList bool
	kind   string // of the flag's value: "bool", "N"
	origin string
}

// configLineOf gives the effective value of a flag.
func configLineOf(f *pflag.Flag, origin string) configLine {
	l := configLine{key: f.Name, kind: f.Value.Type(), origin: origin}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		l.values, l.isList = list.GetSlice(), true
	} else if text := f.Value.String(); text != "" {
		l.values = []string{text}
	}
	if variable := variableOf[f.Name]; variable != "" && origin == variable {
		l.values = []string{os.Getenv(variable)}
	}
	return l
}

// String is the line without its comment: "iterations: 50", or "# model:" where nothing is
// set.
func (l configLine) String() string {
	if len(l.values) == 0 {
		return "# " + l.key + ":"
	}
	texts := make([]string, len(l.values))
	for i, v := range l.values {
		texts[i] = yamlScalar(v, l.kind)
	}
	if l.isList {
		return l.key + ": [" + strings.Join(texts, ", ") + "]"
	}
	return l.key + ": " + texts[0]
}

// yamlScalar writes a value so that a config file with it has the same one: in quotes
// where YAML needs them.
func yamlScalar(value, kind string) string {
	var read []yaml.Node
	if err := yaml.Unmarshal([]byte("["+value+"]"), &read); err == nil && len(read) == 1 {
		n := read[0]
		if n.Kind == yaml.ScalarNode && n.Value == value && n.Style == 0 && (n.Tag != "!!bool" || kind == "bool") && n.Tag != "!!null" {
			return value
		}
	}
	quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: value})
	if err != nil {
		return fmt.Sprintf("%q", value)
	}
	return strings.TrimSuffix(string(quoted), "\n")
}
