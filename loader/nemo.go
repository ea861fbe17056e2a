package loader

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"
)

// maxNeMo bounds how much of a .nemo archive is read to find its config, in
// bytes; where the archive can be searched, weights are stepped over.
const maxNeMo = 64 << 20

// nemoCollections say what the class in a NeMo config does, by its module.
var nemoCollections = [...]struct {
	module   string
	category Category
	task     Task
}{
	{"nemo.collections.asr", ASR, "asr"},
	{"nemo.collections.tts", Transformers, "tts_audio_generation"},
	{"nemo.collections.nlp", Transformers, "causal_lm"},
	{"nemo.collections.llm", Transformers, "causal_lm"},
	{"nemo.collections.multimodal", Transformers, "vision_language"},
	{"nemo.collections.vision", VisionEncoder, "vision_encoder"},
}

// readNeMo reads the class from model_config.yaml inside the archive, a tar file
// that may be gzipped.
func (c *checkpoint) readNeMo(v *verdict) {
	name := c.match("*.nemo")[0]
	f, err := c.fsys.Open(join(c.dir, name))
	if err != nil {
		return
	}
	defer f.Close()
	config := nemoConfig(f)
	target := ""
	for line := range strings.Lines(config) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "target:"); ok {
			target = strings.Trim(strings.TrimSpace(rest), `"'`)
			break
		}
	}
	for _, collection := range nemoCollections {
		if strings.HasPrefix(target, collection.module) {
			v.category, v.task, v.loadsAs = collection.category, collection.task, target
			v.decidedBy = "target in model_config.yaml of " + name
			return
		}
	}
}

// nemoConfig gives model_config.yaml, "" where it is not found.
func nemoConfig(f fs.File) string {
	var r io.Reader = f
	if seeker, ok := f.(io.ReadSeeker); ok {
		r = seeker
		head := make([]byte, 2)
		_, err := io.ReadFull(seeker, head)
		if _, seekErr := seeker.Seek(0, io.SeekStart); err != nil || seekErr != nil {
			return ""
		}
		if head[0] == 0x1f && head[1] == 0x8b {
			r = bufio.NewReader(seeker)
		}
	} else {
		r = bufio.NewReader(f)
	}
	if b, ok := r.(*bufio.Reader); ok {
		if head, err := b.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
			unzipped, err := gzip.NewReader(b)
			if err != nil {
				return ""
			}
			r = unzipped
		}
		r = io.LimitReader(r, maxNeMo)
	}
	archive := tar.NewReader(r)
	for range 1000 {
		header, err := archive.Next()
		if err != nil {
			return ""
		}
		if strings.TrimPrefix(header.Name, "./") == "model_config.yaml" {
			text, err := io.ReadAll(io.LimitReader(archive, maxYAML))
			if err != nil {
				return ""
			}
			return string(text)
		}
	}
	return ""
}
