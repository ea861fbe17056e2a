@tokenizer
Feature: Tokenizers
  The loader finds the tokenizer that belongs to a checkpoint and says what it is: its type, its
  size, its special tokens and what to pad with. Where the checkpoint has none, it says whose
  tokenizer it took, and where it had looked before.

  Rule: A checkpoint's own tokenizer has precedence

    @benchmark:tokenizer_load_normal
    Scenario: A small byte-level BPE
      Given a checkpoint with the tree:
        """
        -- config.json --
        {"model_type": "gpt2"}
        -- tokenizer_config.json --
        {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
        -- special_tokens_map.json --
        {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
        -- tokenizer.json --
        {
          "version": "1.0",
          "added_tokens": [{"id": 7, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
          "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
          "model": {
            "type": "BPE",
            "vocab": {"h": 0, "e": 1, "l": 2, "o": 3, "he": 4, "ll": 5, "hell": 6},
            "merges": ["h e", "l l", "he ll"]
          }
        }
        """
      When the tokenizer is loaded
      Then the origin is "checkpoint"
      And the type is "BPE"
      And the class is "GPT2Tokenizer"
      And the vocab size is 8
      And the pad token is "<|endoftext|>"
      And the pad token source is "eos_token"
      And the mean latency is below 2 ms
      And the p95 latency is below 5 ms

    Scenario Outline: The tokenizer of <checkpoint>
      Given the checkpoint "<checkpoint>"
      When the tokenizer is read
      Then the origin is "checkpoint"
      And the type is "<type>"
      And no other place was tried

      Examples:
        | checkpoint        | type      |
        | gpt2              | BPE       |
        | llama-3-8b        | BPE       |
        | qwen3-8b          | BPE       |
        | bert-base-uncased | WordPiece |
        | t5-small          | Unigram   |

    Scenario Outline: A tokenizer whose model is a <type>
      Given a checkpoint with the files:
        | file           | content                                           |
        | tokenizer.json | {"version": "1.0", "model": {"type": "<type>", "vocab": <vocab>}} |
      When the tokenizer is read
      Then the type is "<type>"
      And the vocab size is 2

      Examples:
        | type      | vocab                          |
        | BPE       | {"a": 0, "b": 1}               |
        | WordPiece | {"[UNK]": 0, "b": 1}           |
        | WordLevel | {"a": 0, "b": 1}               |
        | Unigram   | [["<unk>", 0], ["b", -1.5]]    |

    Scenario: Merges written as pairs are read like merges written as text
      Given a checkpoint with the files:
        | file           | content                                                                                                     |
        | tokenizer.json | {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}}     |
      When the tokenizer is read
      Then the type is "BPE"
      And the vocab size is 3

    Scenario: A model without a type is told by what it holds
      Given a checkpoint with the files:
        | file           | content                                                                                    |
        | tokenizer.json | {"version": "1.0", "model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}       |
      When the tokenizer is read
      Then the type is "BPE"

    Scenario: The size counts to the highest id, holes and added tokens included
      Given a checkpoint with the files:
        | file           | content                                                                                    |
        | tokenizer.json | {"version": "1.0", "added_tokens": [{"id": 99, "content": "<end>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}], "model": {"type": "BPE", "vocab": {"a": 0, "<end>": 99}, "merges": []}} |
      When the tokenizer is read
      Then the vocab size is 100

  Rule: Vocabulary files alone are a tokenizer too

    Scenario: A vocabulary with its merges
      Given a checkpoint with the files:
        | file       | content                     |
        | vocab.json | {"a": 0, "b": 1, "ab": 2}   |
        | merges.txt | #version: 0.2\na b\n        |
      When the tokenizer is read
      Then the origin is "checkpoint"
      And the type is "BPE"
      And the vocab size is 3

    Scenario: A list of words
      Given a checkpoint with the files:
        | file      | content                   |
        | vocab.txt | [PAD]\n[UNK]\nhello\n##o\n |
      When the tokenizer is read
      Then the type is "WordPiece"
      And the vocab size is 4

  Rule: The pad token and its source are reported, and the end of text is used instead of a missing one

    Scenario: The pad token that the tokenizer's config gives
      Given a checkpoint with the files:
        | file                  | content                                                                                       |
        | tokenizer.json        | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "</s>": 1}}}           |
        | tokenizer_config.json | {"pad_token": "<pad>", "eos_token": "</s>"}                                                    |
      When the tokenizer is read
      Then the pad token is "<pad>"
      And the pad token source is "tokenizer_config.json"

    Scenario: Special tokens written as objects
      Given a checkpoint with the files:
        | file                  | content                                                                                       |
        | tokenizer.json        | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "</s>": 1}}}           |
        | tokenizer_config.json | {"pad_token": {"__type": "AddedToken", "content": "<pad>", "lstrip": false}, "eos_token": {"content": "</s>"}} |
      When the tokenizer is read
      Then the pad token is "<pad>"
      And the eos token is "</s>"

    Scenario: The pad token that only the map of special tokens gives
      Given a checkpoint with the files:
        | file                    | content                                                                                     |
        | tokenizer.json          | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "</s>": 1}}}         |
        | tokenizer_config.json   | {"eos_token": "</s>"}                                                                        |
        | special_tokens_map.json | {"pad_token": "<pad>", "eos_token": "</s>"}                                                  |
      When the tokenizer is read
      Then the pad token is "<pad>"
      And the pad token source is "special_tokens_map.json"

    Scenario: The pad token that only the padding section of tokenizer.json gives
      Given a checkpoint with the files:
        | file                  | content                                                                                                              |
        | tokenizer.json        | {"version": "1.0", "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}, "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "</s>": 1}}} |
        | tokenizer_config.json | {"eos_token": "</s>"}                                                                                                 |
      When the tokenizer is read
      Then the pad token is "<pad>"
      And the pad token source is "tokenizer.json"

    Scenario Outline: Where no file names a class, that of the model type <model type> has <pad>
      Given a checkpoint with the files:
        | file           | content                                                                          |
        | tokenizer.json | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"x": 0, "<pad>": 3}}} |
        | config.json    | {"model_type": "<model type>"}                                                   |
      When the tokenizer is read
      Then the pad token is "<pad>"
      And the pad token source is "model_type <model type>"

      Examples:
        | model type  | pad                |
        | bert        | [PAD]              |
        | t5          | <pad>              |
        | xlm-roberta | <pad>              |
        | qwen3       | <\|endoftext\|>    |

    Scenario: The class that a file names takes precedence over the model type
      Given a checkpoint with the files:
        | file                  | content                                                                          |
        | tokenizer.json        | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"</s>": 0, "[PAD]": 3}}} |
        | tokenizer_config.json | {"tokenizer_class": "LlamaTokenizerFast", "eos_token": "</s>"}                     |
        | config.json           | {"model_type": "bert"}                                                            |
      When the tokenizer is read
      Then the pad token source is "eos_token"

    Scenario Outline: A pad token that is <what> is none: the end of text is used instead
      Given a checkpoint with the files:
        | file                  | content                                                                            |
        | tokenizer.json        | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0, "</s>": 1}}}    |
        | tokenizer_config.json | {"eos_token": "</s>", "pad_token": <pad>}                                           |
      When the tokenizer is read
      Then the pad token is "</s>"
      And the pad token source is "eos_token"

      Examples:
        | what  | pad  |
        | null  | null |
        | empty | ""   |

    Scenario: A pad token of its own, given to a checkpoint that had none
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has "pad_token" set to "<|reserved_special_token_0|>"
      When the tokenizer is read
      Then the pad token is "<|reserved_special_token_0|>"
      And the pad token source is "tokenizer_config.json"

    Scenario: An end of text that only the map of special tokens gives
      Given the checkpoint "llama-3-8b"
      And "tokenizer_config.json" has no "eos_token"
      When the tokenizer is read
      Then the eos token is "<|end_of_text|>"
      And the pad token source is "eos_token"

    Scenario: Without a pad token and without an end of text there is nothing to pad with
      Given a checkpoint with the files:
        | file           | content                                                                   |
        | tokenizer.json | {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}}}     |
      When the tokenizer is read
      Then there is no pad token

  Rule: For an autoencoder, the tokenizer of its base model is used, if it is found

    @benchmark:tokenizer_load_sae_fallback
    Scenario: The base model lies beside it
      Given a checkpoint with the tree:
        """
        -- config.json --
        {}
        -- resid_post/layer_0/config.json --
        {"model_name": "openai-community/gpt2"}
        """
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      When the tokenizer is loaded
      Then the origin is "base model"
      And the path is "models/openai-community/gpt2"
      And the type is "BPE"
      And the mean latency is below 2 ms
      And the p95 latency is below 5 ms

    Scenario: Gemma Scope 2 beside Gemma 3, on a real disk
      Given a real temporary directory
      And the checkpoint "gemma-scope-2-4b"
      And beside it, the checkpoint "gemma-3-4b" as "google/gemma-3-4b-pt"
      When the tokenizer is read
      Then the origin is "base model"
      And the pad token is "<pad>"

    Scenario: The base model lies beside it under its bare name
      Given a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "gpt2"
      When the tokenizer is read
      Then the origin is "base model"
      And the path is "models/gpt2"

    Scenario: The base model lies beside it as the Hugging Face cache keeps it
      Given a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2" in the Hugging Face cache layout
      When the tokenizer is read
      Then the origin is "base model"
      And the path contains "models--openai-community--gpt2/snapshots/"

    Scenario: The autoencoders lie in the directory of their organisation
      Given the directory "models/google/gemma-scope-2-4b-pt" for the checkpoint
      And a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      When the tokenizer is read
      Then the origin is "base model"
      And the path is "models/openai-community/gpt2"

    Scenario: The base model lies in a directory of models that the loader was told of
      Given a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And in "library/openai-community/gpt2", the checkpoint "gpt2"
      And "library" is a model root
      When the tokenizer is read
      Then the origin is "base model"
      And the path is "library/openai-community/gpt2"

    Scenario: A name that leads out of the models is not followed
      Given a checkpoint with the files:
        | file                           | content                                    |
        | resid_post/layer_0/config.json | {"model_name": "../../secret/tokenizer"}   |
      And in "secret/tokenizer", the checkpoint "gpt2"
      When the tokenizer is read
      Then reading fails with "not found"

  Rule: Then the configured fallbacks are tried in their order

    Scenario: The base model is nowhere, a fallback is
      Given a checkpoint with the files:
        | file                           | content                              |
        | resid_post/layer_0/config.json | {"model_name": "google/gemma-2b-it"} |
      And in "library/gpt2", the checkpoint "gpt2"
      And "library/gpt2" is a tokenizer fallback
      When the tokenizer is read
      Then the origin is "fallback"
      And the path is "library/gpt2"

    Scenario: A base model without a tokenizer is passed over, and that is said
      Given a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      And without "tokenizer*"
      And without "vocab.json"
      And without "merges.txt"
      And in "library/gpt2", the checkpoint "gpt2"
      And "library/gpt2" is a tokenizer fallback
      When the tokenizer is read
      Then the origin is "fallback"
      And "models/openai-community/gpt2" was tried before

    Scenario: A fallback that is not there is passed over
      Given a checkpoint with the config:
        """json
        {"model_type": "llama"}
        """
      And in "library/gpt2", the checkpoint "gpt2"
      And "library/missing" is a tokenizer fallback
      And "library/gpt2" is a tokenizer fallback
      When the tokenizer is read
      Then the origin is "fallback"
      And the path is "library/gpt2"

    Scenario: A fallback is not taken where the checkpoint has a tokenizer
      Given the checkpoint "gpt2"
      And in "library/llama", the checkpoint "llama-3-8b"
      And "library/llama" is a tokenizer fallback
      When the tokenizer is read
      Then the origin is "checkpoint"

  Rule: No tokenizer anywhere is an error that lists every place that was tried

    Scenario: An autoencoder whose base model is nowhere
      Given a checkpoint with the files:
        | file                           | content                              |
        | resid_post/layer_0/config.json | {"model_name": "google/gemma-2b-it"} |
      And "library/gpt2" is a tokenizer fallback
      When the tokenizer is read
      Then reading fails with "not found"
      And the failure names "below models"
      And the failure names "google/gemma-2b-it"
      And the failure names "models--google--gemma-2b-it"
      And the failure names "library/gpt2"

    Scenario: A language model without one
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      When the tokenizer is read
      Then reading fails with "not found"

  Rule: A broken tokenizer is an error, and no other place is tried

    Scenario Outline: A tokenizer.json that is <what>
      Given a checkpoint with the files:
        | file           | content   |
        | config.json    | {}        |
        | tokenizer.json | <content> |
      And in "library/gpt2", the checkpoint "gpt2"
      And "library/gpt2" is a tokenizer fallback
      When the tokenizer is read
      Then reading fails with "<kind>" in "tokenizer.json"

      Examples:
        | what              | content                                 | kind       |
        | empty             |                                         | empty file |
        | cut off           | {"version": "1.0", "model": {"type": "B | truncated  |
        | no JSON           | hello                                   | not JSON   |
        | a list            | []                                      | wrong type |
        | null              | null                                    | wrong type |

    Scenario: A tokenizer.json that Git LFS never fetched
      Given the checkpoint "gpt2"
      And "tokenizer.json" is a Git LFS pointer
      When the tokenizer is read
      Then reading fails with "git-lfs pointer" in "tokenizer.json"
      And the hint mentions "git lfs pull"

    Scenario: A web page in the place of tokenizer.json
      Given the checkpoint "gpt2"
      And "tokenizer.json" is a web page
      When the tokenizer is read
      Then reading fails with "HTML page" in "tokenizer.json"

    Scenario: A directory in the place of tokenizer.json
      Given the checkpoint "gpt2"
      And "tokenizer.json" is a directory
      When the tokenizer is read
      Then reading fails with "not a file" in "tokenizer.json"
