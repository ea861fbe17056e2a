package loader

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/regular"
)

// MaxConfigSize bounds the JSON files that describe a checkpoint, in bytes. The
// largest real ones, which list quantized modules one by one, stay below 10 MB.
const MaxConfigSize = 64 << 20

// key is a member of a config's top level that the loader looks at.
type key uint8

const (
	keyArchitectures key = iota
	keyArchitecture
	keyModelType
	keyClassName
	keyDiffusersVersion
	keyAutoMap
	keyQuantizationConfig
	keyCompressionConfig
	keyQuantization
	keyLoadIn4Bit
	keyLoadIn8Bit
	keyTextConfig
	keyVisionConfig
	keyAudioConfig
	keySoundConfig
	keyTalkerConfig
	keyThinkerConfig
	keyModelName
	keyBaseModelPath
	keyHookPoint
	keyLLMConfig
	keyBackboneConfig
	keyMaskDecoderConfig
	keyProjectionDim
	keyImageSize
	keyPatchSize
	keyNumChannels
	keyNumMelBins
	keySamplingRate
	keyFeatExtractNorm
	keyEncoder
	keyDecoder
	keyPretrainedCfg
	keyNumFeatures
	keyMapping
	keyAlignmentHeads
	keyLangIDs
	keyConfigurationFiles
	keyEnableAudioOutput
	keyLanguageConfig
	keyVLMConfig
	keyViTConfig
	keyMMVisionTower
	keyMMAudioTower
	keyTextEncoder
	keyAudioEncoder
	keyVocabSize
	keyMaxSourcePositions
	keyRopeTheta
	keySSMConfig
	keyChronosConfig
	keyPretrainedConfig
	keyCodebookSize
	keyRegisteredName
	keyVisualTokenizerConfig
	keyVisual
	keySpeechLoRA
	keyVisionLoRA
	keySpeechConfig
	keyCodecConfig
	keyDepthDecoderConfig
	keyAudioEncoderConfig
	keyDelayPattern
	keyVQConfig
	keyActionBins
	keyImgProcessor
	keyCount
)

// keyNames spells the keys. It is an array, so that a key cannot be forgotten.
var keyNames = [keyCount]string{
	keyArchitectures:         "architectures",
	keyArchitecture:          "architecture",
	keyModelType:             "model_type",
	keyClassName:             "_class_name",
	keyDiffusersVersion:      "_diffusers_version",
	keyAutoMap:               "auto_map",
	keyQuantizationConfig:    "quantization_config",
	keyCompressionConfig:     "compression_config",
	keyQuantization:          "quantization",
	keyLoadIn4Bit:            "load_in_4bit",
	keyLoadIn8Bit:            "load_in_8bit",
	keyTextConfig:            "text_config",
	keyVisionConfig:          "vision_config",
	keyAudioConfig:           "audio_config",
	keySoundConfig:           "sound_config",
	keyTalkerConfig:          "talker_config",
	keyThinkerConfig:         "thinker_config",
	keyModelName:             "model_name",
	keyBaseModelPath:         "base_model_name_or_path",
	keyHookPoint:             "hf_hook_point_in",
	keyPretrainedCfg:         "pretrained_cfg",
	keyNumFeatures:           "num_features",
	keyMapping:               "mapping",
	keyAlignmentHeads:        "alignment_heads",
	keyLangIDs:               "lang_ids",
	keyConfigurationFiles:    "configuration_files",
	keyEnableAudioOutput:     "enable_audio_output",
	keyLLMConfig:             "llm_config",
	keyBackboneConfig:        "backbone_config",
	keyMaskDecoderConfig:     "mask_decoder_config",
	keyProjectionDim:         "projection_dim",
	keyImageSize:             "image_size",
	keyPatchSize:             "patch_size",
	keyNumChannels:           "num_channels",
	keyNumMelBins:            "num_mel_bins",
	keySamplingRate:          "sampling_rate",
	keyFeatExtractNorm:       "feat_extract_norm",
	keyEncoder:               "encoder",
	keyDecoder:               "decoder",
	keyLanguageConfig:        "language_config",
	keyVLMConfig:             "vlm_config",
	keyViTConfig:             "vit_config",
	keyMMVisionTower:         "mm_vision_tower",
	keyMMAudioTower:          "mm_audio_tower",
	keyTextEncoder:           "text_encoder",
	keyAudioEncoder:          "audio_encoder",
	keyVocabSize:             "vocab_size",
	keyMaxSourcePositions:    "max_source_positions",
	keyRopeTheta:             "rope_theta",
	keySSMConfig:             "ssm_cfg",
	keyChronosConfig:         "chronos_config",
	keyPretrainedConfig:      "pretrained_config",
	keyRegisteredName:        "registered_name",
	keyCodebookSize:          "codebook_size",
	keyVisualTokenizerConfig: "visual_tokenizer_config",
	keyVisual:                "visual",
	keySpeechLoRA:            "speech_lora",
	keyVisionLoRA:            "vision_lora",
	keySpeechConfig:          "speech_config",
	keyCodecConfig:           "codec_config",
	keyDepthDecoderConfig:    "depth_decoder_config",
	keyAudioEncoderConfig:    "audio_encoder_config",
	keyDelayPattern:          "delay_pattern",
	keyVQConfig:              "vq_config",
	keyActionBins:            "n_action_bins",
	keyImgProcessor:          "img_processor",
}

