package steps

import (
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/undertest"
)

// anyTexts are texts of every kind. An expression that matches all of them, the empty one
// included, is taken for one that matches every text.
var anyTexts = []string{"", "a", "Z", "7", " ", "-", "_", "/", ".", "é", "日本", "aZ 7-_/.é", "LlamaForCausalLM", "2024-01-01"}

// checkExpression reads a regular expression that the field called name must match, or must
// not. One that matches every text checks nothing.
func checkExpression(name, expression string) (ArgumentRule, error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return BadText, err
	}
	for _, text := range anyTexts {
		if !re.MatchString(text) {
			return "", nil
		}
	}
	return ChecksNothing, errorWithHint(fmt.Sprintf(`write "the %s is present", or an expression that some texts do not match`, name), "every text matches %q: this checks nothing", expression)
}

// someText returns a check that the text in a part is not empty: every text contains the
// empty one.
func someText(part int) check {
	return func(c *argumentCheck, parts []string) { c.add(ChecksNothing, notEmpty(parts[part])) }
}

func notEmpty(text string) error {
	if text != "" {
		return nil
	}
	return errorWithHint("write a part of the text that is expected", `every text contains "": this checks nothing`)
}

// anotherOperation checks that the answer is compared with that of another operation.
func anotherOperation(c *argumentCheck, parts []string) {
	if parts[0] == c.operation {
		c.add(ChecksNothing, errorWithHint("name another operation: the model info, the category, support or the inspection", "the answer of the %s is compared with itself: this checks nothing", c.operation))
	}
}

// needsFindings checks that the answer of the scenario's operation has findings.
func needsFindings(c *argumentCheck, _ []string) { c.field("findings", undertest.KindList) }

// both makes several checks of a step.
func both(checks ...check) check {
	return func(c *argumentCheck, parts []string) {
		for _, check := range checks {
			check(c, parts)
		}
	}
}

// checkKey checks the key and the file of a step about a key of a JSON file.
func (c *argumentCheck) checkKey(key, file string) {
	if key == "" {
		c.add(BadText, errorWithHint(`write the name of a key, as in "rope_scaling.type"`, "the name of the key is empty"))
	}
	if !fs.ValidPath(file) || file == "." {
		c.add(BadText, notAFile(file))
	}
}

func notAFile(file string) error {
	return errorWithHint(`write its name relative to the checkpoint's directory, without ".."`, "%q is no file of the checkpoint", file)
}

// checkKeyIs checks a step about the value of a key. Where the checkpoint is known before the
// run, so is a value that would only look the same.
func (c *argumentCheck) checkKeyIs(key, file, not, want string) {
	before := len(c.problems)
	c.checkKey(key, file)
	c.add(BadText, checkJSON(want))
	if len(c.problems) > before || not == "" {
		return
	}
	if w := c.tree(); w != nil {
		if got, err := w.jsonKey(file, key); err == nil {
			c.add(BadText, otherType(key, got, gjson.Parse(want)))
		}
	}
}

func checkJSON(text string) error {
	if gjson.Valid(text) {
		return nil
	}
	return errorWithHint(`write a number, true, false, null, a text in quotes, [1, 2] or {"a": 1}`, "%s is not JSON", text)
}

// otherType returns an error if a value and the one that it must not have differ only in that
// one of them is a text: a step that says "is not" would hold for the wrong reason.
func otherType(key string, got, want gjson.Result) error {
	if (got.Type == gjson.String) == (want.Type == gjson.String) || want.IsObject() || want.IsArray() || !sameWriting(got.String(), want.String()) {
		return nil
	}
	instead, kinds := got.Raw, [2]string{kindOfJSON(got), kindOfJSON(want)}
	return errorWithHint(fmt.Sprintf("write 'is not %s'", instead), "%s is the %s %s and not the %s %s, so that this would hold whatever the value means", key, kinds[0], got.Raw, kinds[1], want.Raw)
}

func sameWriting(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && x == y
}

func kindOfJSON(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return "text"
	case gjson.Number:
		return "number"
	}
	return "value"
}

// checkGrowth checks that the checkpoint is created in several sizes.
func checkGrowth(c *argumentCheck, _ []string) {
	if parts := c.partsOf(configOfSizeExample); parts != nil {
		if sizes, err := parseSizes(parts[0]); err != nil || len(sizes) > 1 {
			return // another check tells the error
		}
	}
	c.add(NoLimit, errOneSize())
}

func errOneSize() error {
	return errorWithHint(`create the checkpoint in several sizes, as in "a checkpoint with a config of 1 MB, 10 MB and 50 MB"`, "there is one size, over which nothing grows")
}

// checkScaling checks that there are several callers.
func checkScaling(c *argumentCheck, _ []string) {
	if c.Callers < 2 && c.partsOf(callersExample) == nil {
		c.add(NoLimit, errOneCaller())
	}
}

func errOneCaller() error {
	return errorWithHint(`write the When step with "by 8 callers at once" at its end`, "there is one caller, with which nothing is compared")
}
