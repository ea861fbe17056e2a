@sae
Feature: Families of sparse autoencoders
  Every maker of sparse autoencoders has a layout of its own. The loader tells them apart, and says
  where in which model the autoencoders read, and what it knows that from.

  Rule: The config of an autoencoder says what it is

    Scenario Outline: <name>
      Given the directory "<repository>" for the checkpoint
      And a checkpoint with the files:
        | file     | content  |
        | <config> | <text>   |
      And the generated files:
        """
        safetensors <weights> metadata=none
          {<tensors>} F32 16
        """
      When the model info is read
      Then the category is "sae"
      And the sae family is "<family>"
      And the sae kind is "<kind>"
      And the sae base model is "<base model>"
      And the sae base model source is "<config>"
      And the sae sites are "<site>"
      And the sae layers are "<layers>"
      And the base model is "<base model>"
      And no finding is reported

      Examples: Gemma Scope 2
        | name                           | repository                   | family        | kind       | base model             | site           | layers | config                                               | weights                                                      | tensors | text |
        | residual stream                | google/gemma-scope-2-4b-pt   | gemma-scope-2 | sae        | google/gemma-3-4b-pt   | resid_post     | 17     | resid_post/layer_17_width_16k_l0_big/config.json     | resid_post/layer_17_width_16k_l0_big/params.safetensors      | w_enc,w_dec,b_enc,b_dec,threshold | {"hf_hook_point_in": "model.layers.17.output", "hf_hook_point_out": "model.layers.17.output", "width": 16384, "model_name": "google/gemma-3-4b-pt", "architecture": "jump_relu", "l0": 150, "affine_connection": false, "type": "sae"} |
        | one site only                  | google/gemma-scope-2-4b-pt   | gemma-scope-2 | sae        | google/gemma-3-4b-pt   | mlp_out        | 17     | mlp_out/layer_17_width_16k_l0_big/config.json        | mlp_out/layer_17_width_16k_l0_big/params.safetensors         | w_enc,w_dec,b_enc,b_dec,threshold | {"hf_hook_point_in": "model.layers.17.post_feedforward_layernorm.output", "hf_hook_point_out": "model.layers.17.post_feedforward_layernorm.output", "width": 16384, "model_name": "google/gemma-3-4b-pt", "architecture": "jump_relu", "type": "sae"} |
        | transcoder with a skip         | google/gemma-scope-2-4b-pt   | gemma-scope-2 | transcoder | google/gemma-3-4b-pt   | transcoder_all | 17     | transcoder_all/layer_17_width_16k_l0_big_affine/config.json | transcoder_all/layer_17_width_16k_l0_big_affine/params.safetensors | w_enc,w_dec,b_enc,b_dec,threshold,affine_skip_connection | {"hf_hook_point_in": "model.layers.17.pre_feedforward_layernorm.output", "hf_hook_point_out": "model.layers.17.post_feedforward_layernorm.output", "width": 16384, "model_name": "google/gemma-3-4b-pt", "architecture": "jump_relu", "affine_connection": true, "type": "transcoder"} |
        | across all layers              | google/gemma-scope-2-270m-pt | gemma-scope-2 | clt        | google/gemma-3-270m-pt | clt            | 0      | clt/width_262k_l0_big/config.json                    | clt/width_262k_l0_big/params_layer_0.safetensors             | w_enc,w_dec,b_enc,b_dec,threshold | {"hf_hook_point_in": "model.layers.{all}.pre_feedforward_layernorm.output", "hf_hook_point_out": "model.layers.{all}.post_feedforward_layernorm.output", "width": 262080, "model_name": "google/gemma-3-270m-pt", "architecture": "jump_relu", "type": "clt"} |
        | a name without its maker       | google/gemma-scope-2-1b-pt   | gemma-scope-2 | sae        | google/gemma-3-1b-pt   | resid_post     | 7      | resid_post/layer_7_width_16k_l0_small/config.json    | resid_post/layer_7_width_16k_l0_small/params.safetensors     | w_enc,w_dec,b_enc,b_dec,threshold | {"architecture": "jump_relu", "model_name": "gemma-v3-1b-pt", "hf_hook_point_in": "model.layers.7.output"} |

      Examples: SAELens
        | name                           | repository                         | family  | kind | base model                          | site       | layers | config                                | weights                                           | tensors                   | text |
        | version 5                      | Juliushanhanhan/llama-3-8b-it-res  | saelens | sae  | meta-llama/Meta-Llama-3-8B-Instruct | resid_post | 25     | blocks.25.hook_resid_post/cfg.json    | blocks.25.hook_resid_post/sae_weights.safetensors | W_enc,W_dec,b_enc,b_dec   | {"model_name": "meta-llama/Meta-Llama-3-8B-Instruct", "model_class_name": "HookedTransformer", "hook_name": "blocks.25.hook_resid_post", "hook_layer": 25, "hook_head_index": null} |
        | version 6, and a short name    | someone/gemma-2-2b-saes            | saelens | sae  | google/gemma-2-2b                   | resid_post | 20     | blocks.20.hook_resid_post/cfg.json    | blocks.20.hook_resid_post/sae_weights.safetensors | W_enc,W_dec,b_enc,b_dec,threshold | {"d_in": 2304, "d_sae": 16384, "architecture": "jumprelu", "dtype": "float32", "metadata": {"sae_lens_version": "6.39.0", "model_name": "gemma-2-2b", "hook_name": "blocks.20.hook_resid_post"}} |

    Scenario: dictionary_learning
      Given the directory "someone/pythia-dictionaries" for the checkpoint
      And a checkpoint with the files:
        | file                                     | content |
        | resid_post_layer_3/trainer_1/config.json | {"trainer": {"trainer_class": "BatchTopKTrainer", "dict_class": "BatchTopKSAE", "activation_dim": 512, "dict_size": 4096, "layer": 3, "lm_name": "EleutherAI/pythia-70m-deduped"}, "buffer": {"ctx_len": 128}} |
      And the generated files:
        """
        pytorch resid_post_layer_3/trainer_1/ae.pt
          encoder.weight F32 4096 512
          decoder.weight F32 512 4096
        """
      When the model info is read
      Then the sae family is "dictionary-learning"
      And the sae kind is "sae"
      And the sae base model is "EleutherAI/pythia-70m-deduped"
      And the sae base model source is "resid_post_layer_3/trainer_1/config.json"
      And the sae sites are "resid_post"
      And the sae layers are "3"

    Scenario: sparsify keeps the base model in the config of the run, above the autoencoders
      Given the directory "EleutherAI/sae-pythia-70m-32k" for the checkpoint
      And a checkpoint with the files:
        | file                       | content |
        | config.json                | {"model": "EleutherAI/pythia-70m", "dataset": "EleutherAI/pile", "ctx_len": 2048} |
        | layers.3.mlp/cfg.json      | {"expansion_factor": 32, "k": 16, "d_in": 512} |
        | layers.4/cfg.json          | {"expansion_factor": 32, "k": 16, "d_in": 512} |
      And the generated files:
        """
        safetensors layers.3.mlp/sae.safetensors
          encoder.weight F32 64
        safetensors layers.4/sae.safetensors
          encoder.weight F32 64
        """
      When the model info is read
      Then the sae family is "sparsify"
      And the sae base model is "EleutherAI/pythia-70m"
      And the sae base model source is "config.json"
      And the sae sites are "mlp_out, resid_post"
      And the sae layers are "3, 4"

    Scenario: Language-Model-SAEs keeps the base model beside its autoencoders
      Given the directory "OpenMOSS/crosscoders" for the checkpoint
      And a checkpoint with the files:
        | file               | content |
        | lm_config.json     | {"model_name": "EleutherAI/pythia-160m", "model_from_pretrained_path": null, "max_length": 2048} |
        | my_sae/config.json | {"sae_type": "crosscoder", "d_model": 768, "expansion_factor": 8.0, "act_fn": "topk", "top_k": 50} |
      When the model info is read
      Then the sae family is "llamascopium"
      And the sae kind is "crosscoder"
      And the sae base model is "EleutherAI/pythia-160m"
      And the sae base model source is "lm_config.json"

    Scenario: Qwen Scope keeps all layers in one directory
      Given the directory "Qwen/SAE-Res-Qwen3-1.7B-Base-W32K-L0_50" for the checkpoint
      And a checkpoint with the files:
        | file           | content |
        | config.json    | {"model_type": "topk_sae", "base_model": "Qwen/Qwen3-1.7B-Base", "d_model": 2048, "d_sae": 32768, "k": 50, "num_layers": 28, "hook_point": "resid_post"} |
      And the generated files:
        """
        pytorch layer5.sae.pt
          W_enc F32 64 16
        pytorch layer11.sae.pt
          W_enc F32 64 16
        """
      When the model info is read
      Then the sae family is "qwen-scope"
      And the sae kind is "sae"
      And the sae base model is "Qwen/Qwen3-1.7B-Base"
      And the sae base model source is "config.json"
      And the sae sites are "resid_post"
      And the sae layers are "5, 11"

    Scenario: circuit-tracer writes its config in YAML
      Given the directory "mwhanna/qwen3-4b-transcoders" for the checkpoint
      And a checkpoint with the tree:
        """
        -- config.yaml --
        model_name: "Qwen/Qwen3-4B"
        model_kind: "transcoder_set"
        feature_input_hook: "mlp.hook_in"
        feature_output_hook: "mlp.hook_out"
        -- wandb-config.yaml --
        d_model:
          value: 2560
        """
      And the generated files:
        """
        safetensors layer_0.safetensors
          {W_enc,W_dec,b_enc,b_dec} F32 16
        """
      When the model info is read
      Then the sae family is "circuit-tracer"
      And the sae kind is "transcoder"
      And the sae base model is "Qwen/Qwen3-4B"
      And the sae base model source is "config.yaml"
      And the sae layers are "0"

    Scenario: circuit-tracer's transcoder across layers
      Given a checkpoint with the tree:
        """
        -- config.yaml --
        model_name: "google/gemma-2-2b"
        model_kind: "cross_layer_transcoder"
        """
      When the model info is read
      Then the sae family is "circuit-tracer"
      And the sae kind is "clt"
      And the sae base model is "google/gemma-2-2b"

  Rule: If no config names the base model, the name of a directory or file can

    Scenario Outline: <name>
      Given the directory "<repository>" for the checkpoint
      And a checkpoint with the files:
        | file      | size  |
        | <weights> | 10 MB |
      When the model info is read
      Then the category is "sae"
      And the sae family is "<family>"
      And the sae kind is "<kind>"
      And the sae base model is "<base model>"
      And the sae base model source contains "<source>"
      And the sae sites are "<site>"
      And the sae layers are "<layers>"

      Examples:
        | name                             | repository                          | family        | kind       | base model            | source                        | site           | layers | weights |
        | Gemma Scope 2 without a config   | google/gemma-scope-2-1b-pt          | gemma-scope-2 | sae        | google/gemma-3-1b-pt  | gemma-scope-2-1b-pt           | resid_post_all | 10     | resid_post_all/layer_10_width_262k_l0_small/params.safetensors |
        | Gemma Scope, residual stream     | google/gemma-scope-9b-it-res        | gemma-scope-1 | sae        | google/gemma-2-9b-it  | gemma-scope-9b-it-res         | resid_post     | 20     | layer_20/width_16k/average_l0_71/params.npz |
        | Gemma Scope, embedding           | google/gemma-scope-2b-pt-res        | gemma-scope-1 | sae        | google/gemma-2-2b     | gemma-scope-2b-pt-res         | embedding      |        | embedding/width_4k/average_l0_6/params.npz |
        | Gemma Scope, transcoder          | google/gemma-scope-2b-pt-transcoders | gemma-scope-1 | transcoder | google/gemma-2-2b    | gemma-scope-2b-pt-transcoders | transcoder     | 3      | layer_3/width_16k/average_l0_54/params.npz |
        | Goodfire                         | Goodfire/Llama-3.3-70B-Instruct-SAE-l50 | goodfire | sae       | meta-llama/Llama-3.3-70B-Instruct | Llama-3.3-70B-Instruct-SAE-l50.pt |     | 50     | Llama-3.3-70B-Instruct-SAE-l50.pt |
        | OpenAI                           | openaipublic/sparse-autoencoder     | openai        | sae        | gpt2                  | gpt2-small                    | resid_post     | 6      | gpt2-small/resid_post_mlp_v5_32k/autoencoders/6.pt |

    Scenario Outline: Llama Scope, <name>
      Given the directory "fnlp/Llama3_1-8B-Base-LXR-8x" for the checkpoint
      And a checkpoint with the files:
        | file                                   | content |
        | <directory>/hyperparams.json           | {"d_model": 4096, "expansion_factor": 8, "act_fn": "jumprelu"} |
        | <directory>/checkpoints/final.safetensors |  |
      When the model info is read
      Then the sae family is "llama-scope"
      And the sae kind is "<kind>"
      And the sae base model is "meta-llama/Llama-3.1-8B"
      And the sae base model source contains "llama-scope"
      And the sae sites are "<site>"
      And the sae layers are "15"

      Examples:
        | name            | directory                | site       | kind       |
        | residual stream | Llama3_1-8B-Base-L15R-8x  | resid_post | sae        |
        | attention       | Llama3_1-8B-Base-L15A-8x  | attn_out   | sae        |
        | MLP             | Llama3_1-8B-Base-L15M-8x  | mlp_out    | sae        |
        | transcoder      | Llama3_1-8B-Base-L15TC-8x | transcoder | transcoder |

  Rule: A base model that is not named anywhere is unknown, and not guessed

    Scenario: sparsify without the config of its run
      Given the directory "EleutherAI/sae-pythia-70m-32k" for the checkpoint
      And a checkpoint with the files:
        | file                            | content |
        | layers.0.mlp/cfg.json           | {"expansion_factor": 32, "k": 16, "d_in": 512} |
        | layers.0.mlp/sae.safetensors    |  |
        | layers.0.attention/cfg.json     | {"expansion_factor": 32, "k": 16, "d_in": 512} |
        | layers.0.attention/sae.safetensors |  |
        | embed_tokens/cfg.json           | {"expansion_factor": 32, "k": 192, "d_in": 4096} |
        | embed_tokens/sae.safetensors    |  |
      When the model info is read
      Then the sae family is "sparsify"
      And the sae kind is "sae"
      And there is no sae base model
      And the sae sites contain "mlp_out"
      And the sae sites contain "attn_out"
      And the sae sites contain "embedding"
      And the sae layers are "0"
      And a note "sae-base-model-unknown" is reported

    Scenario: A transcoder of sparsify with a skip connection
      Given the directory "EleutherAI/skip-transcoder-Llama-3.2-1B-131k" for the checkpoint
      And a checkpoint with the files:
        | file                         | content |
        | layers.5.mlp/cfg.json        | {"expansion_factor": 32, "normalize_decoder": true, "num_latents": 131072, "k": 32, "skip_connection": true, "d_in": 2048} |
        | layers.5.mlp/sae.safetensors |  |
      When the model info is read
      Then the sae family is "sparsify"
      And the sae kind is "transcoder"
      And there is no sae base model
      And the sae layers are "5"

    Scenario: Temporal autoencoders
      Given the directory "canrager/temporalSAEs" for the checkpoint
      And a checkpoint with the tree:
        """
        -- layer_12/temporal/conf.yaml --
        llm:
          dimin: 2304
        sae:
          exp_factor: 4
        -- layer_12/temporal/latest_ckpt.safetensors --
        """
      When the model info is read
      Then the sae family is "temporal"
      And there is no sae base model
      And the sae layers are "12"
      And a note "sae-base-model-unknown" is reported

  Rule: If several base models are named, all are candidates and none is chosen

    Scenario: A release whose makers and whose users name different models
      Given the directory "fnlp/Llama-Scope-R1-Distill" for the checkpoint
      And a checkpoint with the files:
        | file                                                    | content |
        | 800M-Slimpajama-0-OpenR1-Math-220k/L0R/config.json      | {"sae_type": "sae", "d_model": 4096, "expansion_factor": 8, "hook_point_in": "blocks.0.hook_resid_post", "hook_point_out": "blocks.0.hook_resid_post", "act_fn": "jumprelu"} |
        | 800M-Slimpajama-0-OpenR1-Math-220k/L0R/sae_weights.safetensors |  |
      When the model info is read
      Then the sae family is "llama-scope"
      And there is no sae base model
      And the sae base model candidates are "meta-llama/Llama-3.1-8B, deepseek-ai/DeepSeek-R1-Distill-Llama-8B"
      And the sae sites are "resid_post"
      And the sae layers are "0"
      And a warning "sae-base-model-ambiguous" is reported

    Scenario: Configs that disagree
      Given a checkpoint with the files:
        | file                           | content |
        | resid_post/layer_0/config.json | {"model_name": "google/gemma-2-2b", "hf_hook_point_in": "model.layers.0.output"} |
        | resid_post/layer_1/config.json | {"model_name": "google/gemma-2-9b", "hf_hook_point_in": "model.layers.1.output"} |
      When the SAE base model is looked up
      Then there is no base model
      And the base model candidates are "google/gemma-2-2b, google/gemma-2-9b"
      And a warning "sae-base-model-ambiguous" is reported

    Scenario: Two spellings of one model are one model
      Given a checkpoint with the files:
        | file                           | content |
        | resid_post/layer_0/config.json | {"model_name": "gemma-2-2b", "hf_hook_point_in": "model.layers.0.output"} |
        | resid_post/layer_1/config.json | {"model_name": "google/gemma-2-2b", "hf_hook_point_in": "model.layers.1.output"} |
      When the SAE base model is looked up
      Then the base model is "google/gemma-2-2b"
      And there are no base model candidates
      And no finding is reported

  Rule: Names of directories alone are not enough for a clear answer

    Scenario Outline: A bare directory <directory> is an autoencoder, and the answer says on what evidence
      Given a checkpoint with the config:
        """json
        {}
        """
      And the directories "<directory>"
      When the model info is read
      Then the category is "sae"
      And the sae family is "unknown"
      And the sae sites are "<directory>"
      And a note "sae-bare-directories" is reported
      And detection used "directory <directory>"

      Examples:
        | directory      |
        | resid_post     |
        | mlp_out        |
        | attn_out       |
        | transcoder     |
        | resid_post_all |

    Scenario Outline: A directory that is merely called transcoder: <what>
      Given a checkpoint with the files:
        | file    | content |
        | <file>  | <text>  |
        | <other> |         |
      When the SAE check is made
      Then the model is not an SAE

      Examples:
        | what                       | file            | text                                                           | other                   |
        | a program's source code    | package.json    | {"name": "video-tools"}                                        | transcoder/main.py      |
        | beside a language model    | config.json     | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} | transcoder/notes.txt    |
        | beside a tokenizer         | tokenizer.json  | {}                                                             | transcoder/layer_0/config.json |
        | inside a pipeline          | model_index.json | {"_class_name": "FluxPipeline"}                               | transcoder/config.json  |

    Scenario: Autoencoders that lie inside a model's directory are found by their files
      Given a checkpoint with the files:
        | file                           | content |
        | config.json                    | {"architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2"} |
        | resid_post/layer_3/config.json | {"model_name": "google/gemma-2-2b", "hf_hook_point_in": "model.layers.3.output"} |
      When the SAE check is made
      Then the model is an SAE

    Scenario: A file cfg.json of another program
      Given a checkpoint with the files:
        | file            | content |
        | cfg.json        | {"algo": "APPO", "env": "doom_battle"} |
        | checkpoint_p0/checkpoint_000978.pth |  |
      When the SAE check is made
      Then the model is not an SAE

    Scenario: An ordinary autoencoder's config beside its weights
      Given a checkpoint with the files:
        | file              | content |
        | config.json       | {"architecture": "autoencoder", "latent": 32} |
        | model.safetensors |         |
      When the SAE check is made
      Then the model is not an SAE

    Scenario: Weights alone are told by their tensors
      Given an empty checkpoint directory
      And the generated files:
        """
        safetensors my_dictionary.safetensors
          W_enc F32 64 256
          W_dec F32 256 64
          b_enc F32 256
        """
      When the model info is read
      Then the category is "sae"
      And detection used "tensors of an encoder, a decoder and a bias"