var keysByName = func() map[string]key {
	m := make(map[string]key, keyCount)
	for k, name := range keyNames {
		m[name] = key(k)
	}
	return m
}()

// document is the top level of one JSON object: where its members of interest
// stand, found in one pass.
type document struct {
	file   string
	data   []byte
	values [keyCount]span   // empty where the key is missing
	twice  key              // a key that stood there twice, or keyCount
	scan   jsonscan.Scanner // for its notes
}

// span is a part of the text; MaxConfigSize keeps it within 32 bits.
type span struct{ start, end uint32 }

// parseDocument walks data once.
func parseDocument(file string, data []byte, doc *document) error {
	doc.file, doc.data, doc.twice = file, data, keyCount
	doc.scan = jsonscan.New(data)
	s := &doc.scan
	return walkObject(file, data, s, func(name []byte) error {
		k, interesting := keysByName[string(name)]
		raw, err := s.Raw()
		if interesting && err == nil {
			if doc.values[k].end != 0 {
				doc.twice = k
			}
			end := uint32(s.Offset())
			doc.values[k] = span{end - uint32(len(raw)), end} // the last one counts, as in Python
		}
		return err
	})
}

// walkObject walks the one object that a file holds. What is often found in a
// file's place has its own kind of error.
func walkObject(file string, data []byte, s *jsonscan.Scanner, member func(name []byte) error) error {
	if err := checkContent(file, data); err != nil {
		return err
	}
	if kind := s.Kind(); kind != jsonscan.Object && kind != jsonscan.Invalid {
		if _, err := s.Raw(); err != nil {
			return inFile(file, err)
		}
		return fault.At(fault.WrongType, file, 0, "found "+kind.String()+", the file should hold an object")
	}
	err := s.Object(member)
	if err == nil {
		err = s.End()
	}
	return inFile(file, err)
}

// inFile names the file in a scanner's error.
func inFile(file string, err error) error {
	if err == nil {
		return nil // before the variable below, which escapes
	}
	var e *fault.Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = file
		if e.Kind == fault.Truncated && e.Advice == "" {
			e.Advice = "the file was cut off: download it again"
		}
	}
	return err
}

// value gives a member's raw JSON, nil where it is missing.
func (d *document) value(k key) []byte {
	if v := d.values[k]; v.end != 0 {
		return d.data[v.start:v.end]
	}
	return nil
}

