package loader_test

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
	"omniloader/loader/finding"
)

// autoencoders is a release of n autoencoders in memory.
func autoencoders(t testing.TB, layout string, n int) (fsys fs.FS, dir string) {
	t.Helper()
	dir, err := fixtures.AutoencoderRepository(layout)
	require.NoError(t, err)
	mem := fixtures.NewFs()
	require.NoError(t, fixtures.New(mem, dir).AddAutoencoders(layout, n))
	return afero.NewIOFS(mem), dir
}

// saeQuestions are the questions about a release whose time is limited.
var saeQuestions = []struct {
	name string
	ask  func(l *loader.Loader, fsys fs.FS, dir string) error
}{
	{"category", func(l *loader.Loader, fsys fs.FS, dir string) error { _, err := l.Category(fsys, dir); return err }},
	{"support", func(l *loader.Loader, fsys fs.FS, dir string) error { _, err := l.Support(fsys, dir); return err }},
	{"sae", func(l *loader.Loader, fsys fs.FS, dir string) error { _, err := l.IsSAE(fsys, dir); return err }},
	{"info", func(l *loader.Loader, fsys fs.FS, dir string) error { _, err := l.ModelInfo(fsys, dir); return err }},
}

// openings gives the directories that a question lists and the files that it reads.
func openings(t *testing.T, fsys fs.FS, ask func(*loader.Loader, fs.FS, string) error, dir string) (listed, read []string) {
	t.Helper()
	counting := &countingFS{FS: fsys}
	require.NoError(t, ask(loader.New(), counting, dir))
	for _, name := range counting.opened {
		if info, err := fs.Stat(fsys, name); err == nil && info.IsDir() {
			listed = append(listed, name)
		} else if err == nil {
			read = append(read, name)
		}
	}
	return listed, read
}

// What is listed and read of a release depends on its sites, and not on how many
// autoencoders it has.
func TestOpeningsOfAReleaseDoNotGrow(t *testing.T) {
	for _, layout := range fixtures.AutoencoderLayouts() {
		for _, q := range saeQuestions {
			t.Run(layout+"/"+q.name, func(t *testing.T) {
				fsys, dir := autoencoders(t, layout, 1)
				listedOne, readOne := openings(t, fsys, q.ask, dir)
				var listed96 []string
				for _, n := range []int{96, 400, 1600} {
					fsys, dir := autoencoders(t, layout, n)
					listed, read := openings(t, fsys, q.ask, dir)
					t.Logf("%d: %d listings, files %v", n, len(listed), read)
					assert.Len(t, read, len(readOne), "the number of files, for %d autoencoders", n)
					if n == 96 {
						listed96 = listed
					}
					assert.Len(t, listed, len(listed96), "the number of listings, for %d autoencoders", n)
				}
				configs := 0
				for _, name := range readOne {
					if path.Dir(name) != dir { // not the main file
						configs++
					}
				}
				if q.name != "info" {
					assert.LessOrEqual(t, configs, 1, readOne)
					assert.LessOrEqual(t, len(listedOne), 5, listedOne)
				}
			})
		}
	}
}

// The base model is looked for in every directory and every config, once.
func TestBaseModelOpensEveryFileOnce(t *testing.T) {
	for _, layout := range fixtures.AutoencoderLayouts() {
		fsys, dir := autoencoders(t, layout, 96)
		counting := &countingFS{FS: fsys}
		_, err := loader.New().SAEBaseModel(counting, dir)
		require.NoError(t, err)
		seen := map[string]bool{}
		for _, name := range counting.opened {
			assert.False(t, seen[name], "%s: %s is opened twice", layout, name)
			seen[name] = true
		}
	}
}

// Every autoencoder of a release is counted, in every layout that is laid out.
func TestInfoOfALargeRelease(t *testing.T) {
	for _, layout := range fixtures.AutoencoderLayouts() {
		fsys, dir := autoencoders(t, layout, 400)
		info, err := loader.New().ModelInfo(fsys, dir)
		require.NoError(t, err)
		whole, err := loader.New().Inspect(fsys, dir)
		require.NoError(t, err)
		require.NotNil(t, info.SAE, layout)
		assert.Equal(t, whole.SAE, info.SAE, layout)
		assert.Equal(t, whole.DecidedBy, info.DecidedBy, layout)
	}
}

// Names alone are enough where nothing speaks against them, and not beside a program.
func TestNamesOfSitesBesideAProgram(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"a site and a card":       {map[string]string{"m/README.md": "x", "m/attn_out/": ""}, true},
		"code in a site":          {map[string]string{"m/setup.py": "x", "m/attn_out/main.py": "x"}, false},
		"weights in a site":       {map[string]string{"m/setup.py": "x", "m/attn_out/layer_0/params.npz": "x"}, true},
		"a common name, code":     {map[string]string{"m/README.md": "x", "m/transcoder/main.py": "x"}, false},
		"a common name, weights":  {map[string]string{"m/README.md": "x", "m/transcoder/layer_0/params.npz": "x"}, true},
		"a common name, no files": {map[string]string{"m/README.md": "x", "m/transcoder/": ""}, true},
	} {
		is, err := loader.New().IsSAE(treeFS(c.files), "m")
		require.NoError(t, err)
		assert.Equal(t, c.want, is, name)
		info, err := loader.New().ModelInfo(treeFS(c.files), "m")
		require.NoError(t, err)
		assert.Equal(t, c.want, info.IsSAE, name)
	}
}

