@detection
Feature: A checkpoint in a directory of its own
  A scenario can read a real checkpoint that lies beside its feature file, and ask for what its JSON
  files say. The checkpoint is only read: a change is what the loader sees, and no file changes.

  Rule: It is read where it lies

    Scenario: The class, and the keys that decide how it is loaded
      Given the checkpoint at "checkpoints/tiny-llama"
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the name is "tiny-llama"
      And the config key "rope_scaling.type" is "yarn"
      And the config key "rope_scaling.factor" is 4
      And the config key "architectures" is ["LlamaForCausalLM"]
      And the config key "tie_word_embeddings" is not false
      And the config key "quantization_config" is absent
      And the key "pad_token" of "tokenizer_config.json" is null

    Scenario: An adapter
      Given the checkpoint at "checkpoints/tiny-lora"
      When the checkpoint is inspected
      Then the key "r" of "adapter_config.json" is 16
      And the key "target_modules" of "adapter_config.json" is present
      And the base model is "acme/tiny-llama"

    @benchmark:checkpoint_in_a_directory
    Scenario: It is measured, in a process of its own too
      Given the checkpoint at "checkpoints/tiny-llama"
      When the model info is read
      Then the model is supported
      And the mean latency is below 20 ms
      And the first latency is below 5 s

  Rule: A change is seen by the loader alone

    Scenario: Without its class
      Given the checkpoint at "checkpoints/tiny-llama"
      And the config has no "architectures"
      And the config has "rope_scaling.type" set to "linear"
      When the model info is read
      Then the config key "architectures" is absent
      And the config key "rope_scaling.type" is not "yarn"
      And the model type is "llama"

    Scenario: Another scenario sees the files as they are
      Given the checkpoint at "checkpoints/tiny-llama"
      When the model info is read
      Then the config key "architectures.0" is "LlamaForCausalLM"

    @benchmark:changed_checkpoint_in_a_directory
    Scenario: A changed one is measured, too
      Given the checkpoint at "checkpoints/tiny-llama"
      And without "tokenizer_config.json"
      When the model info is read
      Then the model is supported
      And the mean latency is below 20 ms
