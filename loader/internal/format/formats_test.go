package format

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/internal/table"
	"omniloader/loader/internal/table/tabletest"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// Each row has what is needed to find files of the format, to choose among them, and to
// read them.
func TestFormatRowsAreComplete(t *testing.T) {
	names := map[string]bool{}
	extensions := map[string]string{}
	for _, f := range formats {
		assert.NotEmpty(t, f.Name)
		assert.False(t, names[f.Name], "%s: two rows", f.Name)
		names[f.Name] = true
		assert.True(t, len(f.Extensions) > 0 || f.ByContent || f.CompanionExtension != "" || f.DirectoryExtension != "",
			"%s: Extensions, ByContent, Beside or Within is needed: no file is found to be of the format", f.Name)
		assert.True(t, !f.ByContent || len(f.Contents) > 0, "%s: ByContent without Contents", f.Name)
		assert.NotZero(t, f.DescribedBy, "%s: Describes says whether a file tells what model it holds", f.Name)
		assert.Equal(t, f.Read == nil, f.UnreadReason != "", "%s: either Read, or NotRead with the reason", f.Name)
		for _, e := range f.Extensions {
			assert.Regexp(t, `^\.[a-z0-9]+$`, e.Name, f.Name)
			assert.NotZero(t, e.Multiple, "%s: %s: Several says what several files are", f.Name, e.Name)
			assert.Empty(t, extensions[e.Name], "%s is an extension of two formats", e.Name)
			extensions[e.Name] = f.Name
		}
	}
	assert.Equal(t, 12, reflect.TypeFor[Format]().NumField()+reflect.TypeFor[Extension]().NumField(), "a column was added: say above what it needs")
}

func TestWeightNamePatternsHaveKnownFormats(t *testing.T) {
	assert.NotEmpty(t, tabletest.Names(t, "weight_names.tsv", weightNamesTSV, 3))
	for f := range table.Rows(weightNamesTSV) {
		assert.Contains(t, []string{RoleModel, RoleAdapter, RoleAlternative, RoleCompanion, RoleOther}, f[0], f[2])
		assert.NotNil(t, ByName(f[1]), "%s: no format %s", f[2], f[1])
	}
}

func TestRecognise(t *testing.T) {
	files := []tree.File{{Name: "a.bin"}, {Name: "a.xml"}, {Name: "b.bin"}}
	name := func(f *Format) string {
		if f == nil {
			return ""
		}
		return f.Name
	}
	for _, c := range []struct {
		file tree.File
		want string
	}{
		{tree.File{Name: "model.bin", Format: sniff.CTranslate2}, "ctranslate2"},
		{tree.File{Name: "model.bin", Format: sniff.WhisperCPP}, "whisper.cpp"},
		{tree.File{Name: "model.safetensors", Format: sniff.WhisperCPP}, ""},
		{tree.File{Name: "model.bin", Format: sniff.Zip}, ""},
		{tree.File{Name: "a.bin"}, "openvino"},
		{tree.File{Name: "b.bin"}, ""},
		{tree.File{Name: "m.mlpackage/Data/weights/weight.bin"}, "core ml"},
	} {
		assert.Equal(t, c.want, name(Recognise(&c.file, files)), c.file.Name)
	}
}

func TestFormatsAreRankedInRowOrder(t *testing.T) {
	ranks := []int{}
	for i := range formats {
		ranks = append(ranks, formats[i].Rank())
	}
	assert.True(t, slices.IsSorted(ranks))
	assert.True(t, IsWeights("x/model.safetensors"))
	assert.False(t, IsWeights("model.json"))
	assert.True(t, NeedsConfig("pytorch_model.bin"))
	assert.False(t, NeedsConfig("model.gguf"))
}
