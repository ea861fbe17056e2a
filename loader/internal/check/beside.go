package check

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
)

// An adapter beside a model: transformers puts it on (integrations/peft.py,
// find_adapter_config_file in modeling_utils.py).
var _ = register(Check{
	Name:  "adapter-beside-model",
	Codes: []string{finding.AdapterBesideModel},
	Needs: Config | Weights,
	Run: func(f *Facts) []answer.Finding {
		if !f.Checkpoint.Markers.Has(checkpoint.MarkerAdapter) || f.Info.Category == answer.Adapter {
			return nil
		}
		return single(finding.AdapterBesideModel, config.AdapterConfigJSON, "an adapter stands beside the model", "")
	},
})

// processorFiles are the files that configure the preparation of images and sound.
var processorFiles = []string{"preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json", "image_processor_config.json", "feature_extractor_config.json"}

// processorTasks are tasks with input other than text, whose classes of transformers have a
// processor.
var processorTasks = map[answer.Task]bool{"vision_language": true, "audio_language": true, "omni": true, "omni_input": true, "asr": true, "asr_ctc": true}

// A class that takes images or sound, without the config of its processor.
var _ = register(Check{
	Name:  "processor",
	Codes: []string{finding.ProcessorMissing},
	Needs: Config | Weights,
	Run: func(f *Facts) []answer.Finding {
		info := f.Info
		if info.Layout != "transformers" || !info.IsSupported || !processorTasks[info.Task] && info.Category != answer.VisionEncoder && info.Category != answer.AudioEncoder ||
			slices.ContainsFunc(processorFiles, f.Checkpoint.Has) {
			return nil
		}
		return single(finding.ProcessorMissing, "preprocessor_config.json", "neither it nor processor_config.json is here, and "+answer.OrUnknown(info.Architecture)+" takes more than text", f.Checkpoint.DownloadHint("preprocessor_config.json"))
	},
})

// generationConfig is the file with the defaults of text generation.
const generationConfig = "generation_config.json"

// The end-of-text ids of generation_config.json: beyond the vocabulary they never come, and
// the text does not end.
var _ = register(Check{
	Name:  "generation-config",
	Codes: []string{finding.SpecialTokenMismatch, finding.FileUnreadable},
	Needs: Config,
	Run: func(f *Facts) (findings []answer.Finding) {
		c := f.Checkpoint
		if !c.Has(generationConfig) || slices.ContainsFunc(f.Files, func(t tree.File) bool { return t.Name == generationConfig && t.Problem != nil }) {
			return nil
		}
		g, err := config.ReadJSON(c.FS, c.Dir, generationConfig)
		if err != nil {
			return []answer.Finding{finding.FromError(finding.FileUnreadable, generationConfig, err)}
		}
		rows, source, ok := c.Quantities().Get("vocab")
		if !ok {
			return nil
		}
		ids := []gjson.Result{g.Get("eos_token_id")}
		if ids[0].IsArray() {
			ids = ids[0].Array()
		}
		for _, id := range ids {
			if id.Type == gjson.Number && id.Int() >= rows {
				findings = append(findings, finding.New(finding.SpecialTokenMismatch, generationConfig,
					"eos_token_id has "+id.Raw+", and "+source.String()+" gives "+strconv.FormatInt(rows, 10)+" tokens: generation does not end by it", "set eos_token_id to the id of the token that ends a text"))
			}
		}
		return findings
	},
})

// secondDownload matches the name that a browser gives a file that is there already:
// "config (1).json".
var secondDownload = regexp.MustCompile(`^(.+) ?\((\d{1,3})\)(\.[A-Za-z0-9.]+)$`)

// Files with the name of a second download, without the first.
var _ = register(Check{
	Name:  "renamed-files",
	Codes: []string{finding.FileRenamed},
	Run: func(f *Facts) (findings []answer.Finding) {
		names := make(map[string]bool, len(f.Files))
		for i := range f.Files {
			names[f.Files[i].Name] = true
		}
		for i := range f.Files {
			m := secondDownload.FindStringSubmatch(f.Files[i].Base())
			if m == nil {
				continue
			}
			plain := path.Join(f.Files[i].Dir(), strings.TrimSuffix(m[1], " ")+m[3])
			if !names[plain] && len(findings) < maxRenamed {
				findings = append(findings, finding.New(finding.FileRenamed, f.Files[i].Name, "loaders look for "+plain+", which is not here", "rename it to "+path.Base(plain)))
			}
		}
		return findings
	},
})

