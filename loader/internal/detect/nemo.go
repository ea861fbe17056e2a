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

// maxNeMoRead bounds how much of a .nemo archive is read to find its config, in
// bytes; where the archive can be searched, weights are stepped over.
const maxNeMoRead = 64 << 20

// nemoCollections say what the class in a NeMo config does, by its module.
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

// classifyNeMo reads the class from model_config.yaml inside the archive, a tar file
// that may be gzipped.
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

// nemoTarget gives the class that a NeMo config is for: "target" at its top level,
// for the parts of the model below have one each.
func nemoTarget(config string) string {
	for line := range strings.Lines(config) {
		if rest, ok := strings.CutPrefix(line, "target:"); ok {
			value, _, _ := strings.Cut(rest, " #")
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

// readNeMoConfig gives model_config.yaml, "" where it is not found.
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
		r = seeker // weights are stepped over
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
