@detection
Feature: Omni detection
  A model is omni when it takes speech, vision and text in one. Being a Llama, a Qwen or a Mistral
  does not make a model omni.

  @benchmark:omni_detection_omni_<name>
  Scenario Outline: <name> is omni
    Given a checkpoint with the config:
      """json
      {"model_type": "<model type>", "architectures": ["<architecture>"]}
      """
    When the omni check is made
    Then the model is omni
    And the mean latency is below 0.5 ms
    And the p95 latency is below 1 ms

    Examples:
      | name    | model type   | architecture                         |
      | qwen    | qwen2_5_omni | Qwen2_5OmniForConditionalGeneration  |
      | any2any | any-to-any   | SomeModel                            |
      | qwen3   | qwen3omni    | Qwen3OmniForConditionalGeneration    |

  @benchmark:omni_detection_regular_<name>
  Scenario Outline: A regular <name> is not omni
    Given a checkpoint with the config:
      """json
      {"model_type": "<model type>", "architectures": ["<architecture>"]}
      """
    When the omni check is made
    Then the model is not omni
    And the mean latency is below 0.5 ms
    And the p95 latency is below 1 ms

    Examples:
      | name    | model type | architecture       |
      | llama   | llama      | LlamaForCausalLM   |
      | qwen    | qwen2      | Qwen2ForCausalLM   |
      | mistral | mistral    | MistralForCausalLM |

  Rule: A model for two of speech, vision and text is not omni

    Scenario Outline: <architecture> hears or sees, not both
      Given a checkpoint with the config:
        """json
        {"model_type": "<model type>", "architectures": ["<architecture>"], "text_config": {}, "<part>": {}}
        """
      When the omni check is made
      Then the model is not omni

      Examples:
        | architecture                       | model type  | part          |
        | LlavaForConditionalGeneration      | llava       | vision_config |
        | Qwen2VLForConditionalGeneration    | qwen2_vl    | vision_config |
        | Qwen2AudioForConditionalGeneration | qwen2_audio | audio_config  |
        | WhisperForConditionalGeneration    | whisper     | audio_config  |

  Rule: A class that is not listed is omni if its config has the parts for it

    Scenario: Parts for sound, vision and text
      Given a checkpoint with the config:
        """json
        {"architectures": ["NewEverythingModel"], "text_config": {}, "vision_config": {}, "audio_config": {}}
        """
      When the omni check is made
      Then the model is omni

    Scenario Outline: Text without a section of its own, and <what>
      Given a checkpoint with the config:
        """json
        {"architectures": ["NewEverythingForCausalLM"], "vocab_size": 9, <members>}
        """
      When the omni check is made
      Then the model is omni

      Examples:
        | what                | members                                    |
        | two other parts     | "vision_config": {}, "audio_config": {}    |
        | an adapter for each | "vision_lora": {"r": 1}, "speech_lora": {"r": 1} |

    Scenario: Those parts inside the one that thinks
      Given a checkpoint with the config:
        """json
        {"architectures": ["NewEverythingModel"], "talker_config": {},
         "thinker_config": {"text_config": {}, "vision_config": {}, "audio_config": {}}}
        """
      When the omni check is made
      Then the model is omni

    Scenario: A part that thinks and cannot hear
      Given a checkpoint with the config:
        """json
        {"architectures": ["NewEverythingModel"], "thinker_config": {"text_config": {}, "vision_config": {}, "audio_config": null}}
        """
      When the omni check is made
      Then the model is not omni

    Scenario: A part that is null is not there
      Given a checkpoint with the config:
        """json
        {"architectures": ["NewEverythingModel"], "text_config": {}, "vision_config": {}, "audio_config": null}
        """
      When the omni check is made
      Then the model is not omni

  Rule: A family with and without audio input is omni only with the parts for it

    Scenario: Gemma 4 with a part for sound
      Given a checkpoint with the config:
        """json
        {"model_type": "gemma4", "architectures": ["Gemma4ForConditionalGeneration"], "audio_config": {}, "vision_config": {}, "text_config": {}}
        """
      When the omni check is made
      Then the model is omni

    Scenario: Gemma 4 without
      Given a checkpoint with the config:
        """json
        {"model_type": "gemma4", "architectures": ["Gemma4ForConditionalGeneration"], "audio_config": null, "vision_config": {}, "text_config": {}}
        """
      When the omni check is made
      Then the model is not omni

  Rule: The model info agrees

    Scenario: Qwen2.5-Omni under the name that its repository gives it
      Given a checkpoint with the config:
        """json
        {"model_type": "qwen2_5_omni", "architectures": ["Qwen2_5OmniModel"], "enable_audio_output": true,
         "thinker_config": {"audio_config": {}, "vision_config": {}, "text_config": {}}, "talker_config": {}}
        """
      When the omni check is made
      Then the model is omni
      And the model info says the same
