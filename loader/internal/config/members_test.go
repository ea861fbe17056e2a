package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/tidwall/gjson"
)

// Members.Get gives what gjson gives for the whole object.
func TestMembersGetAgreesWithGJSON(t *testing.T) {
	for _, text := range []string{
		`{"a": 1, "b": {"c": [2, {"d": null}]}, "a": 3, "e": "x\n", "f": true}`,
		`{"n": NaN, "i": -Infinity, "j": Infinity, "a": 4, "\u0062": 5, "": 6}`,
		"{}", "[1]", "null", "7", "",
	} {
		whole := gjson.Parse(text)
		of := NewMembers(whole)
		for _, path := range []string{"a", "b", "b.c", "b.c.1.d", "b.d", "e", "f", "f.a", "n", "i", "j", "none", "none.a"} {
			want, got := whole.Get(path), of.Get(path)
			assert.Equal(t, want.Raw, got.Raw, "%s of %s", path, text)
			assert.Equal(t, want.Type, got.Type, "%s of %s", path, text)
			assert.Equal(t, want.String(), got.String(), "%s of %s", path, text)
			assert.Equal(t, want.Exists(), got.Exists(), "%s of %s", path, text)
		}
	}
}
