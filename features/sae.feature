@sae
Feature: Sparse autoencoders
  A release of sparse autoencoders is a tree of directories, one for each place in the model that
  they read. It has no class name and no tokenizer of its own; its base model stands in its files.

  Rule: Directories named after places in a model show a release of autoencoders

    @benchmark:sae_detection_sae_<name>
    Scenario Outline: <directories>
      Given a checkpoint with the config:
        """json
        {}
        """
      And the directories "<directories>"
      When the SAE check is made
      Then the model is an SAE
      And the mean latency is below 0.3 ms
      And the p95 latency is below 0.5 ms

      Examples:
        | name           | directories                   |
        | resid_post     | resid_post                    |
        | mlp_out        | mlp_out                       |
        | attn_out       | attn_out                      |
        | transcoder     | transcoder                    |
        | resid_post_all | resid_post_all                |
        | multi          | resid_post, mlp_out, attn_out |

    Scenario Outline: <directories>, as newer releases have them
      Given an empty checkpoint directory
      And the directories "<directories>"
      When the SAE check is made
      Then the model is an SAE

      Examples:
        | directories    |
        | mlp_out_all    |
        | attn_out_all   |
        | transcoder_all |
        | crosscoder     |
        | clt            |

    Scenario: A release needs no config of its own, and is supported
      Given a checkpoint with the tree:
        """
        -- resid_post/layer_17_width_16k_l0_medium/config.json --
        {"width": 16384, "model_name": "google/gemma-3-4b-pt", "architecture": "jump_relu", "l0": 60, "type": "sae"}
        """
      When the model info is read
      Then the category is "sae"
      And the model is supported
      And the sites are "resid_post"
      And the layers are "17"

    Scenario: Gemma Scope 2 as it is published
      Given the checkpoint "gemma-scope-2-4b"
      When the model info is read
      Then the model is an SAE
      And the base model is "google/gemma-3-4b-pt"
      And the sites contain "resid_post"
      And the layers contain "17"

    Scenario: Every place and every layer is listed
      Given a checkpoint with the tree:
        """
        -- resid_post/layer_5_width_16k_l0_small/config.json --
        {"model_name": "google/gemma-3-1b-pt"}
        -- resid_post/layer_22_width_16k_l0_small/config.json --
        {"model_name": "google/gemma-3-1b-pt"}
        -- transcoder/layer_13_width_16k_l0_small/config.json --
        {"model_name": "google/gemma-3-1b-pt"}
        """
      When the model info is read
      Then the sites are "resid_post, transcoder"
      And the layers are "5, 13, 22"

    Scenario: Directories with nothing in them are taken, and noted
      Given an empty checkpoint directory
      And the directories "resid_post"
      When the model info is read
      Then the model is an SAE
      And a note "sae-bare-directories" is reported

    Scenario: A file of that name is no such directory
      Given a checkpoint with the files:
        | file       | content |
        | resid_post | notes   |
      When the SAE check is made
      Then the model is not an SAE

  Rule: A directory with a tokenizer is a model, not a release of autoencoders

    Scenario Outline: <file>
      Given a checkpoint with the files:
        | file        | content |
        | config.json | {}      |
        | resid_post/ |         |
        | <file>      | <text>  |
      When the SAE check is made
      Then the model is not an SAE

      Examples:
        | file                  | text |
        | tokenizer.json        | {}   |
        | tokenizer_config.json | {}   |
        | tokenizer.model       | x    |
        | spiece.model          | x    |
        | tekken.json           | {}   |
        | vocab.txt             | x    |

    Scenario: A vocabulary with its merges
      Given a checkpoint with the files:
        | file        | content      |
        | resid_post/ |              |
        | vocab.json  | {"a": 0}     |
        | merges.txt  | #version: 0.2 |
      When the SAE check is made
      Then the model is not an SAE

    Scenario: A language model that happens to have a directory of that name
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      And the directories "transcoder"
      When the SAE check is made
      Then the model is not an SAE

  Rule: The base model is named in the config of any of the autoencoders

    @benchmark:sae_base_model_extraction
    Scenario: The config of a layer names it
      Given a checkpoint with the tree:
        """
        -- config.json --
        {}
        -- resid_post/layer_0/config.json --
        {"model_name": "google/gemma-2b-it"}
        """
      When the SAE base model is looked up
      Then the base model is "google/gemma-2b-it"
      And the mean latency is below 0.3 ms
      And the p95 latency is below 0.5 ms

    Scenario Outline: Under <site>
      Given a checkpoint with the files:
        | file                       | content                              |
        | <site>/layer_3/config.json | {"model_name": "google/gemma-3-1b-pt"} |
      When the SAE base model is looked up
      Then the base model is "google/gemma-3-1b-pt"
      And the base model source is "<site>/layer_3/config.json"

      Examples:
        | site           |
        | mlp_out        |
        | attn_out       |
        | transcoder     |
        | resid_post_all |
        | crosscoder     |

    Scenario: A config that does not name it is passed over in silence
      Given a checkpoint with the tree:
        """
        -- resid_post/layer_0/config.json --
        {"width": 16384}
        -- resid_post/layer_1/config.json --
        {"model_name": "google/gemma-2b-it"}
        """
      When the SAE base model is looked up
      Then the base model is "google/gemma-2b-it"
      And no finding is reported

    Scenario: Weights without any config leave it unknown
      Given a checkpoint with the files:
        | file                                                | size   |
        | resid_post/layer_10_width_262k_l0_small/params.safetensors | 100 MB |
      When the SAE base model is looked up
      Then there is no base model

    Scenario: The question makes no sense for a language model
      Given a checkpoint with the config:
        """json
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        """
      When the SAE base model is looked up
      Then reading fails with "not an SAE"

  Rule: A malformed config is reported and skipped, and the next one is tried

    Scenario Outline: A config that is <what>
      Given a checkpoint with the files:
        | file                           | content                              |
        | resid_post/layer_0/config.json | <content>                            |
        | resid_post/layer_1/config.json | {"model_name": "google/gemma-2b-it"} |
      When the SAE base model is looked up
      Then the base model is "google/gemma-2b-it"
      And the base model source is "resid_post/layer_1/config.json"
      And a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"

      Examples:
        | what     | content                |
        | empty    |                        |
        | cut off  | {"model_name": "goog   |
        | no JSON  | model_name: gemma      |
        | a list   | ["google/gemma-2b-it"] |
        | null     | null                   |

    Scenario: A directory in the place of a config
      Given a checkpoint with the files:
        | file                            | content                              |
        | resid_post/layer_0/config.json/ |                                      |
        | resid_post/layer_1/config.json  | {"model_name": "google/gemma-2b-it"} |
      When the SAE base model is looked up
      Then the base model is "google/gemma-2b-it"
      And a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"

    Scenario: All of one place malformed, the next place has it
      Given a checkpoint with the files:
        | file                           | content                              |
        | resid_post/layer_0/config.json | {{{                                  |
        | mlp_out/layer_0/config.json    | {"model_name": "google/gemma-2b-it"} |
      When the SAE base model is looked up
      Then the base model is "google/gemma-2b-it"
      And the base model source is "mlp_out/layer_0/config.json"

    Scenario: All malformed leaves the base model unknown, and every file is named
      Given a checkpoint with the files:
        | file                           | content |
        | resid_post/layer_0/config.json | {{{     |
        | mlp_out/layer_0/config.json    |         |
      When the SAE base model is looked up
      Then there is no base model
      And a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"
      And a warning "sae-config-malformed" is reported for "mlp_out/layer_0/config.json"
