package loader_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/internal/registry"
)

func classNamed(name string) fstest.MapFS {
	return fstest.MapFS{"m/config.json": {Data: []byte(`{"architectures": ["` + name + `"]}`)}}
}

func registering(t testing.TB, table string) *loader.Loader {
	t.Helper()
	a, err := loader.ReadArchitectures("names.tsv", strings.NewReader(table))
	require.NoError(t, err)
	return loader.New(loader.WithArchitectures(a))
}

// manyClasses is a table of so many class names.
func manyClasses(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Acme%05dForCausalLM\ttransformers\tcausal_lm\n", i)
	}
	return b.String()
}

func TestAddedClassIsKnownToItsLoaderOnly(t *testing.T) {
	fsys := classNamed("AcmeForImages")
	info, err := loader.New().ModelInfo(fsys, "m")
	require.NoError(t, err)
	assert.False(t, info.IsSupported)

	l := registering(t, "# ours\n\nAcmeForImages\tvision_encoder\timage_classification\tacme\tAcmeModel\n")
	info, err = l.ModelInfo(fsys, "m")
	require.NoError(t, err)
	assert.True(t, info.IsSupported)
	assert.Equal(t, answer.VisionEncoder, info.Category)
	assert.Equal(t, answer.Task("image_classification"), info.Task)
	assert.Equal(t, "AcmeModel", info.LoadsAs)
	assert.Contains(t, info.DecidedBy, "names.tsv")

	inspected, err := l.Inspect(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, answer.VisionEncoder, inspected.Category)
	built, err := l.ModelInfo(classNamed("LlamaForCausalLM"), "m")
	require.NoError(t, err)
	assert.True(t, built.IsSupported, "the built-in names stay")
	_, listed := registry.LookupClass("AcmeForImages")
	assert.False(t, listed, "other loaders know nothing of it")
}

func TestAddedClassIsFoundInOtherSpellings(t *testing.T) {
	d, err := registering(t, "AcmeForImages\tvision_encoder\n").Category(classNamed("acme_for_images"), "m")
	require.NoError(t, err)
	assert.Equal(t, answer.VisionEncoder, d.Category)
}

func TestAddedClassIsUsedForSimilarNames(t *testing.T) {
	s, err := registering(t, manyClasses(10_000)).Support(classNamed("Acme04999XForCausalLM"), "m")
	require.NoError(t, err)
	require.NotNil(t, s.Nearest)
	assert.Equal(t, "Acme04999ForCausalLM", *s.Nearest)
}

func TestSeveralTablesAddUp(t *testing.T) {
	a, err := loader.ReadArchitectures("a.tsv", strings.NewReader("AcmeForA\tasr\nAcmeForB\tasr\n"))
	require.NoError(t, err)
	b, err := loader.ReadArchitectures("b.tsv", strings.NewReader("AcmeForB\tdiffusers\nAcmeForC\tdiffusers\n"))
	require.NoError(t, err)
	l := loader.New(loader.WithArchitectures(a), loader.WithArchitectures(b))
	for name, want := range map[string]answer.Category{"AcmeForA": answer.ASR, "AcmeForB": answer.ASR, "AcmeForC": answer.Diffusers} {
		d, err := l.Category(classNamed(name), "m")
		require.NoError(t, err)
		assert.Equal(t, want, d.Category, name)
	}
}

func TestInvalidTableErrorNamesLine(t *testing.T) {
	for table, want := range map[string]string{
		"AcmeModel\n":                       "names.tsv: line 1: 1 columns",
		"# x\nAcmeModel\tasr\ta\tb\tc\td\n": "line 2: 6 columns",
		"AcmeModel\tvision\n":               `unknown category "vision", known: transformers, vision_encoder`,
		"A\tasr\n\nA\tasr\n":                `line 3: "A" is on line 1 already`,
		"LlamaForCausalLM\tasr\n":           `"LlamaForCausalLM" is built in, as transformers`,
		"\tasr\n":                           "there is no class",
		"AcmeModel\t-\n":                    "there is no category",
		"AcmeModel \tasr\n":                 `white space around the class "AcmeModel "`,
		"Acme\x00Model\tasr\n":              "the class is no plain text",
		"Acme\xffModel\tasr\n":              "the class is no plain text",
		"A\tasr\n" + strings.Repeat("B", 2000) + "\tasr\n": "line 2: longer than 1024 bytes",
	} {
		_, err := loader.ReadArchitectures("names.tsv", strings.NewReader(table))
		require.ErrorContains(t, err, want)
		assert.Equal(t, "names.tsv", fault.PathOf(err))
	}
	_, err := loader.ReadArchitectures("names.tsv", strings.NewReader(manyClasses(100_001)))
	require.ErrorIs(t, err, fault.TooLarge)
}

func TestTableWithByteOrderMarkAndCRLF(t *testing.T) {
	a, err := loader.ReadArchitectures("names.tsv", strings.NewReader("\uFEFFAcmeModel\tasr\r\nAcmeOther\tasr"))
	require.NoError(t, err)
	assert.Equal(t, 2, a.Len())
}

func TestAddedClassLookupDoesNotAllocate(t *testing.T) {
	fsys := classNamed("LlamaForCausalLM")
	count := func(l *loader.Loader) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := l.Category(fsys, "m"); err != nil {
				t.Error(err)
			}
		})
	}
	assert.InDelta(t, count(loader.New()), count(registering(t, manyClasses(10_000))), 0.5)
}

func BenchmarkAddedClasses(b *testing.B) {
	for _, n := range []int{0, 100, 10_000} {
		l := loader.New()
		name := "LlamaForCausalLM"
		if n > 0 {
			l, name = registering(b, manyClasses(n)), "Acme00042ForCausalLM"
		}
		for _, class := range []string{"LlamaForCausalLM", name}[:min(n, 1)+1] {
			fsys := classNamed(class)
			b.Run(fmt.Sprintf("names=%d/class=%s", n, class), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := l.Category(fsys, "m"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func FuzzReadArchitectures(f *testing.F) {
	for _, seed := range []string{"", "AcmeModel\tasr\tx\ty\tz\n", "# c\n\nA\tsae\r\n", "\uFEFFA\tasr\n", manyClasses(3)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, table string) {
		a, err := loader.ReadArchitectures("names.tsv", strings.NewReader(table))
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Fatalf("no error of ours: %v", err)
			}
			return
		}
		if a.Len() > strings.Count(table, "\n")+1 {
			t.Fatalf("%d names in %q", a.Len(), table)
		}
	})
}
