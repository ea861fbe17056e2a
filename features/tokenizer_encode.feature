@tokenizer
Feature: Texts and tokens
  The loader runs the tokenizers of the published families: it turns texts into ids and ids into texts
  as the library that made the files does. The ids here were given by that library.

  Rule: Each family splits a text in its own way

    Scenario Outline: <checkpoint> cuts "<text>"
      Given the checkpoint "<checkpoint>"
      When the text "<text>" is encoded
      Then the ids are "<ids>"

      Examples: Byte-level BPE
        | checkpoint    | text                  | ids                                                    |
        | gpt2          | the model and a token | 83, 282, 278, 263, 261, 281                            |
        | gpt2          | Hello, world! 2024    | 39, 68, 75, 75, 78, 11, 290, 0, 220, 17, 15, 17, 19     |
        | gpt2          | naïve 🦙              | 77, 64, 127, 107, 85, 68, 220, 172, 253, 99, 247        |
        | llama-3-8b    | the model and a token | 83, 282, 278, 263, 261, 281                            |
        | qwen2-7b      | Hello, world! 2024    | 39, 68, 75, 75, 78, 11, 290, 0, 220, 17, 15, 17, 19     |
        | qwen3-8b      | naïve 🦙              | 77, 64, 127, 107, 85, 68, 220, 172, 253, 99, 247        |
        | deepseek-v3   | Hello, world! 2024    | 42, 71, 78, 78, 81, 14, 293, 3, 223, 20, 18, 20, 22     |
        | falcon-7b     | Hello, world! 2024    | 51, 80, 87, 87, 90, 23, 302, 12, 232, 29, 27, 29, 31    |
        | whisper-small | the model and a token | 83, 282, 278, 263, 261, 281                            |

      Examples: SentencePiece BPE
        | checkpoint      | text                  | ids                                                                  |
        | llama-2-7b      | the model and a token | 261, 281, 266, 264, 284                                              |
        | llama-2-7b      | naïve 🦙              | 375, 362, 349, 198, 178, 370, 353, 375, 243, 162, 169, 156           |
        | mistral-7b-v0.3 | Hello, world! 2024    | 382, 337, 360, 367, 367, 370, 314, 300, 309, 382, 319, 317, 319, 321 |
        | gemma-2-2b      | the model and a token | 366, 386, 371, 369, 389                                              |
        | gemma-3-4b      | naïve 🦙              | 479, 466, 453, 302, 282, 474, 457, 479, 347, 266, 273, 260           |
        | phi-3-mini      | the model and a token | 261, 281, 266, 264, 284                                              |

      Examples: Unigram
        | checkpoint | text                  | ids                                                    |
        | t5-small   | the model and a token | 3, 13, 5, 8, 14                                        |
        | t5-small   | Hello, world! 2024    | 95, 51, 74, 81, 81, 84, 28, 16, 23, 95, 33, 31, 33, 35 |
        | t5-small   | naïve 🦙              | 95, 83, 70, 2, 90, 74, 95, 2                           |

      Examples: WordPiece
        | checkpoint        | text                  | ids                                                                |
        | bert-base-uncased | the model and a token | 1093, 1102, 1095, 1041, 1103                                       |
        | bert-base-uncased | Hello, world! 2024    | 1055, 1050, 1064, 1064, 1070, 1009, 1105, 999, 1019, 1016, 1020, 1024 |
        | all-minilm-l6-v2  | naïve 🦙              | 1067, 1042, 1058, 1084, 1050, 100                                  |

      Examples: CLIP
        | checkpoint            | text                  | ids                                       |
        | clip-vit-base-patch32 | the model and a token | 49406, 513, 528, 516, 320, 532, 49407     |

    Scenario: A sparse autoencoder cuts texts as its base model does
      Given a checkpoint with the files:
        | file                           | content                                 |
        | resid_post/layer_0/config.json | {"model_name": "openai-community/gpt2"} |
      And beside it, the checkpoint "gpt2" as "openai-community/gpt2"
      When the text "the model and a token" is encoded
      Then the ids are "83, 282, 278, 263, 261, 281"

    Scenario: Tokens and their places in the text
      Given the checkpoint "bert-base-uncased"
      When this text is encoded:
        """
        the model,
        a token
        """
      Then the tokens are "the, model, ,, a, token"
      And the offsets are "[0,3], [4,9], [9,10], [11,12], [13,18]"
      And the token count is 5
      And the text bytes are 18

    Scenario: Tokens that stand around a text can be left out
      Given the checkpoint "clip-vit-base-patch32"
      When the text "the model" is encoded without special tokens
      Then the ids are "513, 528"

    Scenario: Two texts become one input
      Given the checkpoint "clip-vit-base-patch32"
      When the texts "the model" and "a token" are encoded as a pair
      Then the ids are "49406, 513, 528, 49407, 49407, 320, 532, 49407"

    Scenario: A special token in the text is one token
      Given the checkpoint "gpt2"
      When the text "a<|endoftext|>a" is encoded
      Then the ids are "64, 50256, 64"

    Scenario: No text has no tokens
      Given the checkpoint "gpt2"
      When the text "" is encoded
      Then there are no ids

  Rule: Decoding gives the text again

    Scenario Outline: "<text>" comes back from <checkpoint>
      Given the checkpoint "<checkpoint>"
      When the text "<text>" is encoded and decoded
      Then the text is "<back>"

      Examples:
        | checkpoint        | text                  | back                  |
        | gpt2              | naïve 🦙 text         | naïve 🦙 text         |
        | llama-3-8b        | Hello, world! 2024    | Hello, world! 2024    |
        | llama-2-7b        | naïve 🦙              | naïve 🦙              |
        | gemma-3-4b        | naïve 🦙              | naïve 🦙              |
        | t5-small          | the model and a token | the model and a token |
        | bert-base-uncased | Hello, World!         | hello, world!         |

    Scenario: Special tokens stand in the text
      Given the checkpoint "gpt2"
      When the ids "83, 282, 50256" are decoded
      Then the text is "the<|endoftext|>"

    Scenario: Special tokens are left out
      Given the checkpoint "gpt2"
      When the ids "83, 282, 50256" are decoded without special tokens
      Then the text is "the"

    Scenario: Ids that no token has are left out
      Given the checkpoint "gpt2"
      When the ids "83, 282, 4000000" are decoded
      Then the text is "the"

  Rule: Encoding is fast

    The rates of MB/s and tokens/s stand in the results file, with the benchmark.

    Scenario Outline: A long text in a <model> vocabulary
      Given the checkpoint "<checkpoint>"
      When 500 copies of "the model and a token, hello world 2024. " are encoded
      Then the text bytes are 20500
      And the mean latency is below 50 ms

      @iterations:20 @benchmark:tokenizer_encode_byte_level_bpe
      Examples:
        | model          | checkpoint |
        | byte-level BPE | gpt2       |

      @iterations:20 @benchmark:tokenizer_encode_sentencepiece_bpe
      Examples:
        | model             | checkpoint |
        | SentencePiece BPE | llama-2-7b |

      @iterations:20 @benchmark:tokenizer_encode_unigram
      Examples:
        | model   | checkpoint |
        | Unigram | t5-small   |

      @iterations:20 @benchmark:tokenizer_encode_wordpiece
      Examples:
        | model     | checkpoint        |
        | WordPiece | bert-base-uncased |
