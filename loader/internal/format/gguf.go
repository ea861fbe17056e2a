package format

import (
	"path"
	"regexp"
	"strings"

	"omniloader/loader/gguf"
	"omniloader/loader/internal/tree"
)

// readGGUF reads the header of a GGUF file. What was read before an error counts.
func readGGUF(f *tree.File, h *tree.Handle, add func(Tensor)) (*Header, error) {
	file, err := gguf.Read(h, h.Size, f.Name)
	if file == nil {
		return nil, err
	}
	for i := range file.Tensors {
		t := &file.Tensors[i]
		add(Tensor{Name: []byte(t.Name), DType: t.Type.String(), Rows: rows(t.Shape()), Elements: int64(t.Elements()), Bytes: int64(t.Bytes)})
	}
	return &Header{GGUF: file}, err
}

// ggufVersion is the part of a GGUF file's name that tells its quantization and
// its number among several; what is left is the model's.
var ggufVersion = regexp.MustCompile(`(?i)[-._](ud[-._])?(i?q\d[^/]*|tq\d[^/]*|bf16|f16|fp16|f32|fp32|mxfp4[^/]*|nvfp4[^/]*|\d{5}-of-\d{5})[^/]*$`)

// GGUFStem is what the names of one model's versions have in common.
func GGUFStem(name string) string {
	base := strings.TrimSuffix(path.Base(name), ".gguf")
	return strings.ToLower(ggufVersion.ReplaceAllString(base, ""))
}

// BesideGGUF tells whether a file goes with a model, and is none itself.
func IsGGUFAuxiliary(name string) bool {
	i := MatchName(path.Base(name))
	return i >= 0 && Names()[i].Role != RoleAlternative
}
