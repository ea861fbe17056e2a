package checkpoint

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/jsonscan"
)

// setClasses sets the class names of config.json: those of architectures, else the one
// of auto_map.
func (c *Directory) setClasses() {
	if c.Classes = c.parseArchitectures(); len(c.Classes) > 0 {
		return
	}
	if key, class := c.autoMapClass(); class != "" {
		c.Classes, c.AutoMapKey = []string{class}, key
	}
}

// describeLongName is the text for a name longer than registry.MaxNameLength.
func describeLongName(n int) string { return "a name of " + strconv.Itoa(n) + " bytes" }

// parseArchitectures gives the class names of the key architectures. Other values than a
// list of strings occur in real files, and are reported.
func (c *Directory) parseArchitectures() (names []string) {
	raw := c.Doc.Raw(config.KeyArchitectures)
	s := jsonscan.New(raw)
	report := func(what string) {
		c.Findings = append(c.Findings, finding.New(finding.ConfigArchitectures, c.Doc.File,
			`"architectures" holds `+what, `write a list of class names, such as ["LlamaForCausalLM"]`))
	}
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name := c.Doc.Text(config.KeyArchitectures)
		if len(name) > registry.MaxNameLength {
			report(describeLongName(len(name)) + "; it is ignored")
			break
		}
		report("one string in place of a list; it is taken as the only name")
		names = append(names, name)
	case jsonscan.Array:
		err := s.Array(func(int) error {
			if kind := s.Kind(); kind != jsonscan.String {
				report(kind.String() + " among its names; it is ignored")
				_, err := s.Raw()
				return err
			}
			name, err := s.Text()
			switch n := len(name); {
			case n > registry.MaxNameLength:
				report(describeLongName(n) + " among its names; it is ignored")
			case n > 0:
				names = append(names, c.className(name))
			}
			return err
		})
		if err != nil { // cannot happen: the JSON was checked before
			return nil
		}
	default:
		report(kind.String() + " in place of a list; it is ignored")
	}
	return names
}

// parseModelType gives the value of the key model_type, "" where it is no name; another
// type of value is reported.
func (c *Directory) parseModelType() string {
	raw := c.Doc.Raw(config.KeyModelType)
	s := jsonscan.New(raw)
	switch kind := s.Kind(); kind {
	case jsonscan.Invalid, jsonscan.Null:
	case jsonscan.String:
		name, err := s.Text()
		if len(name) > registry.MaxNameLength {
			c.Findings = append(c.Findings, finding.New(finding.ConfigModelType, c.Doc.File,
				`"model_type" holds `+describeLongName(len(name))+"; it is ignored", `write a short name, such as "llama"`))
			break
		}
		if err == nil {
			if c.family = c.Registry().Families[string(name)]; c.family != nil {
				return c.family.ModelType // avoids an allocation
			}
			return string(name)
		}
	default:
		c.Findings = append(c.Findings, finding.New(finding.ConfigModelType, c.Doc.File,
			`"model_type" holds `+kind.String()+" in place of a string; it is ignored", `write a string, such as "llama"`))
	}
	return ""
}

// className converts a name to a string, without an allocation where it is listed, and
// stores the entry of the first one.
func (c *Directory) className(name []byte) string {
	class := c.Registry().Classes[string(name)]
	if c.class == nil {
		c.class = class
	}
	if class == nil {
		return string(name)
	}
	return class.Name
}

// Family is the registry's entry of the model type, nil where it is not listed.
func (c *Directory) Family() *registry.Family {
	if c.family == nil || c.family.ModelType != c.ModelType {
		c.family = c.Registry().Families[c.ModelType]
	}
	return c.family
}

// Class is the registry's entry of the first class name, nil where it is not listed in
// this spelling.
func (c *Directory) Class() *registry.Class {
	if name := c.Architecture(); c.class == nil || c.class.Name != name {
		c.class = c.Registry().Classes[name]
	}
	return c.class
}

// ResolveClass finds the first class name in the registry, in any spelling; see
// registry.ResolveClass.
func (c *Directory) ResolveClass() (*registry.Class, string) {
	if class := c.Class(); class != nil {
		return class, class.DecidedBy()
	}
	return c.Registry().ResolveClass(c.Architecture())
}

// kindOf gives the type of a JSON value.
func kindOf(raw []byte) jsonscan.Kind {
	s := jsonscan.New(raw)
	return s.Kind()
}

// ParseClassName gives the class of the key _class_name as a list of one name, nil where
// there is none. A pipeline with its own code has a list of module and class there.
// Source: diffusers, src/diffusers/pipelines/pipeline_utils.py.
func (c *Directory) ParseClassName() []string {
	switch raw := c.Doc.Raw(config.KeyClassName); kindOf(raw) {
	case jsonscan.String:
		if name := c.Doc.Text(config.KeyClassName); name != "" && len(name) <= registry.MaxNameLength {
			return []string{name}
		}
	case jsonscan.Array:
		s := jsonscan.New(raw)
		var last string
		err := s.Array(func(int) error {
			if s.Kind() != jsonscan.String {
				_, err := s.Raw()
				return err
			}
			name, err := s.Text()
			last = string(name)
			return err
		})
		if err == nil && last != "" && len(last) <= registry.MaxNameLength {
			return []string{last}
		}
	}
	return nil
}

// Architecture is the first class name, "" where there is none.
func (c *Directory) Architecture() string {
	if len(c.Classes) == 0 {
		return ""
	}
	return c.Classes[0]
}

// autoMapClass gives the key and the class of auto_map that is the model's. A key that
// names a task (AutoModelForCausalLM) takes precedence over AutoModel.
func (c *Directory) autoMapClass() (key, class string) {
	c.Doc.Object(config.KeyAutoMap).ForEach(func(k, v gjson.Result) bool {
		if v.IsArray() {
			v = v.Get("0")
		}
		_, task := registry.AutoClasses()[k.Str]
		dot := strings.LastIndexByte(v.Str, '.')
		if name := v.Str[dot+1:]; dot >= 0 && len(name) <= registry.MaxNameLength && (task || k.Str == "AutoModel" && class == "") {
			key, class = k.Str, name
		}
		return class == "" || !task
	})
	return key, class
}
