package loader

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var categories = []Category{Transformers, VisionEncoder, AudioEncoder, ASR, Diffusers, SAE, Adapter}

// tableNames gives the first column, and fails on anything that a careless edit
// brings about.
func tableNames(t *testing.T, file, table string, columns int) (names []string) {
	t.Helper()
	require.True(t, strings.HasSuffix(table, "\n"), "%s: the last line needs its end", file)
	for i, line := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		require.Len(t, fields, columns, "%s:%d: %q: columns are parted by one tab, and empty ones hold -", file, i+1, line)
		for _, f := range fields {
			require.NotEmpty(t, f, "%s:%d: an empty column holds -", file, i+1)
			require.Equal(t, strings.TrimSpace(f), f, "%s:%d: white space around a field", file, i+1)
		}
		names = append(names, fields[0])
	}
	return names
}

func requireSorted(t *testing.T, file string, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		require.Less(t, names[i-1], names[i], "%s: %q stands behind %q; keep the lines sorted in byte order (LC_ALL=C sort), each name once", file, names[i], names[i-1])
	}
}

func TestArchitecturesAreSortedAndOfAKnownCategory(t *testing.T) {
	names := tableNames(t, "architectures.tsv", architecturesTSV, 5)
	requireSorted(t, "architectures.tsv", names)
	require.GreaterOrEqual(t, len(names), 3000)
	for _, name := range names {
		c, ok := LookupClass(name)
		require.True(t, ok, name)
		require.Contains(t, categories, c.Category, "architectures.tsv: %s: unknown category", name)
		require.NotEmpty(t, c.Task, "architectures.tsv: %s: a class needs a task", name)
		if c.ModelType != "" {
			continue
		}
		_, real := LookupClass(c.RealName)
		require.True(t, real, "architectures.tsv: %s: its real name %s is not listed", name, c.RealName)
	}
}

func TestModelTypesAreSortedAndOfAKnownCategory(t *testing.T) {
	names := tableNames(t, "model_types.tsv", modelTypesTSV, 5)
	requireSorted(t, "model_types.tsv", names)
	for _, name := range names {
		f, ok := LookupFamily(name)
		require.True(t, ok)
		if f.Category != "" {
			require.Contains(t, categories, f.Category, "model_types.tsv: %s: unknown category", name)
		}
		for _, class := range []string{f.Architecture, f.LoadsAs} {
			if class != "" {
				_, ok := LookupClass(class)
				require.True(t, ok, "model_types.tsv: %s: the class %s is not in architectures.tsv", name, class)
			}
		}
	}
}

func TestOtherTablesAreWellFormed(t *testing.T) {
	requireSorted(t, "omni.tsv", tableNames(t, "omni.tsv", omniTSV, 2))
	for f := range tableRows(omniTSV) {
		for _, need := range strings.FieldsFunc(f[1], func(r rune) bool { return r == ',' }) {
			assert.Contains(t, keysByName, need, "omni.tsv: %s: no such config key is read", f[0])
		}
	}
	assert.NotEmpty(t, tableNames(t, "sae_directories.tsv", saeDirectoriesTSV, 1))
	tableNames(t, "class_rules.tsv", classRulesTSV, 4)
	for f := range tableRows(classRulesTSV) {
		assert.Contains(t, []string{"name", "type", "section", "over", "part", "auto", "file", "nearest", "processor", "card", "family"}, f[0])
		switch f[0] {
		case "nearest", "card", "family":
			continue
		case "auto":
			assert.Contains(t, []string{"first", "last"}, f[1])
			continue
		}
		assert.Contains(t, categories, Category(f[2]), "class_rules.tsv: %s", f[1])
		if f[0] == "part" {
			member, category, _ := strings.Cut(f[1], ":")
			assert.Contains(t, keysByName, member, "class_rules.tsv: %s: no such config key is read", f[1])
			assert.Contains(t, categories, Category(category), "class_rules.tsv: %s", f[1])
		}
		if f[0] == "section" || f[0] == "over" {
			for need := range strings.SplitSeq(f[1], ",") {
				if f[0] == "section" && strings.Contains(need, "*") {
					continue
				}
				assert.Contains(t, keysByName, need, "class_rules.tsv: %s: no such config key is read", f[1])
			}
		}
	}
	requireSorted(t, "auto_classes.tsv", tableNames(t, "auto_classes.tsv", autoClassesTSV, 4))
	for f := range tableRows(autoClassesTSV) {
		assert.Contains(t, []string{"first", "last"}, f[3], "auto_classes.tsv: %s", f[0])
	}
	for method, m := range quantMethods() {
		if _, own, ok := strings.Cut(m.bits, "="); ok {
			bits, err := strconv.ParseFloat(own, 64)
			assert.True(t, err == nil && bits > 0 && bits <= 8, "quantization_methods.tsv: %s: %s", method, m.bits)
		}
	}
	requireSorted(t, "pipeline_tags.tsv", tableNames(t, "pipeline_tags.tsv", pipelineTagsTSV, 3))
	for f := range tableRows(pipelineTagsTSV) {
		assert.Contains(t, categories, Category(f[1]), "pipeline_tags.tsv: %s", f[0])
	}
}

