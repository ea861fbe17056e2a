@comparison
Feature: Checkpoints of every size
  What is asked before a model is loaded is answered as fast for a large checkpoint as for a small
  one: whole releases, pipelines and models, with all their files.

  Rule: A release of sparse autoencoders takes no longer for more autoencoders

    @benchmark:release_<question>_<number>
    Scenario Outline: <question> of Gemma Scope 2 with <number> autoencoders
      Given a release of <number> autoencoders in the layout "gemma-scope-2"
      When <step>
      Then <answer>
      And the mean latency is below <mean>
      And the p95 latency is below <p95>
      And no more than 0.02 MB is allocated per call

      Examples:
        | question | number | step                     | answer                 | mean   | p95    |
        | sae      | 1      | the SAE check is made    | the model is an SAE    | 0.3 ms | 0.5 ms |
        | sae      | 1600   | the SAE check is made    | the model is an SAE    | 0.3 ms | 0.5 ms |
        | category | 1      | the category is detected | the category is "sae"  | 0.5 ms | 1 ms   |
        | category | 1600   | the category is detected | the category is "sae"  | 0.5 ms | 1 ms   |
        | support  | 1      | support is checked       | the model is supported | 1.5 ms | 3 ms   |
        | support  | 1600   | support is checked       | the model is supported | 1.5 ms | 3 ms   |

    @benchmark:release_info_<number>
    Scenario Outline: The model info of Gemma Scope 2 with <number> autoencoders
      Given a release of <number> autoencoders in the layout "gemma-scope-2"
      When the model info is read
      Then the sae family is "gemma-scope-2"
      And the sae base model is "google/gemma-3-4b-pt"
      And the sae sites contain "resid_post"
      And the sae layers contain "0"
      And the mean latency is below 1 ms
      And the p95 latency is below 2 ms

      Examples:
        | number |
        | 96     |
        | 400    |

    @benchmark:release_<layout>_<question>
    Scenario Outline: <question> of <number> autoencoders as <layout> has them
      Given a release of <number> autoencoders in the layout "<layout>"
      When <step>
      Then <answer>
      And the mean latency is below <mean>
      And the p95 latency is below <p95>

      Examples:
        | layout         | number | question | step                     | answer                                        | mean   | p95    |
        | gemma-scope-1  | 400    | sae      | the SAE check is made    | the model is an SAE                           | 0.3 ms | 0.5 ms |
        | gemma-scope-1  | 400    | category | the category is detected | the category is "sae"                         | 0.5 ms | 1 ms   |
        | gemma-scope-1  | 400    | support  | support is checked       | the model is supported                        | 1.5 ms | 3 ms   |
        | gemma-scope-1  | 400    | info     | the model info is read   | the sae base model is "google/gemma-2-2b"     | 1 ms   | 2 ms   |
        | saelens        | 96     | sae      | the SAE check is made    | the model is an SAE                           | 0.3 ms | 0.5 ms |
        | saelens        | 96     | category | the category is detected | the category is "sae"                         | 0.5 ms | 1 ms   |
        | saelens        | 96     | support  | support is checked       | the model is supported                        | 1.5 ms | 3 ms   |
        | saelens        | 96     | info     | the model info is read   | the sae base model is "gpt2"                  | 1 ms   | 2 ms   |
        | saelens-nested | 400    | sae      | the SAE check is made    | the model is an SAE                           | 0.3 ms | 0.5 ms |
        | saelens-nested | 400    | category | the category is detected | the category is "sae"                         | 0.5 ms | 1 ms   |
        | saelens-nested | 400    | support  | support is checked       | the model is supported                        | 1.5 ms | 3 ms   |
        | saelens-nested | 400    | info     | the model info is read   | the sae base model is "google/gemma-2-2b"     | 1 ms   | 2 ms   |
        | sparsify       | 96     | sae      | the SAE check is made    | the model is an SAE                           | 0.3 ms | 0.5 ms |
        | sparsify       | 96     | category | the category is detected | the category is "sae"                         | 0.5 ms | 1 ms   |
        | sparsify       | 96     | support  | support is checked       | the model is supported                        | 1.5 ms | 3 ms   |
        | sparsify       | 96     | info     | the model info is read   | the sae base model is "EleutherAI/pythia-70m" | 1 ms   | 2 ms   |
        | openai         | 400    | sae      | the SAE check is made    | the model is an SAE                           | 0.3 ms | 0.5 ms |
        | openai         | 400    | category | the category is detected | the category is "sae"                         | 0.5 ms | 1 ms   |
        | openai         | 400    | support  | support is checked       | the model is supported                        | 1.5 ms | 3 ms   |
        | openai         | 400    | info     | the model info is read   | the sae base model is "gpt2"                  | 1 ms   | 2 ms   |

  Rule: Whole pipelines and models keep the same bounds

    @benchmark:whole_<checkpoint>_<question>
    Scenario Outline: <question> of <checkpoint>
      Given the checkpoint "<checkpoint>"
      When <step>
      Then <answer>
      And the mean latency is below <mean>
      And the p95 latency is below <p95>

      Examples: Pipelines
        | checkpoint              | question | step                     | answer                      | mean   | p95    |
        | stable-diffusion-xl-1.0 | sae      | the SAE check is made    | the model is not an SAE     | 0.3 ms | 0.5 ms |
        | stable-diffusion-xl-1.0 | category | the category is detected | the category is "diffusers" | 0.5 ms | 1 ms   |
        | stable-diffusion-xl-1.0 | support  | support is checked       | the model is supported      | 1.5 ms | 3 ms   |
        | stable-diffusion-xl-1.0 | info     | the model info is read   | the category is "diffusers" | 1 ms   | 2 ms   |
        | flux.1-dev              | sae      | the SAE check is made    | the model is not an SAE     | 0.3 ms | 0.5 ms |
        | flux.1-dev              | category | the category is detected | the category is "diffusers" | 0.5 ms | 1 ms   |
        | flux.1-dev              | support  | support is checked       | the model is supported      | 1.5 ms | 3 ms   |
        | flux.1-dev              | info     | the model info is read   | the category is "diffusers" | 1 ms   | 2 ms   |

      Examples: Models
        | checkpoint  | question | step                     | answer                         | mean   | p95    |
        | deepseek-v3 | sae      | the SAE check is made    | the model is not an SAE        | 0.3 ms | 0.5 ms |
        | deepseek-v3 | category | the category is detected | the category is "transformers" | 0.5 ms | 1 ms   |
        | deepseek-v3 | support  | support is checked       | the model is supported         | 1.5 ms | 3 ms   |
        | deepseek-v3 | info     | the model info is read   | the category is "transformers" | 1 ms   | 2 ms   |
