package detect

import (
	_ "embed"
	"strings"
	"sync"

	"omniloader/loader/internal/table"
)

//go:embed pipeline_kinds.tsv
var pipelineKindsTSV string

// pipelineKindRule is one row of pipeline_kinds.tsv.
type pipelineKindRule struct{ pattern, kind string }

var pipelineKinds = sync.OnceValue(func() (rules []pipelineKindRule) {
	for f := range table.Rows(pipelineKindsTSV) {
		rules = append(rules, pipelineKindRule{f[0], f[1]})
	}
	return rules
})

// PipelineKind gives input and output of a diffusion pipeline by its class, as the hub's
// pipeline tags do: "text-to-image". It is "" where the class does not tell, and for a
// class that is no pipeline.
func PipelineKind(class string) string {
	if !strings.Contains(class, "Pipeline") {
		return ""
	}
	for _, rule := range pipelineKinds() {
		if table.Match(rule.pattern, class) {
			return rule.kind
		}
	}
	return ""
}
