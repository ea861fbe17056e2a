@inspection
Feature: Failures
  Twenty ways in which checkpoints fail their users, each with what an inspection says of it: which
  file, what is wrong with it, and the way out. None of them needs loading to be seen. A checkpoint
  whose name begins with "broken-" is a sound one with one thing gone wrong; FAILURES.md lists them.

  Rule: 1. A Git LFS pointer in the place of weights is reported as such, and not as a header that is too large

    Scenario: A clone without git-lfs
      Given the checkpoint "broken-lfs-pointer"
      When the checkpoint is inspected
      Then an error "lfs-pointer" is reported for "model-00002-of-00004.safetensors"
      And the weights are incomplete

    Scenario: A file that nobody loads is worth a note
      Given the checkpoint "gpt2"
      And the file "plot.png" holds:
        """
        version https://git-lfs.github.com/spec/v1
        oid sha256:4d7a214614ab2935c943f9e0ff6d22eadbb8f32b1258daaa5e2ca24d17e2393a
        size 184113
        """
      When the checkpoint is inspected
      Then a note "lfs-pointer" is reported for "plot.png"
      And no error is reported

  Rule: 2. Every file is checked for this, not only the weights

    Scenario: The files of the tokenizer
      Given the checkpoint "broken-lfs-tokenizer"
      When the checkpoint is inspected
      Then an error "lfs-pointer" is reported for "tokenizer.model"
      And an error "lfs-pointer" is reported for "tokenizer.json"
      And the weights are complete

    Scenario Outline: A pointer in the place of <file>
      Given the checkpoint "llama-2-7b"
      And "<file>" is a Git LFS pointer
      When the checkpoint is inspected
      Then an error "lfs-pointer" is reported for "<file>"

      Examples:
        | file                         |
        | config.json                  |
        | model.safetensors.index.json |

  Rule: 3. A tokenizer.model can be in tiktoken's format

    Scenario: The tokenizer of Llama 3's own format
      Given the checkpoint "broken-tiktoken-model"
      When the checkpoint is inspected
      Then the tokenizer type is "tiktoken"
      And a note "tokenizer-model-is-tiktoken" is reported for "tokenizer.model"

  Rule: 4. A file that was cut is found without loading it

    Scenario Outline: A download that broke off: <checkpoint>
      Given the checkpoint "<checkpoint>"
      When the checkpoint is inspected
      Then an error "weights-truncated" is reported for "<file>"
      And the weights are incomplete

      Examples:
        | checkpoint            | file                             |
        | broken-truncated      | model-00004-of-00004.safetensors |
        | broken-truncated-gguf | llama-2-7b.Q4_K_M.gguf           |

    Scenario Outline: <file> of <checkpoint>, cut to <size>
      Given the checkpoint "<checkpoint>"
      And "<file>" is cut to <size>
      When the checkpoint is inspected
      Then an error "weights-truncated" is reported for "<file>"
      And the weights are incomplete

      Examples:
        | checkpoint      | file                             | size      |
        | llama-3-8b      | model-00004-of-00004.safetensors | 100 bytes |
        | llama-2-7b-gguf | llama-2-7b.Q4_K_M.gguf           | 30 kB     |
        | wav2vec2-base   | pytorch_model.bin                | 100 MB    |

  Rule: 5. A missing shard is an error, since some loaders go on without it

    Scenario: One of four shards
      Given the checkpoint "broken-missing-shard"
      When the checkpoint is inspected
      Then an error "shard-missing" is reported for "model-00003-of-00004.safetensors"
      And the missing are "model-00003-of-00004.safetensors"

    Scenario: One of two, and no index that would name it
      Given the checkpoint "llama-2-7b"
      And without "model.safetensors.index.json"
      And without "model-00002-of-00002.safetensors"
      When the checkpoint is inspected
      Then an error "shard-missing" is reported for "model-00002-of-00002.safetensors"

    Scenario: Layers that the config gives, and the weights do not have
      Given the checkpoint "broken-missing-layers"
      When the checkpoint is inspected
      Then an error "layers-missing" is reported for "model-00001-of-00002.safetensors"
      And the weights are incomplete

    Scenario Outline: A tensor that no file has: <gone>
      Given the checkpoint "llama-2-7b"
      And without "model.safetensors.index.json"
      And without "model-00001-of-00002.safetensors"
      And without "model-00002-of-00002.safetensors"
      And the config has "num_hidden_layers" set to 4
      And the generated files:
        """
        safetensors model.safetensors
          <embedding> F16 32000 4096
          model.layers.{0..3}.{input_layernorm,post_attention_layernorm}.weight F16 4096
          model.layers.{0..3}.self_attn.{q_proj,v_proj,o_proj}.weight F16 4096 4096
          model.layers.{0..3}.mlp.{gate_proj,up_proj}.weight F16 11008 4096
          model.layers.{0..3}.mlp.down_proj.weight F16 4096 11008
          <keys> F16 4096 4096
          <norm> F16 4096
          lm_head.weight F16 32000 4096
        """
      When the checkpoint is inspected
      Then an error "tensor-missing" is reported for "model.safetensors"
      And the weights are incomplete

      Examples:
        | gone                          | embedding                 | keys                                                        | norm              |
        | the keys of the last layer    | model.embed_tokens.weight | model.layers.{0..2}.self_attn.k_proj.weight                 | model.norm.weight |
        | the keys of a layer           | model.embed_tokens.weight | model.layers.{0,2,3}.self_attn.k_proj.weight                | model.norm.weight |
        | the keys of all layers        | model.embed_tokens.weight | model.layers.{0..3}.self_attn.rotary_emb.inv_freq           | model.norm.weight |
        | the norm behind the layers    | model.embed_tokens.weight | model.layers.{0..3}.self_attn.k_proj.weight                 | model.layers.0.self_attn.rotary_emb.inv_freq |

    Scenario: A decoder of fewer layers than its encoder misses none
      Given the checkpoint "whisper-small"
      And the config has "decoder_layers" set to 12
      And the config has "num_hidden_layers" set to 24
      When the checkpoint is inspected
      Then no error is reported

    Scenario: Of a class on no list, layers that are missing are a suspicion
      Given the checkpoint "broken-missing-layers"
      And the config has "architectures" set to ["ZuluForCausalLM"]
      And the config has "model_type" set to "zulu"
      When the checkpoint is inspected
      Then a warning "layers-missing" is reported for "model-00001-of-00002.safetensors"
      And no error is reported

  Rule: 6. An index of an earlier save is reported as stale

    Scenario: An index of three shards beside a whole set of two
      Given the checkpoint "broken-stale-index"
      When the checkpoint is inspected
      Then an error "index-stale" is reported for "model.safetensors.index.json"

    Scenario: A total size that the shards do not have
      Given the checkpoint "llama-2-7b"
      And "model.safetensors.index.json" has "metadata.total_size" set to 26953670656
      When the checkpoint is inspected
      Then a warning "index-total-size" is reported for "model.safetensors.index.json"

    Scenario Outline: The index names the shards, whatever they are called: <first>, <second>
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": 1, "hidden_size": 64, "vocab_size": 64}
        """
      And the file "model.safetensors.index.json" holds:
        """json
        {"metadata": {}, "weight_map": {"model.embed_tokens.weight": "<first>", "model.layers.0.mlp.up_proj.weight": "<first>", "lm_head.weight": "<second>"}}
        """
      And the generated files:
        """
        safetensors <first>
          model.embed_tokens.weight BF16 64 64
          model.layers.0.mlp.up_proj.weight BF16 64 64
        safetensors <second>
          lm_head.weight BF16 64 64
        """
      When the checkpoint is inspected
      Then there are 2 weights files
      And the weights are complete
      And the parameters are 12288
      And no error is reported

      Examples:
        | first                                        | second                                   |
        | model_00001-of-00002.safetensors             | model_00002-of-00002.safetensors         |
        | model.safetensors-00001-of-00001.safetensors | model_mtp.safetensors                    |
        | pytorch_model-00001-of-00002.safetensors     | pytorch_model-00002-of-00002.safetensors |
        | shards/model-00001-of-00002.safetensors      | shards/model-00002-of-00002.safetensors  |

  Rule: 7. Shards without their index are still described

    Scenario: The index was not downloaded
      Given the checkpoint "broken-missing-index"
      When the checkpoint is inspected
      Then a warning "index-missing" is reported for "model.safetensors.index.json"
      And the parameters are 8030261248
      And there are 4 weights files

  Rule: 8. Of weights that exist twice, one set counts

    Scenario: Mistral's own format beside the shards
      Given the checkpoint "mistral-7b-v0.3"
      When the checkpoint is inspected
      Then a warning "weights-duplicate" is reported for "consolidated.safetensors"
      And there are 3 weights files
      And the parameters are 7248023552
      And the ignored are "consolidated.safetensors"

    Scenario: A stray single file beside an index: what most loaders take
      Given the checkpoint "broken-duplicate-weights"
      When the checkpoint is inspected
      Then a warning "weights-single-and-index" is reported for "model.safetensors"
      And the weights files are "model.safetensors"

    Scenario: One shard once more, under the name of a single file
      Given the checkpoint "mistral-7b-v0.1"
      And "model-00001-of-00002.safetensors" is there as "model.safetensors" too
      When the checkpoint is inspected
      Then a warning "weights-single-and-index" is reported for "model.safetensors"

    Scenario: Another format beside the one in use
      Given the checkpoint "bert-base-uncased"
      When the checkpoint is inspected
      Then a note "weights-duplicate" is reported for "pytorch_model.bin"
      And the parameters are 110106428

  Rule: 9. For a tokenizer that is newer than its readers, the unknown part is named

    Scenario: A part of a type that nobody knows
      Given the checkpoint "broken-newer-tokenizer"
      When the checkpoint is inspected
      Then a warning "tokenizer-component-unknown" is reported for "tokenizer.json"

    Scenario: Merges as pairs, which older readers refuse
      Given the checkpoint "step3-vl-10b"
      When the checkpoint is inspected
      Then a note "tokenizer-merges-as-pairs" is reported for "tokenizer.json"

  Rule: 10. An unknown checkpoint is distinguished from a broken one

    Scenario: A class of tomorrow, in a checkpoint written by tomorrow's library
      Given the checkpoint "broken-class-of-tomorrow"
      When the checkpoint is inspected
      Then a warning "architecture-unknown" is reported for "config.json"
      And a warning "architecture-newer" is reported for "config.json"
      And no error is reported
      And the weights are complete

  Rule: 11. Without a config, the existing files are named

    Scenario: A class and no model type
      Given the checkpoint "broken-no-model-type"
      When the checkpoint is inspected
      Then a warning "model-type-missing" is reported for "config.json"

    Scenario: Weights without a config
      Given the checkpoint "broken-no-config"
      When the checkpoint is inspected
      Then an error "config-missing" is reported for "config.json"
      And the parameters are 8030261248

    Scenario: A model in Mistral's own format
      Given the checkpoint "mistral-7b-v0.3-native"
      When the checkpoint is inspected
      Then a note "config-missing" is reported for "config.json"
      And no error is reported

    Scenario: A GGUF file, which describes itself
      Given the checkpoint "llama-2-7b-gguf"
      And without "config.json"
      When the checkpoint is inspected
      Then no error is reported
      And the weights format is "gguf"
      And the quantization detail is "Q4_K_M"

  Rule: 12. An adapter is not a model

    Scenario Outline: <checkpoint>, with the model that it is for
      Given the checkpoint "<checkpoint>"
      When the checkpoint is inspected
      Then the category is "adapter"
      And the base model is "meta-llama/Llama-2-7b-hf"
      And a note "adapter-needs-base" is reported for "adapter_config.json"
      And no error is reported

      Examples:
        | checkpoint              |
        | llama-2-7b-lora         |
        | broken-adapter-as-model |

  Rule: 13. A missing base model, an invalid path and a repository name are three different findings

    Scenario: Null
      Given the checkpoint "broken-adapter-base-null"
      When the checkpoint is inspected
      Then a warning "adapter-base-unknown" is reported for "adapter_config.json"

    Scenario: A path of the machine that it was trained on
      Given the checkpoint "broken-adapter-base-path"
      When the checkpoint is inspected
      Then a warning "adapter-base-path" is reported for "adapter_config.json"
      And the base model is "/workspace/models/llama-2-7b"

    Scenario: The name of a repository
      Given the checkpoint "llama-2-7b-lora"
      When the checkpoint is inspected
      Then the base model is "meta-llama/Llama-2-7b-hf"
      And no warning is reported

  Rule: 14. A checkpoint of an unlisted class is inspected like any other

    Scenario: A slip in the class
      Given the checkpoint "broken-class-slip"
      When the checkpoint is inspected
      Then a warning "architecture-unknown" is reported for "config.json"
      And the parameters are 8190735360
      And the tokenizer type is "BPE"

    Scenario: The class that was meant
      Given the checkpoint "broken-class-slip"
      When support is checked
      Then the model is not supported
      And the nearest is "Qwen3ForCausalLM"

  Rule: 15. "Not supported" does not hide another cause

    Scenario: A base class is known, and has no head to generate text
      Given the checkpoint "broken-base-class"
      When the checkpoint is inspected
      Then the model is supported
      And a note "architecture-base-class" is reported for "config.json"

    Scenario: Weights that are a web page are not a matter of support
      Given the checkpoint "gpt2"
      And "model.safetensors" is a web page
      When the checkpoint is inspected
      Then the model is supported
      And an error "html-page" is reported for "model.safetensors"

  Rule: 16. A quantization is read from every place, and an unknown one is reported

    Scenario: A method that nobody knows
      Given the checkpoint "broken-unknown-quantization"
      When the checkpoint is inspected
      Then the quantization method is "zipquant"
      And a warning "quantization-unknown" is reported for "config.json"

    Scenario Outline: <file> says what config.json does not
      Given the checkpoint "llama-3-8b"
      And the file "<file>" holds:
        """json
        <content>
        """
      When the model info is read
      Then the quantization method is "<method>"
      And the quantization bits are <bits>
      And the quantization source contains "<file>"

      Examples:
        | file                   | content                                                                       | method   | bits |
        | quantize_config.json   | {"bits": 4, "group_size": 128, "desc_act": false}                             | gptq     | 4    |
        | quantize_config.json   | {"bits": 4, "zero_point": true, "version": "GEMM"}                            | awq      | 4    |
        | quant_config.json      | {"w_bit": 4, "q_group_size": 128, "zero_point": true, "version": "GEMM"}      | awq      | 4    |
        | hf_quant_config.json   | {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}}   | modelopt | 4    |

    Scenario: Two files that disagree
      Given the checkpoint "broken-quantization-conflict"
      When the checkpoint is inspected
      Then a warning "quantization-conflict" is reported for "quant_config.json"
      And the quantization bits are 4

    Scenario: Weights in 8 bits, and no file that says so
      Given the checkpoint "gpt2"
      And the generated files:
        """
        safetensors model.safetensors
          wte.weight F8_E4M3 50257 768
        """
      When the checkpoint is inspected
      Then a warning "quantization-unstated" is reported

    Scenario: Weights that are packed in other bits than the config says
      Given the checkpoint "gpt2"
      And "config.json" has "quantization_config" set to {"quant_method": "gptq", "bits": 8, "group_size": 32}
      And the generated files:
        """
        safetensors model.safetensors
          wte.weight F16 50257 768
          h.0.mlp.c_fc.qweight I32 96 3072
          h.0.mlp.c_fc.qzeros I32 24 384
          h.0.mlp.c_fc.scales F16 24 3072
        """
      When the checkpoint is inspected
      Then a warning "quantization-conflict" is reported for "config.json"

    Scenario: Packed weights without their scales
      Given the checkpoint "gpt2"
      And "config.json" has "quantization_config" set to {"quant_method": "gptq", "bits": 4, "group_size": 32}
      And the generated files:
        """
        safetensors model.safetensors
          wte.weight F16 50257 768
          h.0.mlp.c_fc.qweight I32 96 3072
        """
      When the checkpoint is inspected
      Then an error "tensor-missing" is reported for "model.safetensors"

    Scenario: A scaling of positions without its factor
      Given the checkpoint "llama-3-8b"
      And "config.json" has "rope_scaling" set to {"type": "linear"}
      When the checkpoint is inspected
      Then a warning "rope-incomplete" is reported for "config.json"

    Scenario: A list of modules that is a text
      Given the checkpoint "llama-3-8b-bnb-4bit"
      And "config.json" has "quantization_config.llm_int8_skip_modules" set to "null"
      When the checkpoint is inspected
      Then a warning "quantization-malformed" is reported for "config.json"
      And the quantization bits are 4

    Scenario Outline: Packed weights of <checkpoint> count as what they stand for
      Given the checkpoint "<checkpoint>"
      When the checkpoint is inspected
      Then the parameters are <parameters>
      And the stored elements are <stored>

      Examples:
        | checkpoint          | parameters | stored     |
        | llama-2-7b-chat-awq | 6738415616 | 1128828928 |
        | llama-3-8b-bnb-4bit | 8030261248 | 4650180896 |

  Rule: 17. Tensors of another prefix or size are found before loading

    Scenario: The weights of a vision model under a language model's class
      Given the checkpoint "broken-wrong-prefix"
      When the checkpoint is inspected
      Then a warning "weight-prefix-mismatch" is reported

    Scenario: No output head, and nothing that ties it
      Given the checkpoint "broken-missing-head"
      When the checkpoint is inspected
      Then a warning "weight-without-counterpart" is reported

    Scenario: An embedding with fewer rows than the config has tokens
      Given the checkpoint "broken-embedding-size"
      When the checkpoint is inspected
      Then an error "shape-mismatch" is reported for "model-00001-of-00002.safetensors"

    Scenario: Weights and config of two sizes of one model
      Given the checkpoint "llama-2-7b"
      And the config has "hidden_size" set to 5120
      When the checkpoint is inspected
      Then an error "shape-mismatch" is reported for "model-00001-of-00002.safetensors"

    Scenario: Tensors without elements, as ZeRO-3 saves them where they were not gathered
      Given the checkpoint "broken-empty-weights"
      When the checkpoint is inspected
      Then an error "weights-empty" is reported for "model.safetensors"
      And the weights are incomplete
      And the weights complete reason contains "none of which has an element"

    Scenario: Rows beyond the vocabulary are padding
      Given the checkpoint "llama-2-7b"
      And the config has "vocab_size" set to 31990
      When the checkpoint is inspected
      Then no error is reported

    Scenario: A head that shares the embedding is not missed
      Given the checkpoint "gemma-2-2b"
      When the checkpoint is inspected
      Then no warning is reported

    Scenario: A prefix that the class is known for is no mismatch
      Given the checkpoint "qwen2.5-omni-7b"
      When the checkpoint is inspected
      Then no warning is reported

  Rule: 18. Code that is missing, or in another repository, is named

    Scenario: The modeling code was not downloaded
      Given the checkpoint "broken-missing-code"
      When the checkpoint is inspected
      Then a warning "custom-code-missing" is reported for "modeling_phi3.py"

    Scenario: Code of another repository
      Given the checkpoint "broken-code-elsewhere"
      When the checkpoint is inspected
      Then a warning "custom-code-elsewhere" is reported for "config.json"

  Rule: 19. The layouts of diffusion models are distinguished

    Scenario: A component that was not downloaded
      Given the checkpoint "broken-missing-component"
      When the checkpoint is inspected
      Then an error "component-missing" is reported for "vae"

    Scenario: A component without its weights
      Given the checkpoint "stable-diffusion-1.5"
      And without "unet/diffusion_pytorch_model.safetensors"
      When the checkpoint is inspected
      Then an error "component-missing" is reported for "unet"

    Scenario: An index of no component
      Given the checkpoint "broken-empty-pipeline"
      When the checkpoint is inspected
      Then an error "pipeline-empty" is reported for "model_index.json"

    Scenario Outline: A component without what says how it is made: <missing>
      Given the checkpoint "stable-diffusion-1.5"
      And without "<missing>"
      When the checkpoint is inspected
      Then an error "component-incomplete" is reported for "<place>"

      Examples:
        | missing                         | place             |
        | scheduler/scheduler_config.json | scheduler         |
        | tokenizer/vocab.json            | tokenizer         |
        | feature_extractor/*.json        | feature_extractor |

    Scenario: Weights of a component without its config
      Given the checkpoint "broken-component-config"
      When the checkpoint is inspected
      Then an error "component-incomplete" is reported for "vae/config.json"

    Scenario: A component of another model
      Given the checkpoint "broken-component-class"
      When the checkpoint is inspected
      Then a warning "component-class" is reported for "vae/config.json"

    Scenario Outline: Where a pipeline is looked for, <checkpoint> is told for what it is
      Given the checkpoint "<checkpoint>"
      When the model info is read
      Then the category is "diffusers"
      And the layout is "<layout>"
      And the task is "<task>"

      Examples:
        | checkpoint              | layout                | task                |
        | broken-single-file      | diffusers single file | diffusion_pipeline  |
        | broken-lora-as-pipeline | diffusers lora        | adapter             |
        | broken-component-alone  | diffusers component   | diffusion_component |
        | stable-diffusion-1.5    | diffusers             | diffusion_pipeline  |

    Scenario: A single file, and how to load it
      Given the checkpoint "broken-single-file"
      When the checkpoint is inspected
      Then a note "single-file-checkpoint" is reported for "v1-5-pruned-emaonly.safetensors"
      And no error is reported

    Scenario Outline: What a <class> makes of what
      Given a checkpoint with the files:
        | file             | content                    |
        | model_index.json | {"_class_name": "<class>"} |
      When the model info is read
      Then the pipeline kind is "<kind>"

      Examples:
        | class                            | kind           |
        | FluxPipeline                     | text-to-image  |
        | StableDiffusionXLImg2ImgPipeline | image-to-image |
        | WanPipeline                      | text-to-video  |
        | WanImageToVideoPipeline          | image-to-video |
        | StableAudioPipeline              | text-to-audio  |
        | TomorrowImageToVideoPipeline     | image-to-video |

  Rule: 20. Sparse autoencoders have their own failures

    Scenario: A file one letter off
      Given the checkpoint "broken-sae-misspelled"
      When the checkpoint is inspected
      Then a warning "sae-file-misspelled" is reported for "blocks.8.hook_resid_pre/sparsity.safetensor"

    Scenario: A release that is not in the layout of SAELens
      Given the checkpoint "gemma-scope-2b-res"
      When the checkpoint is inspected
      Then the sae family is "gemma-scope-1"
      And a note "sae-other-family" is reported
      And a note "sae-base-model-unknown" is reported

  Rule: More that is found without loading

    Scenario: A header of more than 100 MB
      Given the checkpoint "gpt2"
      And "model.safetensors" claims a header of 200 MB
      When the checkpoint is inspected
      Then an error "weights-header-too-large" is reported for "model.safetensors"

    Scenario: A header with one tensor name twice, of which the last counts
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertModel"], "model_type": "bert"}
        """
      And the generated files:
        """
        bytes model.safetensors
          "\xa0\x00\x00\x00\x00\x00\x00\x00" "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}" "\x00\x00\x80\x3f\x00\x00\x80\x3f"
        """
      When the checkpoint is inspected
      Then a warning "tensor-name-twice" is reported for "model.safetensors"
      And the weights tensors are 2

    Scenario: A pickle that would run a command
      Given the checkpoint "wav2vec2-base"
      And "pytorch_model.bin" is a pickle that calls "os.system"
      When the checkpoint is inspected
      Then an error "pickle-dangerous-import" is reported for "pytorch_model.bin"

    Scenario: Weights of nothing but zeros
      Given the checkpoint "gpt2"
      And "model.safetensors" is all zeros
      When the checkpoint is inspected
      Then an error "zero-filled" is reported for "model.safetensors"

    Scenario: Weights under a variant's name alone
      Given the checkpoint "gpt2"
      And "model.safetensors" is renamed to "model.fp16.safetensors"
      When the checkpoint is inspected
      Then a warning "weights-variant-only" is reported for "model.fp16.safetensors"
      And the variant is "fp16"

    Scenario: A download that did not end
      Given the checkpoint "gpt2"
      And "model.safetensors" is renamed to ".cache/huggingface/download/model.safetensors.0a1b2c.incomplete"
      When the checkpoint is inspected
      Then a warning "incomplete-download" is reported
      And an error "weights-missing" is reported

    Scenario: More tokens than the embedding has rows
      Given the checkpoint "llama-3-8b"
      And the config has "vocab_size" set to 128000
      When the checkpoint is inspected
      Then a warning "vocab-exceeds-embeddings" is reported

  Rule: A GGUF file that llama.cpp refuses is reported

    Scenario: A block without one of its tensors
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf llama-F16.gguf
          general.architecture = string llama
          llama.block_count = u32 3
          token_embd.weight F16 64 32
          blk.0.attn_q.weight F16 32 32
          blk.0.attn_norm.weight F32 32
          blk.1.attn_q.weight F16 32 32
          blk.1.attn_norm.weight F32 32
          blk.2.attn_q.weight F16 32 32
          output_norm.weight F32 32
        """
      When the checkpoint is inspected
      Then an error "tensor-missing" is reported for "llama-F16.gguf"

    Scenario: Experts that are not merged into one tensor
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf mixtral-F16.gguf
          general.architecture = string llama
          llama.block_count = u32 1
          llama.expert_count = u32 2
          token_embd.weight F16 64 32
          blk.0.ffn_gate.0.weight F16 32 32
          blk.0.ffn_gate.1.weight F16 32 32
          output_norm.weight F32 32
        """
      When the checkpoint is inspected
      Then a warning "gguf-outdated" is reported for "mixtral-F16.gguf"

    Scenario: A block for further tokens that no key counts
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf glm-F16.gguf
          general.architecture = string glm4moe
          glm4moe.block_count = u32 2
          token_embd.weight F16 64 32
          blk.0.attn_norm.weight F32 32
          blk.1.attn_norm.weight F32 32
          blk.1.nextn.eh_proj.weight F16 32 64
          output_norm.weight F32 32
        """
      When the checkpoint is inspected
      Then a warning "gguf-outdated" is reported for "glm-F16.gguf"

    Scenario: A projector without its language model
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf llava-7b-F16.gguf
          general.architecture = string clip
          clip.projector_type = string mlp
          mm.0.weight F16 64 32
        """
      When the checkpoint is inspected
      Then the task is "projector"
      And a note "gguf-projector" is reported for "llava-7b-F16.gguf"

  Rule: What stands beside the weights is looked at

    Scenario: An adapter beside a model, which transformers puts on it
      Given the checkpoint "llama-2-7b"
      And the file "adapter_config.json" holds:
        """
        {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "meta-llama/Llama-2-7b-hf"}
        """
      When the checkpoint is inspected
      Then the category is "transformers"
      And a note "adapter-beside-model" is reported for "adapter_config.json"

    Scenario: What an adapter changes
      Given the checkpoint "llama-2-7b-lora"
      When the checkpoint is inspected
      Then the answer has:
        | field           | value          |
        | adapter kind    | lora           |
        | adapter rank    | 16             |
        | adapter alpha   | 32             |
        | adapter targets | q_proj, v_proj |

    Scenario: A config with the name of a second download
      Given the checkpoint "llama-2-7b"
      And "config.json" is renamed to "config (1).json"
      When the checkpoint is inspected
      Then a warning "file-renamed" is reported for "config (1).json"

    Scenario: A speech model without the config of its feature extractor
      Given the checkpoint "whisper-small"
      And without "preprocessor_config.json"
      When the checkpoint is inspected
      Then a note "processor-missing" is reported for "preprocessor_config.json"

    Scenario: A save of FSDP that was not merged
      Given the checkpoint "llama-2-7b"
      And "special_tokens_map.json" is renamed to "pytorch_model_fsdp_0/__0_0.distcp"
      When the checkpoint is inspected
      Then a note "training-checkpoint" is reported for "pytorch_model_fsdp_0/__0_0.distcp"

    Scenario: A chat template with a block that is not closed
      Given the checkpoint "llama-3-8b"
      And the file "chat_template.jinja" holds:
        """
        {% for m in messages %}{{ m['content'] | trim }}
        """
      When the checkpoint is inspected
      Then a warning "chat-template-unreadable" is reported for "chat_template.jinja"

    Scenario: A form of tokenizer_config.json that only transformers 5 reads
      Given the checkpoint "llama-3-8b"
      And the file "tokenizer_config.json" holds:
        """
        {"tokenizer_class": "PreTrainedTokenizerFast", "extra_special_tokens": ["<a>"]}
        """
      When the checkpoint is inspected
      Then a note "newer-library-needed" is reported for "tokenizer_config.json"

    Scenario: An end of generation that never comes
      Given the checkpoint "llama-2-7b"
      And the file "generation_config.json" holds:
        """
        {"eos_token_id": 99999}
        """
      When the checkpoint is inspected
      Then a warning "special-token-id-mismatch" is reported for "generation_config.json"

    Scenario: A module of sentence-transformers whose directory is not here
      Given the checkpoint "all-minilm-l6-v2"
      And without "1_Pooling"
      When the checkpoint is inspected
      Then an error "component-missing" is reported for "1_Pooling"

    Scenario: An autoencoder narrower than its config says
      Given an empty checkpoint directory
      And the file "cfg.json" holds:
        """
        {"architecture": "jumprelu", "d_in": 64, "d_sae": 512, "metadata": {"model_name": "gemma-2-2b", "hook_name": "blocks.12.hook_resid_post"}}
        """
      And the generated files:
        """
        safetensors sae_weights.safetensors
          W_enc F32 64 256
          W_dec F32 256 64
          b_enc F32 256
          b_dec F32 64
          threshold F32 256
        """
      When the checkpoint is inspected
      Then the category is "sae"
      And the answer has:
        | field            | value                       |
        | sae architecture | jumprelu                    |
        | sae d_in         | 64                          |
        | sae d_sae        | 512                         |
        | sae hook         | blocks.12.hook_resid_post   |
      And an error "shape-mismatch" is reported for "sae_weights.safetensors"
