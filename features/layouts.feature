@detection
Feature: Layouts
  A model comes in many shapes: as one directory of the transformers library, as a pipeline of
  parts, as a single file, as an adapter, converted for another engine, or as a download cache.
  The layout says which, by the files that such a directory cannot do without.

  Rule: Public repositories are recognised by their layout

    Scenario Outline: <checkpoint> has the layout <layout>
      Given the checkpoint "<checkpoint>"
      When the model info is read
      Then the layout is "<layout>"
      And the category is "<category>"
      And the model is supported
      And no error is reported

      Examples:
        | checkpoint             | layout                | category       |
        | llama-3-8b             | transformers          | transformers   |
        | whisper-small          | transformers          | asr            |
        | stable-diffusion-xl-1.0 | diffusers            | diffusers      |
        | flux.1-dev             | diffusers             | diffusers      |
        | llama-2-7b-lora        | peft adapter          | adapter        |
        | all-minilm-l6-v2       | sentence-transformers | transformers   |
        | mistral-7b-v0.3-native | mistral native        | transformers   |
        | mistral-7b-v0.3        | transformers          | transformers   |
        | llama-2-7b-gguf        | gguf                  | transformers   |
        | gemma-scope-2-4b       | sae                   | sae            |

  Rule: Without a config.json, the other files show what a directory is

    Scenario Outline: <layout> by <file> and <other>
      Given a checkpoint with the files:
        | file    | content   |
        | <file>  | <content> |
        | <other> |           |
      When the model info is read
      Then the layout is "<layout>"
      And the category is "<category>"
      And the task is "<task>"
      And detection used "<file>"
      And the model is supported

      Examples: Checkpoints
        | layout                | category       | task                     | file                  | other                            | content |
        | meta original         | transformers   | causal_lm                | params.json           | consolidated.00.pth              | {"dim": 4096, "n_layers": 32} |
        | mistral native        | transformers   | causal_lm                | params.json           | consolidated-00001-of-00002.safetensors | {"dim": 4096, "n_layers": 32} |
        | open_clip             | vision_encoder | vision_text_dual_encoder | open_clip_config.json | open_clip_model.safetensors      | {"model_cfg": {"embed_dim": 512}} |
        | diffusers modular     | diffusers      | diffusion_modular_pipeline | modular_model_index.json | README.md                   | {"_class_name": "FluxModularPipeline"} |
        | diffusers scheduler   | diffusers      | diffusion_scheduler      | scheduler_config.json | README.md                        | {"_class_name": "DDIMScheduler"} |

      Examples: Conversions for one engine
        | layout       | category     | task       | file                  | other                     | content |
        | mlc          | transformers | causal_lm  | mlc-chat-config.json  | params_shard_0.bin        | {"model_type": "llama"} |
        | onnx genai   | transformers | causal_lm  | genai_config.json     | model.onnx                | {"model": {"type": "phi3"}} |
        | tensorrt-llm | transformers | causal_lm  | rank0.engine          | rank1.engine              |  |
        | rkllm        | transformers | causal_lm  | qwen2.rkllm           | README.md                 |  |

      Examples: Adapters and single files
        | layout         | category  | task               | file                             | other     | content |
        | diffusers lora | diffusers | adapter            | pytorch_lora_weights.safetensors | README.md |  |
        | mlx adapter    | adapter   | adapter            | adapters.safetensors             | README.md |  |
        | dduf           | diffusers | diffusion_pipeline | flux.dduf                        | README.md |  |

    Scenario Outline: <layout> is named though nothing says what kind of model it holds
      Given a checkpoint with the files:
        | file    | content |
        | <file>  |         |
        | <other> |         |
      When the model info is read
      Then the layout is "<layout>"
      And the category is "unknown"

      Examples:
        | layout                 | file                          | other                        |
        | onnx                   | model.onnx                    | model.onnx_data              |
        | onnx                   | onnx/model_quantized.onnx     | README.md                    |
        | openvino               | openvino_model.xml            | openvino_model.bin           |
        | keras                  | model.keras                   | README.md                    |
        | core ml                | model.mlpackage/Manifest.json | README.md                    |
        | tflite                 | model.tflite                  | labels.txt                   |
        | litert                 | gemma3.litertlm               | README.md                    |
        | tensorflow saved model | saved_model.pb                | variables/variables.index    |

    Scenario: A converted model with its config beside it is what the config says
      Given a checkpoint with the files:
        | file                    | content |
        | config.json             | {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"} |
        | openvino_encoder_model.xml | <net/> |
        | openvino_encoder_model.bin |      |
        | openvino_decoder_model.xml | <net/> |
        | openvino_decoder_model.bin |      |
      When the model info is read
      Then the layout is "openvino"
      And the category is "asr"
      And the architecture is "WhisperForConditionalGeneration"

    Scenario Outline: The config beside <what> determines what it is
      Given a checkpoint with the files:
        | file        | content |
        | config.json | {"architectures": ["BertModel"], "model_type": "bert"} |
        | <file>      |         |
      When the model info is read
      Then the layout is "<layout>"
      And the category is "transformers"
      And the architecture is "BertModel"

      Examples:
        | what                     | layout       | file                          |
        | a GGUF file              | gguf         | bert-f16.gguf                 |
        | a directory of ONNX      | onnx         | onnx/model.onnx               |
        | a Core ML package        | core ml      | model.mlpackage/Manifest.json |
        | weights and an ONNX file | transformers | model.safetensors             |

  Rule: Configs of other libraries are recognised by their keys

    Scenario Outline: <layout> has <what>
      Given a checkpoint with the config:
        """json
        <config>
        """
      When the model info is read
      Then the layout is "<layout>"
      And the category is "<category>"
      And the architecture is "<architecture>"
      And the model is supported

      Examples:
        | layout              | what                    | category       | architecture           | config |
        | timm                | a pretrained_cfg        | vision_encoder | resnet50               | {"architecture": "resnet50", "num_classes": 1000, "pretrained_cfg": {"input_size": [3, 224, 224]}} |
        | timm                | an old, flat config     | vision_encoder | convnext_tiny          | {"architecture": "convnext_tiny", "num_classes": 1000, "num_features": 768} |
        | tensorrt-llm        | a mapping of ranks      | transformers   | LlamaForCausalLM       | {"architecture": "LlamaForCausalLM", "dtype": "float16", "mapping": {"world_size": 2, "tp_size": 2}} |
        | mlx                 | a group size            | transformers   | Qwen3ForCausalLM       | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "quantization": {"group_size": 64, "bits": 4}} |
        | diffusers component | a class name of its own | diffusers      | AutoencoderKL          | {"_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0"} |

  Rule: Files of an inference engine are recognised by their first bytes

    Scenario: whisper.cpp
      Given an empty checkpoint directory
      And the generated files:
        """
        bytes ggml-base.en.bin
          "lmgg" "\x98\xca\x00\x00" "\xdc\x05\x00\x00" "\x00\x02\x00\x00" "\x08\x00\x00\x00" "\x06\x00\x00\x00"
          "\xc0\x01\x00\x00" "\x00\x02\x00\x00" "\x08\x00\x00\x00" "\x06\x00\x00\x00" "\x50\x00\x00\x00" "\x01\x00\x00\x00"
        """
      When the model info is read
      Then the layout is "whisper.cpp"
      And the category is "asr"
      And detection used "magic of ggml-base.en.bin"

    Scenario Outline: CTranslate2 with the specification <specification>
      Given a checkpoint with the config:
        """json
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        """
      And the file "shared_vocabulary.json" holds:
        """json
        ["<unk>", "<s>", "</s>"]
        """
      And the generated files:
        """
        bytes model.bin
          "\x06\x00\x00\x00" "<length>\x00<specification>\x00" "\x03\x00\x00\x00"
        """
      When the model info is read
      Then the layout is "ctranslate2"
      And the category is "<category>"
      And it loads as "CTranslate2"

      Examples:
        | specification          | length | category     |
        | TransformerSpec        | \\x10  | transformers |
        | TransformerDecoderSpec | \\x17  | transformers |
        | WhisperSpec            | \\x0c  | asr          |
        | Wav2Vec2BertSpec       | \\x11  | asr          |

    Scenario: The GGUF files of one model in several precisions are one model
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf qwen3-8b-Q4_K_M.gguf
          general.architecture = string qwen3
          general.base_model.count = u32 1
          general.base_model.0.repo_url = string https://huggingface.co/Qwen/Qwen3-8B
          token_embd.weight F16 64 32
        gguf qwen3-8b-Q8_0.gguf
          general.architecture = string qwen3
          token_embd.weight F16 64 32
        """
      When the model info is read
      Then the layout is "gguf"
      And the model type is "qwen3"
      And the base model is "Qwen/Qwen3-8B"
      And there are no candidates

    Scenario: A GGUF file that is cut keeps its layout, and is reported
      Given the checkpoint "llama-2-7b-gguf"
      And without "config.json"
      And "llama-2-7b.Q4_K_M.gguf" is cut to 100 bytes
      When the model info is read
      Then the layout is "gguf"
      And the category is "unknown"
      And an error "weights-unreadable" is reported for "llama-2-7b.Q4_K_M.gguf"

    Scenario Outline: A single file of safetensors is told by its tensors' names: <what>
      Given an empty checkpoint directory
      And the generated files:
        """
        safetensors <file>
          <first> F16 64 64
          <second> F16 64 64
          <third> F16 64
        """
      When the model info is read
      Then the layout is "<layout>"
      And the category is "<category>"
      And the task is "<task>"
      And detection used "<file>"

      Examples:
        | what                         | file                          | first                                                           | second                                            | third                                  | layout                | category       | task                |
        | Stable Diffusion, whole      | v1-5-pruned.safetensors       | model.diffusion_model.input_blocks.0.0.weight                   | first_stage_model.decoder.conv_in.weight          | cond_stage_model.x.weight              | diffusers single file | diffusers      | diffusion_pipeline  |
        | SDXL, whole                  | sd_xl_base_1.0.safetensors    | model.diffusion_model.input_blocks.0.0.weight                   | first_stage_model.decoder.conv_in.weight          | conditioner.embedders.0.x.weight       | diffusers single file | diffusers      | diffusion_pipeline  |
        | SD 3.5 without text encoders | sd3.5_large.safetensors       | model.diffusion_model.joint_blocks.0.x.weight                   | first_stage_model.decoder.conv_in.weight          | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | UNet of Stable Diffusion     | unet.safetensors              | input_blocks.0.0.weight                                         | middle_block.0.in_layers.0.weight                 | output_blocks.0.0.in_layers.0.weight   | diffusers single file | diffusers      | diffusion_component |
        | Flux                         | flux1-dev.safetensors         | double_blocks.0.img_attn.qkv.weight                             | img_in.weight                                     | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | Chroma                       | chroma1-hd.safetensors        | double_blocks.0.img_attn.qkv.weight                             | distilled_guidance_layer.in_proj.weight           | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | Wan                          | wan2.2_t2v.safetensors        | patch_embedding.weight                                          | blocks.0.self_attn.q.weight                       | head.head.weight                       | diffusers single file | diffusers      | diffusion_component |
        | LTX-Video                    | ltx-video-2b.safetensors      | patchify_proj.weight                                            | transformer_blocks.0.attn1.to_q.weight            | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | Qwen-Image                   | qwen_image.safetensors        | txt_norm.weight                                                 | img_in.weight                                     | transformer_blocks.0.attn.to_q.weight  | diffusers single file | diffusers      | diffusion_component |
        | Z-Image                      | z_image.safetensors           | cap_embedder.0.weight                                           | noise_refiner.0.attention.qkv.weight              | context_refiner.0.attention.qkv.weight | diffusers single file | diffusers      | diffusion_component |
        | HunyuanVideo                 | hunyuan_video.safetensors     | double_blocks.0.img_attn_qkv.weight                             | txt_in.individual_token_refiner.blocks.0.x.weight | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | Cosmos                       | cosmos.safetensors            | net.x_embedder.proj.1.weight                                    | net.blocks.0.self_attn.q_proj.weight              | bias                                   | diffusers single file | diffusers      | diffusion_component |
        | VAE of Stable Diffusion      | vae-ft-mse.safetensors        | encoder.conv_in.weight                                          | decoder.conv_out.weight                           | bias                                   | vae                   | diffusers      | vae                 |
        | VAE of Wan                   | wan_2.1_vae.safetensors       | encoder.conv1.weight                                            | decoder.conv1.weight                              | conv1.weight                           | vae                   | diffusers      | vae                 |
        | T5 text encoder              | t5xxl_fp16.safetensors        | shared.weight                                                   | encoder.block.0.layer.0.SelfAttention.q.weight    | bias                                   | text encoder          | diffusers      | text_encoder        |
        | CLIP text encoder            | clip_l.safetensors            | text_model.encoder.layers.0.mlp.fc1.weight                      | text_model.final_layer_norm.weight                | bias                                   | text encoder          | diffusers      | text_encoder        |
        | ControlNet                   | control_v11p_sd15.safetensors | control_model.input_blocks.0.0.weight                           | control_model.zero_convs.0.0.weight               | bias                                   | controlnet            | diffusers      | controlnet          |
        | IP-Adapter                   | ip-adapter_sd15.safetensors   | image_proj.proj.weight                                          | ip_adapter.1.to_k_ip.weight                       | bias                                   | diffusers ip-adapter  | diffusers      | ip_adapter          |
        | textual inversion            | style.safetensors             | emb_params                                                      | bias                                              | other.bias                             | textual inversion     | diffusers      | textual_inversion   |
        | upscaler                     | 4x.safetensors                | conv_first.weight                                               | body.0.rdb1.conv1.weight                          | conv_last.weight                       | upscaler              | diffusers      | upscaler            |
        | LoRA of kohya                | style.safetensors             | lora_unet_down_blocks_0_attentions_0.lora_down.weight           | bias                                              | other.bias                             | diffusers lora        | diffusers      | adapter             |
        | LoRA of diffusers            | style.safetensors             | transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight | bias                                              | other.bias                             | diffusers lora        | diffusers      | adapter             |
        | LoRA of Wan                  | style.safetensors             | diffusion_model.blocks.0.self_attn.q.lora_A.weight              | bias                                              | other.bias                             | diffusers lora        | diffusers      | adapter             |
        | LoRA of PEFT                 | lora.safetensors              | base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight  | bias                                              | other.bias                             | peft adapter          | adapter        | adapter             |
        | image encoder of CLIP        | clip_vision_h.safetensors     | vision_model.encoder.layers.0.mlp.fc1.weight                    | bias                                              | other.bias                             | image encoder         | vision_encoder | vision_encoder      |

    Scenario: A single file whose tensors' names say nothing
      Given an empty checkpoint directory
      And the generated files:
        """
        safetensors weights.safetensors
          a F16 64 64
        """
      When the model info is read
      Then the category is "unknown"
      And an error "nothing-recognized" is reported

  Rule: A NeMo archive is read only up to its config

    Scenario Outline: An archive that <what>
      Given an empty checkpoint directory
      And the generated files:
        """
        <archive>
        """
      When the model info is read
      Then the layout is "nemo"
      And the category is "unknown"
      And the model is not supported

      Examples:
        | what                   | archive |
        | has no config          | tar a.nemo\n  model_weights.ckpt "PK" |
        | names no known target  | tar a.nemo\n  model_config.yaml "target: my.models.Model" |
        | is none                | bytes a.nemo\n  "no archive" |

  Rule: The Hugging Face cache stands for one snapshot

    Scenario: Real files in the place of links, as on Windows
      Given the directory "hub/models--org--model" for the checkpoint
      And a checkpoint with the files:
        | file                      | content |
        | refs/main                 | 0123abcd |
        | snapshots/0123abcd/config.json | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"} |
        | snapshots/4567cdef/config.json | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} |
      When the model info is read
      Then the layout is "transformers"
      And the architecture is "Qwen2ForCausalLM"
      And detection used "refs/main"

    Scenario: The only snapshot needs no reference
      Given a checkpoint with the files:
        | file                           | content |
        | snapshots/0123abcd/config.json | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"} |
      When the model info is read
      Then the architecture is "Qwen2ForCausalLM"
      And detection used "the only snapshot"

    Scenario: Several snapshots and no main reference: the candidates are told
      Given a checkpoint with the files:
        | file                           | content |
        | refs/v2                        | 4567cdef |
        | snapshots/0123abcd/config.json | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"} |
        | snapshots/4567cdef/config.json | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} |
      When the model info is read
      Then the layout is "hugging face cache"
      And the category is "unknown"
      And the candidates are "snapshots/0123abcd, snapshots/4567cdef"
      And a warning "layout-ambiguous" is reported

    Scenario: A reference to a snapshot that is not there
      Given a checkpoint with the files:
        | file                           | content |
        | refs/main                      | 89abcdef |
        | snapshots/0123abcd/config.json | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"} |
      When the model info is read
      Then the category is "unknown"
      And the candidates are "snapshots/0123abcd"
      And an error "cache-ref-dangling" is reported for "refs/main"

    Scenario: A link whose blob was deleted
      Given a real temporary directory
      And a checkpoint with the files:
        | file      | content |
        | refs/main | 0123abcd |
      And "snapshots/0123abcd/config.json" is a link to "blobs/gone"
      When the model info is read
      Then reading fails with "not found" in "config.json"

    Scenario: The tokenizer of a snapshot is the tokenizer of the model
      Given a checkpoint with the files:
        | file                              | content |
        | refs/main                         | 0123abcd |
        | snapshots/0123abcd/config.json    | {"architectures": ["BertModel"], "model_type": "bert"} |
        | snapshots/0123abcd/vocab.txt      | [PAD]\n[UNK]\n |
      When the tokenizer is read
      Then the type is "WordPiece"
      And the vocab size is 2

    Scenario: What a download into a directory leaves behind is no model
      Given the checkpoint "gpt2"
      And the file ".cache/huggingface/download/config.json.metadata" holds:
        """
        607a30d783dfa663caf39e06633721c8d4cfcd7e
        0a1b2c3d
        1767225600.0
        """
      When the model info is read
      Then the layout is "transformers"
      And the architecture is "GPT2LMHeadModel"
      And there are no candidates

  Rule: An adapter is distinguished from its base model

    Scenario Outline: An adapter whose base model is <what>
      Given a checkpoint with the files:
        | file                      | content |
        | adapter_config.json       | {"peft_type": "LORA", "base_model_name_or_path": <base>, "task_type": "CAUSAL_LM"} |
        | adapter_model.safetensors |         |
      When the model info is read
      Then the layout is "peft adapter"
      And the category is "adapter"
      And the architecture is "unknown"
      And the model is supported

      Examples:
        | what              | base                               |
        | named             | "meta-llama/Llama-2-7b-hf"         |
        | null              | null                               |
        | a path of another machine | "/home/someone/models/llama" |

    Scenario: Adapter weights without their config
      Given a checkpoint with the files:
        | file                      | size  |
        | adapter_model.safetensors | 50 MB |
      When the model info is read
      Then the layout is "peft adapter"
      And the category is "adapter"

  Rule: Ambiguity is an answer, with the candidates

    Scenario: Files that say different things
      Given a checkpoint with the files:
        | file                             | content |
        | open_clip_config.json            | {"model_cfg": {}} |
        | pytorch_lora_weights.safetensors |         |
      When the model info is read
      Then the layout is "ambiguous"
      And the category is "unknown"
      And the candidates are "open_clip: vision_encoder, diffusers lora: diffusers"
      And a warning "layout-ambiguous" is reported

    Scenario: A directory of several models
      Given a checkpoint with the files:
        | file                | content |
        | README.md           | # Our models |
        | bert/config.json    | {"architectures": ["BertModel"], "model_type": "bert"} |
        | gpt2/config.json    | {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"} |
        | sd/model_index.json | {"_class_name": "StableDiffusionPipeline"} |
        | notes/ideas.txt     | none |
      When the model info is read
      Then the layout is "several models"
      And the category is "unknown"
      And the candidates are "bert, gpt2, sd"
      And a warning "layout-ambiguous" is reported

    Scenario: A whole download cache
      Given a checkpoint with the files:
        | file                                              | content |
        | models--google--gemma-2-2b/refs/main              | 0123abcd |
        | models--google--gemma-2-2b/snapshots/0123abcd/config.json | {} |
        | models--gpt2/refs/main                            | 4567cdef |
        | version.txt                                       | 1 |
      When the model info is read
      Then the category is "unknown"
      And the candidates are "models--google--gemma-2-2b, models--gpt2"

    Scenario: A model one directory further down is named, not taken
      Given a checkpoint with the files:
        | file              | content |
        | README.md         | # Llama |
        | model/config.json | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} |
      When the model info is read
      Then the category is "unknown"
      And the candidates are "model"

  Rule: Files beside the config can show what a class name does not

    Scenario Outline: A class nobody listed, and <what>
      Given a checkpoint with the config:
        """json
        {"architectures": ["Zqx9"], "model_type": "zqx9"}
        """
      And the file "<file>" holds:
        """
        <content>
        """
      When the model info is read
      Then the category is "<category>"
      And detection used "<rule>"
      And the model is not supported

      Examples:
        | what                   | file                     | category       | rule            | content |
        | a processor of images  | preprocessor_config.json | vision_encoder | processor image | {"image_processor_type": "Zqx9ImageProcessor", "size": 224} |
        | a processor of sound   | preprocessor_config.json | audio_encoder  | processor sound | {"feature_extractor_type": "Zqx9FeatureExtractor", "sampling_rate": 16000} |
        | a card that names its task | README.md            | asr            | card            | ---\npipeline_tag: automatic-speech-recognition\n---\n# Zqx9 |
        | a card that says nothing | README.md              | transformers   | default         | # Zqx9 |
