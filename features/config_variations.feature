@architecture
Feature: Config variations
  One architecture comes in many configs: quantized, with a part that speaks, with code of its
  own. The architecture stays; what is special is told apart from it.

  @benchmark:arch_variation_llama_simple
  Scenario: A plain Llama
    Given a checkpoint with the config:
      """json
      {"architectures": ["LlamaForCausalLM"]}
      """
    When the model info is read
    Then the model is not quantized
    And the model has no talker
    And the model has no custom files
    And the mean latency is below 1 ms
    And the p95 latency is below 2 ms

  Rule: A config with a quantization section describes a quantized model

    @benchmark:arch_variation_llama_with_quant
    Scenario: A quantization section that says nothing
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "quantization_config": {}}
        """
      When the model info is read
      Then the model is quantized
      And the quantization method is "unknown"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

    Scenario Outline: <method> with <bits> bits
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization_config": <section>}
        """
      When the model info is read
      Then the model is quantized
      And the quantization method is "<method>"
      And the quantization bits are <bits>
      And the quantization source contains "config.json"

      Examples:
        | method       | bits | section                                                              |
        | gptq         | 4    | {"quant_method": "gptq", "bits": 4, "group_size": 128}               |
        | awq          | 4    | {"quant_method": "awq", "bits": 4, "version": "gemm"}                |
        | exl2         | 4.25 | {"quant_method": "exl2", "bits": 4.25}                               |
        | bitsandbytes | 4    | {"load_in_4bit": true, "load_in_8bit": false}                        |
        | bitsandbytes | 8    | {"quant_method": "bitsandbytes", "load_in_8bit": true, "load_in_4bit": false} |

    Scenario Outline: <method> has <bits> bits, which no key states
      Given a checkpoint with the config:
        """json
        {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "quantization_config": <section>}
        """
      When the model info is read
      Then the quantization method is "<method>"
      And the quantization bits are <bits>

      Examples:
        | method      | bits | section                                                      |
        | fp8         | 8    | {"quant_method": "fp8", "weight_block_size": [128, 128]}     |
        | fbgemm_fp8  | 8    | {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200}  |
        | eetq        | 8    | {"quant_method": "eetq", "weights": "int8"}                  |
        | mxfp4       | 4    | {"quant_method": "mxfp4", "modules_to_not_convert": []}      |
        | nvfp4       | 4    | {"quant_method": "nvfp4"}                                    |

    Scenario: A method that has no number of bits of its own
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama",
         "quantization_config": {"quant_method": "aqlm", "nbits_per_codebook": 16, "num_codebooks": 1}}
        """
      When the model info is read
      Then the quantization method is "aqlm"
      And there is no quantization bits

    Scenario: A quantization section of the part for text
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlavaForConditionalGeneration"], "model_type": "llava",
         "text_config": {"model_type": "llama", "quantization_config": {"quant_method": "compressed-tensors"}}}
        """
      When the model info is read
      Then the model is quantized
      And the quantization method is "compressed-tensors"

    Scenario: A quantization section that is null
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "quantization_config": null}
        """
      When the model info is read
      Then the model is not quantized

    Scenario Outline: <checkpoint> is <method>
      Given the checkpoint "<checkpoint>"
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the quantization method is "<method>"
      And the quantization bits are 4

      Examples:
        | checkpoint           | method       |
        | llama-2-7b-chat-gptq | gptq         |
        | llama-2-7b-chat-awq  | awq          |
        | llama-3-8b-bnb-4bit  | bitsandbytes |

    Scenario: Quantizing is possible later in any checkpoint
      Given the checkpoint "llama-3-8b"
      And the config has "quantization_config" set to {"quant_method": "gptq", "bits": 3}
      When the model info is read
      Then the quantization bits are 3
      And the architecture is "LlamaForCausalLM"

  Rule: A config with a part for speaking or hearing has a talker

    @benchmark:arch_variation_llama_with_talker
    Scenario: A Llama with parts for speaking and hearing
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "talker_config": {}, "audio_config": {}}
        """
      When the model info is read
      Then the model has a talker
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

    @benchmark:arch_variation_qwen_omni
    Scenario: A Qwen-Omni with a talker
      Given a checkpoint with the config:
        """json
        {"architectures": ["Qwen2_5OmniForConditionalGeneration"], "talker_config": {}}
        """
      When the model info is read
      Then the model has a talker
      And the model is omni
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

    Scenario: Qwen2.5-Omni as it is published
      Given the checkpoint "qwen2.5-omni-7b"
      When the model info is read
      Then the model is omni
      And the model has a talker

    Scenario: A talker that is null
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "talker_config": null, "audio_config": null}
        """
      When the model info is read
      Then the model has no talker

  Rule: Several variations in one config are all recognised

    @benchmark:arch_variation_complex_config
    Scenario: Quantized, speaking and hearing
      Given a checkpoint with the config:
        """json
        {
          "architectures": ["LlamaForCausalLM"],
          "model_type": "llama",
          "quantization_config": {"load_in_4bit": true},
          "talker_config": {"hidden_size": 1536},
          "audio_config": {"sample_rate": 16000}
        }
        """
      When the model info is read
      Then the model is quantized
      And the model has a talker
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

  Rule: Code in a checkpoint is listed, and never run

    Scenario: Files that the config names and files that lie there
      Given a checkpoint with the config:
        """json
        {"architectures": ["MysteryForCausalLM"], "model_type": "mystery",
         "auto_map": {"AutoConfig": "configuration_mystery.MysteryConfig",
                      "AutoModelForCausalLM": "modeling_mystery.MysteryForCausalLM"}}
        """
      And the file "configuration_mystery.py" holds:
        """python
        raise SystemExit("this must never run")
        """
      And the file "modeling_mystery.py" holds:
        """python
        raise SystemExit("this must never run")
        """
      And the file "setup.py" holds:
        """python
        raise SystemExit("this is no part of the model")
        """
      When the model info is read
      Then the model has custom files
      And the custom files are "configuration_mystery.py, modeling_mystery.py"

    Scenario: A file that the config names and nobody downloaded
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "auto_map": {"AutoModelForCausalLM": "modeling_mystery.MysteryForCausalLM"}}
        """
      When the model info is read
      Then a warning "custom-code-missing" is reported for "modeling_mystery.py"

    Scenario: A file of another repository
      Given a checkpoint with the config:
        """json
        {"architectures": ["NomicBertModel"], "auto_map": {"AutoModel": "nomic-ai/nomic-bert-2048--modeling_nomic.NomicBertModel"}}
        """
      When the model info is read
      Then the model has custom files
      And a warning "custom-code-elsewhere" is reported for "config.json"
