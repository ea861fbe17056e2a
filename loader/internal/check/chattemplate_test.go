package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTemplateProblem(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "", "{": "", "{{ a }}": "", "{# {% for %} #}": "", "{% if a %}{% elif b %}{% else %}{% endif %}": "",
		"{%- for m in messages -%}{{ m['content'] | trim }}{%- endfor -%}": "",
		`{{ "%}" ~ '}}' }}`: "", "{% set a = 1 %}": "", "{% set a %}x{% endset %}": "", "{{ {'a': {'b': 1}} }}": "",
		"{% generation %}x{% endgeneration %}": "", "{% raw %}{% for %}{{ x | nosuch }}{% endraw %}": "",
		"{% macro f(a) %}{{ a|tojson(indent=2) }}{% endmacro %}": "",
		"{% for m in x %}":                      "endfor is missing",
		"{% if a %}{% for b in c %}{% endif %}": "endif closes nothing",
		"{% endif %}":                           "endif closes nothing",
		"{{ a | nosuchfilter }}":                `no filter "nosuchfilter"`,
		"{{ a ":                                 "a tag is not closed",
		"{# a ":                                 "a comment is not closed",
		"{% raw %} a":                           "endraw is missing",
	} {
		got := templateProblem(text)
		if want == "" {
			assert.Empty(t, got, text)
		} else {
			assert.Contains(t, got, want, text)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("{% for a in b %}{{ c | trim }}{% endfor %}{# d #}{% raw %}{% endraw %}")
	f.Fuzz(func(_ *testing.T, text string) { templateProblem(text) })
}
