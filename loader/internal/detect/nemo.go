package detect

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"io"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
	"omniloader/loader/regular"
)

// maxNeMoRead is how many bytes of a compressed .nemo archive are read to find its
// config. In an uncompressed one, other members are skipped.
const maxNeMoRead = 64 << 20

// nemoCollections gives category and task by the module of the class in a NeMo config.
var nemoCollections = [...]struct {
	module   string
	category answer.Category
	task     answer.Task
}{
	{"nemo.collections.asr", answer.ASR, "asr"},
	{"nemo.collections.tts", answer.Transformers, "tts_audio_generation"},
	{"nemo.collections.nlp", answer.Transformers, "causal_lm"},
	{"nemo.collections.llm", answer.Transformers, "causal_lm"},
	{"nemo.collections.multimodal", answer.Transformers, "vision_language"},
	{"nemo.collections.vision", answer.VisionEncoder, "vision_encoder"},
}

// classifyNeMo classifies a .nemo file, a tar archive that may be gzipped, by the class
// in its model_config.yaml.
func classifyNeMo(c *checkpoint.Directory, v *Classification) {
	name := c.Match("*.nemo")[0]
	f, _, err := regular.Open(c.FS, tree.Join(c.Dir, name), name)
	if err != nil {
		return
	}
	defer f.Close()
	target := nemoTarget(readNeMoConfig(f))
	for _, collection := range nemoCollections {
		if strings.HasPrefix(target, collection.module) {
			v.Category, v.Task, v.loadsAs = collection.category, collection.task, target
			v.DecidedBy = "target in model_config.yaml of " + name
			return
		}
	}
}

// nemoTarget gives the class of a NeMo config: the key "target" at the top level. Parts
// of the model have such keys too.
func nemoTarget(config string) string {
	for line := range strings.Lines(config) {
		if rest, ok := strings.CutPrefix(line, "target:"); ok {
			value, _, _ := strings.Cut(rest, " #")
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

// readNeMoConfig reads model_config.yaml from the archive, "" where it is not found.
func readNeMoConfig(f io.Reader) string {
	buffered := bufio.NewReader(f)
	var r io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return ""
		}
		r = unzipped
	} else if seeker, ok := f.(io.ReadSeeker); ok {
		if _, err := seeker.Seek(0, io.SeekStart); err != nil {
			return ""
		}
		r = seeker // the tar reader seeks past the weights
	}
	if _, ok := r.(io.Seeker); !ok {
		r = io.LimitReader(r, maxNeMoRead)
	}
	archive := tar.NewReader(r)
	for range 1000 {
		header, err := archive.Next()
		if err != nil {
			return ""
		}
		if strings.TrimPrefix(header.Name, "./") == "model_config.yaml" {
			text, err := io.ReadAll(io.LimitReader(archive, config.MaxYAMLSize))
			if err != nil {
				return ""
			}
			return string(text)
		}
	}
	return ""
}
