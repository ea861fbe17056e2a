@comparison
Feature: Under load
  Many callers at once, configs of many megabytes, the first call of a new process, and reading that
  fails: what a service meets, and a quiet loop over one small config does not show.

  Rule: Several callers at once share one loader, and each gets the same answer as a single caller

    @benchmark:callers_model_info_<callers>
    Scenario Outline: The model info for <callers> callers
      Given a real temporary directory
      And the checkpoint "llama-3-8b"
      When the model info is read by <callers> callers at once
      Then the architecture is "LlamaForCausalLM"
      And the throughput is at least 500 operations per second
      And the throughput is at least 0.2 times that of one caller
      And the p95 latency is below 20 ms

      Examples:
        | callers |
        | 2       |
        | 8       |

    @benchmark:callers_encode
    Scenario: A text for 8 callers who share a tokenizer
      Given the checkpoint "gpt2"
      When the text "hello world" is encoded by 8 callers at once
      Then there are 2 ids
      And the throughput is at least 1000 operations per second

    @benchmark:callers_truncated
    Scenario: A config that is cut off is refused to every caller
      Given the checkpoint "gpt2"
      And "config.json" is cut to 100 bytes
      When the model info is read by 8 callers at once
      Then reading fails with "truncated" in "config.json"
      And the throughput is at least 500 operations per second

  Rule: A large config takes time in proportion to its size

    @iterations:5 @benchmark:config_growth
    Scenario: From 1 MB to 50 MB
      Given a checkpoint with a config of 1 MB, 10 MB and 50 MB
      When the model info is read
      Then the architecture is "LlamaForSequenceClassification"
      And the latency grows with an exponent below 1.5
      And no more than 1.5 MB is allocated per call

    @benchmark:config_too_large
    Scenario: Beyond 64 MiB it is refused, unread
      Given the checkpoint "llama-3-8b"
      And "config.json" is grown to 70 MB
      When the model info is read
      Then reading fails with "too large" in "config.json"
      And the mean latency is below 10 ms
      And no more than 20 kB is allocated per call
      And the peak resident memory is below 48 MB

  Rule: A failure takes no longer than an answer

    @benchmark:failure_none
    Scenario: A sound config, which the others are compared with
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"]}
        """
      When the model info is read
      Then the architecture is "LlamaForCausalLM"
      And the mean latency is below 1 ms

    @benchmark:failure_<name>
    Scenario Outline: A config that is <what>
      Given a checkpoint with the config:
        """
        <content>
        """
      When the model info is read
      Then reading fails with "<kind>" in "config.json"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms
      And the median latency is below 10 times that of "failure_none"

      Examples:
        | name      | what           | content                               | kind      |
        | not_json  | a sentence     | this is no config                     | not JSON  |
        | truncated | cut off        | {"architectures": ["LlamaForCausalLM" | truncated |

    @benchmark:failure_no_directory
    Scenario: No directory at all
      Given no checkpoint directory
      When the model info is read
      Then reading fails with "not found"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

  Rule: The first call of a process is fast, without anything in memory

    @iterations:5 @benchmark:first_inspection
    Scenario: An inspection, cold and warm
      Given the checkpoint "llama-3-8b"
      When the checkpoint is inspected
      Then the model is supported
      And the first latency is below 500 ms
      And the cold latency is below 2 s
      And the peak resident memory is below 64 MB

    @benchmark:first_tokenizer
    Scenario: A tokenizer
      Given the checkpoint "gpt2"
      When the tokenizer is loaded
      Then the first latency is below 500 ms
      And the peak resident memory is below 64 MB

  Rule: Added class names do not make a look-up slower

    @benchmark:registered_classes_<number>
    Scenario Outline: One class among <number> others
      Given a checkpoint with the config:
        """json
        {"architectures": ["AcmeForCausalLM"]}
        """
      And <number> other classes are registered
      And these classes are registered:
        | class           | category     | task      |
        | AcmeForCausalLM | transformers | causal_lm |
      When the category is detected
      Then the category is "transformers"
      And detection used "registered classes"
      And the mean latency is below 0.5 ms
      And the p95 latency is below 1 ms
      And no more than 30 allocations are made per call

      Examples:
        | number |
        | 0      |
        | 100    |
        | 10000  |

    Scenario: A table with a category that is not known is refused
      Given a checkpoint with the config:
        """json
        {"architectures": ["AcmeForCausalLM"]}
        """
      And these classes are registered:
        | class           | category     |
        | AcmeForCausalLM | transformers |
        | AcmeForImages   | vision       |
      When the model info is read
      Then reading fails with "malformed"
      And the failure names "line 2"
      And the failure names "vision_encoder"

    Scenario: A built-in name stays what it is
      Given the checkpoint "llama-3-8b"
      And these classes are registered:
        | class            | category  |
        | LlamaForCausalLM | diffusers |
      When the model info is read
      Then reading fails with "malformed"
      And the failure names "built in"
