@comparison
Feature: Strategies compared
  Three operations of different cost: reading the category, checking support, and reading the
  complete model info. Their answers agree.

  Rule: Reading only the category is the fastest operation

    @benchmark:strategy_detection_<kind>
    Scenario Outline: The category of a checkpoint for <kind>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"
      And the model info says the same
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

      Examples:
        | kind         | architecture                    | category       |
        | transformers | LlamaForCausalLM                | transformers   |
        | vision       | SigLIPModel                     | vision_encoder |
        | asr          | WhisperForConditionalGeneration | asr            |

  Rule: Support is read from the same file

    @benchmark:strategy_support_<kind>
    Scenario Outline: Support of a checkpoint for <kind>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When support is checked
      Then the model is supported
      And the model info says the same
      And the mean latency is below 1.5 ms
      And the p95 latency is below 3 ms

      Examples:
        | kind         | architecture                    |
        | transformers | LlamaForCausalLM                |
        | vision       | SigLIPModel                     |
        | asr          | WhisperForConditionalGeneration |

  Rule: The complete model info takes little longer than the category

    @benchmark:strategy_full_info_<kind>
    Scenario Outline: The full info of a checkpoint for <kind>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the model info is read
      Then the architecture is "<architecture>"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms
      And the median latency is below 20 times that of "strategy_detection_<kind>"

      Examples:
        | kind         | architecture                    |
        | transformers | LlamaForCausalLM                |
        | vision       | SigLIPModel                     |
        | asr          | WhisperForConditionalGeneration |
