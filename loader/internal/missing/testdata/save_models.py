"""Saves every class of the model tables of transformers as save_pretrained does, made from its
default config on torch's meta device: config.json, and weight files with the header and the size
of the real ones, and no data.

    python3 save_models.py DIRECTORY [MODULUS REMAINDER]
"""

import json
import os
import shutil
import struct
import sys
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import modeling_utils  # noqa: E402
from transformers.models.auto import modeling_auto  # noqa: E402

DTYPES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64",
    torch.int32: "I32", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL", torch.complex64: "C64",
    torch.float8_e4m3fn: "F8_E4M3",
}


def save_header(tensors, filename, metadata=None):
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = {k: str(v) for k, v in metadata.items()}
    for name, t in tensors.items():
        size = t.numel() * t.element_size()
        header[name] = {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(filename, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + offset)


modeling_utils.safe_save_file = save_header


def pairs():
    found = set()
    for table, mapping in vars(modeling_auto).items():
        if table.startswith("MODEL_") and table.endswith("_MAPPING_NAMES"):
            for model_type, cls in mapping.items():
                found |= {(c, model_type) for c in (cls if isinstance(cls, (list, tuple)) else [cls])}
    return sorted(found)


def main():
    out = sys.argv[1]
    modulus, remainder = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 2 else (1, 0)
    for i, (cls, model_type) in enumerate(pairs()):
        if i % modulus != remainder:
            continue
        directory = os.path.join(out, f"{cls}--{model_type}")
        try:
            with torch.device("meta"):
                model = getattr(transformers, cls)(transformers.CONFIG_MAPPING[model_type]())
            if sum(1 for _ in model.parameters()) > 6000:
                continue
            model.tie_weights()
            model.save_pretrained(directory, max_shard_size="100TB")
        except Exception:  # it needs arguments, or a backbone from elsewhere
            shutil.rmtree(directory, ignore_errors=True)


main()
