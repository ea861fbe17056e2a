package detect

import (
	_ "embed"
	"strings"
	"sync"

	"omniloader/loader/internal/table"
)

//go:embed pipeline_kinds.tsv
var pipelineKindsTSV string

type pipelineKindRule struct{ pattern, kind string }

var pipelineKinds = sync.OnceValue(func() (rules []pipelineKindRule) {
	for f := range table.Rows(pipelineKindsTSV) {
		rules = append(rules, pipelineKindRule{f[0], f[1]})
	}
	return rules
})

// PipelineKind says what a diffusion pipeline makes of what, in the words of the
// hub's pipeline tags; "" where the class does not tell, and for what is no
// pipeline.
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
