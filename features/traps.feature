@detection
Feature: Traps
  Checkpoints on which quick detection goes wrong: names that mislead, files that are missing,
  renamed or doubled, configs of other tools. Each has a number, and the answer that is right.

  Rule: The task in the class name decides, not the model family

    @trap:<id>
    Scenario Outline: <id> <architecture> is <category>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "<model type>"}
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the architecture is "<architecture>"
      And the model type is "<model type>"
      And the model is supported

      Examples: Speech that becomes text, labels or features
        | id   | architecture                 | model type                  | category      | task                 |
        | T004 | WhisperForAudioClassification | whisper                    | audio_encoder | audio_classification |
        | T006 | Wav2Vec2ForCTC               | wav2vec2                    | asr           | asr_ctc              |
        | T007 | HubertForCTC                 | hubert                      | asr           | asr_ctc              |
        | T007 | HubertModel                  | hubert                      | audio_encoder | audio_encoder        |
        | T009 | ASTForAudioClassification    | audio-spectrogram-transformer | audio_encoder | audio_classification |

      Examples: Text or speech that becomes speech
        | id   | architecture                 | model type   | category     | task                 |
        | T010 | DiaForConditionalGeneration  | dia          | transformers | tts_audio_generation |
        | T012 | SpeechT5ForSpeechToText      | speecht5     | asr          | asr                  |
        | T012 | SpeechT5ForTextToSpeech      | speecht5     | transformers | tts_audio_generation |
        | T012 | SpeechT5ForSpeechToSpeech    | speecht5     | transformers | speech_to_speech     |
        | T013 | SeamlessM4TForSpeechToText   | seamless_m4t | asr          | asr                  |
        | T013 | SeamlessM4TForTextToText     | seamless_m4t | transformers | seq2seq_lm           |
        | T013 | SeamlessM4TForTextToSpeech   | seamless_m4t | transformers | tts_audio_generation |
        | T013 | SeamlessM4TModel             | seamless_m4t | asr          | speech_translation   |

      Examples: Labels and scores instead of text
        | id   | architecture                   | model type | category     | task                |
        | T025 | LlamaForSequenceClassification | llama      | transformers | text_classification |
        | T039 | LayoutLMForQuestionAnswering   | layoutlm   | transformers | document_qa         |
        | T039 | BertForQuestionAnswering       | bert       | transformers | question_answering  |
        | T039 | ViltForQuestionAnswering       | vilt       | transformers | vision_language     |

      Examples: Proteins and robots, in classes named like language models
        | id   | architecture                | model type | category     | task                   |
        | T049 | EsmForMaskedLM              | esm        | transformers | masked_lm              |
        | T049 | EvollaForProteinText2Text   | evolla     | transformers | protein                |
        | T051 | PI0ForConditionalGeneration | pi0        | transformers | vision_language_action |
        | T051 | OpenVLAForActionPrediction  | openvla    | transformers | vision_language_action |

      Examples: Drafts for speculative decoding
        | id   | architecture                | model type      | category     | task              |
        | T043 | LlamaForCausalLMEagle3      | llama           | transformers | speculative_draft |
        | T043 | Eagle3LlamaForCausalLM      | llama           | transformers | speculative_draft |
        | T043 | MLPSpeculatorPreTrainedModel | mlp_speculator | transformers | speculative_draft |
        | T043 | DFlashDraftModel            | qwen3           | transformers | speculative_draft |

    @trap:T025
    Scenario: T025 A reward model keeps its class and its labels
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForSequenceClassification"], "model_type": "llama", "num_labels": 1, "id2label": {"0": "LABEL_0"}}
        """
      When the model info is read
      Then the task is "text_classification"
      And it loads as "LlamaForSequenceClassification"

  Rule: The kinds of input and output decide, not the words in the name

    @trap:<id>
    Scenario Outline: <id> <architecture> is <category>
      Given a checkpoint with the config:
        """json
        <config>
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the architecture is "<architecture>"
      And the model type is "<model type>"

      Examples: Two towers without a language model
        | id   | architecture       | model type           | category       | task                     | config |
        | T001 | CLIPModel          | clip                 | vision_encoder | vision_text_dual_encoder | {"architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": 512, "text_config": {"model_type": "clip_text_model"}, "vision_config": {"model_type": "clip_vision_model"}} |
        | T003 | SiglipModel        | siglip               | vision_encoder | vision_text_dual_encoder | {"architectures": ["SiglipModel"], "model_type": "siglip", "text_config": {}, "vision_config": {}} |
        | T003 | Siglip2Model       | siglip2              | vision_encoder | vision_text_dual_encoder | {"architectures": ["Siglip2Model"], "model_type": "siglip2"} |
        | T003 | SiglipVisionModel  | siglip_vision_model  | vision_encoder | vision_encoder           | {"architectures": ["SiglipVisionModel"], "model_type": "siglip_vision_model"} |
        | T031 | InternVisionModel  | intern_vit_6b        | vision_encoder | vision_encoder           | {"architectures": ["InternVisionModel"], "model_type": "intern_vit_6b", "hidden_size": 3200, "image_size": 448, "patch_size": 14} |

      Examples: Language models that hear or see
        | id   | architecture                         | model type             | category     | task            | config |
        | T015 | Qwen2AudioForConditionalGeneration   | qwen2_audio            | transformers | audio_language  | {"architectures": ["Qwen2AudioForConditionalGeneration"], "model_type": "qwen2_audio", "audio_config": {"model_type": "qwen2_audio_encoder"}, "text_config": {"model_type": "qwen2"}} |
        | T016 | AudioFlamingo3ForConditionalGeneration | audioflamingo3       | transformers | audio_language  | {"architectures": ["AudioFlamingo3ForConditionalGeneration"], "model_type": "audioflamingo3", "audio_config": {}, "text_config": {"model_type": "qwen2"}} |
        | T019 | MultiModalityCausalLM                | multi_modality         | transformers | vision_language | {"architectures": ["MultiModalityCausalLM"], "model_type": "multi_modality", "vision_config": {"cls": "CLIPVisionTower"}, "aligner_config": {}, "language_config": {"model_type": "llama"}} |
        | T028 | VisionEncoderDecoderModel            | vision-encoder-decoder | transformers | vision_language | {"architectures": ["VisionEncoderDecoderModel"], "model_type": "vision-encoder-decoder", "encoder": {"model_type": "donut-swin"}, "decoder": {"model_type": "mbart"}} |
        | T030 | InternVLChatModel                    | internvl_chat          | transformers | vision_language | {"architectures": ["InternVLChatModel"], "model_type": "internvl_chat", "llm_config": {"architectures": ["Qwen2ForCausalLM"]}, "vision_config": {"architectures": ["InternVisionModel"]}, "auto_map": {"AutoConfig": "configuration_internvl_chat.InternVLChatConfig", "AutoModel": "modeling_internvl_chat.InternVLChatModel"}} |

      Examples: The bodies of families that have Vision in their name
        | id   | architecture        | model type      | category     | task                     | config |
        | T027 | AyaVisionModel      | aya_vision      | transformers | vision_language_backbone | {"architectures": ["AyaVisionModel"], "model_type": "aya_vision", "text_config": {"model_type": "cohere2"}, "vision_config": {"model_type": "siglip_vision_model"}} |
        | T027 | Cohere2VisionModel  | cohere2_vision  | transformers | vision_language_backbone | {"architectures": ["Cohere2VisionModel"], "model_type": "cohere2_vision", "text_config": {}, "vision_config": {}} |
        | T027 | Granite4VisionModel | granite4_vision | transformers | vision_language_backbone | {"architectures": ["Granite4VisionModel"], "model_type": "granite4_vision", "text_config": {}, "vision_config": {}} |

      Examples: Roles that no config shows, and that are not guessed
        | id   | architecture     | model type | category     | task      | config |
        | T021 | ChatGLMModel     | chatglm    | transformers | causal_lm | {"architectures": ["ChatGLMModel"], "model_type": "chatglm", "vocab_size": 168960} |
        | T022 | LlamaForCausalLM | llama      | transformers | causal_lm | {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 156940} |

      Examples: Autoencoders that are not sparse
        | id   | architecture        | model type | category       | task                | config |
        | T129 | AutoencoderKL       | unknown    | diffusers      | diffusion_component | {"_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0", "latent_channels": 4} |
        | T129 | AutoencoderTiny     | unknown    | diffusers      | diffusion_component | {"_class_name": "AutoencoderTiny", "_diffusers_version": "0.30.0"} |
        | T129 | ViTMAEForPreTraining | vit_mae   | vision_encoder | vision_encoder      | {"architectures": ["ViTMAEForPreTraining"], "model_type": "vit_mae"} |
        | T129 | EncodecModel        | encodec    | audio_encoder  | audio_codec         | {"architectures": ["EncodecModel"], "model_type": "encodec"} |

    @trap:T022
    Scenario: T022 A speech model that keeps its language model in a directory
      Given a checkpoint with the files:
        | file                                  | content |
        | README.md                             | # Speech from text |
        | config.yaml                           | sample_rate: 16000 |
        | BiCodec/config.yaml                   | audio_tokenizer: {} |
        | BiCodec/model.safetensors             |  |
        | LLM/config.json                       | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"} |
        | LLM/model.safetensors                 |  |
        | wav2vec2-large-xlsr-53/config.json    | {"architectures": ["Wav2Vec2ForPreTraining"], "model_type": "wav2vec2"} |
        | wav2vec2-large-xlsr-53/pytorch_model.bin |  |
      When the model info is read
      Then the category is "unknown"
      And the layout is "several models"
      And the candidates are "LLM, wav2vec2-large-xlsr-53"
      And a warning "layout-ambiguous" is reported

    @trap:T024
    Scenario Outline: T024 <architecture> with a pooling module embeds texts, and stays what it is
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "<model type>"}
        """
      And the file "modules.json" holds:
        """json
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        """
      And the file "1_Pooling/config.json" holds:
        """json
        {"word_embedding_dimension": 4096, "pooling_mode_lasttoken": true}
        """
      When the model info is read
      Then the category is "transformers"
      And the layout is "sentence-transformers"
      And the architecture is "<architecture>"
      And the model type is "<model type>"

      Examples:
        | architecture     | model type |
        | Qwen2Model       | qwen2      |
        | MistralModel     | mistral    |
        | Qwen3ForCausalLM | qwen3      |

  Rule: A model of a family with audio and vision has these only if its config has the parts

    @trap:<id>
    Scenario Outline: <id> <architecture>: <what>
      Given a checkpoint with the config:
        """json
        <config>
        """
      When the model info is read
      Then the category is "transformers"
      And the task is "<task>"
      And the architecture is "<architecture>"
      And the model type is "<model type>"
      And the is omni is <omni>
      And the has talker is <talker>

      Examples:
        | id   | what                   | architecture                        | model type           | task            | omni | talker | config |
        | T018 | with both parts        | MiMoV2ForCausalLM                   | mimo_v2              | omni_input      | yes  | yes    | {"architectures": ["MiMoV2ForCausalLM"], "model_type": "mimo_v2", "vision_config": {"depth": 28}, "audio_config": {"hidden_size": 1280}} |
        | T018 | text only              | MiMoV2ForCausalLM                   | mimo_v2              | causal_lm       | no   | no     | {"architectures": ["MiMoV2ForCausalLM"], "model_type": "mimo_v2"} |
        | T045 | speaking               | Qwen3OmniMoeForConditionalGeneration | qwen3_omni_moe      | omni            | yes  | yes    | {"architectures": ["Qwen3OmniMoeForConditionalGeneration"], "model_type": "qwen3_omni_moe", "enable_audio_output": true, "thinker_config": {}, "talker_config": {}, "code2wav_config": {}} |
        | T045 | speech switched off    | Qwen3OmniMoeForConditionalGeneration | qwen3_omni_moe      | omni_input      | yes  | no     | {"architectures": ["Qwen3OmniMoeForConditionalGeneration"], "model_type": "qwen3_omni_moe", "enable_audio_output": false, "thinker_config": {}, "talker_config": {}} |
        | T045 | thinker alone          | Qwen3OmniMoeForConditionalGeneration | qwen3_omni_moe      | omni_input      | yes  | no     | {"architectures": ["Qwen3OmniMoeForConditionalGeneration"], "model_type": "qwen3_omni_moe", "enable_audio_output": false, "thinker_config": {}} |
        | T046 | the name on the hub    | Qwen2_5OmniModel                    | qwen2_5_omni         | omni            | yes  | yes    | {"architectures": ["Qwen2_5OmniModel"], "model_type": "qwen2_5_omni", "thinker_config": {}, "talker_config": {}} |
        | T048 | without sound          | NemotronH_Nano_VL_V2                | NemotronH_Nano_VL_V2 | vision_language | no   | no     | {"architectures": ["NemotronH_Nano_VL_V2"], "model_type": "NemotronH_Nano_VL_V2", "vision_config": {}, "llm_config": {}} |
        | T048 | with sound             | NemotronH_Nano_VL_V2                | NemotronH_Nano_VL_V2 | omni_input      | yes  | no     | {"architectures": ["NemotronH_Nano_VL_V2"], "model_type": "NemotronH_Nano_VL_V2", "vision_config": {}, "sound_config": {}, "llm_config": {}} |
        | T063 | sizes two levels down  | Qwen2_5OmniForConditionalGeneration | qwen2_5_omni         | omni            | yes  | yes    | {"architectures": ["Qwen2_5OmniForConditionalGeneration"], "model_type": "qwen2_5_omni", "thinker_config": {"text_config": {"num_hidden_layers": 28, "hidden_size": 3584}}, "talker_config": {}} |

  Rule: A class name is recognised in any spelling, and reported as it is written

    @trap:<id>
    Scenario Outline: <id> <architecture> is known
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the architecture is "<architecture>"
      And the model is supported

      Examples:
        | id   | architecture                             | category     | task            |
        | T034 | modeling_grove_moe.GroveMoeForCausalLM   | transformers | causal_lm       |
        | T034 | modeling_sarvam_moe.SarvamMoEForCausalLM | transformers | causal_lm       |
        | T036 | BitnetForCausalLM                        | transformers | causal_lm       |
        | T036 | BitNetForCausalLM                        | transformers | causal_lm       |
        | T036 | LightOnOCRForConditionalGeneration       | transformers | vision_language |
        | T036 | LightOnOcrForConditionalGeneration       | transformers | vision_language |
        | T036 | PhiMoEForCausalLM                        | transformers | causal_lm       |
        | T036 | PhimoeForCausalLM                        | transformers | causal_lm       |
        | T036 | Kimi_K25ForConditionalGeneration         | transformers | vision_language |
        | T036 | KimiK25ForConditionalGeneration          | transformers | vision_language |
        | T036 | OLMoForCausalLM                          | transformers | causal_lm       |
        | T036 | OlmoForCausalLM                          | transformers | causal_lm       |

    @trap:T034
    Scenario Outline: T034 A class behind its module loads as <class>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "<model type>"}
        """
      When the model info is read
      Then it loads as "<class>"
      And the model type is "<model type>"

      Examples:
        | architecture                             | model type | class                |
        | modeling_grove_moe.GroveMoeForCausalLM   | grove_moe  | GroveMoeForCausalLM  |
        | modeling_sarvam_moe.SarvamMoEForCausalLM | sarvam_moe | SarvamMoEForCausalLM |
        | modeling_other.LlamaForCausalLM          | llama      | LlamaForCausalLM     |

    @trap:T037
    Scenario Outline: T037 <architecture> is released tomorrow
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "foobar_v9"}
        """
      When the model info is read
      Then the category is "<category>"
      And the architecture is "<architecture>"
      And the model type is "foobar_v9"
      And detection used "rule for names that are not listed"
      And the model is not supported

      Examples:
        | architecture                       | category       |
        | FooBarV9ForCausalLM                | transformers   |
        | FooBarV9LMHeadModel                | transformers   |
        | FooBarV9ForConditionalGeneration   | transformers   |
        | FooBarV9ForCTC                     | asr            |
        | FooBarV9ForImageClassification     | vision_encoder |
        | FooBarV9ForObjectDetection         | vision_encoder |
        | FooBarV9ForAudioClassification     | audio_encoder  |

    @trap:T042
    Scenario Outline: T042 <file> holds the weights of the class without a prefix
      Given a checkpoint with the files:
        | file        | content                                                           | size   |
        | config.json | {"architectures": ["BertForMaskedLM"], "model_type": "bert"}      |        |
        | vocab.txt   | [PAD]\n[UNK]\n                                                    |        |
        | <file>      |                                                                   | 440 MB |
      When the checkpoint is inspected
      Then the category is "transformers"
      And the architecture is "BertForMaskedLM"
      And the model type is "bert"
      And the weights format is "<format>"

      Examples:
        | file              | format     |
        | tf_model.h5       | tensorflow |
        | flax_model.msgpack | flax      |

  Rule: Architectures and model type are taken as they are, and mistakes in them are reported

    @trap:T033
    Scenario: T033 Nulls in the parts of a config hide nothing
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlavaForConditionalGeneration"], "model_type": "llava",
         "text_config": {"architectures": null, "model_type": "llama"},
         "vision_config": {"architectures": null, "model_type": "clip_vision_model"}}
        """
      When the model info is read
      Then the category is "transformers"
      And the architectures are "LlavaForConditionalGeneration"
      And the model type is "llava"
      And no finding is reported

    @trap:T040
    Scenario: T040 Of two architectures the first decides
      Given a checkpoint with the config:
        """json
        {"architectures": ["Wav2Vec2ForCTC", "LlamaForCausalLM"]}
        """
      When the model info is read
      Then the category is "asr"
      And the architecture is "Wav2Vec2ForCTC"
      And the architectures are "Wav2Vec2ForCTC, LlamaForCausalLM"

    @trap:<id>
    Scenario Outline: <id> Architectures that are <what>: the model type tells
      Given a checkpoint with the config:
        """json
        <config>
        """
      When the model info is read
      Then the category is "transformers"
      And the task is "causal_lm"
      And there are no architectures
      And the architecture is "unknown"
      And the model type is "gpt2"
      And it loads as "GPT2LMHeadModel"
      And detection used "model type"

      Examples:
        | id   | what          | config                                                              |
        | T052 | missing       | {"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768}  |
        | T054 | an empty list | {"architectures": [], "model_type": "gpt2", "n_layer": 12}          |

    @trap:T055
    Scenario: T055 A model type that is missing is not guessed from the directory's name
      Given the directory "models/roberta-gpt2-merge" for the checkpoint
      And a checkpoint with the config:
        """json
        {"architectures": ["BertForMaskedLM"], "vocab_size": 30522}
        """
      When the model info is read
      Then the category is "transformers"
      And the architecture is "BertForMaskedLM"
      And the model type is "unknown"
      And it loads as "BertForMaskedLM"

    @trap:T057
    Scenario: T057 Class and model type of different families: the class decides, and both are told
      Given a checkpoint with the config:
        """json
        {"architectures": ["Qwen2ForCausalLM"], "model_type": "llama"}
        """
      When the model info is read
      Then the category is "transformers"
      And the architecture is "Qwen2ForCausalLM"
      And the model type is "llama"
      And a warning "architecture-mismatch" is reported for "config.json"

    @trap:T058
    Scenario: T058 Mistral with a type for each layer keeps its model type
      Given a checkpoint with the config:
        """json
        {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "layer_types": ["full_attention", "sliding_attention"]}
        """
      When the model info is read
      Then the category is "transformers"
      And the architecture is "MistralForCausalLM"
      And the model type is "mistral"

    @trap:T060
    Scenario: T060 A config that sends newer readers to another one
      Given a checkpoint with the files:
        | file              | content |
        | config.json       | {"architectures": ["BertModel"], "model_type": "bert", "configuration_files": ["config.4.9.0.json", "config.4.10.0.json"]} |
        | config.4.9.0.json | {"architectures": ["BertForTokenClassification"], "model_type": "bert"} |
        | config.4.10.0.json | {"architectures": ["BertForMaskedLM"], "model_type": "bert"} |
      When the model info is read
      Then the architecture is "BertForMaskedLM"
      And the task is "masked_lm"

    @trap:T061
    Scenario Outline: T061 Only auto_map names the class: <what>
      Given a checkpoint with the config:
        """json
        {"model_type": "mystery", "auto_map": <auto map>}
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the architecture is "<class>"
      And the model type is "mystery"
      And detection used "auto_map"

      Examples:
        | what                   | class                     | category       | task                 | auto map |
        | a language model       | MysteryForCausalLM        | transformers   | causal_lm            | {"AutoConfig": "configuration_mystery.MysteryConfig", "AutoModelForCausalLM": "modeling_mystery.MysteryForCausalLM"} |
        | body and head          | MysteryForCausalLM        | transformers   | causal_lm            | {"AutoModel": "modeling_mystery.MysteryModel", "AutoModelForCausalLM": "modeling_mystery.MysteryForCausalLM"} |
        | of another repository  | MysterySpeech             | asr            | asr                  | {"AutoModelForSpeechSeq2Seq": "someone/mystery--modeling_mystery.MysterySpeech"} |
        | images                 | MysteryNet                | vision_encoder | image_classification | {"AutoModelForImageClassification": "modeling_mystery.MysteryNet"} |

    @trap:T061
    Scenario: T061 A tokenizer's list in auto_map names no model
      Given a checkpoint with the config:
        """json
        {"model_type": "llama", "auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", null]}}
        """
      When the model info is read
      Then the architecture is "unknown"
      And the category is "transformers"
      And the custom files are "tokenization_x.py"

    @trap:T072
    Scenario Outline: T072 A model type that is <what>
      Given a checkpoint with the config:
        """json
        {"model_type": <value>}
        """
      When the model info is read
      Then the category is "unknown"
      And the model type is "unknown"
      And a warning "config-model-type" is reported for "config.json"

      Examples:
        | what     | value     |
        | a list   | ["llama"] |
        | a number | 7         |

  Rule: A config is read as other readers read it

    @trap:<id>
    Scenario Outline: <id> <what>
      Given a checkpoint with the config:
        """
        <config>
        """
      When the model info is read
      Then the category is "transformers"
      And the architecture is "<architecture>"
      And the model type is "<model type>"

      Examples:
        | id   | what                     | architecture     | model type | config |
        | T064 | minus infinity           | GemmaForCausalLM | gemma      | {"architectures": ["GemmaForCausalLM"], "attention_invalid_logits_value": -Infinity, "model_type": "gemma"} |
        | T064 | not a number             | GemmaForCausalLM | gemma      | {"architectures": ["GemmaForCausalLM"], "initializer_range": NaN, "model_type": "gemma"} |
        | T069 | floats in place of integers | Qwen2ForCausalLM | qwen2   | {"architectures": ["Qwen2ForCausalLM"], "vocab_size": 151936.0, "rope_theta": 1e6, "model_type": "qwen2"} |
        | T069 | a number beyond all      | Qwen2ForCausalLM | qwen2      | {"architectures": ["Qwen2ForCausalLM"], "max_position_embeddings": 1e30, "rope_theta": 10000000.0, "model_type": "qwen2"} |

    @trap:T066
    Scenario: T066 A byte order mark is passed over, and reported
      Given the checkpoint "gpt2"
      And "config.json" starts with a byte order mark
      When the model info is read
      Then the architecture is "GPT2LMHeadModel"
      And a warning "config-byte-order-mark" is reported for "config.json"

    @trap:T067
    Scenario Outline: T067 <what> is no JSON
      Given a checkpoint with the config:
        """
        <config>
        """
      When the model info is read
      Then reading fails with "not JSON" in "config.json"

      Examples:
        | what             | config                                                     |
        | A comment        | {"model_type": "llama" // the usual\n}                     |
        | A trailing comma | {"architectures": ["LlamaForCausalLM"], "model_type": "llama",} |

    @trap:T070
    Scenario Outline: T070 <whose> has a config.json too, and is no model
      Given a checkpoint with the files:
        | file        | content   |
        | config.json | <config>  |
        | README.md   | # A tool  |
        | <other>     |           |
      When the model info is read
      Then the category is "unknown"
      And the architecture is "unknown"
      And the model type is "unknown"
      And the model is not supported
      And an error "nothing-recognized" is reported

      Examples:
        | whose              | other          | config                                                           |
        | A JavaScript app   | package.json   | {"name": "my-app", "port": 8080, "env": {"NODE_ENV": "production"}} |
        | A node of ComfyUI  | __init__.py    | {"comfyui_path": "/opt/comfy", "nodes": ["loader"]}               |
        | A manual           | mkdocs.yml     | {"site_name": "Docs", "theme": {"name": "material"}}              |
        | A build            | Dockerfile     | {"architecture": "arm64", "mapping": {"8080": "80"}, "os": "linux"} |

    @trap:T070
    Scenario: T070 A config that says nothing, beside weights, belongs to them
      Given a checkpoint with the files:
        | file              | content            | size |
        | config.json       | {"hidden_size": 8} |      |
        | pytorch_model.bin |                    | 1 MB |
      When the model info is read
      Then the category is "transformers"
      And the architecture is "unknown"

  Rule: A checkpoint without config.json is recognised by its other files

    @trap:T073
    Scenario Outline: T073 Mistral's own files: <what>
      Given a checkpoint with the files:
        | file                     | content  | size  |
        | params.json              | <params> |       |
        | consolidated.safetensors |          | 14 GB |
        | tekken.json              | {}       |       |
      When the model info is read
      Then the category is "<category>"
      And the layout is "mistral native"
      And it loads as "<class>"
      And the architecture is "unknown"
      And the model type is "unknown"
      And detection used "params.json"
      And the model is supported

      Examples:
        | what          | class                           | category     | params |
        | plain         | MistralForCausalLM              | transformers | {"dim": 4096, "n_layers": 32, "n_heads": 32, "vocab_size": 32768} |
        | experts       | MixtralForCausalLM              | transformers | {"dim": 4096, "n_layers": 32, "moe": {"num_experts": 8, "num_experts_per_tok": 2}} |
        | images        | PixtralForConditionalGeneration | transformers | {"dim": 5120, "n_layers": 40, "vision_encoder": {"hidden_size": 1024, "patch_size": 16}} |
        | images, newer | PixtralForConditionalGeneration | transformers | {"dim": 5120, "n_layers": 40, "multimodal": {"vision_encoder_args": {"hidden_size": 1024}}} |
        | speech        | VoxtralForConditionalGeneration | asr          | {"dim": 3072, "n_layers": 30, "multimodal": {"whisper_model_args": {"encoder_args": {}}}} |

    @trap:T100
    Scenario: T100 timm has an architecture in the singular
      Given a checkpoint with the config:
        """json
        {"architecture": "vit_base_patch16_224", "num_classes": 1000, "num_features": 768, "global_pool": "token",
         "pretrained_cfg": {"tag": "augreg2_in21k_ft_in1k", "input_size": [3, 224, 224]}, "model_args": {}}
        """
      When the model info is read
      Then the category is "vision_encoder"
      And the layout is "timm"
      And the architecture is "vit_base_patch16_224"
      And the model type is "unknown"
      And it loads as "TimmWrapperModel"

    @trap:T102
    Scenario: T102 open_clip alone
      Given a checkpoint with the files:
        | file                          | content | size  |
        | open_clip_config.json         | {"model_cfg": {"embed_dim": 512, "vision_cfg": {"layers": 12}, "text_cfg": {"layers": 12}}, "preprocess_cfg": {}} | |
        | open_clip_pytorch_model.bin   |         | 600 MB |
      When the model info is read
      Then the category is "vision_encoder"
      And the task is "vision_text_dual_encoder"
      And the layout is "open_clip"
      And the architecture is "unknown"

    @trap:T102
    Scenario: T102 open_clip beside a CLIP of transformers
      Given the checkpoint "clip-vit-base-patch32"
      And the file "open_clip_config.json" holds:
        """json
        {"model_cfg": {"embed_dim": 512}, "preprocess_cfg": {}}
        """
      When the model info is read
      Then the category is "vision_encoder"
      And the architecture is "CLIPModel"
      And the model type is "clip"

    @trap:T103
    Scenario: T103 A pooling module is no model of its own
      Given the checkpoint "all-minilm-l6-v2"
      When the model info is read
      Then the category is "transformers"
      And the layout is "sentence-transformers"
      And the architecture is "BertModel"
      And the model type is "bert"
      And there are no candidates

    @trap:T103
    Scenario: T103 An old sentence-transformers model keeps its transformer in a directory
      Given a checkpoint with the files:
        | file                               | content |
        | modules.json                       | [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}] |
        | 0_Transformer/config.json          | {"architectures": ["RobertaModel"], "model_type": "roberta"} |
        | 0_Transformer/pytorch_model.bin    |         |
        | 1_Pooling/config.json              | {"word_embedding_dimension": 768} |
      When the model info is read
      Then the category is "transformers"
      And the layout is "sentence-transformers"
      And the architecture is "RobertaModel"
      And the model type is "roberta"
      And detection used "0_Transformer"
      And the model is supported

    @trap:T121
    Scenario: T121 Whisper for CTranslate2
      Given a checkpoint with the config:
        """json
        {"alignment_heads": [[5, 3], [5, 9]], "lang_ids": [50259, 50260], "suppress_ids": [], "suppress_ids_begin": [220, 50257]}
        """
      And the file "vocabulary.json" holds:
        """json
        ["!", "\""]
        """
      And the generated files:
        """
        bytes model.bin
          "\x06\x00\x00\x00" "\x0c\x00WhisperSpec\x00" "\x03\x00\x00\x00"
        """
      When the model info is read
      Then the category is "asr"
      And the layout is "ctranslate2"
      And the architecture is "unknown"
      And the model type is "unknown"

    @trap:T123
    Scenario Outline: T123 The archive of NeMo says what is in it: <category>, <task>
      Given an empty checkpoint directory
      And the generated files:
        """
        tar model.nemo
          ./model_config.yaml "<config>"
          ./model_weights.ckpt "PK"
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the layout is "nemo"
      And the architecture is "unknown"
      And detection used "model_config.yaml"

      Examples:
        | category     | task                 | config |
        | asr          | asr                  | sample_rate: 16000\\ntarget: nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel\\n |
        | transformers | tts_audio_generation | target: nemo.collections.tts.models.fastpitch.FastPitchModel\\n |
        | transformers | causal_lm            | target: nemo.collections.nlp.models.language_modeling.megatron_gpt_model.MegatronGPTModel\\n |

  Rule: GGUF files are recognised by their keys, not by their names

    @trap:<id>
    Scenario Outline: <id> general.architecture is <model type>
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf <file>
          general.architecture = string <model type>
          token_embd.weight F16 64 32
        """
      When the model info is read
      Then the category is "<category>"
      And the task is "<task>"
      And the layout is "gguf"
      And the model type is "<model type>"
      And the architecture is "unknown"
      And detection used "general.architecture"

      Examples:
        | id   | file                | model type       | category      | task                 |
        | T082 | model-Q4_K_M.gguf   | llama            | transformers  | causal_lm            |
        | T085 | t5-xxl-Q8_0.gguf    | t5encoder        | transformers  | text_encoder         |
        | T085 | model-F16.gguf      | bert             | transformers  | text_encoder         |
        | T085 | nomic-embed.gguf    | nomic-bert       | transformers  | text_encoder         |
        | T085 | wavtokenizer.gguf   | wavtokenizer-dec | audio_encoder | vocoder              |
        | T085 | talker.gguf         | qwen3tts         | transformers  | tts_audio_generation |

    @trap:T084
    Scenario: T084 A projector is a part of a language model that sees, and no CLIP
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf mmproj-F16.gguf
          general.architecture = string clip
          general.type = string mmproj
          clip.has_vision_encoder = bool true
          clip.projector_type = string mlp
          mm.0.weight F16 64 32
        """
      When the model info is read
      Then the category is "transformers"
      And the task is "projector"
      And the model type is "clip"

    @trap:T084
    Scenario: T084 A projector beside its model does not determine what it is
      Given an empty checkpoint directory
      And the generated files:
        """
        gguf gemma-3-4b-it-Q4_K_M.gguf
          general.architecture = string gemma3
          token_embd.weight F16 64 32
        gguf mmproj-F16.gguf
          general.architecture = string clip
          general.type = string mmproj
          mm.0.weight F16 64 32
        """
      When the model info is read
      Then the model type is "gemma3"
      And the category is "transformers"

  Rule: An adapter is not a model of its own

    @trap:T087
    Scenario: T087 An adapter beside a copy of its base model's config
      Given a checkpoint with the files:
        | file                      | content |
        | adapter_config.json       | {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf", "task_type": "CAUSAL_LM", "r": 16} |
        | adapter_model.safetensors |         |
        | config.json               | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} |
      When the model info is read
      Then the category is "adapter"
      And the base model is "meta-llama/Llama-2-7b-hf"
      And the architecture is "LlamaForCausalLM"
      And the model type is "llama"

    @trap:T087
    Scenario: T087 A whole model that an adapter's config was left beside
      Given a checkpoint with the files:
        | file                | content |
        | adapter_config.json | {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf"} |
        | config.json         | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} |
        | model.safetensors   |         |
      When the model info is read
      Then the category is "transformers"
      And the architecture is "LlamaForCausalLM"

    @trap:T088
    Scenario: T088 A LoRA for a diffusion model
      Given a checkpoint with the files:
        | file                             | size   |
        | pytorch_lora_weights.safetensors | 100 MB |
      When the model info is read
      Then the category is "diffusers"
      And the task is "adapter"
      And the layout is "diffusers lora"
      And the architecture is "unknown"

  Rule: Diffusion pipelines and their parts are recognised by their files, not by their names

    @trap:<id>
    Scenario Outline: <id> <what>
      Given a checkpoint with the files:
        | file   | content   |
        | <file> | <content> |
      When the model info is read
      Then the category is "<category>"
      And the layout is "<layout>"
      And the architecture is "<architecture>"

      Examples:
        | id   | what                                 | file                     | architecture                   | category     | layout              | content |
        | T090 | a modular pipeline                   | modular_model_index.json | FluxModularPipeline            | diffusers    | diffusers modular   | {"_class_name": "FluxModularPipeline", "_diffusers_version": "0.36.0"} |
        | T091 | a pipeline of its own                | model_index.json         | MyPipeline                     | diffusers    | diffusers           | {"_class_name": ["pipeline", "MyPipeline"], "_diffusers_version": "0.30.0"} |
        | T093 | a UNet saved alone                   | config.json              | UNet2DConditionModel           | diffusers    | diffusers component | {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.30.0"} |
        | T094 | a transformer of a pipeline          | config.json              | FluxTransformer2DModel         | diffusers    | diffusers component | {"_class_name": "FluxTransformer2DModel", "_diffusers_version": "0.30.0", "num_layers": 19} |
        | T097 | a scheduler                          | scheduler_config.json    | EulerDiscreteScheduler         | diffusers    | diffusers scheduler | {"_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.30.0", "beta_end": 0.012} |
        | T099 | a language model that diffuses       | config.json              | DiffusionGemmaForBlockDiffusion | transformers | transformers       | {"architectures": ["DiffusionGemmaForBlockDiffusion"], "model_type": "diffusion_gemma"} |
        | T099 | its pipeline                         | model_index.json         | DiffusionGemmaPipeline         | diffusers    | diffusers           | {"_class_name": "DiffusionGemmaPipeline"} |
        | T099 | another pipeline of a language model | model_index.json         | LLaDA2Pipeline                 | diffusers    | diffusers           | {"_class_name": "LLaDA2Pipeline"} |

    @trap:T091
    Scenario: T091 The code of a pipeline of its own is listed
      Given a checkpoint with the files:
        | file             | content |
        | model_index.json | {"_class_name": ["pipeline", "MyPipeline"]} |
        | pipeline.py      | raise SystemExit("this must never run") |
      When the model info is read
      Then the model has custom files
      And the custom files are "pipeline.py"

    @trap:<id>
    Scenario Outline: <id> <dir> of a pipeline, taken by itself
      Given the directory "<dir>" for the checkpoint
      And a checkpoint with the files:
        | file      | content   |
        | <file>    | <config>  |
        | <weights> |           |
      When the model info is read
      Then the category is "<category>"
      And the architecture is "<architecture>"

      Examples:
        | id   | dir                 | file        | weights                             | category     | architecture           | config |
        | T093 | flux/unet           | config.json | diffusion_pytorch_model.safetensors | diffusers    | UNet2DConditionModel   | {"_class_name": "UNet2DConditionModel"} |
        | T094 | flux/transformer    | config.json | diffusion_pytorch_model.safetensors | diffusers    | FluxTransformer2DModel | {"_class_name": "FluxTransformer2DModel"} |
        | T096 | flux/text_encoder   | config.json | model.safetensors                   | transformers | CLIPTextModel          | {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model"} |

    @trap:T096
    Scenario: T096 The text encoder of a pipeline is no second model
      Given the checkpoint "stable-diffusion-1.5"
      When the model info is read
      Then the category is "diffusers"
      And the architecture is "StableDiffusionPipeline"
      And there are no candidates

    @trap:T097
    Scenario: T097 A scheduler that cannot be read
      Given a checkpoint with the files:
        | file                  | content        |
        | scheduler_config.json | {"_class_name" |
      When the model info is read
      Then the category is "diffusers"
      And the architecture is "unknown"
      And an error "config-unreadable" is reported for "scheduler_config.json"

  Rule: Weights are counted once, and reported as missing only if they are

    @trap:T075
    Scenario: T075 Shards and Mistral's consolidated file are the same weights
      Given a checkpoint with the config:
        """json
        {"architectures": ["MistralForCausalLM"], "model_type": "mistral"}
        """
      And the generated files:
        """
        safetensors model.safetensors shard=10kB
          model.embed_tokens.weight BF16 64 64
          lm_head.weight BF16 64 64
        safetensors consolidated.safetensors
          tok_embeddings.weight BF16 64 64
          output.weight BF16 64 64
        """
      When the checkpoint is inspected
      Then the architecture is "MistralForCausalLM"
      And there are 2 weights files
      And the weights are complete

    @trap:T076
    Scenario: T076 A missing shard is named
      Given the checkpoint "llama-3-8b"
      And without "model-00003-of-00004.safetensors"
      When the checkpoint is inspected
      Then the architecture is "LlamaForCausalLM"
      And the weights are incomplete
      And an error "shard-missing" is reported for "model-00003-of-00004.safetensors"

    @trap:T078
    Scenario: T078 One file takes precedence over the index that an earlier save left
      Given the checkpoint "gpt2"
      And the file "model.safetensors.index.json" holds:
        """json
        {"metadata": {"total_size": 100}, "weight_map": {"wte.weight": "model-00001-of-00002.safetensors", "wpe.weight": "model-00002-of-00002.safetensors"}}
        """
      When the checkpoint is inspected
      Then the architecture is "GPT2LMHeadModel"
      And the weights are complete
      And no error is reported

    @trap:T079
    Scenario: T079 Weights in one pickle
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertModel"], "model_type": "bert"}
        """
      And the file "vocab.txt" holds:
        """
        [PAD]
        """
      And the generated files:
        """
        pytorch pytorch_model.bin
          embeddings.word_embeddings.weight F32 64 64
        """
      When the checkpoint is inspected
      Then the architecture is "BertModel"
      And the weights format is "pytorch"
      And there is 1 weights file
      And the weights are complete

    @trap:T079
    Scenario: T079 Weights in several pickles
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertModel"], "model_type": "bert"}
        """
      And the file "pytorch_model.bin.index.json" holds:
        """json
        {"metadata": {}, "weight_map": {"a.weight": "pytorch_model-00001-of-00002.bin", "b.weight": "pytorch_model-00002-of-00002.bin"}}
        """
      And the generated files:
        """
        pytorch pytorch_model-00001-of-00002.bin
          a.weight F32 64 64
        pytorch pytorch_model-00002-of-00002.bin
          b.weight F32 64 64
        """
      When the checkpoint is inspected
      Then the weights format is "pytorch"
      And there are 2 weights files
      And the weights are complete

    @trap:T081
    Scenario: T081 Weights in a variant only
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertModel"], "model_type": "bert"}
        """
      And the generated files:
        """
        safetensors model.fp16.safetensors
          embeddings.word_embeddings.weight F16 64 64
        """
      When the checkpoint is inspected
      Then the architecture is "BertModel"
      And the weights format is "safetensors"
      And there is 1 weights file
      And the weights are complete

    @trap:T081
    Scenario: T081 A variant beside the weights does not double them
      Given a checkpoint with the config:
        """json
        {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.30.0"}
        """
      And the generated files:
        """
        safetensors diffusion_pytorch_model.safetensors
          conv_in.weight F32 64 64
        safetensors diffusion_pytorch_model.fp16.safetensors
          conv_in.weight F16 64 64
        safetensors diffusion_pytorch_model.non_ema.safetensors
          conv_in.weight F32 64 64
        """
      When the checkpoint is inspected
      Then the category is "diffusers"
      And there is 1 weights file

    @trap:T114
    Scenario: T114 Weights that MLX packed into integers
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization": {"group_size": 64, "bits": 4}}
        """
      And the generated files:
        """
        safetensors model.safetensors metadata=format:mlx
          model.layers.0.mlp.down_proj.weight U32 64 8
          model.layers.0.mlp.down_proj.scales F16 64 1
          model.layers.0.mlp.down_proj.biases F16 64 1
        """
      When the checkpoint is inspected
      Then the layout is "mlx"
      And the architecture is "LlamaForCausalLM"
      And the model type is "llama"
      And the quantization method is "mlx"
      And the quantization bits are 4
      And the weights parameters are 4096

    @trap:T118
    Scenario: T118 Weights for ONNX only
      Given a checkpoint with the files:
        | file                        | content | size  |
        | config.json                 | {"architectures": ["BertModel"], "model_type": "bert"} | |
        | onnx/model.onnx             |         | 90 MB |
        | onnx/model_quantized.onnx   |         | 23 MB |
        | onnx/model_q4.onnx          |         | 54 MB |
      When the checkpoint is inspected
      Then the category is "transformers"
      And the architecture is "BertModel"
      And the weights format is "onnx"

    @trap:T120
    Scenario Outline: T120 Weights for <format> are no pickles
      Given a checkpoint with the files:
        | file        | content | size  |
        | config.json | {"architectures": ["BertModel"], "model_type": "bert"} | |
        | <graph>     | <text>  |       |
        | <weights>   |         | 90 MB |
      When the checkpoint is inspected
      Then the category is "transformers"
      And the architecture is "BertModel"
      And the weights format is "<format>"

      Examples:
        | format   | graph              | text                         | weights                                            |
        | openvino | openvino_model.xml | <?xml version="1.0"?><net/>  | openvino_model.bin                                 |
        | core ml  | model.mlpackage/Manifest.json | {"fileFormatVersion": "1.0.0"} | model.mlpackage/Data/com.apple.CoreML/weights/weight.bin |
        | tflite   | labels.txt         | a                            | model.tflite                                       |

    @trap:T132
    Scenario: T132 An index without its metadata
      Given the checkpoint "llama-3-8b"
      And "model.safetensors.index.json" has no "metadata"
      When the checkpoint is inspected
      Then the architecture is "LlamaForCausalLM"
      And the weights are complete
      And no error is reported

  Rule: Quantization is read from each of the places that may describe it

    @trap:<id>
    Scenario Outline: <id> <what>
      Given a checkpoint with the config:
        """json
        <config>
        """
      When the model info is read
      Then the model is quantized
      And the quantization method is "<method>"
      And the quantization source contains "<source>"
      And the category is "transformers"

      Examples:
        | id   | what                          | method             | source              | config |
        | T109 | fp8 states no bits            | fp8                | quantization_config | {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}} |
        | T111 | an underscore                 | compressed-tensors | quantization_config | {"architectures": ["LlamaForCausalLM"], "quantization_config": {"quant_method": "compressed_tensors"}} |
        | T111 | the old key                   | compressed-tensors | compression_config  | {"architectures": ["LlamaForCausalLM"], "compression_config": {"quant_method": "compressed-tensors"}} |
        | T111 | in the part for text          | compressed-tensors | text_config         | {"architectures": ["LlavaForConditionalGeneration"], "text_config": {"quantization_config": {"quant_method": "compressed-tensors"}}} |
        | T117 | one part only                 | gptq               | text_config         | {"architectures": ["LlavaForConditionalGeneration"], "text_config": {"quantization_config": {"quant_method": "gptq", "bits": 4}}} |

     
      Examples: A section that names no method
        | id   | what                          | method             | source              | config |
        | T111 | the old key without a method  | compressed-tensors | compression_config  | {"architectures": ["LlamaForCausalLM"], "compression_config": {"config_groups": {}}} |

    @trap:<id>
    Scenario Outline: <id> <method> has <bits> bits
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization_config": <section>}
        """
      When the model info is read
      Then the quantization method is "<method>"
      And the quantization bits are <bits>

      Examples:
        | id   | method       | bits | section                                                                        |
        | T108 | bitsandbytes | 8    | {"load_in_8bit": true, "load_in_4bit": false}                                  |
        | T108 | bitsandbytes | 4    | {"load_in_8bit": false, "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}    |
        | T115 | exl2         | 4.25 | {"quant_method": "exl2", "bits": 4.25}                                         |
        | T115 | exl3         | 3.5  | {"quant_method": "exl3", "bits": 3.5}                                          |

    @trap:<id>
    Scenario Outline: <id> <method> in a file of its own: <what>
      Given a checkpoint with the files:
        | file        | content                                                         |
        | config.json | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}  |
        | <file>      | <content>                                                       |
      When the checkpoint is inspected
      Then the model is quantized
      And the quantization method is "<method>"
      And the quantization bits are 4
      And the quantization source contains "<file>"
      And the architecture is "LlamaForCausalLM"

      Examples:
        | id   | method   | what             | file                 | content |
        | T105 | gptq     | AutoGPTQ         | quantize_config.json | {"bits": 4, "group_size": 128, "desc_act": true} |
        | T106 | awq      | AutoAWQ          | quant_config.json    | {"w_bit": 4, "q_group_size": 128, "zero_point": true, "version": "GEMM"} |
        | T106 | awq      | under GPTQ's name | quantize_config.json | {"bits": 4, "group_size": 128, "zero_point": true, "version": "GEMM"} |
        | T112 | modelopt | NVFP4            | hf_quant_config.json | {"producer": {"name": "modelopt", "version": "0.29.0"}, "quantization": {"quant_algo": "NVFP4", "group_size": 16}} |

  Rule: Sparse autoencoders are recognised by their files

    @trap:<id>
    Scenario Outline: <id> <what>
      Given the directory "<dir>" for the checkpoint
      And a checkpoint with the files:
        | file      | content  |
        | <config>  | <text>   |
        | <weights> |          |
      When the model info is read
      Then the category is "sae"
      And the sae family is "<family>"
      And the sae kind is "sae"
      And the architecture is "unknown"

      Examples:
        | id   | what                        | family              | dir                                 | config                       | weights                                     | text |
        | T124 | SAELens                     | saelens             | models/saes                         | cfg.json                     | sae_weights.safetensors                     | {"architecture": "jumprelu", "d_in": 768, "d_sae": 24576, "metadata": {"model_name": "gpt2-small", "hook_name": "blocks.8.hook_resid_pre"}} |
        | T124 | SAELens without architecture | saelens            | models/saes                         | blocks.8/cfg.json            | blocks.8/sae_weights.safetensors            | {"model_name": "gpt2-small", "hook_point": "blocks.8.hook_resid_pre", "d_in": 768, "d_sae": 24576} |
        | T126 | dictionary_learning         | dictionary-learning | models/dictionaries                 | trainer_1/config.json        | trainer_1/ae.pt                             | {"trainer": {"dict_class": "BatchTopKSAE", "lm_name": "EleutherAI/pythia-70m-deduped", "layer": 3}, "buffer": {}} |
        | T127 | Gemma Scope without a config | gemma-scope-1      | models/gemma-scope-2b-pt-res        | README.md                    | layer_20/width_16k/average_l0_71/params.npz | # Gemma Scope |

    @trap:T127
    Scenario: T127 Gemma Scope names its base model by the directory's name alone
      Given the checkpoint "gemma-scope-2b-res"
      When the model info is read
      Then the category is "sae"
      And the sae layers are "0, 12, 20"

  Rule: The Hugging Face cache stands for the snapshot that its main reference names

    @trap:T130
    Scenario: T130 Links into blobs are followed, and blobs are no files of the model
      Given a real temporary directory
      And the directory "hub/models--openai-community--gpt2" for the checkpoint
      And a checkpoint with the files:
        | file              | content |
        | refs/main         | 607a30d783dfa663caf39e06633721c8d4cfcd7e |
        | blobs/0a1b2c3d    | {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"} |
        | blobs/4e5f6a7b    | {"architectures": ["BertModel"], "model_type": "bert"} |
      And "snapshots/607a30d783dfa663caf39e06633721c8d4cfcd7e/config.json" is a link to "blobs/0a1b2c3d"
      And "snapshots/11c5a3d5811f50298f278a704980280950aedb10/config.json" is a link to "blobs/4e5f6a7b"
      When the model info is read
      Then the architecture is "GPT2LMHeadModel"
      And the model type is "gpt2"
      And the category is "transformers"
      And the name is "models--openai-community--gpt2"
      And the path is "hub/models--openai-community--gpt2"
      And detection used "snapshots/607a30d783dfa663caf39e06633721c8d4cfcd7e"
      And the category says the same

  Rule: Tokenizers are recognised by the content of their files

    @trap:T133
    Scenario Outline: T133 <file> in the form of tiktoken
      Given a checkpoint with the files:
        | file   | content                         |
        | <file> | IQ== 0\nIg== 1\nIw== 2\nJA== 3\n |
      When the tokenizer is read
      Then the type is "tiktoken"

      Examples:
        | file            |
        | tokenizer.model |
        | tiktoken.model  |
        | qwen.tiktoken   |

    @trap:T135
    Scenario Outline: T135 <class> is a name for any fast tokenizer
      Given the checkpoint "gpt2"
      And "tokenizer_config.json" has "tokenizer_class" set to "<class>"
      When the tokenizer is read
      Then the type is "BPE"
      And the class is "<class>"
      And the vocab size is at least 1

      Examples:
        | class                   |
        | TokenizersBackend       |
        | PreTrainedTokenizerFast |
        | PythonBackend           |
        | GPT2Tokenizer           |

    @trap:T135
    Scenario: T135 MistralCommonBackend reads tekken.json
      Given a checkpoint with the files:
        | file                  | content                                     |
        | tekken.json           | {"config": {"pattern": ".", "default_vocab_size": 131072, "default_num_special_tokens": 1000}, "vocab": [{"rank": 0, "token_bytes": "YQ=="}]} |
        | tokenizer_config.json | {"tokenizer_class": "MistralCommonBackend"} |
      When the tokenizer is read
      Then the type is "tekken"
      And the class is "MistralCommonBackend"

    @trap:T136
    Scenario: T136 A vocabulary of characters is no byte pair encoding without merges
      Given a checkpoint with the files:
        | file                  | content                                               |
        | config.json           | {"architectures": ["Wav2Vec2ForCTC"], "model_type": "wav2vec2"} |
        | vocab.json            | {"<pad>": 0, "<s>": 1, "\|": 4, "E": 5}               |
        | tokenizer_config.json | {"tokenizer_class": "Wav2Vec2CTCTokenizer", "pad_token": "<pad>"} |
      When the tokenizer is read
      Then the type is "CTC"
      And the class is "Wav2Vec2CTCTokenizer"
      And the vocab size is 6
