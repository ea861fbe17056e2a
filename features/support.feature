@support
Feature: Support
  A checkpoint is supported when a loader for it is known. Where none is, the answer is no, with
  the reason; where that cannot be judged, the answer is an error and never a no.

  @benchmark:support_check_supported_<family>
  Scenario Outline: <family> is supported
    Given a checkpoint with the config:
      """json
      {"architectures": ["<architecture>"], "model_type": "<model type>"}
      """
    When support is checked
    Then the model is supported
    And there is no error
    And the mean latency is below 1.5 ms
    And the p95 latency is below 3 ms

    Examples:
      | family  | architecture       | model type |
      | llama   | LlamaForCausalLM   | llama      |
      | qwen    | Qwen2ForCausalLM   | qwen2      |
      | mistral | MistralForCausalLM | mistral    |
      | gemma   | GemmaForCausalLM   | gemma      |

  Rule: A class that is known loads as itself; for others the model type may have a loader

    @benchmark:support_check_<name>
    Scenario Outline: <name> loads as <class>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<class>"], "model_type": "<name>"}
        """
      When support is checked
      Then the model is supported
      And it loads as "<class>"
      And the mean latency is below 1.5 ms
      And the p95 latency is below 3 ms

      Examples:
        | name          | class                  |
        | glm4_moe_lite | Glm4MoeLiteForCausalLM |
        | step_robotics | Step3VL10BForCausalLM  |
        | qwen3         | Qwen3ForCausalLM       |

    Scenario Outline: <model type> loads as <class> when its class is not known
      Given a checkpoint with the config:
        """json
        {"architectures": ["SomethingQuiteNew"], "model_type": "<model type>"}
        """
      When support is checked
      Then the model is supported
      And it loads as "<class>"

      Examples:
        | model type    | class                 |
        | glm4_moe_lite | Glm4MoeForCausalLM    |
        | step_robotics | Step3VL10BForCausalLM |
        | qwen3         | Qwen3ForCausalLM      |
        | qwen3_moe     | Qwen3ForCausalLM      |
        | agent_cpm     | Qwen3ForCausalLM      |

  Rule: A class without a loader is not supported, and the reason names it

    @benchmark:support_check_unsupported_custom
    Scenario: An unknown class of an unknown type
      Given a checkpoint with the config:
        """json
        {"architectures": ["UnknownArch"], "model_type": "unknown"}
        """
      When support is checked
      Then the model is not supported
      And the error contains "UnknownArch"
      And the mean latency is below 1.5 ms
      And the p95 latency is below 3 ms

    Scenario: A class that is almost known
      Given a checkpoint with the config:
        """json
        {"architectures": ["Qwen2MoeForCausalLMX"], "model_type": "mystery"}
        """
      When support is checked
      Then the model is not supported
      And the nearest is "Qwen2MoeForCausalLM"

    Scenario: A config without class or model type
      Given a checkpoint with the config:
        """json
        {"hidden_size": 4096}
        """
      When support is checked
      Then the model is not supported
      And the error contains "config.json"

    Scenario: An empty directory
      Given an empty checkpoint directory
      When support is checked
      Then the model is not supported

    Scenario: An unknown class is reported when the model info is read
      Given a checkpoint with the config:
        """json
        {"architectures": ["UnknownForCausalLM"], "model_type": "mystery"}
        """
      When the model info is read
      Then the model is not supported
      And a warning "architecture-unknown" is reported for "config.json"

  Rule: A checkpoint that contains the code of its model is supported with remote code

    Scenario: An unknown class with its code beside it
      Given a checkpoint with the config:
        """json
        {"architectures": ["MysteryForCausalLM"], "model_type": "mystery"}
        """
      And the file "modeling_mystery.py" holds:
        """python
        class MysteryForCausalLM: ...
        """
      When support is checked
      Then the model is supported
      And loading needs remote code

    Scenario: Loading its code is noted
      Given a checkpoint with the config:
        """json
        {"architectures": ["MysteryForCausalLM"], "model_type": "mystery",
         "auto_map": {"AutoModelForCausalLM": "modeling_mystery.MysteryForCausalLM"}}
        """
      And the file "modeling_mystery.py" holds:
        """python
        class MysteryForCausalLM: ...
        """
      When the model info is read
      Then the model is supported
      And the model has custom files
      And a note "custom-code" is reported

    Scenario: A known class needs no remote code, even with code beside it
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      And the file "modeling_llama.py" holds:
        """python
        class LlamaForCausalLM: ...
        """
      When support is checked
      Then the model is supported
      And loading needs no remote code

    Scenario: Code of the config alone does not load a model
      Given a checkpoint with the config:
        """json
        {"architectures": ["MysteryForCausalLM"], "model_type": "mystery"}
        """
      And the file "configuration_mystery.py" holds:
        """python
        class MysteryConfig: ...
        """
      When support is checked
      Then the model is not supported

  Rule: Public checkpoints are supported, each with the loader it needs

    Scenario Outline: <checkpoint>
      Given the checkpoint "<checkpoint>"
      When the model info is read
      Then the model is supported
      And the category is "<category>"
      And the model type is "<model type>"

      Examples: Text
        | checkpoint        | category     | model type  |
        | llama-2-7b        | transformers | llama       |
        | llama-3-8b        | transformers | llama       |
        | llama-3-70b       | transformers | llama       |
        | qwen2-7b          | transformers | qwen2       |
        | qwen3-8b          | transformers | qwen3       |
        | qwen3-30b-a3b     | transformers | qwen3_moe   |
        | mistral-7b-v0.1   | transformers | mistral     |
        | mixtral-8x7b-v0.1 | transformers | mixtral     |
        | gemma-2-2b        | transformers | gemma2      |
        | phi-3-mini        | transformers | phi3        |
        | deepseek-v3       | transformers | deepseek_v3 |
        | falcon-7b         | transformers | falcon      |
        | gpt2              | transformers | gpt2        |
        | t5-small          | transformers | t5          |
        | bert-base-uncased | transformers | bert        |
        | all-minilm-l6-v2  | transformers | bert        |
        | glm-4.7-flash     | transformers | glm4_moe_lite |

      Examples: Pictures, sound and text, answered in text
        | checkpoint      | category     | model type   |
        | llava-1.5-7b    | transformers | llava        |
        | gemma-3-4b      | transformers | gemma3       |
        | qwen2-vl-7b     | transformers | qwen2_vl     |
        | qwen2.5-omni-7b | transformers | qwen2_5_omni |
        | step3-vl-10b    | transformers | step_robotics |

      Examples: Pictures and video
        | checkpoint              | category       | model type |
        | clip-vit-base-patch32   | vision_encoder | clip       |
        | siglip-base-patch16-224 | vision_encoder | siglip     |
        | dinov2-base             | vision_encoder | dinov2     |
        | videomae-base           | vision_encoder | videomae   |

      Examples: Sound
        | checkpoint         | category      | model type     |
        | whisper-small      | asr           | whisper        |
        | speech2text-small  | asr           | speech_to_text |
        | wav2vec2-base-960h | asr           | wav2vec2       |
        | wav2vec2-base      | audio_encoder | wav2vec2       |

      Examples: No class name of their own
        | checkpoint              | category  | model type |
        | stable-diffusion-1.5    | diffusers | unknown    |
        | stable-diffusion-xl-1.0 | diffusers | unknown    |
        | flux.1-dev              | diffusers | unknown    |
        | gemma-scope-2-4b        | sae       | unknown    |
        | llama-2-7b-lora         | adapter   | unknown    |
