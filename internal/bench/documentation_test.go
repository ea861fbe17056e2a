package bench

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDocumentationHasEveryKeyOfAResultsFile(t *testing.T) {
	page, err := os.ReadFile("../../docs/results.md")
	require.NoError(t, err)
	keys := map[string]bool{}
	keysOf(reflect.TypeFor[File](), keys)
	assert.True(t, keys["round_min_ns"], "the keys of parts are found")
	for key := range Host() {
		keys[key] = true
	}
	for _, c := range conditions {
		keys[c.key] = true
	}
	for _, key := range []string{collectorKey, samplingKey, modulesKey, StealKey, OtherCPUKey, LinkOrderKey, BuildKey} {
		keys[key] = true
	}
	for key := range keys {
		assert.Contains(t, string(page), "`"+key+"`")
	}
}

func keysOf(t reflect.Type, keys map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		keysOf(t.Elem(), keys)
	case reflect.Struct:
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if key != "" && key != "-" {
				keys[key] = true
				keysOf(t.Field(i).Type, keys)
			}
		}
	}
}
