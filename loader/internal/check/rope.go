package check

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

//go:embed rope_keys.tsv
var ropeKeysTSV string

// ropeKeys gives the keys that a type of rope scaling needs.
var ropeKeys = sync.OnceValue(func() map[string][]string {
	keys := map[string][]string{}
	for f := range table.Rows(ropeKeysTSV) {
		keys[f[0]] = strings.Split(f[1], ",")
	}
	return keys
})

// The scaling of rotary positions has the numbers that its type needs. Libraries stop with
// a KeyError without, or compute other positions.
var _ = register(Check{
	Name:  "rope-scaling",
	Codes: []string{finding.RopeIncomplete},
	Needs: Config,
	Run: func(f *Facts) (findings []answer.Finding) {
		d := f.Checkpoint.Quantities()
		for _, key := range [...]string{"rope_scaling", "rope_parameters"} {
			section := d.Value(key)
			if !section.IsObject() {
				continue
			}
			if found := ropeLacks(section, key); found != "" {
				findings = append(findings, finding.New(finding.RopeIncomplete, config.ConfigJSON, found, ""))
			}
		}
		return findings
	},
})

// ropeLacks says which keys a section lacks, "" where it lacks none.
func ropeLacks(section gjson.Result, name string) string {
	kind := section.Get("rope_type")
	if kind.Type != gjson.String {
		kind = section.Get("type")
	}
	var lacking []string
	for _, key := range ropeKeys()[kind.Str] {
		if v := section.Get(key); !v.Exists() || v.Type == gjson.Null {
			lacking = append(lacking, key)
		}
	}
	if len(lacking) == 0 {
		return ""
	}
	return name + ` of type "` + kind.Str + `" has no ` + finding.JoinFirst(lacking)
}