// Of a very long listing a part is read first; the answer is that of the whole.
func TestCategoryOfALongListing(t *testing.T) {
	many := func(files map[string]string) fs.FS {
		for i := range 600 {
			files["m/"+strconv.Itoa(i)+".bin"] = "x"
		}
		return treeFS(files)
	}
	for name, fsys := range map[string]fs.FS{
		"a model":      many(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`}),
		"a tokenizer":  many(map[string]string{"m/config.json": "{}", "m/resid_post/": "", "m/tokenizer.json": "{}"}),
		"an adapter":   many(map[string]string{"m/adapter_config.json": `{"peft_type":"LORA"}`}),
		"a site":       many(map[string]string{"m/resid_post/layer_0/config.json": `{"model_name":"gpt2"}`}),
		"its own code": many(map[string]string{"m/config.json": `{"architectures":["OursForCausalLM"]}`, "m/modeling_ours.py": "x"}),
		"nothing":      many(map[string]string{}),
	} {
		info, err := loader.New().ModelInfo(fsys, "m")
		require.NoError(t, err)
		category, err := loader.New().Category(fsys, "m")
		require.NoError(t, err)
		assert.Equal(t, info.Category, category.Category, name)
		assert.Equal(t, info.Layout, category.Layout, name)
		support, err := loader.New().Support(fsys, "m")
		require.NoError(t, err)
		assert.Equal(t, info.IsSupported, support.IsSupported, name)
		assert.Equal(t, info.Error, support.Error, name)
	}
}

// The evidence of a long listing does not depend on the order of the filesystem.
func TestEvidenceOfALongListing(t *testing.T) {
	for layout, want := range map[string]string{
		"saelens":        "files in its directories, as the family saelens has them",
		"saelens-nested": "files below saes/resid_post, as the family saelens has them",
		"gemma-scope-2":  "directories resid_post, mlp_out, attn_out, transcoder",
	} {
		fsys, dir := autoencoders(t, layout, 400)
		if layout == "saelens-nested" {
			fsys, dir = autoencodersWithout(t, layout, 400, "saes/mlp_out")
		}
		category, err := loader.New().Category(fsys, dir)
		require.NoError(t, err)
		assert.Equal(t, want, category.DecidedBy)
	}
}

func autoencodersWithout(t *testing.T, layout string, n int, without string) (fs.FS, string) {
	t.Helper()
	dir, err := fixtures.AutoencoderRepository(layout)
	require.NoError(t, err)
	mem := fixtures.NewFs()
	c := fixtures.New(mem, dir)
	require.NoError(t, c.AddAutoencoders(layout, n))
	require.NoError(t, c.Without(without))
	return afero.NewIOFS(mem), dir
}

// The first config that can be read describes the release; the others are read by Inspect.
func TestInfoPassesOverAMalformedFirstConfig(t *testing.T) {
	fsys := treeFS(map[string]string{
		"m/resid_post/layer_0/config.json": `{"model_name":`,
		"m/resid_post/layer_1/config.json": `{"model_name":"google/gemma-2-2b"}`,
		"m/resid_post/layer_2/config.json": `{"model_name":`,
	})
	info, err := loader.New().ModelInfo(fsys, "m")
	require.NoError(t, err)
	require.NotNil(t, info.SAE.BaseModel)
	assert.Equal(t, "google/gemma-2-2b", *info.SAE.BaseModel)
	assert.Equal(t, []int{0, 1, 2}, info.SAE.Layers)
	assert.Equal(t, []string{finding.SAEConfigMalformed}, codes(info.Findings))
	b, err := loader.New().SAEBaseModel(fsys, "m")
	require.NoError(t, err)
	assert.Len(t, b.Findings, 2)
}

// BenchmarkRelease measures the questions about a release of autoencoders on disk in turn
// with the listing and reading alone that each does: the medians of both, and their ratio.
func BenchmarkRelease(b *testing.B) {
	for _, layout := range fixtures.AutoencoderLayouts() {
		for _, n := range []int{1, 96, 400, 1600} {
			fsys, dir := autoencodersOnDisk(b, layout, n)
			for _, q := range saeQuestions {
				b.Run(layout+"/"+strconv.Itoa(n)+"/"+q.name, func(b *testing.B) {
					steps, l := recordSteps(b, fsys, q.ask, dir), loader.New()
					var answers, reads []float64
					for b.Loop() {
						reads = append(reads, microseconds(func() { replay(b, fsys, steps) }))
						answers = append(answers, microseconds(func() { require.NoError(b, q.ask(l, fsys, dir)) }))
					}
					b.ReportMetric(median(answers), "µs-answer")
					b.ReportMetric(median(reads), "µs-reads")
					b.ReportMetric(median(answers)/median(reads), "ratio")
				})
			}
		}
	}
}

func microseconds(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start).Nanoseconds()) / 1000
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
