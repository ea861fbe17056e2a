package format

import (
	"path"
	"regexp"
	"strings"

	"omniloader/loader/gguf"
	"omniloader/loader/internal/tree"
)

// readGGUF reads the header of a GGUF file. Where the header is damaged, the tensors
// before the damage are added all the same.
func readGGUF(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	file, err := gguf.Read(h, h.Size, f.Name)
	if file == nil {
		return Header{Unusable: true}, err
	}
	for i := range file.Tensors {
		t := &file.Tensors[i]
		add(Tensor{Name: []byte(t.Name), DType: t.Type.String(), Rows: rows(t.Shape()), Elements: int64(t.Elements()), Bytes: int64(t.Bytes)})
	}
	return Header{GGUF: file}, err
}

// ggufVersion matches the end of a GGUF file name that gives the quantization and the
// number of the shard: "-Q4_K_M", "-00001-of-00003".
var ggufVersion = regexp.MustCompile(`(?i)[-._](ud[-._])?(i?q\d[^/]*|tq\d[^/]*|bf16|f16|fp16|f32|fp32|mxfp4[^/]*|nvfp4[^/]*|\d{5}-of-\d{5})[^/]*$`)

// GGUFStem gives a GGUF file's base name without quantization, shard number and
// extension, in lower case. Versions of one model have the same stem.
func GGUFStem(name string) string {
	base := strings.TrimSuffix(path.Base(name), ".gguf")
	return strings.ToLower(ggufVersion.ReplaceAllString(base, ""))
}

// IsGGUFAuxiliary tells whether a GGUF file has the name of something else than a
// model's weights, such as a projector, by weight_names.tsv.
func IsGGUFAuxiliary(name string) bool {
	p := MatchName(path.Base(name))
	return p != nil && p.Role != RoleAlternative
}
