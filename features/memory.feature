@memory
Feature: Memory
  Saying what a checkpoint is takes kilobytes, however large the checkpoint.

  Rule: Every operation keeps its bound on memory

    Background:
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization_config": {"load_in_4bit": true}}
        """

    @benchmark:model_info_with_memory
    Scenario: The model info
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the memory delta is below 1 MB
      And no more than 1 MB is allocated per call
      And no more than 120 allocations are made per call

    @benchmark:category_detection_with_memory
    Scenario: The category
      When the category is detected
      Then the category is "transformers"
      And the memory delta is below 0.5 MB
      And no more than 0.5 MB is allocated per call

    @benchmark:support_check_with_memory
    Scenario: Support
      When support is checked
      Then the model is supported
      And the memory delta is below 1 MB
      And no more than 1 MB is allocated per call

  Rule: The listing of a directory tree is not kept in memory

    @benchmark:sae_detection_with_memory
    Scenario: The SAE check
      Given a checkpoint with the config:
        """json
        {}
        """
      And the directories "resid_post, mlp_out"
      When the SAE check is made
      Then the model is an SAE
      And the memory delta is below 0.2 MB
      And no more than 0.2 MB is allocated per call
