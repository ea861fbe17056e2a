@inspection
Feature: Failures
  Twenty ways in which checkpoints fail their users, each with what an inspection says of it: which
  file, what is wrong with it, and the way out. None of them needs loading to be seen.

  Rule: 1. A Git LFS pointer in the weights' place is called that, and not a header too large

    Scenario: A clone without git-lfs
      Given the checkpoint "llama-3-8b"
      And "model-00002-of-00004.safetensors" is a Git LFS pointer
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

  Rule: 2. The same look at every file, not at the weights alone

    Scenario Outline: A pointer in the place of <file>
      Given the checkpoint "llama-2-7b"
      And "<file>" is a Git LFS pointer
      When the checkpoint is inspected
      Then an error "lfs-pointer" is reported for "<file>"

      Examples:
        | file                         |
        | tokenizer.model              |
        | tokenizer.json               |
        | config.json                  |
        | model.safetensors.index.json |

  Rule: 3. A tokenizer.model may be tiktoken's

    Scenario: The tokenizer of Llama 3's own format
      Given the checkpoint "llama-3-8b"
      And without "tokenizer.json"
      And the file "tokenizer.model" holds:
        """
        IQ== 0
        Ig== 1
        Iw== 2
        """
      When the checkpoint is inspected
      Then the tokenizer type is "tiktoken"
      And a note "tokenizer-model-is-tiktoken" is reported for "tokenizer.model"

  Rule: 4. A file that was cut is found without loading it

    Scenario Outline: <file> of <checkpoint>, cut to <size>
      Given the checkpoint "<checkpoint>"
      And "<file>" is cut to <size>
      When the checkpoint is inspected
      Then an error "weights-truncated" is reported for "<file>"
      And the weights are incomplete

      Examples:
        | checkpoint      | file                             | size      |
        | llama-3-8b      | model-00004-of-00004.safetensors | 1 GB      |
        | llama-3-8b      | model-00004-of-00004.safetensors | 100 bytes |
        | llama-2-7b-gguf | llama-2-7b.Q4_K_M.gguf           | 3 GB      |
        | llama-2-7b-gguf | llama-2-7b.Q4_K_M.gguf           | 30 kB     |
        | wav2vec2-base   | pytorch_model.bin                | 100 MB    |

  Rule: 5. A missing shard is an error, since some loaders go on without it

    Scenario: One of four shards
      Given the checkpoint "llama-3-8b"
      And without "model-00003-of-00004.safetensors"
      When the checkpoint is inspected
      Then an error "shard-missing" is reported for "model-00003-of-00004.safetensors"
      And the missing are "model-00003-of-00004.safetensors"

    Scenario: One of two, and no index that would name it
      Given the checkpoint "llama-2-7b"
      And without "model.safetensors.index.json"
      And without "model-00002-of-00002.safetensors"
      When the checkpoint is inspected
      Then an error "shard-missing" is reported for "model-00002-of-00002.safetensors"

  Rule: 6. An index of an earlier save is called stale

    Scenario: An index of three shards beside a whole set of two
      Given the checkpoint "llama-2-7b"
      And the file "model.safetensors.index.json" holds:
        """json
        {"weight_map": {"model.embed_tokens.weight": "model-00001-of-00003.safetensors",
                        "model.norm.weight": "model-00002-of-00003.safetensors",
                        "lm_head.weight": "model-00003-of-00003.safetensors"}}
        """
      When the checkpoint is inspected
      Then an error "index-stale" is reported for "model.safetensors.index.json"

    Scenario: A total size that the shards do not have
      Given the checkpoint "llama-2-7b"
      And "model.safetensors.index.json" has "metadata.total_size" set to 26953670656
      When the checkpoint is inspected
      Then a warning "index-total-size" is reported for "model.safetensors.index.json"

  Rule: 7. Shards without their index are still described

    Scenario: The index was not downloaded
      Given the checkpoint "llama-3-8b"
      And without "model.safetensors.index.json"
      When the checkpoint is inspected
      Then a warning "index-missing" is reported for "model.safetensors.index.json"
      And the parameters are 8030261248
      And there are 4 weights files

  Rule: 8. Of weights that are there twice, one set counts

    Scenario: Mistral's own format beside the shards
      Given the checkpoint "mistral-7b-v0.3"
      When the checkpoint is inspected
      Then a warning "weights-duplicate" is reported for "consolidated.safetensors"
      And there are 3 weights files
      And the parameters are 7248023552
      And the ignored are "consolidated.safetensors"

    Scenario: A stray single file beside an index: what most loaders take
      Given the checkpoint "llama-2-7b"
      And "model-00001-of-00002.safetensors" is there as "model.safetensors" too
      When the checkpoint is inspected
      Then a warning "weights-single-and-index" is reported for "model.safetensors"
      And the weights files are "model.safetensors"

    Scenario: Another format beside the one in use
      Given the checkpoint "bert-base-uncased"
      When the checkpoint is inspected
      Then a note "weights-duplicate" is reported for "pytorch_model.bin"
      And the parameters are 110106428

  Rule: 9. A tokenizer that is newer than its readers says in which part

    Scenario: A part of a type that nobody knows
      Given the checkpoint "gpt2"
      And "tokenizer.json" has "pre_tokenizer" set to {"type": "QuantumSplit"}
      When the checkpoint is inspected
      Then a warning "tokenizer-component-unknown" is reported for "tokenizer.json"

    Scenario: Merges as pairs, which older readers refuse
      Given the checkpoint "step3-vl-10b"
      When the checkpoint is inspected
      Then a note "tokenizer-merges-as-pairs" is reported for "tokenizer.json"

  Rule: 10. What we do not know is told from what is broken

    Scenario: A class of tomorrow, in a checkpoint written by tomorrow's library
      Given the checkpoint "llama-3-8b"
      And the config has "architectures" set to ["TomorrowForCausalLM"]
      And the config has "model_type" set to "tomorrow"
      And the config has "transformers_version" set to "9.0.0"
      When the checkpoint is inspected
      Then a warning "architecture-unknown" is reported for "config.json"
      And a warning "architecture-newer" is reported for "config.json"
      And no error is reported
      And the weights are complete

  Rule: 11. Without a config, what is there is named

    Scenario: A class and no model type
      Given the checkpoint "llama-3-8b"
      And the config has no "model_type"
      When the checkpoint is inspected
      Then a warning "model-type-missing" is reported for "config.json"

    Scenario: Weights without a config
      Given the checkpoint "llama-3-8b"
      And without "config.json"
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

  Rule: 12. An adapter is no model

    Scenario: A LoRA as it is published
      Given the checkpoint "llama-2-7b-lora"
      When the checkpoint is inspected
      Then the category is "adapter"
      And the base model is "meta-llama/Llama-2-7b-hf"
      And no error is reported

  Rule: 13. A bad base model is null, a dead path, or a name: three answers

    Scenario: Null
      Given the checkpoint "llama-2-7b-lora"
      And "adapter_config.json" has "base_model_name_or_path" set to null
      When the checkpoint is inspected
      Then a warning "adapter-base-unknown" is reported for "adapter_config.json"

    Scenario: A path of the machine that it was trained on
      Given the checkpoint "llama-2-7b-lora"
      And "adapter_config.json" has "base_model_name_or_path" set to "/workspace/models/llama-2-7b"
      When the checkpoint is inspected
      Then a warning "adapter-base-path" is reported for "adapter_config.json"

  Rule: 14. No checkpoint is hidden because its class is on no list

    Scenario: A slip in the class
      Given the checkpoint "qwen3-8b"
      And the config has "architectures" set to ["Qwen3ForCasualLM"]
      And the config has "model_type" set to "qwen3_custom"
      When the checkpoint is inspected
      Then a warning "architecture-unknown" is reported for "config.json"
      And the parameters are 8190735360
      And the tokenizer type is "BPE"

  Rule: 15. "Not supported" does not mask another cause

    Scenario: A base class is known, and writes no text
      Given the checkpoint "llama-3-8b"
      And the config has "architectures" set to ["LlamaModel"]
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
      Given the checkpoint "llama-3-8b"
      And the config has "quantization_config" set to {"quant_method": "zipquant", "bits": 3}
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
      Given the checkpoint "llama-2-7b-chat-awq"
      And the file "quant_config.json" holds:
        """json
        {"w_bit": 8, "zero_point": true, "version": "GEMM"}
        """
      When the checkpoint is inspected
      Then a warning "quantization-conflict" is reported for "quant_config.json"
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

  Rule: 17. Tensors under another prefix are found before loading

    Scenario: The weights of a vision model under a language model's class
      Given the checkpoint "llava-1.5-7b"
      And the config has "architectures" set to ["LlamaForCausalLM"]
      And the config has "model_type" set to "llama"
      When the checkpoint is inspected
      Then a warning "weight-prefix-mismatch" is reported

    Scenario: No output head, and nothing that ties it
      Given the checkpoint "gemma-2-2b"
      And the config has "tie_word_embeddings" set to false
      When the checkpoint is inspected
      Then a warning "weight-without-counterpart" is reported

  Rule: 18. Code that is missing, or in another repository, is named

    Scenario: The modeling code was not downloaded
      Given the checkpoint "phi-3-mini"
      And without "modeling_phi3.py"
      When the checkpoint is inspected
      Then a warning "custom-code-missing" is reported for "modeling_phi3.py"

    Scenario: Code of another repository
      Given the checkpoint "phi-3-mini"
      And the config has "auto_map" set to {"AutoConfig": "nomic-ai/nomic-bert-2048--configuration_hf_nomic_bert.NomicBertConfig"}
      When the checkpoint is inspected
      Then a warning "custom-code-elsewhere" is reported for "config.json"

  Rule: 19. The layouts of diffusion models are told apart

    Scenario: A component that was not downloaded
      Given the checkpoint "stable-diffusion-1.5"
      And without "vae"
      When the checkpoint is inspected
      Then an error "component-missing" is reported for "vae"

    Scenario: A component without its weights
      Given the checkpoint "stable-diffusion-1.5"
      And without "unet/diffusion_pytorch_model.safetensors"
      When the checkpoint is inspected
      Then an error "component-missing" is reported for "unet"

    Scenario: An index of no component
      Given a checkpoint with the files:
        | file             | content                                     |
        | model_index.json | {"_class_name": "StableDiffusionPipeline"}  |
      When the checkpoint is inspected
      Then an error "pipeline-empty" is reported for "model_index.json"

  Rule: 20. Autoencoders have failures of their own

    Scenario: A file one letter off
      Given the checkpoint "saelens-gpt2-small"
      And "blocks.8.hook_resid_pre/sparsity.safetensors" is renamed to "blocks.8.hook_resid_pre/sparsity.safetensor"
      When the checkpoint is inspected
      Then a warning "sae-file-misspelled" is reported for "blocks.8.hook_resid_pre/sparsity.safetensor"

    Scenario: A release that is not in the layout of SAELens
      Given the checkpoint "gemma-scope-2b-res"
      When the checkpoint is inspected
      Then the sae family is "gemma-scope-1"
      And a note "sae-other-family" is reported
      And a note "sae-base-model-unknown" is reported

  Rule: What else is seen without loading

    Scenario: A header of more than 100 MB
      Given the checkpoint "gpt2"
      And "model.safetensors" claims a header of 200 MB
      When the checkpoint is inspected
      Then an error "weights-header-too-large" is reported for "model.safetensors"

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
