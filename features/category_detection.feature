@detection
Feature: Category detection
  The category says which kind of loader a checkpoint needs: transformers, vision_encoder,
  audio_encoder, asr, diffusers, sae or adapter. The most reliable evidence decides.

  Rule: Every kind of checkpoint has a category

    @benchmark:category_detection_<kind>
    Scenario Outline: <kind> by the class name
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

      Examples:
        | kind             | architecture                    | category       |
        | transformers_llm | LlamaForCausalLM                | transformers   |
        | vision_encoder   | SigLIPModel                     | vision_encoder |
        | asr_model        | WhisperForConditionalGeneration | asr            |

    @benchmark:category_detection_diffusers
    Scenario: A diffusion pipeline by its index
      Given a checkpoint with the config:
        """json
        {}
        """
      And the file "model_index.json" holds:
        """json
        {"_class_name": "StableDiffusionPipeline"}
        """
      When the category is detected
      Then the category is "diffusers"
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

    @benchmark:category_detection_sae_model
    Scenario: A sparse autoencoder by its directories
      Given a checkpoint with the config:
        """json
        {}
        """
      And the directories "resid_post, attn_out"
      When the category is detected
      Then the category is "sae"
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

    Scenario Outline: <architecture> is <category>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"

      Examples: The head decides, not the family
        | architecture                    | category       |
        | Wav2Vec2ForCTC                  | asr            |
        | Wav2Vec2Model                   | audio_encoder  |
        | HubertForCTC                    | asr            |
        | HubertModel                     | audio_encoder  |
        | WhisperForAudioClassification   | audio_encoder  |
        | Speech2TextForConditionalGeneration | asr        |
        | ASTForAudioClassification       | audio_encoder  |

      Examples: Pictures in, features or labels out
        | architecture                    | category       |
        | CLIPModel                       | vision_encoder |
        | Dinov2Model                     | vision_encoder |
        | VideoMAEModel                   | vision_encoder |
        | ViTForImageClassification       | vision_encoder |

      Examples: Pictures or sound in, text out
        | architecture                        | category     |
        | LlavaForConditionalGeneration       | transformers |
        | Qwen2VLForConditionalGeneration     | transformers |
        | Qwen2AudioForConditionalGeneration  | transformers |
        | VisionEncoderDecoderModel           | transformers |

      Examples: Text in, text out
        | architecture                    | category     |
        | T5ForConditionalGeneration      | transformers |
        | BertForMaskedLM                 | transformers |
        | GPT2LMHeadModel                 | transformers |

    Scenario: An adapter names the model it changes
      Given the checkpoint "llama-2-7b-lora"
      When the model info is read
      Then the category is "adapter"
      And the base model is "meta-llama/Llama-2-7b-hf"
      And the model is supported

    Scenario: An adapter that names no base model is reported
      Given the checkpoint "llama-2-7b-lora"
      And "adapter_config.json" has "base_model_name_or_path" set to null
      When the model info is read
      Then the category is "adapter"
      And there is no base model
      And a warning "adapter-base-unknown" is reported for "adapter_config.json"

  Rule: The index of a pipeline has precedence over everything else

    Scenario: A pipeline with a language model's config beside it is a pipeline
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      And the file "model_index.json" holds:
        """json
        {"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0"}
        """
      When the category is detected
      Then the category is "diffusers"
      And the layout is "diffusers"
      And detection used "model_index.json"

    Scenario: A pipeline with directories of a sparse autoencoder is a pipeline
      Given a checkpoint with the files:
        | file             | content                                      |
        | model_index.json | {"_class_name": "StableDiffusionPipeline"}   |
        | resid_post/      |                                              |
      When the category is detected
      Then the category is "diffusers"

    Scenario: A pipeline needs no config.json, and is supported
      Given a checkpoint with the files:
        | file                                       | content                                                    |
        | model_index.json                           | {"_class_name": "FluxPipeline", "vae": ["diffusers", "AutoencoderKL"]} |
        | vae/config.json                            | {"_class_name": "AutoencoderKL"}                           |
        | vae/diffusion_pytorch_model.safetensors    |                                                            |
      When the model info is read
      Then the category is "diffusers"
      And the architecture is "FluxPipeline"
      And the model is supported

    Scenario: A pipeline with code of its own is named by its class
      Given a checkpoint with the files:
        | file             | content                                    |
        | model_index.json | {"_class_name": ["pipeline", "MyPipeline"]} |
      When the model info is read
      Then the category is "diffusers"
      And the architecture is "MyPipeline"

    Scenario: A part of a pipeline that was saved alone belongs to diffusers
      Given a checkpoint with the config:
        """json
        {"_class_name": "FluxTransformer2DModel", "_diffusers_version": "0.30.0", "num_layers": 19}
        """
      When the category is detected
      Then the category is "diffusers"

  Rule: The files of a sparse autoencoder have precedence over the config

    Scenario: Autoencoders beside a config that says nothing
      Given a checkpoint with the config:
        """json
        {"description": "sparse autoencoders for every layer"}
        """
      And the directories "resid_post"
      When the category is detected
      Then the category is "sae"

    Scenario: An autoencoder of images is no sparse autoencoder
      Given a checkpoint with the config:
        """json
        {"_class_name": "AutoencoderKL", "latent_channels": 4}
        """
      When the category is detected
      Then the category is "diffusers"

  Rule: A class that is not listed is classified by the form of its name

    Scenario Outline: <architecture> ends like <category>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"
      And detection used "rule for names that are not listed"

      Examples:
        | architecture                 | category       |
        | FooBarV9ForCausalLM          | transformers   |
        | FooBarV9ForCTC               | asr            |
        | FooBarV9ForImageClassification | vision_encoder |
        | FooBarV9ForAudioClassification | audio_encoder |

    Scenario: A class whose name has no known shape needs transformers, as most do
      Given a checkpoint with the config:
        """json
        {"architectures": ["FooBarV9"], "model_type": "foobar"}
        """
      When the category is detected
      Then the category is "transformers"

    Scenario Outline: <architecture>, a head that says all, is <task>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "qwen3", "vision_config": {}, "text_config": {}}
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"

      Examples:
        | architecture                     | category       | task                    |
        | ZuluForSequenceClassification    | transformers   | text_classification     |
        | ZuluForTokenClassification       | transformers   | token_classification    |
        | ZuluForRewardModeling            | transformers   | reward_model            |
        | ZuluForRewardModelWithGating     | transformers   | reward_model            |
        | ZuluReranker                     | transformers   | text_classification     |
        | ZuluForRetrieval                 | transformers   | multimodal_embedding    |
        | ZuluForActionPrediction          | transformers   | vision_language_action  |
        | ZuluForUniversalSegmentation     | vision_encoder | image_segmentation      |
        | ZuluForSpeechRecognition         | asr            | asr                     |
        | ZuluForTextToSpeech              | transformers   | tts_audio_generation    |
        | ZuluForTextToImage               | transformers   | image_generation_lm     |
        | ZuluForVideoGeneration           | transformers   | image_generation_lm     |
        | ZuluForTimeSeriesForecasting     | transformers   | time_series             |
        | ZuluVocoder                      | audio_encoder  | vocoder                 |
        | ZuluForProteinFolding            | transformers   | protein                 |
        | ZuluForAnyToAny                  | transformers   | omni                    |

  Rule: If the name of a class that is not listed fits several kinds of model, its config says which

    Scenario Outline: <architecture>: <what>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "zulu9", <members>}
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And detection used "<rule>"
      And the model is not supported

      Examples: It sees
        | architecture                | what                      | category     | task            | rule                          | members |
        | ZuluForCausalLM             | sections for both         | transformers | vision_language | vision_config,text_config     | "vision_config": {"depth": 3}, "text_config": {"hidden_size": 4} |
        | ZuluForConditionalGeneration | a section for language   | transformers | vision_language | vision_config,language_config | "vision_config": {}, "language_config": {"vocab_size": 5} |
        | ZuluChat                    | a section for the LLM     | transformers | vision_language | vit_config,llm_config         | "vit_config": {}, "llm_config": {"vocab_size": 5} |
        | ZuluForCausalLM             | vision beside flat text   | transformers | vision_language | vision_config,vocab_size      | "vision_config": {}, "hidden_size": 8, "vocab_size": 9 |
        | ZuluOvis                    | a tokenizer of images     | transformers | vision_language | visual_tokenizer_config       | "visual_tokenizer_config": {}, "llm_config": {} |
        | ZuluForConditionalGeneration | codes of images          | transformers | vision_language | vq_config,text_config         | "vq_config": {"codebook_size": 8192}, "text_config": {} |
        | ZuluLMHeadModel             | a visual part             | transformers | vision_language | visual,vocab_size             | "visual": {"heads": 16, "image_size": 448}, "vocab_size": 9 |
        | ZuluVLA                     | and it acts               | transformers | vision_language_action | n_action_bins          | "vision_config": {}, "text_config": {}, "n_action_bins": 256 |
        | ZuluForCausalLM             | a tower of another model  | transformers | vision_language | mm_vision_tower               | "mm_vision_tower": "openai/clip-vit-large-patch14", "vocab_size": 9 |
        | ZuluForConditionalGeneration | an encoder of images     | transformers | vision_language | encoder:vision_encoder        | "encoder": {"model_type": "vit"}, "decoder": {"model_type": "mbart"} |
        | ZuluForConditionalGeneration | both, and a projection   | transformers | vision_language | ForConditionalGeneration      | "vision_config": {}, "text_config": {}, "projection_dim": 2048 |
        | ZuluModel                   | two towers, one space     | vision_encoder | vision_text_dual_encoder | projection_dim     | "vision_config": {}, "text_config": {}, "projection_dim": 512 |

      Examples: It hears
        | architecture                 | what                     | category     | task            | rule                          | members |
        | ZuluForConditionalGeneration | sections for both        | transformers | audio_language  | audio_config,text_config      | "audio_config": {"num_mel_bins": 128}, "text_config": {"vocab_size": 5} |
        | AudioZuluForCausalLM         | hearing beside flat text | transformers | audio_language  | audio_config,vocab_size       | "audio_config": {}, "vocab_size": 5 |
        | ZuluForCausalLM              | a section for speech     | transformers | audio_language  | speech_config,text_config     | "speech_config": {}, "text_config": {} |
        | ZuluForCausalLM              | adapters for both senses | transformers | omni_input      | speech_lora,vision_lora       | "speech_lora": {"r": 320}, "vision_lora": {"r": 256}, "vocab_size": 9 |
        | ZuluForConditionalGeneration | a spectrogram            | asr          | asr             | max_source_positions          | "num_mel_bins": 128, "max_source_positions": 1500, "vocab_size": 5 |
        | ZuluForConditionalGeneration | an encoder of sound      | asr          | asr             | encoder:audio_encoder         | "encoder": {"model_type": "wav2vec2"}, "decoder": {"model_type": "mbart"} |

      Examples: Audio output
        | architecture                 | what                     | category     | task                 | rule                            | members |
        | ZuluForConditionalGeneration | text in, a codec out     | transformers | tts_audio_generation | audio_encoder,text_encoder      | "text_encoder": {"model_type": "t5"}, "audio_encoder": {"model_type": "encodec"}, "decoder": {"num_codebooks": 4} |
        | ZuluForConditionalGeneration | a decoder in depth       | transformers | tts_audio_generation | depth_decoder_config            | "codec_config": {}, "depth_decoder_config": {}, "vocab_size": 3 |
        | ZuluForConditionalGeneration | it hears, and speaks     | transformers | speech_to_speech     | depth_decoder_config            | "audio_encoder_config": {}, "depth_decoder_config": {} |
        | ZuluForConditionalGeneration | codes one behind another | transformers | tts_audio_generation | delay_pattern                   | "encoder_config": {"vocab_size": 256}, "decoder_config": {"num_channels": 9}, "delay_pattern": [0, 8, 9] |
        | ZuluForConditionalGeneration | it thinks and talks      | transformers | omni                 | talker_config                   | "thinker_config": {"audio_config": {}}, "talker_config": {} |
        | ZuluForConditionalGeneration | it thinks                | transformers | omni_input           | thinker_config                  | "thinker_config": {"audio_config": {}} |
        | ZuluForSequenceClassification | an ear, and labels      | audio_encoder | audio_classification | feat_extract_norm              | "feat_extract_norm": "group", "num_labels": 8 |
        | ZuluCodecModel               | codes of sound           | audio_encoder | audio_codec         | codebook_size                   | "codebook_size": 1024, "sampling_rate": 24000 |

      Examples: Text in, text out
        | architecture                 | what                     | category     | task            | rule                          | members |
        | ZuluForCausalLM              | nothing else             | transformers | causal_lm       | ForCausalLM                   | "vocab_size": 9 |
        | ZuluForCausalLM              | a part that is null      | transformers | causal_lm       | ForCausalLM                   | "vision_config": null, "vocab_size": 9 |
        | ZuluForConditionalGeneration | nothing else             | transformers | seq2seq_lm      | ForConditionalGeneration      | "vocab_size": 9 |
        | ZuluForConditionalGeneration | an encoder of text       | transformers | seq2seq_lm      | encoder:transformers          | "encoder": {"model_type": "bert"}, "decoder": {"model_type": "gpt2"} |
        | ZuluModelLM                  | a head by another name   | transformers | causal_lm       | ModelLM                       | "vocab_size": 9 |
        | ZuluBertModel                | an encoder by its name   | transformers | text_encoder    | Bert                          | "vocab_size": 9 |
        | ZuluNet                      | rotary positions         | transformers | causal_lm       | rope_theta                    | "vocab_size": 9, "rope_theta": 10000.0 |

    Scenario: A task that auto_map names for models of every kind is made more exact
      Given a checkpoint with the config:
        """json
        {"architectures": ["ZuluForCausalLM"], "model_type": "zulu9", "vision_config": {}, "llm_config": {},
         "auto_map": {"AutoModelForCausalLM": "modeling_zulu.ZuluForCausalLM"}}
        """
      When the model info is read
      Then the task is "vision_language"

    Scenario: Modules that pool make a model of unknown kind one that embeds texts
      Given a checkpoint with the config:
        """json
        {"architectures": ["ZuluEmbeddingModel"], "model_type": "zulu9"}
        """
      And the file "modules.json" holds:
        """json
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
        """
      When the model info is read
      Then the task is "text_embedding"

    Scenario: Numbers in the place of words, in a class that was made for words
      Given a checkpoint with the config:
        """json
        {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "chronos_config": {"context_length": 512}}
        """
      When the model info is read
      Then the task is "time_series"
      And it loads as "T5ForConditionalGeneration"
      And detection used "chronos_config"

  Rule: A known model type has precedence over the beginning of a class name

    Scenario: A training wrapper in the place of the class
      Given a checkpoint with the config:
        """json
        {"architectures": ["DistributedDataParallel"], "model_type": "qwen3"}
        """
      When the model info is read
      Then the task is "causal_lm"
      And detection used "model type"

    Scenario: Neither is known, and the names that begin alike are told
      Given a checkpoint with the config:
        """json
        {"architectures": ["Wav2Vec2Zulu"], "model_type": "zulu9"}
        """
      When the model info is read
      Then the category is "audio_encoder"
      And detection used "begins like Wav2Vec2"

  Rule: A checkpoint whose config names neither class nor model type is classified by other keys and tensors

    Scenario Outline: <what>
      Given a checkpoint with the config:
        """json
        <config>
        """
      And the generated files:
        """
        safetensors model.safetensors
          <tensor> F32 8 4
        """
      When the model info is read
      Then the category is "transformers"
      And the task is "causal_lm"

      Examples:
        | what                         | tensor                      | config |
        | A state space model          | backbone.embedding.weight   | {"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {"layer": "Mamba2"}} |
        | A model with rotary positions | model.embed_tokens.weight  | {"hidden_size": 8, "vocab_size": 64, "rope_theta": 10000.0} |

    Scenario: The tensors of a sparse autoencoder
      Given a checkpoint with the config:
        """json
        {"d_in": 4, "d_sae": 8, "model": "google/gemma-2-2b"}
        """
      And the generated files:
        """
        safetensors model.safetensors
          W_enc F32 4 8
          W_dec F32 8 4
          b_enc F32 8
        """
      When the model info is read
      Then the category is "sae"
      And detection used "tensors of an encoder"

  Rule: A class name that is too long is ignored

    Scenario: A thousand letters
      Given a checkpoint with the config:
        """json
        {"architectures": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], "model_type": "llama"}
        """
      When the model info is read
      Then the category is "transformers"
      And the model type is "llama"
      And the architecture is "unknown"
      And a warning "config-architectures" is reported

  Rule: If nothing shows what it is, the category is unknown

    Scenario: An empty directory
      Given an empty checkpoint directory
      When the category is detected
      Then the category is "unknown"

    Scenario: An empty config
      Given a checkpoint with the config:
        """json
        {}
        """
      When the category is detected
      Then the category is "unknown"

    Scenario: A directory of notes
      Given a checkpoint with the files:
        | file      | content            |
        | README.md | # Ideas for a model |
        | notes.txt | to do              |
      When the model info is read
      Then the category is "unknown"
      And an error "nothing-recognized" is reported
