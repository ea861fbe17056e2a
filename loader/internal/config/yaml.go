package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"

	"omniloader/loader/fault"
)

// MaxYAML bounds a YAML file, in bytes: real ones have a few kB, and the format
// lets small files grow in memory.
const MaxYAML = 256 << 10

// YAMLScalars reads the top level's scalars of a YAML mapping; what is nested is
// left out, aliases are not followed.
func YAMLScalars(name string, data []byte) (gjson.Result, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return gjson.Result{}, fault.New(fault.Malformed, name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return gjson.Result{}, fault.New(fault.WrongType, name, "the file should hold a mapping")
	}
	var b bytes.Buffer
	b.WriteByte('{')
	members := root.Content[0].Content
	for i := 0; i+1 < len(members); i += 2 {
		if k, v := members[i], members[i+1]; k.Kind == yaml.ScalarNode && v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Quote(k.Value) + ":" + strconv.Quote(v.Value))
		}
	}
	b.WriteByte('}')
	return gjson.ParseBytes(b.Bytes()), nil
}