// text gives a string member, "" where it is missing or no string.
func (d *document) text(k key) string {
	raw := d.value(k)
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	s := jsonscan.New(raw)
	b, err := s.Text()
	if err != nil {
		return ""
	}
	return string(b)
}

// has tells whether a member is there and neither null nor false.
func (d *document) has(k key) bool {
	raw := d.value(k)
	return len(raw) > 0 && raw[0] != 'n' && raw[0] != 'f'
}

// any tells whether at least one of the members is there.
func (d *document) any(keys ...key) bool {
	for _, k := range keys {
		if d.values[k].end != 0 {
			return true
		}
	}
	return false
}

// isTrue tells whether a member is the word true.
func (d *document) isTrue(k key) bool { return string(d.value(k)) == "true" }

// object gives a member that is an object; it exists only then.
func (d *document) object(k key) gjson.Result {
	raw := d.value(k)
	if len(raw) == 0 || raw[0] != '{' {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}

// notes are the findings of the file as such.
func (d *document) notes() (findings []Finding) {
	if d.scan.BOM {
		findings = append(findings, Finding{SeverityWarning, CodeConfigBOM, d.file,
			"begins with a byte order mark, which other readers refuse", "save the file as UTF-8 without a byte order mark"})
	}
	if d.scan.NonFinite >= 0 {
		findings = append(findings, Finding{SeverityNote, CodeConfigNonFinite, d.file,
			"has NaN or Infinity at byte " + strconv.Itoa(d.scan.NonFinite) + ", which is Python's notation and no JSON",
			"strict readers refuse the file: replace the value by null or a number"})
	}
	if d.twice != keyCount {
		findings = append(findings, Finding{SeverityWarning, CodeConfigDuplicateKey, d.file,
			"has " + strconv.Quote(keyNames[d.twice]) + " twice; the last one counts", "remove one of them"})
	}
	return findings
}

// readFile reads a whole file of a checkpoint of at most limit bytes. The
// error names it relative to the checkpoint, as name.
func readFile(fsys fs.FS, dir, name string, limit int64) ([]byte, error) {
	f, size, err := regular.Open(fsys, join(dir, name), name)
	if err != nil {
		return nil, err
	}
	return readWhole(f, size, name, limit, nil)
}

// readHead reads the first bytes of a file, at most n.
func readHead(fsys fs.FS, dir, name string, n int) ([]byte, error) {
	f, size, err := regular.Open(fsys, join(dir, name), name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, min(int64(n), size))
	if got, err := io.ReadFull(f, head); err != nil {
		return nil, fault.At(fault.Truncated, name, int64(got), "the file became shorter while it was read").WithCause(err)
	}
	return head, nil
}

// readWhole reads an open file of a known size, and closes it. The buffer is used
// where it has room.
func readWhole(f fs.File, size int64, name string, limit int64, buffer []byte) ([]byte, error) {
	defer f.Close()
	if size > limit {
		return nil, fault.New(fault.TooLarge, name, "has "+formatBytes(size)+", at most "+formatBytes(limit)+" are read")
	}
	data := buffer[:0]
	if int64(cap(data)) < size {
		data = make([]byte, 0, size)
	}
	data = data[:size]
	if n, err := io.ReadFull(f, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fault.At(fault.Truncated, name, int64(n), "the file became shorter while it was read")
		}
		return nil, openError(name, err)
	}
	return data, nil
}

// openError is a filesystem's error as one of ours.
func openError(name string, err error) error { return regular.Error(name, err) }

// cause is the reason inside a path error, without its path.
func cause(err error) string { return regular.Cause(err) }

// join is path.Join without an allocation where dir is the root.
func join(dir, name string) string {
	if dir == "." || dir == "" {
		return name
	}
	return path.Join(dir, name)
}

// formatBytes writes a size for people: 1.5 GB.
func formatBytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, i := float64(n)/1000, 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i:i+1] + "B"
}
