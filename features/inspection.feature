@inspection
Feature: Inspection
  An inspection says everything about a real directory: what it is, its tokenizer, its weight
  files, its size, and what is wrong with it. It hides no checkpoint: what cannot be read is a
  finding in the answer.

  Rule: A sound checkpoint is described in full

    Scenario: A public checkpoint in one file
      Given the checkpoint "gpt2"
      When the checkpoint is inspected
      Then the name is "gpt2"
      And the path is "models/gpt2"
      And the architecture is "GPT2LMHeadModel"
      And the category is "transformers"
      And the tokenizer type is "BPE"
      And the weights format is "safetensors"
      And the weights are complete
      And the size is at least 1000
      And no error is reported

    Scenario: A public checkpoint in several shards
      Given the checkpoint "llama-3-8b"
      When the checkpoint is inspected
      Then there are 4 weights files
      And the weights are complete
      And the size is at least 16000000000

    Scenario: The inspection and the model info agree
      Given the checkpoint "llama-3-8b"
      When the category is detected
      Then the inspection says the same

    Scenario: The same answer from a real disk as from memory
      Given a real temporary directory
      And the checkpoint "gpt2"
      When the checkpoint is inspected
      Then the architecture is "GPT2LMHeadModel"
      And the tokenizer type is "BPE"
      And the weights are complete

    Scenario: An empty directory is described, and reported
      Given an empty checkpoint directory
      When the checkpoint is inspected
      Then the category is "unknown"
      And the size is 0
      And there is no tokenizer
      And there are no weights

  Rule: What is missing or broken is a finding

    Scenario: A shard that the index names is not there
      Given the checkpoint "llama-3-8b"
      And without "model-00002-of-00004.safetensors"
      When the checkpoint is inspected
      Then an error "shard-missing" is reported for "model-00002-of-00004.safetensors"
      And the weights are incomplete

    Scenario: No weights at all
      Given the checkpoint "gpt2"
      And without "*.safetensors"
      When the checkpoint is inspected
      Then a finding "weights-missing" is reported

    Scenario: A config that cannot be read hides nothing else
      Given the checkpoint "gpt2"
      And "config.json" is cut to 30 bytes
      When the checkpoint is inspected
      Then an error "config-unreadable" is reported for "config.json"
      And the tokenizer type is "BPE"

    Scenario: A tokenizer that cannot be read hides nothing else
      Given the checkpoint "gpt2"
      And "tokenizer.json" is cut to 100 bytes
      When the checkpoint is inspected
      Then an error "tokenizer-unreadable" is reported for "tokenizer.json"
      And the architecture is "GPT2LMHeadModel"

    Scenario: A language model without a tokenizer
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      When the checkpoint is inspected
      Then a finding "tokenizer-missing" is reported
      And there is no tokenizer

  Rule: An inspection says where tokenizer and model do not fit

    Scenario Outline: <what>
      Given the checkpoint "llama-3-8b"
      And "<file>" has "<key>" set to <value>
      When the checkpoint is inspected
      Then a <severity> "<code>" is reported for "<where>"

      Examples:
        | what                                          | file                  | key          | value               | severity | code                      | where                 |
        | One token for padding and for the end of text | tokenizer_config.json | pad_token    | "<\|end_of_text\|>" | note     | pad-token-is-eos          | tokenizer_config.json |
        | A special token that no vocabulary has        | tokenizer_config.json | pad_token    | "[PAD]"             | warning  | token-not-in-vocabulary   | tokenizer.json        |
        | Another id for the end of text                | config.json           | eos_token_id | 7                   | warning  | special-token-id-mismatch | config.json           |
        | A pad id that no token has                    | config.json           | pad_token_id | -1                  | note     | pad-id-negative           | config.json           |
        | A pad id that only the model knows            | config.json           | pad_token_id | 128004              | note     | pad-token-only-in-config  | config.json           |

    Scenario: A chat template that is none
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "chat_template" set to 5
      When the checkpoint is inspected
      Then a warning "chat-template-unreadable" is reported for "tokenizer_config.json"

    Scenario: A pad token beyond the rows of the embedding
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "pad_token" set to "[PAD]"
      And the config has "vocab_size" set to 500
      When the checkpoint is inspected
      Then an error "pad-id-beyond-embeddings" is reported for "tokenizer.json"
