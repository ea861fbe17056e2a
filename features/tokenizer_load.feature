@tokenizer
Feature: Loading tokenizers
  A tokenizer that is loaded can encode. What the loader says of it then is what it is, and not what a
  file claims; where none can be loaded, it says which places it tried and why each was not taken.

  Rule: Every kind of tokenizer file is loaded

    Scenario Outline: <checkpoint>, whose tokenizer is <type>
      Given the checkpoint "<checkpoint>"
      When the tokenizer is loaded
      Then the origin is "checkpoint"
      And the type is "<type>"
      And the vocab size is <size>
      And the eos token is "<eos>"

      Examples:
        | checkpoint            | type          | size   | eos               |
        | llama-3-8b            | BPE           | 128256 | <\|end_of_text\|> |
        | qwen2-7b              | BPE           | 151646 | <\|endoftext\|>   |
        | llama-2-7b            | BPE           | 376    | </s>              |
        | llama-2-7b-gguf       | BPE           | 266    | </s>              |

    Scenario Outline: <file> alone
      Given the checkpoint "<checkpoint>"
      And without "tokenizer.json"
      When the tokenizer is loaded
      Then the type is "<type>"
      And the files contain "<file>"

      Examples:
        | checkpoint        | file            | type          |
        | gpt2              | vocab.json      | BPE           |
        | llama-2-7b        | tokenizer.model | SentencePiece |
        | t5-small          | spiece.model    | SentencePiece |
        | bert-base-uncased | vocab.txt       | WordPiece     |

    @benchmark:tokenizer_load_gpt2
    Scenario: GPT-2's
      Given the checkpoint "gpt2"
      When the tokenizer is loaded
      Then the type is "BPE"
      And the mean latency is below 10 ms

    @iterations:20 @benchmark:tokenizer_load_llama_3
    Scenario: Llama 3's, with its 256 special tokens
      Given the checkpoint "llama-3-8b"
      When the tokenizer is loaded
      Then the type is "BPE"
      And the mean latency is below 50 ms

    @benchmark:tokenizer_load_sentencepiece
    Scenario: Llama 2's tokenizer.model
      Given the checkpoint "llama-2-7b"
      And without "tokenizer.json"
      When the tokenizer is loaded
      Then the type is "SentencePiece"
      And the mean latency is below 10 ms

    @benchmark:tokenizer_load_gguf
    Scenario: Llama 2's keys in a GGUF file
      Given the checkpoint "llama-2-7b-gguf"
      When the tokenizer is loaded
      Then the files contain "llama-2-7b.Q4_K_M.gguf"
      And the mean latency is below 10 ms

  Rule: The pad token, its id and its source are reported

    Scenario: A pad token of its own
      Given the checkpoint "gemma-2-2b"
      When the tokenizer is loaded
      Then the pad token is "<pad>"
      And the pad token id is 0

    Scenario: The end of a text stands in
      Given the checkpoint "llama-3-8b"
      When the tokenizer is loaded
      Then the pad token source is "eos_token"
      And the pad token id is 128001

  Rule: If the checkpoint has no tokenizer, the next place is tried

    Scenario: An adapter takes its base model's
      Given a checkpoint with the files:
        | file                | content                                              |
        | adapter_config.json | {"base_model_name_or_path": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      When the tokenizer is loaded
      Then the origin is "base model"
      And the path is "models/openai-community/gpt2"

    Scenario: A base model in the Hugging Face cache
      Given a checkpoint with the files:
        | file                | content                                              |
        | adapter_config.json | {"base_model_name_or_path": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2" in the Hugging Face cache layout
      When the tokenizer is loaded
      Then the origin is "base model"
      And the path contains "models--openai-community--gpt2/snapshots/"

    Scenario: A base model below a model root
      Given a checkpoint with the files:
        | file                | content                                              |
        | adapter_config.json | {"base_model_name_or_path": "openai-community/gpt2"} |
      And in "library/openai-community/gpt2", the checkpoint "gpt2"
      And "library" is a model root
      When the tokenizer is loaded
      Then the origin is "base model"
      And "models/openai-community/gpt2" was tried before

    Scenario: A base model that the adapter names by its path
      Given the directory "work/adapters/lora" for the checkpoint
      And a checkpoint with the files:
        | file                | content                                        |
        | adapter_config.json | {"base_model_name_or_path": "../../base/gpt2"} |
      And in "work/base/gpt2", the checkpoint "gpt2"
      When the tokenizer is loaded
      Then the origin is "base model"
      And the path is "work/base/gpt2"

    Scenario: A base model whose tokenizer is broken is an error, and no fallback is taken
      Given a checkpoint with the files:
        | file                | content                                              |
        | adapter_config.json | {"base_model_name_or_path": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      And "tokenizer.json" is cut to 100 bytes
      And in "library/bert", the checkpoint "bert-base-uncased"
      And "library/bert" is a tokenizer fallback
      When the tokenizer is loaded
      Then reading fails with "truncated" in "models/openai-community/gpt2/tokenizer.json"

    Scenario: None anywhere
      Given a checkpoint with the files:
        | file                | content                                              |
        | adapter_config.json | {"base_model_name_or_path": "openai-community/gpt2"} |
      And "library/missing" is a tokenizer fallback
      When the tokenizer is loaded
      Then reading fails with "not found"
      And the failure names "openai-community/gpt2"
      And the failure names "library/missing"
      And the hint mentions "openai-community/gpt2"

  Rule: A broken tokenizer is an error, and no other one is used

    Scenario Outline: <what>
      Given the checkpoint "gpt2"
      And "tokenizer.json" has "<key>" set to <value>
      And in "library/bert", the checkpoint "bert-base-uncased"
      And "library/bert" is a tokenizer fallback
      When the tokenizer is loaded
      Then reading fails with "<kind>" in "tokenizer.json"

      Examples:
        | what                               | key                | value                                             | kind              |
        | A model of a kind that is unknown  | model.type         | "Magic"                                           | unknown component |
        | A pre-tokenizer that is unknown    | pre_tokenizer.type | "Magic"                                           | unknown component |
        | A merge of what is no token        | model.merges.0     | "nowhere near"                                    | bad vocabulary    |
        | A pattern that is no expression    | pre_tokenizer      | {"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false} | bad pattern |
        | A component without a field        | pre_tokenizer      | {"type":"Split","behavior":"Isolated","invert":false} | missing field |

    Scenario: A file that is cut short
      Given the checkpoint "gpt2"
      And "tokenizer.json" is cut to 100 bytes
      When the tokenizer is loaded
      Then reading fails with "truncated" in "tokenizer.json"

    Scenario: A vocabulary whose merges were not downloaded is no speech recognizer's
      Given the checkpoint "gpt2"
      And without "tokenizer.json"
      And without "merges.txt"
      When the tokenizer is loaded
      Then reading fails with "incomplete download" in "merges.txt"
      And the hint mentions "merges.txt"

    Scenario: Ids that the class numbers in a way of its own
      Given the checkpoint "t5-small"
      And without "tokenizer.json"
      And "tokenizer_config.json" has "tokenizer_class" set to "PLBartTokenizer"
      When the tokenizer is loaded
      Then reading fails with "unsupported" in "spiece.model"
      And the hint mentions "tokenizer.json"

    Scenario: A chat template that is none keeps nobody from the ids
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "chat_template" set to 5
      When the tokenizer is loaded
      Then the type is "BPE"

  Rule: A tokenizer that does not fit the model is reported

    Scenario: They fit
      Given the checkpoint "gemma-2-2b"
      When the tokenizer is compared with the model
      Then no finding is reported

    Scenario: One token for padding and for the end of a text
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "pad_token" set to "<|end_of_text|>"
      When the tokenizer is compared with the model
      Then a note "pad-token-is-eos" is reported

    Scenario: A pad token beyond the embeddings
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "pad_token" set to "[PAD]"
      And the config has "vocab_size" set to 500
      When the tokenizer is compared with the model
      Then an error "pad-id-beyond-embeddings" is reported for "tokenizer.json"
      And a warning "token-not-in-vocabulary" is reported for "tokenizer.json"

    Scenario: Two ends of a text
      Given the checkpoint "llama-3-8b"
      And the config has "eos_token_id" set to 7
      When the tokenizer is compared with the model
      Then a warning "special-token-id-mismatch" is reported for "config.json"

    Scenario: A pad id that only the config has
      Given the checkpoint "llama-3-8b"
      And the config has "pad_token_id" set to 128004
      When the tokenizer is compared with the model
      Then a note "pad-token-only-in-config" is reported

    Scenario: A pad id that no token has
      Given the checkpoint "llama-2-7b"
      And the config has "pad_token_id" set to -1
      When the tokenizer is compared with the model
      Then a note "pad-id-negative" is reported
