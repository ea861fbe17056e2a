@detection
Feature: Our models
  What we rely on, whichever checkpoint is put in front of the loader. Put your own models
  here: the checkpoints below are made in memory, and one on your disk joins them with
  "omniloader record PATH". "omniloader steps" lists every line that can be written.

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

  # A scenario that bounds latency or memory is measured: 100 calls, alone on the machine.
  Scenario: Recognising our chat model costs next to nothing
    Given the checkpoint "qwen3-8b"
    When the model info is read
    Then the architecture is "Qwen3ForCausalLM"
    And the p95 latency is below 5 ms
    And no more than 1 MB is allocated per call
