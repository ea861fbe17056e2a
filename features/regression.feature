@regression
Feature: Regression set
  One small benchmark for each question, to be compared from release to release.

  Rule: The model info

    @benchmark:regression_get_model_info_<family>
    Scenario Outline: The model info of a <family>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the model info is read
      Then the architecture is "<architecture>"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

      Examples:
        | family | architecture     |
        | llama  | LlamaForCausalLM |
        | qwen   | Qwen2ForCausalLM |

  Rule: Support

    @benchmark:regression_is_supported_llama
    Scenario: Support of a Llama
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"]}
        """
      When support is checked
      Then the model is supported
      And the mean latency is below 1.5 ms
      And the p95 latency is below 3 ms

  Rule: The category

    @benchmark:regression_detect_category_<kind>
    Scenario Outline: The category of a <kind> model
      Given a checkpoint with the config:
        """json
        {"architectures": ["<architecture>"]}
        """
      When the category is detected
      Then the category is "<category>"
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

      Examples:
        | kind   | architecture     | category       |
        | llama  | LlamaForCausalLM | transformers   |
        | vision | SigLIPModel      | vision_encoder |

  Rule: Omni or not

    @benchmark:regression_is_omni_model_true
    Scenario: A model type is enough to be omni
      Given a checkpoint with the config:
        """json
        {"model_type": "qwen2_5_omni"}
        """
      When the omni check is made
      Then the model is omni
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

    @benchmark:regression_is_omni_model_false
    Scenario: A Llama is not omni
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      When the omni check is made
      Then the model is not omni
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms

  Rule: A sparse autoencoder or not

    @benchmark:regression_is_sae_model
    Scenario: A directory of autoencoders is enough
      Given a checkpoint with the config:
        """json
        {}
        """
      And the directories "resid_post"
      When the SAE check is made
      Then the model is an SAE
      And the mean latency is below 0.3 ms
      And the p95 latency is below 0.5 ms

    @benchmark:regression_is_sae_model_false
    Scenario: A Llama is no autoencoder
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"]}
        """
      When the SAE check is made
      Then the model is not an SAE
      And the mean latency is below 0.3 ms
      And the p95 latency is below 0.5 ms
