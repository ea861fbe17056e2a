package loader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
)

func pipelineOf(class string) map[string]string {
	return map[string]string{"m/model_index.json": `{"_class_name":"` + class + `"}`}
}

func TestPipelineKind(t *testing.T) {
	for class, want := range map[string]string{
		"StableDiffusionPipeline": "text-to-image", "StableDiffusionXLImg2ImgPipeline": "image-to-image", "FluxPipeline": "text-to-image",
		"FluxKontextPipeline": "image-to-image", "QwenImageEditPlusPipeline": "image-to-image", "HunyuanImagePipeline": "text-to-image",
		"WanPipeline": "text-to-video", "WanImageToVideoPipeline": "image-to-video", "WanVideoToVideoPipeline": "video-to-video",
		"StableVideoDiffusionPipeline": "image-to-video", "AnimateDiffPipeline": "text-to-video", "LTXPipeline": "text-to-video",
		"StableAudioPipeline": "text-to-audio", "AudioLDM2Pipeline": "text-to-audio", "StableAudio3AudioToAudioPipeline": "audio-to-audio",
		"DDPMPipeline": "unconditional-image-generation", "ShapEPipeline": "text-to-3d", "MarigoldDepthPipeline": "depth-estimation",
		"KandinskyPriorPipeline": "", "WanVACEPipeline": "", "DiffusionPipeline": "", "DreamerPipeline": "",
		"TomorrowImageToVideoPipeline": "image-to-video", "TomorrowInpaintPipeline": "image-to-image",
	} {
		info, err := loader.New().ModelInfo(treeFS(pipelineOf(class)), "m")
		require.NoError(t, err)
		assert.Equal(t, want, info.PipelineKind, class)
		assert.Equal(t, answer.Task("diffusion_pipeline"), info.Task, class)
	}
	info, err := loader.New().ModelInfo(treeFS(map[string]string{"m/config.json": `{"_class_name":"FluxTransformer2DModel"}`}), "m")
	require.NoError(t, err)
	assert.Empty(t, info.PipelineKind)
}

func TestPipelineComponentFiles(t *testing.T) {
	const index = `{"_class_name":"FluxPipeline","vae":["diffusers","AutoencoderKL"],"tokenizer":["transformers","CLIPTokenizer"],
		"scheduler":["diffusers","FlowMatchEulerDiscreteScheduler"],"image_encoder":[null,null]}`
	whole := func() map[string]string {
		return map[string]string{"m/model_index.json": index, "m/vae/config.json": `{"_class_name":"AutoencoderKL"}`,
			"m/vae/diffusion_pytorch_model.safetensors": storedFile(stored{"a.weight", "F32", []int{4}, 4}),
			"m/tokenizer/vocab.json":                    `{"a":0}`, "m/tokenizer/merges.txt": "#version: 0.2\n", "m/tokenizer/tokenizer_config.json": `{}`,
			"m/scheduler/scheduler_config.json": `{"_class_name":"FlowMatchEulerDiscreteScheduler"}`}
	}
	of := func(files map[string]string) (found []string) {
		for _, f := range inspect(t, files).Findings {
			if strings.HasPrefix(f.Code, "component-") {
				found = append(found, f.Code+" "+f.File)
			}
		}
		return found
	}
	assert.Empty(t, of(whole()))
	for name, want := range map[string]string{
		"m/vae/config.json":                         "component-incomplete vae/config.json",
		"m/vae/diffusion_pytorch_model.safetensors": "component-missing vae",
		"m/tokenizer/vocab.json":                    "component-incomplete tokenizer",
		"m/scheduler/scheduler_config.json":         "component-incomplete scheduler",
	} {
		files := whole()
		delete(files, name)
		files[name[:strings.LastIndexByte(name, '/')]+"/notes.txt"] = "a"
		assert.Equal(t, []string{want}, of(files), name)
	}
	files := whole()
	files["m/vae/config.json"] = `{"_class_name":"AutoencoderKLWan"}`
	assert.Equal(t, []string{"component-class vae/config.json"}, of(files))
}
