@detection
Feature: Architecture detection
  The loader names a checkpoint's architecture from its config.json, in well under a millisecond.

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

    Examples:
      | family   | architecture        | model type |
      | llama    | LlamaForCausalLM    | llama      |
      | qwen     | Qwen2ForCausalLM    | qwen2      |
      | mistral  | MistralForCausalLM  | mistral    |
      | gemma    | GemmaForCausalLM    | gemma      |
      | phi      | Phi3ForCausalLM     | phi3       |
      | deepseek | DeepseekForCausalLM | deepseek   |
      | falcon   | FalconForCausalLM   | falcon     |
