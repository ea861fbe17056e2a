package steps

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/suggest"
)

// configSteps are the Then steps about a key of a JSON file of the checkpoint, as the
// loader gets it: after the changes of the Given steps.
func (w *world) configSteps(r stepRegistrar) {
	r.group("Keys of the checkpoint's JSON files")
	r.Then(`^the config key "([^"]*)" is (not )?("[^"]*"|-?[0-9][0-9.eE+-]*|true|false|null|\[.*\]|\{.*\})$`, w.configKeyIs, stepDoc{
		meaning: "A key of config.json has this JSON value, or another one; dots lead into objects and lists. Numbers are equal by value.",
		example: `the config key "rope_scaling.type" is "yarn"`,
		check:   func(c *argumentCheck, parts []string) { c.checkKeyIs(parts[0], configFile, parts[1], parts[2]) },
	})
	r.Then(`^the config key "([^"]*)" is (present|absent)$`, w.configKeyIsThere, stepDoc{
		meaning: "A key of config.json is there, whatever its value, or is not.",
		example: `the config key "quantization_config" is absent`,
		check:   func(c *argumentCheck, parts []string) { c.checkKey(parts[0], configFile) },
	})
	r.Then(`^the key "([^"]*)" of "([^"]*)" is (not )?("[^"]*"|-?[0-9][0-9.eE+-]*|true|false|null|\[.*\]|\{.*\})$`, w.keyIs, stepDoc{
		meaning: "A key of any JSON file of the checkpoint has this value, or another one.",
		example: `the key "r" of "adapter_config.json" is 16`,
		check:   func(c *argumentCheck, parts []string) { c.checkKeyIs(parts[0], parts[1], parts[2], parts[3]) },
	})
	r.Then(`^the key "([^"]*)" of "([^"]*)" is (present|absent)$`, w.keyIsThere, stepDoc{
		meaning: "A key of any JSON file of the checkpoint is there, or is not.",
		example: `the key "chat_template" of "tokenizer_config.json" is absent`,
		check:   func(c *argumentCheck, parts []string) { c.checkKey(parts[0], parts[1]) },
	})
}

func (w *world) configKeyIs(key, not, want string) error { return w.keyIs(key, configFile, not, want) }

func (w *world) configKeyIsThere(key, which string) error {
	return w.keyIsThere(key, configFile, which)
}

func (w *world) keyIs(key, file, not, want string) error {
	if err := checkJSON(want); err != nil {
		return &ScenarioError{err}
	}
	got, err := w.jsonKey(file, key)
	if err != nil {
		return err
	}
	switch equal := sameJSON(got, gjson.Parse(want)); {
	case not == "" && !equal:
		return fmt.Errorf("%s: %s is %s, expected %s", file, key, cut(got.Raw, maxShownText), want)
	case not != "" && equal:
		return fmt.Errorf("%s: %s is %s, expected another value", file, key, cut(got.Raw, maxShownText))
	case not != "":
		if err := otherType(key, got, gjson.Parse(want)); err != nil {
			return &ScenarioError{err}
		}
	}
	return nil
}

func (w *world) keyIsThere(key, file, which string) error {
	got, err := w.jsonKey(file, key)
	var missing *missingKeyError
	switch {
	case errors.As(err, &missing) && which == "absent":
		return nil
	case err != nil:
		return err
	case which == "absent":
		return fmt.Errorf("%s: %s is %s, expected no such key", file, key, cut(got.Raw, maxShownText))
	}
	return nil
}

// missingKeyError is the error for a key that a JSON file does not have.
type missingKeyError struct {
	file, key string
	parent    string   // the part of the key that is there, "" for none
	siblings  []string // keys that are there in its place
}

func (e *missingKeyError) Error() string {
	text := fmt.Sprintf("%s has no key %s", e.file, e.key)
	if near, ok := suggest.Nearest(e.key[strings.LastIndexByte(e.key, '.')+1:], e.siblings); ok {
		if e.parent != "" {
			near = e.parent + "." + near
		}
		text += "; " + suggest.Question(near)
	}
	return text
}

// maxJSONFile is the largest JSON file of a checkpoint that a Then step reads, in bytes.
const maxJSONFile = 256 << 20

// nonFinite are the numbers that Python writes and JSON does not have.
var nonFinite = regexp.MustCompile(`-?\b(?:NaN|Infinity)\b`)

// jsonKey reads a key of a JSON file of the checkpoint. Of a key that occurs twice in an
// object the last counts, as in Python.
func (w *world) jsonKey(file, key string) (gjson.Result, error) {
	if !fs.ValidPath(file) {
		return gjson.Result{}, &ScenarioError{notAFile(file)}
	}
	f, err := w.fsys.Open(path.Join(w.dir, file))
	if err != nil {
		return gjson.Result{}, fmt.Errorf("%s: %w", file, withoutPath(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxJSONFile+1))
	if err != nil {
		return gjson.Result{}, fmt.Errorf("%s: %w", file, withoutPath(err))
	}
	if len(text) > maxJSONFile {
		return gjson.Result{}, fmt.Errorf("%s: larger than %d MiB", file, maxJSONFile>>20)
	}
	if !gjson.ValidBytes(text) && !gjson.ValidBytes(nonFinite.ReplaceAll(text, []byte("0"))) {
		return gjson.Result{}, fmt.Errorf("%s is not JSON", file)
	}
	value := gjson.ParseBytes(text)
	keys := splitKey(key)
	for i, k := range keys {
		next, siblings := member(value, k)
		if !next.Exists() {
			return gjson.Result{}, &missingKeyError{file, key, strings.Join(keys[:i], "."), siblings}
		}
		value = next
	}
	return value, nil
}

// splitKey splits a key at its dots; a dot within a key is written `\.`.
func splitKey(key string) []string {
	const dot = "\x00"
	keys := strings.Split(strings.ReplaceAll(key, `\.`, dot), ".")
	for i := range keys {
		keys[i] = strings.ReplaceAll(keys[i], dot, ".")
	}
	return keys
}

// member returns the value of a key of an object, or of an index of a list, and the keys
// of the object.
func member(v gjson.Result, key string) (found gjson.Result, keys []string) {
	if v.IsArray() {
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v.Array()) {
			return v.Array()[i], nil
		}
		return gjson.Result{}, nil
	}
	if !v.IsObject() {
		return gjson.Result{}, nil
	}
	v.ForEach(func(k, value gjson.Result) bool {
		keys = append(keys, k.String())
		if k.String() == key {
			found = value
		}
		return true
	})
	return found, keys
}

// sameJSON says whether two values are equal: numbers by value, objects whatever the order
// of their keys.
func sameJSON(a, b gjson.Result) bool {
	switch {
	case a.IsObject() && b.IsObject():
		return sameMembers(a.Map(), b.Map())
	case a.IsArray() && b.IsArray():
		x, y := a.Array(), b.Array()
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameJSON(x[i], y[i]) {
				return false
			}
		}
		return true
	case a.Type != b.Type || a.IsObject() || a.IsArray() || b.IsObject() || b.IsArray():
		return false
	case a.Type == gjson.Number:
		return a.Raw == b.Raw || a.Float() == b.Float()
	case a.Type == gjson.String:
		return a.String() == b.String()
	}
	return true // true, false and null have types of their own
}

func sameMembers(a, b map[string]gjson.Result) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !sameJSON(value, other) {
			return false
		}
	}
	return true
}
