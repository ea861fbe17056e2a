package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"

	"omniloader/loader/fault"
)

// MaxYAMLSize bounds a YAML file, in bytes. Real ones have a few kB, and a small file
// can expand to a large structure in memory.
const MaxYAMLSize = 256 << 10

// YAMLMember is a key at the top level of a YAML mapping, and its value: a scalar, or a
// list of scalars. Nulls and nested values are left out.
type YAMLMember struct {
	Key    string
	Values []string
	IsList bool
}

// ParseYAML parses the top level of the YAML mapping in data, in the order of the file;
// name is the file's name in errors. Aliases are not resolved, so that a small text
// cannot expand. The kind of the error is fault.Malformed where the text is no YAML,
// fault.WrongType where it is no mapping.
func ParseYAML(name string, data []byte) ([]YAMLMember, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fault.New(fault.Malformed, name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fault.New(fault.WrongType, name, "the file should hold a mapping")
	}
	content := root.Content[0].Content
	members := make([]YAMLMember, 0, len(content)/2)
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], content[i+1]
		if key.Kind != yaml.ScalarNode {
			continue
		}
		m := YAMLMember{Key: key.Value, IsList: value.Kind == yaml.SequenceNode}
		nodes := []*yaml.Node{value}
		if m.IsList {
			nodes = value.Content
		}
		for _, n := range nodes {
			if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
				m.Values = append(m.Values, n.Value)
			}
		}
		members = append(members, m)
	}
	return members, nil
}

// ParseYAMLScalars gives the scalars at the top level of the YAML mapping in data as a
// JSON object of strings. Errors are those of ParseYAML.
func ParseYAMLScalars(name string, data []byte) (gjson.Result, error) {
	members, err := ParseYAML(name, data)
	if err != nil {
		return gjson.Result{}, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range members {
		if m.IsList || len(m.Values) == 0 {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(m.Key) + ":" + strconv.Quote(m.Values[0]))
	}
	b.WriteByte('}')
	return gjson.ParseBytes(b.Bytes()), nil
}
