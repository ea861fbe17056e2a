// Package config reads the files that describe a model, config.json first: the members
// that the loader uses, quantities such as the number of layers, and the defaults of the
// transformers library for keys that a config leaves out. It does not decide what the
// model is.
package config

import (
	"errors"
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/jsonscan"
)

// MaxSize bounds the JSON files that describe a checkpoint, in bytes. The largest real
// ones, which list each quantized module, are smaller than 10 MB.
const MaxSize = 64 << 20

// Key is a member of a config's top level that the loader reads.
type Key uint8

const (
	KeyArchitectures Key = iota
	KeyArchitecture
	KeyModelType
	KeyClassName
	keyDiffusersVersion
	KeyAutoMap
	KeyQuantizationConfig
	KeyCompressionConfig
	KeyQuantization
	KeyLoadIn4Bit
	KeyLoadIn8Bit
	KeyTextConfig
	KeyVisionConfig
	KeyAudioConfig
	KeySoundConfig
	KeyTalkerConfig
	KeyThinkerConfig
	KeyModelName
	KeyBaseModelPath
	KeyHookPoint
	KeyLLMConfig
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
	KeyPretrainedCfg
	KeyNumFeatures
	KeyMapping
	KeyAlignmentHeads
	KeyLangIDs
	KeyConfigurationFiles
	KeyEnableAudioOutput
	KeyLanguageConfig
	keyVLMConfig
	keyViTConfig
	keyMMVisionTower
	keyMMAudioTower
	keyTextEncoder
	keyAudioEncoder
	KeyVocabSize
	keyMaxSourcePositions
	keyRopeTheta
	keySSMConfig
	keyChronosConfig
	keyPretrainedConfig
	keyCodebookSize
	keyRegisteredName
	keyVisualTokenizerConfig
	keyVisual
	KeySpeechLoRA
	KeyVisionLoRA
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

// keyNames has the names of the keys, by Key.
var keyNames = [keyCount]string{
	KeyArchitectures:         "architectures",
	KeyArchitecture:          "architecture",
	KeyModelType:             "model_type",
	KeyClassName:             "_class_name",
	keyDiffusersVersion:      "_diffusers_version",
	KeyAutoMap:               "auto_map",
	KeyQuantizationConfig:    "quantization_config",
	KeyCompressionConfig:     "compression_config",
	KeyQuantization:          "quantization",
	KeyLoadIn4Bit:            "load_in_4bit",
	KeyLoadIn8Bit:            "load_in_8bit",
	KeyTextConfig:            "text_config",
	KeyVisionConfig:          "vision_config",
	KeyAudioConfig:           "audio_config",
	KeySoundConfig:           "sound_config",
	KeyTalkerConfig:          "talker_config",
	KeyThinkerConfig:         "thinker_config",
	KeyModelName:             "model_name",
	KeyBaseModelPath:         "base_model_name_or_path",
	KeyHookPoint:             "hf_hook_point_in",
	KeyPretrainedCfg:         "pretrained_cfg",
	KeyNumFeatures:           "num_features",
	KeyMapping:               "mapping",
	KeyAlignmentHeads:        "alignment_heads",
	KeyLangIDs:               "lang_ids",
	KeyConfigurationFiles:    "configuration_files",
	KeyEnableAudioOutput:     "enable_audio_output",
	KeyLLMConfig:             "llm_config",
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
	KeyLanguageConfig:        "language_config",
	keyVLMConfig:             "vlm_config",
	keyViTConfig:             "vit_config",
	keyMMVisionTower:         "mm_vision_tower",
	keyMMAudioTower:          "mm_audio_tower",
	keyTextEncoder:           "text_encoder",
	keyAudioEncoder:          "audio_encoder",
	KeyVocabSize:             "vocab_size",
	keyMaxSourcePositions:    "max_source_positions",
	keyRopeTheta:             "rope_theta",
	keySSMConfig:             "ssm_cfg",
	keyChronosConfig:         "chronos_config",
	keyPretrainedConfig:      "pretrained_config",
	keyRegisteredName:        "registered_name",
	keyCodebookSize:          "codebook_size",
	keyVisualTokenizerConfig: "visual_tokenizer_config",
	keyVisual:                "visual",
	KeySpeechLoRA:            "speech_lora",
	KeyVisionLoRA:            "vision_lora",
	keySpeechConfig:          "speech_config",
	keyCodecConfig:           "codec_config",
	keyDepthDecoderConfig:    "depth_decoder_config",
	keyAudioEncoderConfig:    "audio_encoder_config",
	keyDelayPattern:          "delay_pattern",
	keyVQConfig:              "vq_config",
	keyActionBins:            "n_action_bins",
	keyImgProcessor:          "img_processor",
}

// String is the key's name in the JSON file.
func (k Key) String() string { return keyNames[k] }

// KeyOf gives the key of a name; ok is false where the loader does not read it.
func KeyOf(name string) (k Key, ok bool) {
	k, ok = keyOfName[name]
	return k, ok
}

var keyOfName = func() map[string]Key {
	m := make(map[string]Key, keyCount)
	for k, name := range keyNames {
		m[name] = Key(k)
	}
	return m
}()

// Document is a JSON object, with the positions of those members of its top level that
// have a Key. The zero value has no members.
type Document struct {
	File      string           // its name, relative to the checkpoint
	Data      []byte           // its text
	values    [keyCount]span   // zero where the key is missing
	duplicate Key              // a key that occurs twice, or keyCount
	scan      jsonscan.Scanner // knows of a byte order mark and of NaN
}

// span is a byte range of the text; MaxSize keeps the offsets below 2^32.
type span struct{ start, end uint32 }

// ParseDocument parses data, the content of file, into doc in one pass. An error names
// the file and the offset; its kind is fault.WrongType where the file is JSON but no
// object, and that of CheckContent where it is no text. Of a key that occurs twice the
// last value counts, as in Python.
func ParseDocument(file string, data []byte, doc *Document) error {
	doc.File, doc.Data, doc.duplicate = file, data, keyCount
	doc.scan = jsonscan.New(data)
	s := &doc.scan
	return scanObject(file, data, s, func(name []byte) error {
		k, interesting := keyOfName[string(name)]
		raw, err := s.Raw()
		if interesting && err == nil {
			if doc.values[k].end != 0 {
				doc.duplicate = k
			}
			end := uint32(s.Offset())
			doc.values[k] = span{end - uint32(len(raw)), end}
		}
		return err
	})
}

// scanObject calls member for each member of the JSON object that data holds.
func scanObject(file string, data []byte, s *jsonscan.Scanner, member func(name []byte) error) error {
	if err := CheckContent(file, data); err != nil {
		return err
	}
	if kind := s.Kind(); kind != jsonscan.Object && kind != jsonscan.Invalid {
		if _, err := s.Raw(); err != nil {
			return withFileName(file, err)
		}
		return fault.At(fault.WrongType, file, 0, "found "+kind.String()+", the file should hold an object")
	}
	err := s.Object(member)
	if err == nil {
		err = s.End()
	}
	return withFileName(file, err)
}

// withFileName sets the file in an error of the scanner.
func withFileName(file string, err error) error {
	if err == nil {
		return nil // before e, which is allocated on the heap
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

// Raw gives the JSON text of a member's value, nil where the member is missing.
func (d *Document) Raw(k Key) []byte {
	if v := d.values[k]; v.end != 0 {
		return d.Data[v.start:v.end]
	}
	return nil
}

// Text gives the value of a member that is a string, "" where it is missing or is of
// another type.
func (d *Document) Text(k Key) string {
	raw := d.Raw(k)
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

// IsSet tells whether a member is present and neither null nor false.
func (d *Document) IsSet(k Key) bool {
	raw := d.Raw(k)
	return len(raw) > 0 && raw[0] != 'n' && raw[0] != 'f'
}

// ContainsAny tells whether at least one of the members is present.
func (d *Document) ContainsAny(keys ...Key) bool {
	for _, k := range keys {
		if d.values[k].end != 0 {
			return true
		}
	}
	return false
}

// Contains tells whether a member is present, whatever its value.
func (d *Document) Contains(k Key) bool { return d.values[k].end != 0 }

// IsTrue tells whether the value of a member is true.
func (d *Document) IsTrue(k Key) bool { return string(d.Raw(k)) == "true" }

// Object gives the value of a member that is an object. Of a member that is missing or
// of another type it gives a result whose Exists is false.
func (d *Document) Object(k Key) gjson.Result {
	raw := d.Raw(k)
	if len(raw) == 0 || raw[0] != '{' {
		return gjson.Result{}
	}
	return gjson.ParseBytes(raw)
}

// Findings reports a byte order mark, NaN or Infinity, and a key that occurs twice.
func (d *Document) Findings() (findings []answer.Finding) {
	if d.scan.BOM {
		findings = append(findings, finding.New(finding.ConfigBOM, d.File,
			"begins with a byte order mark, which other readers refuse", "save the file as UTF-8 without a byte order mark"))
	}
	if d.scan.NonFinite >= 0 {
		findings = append(findings, finding.New(finding.ConfigNonFinite, d.File,
			"has NaN or Infinity at byte "+strconv.Itoa(d.scan.NonFinite)+", which is Python's notation and no JSON",
			"strict readers refuse the file: replace the value by null or a number"))
	}
	if d.duplicate != keyCount {
		findings = append(findings, finding.New(finding.ConfigDuplicateKey, d.File,
			"has "+strconv.Quote(d.duplicate.String())+" twice; the last one counts", "remove one of them"))
	}
	return findings
}
