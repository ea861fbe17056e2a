#!/usr/bin/env python3
"""Writes the tables of this package from the transformers library that is installed.

    python3 refresh.py [--jobs N] [--only MODEL_TYPE]

It needs torch and the libraries that single models import (timm, scipy). Each class of the
model tables of the auto modules is made from its default config on torch's meta device,
which has shapes and no data, and saved by save_pretrained, whose writer is replaced by one
that takes the names: they are those of a real checkpoint. Then each number of layers and
each switch of the config is changed in turn, to see which names it removes.
"""

import argparse
import collections
import copy
import multiprocessing
import os
import re
import sys
import tempfile
import warnings

MAX_TENSORS = 60_000  # of a class whose config is changed: each change makes it anew
MAX_SEQUENCE = 16
IRRELEVANT = re.compile(
    r"^(_|transformers_version|architectures|model_type|dtype|torch_dtype|use_cache|return_dict|output_|problem_type"
    r"|tokenizer_class|prefix$|chunk_size_feed_forward|id2label|label2id|tie_encoder_decoder|is_composition|.*_token_id$"
    r"|.*hidden_act$|.*activation.*|.*_act$|.*initializer.*|attn_implementation|name_or_path|pruned_heads|.*loss.*)"
)
NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


class Captured(Exception):
    """Carries the names out of save_pretrained."""


def saved_names(cls, config):
    """The names that save_pretrained writes for a model of this config."""
    import torch
    import transformers
    from transformers import modeling_utils

    names = []
    modeling_utils.safe_save_file = lambda tensors, filename, metadata=None: names.extend(tensors)
    with torch.device("meta"):
        model = getattr(transformers, cls)(copy.deepcopy(config))
    model.tie_weights()
    with tempfile.TemporaryDirectory() as d:
        model.save_pretrained(d, max_shard_size="100TB")
    return set(names), model


def stacks_of(names):
    """Splits names into those outside layers, and by the prefix of a stack into {number: names}."""
    outside, stacks = set(), collections.defaultdict(lambda: collections.defaultdict(set))
    for name in names:
        m = NUMBER.search("." + name)
        if m is None or m.end() == len(name) + 1:
            outside.add(name)
            continue
        start, end = m.start() - 1, m.end() - 1
        stacks[name[: start - 1] if start else ""][int(name[start:end])].add(collapse(name[end + 1 :]))
    return outside, stacks


def collapse(name):
    return NUMBER.sub("#", "." + name)[1:]


def rules(layers):
    """Groups the names of a stack by the layers that have them."""
    n = max(layers) + 1
    where = collections.defaultdict(set)
    for i, names in layers.items():
        for name in names:
            where[name].add(i)
    groups = collections.defaultdict(list)
    everywhere, all_but_first, all_but_last = set(range(n)), set(range(1, n)), set(range(n - 1))
    for name, at in sorted(where.items()):
        if at == everywhere:
            rule = "all"
        elif n > 2 and at == all_but_first:
            rule = "not first"
        elif n > 2 and at == all_but_last:
            rule = "not last"
        elif n > 2 and at == {0}:
            rule = "first"
        elif n > 2 and at == {n - 1}:
            rule = "last"
        else:
            rule = "some"
        groups[rule].append(name)
    return groups


def walk(config, prefix=""):
    """Yields the config and the configs in it, with the path of their keys."""
    yield prefix, config
    for key, value in sorted(vars(config).items()):
        if hasattr(value, "to_dict") and hasattr(value, "model_type") and not key.startswith("_"):
            yield from walk(value, prefix + key + ".")


def changed(config, path, value):
    c = copy.deepcopy(config)
    target = c
    *parents, key = path.split(".")
    for p in parents:
        target = getattr(target, p)
    setattr(target, key, value)
    if isinstance(value, int) and not isinstance(value, bool):  # lists with an entry for each layer
        for k, v in list(vars(target).items()):
            if isinstance(v, list) and len(v) == value - 1 and v:
                setattr(target, k, v + v[-1:])
    return c


def flatten(names):
    return {collapse(n) for n in names}


