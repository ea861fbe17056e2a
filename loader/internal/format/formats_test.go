package format

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/table/tabletest"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
	"omniloader/loader/sniff"
)

// column gives the name of a column of the struct T. The test fails where T has no such
// field.
func column[T any](t *testing.T, name string) string {
	t.Helper()
	_, ok := reflect.TypeFor[T]().FieldByName(name)
	require.True(t, ok, "%s has no field %s", reflect.TypeFor[T]().Name(), name)
	return reflect.TypeFor[T]().Name() + "." + name
}

// complaints says what is missing in rows, with the names of the columns.
func complaints(t *testing.T, rows []Format) (all []string) {
	row, extension, layout := column[Format], column[Extension], column[Layout]
	names, extensions := map[string]bool{}, map[string]string{}
	for _, f := range rows {
		need := func(ok bool, text string, columns ...string) {
			if !ok {
				all = append(all, fmt.Sprintf("%q: %s: %s", f.Name, strings.Join(columns, ", "), text))
			}
		}
		need(f.Name != "" && !names[f.Name], "the name of the format, which no other row has", row(t, "Name"))
		names[f.Name] = true
		need(len(f.Extensions) > 0 || f.ByContent || f.CompanionExtension != "" || f.DirectoryExtension != "",
			"one is needed: no file is found to be of the format", row(t, "Extensions"), row(t, "ByContent"), row(t, "CompanionExtension"), row(t, "DirectoryExtension"))
		need(!f.ByContent || len(f.Contents) > 0, "needed for "+row(t, "ByContent"), row(t, "Contents"))
		need(f.Read != nil || f.Unchecked == (len(f.Contents) == 0),
			"one is needed where the format is not read: the first bytes of its files, or that they are not checked", row(t, "Contents"), row(t, "Unchecked"))
		need(f.Read == nil || !f.Unchecked, "the function checks the content", row(t, "Unchecked"))
		need(f.DescribedBy != 0, "where the description of the model is", row(t, "DescribedBy"))
		need(f.Layout != (Layout{}), "the layout of a directory with such files, noLayout for none", row(t, "Layout"))
		need(f.Layout.Name != "", "the layout of such files alone, or None", layout(t, "Name"))
		need(f.Layout.BesideConfig != "", "the layout of such files with config.json, or None", layout(t, "BesideConfig"))
		if f.Layout.Name == None {
			need(f.Layout.Category == "" && f.Layout.Task == "" && f.Layout.Runtime == "", "they belong to a layout", layout(t, "Name"))
		} else {
			need(f.Layout.Category == answer.Unknown || slices.Contains(tabletest.Categories, f.Layout.Category), "the category, or answer.Unknown", layout(t, "Category"))
			need((f.Layout.Task == "") == (f.Layout.Category == answer.Unknown), "needed where the category is known", layout(t, "Task"))
			need(f.Layout.Runtime != "", "the program that runs the files, or None", layout(t, "Runtime"))
		}
		need(f.Index != 0, "what maps the tensors of a sharded model to its files", row(t, "Index"))
		need(f.Tokenizer != 0, "whether the files contain the tokenizer", row(t, "Tokenizer"))
		need((f.Read != nil) == (f.Tensors != 0), "how the tensors that the function reads are named and counted", row(t, "Tensors"))
		need((f.Read == nil) == (f.UnreadReason != ""), "one is needed: the function, or why there is none", row(t, "Read"), row(t, "UnreadReason"))
		for _, e := range f.Extensions {
			need(regexp.MustCompile(`^\.[a-z0-9]+$`).MatchString(e.Name) && extensions[e.Name] == "",
				"a dot and lower-case letters, which no other row has", extension(t, "Name"))
			extensions[e.Name] = f.Name
			need(e.Multiple != 0, e.Name+": what several files are", extension(t, "Multiple"))
			need(e.Zip != 0, e.Name+": whether a zip archive of this name has a pickle", extension(t, "Zip"))
			need(e.Config != 0, e.Name+": whether config.json is needed beside such a file", extension(t, "Config"))
		}
	}
	return all
}

// Each row has what is needed to find files of the format, to choose among them, and to
// read them.
func TestFormatRowsAreComplete(t *testing.T) {
	assert.Empty(t, complaints(t, formats))
}

// Where a column of a row is left out, the complaint names it. Each column is set in a
// row.
func TestComplaintNamesTheForgottenColumn(t *testing.T) {
	removed := map[string]bool{}
	// remove leaves out each column of a row, or of one of its extensions, and looks for
	// its name in the complaints.
	remove := func(of reflect.Value, rows []Format, name string) {
		for i := range of.NumField() {
			value := reflect.ValueOf(of.Field(i).Interface())
			if value.IsZero() {
				continue
			}
			column := of.Type().Name() + "." + of.Type().Field(i).Name
			removed[column] = true
			of.Field(i).SetZero()
			assert.Regexp(t, `\b`+regexp.QuoteMeta(column)+`\b`, strings.Join(complaints(t, rows), "\n"), "%s without %s", name, column)
			of.Field(i).Set(value)
		}
	}
	for i := range formats {
		rows := slices.Clone(formats)
		rows[i].Extensions = slices.Clone(rows[i].Extensions)
		remove(reflect.ValueOf(&rows[i]).Elem(), rows, formats[i].Name)
		remove(reflect.ValueOf(&rows[i].Layout).Elem(), rows, formats[i].Name)
		for k := range rows[i].Extensions {
			remove(reflect.ValueOf(&rows[i].Extensions[k]).Elem(), rows, formats[i].Name+" "+formats[i].Extensions[k].Name)
		}
		assert.Empty(t, complaints(t, rows), "restored")
	}
	assert.Len(t, removed, reflect.TypeFor[Format]().NumField()+reflect.TypeFor[Layout]().NumField()+reflect.TypeFor[Extension]().NumField(), "a column is set in no row")
}

func TestWeightNamePatternsHaveKnownFormats(t *testing.T) {
	assert.NotEmpty(t, tabletest.Names(t, "weight_names.tsv", weightNamesTSV, 3))
	for f := range table.Rows(weightNamesTSV) {
		assert.Contains(t, []string{RoleModel, RoleAdapter, RoleAlternative, RoleCompanion, RoleVocabulary, RoleOther}, f[0], f[2])
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

// An extension with indexes in the table is found in their names, and those that package
// shards knows by itself have indexes in the table.
func TestIndexedExtensionsIncludeThoseOfShards(t *testing.T) {
	ofShards := 0
	for f := range All {
		for _, e := range f.Extensions {
			index, key := "model"+e.Name+".index.json", ""
			if f.Index == OptionalIndex || f.Index == RequiredIndex {
				key = "model" + e.Name
			}
			assert.Equal(t, key, IndexKey(index))
			if shards.IndexedExtension(index) != "" {
				ofShards++
				assert.NotEmpty(t, key, "%s: package shards knows indexes of %s", f.Name, e.Name)
			}
		}
	}
	assert.NotZero(t, ofShards)
}
