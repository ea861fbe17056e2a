package registry

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/table/tabletest"
)

func TestArchitecturesAreSortedAndOfAKnownCategory(t *testing.T) {
	names := tabletest.Names(t, "architectures.tsv", architecturesTSV, 5)
	tabletest.RequireSorted(t, "architectures.tsv", names)
	require.GreaterOrEqual(t, len(names), 3000)
	for _, name := range names {
		c, ok := LookupClass(name)
		require.True(t, ok, name)
		require.Contains(t, tabletest.Categories, c.Category, "architectures.tsv: %s: unknown category", name)
		require.NotEmpty(t, c.Task, "architectures.tsv: %s: a class needs a task", name)
		if c.ModelType != "" {
			continue
		}
		_, real := LookupClass(c.RealName)
		require.True(t, real, "architectures.tsv: %s: its real name %s is not listed", name, c.RealName)
	}
}

func TestModelTypesAreSortedAndOfAKnownCategory(t *testing.T) {
	names := tabletest.Names(t, "model_types.tsv", modelTypesTSV, 5)
	tabletest.RequireSorted(t, "model_types.tsv", names)
	for _, name := range names {
		f, ok := LookupFamily(name)
		require.True(t, ok)
		if f.Category != "" {
			require.Contains(t, tabletest.Categories, f.Category, "model_types.tsv: %s: unknown category", name)
		}
		for _, class := range []string{f.Architecture, f.LoadsAs} {
			if class != "" {
				_, ok := LookupClass(class)
				require.True(t, ok, "model_types.tsv: %s: the class %s is not in architectures.tsv", name, class)
			}
		}
	}
}

// isConfigKey tells whether the loader reads a key of config.json.
func isConfigKey(name string) bool {
	_, ok := config.KeyOf(name)
	return ok
}

func TestOtherTablesAreWellFormed(t *testing.T) {
	tabletest.RequireSorted(t, "omni.tsv", tabletest.Names(t, "omni.tsv", omniTSV, 2))
	for f := range table.Rows(omniTSV) {
		for _, need := range strings.FieldsFunc(f[1], func(r rune) bool { return r == ',' }) {
			assert.True(t, isConfigKey(need), "omni.tsv: %s: no such config key is read", f[0])
		}
	}
	tabletest.Names(t, "class_rules.tsv", classRulesTSV, 4)
	for f := range table.Rows(classRulesTSV) {
		assert.Contains(t, []string{"name", "type", "section", "override", "part", "auto", "file", "nearest", "processor", "card", "family"}, f[0])
		switch f[0] {
		case "nearest", "card", "family":
			continue
		case "auto":
			assert.Contains(t, []string{"first", "last"}, f[1])
			continue
		}
		assert.Contains(t, tabletest.Categories, answer.Category(f[2]), "class_rules.tsv: %s", f[1])
		if f[0] == "part" {
			member, category, _ := strings.Cut(f[1], ":")
			assert.True(t, isConfigKey(member), "class_rules.tsv: %s: no such config key is read", f[1])
			assert.Contains(t, tabletest.Categories, answer.Category(category), "class_rules.tsv: %s", f[1])
		}
		if f[0] == "section" || f[0] == "override" {
			for need := range strings.SplitSeq(f[1], ",") {
				if f[0] == "section" && strings.Contains(need, "*") {
					continue
				}
				assert.True(t, isConfigKey(need), "class_rules.tsv: %s: no such config key is read", f[1])
			}
		}
	}
	tabletest.RequireSorted(t, "auto_classes.tsv", tabletest.Names(t, "auto_classes.tsv", autoClassesTSV, 4))
	for f := range table.Rows(autoClassesTSV) {
		assert.Contains(t, []string{"first", "last"}, f[3], "auto_classes.tsv: %s", f[0])
	}
}

// A rule that comes after one with a wider pattern would never match.
func TestNoClassRuleHidesAnother(t *testing.T) {
	rules := Builtin().rules
	for i, later := range rules {
		for _, earlier := range rules[:i] {
			if later.Kind != earlier.Kind || later.Kind != "name" && later.Kind != "type" {
				continue
			}
			assert.False(t, earlier.namePattern.Match(later.Pattern), "%s %s never matches after %s", later.Kind, later.Pattern, earlier.Pattern)
		}
	}
}

