@detection
Feature: Our models
  What we rely on. Add your own models here: the checkpoints below are created in memory;
  "omniloader record PATH" writes a feature about a checkpoint on your disk, and
  "omniloader steps" lists every step.

  Scenario: Our chat model is recognised and supported
    Given the checkpoint "qwen3-8b"
    When the model info is read
    Then the architecture is "Qwen3ForCausalLM"
    And the model is supported

  Scenario: A download that stopped half-way is not loaded
    Given the checkpoint "llama-3-8b"
    And without "model-00003-of-00004.safetensors"
    When the checkpoint is inspected
    Then an error "shard-missing" is reported for "model-00003-of-00004.safetensors"

  # A scenario with a bound on latency or memory is measured: 100 calls, while no other runs.
  Scenario: Our chat model is recognised fast
    Given the checkpoint "qwen3-8b"
    When the model info is read
    Then the architecture is "Qwen3ForCausalLM"
    And the p95 latency is below 5 ms
    And no more than 1 MB is allocated per call
