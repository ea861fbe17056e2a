@detection
Feature: Bad inputs
  Checkpoints arrive cut off, half downloaded and edited by hand. Each gets a definite answer or a
  definite error that names the file and the way out; never a crash, and never a quiet no.

  Rule: A config that cannot be read is an error of every operation

    Scenario Outline: A config that is <what>
      Given a checkpoint with the config:
        """
        <content>
        """
      When the model info is read
      Then reading fails with "<kind>" in "config.json"

      Examples: no JSON
        | what                    | content                                          | kind       |
        | a sentence              | this is no config                                | not JSON   |
        | YAML                    | architectures: [LlamaForCausalLM]                | not JSON   |
        | Python's print          | {'architectures': ['LlamaForCausalLM']}          | not JSON   |
        | with a comment          | {"model_type": "llama" // the usual\n}           | not JSON   |
        | with a trailing comma   | {"architectures": ["LlamaForCausalLM"],}         | not JSON   |
        | with a bare word        | {"model_type": llama}                            | not JSON   |
        | with a line break in a text | {"model_type": "lla\nma"}                    | not JSON   |
        | two configs in a row    | {"model_type": "llama"} {"model_type": "llama"}  | not JSON   |

      Examples: cut off
        | what                    | content                                          | kind       |
        | cut off in a text       | {"architectures": ["LlamaForCau                  | truncated  |
        | cut off in a list       | {"architectures": ["LlamaForCausalLM"            | truncated  |
        | cut off before the end  | {"architectures": ["LlamaForCausalLM"]           | truncated  |
        | cut off at once         | {                                                | truncated  |

      Examples: JSON of another kind
        | what                    | content                                          | kind       |
        | null                    | null                                             | wrong type |
        | a list                  | [{"model_type": "llama"}]                        | wrong type |
        | a text                  | "llama"                                          | wrong type |
        | a number                | 42                                               | wrong type |
        | true                    | true                                             | wrong type |

    Scenario Outline: <question> of a broken config is an error and not a no
      Given a checkpoint with the config:
        """
        {"architectures": ["LlamaForCausalLM"
        """
      When <question>
      Then reading fails with "truncated" in "config.json"

      Examples:
        | question                |
        | the category is detected |
        | support is checked      |
        | the omni check is made  |
        | the SAE check is made   |
        | the SAE base model is looked up |

    Scenario: An empty config
      Given the checkpoint "gpt2"
      And "config.json" is empty
      When the model info is read
      Then reading fails with "empty file" in "config.json"

    Scenario: A config of nothing but zeros
      Given the checkpoint "gpt2"
      And "config.json" is all zeros
      When the model info is read
      Then reading fails with "zero-filled" in "config.json"

    Scenario: A config cut off by an interrupted download
      Given the checkpoint "gpt2"
      And "config.json" is cut to 40 bytes
      When the model info is read
      Then reading fails with "truncated" in "config.json"
      And the hint mentions "download"

    Scenario: A directory in the place of the config
      Given the checkpoint "gpt2"
      And "config.json" is a directory
      When the model info is read
      Then reading fails with "not a file" in "config.json"

    Scenario: The pointer of Git LFS in the place of the config
      Given the checkpoint "gpt2"
      And "config.json" is a Git LFS pointer
      When the model info is read
      Then reading fails with "git-lfs pointer" in "config.json"
      And the hint mentions "git lfs pull"

    Scenario: A web page in the place of the config
      Given the checkpoint "gpt2"
      And "config.json" is a web page
      When the model info is read
      Then reading fails with "HTML page" in "config.json"

    Scenario: The same care for the index of a pipeline
      Given a checkpoint with the files:
        | file             | content                                   |
        | model_index.json | {"_class_name": "StableDiffusionPipeline" |
      When the category is detected
      Then reading fails with "truncated" in "model_index.json"

  Rule: A config made to cause harm is refused before it takes time or memory

    Scenario: A config of 100 MB
      Given the checkpoint "gpt2"
      And "config.json" is grown to 100 MB
      When the model info is read
      Then reading fails with "too large" in "config.json"

    Scenario: A hundred thousand lists, one within the other
      Given the checkpoint "gpt2"
      And the config has a list nested 100000 deep
      When the model info is read
      Then reading fails with "nested too deeply" in "config.json"

    Scenario: A deep config that is still sane
      Given the checkpoint "gpt2"
      And the config has a list nested 20 deep
      When the model info is read
      Then the architecture is "GPT2LMHeadModel"

  Rule: A directory that does not exist is an error of every operation

    Scenario Outline: <question> where there is no directory
      Given no checkpoint directory
      When <question>
      Then reading fails with "not found"

      Examples:
        | question                |
        | the model info is read  |
        | the category is detected |
        | support is checked      |
        | the omni check is made  |
        | the SAE check is made   |
        | the SAE base model is looked up |
        | the tokenizer is read   |
        | the checkpoint is inspected |

  Rule: An unusual config that can be read is answered, and reported

    Scenario: A byte order mark
      Given the checkpoint "gpt2"
      And "config.json" starts with a byte order mark
      When the model info is read
      Then the architecture is "GPT2LMHeadModel"
      And a warning "config-byte-order-mark" is reported for "config.json"

    Scenario Outline: <value>, which Python writes and JSON does not know
      Given a checkpoint with the config:
        """
        {"architectures": ["GemmaForCausalLM"], "attention_invalid_logits_value": <value>, "model_type": "gemma"}
        """
      When the model info is read
      Then the architecture is "GemmaForCausalLM"
      And the model type is "gemma"
      And a note "config-non-finite" is reported for "config.json"

      Examples:
        | value     |
        | NaN       |
        | Infinity  |
        | -Infinity |

    Scenario: A key that stands there twice: the last one counts, as in Python
      Given a checkpoint with the config:
        """
        {"architectures": ["BertForMaskedLM"], "model_type": "llama", "architectures": ["LlamaForCausalLM"]}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And a warning "config-duplicate-key" is reported for "config.json"

    Scenario: Architectures that are null
      Given a checkpoint with the config:
        """json
        {"architectures": null, "model_type": "llama"}
        """
      When the model info is read
      Then the architecture is "unknown"
      And there are no architectures
      And the category is "transformers"

    Scenario: Architectures that are an empty list
      Given a checkpoint with the config:
        """json
        {"architectures": [], "model_type": "llama"}
        """
      When the model info is read
      Then the architecture is "unknown"
      And the category is "transformers"

    Scenario: Architectures that are one text
      Given a checkpoint with the config:
        """json
        {"architectures": "LlamaForCausalLM", "model_type": "llama"}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And a warning "config-architectures" is reported for "config.json"

    Scenario Outline: Architectures that are <what>
      Given a checkpoint with the config:
        """json
        {"architectures": <value>, "model_type": "llama"}
        """
      When the model info is read
      Then the architecture is "<architecture>"
      And the category is "transformers"
      And a warning "config-architectures" is reported for "config.json"

      Examples:
        | what                    | value                           | architecture     |
        | a number                | 7                               | unknown          |
        | an object               | {"0": "LlamaForCausalLM"}       | unknown          |
        | a list with a null      | [null, "LlamaForCausalLM"]      | LlamaForCausalLM |
        | a list of lists         | [["LlamaForCausalLM"]]          | unknown          |

    Scenario Outline: A model type that is <what>
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": <value>}
        """
      When the model info is read
      Then the model type is "unknown"
      And the architecture is "LlamaForCausalLM"
      And a warning "config-model-type" is reported for "config.json"

      Examples:
        | what      | value     |
        | a number  | 3         |
        | a list    | ["llama"] |
        | an object | {}        |

    Scenario: A model type that is null is simply missing
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": null}
        """
      When the model info is read
      Then the model type is "unknown"
      And the model is supported

    Scenario: Numbers beyond every integer
      Given a checkpoint with the config:
        """json
        {"architectures": ["Qwen2ForCausalLM"], "max_position_embeddings": 1e30, "vocab_size": 151936.0,
         "model_max_length": 1000000000000000019884624838656, "model_type": "qwen2"}
        """
      When the model info is read
      Then the architecture is "Qwen2ForCausalLM"
      And the model type is "qwen2"

    Scenario: Keys that nobody knows, in any script
      Given a checkpoint with the config:
        """json
        {"备注": "由社区微调", "🦙": [{"architectures": ["NotThis"]}], "architectures": ["LlamaForCausalLM"]}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
