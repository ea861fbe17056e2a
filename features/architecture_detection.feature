@detection
Feature: Architecture detection
  The loader names a checkpoint's architecture and model type from its config.json, exactly as
  the checkpoint spells them, in well under a millisecond.

  Rule: The first class name of the config is the architecture

    @benchmark:architecture_detection_<family>
    Scenario Outline: <family> is recognised
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"], "model_type": "<model type>"}
        """
      When the model info is read
      Then the architecture is "<architecture>"
      And the model type is "<model type>"
      And the model is supported
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

      Examples:
        | family   | architecture        | model type |
        | llama    | LlamaForCausalLM    | llama      |
        | qwen     | Qwen2ForCausalLM    | qwen2      |
        | mistral  | MistralForCausalLM  | mistral    |
        | gemma    | GemmaForCausalLM    | gemma      |
        | phi      | Phi3ForCausalLM     | phi3       |
        | deepseek | DeepseekForCausalLM | deepseek   |
        | falcon   | FalconForCausalLM   | falcon     |

    Scenario: A config with two class names has the first as its architecture
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM", "BertForMaskedLM"], "model_type": "llama"}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the architectures are "LlamaForCausalLM, BertForMaskedLM"
      And the task is "causal_lm"

    Scenario: The class names of sub-models are not those of the model
      Given a checkpoint with the config:
        """json
        {
          "text_config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
          "architectures": ["LlavaForConditionalGeneration"],
          "vision_config": {"architectures": null, "model_type": "clip_vision_model"},
          "model_type": "llava"
        }
        """
      When the model info is read
      Then the architecture is "LlavaForConditionalGeneration"
      And the model type is "llava"
      And there is 1 architecture

    Scenario: Escaped characters in a class name are read as what they stand for
      Given a checkpoint with the config:
        """json
        {"architectures": ["\u004clamaForCausalLM"], "model_type": "ll\u0061ma"}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the model type is "llama"

  Rule: What a checkpoint does not state is unknown, and not guessed

    Scenario: Without a model type, the class name still tells what it is
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertForMaskedLM"]}
        """
      When the model info is read
      Then the architecture is "BertForMaskedLM"
      And the model type is "unknown"
      And the model is supported

    Scenario: Without a class name, the model type still tells what it is
      Given a checkpoint with the config:
        """json
        {"model_type": "qwen3"}
        """
      When the model info is read
      Then the architecture is "unknown"
      And there are no architectures
      And the category is "transformers"
      And the model is supported

    Scenario: An early upload that names no class
      Given the checkpoint "gpt2"
      And the config has no "architectures"
      When the model info is read
      Then the architecture is "unknown"
      And the model type is "gpt2"
      And the category is "transformers"
      And the model is supported

    Scenario: The name of the directory is never taken for a model type
      Given the directory "models/llama-2-7b-hf" for the checkpoint
      And a checkpoint with the config:
        """json
        {"hidden_size": 4096}
        """
      When the model info is read
      Then the name is "llama-2-7b-hf"
      And the model type is "unknown"
      And the architecture is "unknown"

    Scenario: The config of another kind of program is no model
      Given a checkpoint with the config:
        """json
        {"name": "my-web-app", "version": "1.0.0", "scripts": {"start": "vite"}}
        """
      When the model info is read
      Then the category is "unknown"
      And the model is not supported

  Rule: A class name is recognised in every spelling that checkpoints use

    Scenario Outline: <spelling> is <class>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<spelling>"]}
        """
      When support is checked
      Then the model is supported
      And it loads as "<class>"

      Examples:
        | spelling            | class               |
        | SiglipModel         | SiglipModel         |
        | SigLIPModel         | SiglipModel         |
        | SiglipVisionModel   | SiglipVisionModel   |
        | SigLIPVisionModel   | SiglipVisionModel   |
        | Dinov2Model         | Dinov2Model         |
        | DINOv2Model         | Dinov2Model         |

    Scenario: An unusual spelling is kept as it is written, and noted
      Given a checkpoint with the config:
        """json
        {"architectures": ["SigLIPModel"]}
        """
      When the model info is read
      Then the architecture is "SigLIPModel"
      And a note "architecture-spelling" is reported for "config.json"

    Scenario: A class name with its module before it is the class
      Given a checkpoint with the config:
        """json
        {"architectures": ["modeling_llama.LlamaForCausalLM"]}
        """
      When support is checked
      Then the model is supported
      And it loads as "LlamaForCausalLM"

  Rule: If class and model type disagree, the class decides and the disagreement is reported

    Scenario: A BERT class under the model type of Whisper
      Given a checkpoint with the config:
        """json
        {"architectures": ["BertForMaskedLM"], "model_type": "whisper"}
        """
      When the model info is read
      Then the architecture is "BertForMaskedLM"
      And the model type is "whisper"
      And the category is "transformers"
      And a warning "architecture-mismatch" is reported for "config.json"
