package missing

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/classtensors"
)

// Parts of the names of keys with which configs tell which layers are of another kind.
var (
	intervalWords  = []string{"step", "interval", "period", "freq", "every"}
	thresholdWords = []string{"first_k", "dense", "shared", "num_kv", "moe"}
)

// kinds gives a text for each layer, which differs where the config says that the layers
// differ: by a list with an entry for each layer or with numbers of layers, a text with a
// letter for each, an interval, or the number of the first or the last ones. It may tell
// more layers apart than there are kinds, and then less is compared.
func (a *analysis) kinds(row *classtensors.Stack, n int) []string {
	kinds := make([]string, n)
	path := ""
	if row != nil && len(row.Keys) > 0 {
		path = row.Keys[0][:strings.LastIndexByte(row.Keys[0], '.')+1]
	}
	section := a.value(strings.TrimSuffix(path, "."))
	if row == nil {
		if text := a.value("text_config"); text.IsObject() {
			section = text
		}
	}
	section.ForEach(func(key, v gjson.Result) bool {
		of := kindBy(key.Str, v, n)
		for i := range kinds {
			if of != nil {
				kinds[i] += "|" + of(i)
			}
		}
		return true
	})
	distinct := map[string]bool{}
	for _, k := range kinds {
		distinct[k] = true
	}
	if len(distinct) == n { // the sizes of stages, which tell no kinds
		return make([]string, n)
	}
	return kinds
}

// kindBy gives the function from the number of a layer to what a key says of its kind, nil
// where the key says nothing of kinds.
func kindBy(key string, v gjson.Result, n int) func(int) string {
	switch {
	case v.IsArray():
		values := v.Array()
		if len(values) == n {
			return func(i int) string { return values[i].Raw }
		}
		in := map[int64]bool{}
		for _, e := range values {
			if e.Type != gjson.Number || e.Int() < 0 || e.Int() >= int64(n) {
				return nil
			}
			in[e.Int()] = true
		}
		if len(in) == 0 {
			return nil
		}
		return func(i int) string { return fmt.Sprint(in[int64(i)]) }
	case v.Type == gjson.String && len(v.Str) == n && n > 4 && strings.Trim(v.Str, "M*-E") == "":
		return func(i int) string { return v.Str[i : i+1] }
	case v.Type != gjson.Number || v.Int() < 1 || v.Int() >= int64(n):
	case containsAny(key, intervalWords) && v.Int() > 1:
		return func(i int) string { return fmt.Sprint(int64(i) % v.Int()) }
	case containsAny(key, thresholdWords):
		return func(i int) string { return fmt.Sprint(int64(i) < v.Int(), int64(i) >= int64(n)-v.Int()) }
	}
	return nil
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