// TestClassRulesForLeftOutFamilies leaves out each family with all its names, and infers
// its classes with the rules from class name, model type and the config sections of
// testdata/sections.tsv.
func TestClassRulesForLeftOutFamilies(t *testing.T) {
	data, err := os.ReadFile("testdata/sections.tsv")
	require.NoError(t, err)
	sections := map[string][]string{}
	for f := range table.Rows(string(data)) {
		sections[f[0]] = strings.Split(f[1], ",")
	}
	byFamily := map[string][]Class{}
	for _, name := range Builtin().names {
		if c, _ := LookupClass(name); c.RealName == name {
			byFamily[c.ModelType] = append(byFamily[c.ModelType], c)
		}
	}
	total, right, wrongTask := 0, 0, 0
	missed := map[string]int{}
	for family, classes := range byFamily {
		if family == "" {
			continue // names of no family: leaving them out leaves nothing to learn from
		}
		rest := *Builtin()
		rest.names = slices.DeleteFunc(slices.Clone(rest.names), func(n string) bool { return Builtin().Classes[n].ModelType == family })
		for _, c := range classes {
			total++
			has := func(k config.Key) bool {
				return slices.ContainsFunc(strings.Split(family, ","), func(t string) bool { return slices.Contains(sections[t], k.String()) })
			}
			a := rest.Infer(RuleInput{ClassName: c.Name, ModelType: strings.Split(family, ",")[0], IsSet: has})
			if a.DecidedBy == "" {
				a.Category = answer.Transformers // as readConfig has it
			}
			if a.Category == c.Category {
				right++
			} else {
				missed[a.DecidedBy]++
				t.Logf("%s is %s, not %s: %s", c.Name, c.Category, a.Category, a.DecidedBy)
			}
			if a.Task != c.Task {
				wrongTask++
			}
		}
	}
	share := float64(right) / float64(total)
	t.Logf("%d of %d names of %d families: %.2f %%, tasks %.2f %%", right, total, len(byFamily)-1, 100*share, 100*float64(total-wrongTask)/float64(total))
	assert.GreaterOrEqual(t, share, 0.95)
}

func TestSpellingsOfOneNameAgreeOnTheCategory(t *testing.T) {
	byFolded := map[string]Class{}
	for _, name := range Builtin().names {
		c, _ := LookupClass(name)
		if other, ok := byFolded[foldedName(name)]; ok {
			assert.Equal(t, other.Category, c.Category, "%s and %s", name, other.Name)
			continue
		}
		byFolded[foldedName(name)] = c
	}
}

func TestResolveClassIgnoresSpellingModuleAndWrapper(t *testing.T) {
	for name, want := range map[string]string{
		"LlamaForCausalLM":                       "LlamaForCausalLM",
		"LLAMAForCausalLM":                       "LLaMAForCausalLM",
		"Qwen_2_ForCausalLM":                     "Qwen2ForCausalLM",
		"modeling_grove_moe.GroveMoeForCausalLM": "modeling_grove_moe.GroveMoeForCausalLM",
		"modeling_x.LlamaForCausalLM":            "LlamaForCausalLM",
		"FSDPMistralForCausalLM":                 "MistralForCausalLM",
		"NobodyKnowsThis":                        "",
		"":                                       "",
	} {
		c, how := Builtin().ResolveClass(name)
		assert.Equal(t, want == "", how == "", name)
		if want == "" {
			assert.Nil(t, c, name)
			continue
		}
		require.NotNil(t, c, name)
		assert.Equal(t, want, c.Name, name)
	}
}

func TestNearestClassNeedsCommonPrefix(t *testing.T) {
	assert.True(t, strings.HasPrefix(Builtin().NearestClass("LlamaForSomethingNew"), "Llama"))
	assert.Empty(t, Builtin().NearestClass("Zz"))
	assert.Empty(t, Builtin().NearestClass(""))
	assert.True(t, slices.IsSorted(Builtin().names))
}

func TestNamesWithFirstByteAreAllThatBeginWithIt(t *testing.T) {
	r := Builtin()
	for first := range 256 {
		var want []string
		for _, name := range r.names {
			if name != "" && strings.EqualFold(name[:1], string(rune(first))) {
				want = append(want, name)
			}
		}
		parts := r.namesWithFirstByte(byte(first))
		assert.ElementsMatch(t, want, slices.Concat(parts[0], parts[1]), "%q", byte(first))
	}
	odd := &Registry{names: []string{"", "Å", "Åb", "é"}}
	slices.Sort(odd.names)
	assert.Equal(t, []string{"Å", "Åb", "é"}, odd.namesWithFirstByte("Å"[0])[0], "by bytes")
	assert.Equal(t, [2][]string{}, (&Registry{}).namesWithFirstByte('+'))
}

func TestRuleResultNamesRule(t *testing.T) {
	a, ok := Builtin().inferFromNearest("LlamaZuluNet", 4)
	require.True(t, ok)
	assert.Equal(t, answer.Transformers, a.Category)
	assert.Contains(t, a.DecidedBy, "it begins like LLaMAForCausalLM, ")
	for _, name := range []string{"", "Zz", "Qq9"} {
		_, ok := Builtin().inferFromNearest(name, 4)
		assert.False(t, ok, name)
	}
}

// BenchmarkInfer measures Infer for a class that is not listed, for which every rule is
// evaluated.
func BenchmarkInfer(b *testing.B) {
	r := Builtin()
	for name, class := range map[string]string{"head": "Zqx9ForImageClassification", "last": "Zqx9", "longest": strings.Repeat("A", MaxNameLength)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Infer(RuleInput{ClassName: class, ModelType: "zqx9", IsSet: func(config.Key) bool { return false }})
			}
		})
	}
}

func BenchmarkFirstUse(b *testing.B) {
	for b.Loop() {
		newBuiltin()
	}
}

func BenchmarkLookUp(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := LookupClass("LlamaForCausalLM"); !ok {
			b.Fatal("not known")
		}
	}
}
