package steps

import (
	"strings"

	"omniloader/fixtures"
)

// jsonSteps are the Given steps that change one key of a JSON file.
func (w *world) jsonSteps(r stepRegistrar) {
	r.group("Changing the checkpoint created last: keys of its JSON files")
	r.Given(`^the config has "([^"]*)" set to (.+)$`, w.configSet, stepDoc{
		precheck: isJSONValue(1),
		meaning:  "Sets a key of config.json to a JSON value; dots lead into objects and lists.",
		example:  `the config has "quantization_config.bits" set to 4`,
	})
	r.Given(`^the config has no "([^"]*)"$`, w.configUnset, stepDoc{
		meaning: "Removes a key of config.json.",
		example: `the config has no "architectures"`,
	})
	r.Given(`^"([^"]*)" has "([^"]*)" set to (.+)$`, w.keySet, stepDoc{
		precheck: isJSONValue(2),
		meaning:  "Sets a key of any JSON file to a JSON value.",
		example:  `"tokenizer_config.json" has "pad_token" set to null`,
	})
	r.Given(`^"([^"]*)" has no "([^"]*)"$`, w.keyUnset, stepDoc{
		meaning: "Removes a key of any JSON file.",
		example: `"tokenizer_config.json" has no "pad_token"`,
	})
	r.Given(`^the config has a list nested ([0-9]+) deep$`, w.nestedConfig, stepDoc{
		meaning: "Adds a key to config.json whose value is this many lists, each inside the one before.",
		example: `the config has a list nested 100000 deep`,
	})
}

const configFile = "config.json"

func (w *world) configSet(key, value string) error { return w.keySet(configFile, key, value) }

func (w *world) configUnset(key string) error { return w.keyUnset(configFile, key) }

func (w *world) keySet(file, key, value string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.SetKey(file, key, value) })
}

func (w *world) keyUnset(file, key string) error {
	return w.alter(func(c *fixtures.Checkpoint) error { return c.UnsetKey(file, key) })
}

func (w *world) nestedConfig(depth int) error {
	return w.configSet("nested", strings.Repeat("[", depth)+strings.Repeat("]", depth))
}
