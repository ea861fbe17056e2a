package format

import (
	"path"
	"regexp"
	"strings"
)

// ggufVersion is the part of a GGUF file's name that tells its quantization and
// its number among several; what is left is the model's.
var ggufVersion = regexp.MustCompile(`(?i)[-._](ud[-._])?(i?q\d[^/]*|tq\d[^/]*|bf16|f16|fp16|f32|fp32|mxfp4[^/]*|nvfp4[^/]*|\d{5}-of-\d{5})[^/]*$`)

// GGUFStem is what the names of one model's versions have in common.
func GGUFStem(name string) string {
	base := strings.TrimSuffix(path.Base(name), ".gguf")
	return strings.ToLower(ggufVersion.ReplaceAllString(base, ""))
}

// BesideGGUF tells whether a file goes with a model, and is none itself.
func BesideGGUF(name string) bool {
	i := MatchName(path.Base(name))
	return i >= 0 && Names()[i].Role != RoleAlternative
}
