@inspection
Feature: Recorded checkpoints
  "omniloader record" turns a real checkpoint into a feature and a fixture. The fixture has every
  file by name and size, small files as they were, and of weights the headers only, so that the
  loader finds in it what it found in the checkpoint.

  Rule: The answer about a recorded checkpoint is that about the real one

    Scenario: The fixture lies beside the feature
      Given the recorded checkpoint "saelens-gpt2-small.fixture"
      When the checkpoint is inspected
      Then the model is an SAE
      And the name is "saelens-gpt2-small"
      And the base model is "gpt2"
      And the weights format is "safetensors"
      And the weights bytes are 453289920
      And the size is 453587227

    Scenario: A short fixture stands in the feature
      Given the recorded checkpoint:
        """
        recording 1
        name tiny-llama
        text 63 config.json
        parts 5000000 model.safetensors
        padded 4000 tokenizer.json
        dir runs/
        -- config.json --
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        -- model.safetensors --
        @0
        SAAAAAAAAAB7InciOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzI0OTk5NjBdLCJkYXRhX29mZnNldHMiOlswLDQ5OTk5MjBd
        fX0gICAgICA=
        -- tokenizer.json --
        @0
        eyJtb2RlbCI6eyJ0eXBlIjoiQlBFIiwidm9jYWIiOnsiYSI6MCwiYiI6MX0sIm1lcmdlcyI6W119fQ==
        """
      When the checkpoint is inspected
      Then the name is "tiny-llama"
      And the architecture is "LlamaForCausalLM"
      And the tokenizer type is "BPE"
      And the vocab size is 2
      And the weights bytes are 5000000
      And the size is 5004063

    Scenario: It can be changed like any other
      Given the recorded checkpoint "saelens-gpt2-small.fixture"
      And without "blocks.11.hook_resid_pre"
      When the checkpoint is inspected
      Then the layers are "0, 8"

  Rule: A broken checkpoint is recorded as broken

    Scenario: A link that leads nowhere, on a disk, as only a disk has links
      Given a real temporary directory
      And the recorded checkpoint:
        """
        recording 1
        name half-a-cache
        text 63 config.json
        link model.safetensors
        -- config.json --
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        -- model.safetensors --
        blobs/0123
        """
      When the checkpoint is inspected
      Then an error "link-broken" is reported for "model.safetensors"
      And the architecture is "LlamaForCausalLM"
