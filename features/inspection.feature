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

  Rule: An inspection reports where tokenizer and model do not fit

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

  Rule: A verification reads every file, and compares its hash with the one that its download recorded

    Background:
      Given a checkpoint with the tree:
        """
        -- config.json --
        {"architectures": ["BertModel"], "model_type": "bert"}
        -- vocab.txt --
        [PAD]
        -- .cache/huggingface/download/config.json.metadata --
        0123456789abcdef0123456789abcdef01234567
        f61c7d3dfe6fc545ffbd726a4cf8a25cf7734f26
        1700000000.0
        """

    Scenario: A file is what the record says
      When the checkpoint is verified
      Then the verified files is 1
      And the verified bytes is 55
      And the verified unrecorded are "vocab.txt"
      And there are no verified mismatched

    Scenario: A file that was changed since
      Given the config has "vocab_size" set to 30522
      When the checkpoint is verified
      Then an error "hash-mismatch" is reported for "config.json"
      And the verified files is 0
      And the verified mismatched are "config.json"

    Scenario: Of a file without a record nothing can be said
      Given without ".cache"
      When the checkpoint is verified
      Then a warning "hash-unrecorded" is reported
      And the verified bytes is 0

  Rule: If the config has no context length, it is the default of the library

    Scenario Outline: The config of a <type> model without <key>
      Given a checkpoint with the config:
        """json
        {"architectures": ["<class>"], "model_type": "<type>"}
        """
      When the checkpoint is inspected
      Then the context length is <length>
      And the context length source contains "<key>"

      Examples:
        | class              | type  | key                     | length |
        | LlamaForCausalLM   | llama | max_position_embeddings | 2048   |
        | GPT2LMHeadModel    | gpt2  | n_positions             | 1024   |

    Scenario: What the config gives comes before it
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 8192}
        """
      When the checkpoint is inspected
      Then the context length is 8192

  Rule: The parameters of a program are counted if its format lists them

    Scenario: The initial values of an ONNX graph
      Given an empty checkpoint directory
      And the generated files:
        """
        bytes model.onnx
          "\x08\x09" ":\x25" "*\x23" "\x08\x02\x08\x03\x10\x01" "B\x01w" "J\x18" "24 bytes of six F32 ----"
        """
      When the checkpoint is inspected
      Then the weights format is "onnx"
      And the parameters are 6

  Rule: A directory with GGUF files of several quantizations is one model

    Background:
      Given the checkpoint "llama-2-7b-gguf"
      And without "config.json"
      And "llama-2-7b.Q4_K_M.gguf" is there as "Q8_0/llama-2-7b.Q8_0.gguf" too
      And "llama-2-7b.Q4_K_M.gguf" is renamed to "Q4_K_M/llama-2-7b.Q4_K_M.gguf"

    Scenario: One directory a quantization
      When the checkpoint is inspected
      Then the layout is "gguf"
      And the task is "causal_lm"
      And the model type is "llama"
      And a note "weights-alternatives" is reported
      And no error is reported

  Rule: Weights inside a program are not read, and not reported as missing

    Scenario Outline: A model of <layout>
      Given a checkpoint with the files:
        | file      | content                                                |
        | <file>    | <content>                                              |
        | README.md | ---\npipeline_tag: image-classification\n---\n |
      When the checkpoint is inspected
      Then the layout is "<layout>"
      And the category is "vision_encoder"
      And there are no weights
      And no error is reported

      Examples:
        | layout                 | file             | content             |
        | core ml                | m.mlmodel        | a model of Core ML  |
        | tensorflow saved model | saved_model.pb   | a graph             |
        | litert                 | m.task           | a task bundle       |