// maxRenamed is how many files with the name of a second download are reported.
const maxRenamed = 10

// trainingFiles are patterns for files of training runs, with what writes them. Sources:
// deepspeed/runtime/engine.py, accelerate/utils/fsdp_utils.py, torch/distributed/checkpoint,
// megatron/training/checkpointing.py.
var trainingFiles = []struct{ pattern, what string }{
	{"*zero_pp_rank_*", "DeepSpeed ZeRO"},
	{"*.distcp", "FSDP or torch.distributed.checkpoint"},
	{"*latest_checkpointed_iteration.txt", "Megatron"},
	{"*distrib_optim.pt", "Megatron"},
}

// The state of a training run.
var _ = register(Check{
	Name:  "training-checkpoint",
	Codes: []string{finding.TrainingCheckpoint},
	Run: func(f *Facts) []answer.Finding {
		for i := range f.Files {
			for _, t := range trainingFiles {
				if ok, _ := path.Match(t.pattern, f.Files[i].Base()); ok {
					return single(finding.TrainingCheckpoint, f.Files[i].Name, "a training run saved it ("+t.what+")", "")
				}
			}
		}
		return nil
	},
})

// Modules of sentence-transformers are compared with modules.json: the library reads
// config.json of each but Normalize, and the weights of a Dense layer
// (sentence_transformers/models).
var _ = register(Check{
	Name:  "sentence-transformers",
	Codes: []string{finding.ComponentMissing, finding.ComponentIncomplete, finding.WeightsMissing},
	Run: func(f *Facts) (findings []answer.Finding) {
		c := f.Checkpoint
		if !c.Markers.Has(checkpoint.MarkerSentenceTransformers) {
			return nil
		}
		names := make(map[string]bool, len(f.Files))
		for i := range f.Files {
			names[f.Files[i].Name] = true
		}
		data, err := tree.ReadLimited(c.FS, c.Dir, "modules.json", config.MaxSize)
		if err != nil || !gjson.ValidBytes(data) {
			return nil // reported with the layout
		}
		for _, m := range gjson.ParseBytes(data).Array() {
			findings = append(findings, checkModule(f, names, m.Get("path").Str, m.Get("type").Str)...)
		}
		return findings
	},
})

// weightsOfModule are the names of the weights that modules of sentence-transformers have.
var weightsOfModule = []string{"model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json"}

// checkModule compares the directory of a module with what its class reads.
func checkModule(f *Facts, names map[string]bool, dir, class string) []answer.Finding {
	dir = strings.Trim(path.Clean("/"+dir), "/")
	kind := class[strings.LastIndexByte(class, '.')+1:]
	if kind == "Normalize" {
		return nil
	}
	hasWeights := slices.ContainsFunc(weightsOfModule, func(n string) bool { return names[path.Join(dir, n)] })
	switch {
	case dir != "" && !slices.ContainsFunc(f.Files, func(t tree.File) bool { return strings.HasPrefix(t.Name, dir+"/") }):
		return single(finding.ComponentMissing, dir, "modules.json names the module "+dir+" ("+kind+"), and its directory is not here", f.Checkpoint.DownloadHint(dir))
	case kind == "Dense" && !hasWeights, kind == "Transformer" && dir != "" && !hasWeights && f.Weights != nil && f.Weights.Info.Format != "onnx":
		return single(finding.ComponentIncomplete, dir, "the module "+dir+" ("+kind+") of modules.json has no weights", f.Checkpoint.DownloadHint(path.Join(dir, "model.safetensors")))
	case kind == "Transformer" && dir == "" && f.Weights != nil && !slices.ContainsFunc(f.Weights.Info.Files, func(n string) bool { return !strings.Contains(n, "_") || path.Dir(n) == "." || !isModuleDir(n) }):
		return single(finding.WeightsMissing, "model.safetensors", "the transformer of modules.json has no weights; only its other modules have", f.Checkpoint.DownloadHint("model.safetensors"))
	case (kind == "Pooling" || kind == "Dense") && !names[path.Join(dir, config.ConfigJSON)]:
		return single(finding.ComponentIncomplete, dir, "the module "+dir+" ("+kind+") of modules.json has no config.json", f.Checkpoint.DownloadHint(path.Join(dir, config.ConfigJSON)))
	}
	return nil
}

// isModuleDir tells whether a file is in the directory of a module: "2_Dense/model.safetensors".
func isModuleDir(name string) bool {
	dir, _, nested := strings.Cut(name, "/")
	return nested && dir != "" && dir[0] >= '0' && dir[0] <= '9'
}
