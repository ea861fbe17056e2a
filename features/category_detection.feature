@detection
Feature: Category detection
  The category says which kind of loader a checkpoint needs: transformers, vision_encoder,
  audio_encoder, asr, diffusers, sae or adapter. It is decided by the strongest evidence there is.

  Rule: Every kind of checkpoint has its category

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

  Rule: The index of a pipeline beats everything else

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
      And it was decided by "model_index.json"

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

  Rule: The marks of a sparse autoencoder beat the config

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

  Rule: A class that nobody listed is judged by the shape of its name

    Scenario Outline: <architecture> ends like <category>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"
      And it was decided by "rule for names that are not listed"

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

  Rule: Where nothing says what it is, the category is unknown

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
