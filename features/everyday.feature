@inspection
Feature: Five everyday questions about a checkpoint
  An adapter, a GGUF file, a download with a hole, a model that sees, and an embedding model: what a
  team asks of them before it uses them.

  Rule: An adapter is nothing without its base model

    Scenario: A LoRA for Llama 2
      Given the checkpoint "llama-2-7b-lora"
      When the checkpoint is inspected
      Then the answer has:
        | field           | value                    |
        | category        | adapter                  |
        | layout          | peft adapter             |
        | base model      | meta-llama/Llama-2-7b-hf |
        | is supported    | yes                      |
        | is quantized    | no                       |
        | tokenizer       | absent                   |
        | chat template   | absent                   |
        | parameters      | 8.39 million             |
        | bits per weight | 32                       |
        | memory          | 33.6 MB                  |
        | weights files   | adapter_model.safetensors |
      And the base model matches "^meta-llama/"
      And the base model is present
      And the size is less than 100 MB
      And a note "adapter-needs-base" is reported and nothing else

  Rule: One GGUF file has the model and its tokenizer

    Scenario: Llama 2 in four bits
      Given the checkpoint "llama-2-7b-gguf"
      When the checkpoint is inspected
      Then the quantization method is one of "gguf", "gptq" or "awq"
      And the quantization bits are between 4 and 5
      And the parameters are between 6.5 billion and 7 billion
      And the memory is at most 16 GB
      And the size is 4.08 GB
      And the architectures do not contain "LlamaForCausalLM"
      And the dtypes contain "Q4_K"
      And the chat template is absent
      And at most 1 finding is reported
      And no warning is reported

  Rule: A download with a hole names what is missing

    Scenario: One of four shards is not there
      Given the checkpoint "broken-missing-shard"
      When the checkpoint is inspected
      Then exactly these findings are reported:
        | code               | severity | file                             |
        | shard-missing      | error    | model-00003-of-00004.safetensors |
        | pad-token-from-eos | note     |                                  |
        | weights-duplicate  | note     | original/consolidated.00.pth     |
      And the weights are not complete
      And there are at least 2 shards
      And there is at most 1 missing
      And the notes "pad-token-from-eos, weights-duplicate" are reported
      And exactly 1 error is reported
      And no "index-stale, shard-not-in-index" is reported
      And no finding is reported for "model-00001-of-00004.safetensors"

  Rule: A model that sees also reads

    Scenario: Qwen2-VL
      Given the checkpoint "qwen2-vl-7b"
      When the checkpoint is inspected
      Then the model type is not "qwen2"
      And the task is not one of "causal_lm", "text_encoder"
      And the detection used "config.json"
      And the detection did not use "model_index.json"
      And the model needs no remote code
      And the model does not have a talker
      And the context length is at least 32768
      And there is a chat template
      And no error is reported

  Rule: The whole answer can be kept in a file

    Scenario: An embedding model
      Given the checkpoint "all-minilm-l6-v2"
      When the checkpoint is inspected
      Then the answer is as in "all-minilm-l6-v2.json", apart from "name, path, tokenizer path"
      And the vocab size is not 0
      And no finding is reported

    Scenario: A copy of it elsewhere
      Given the directory "models/copy" for the checkpoint
      And the checkpoint "all-minilm-l6-v2"
      When the checkpoint is inspected
      Then the answer is as in "all-minilm-l6-v2.json", apart from "name, path, tokenizer path"