// A rule behind a wider one would never speak.
func TestNoClassRuleHidesAnother(t *testing.T) {
	rules := known().rules
	for i, later := range rules {
		for _, earlier := range rules[:i] {
			if later.looksAt != earlier.looksAt || later.looksAt != "name" && later.looksAt != "type" {
				continue
			}
			assert.False(t, earlier.glob.match(later.pattern), "%s %s never speaks behind %s", later.looksAt, later.pattern, earlier.pattern)
		}
	}
}

// TestRulesCarryToFamiliesNobodyListed leaves out each family in turn, with all
// its names, and asks what the rules make of them from the config that they come
// with: class, model type, and the sections of testdata/sections.tsv.
func TestRulesCarryToFamiliesNobodyListed(t *testing.T) {
	data, err := os.ReadFile("testdata/sections.tsv")
	require.NoError(t, err)
	sections := map[string][]string{}
	for f := range tableRows(string(data)) {
		sections[f[0]] = strings.Split(f[1], ",")
	}
	byFamily := map[string][]Class{}
	for _, name := range known().names {
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
		rest := *known()
		rest.names = slices.DeleteFunc(slices.Clone(rest.names), func(n string) bool { return known().classes[n].ModelType == family })
		for _, c := range classes {
			total++
			has := func(k key) bool {
				return slices.ContainsFunc(strings.Split(family, ","), func(t string) bool { return slices.Contains(sections[t], keyNames[k]) })
			}
			a := rest.guess(clues{name: c.Name, modelType: strings.Split(family, ",")[0], has: has})
			if a.how == "" {
				a.category = Transformers // as readConfig has it
			}
			if a.category == c.Category {
				right++
			} else {
				missed[a.how]++
				t.Logf("%s is %s, not %s: %s", c.Name, c.Category, a.category, a.how)
			}
			if a.task != c.Task {
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
	for _, name := range known().names {
		c, _ := LookupClass(name)
		if other, ok := byFolded[foldName(name)]; ok {
			assert.Equal(t, other.Category, c.Category, "%s and %s", name, other.Name)
			continue
		}
		byFolded[foldName(name)] = c
	}
}

func TestResolveClassForgivesSpellingModuleAndWrapper(t *testing.T) {
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
		c, how := known().resolveClass(name)
		assert.Equal(t, want == "", how == "", name)
		if want == "" {
			assert.Nil(t, c, name)
			continue
		}
		require.NotNil(t, c, name)
		assert.Equal(t, want, c.Name, name)
	}
}

func TestNearestClassNeedsAFewLettersInCommon(t *testing.T) {
	assert.True(t, strings.HasPrefix(known().nearestClass("LlamaForSomethingNew"), "Llama"))
	assert.Empty(t, known().nearestClass("Zz"))
	assert.Empty(t, known().nearestClass(""))
	assert.True(t, slices.IsSorted(known().names))
}

func TestAPatternMatchesInTheTimeOfTheName(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a", "a", true}, {"a", "ab", false},
		{"*b", "ab", true}, {"*b", "ba", false}, {"a*", "ab", true}, {"*ab*ab*", "abab", true}, {"*ab*ab*", "aab", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"*Text*Model*", "ModelText", false}, {"*Text*Model*", "XTextYModelZ", true},
		{"*For*Classification", "ForXClassification", true}, {"*For*Classification", "ForClassification", true},
	} {
		g := newGlob(c.pattern)
		assert.Equal(t, c.want, g.match(c.name), "%s: %s", c.pattern, c.name)
	}
	g, long := newGlob("*a*b*c*"), strings.Repeat("ab", 1<<20)
	assert.Zero(t, testing.AllocsPerRun(10, func() { g.match(long) }))
}

func TestARuleSaysWhatItSaw(t *testing.T) {
	a, ok := known().neighbours("LlamaZuluNet", 4)
	require.True(t, ok)
	assert.Equal(t, Transformers, a.category)
	assert.Contains(t, a.how, "it begins like LLaMAForCausalLM, ")
	for _, name := range []string{"", "Zz", "Qq9"} {
		_, ok := known().neighbours(name, 4)
		assert.False(t, ok, name)
	}
}

// BenchmarkGuess is what a class that nobody listed costs: at worst every rule is
// asked.
func BenchmarkGuess(b *testing.B) {
	r := known()
	for name, class := range map[string]string{"head": "Zqx9ForImageClassification", "last": "Zqx9", "longest": strings.Repeat("A", maxName)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.guess(clues{name: class, modelType: "zqx9", has: func(key) bool { return false }})
			}
		})
	}
}

func BenchmarkFirstUse(b *testing.B) {
	for b.Loop() {
		buildRegistry()
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