def describe(cls, model_type, switches=None):
    """The rows of one class; switches are the keys to try, None for all."""
    import transformers

    config = transformers.CONFIG_MAPPING[model_type]()
    names, model = saved_names(cls, config)
    outside, stacks = stacks_of(names)
    for prefix, layers in list(stacks.items()):
        layered = set.intersection(*layers.values()) and len(layers) == max(layers) + 1
        if not layered and max(layers) < MAX_SEQUENCE:  # a sequence of modules
            outside |= {n for n in names if n.startswith(prefix + "." if prefix else "") and NUMBER.match("." + n[len(prefix) + 1 if prefix else 0 :], 1)}
            del stacks[prefix]
    row = {"class": cls, "model_type": model_type, "outside": sorted(outside), "stacks": {}, "keys": {}, "switches": {}, "fixed": {}}
    for name, get in (("embedding", "get_input_embeddings"), ("head", "get_output_embeddings")):
        try:
            module = getattr(model, get)()
        except Exception:
            module = None
        row[name] = next((n for n, m in model.named_modules() if m is module and module is not None), "")
    for prefix, layers in stacks.items():
        row["stacks"][prefix] = (max(layers) + 1, rules(layers))
    if len(names) > MAX_TENSORS:
        return row
    counts = {p: n for p, (n, _) in row["stacks"].items()}
    flat = flatten(names)
    for path, section in walk(config):
        for key, value in sorted(vars(section).items()):
            if IRRELEVANT.match(key):
                continue
            full = path + key
            if isinstance(value, bool):
                if switches is not None and full not in switches or full.endswith("tie_word_embeddings"):
                    continue
                try:
                    other, _ = saved_names(cls, changed(config, full, not value))
                except Exception:
                    continue
                if gone := flat - flatten(other):
                    row["switches"][full] = (value, sorted(gone))
            elif isinstance(value, int):
                if value < 1 or value not in counts.values():
                    continue
                try:
                    other, _ = saved_names(cls, changed(config, full, value + 1))
                except Exception:
                    continue
                for p, layers in stacks_of(other)[1].items():
                    if value == counts.get(p) and max(layers) + 1 == value + 1:
                        row["keys"].setdefault(p, []).append(full)
            elif value is None or isinstance(value, str):
                row["fixed"][full] = value
    return row


def classes():
    """The pairs of class and model type of the model tables of the auto modules."""
    from transformers.models.auto import modeling_auto

    pairs = {}
    for table, mapping in sorted(vars(modeling_auto).items()):
        if not table.startswith("MODEL_") or not table.endswith("_MAPPING_NAMES"):
            continue
        for model_type, cls in mapping.items():
            for c in cls if isinstance(cls, (list, tuple)) else [cls]:
                pairs.setdefault((c, model_type), None)
    return sorted(pairs)


def describe_model_type(arg):
    """All classes of one model type: only the switches that matter to the first are tried for the others."""
    model_type, names = arg
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    warnings.filterwarnings("ignore")
    order = sorted(names, key=lambda c: ("ForCausalLM" not in c and "ForConditionalGeneration" not in c, c.endswith("Model"), c))
    rows, failed, switches = [], [], None
    for cls in order:
        try:
            row = describe(cls, model_type, switches)
        except Exception as e:
            failed.append((cls, model_type, type(e).__name__ + ": " + str(e).split("\n")[0][:100]))
            continue
        rows.append(row)
        if switches is None:
            switches = set(row["switches"])
    return rows, failed


def write(rows, directory):
    """Writes layer_tensors.tsv and class_tensors.tsv."""
    ids, lines = {}, []
    order = ("all", "not first", "not last", "first", "last", "some")

    def stack_id(model_type, groups):
        key = tuple(",".join(groups.get(r, [])) for r in order)
        if key not in ids:
            base, n = model_type, 1
            while f"{base}.{n}" in taken:
                n += 1
            taken.add(f"{base}.{n}")
            ids[key] = f"{base}.{n}"
            lines.append("\t".join((ids[key],) + key))
        return ids[key]

    taken, out = set(), []
    for r in sorted(rows, key=lambda r: (r["class"], r["model_type"])):
        stacks = [f"{p}={stack_id(r['model_type'], groups)}:{'|'.join(r['keys'].get(p, []))}" for p, (n, groups) in sorted(r["stacks"].items())]
        switches = [f"{k}={str(v).lower()}:{','.join(gone)}" for k, (v, gone) in sorted(r["switches"].items())]
        fixed = ["%s=%s" % (k, "" if v is None else v) for k, v in sorted(r["fixed"].items())]
        out.append("\t".join([r["class"], r["model_type"], r["embedding"], r["head"], ",".join(r["outside"]), ";".join(stacks), ";".join(switches), ";".join(fixed)]))
    import transformers

    head = "# Made by refresh.py from transformers %s: do not edit.\n" % transformers.__version__
    with open(os.path.join(directory, "layer_tensors.tsv"), "w") as f:
        f.write(head + "# stack\t" + "\t".join(order) + "\n" + "\n".join(sorted(lines)) + "\n")
    with open(os.path.join(directory, "class_tensors.tsv"), "w") as f:
        f.write(head + "# class\tmodel_type\tembedding\thead\toutside\tstacks\tswitches\tfixed\n" + "\n".join(sorted(out)) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--only", help="one model type")
    p.add_argument("--output", default=os.path.dirname(os.path.abspath(__file__)), help="the directory of the tables")
    a = p.parse_args()
    by_type = collections.defaultdict(list)
    for cls, model_type in classes():
        if a.only in (None, model_type):
            by_type[model_type].append(cls)
    rows = []
    with multiprocessing.get_context("spawn").Pool(a.jobs, maxtasksperchild=40) as pool:
        for done, failed in pool.imap_unordered(describe_model_type, sorted(by_type.items())):
            rows += done
            for f in failed:
                print("left out:", *f, file=sys.stderr, flush=True)
            if done:
                print(done[0]["model_type"], len(done), file=sys.stderr, flush=True)
    write(rows, a.output)


if __name__ == "__main__":
    main()
