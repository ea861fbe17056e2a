#!/usr/bin/env python3
"""Adds the classes and model types of the transformers library that is installed to the tables
of the registry.

    python3 refresh.py

Rows that are there stay as they are. A class is added with the category and task of the auto
table that it is in; a base class by what it takes (input_modalities). Where that leaves a
choice, the class is left out, and the rules for names that are not listed decide.
"""

import os
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
warnings.filterwarnings("ignore")

import transformers  # noqa: E402
from transformers.models.auto import configuration_auto, modeling_auto  # noqa: E402

TABLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

# The tables whose classes are all of one kind, in the order in which they are asked.
HEADS = [
    ("CTC", "asr", "asr_ctc"),
    ("TDT", "asr", "asr_transducer"),
    ("RNNT", "asr", "asr_transducer"),
    ("AUDIO_CLASSIFICATION", "audio_encoder", "audio_classification"),
    ("AUDIO_FRAME_CLASSIFICATION", "audio_encoder", "audio_classification"),
    ("AUDIO_XVECTOR", "audio_encoder", "audio_classification"),
    ("DEPTH_ESTIMATION", "vision_encoder", "depth_or_geometry"),
    ("NORMAL_ESTIMATION", "vision_encoder", "depth_or_geometry"),
    ("DOCUMENT_QUESTION_ANSWERING", "transformers", "document_qa"),
    ("IMAGE_CLASSIFICATION", "vision_encoder", "image_classification"),
    ("IMAGE_SEGMENTATION", "vision_encoder", "image_segmentation"),
    ("INSTANCE_SEGMENTATION", "vision_encoder", "image_segmentation"),
    ("SEMANTIC_SEGMENTATION", "vision_encoder", "image_segmentation"),
    ("UNIVERSAL_SEGMENTATION", "vision_encoder", "image_segmentation"),
    ("KEYPOINT_DETECTION", "vision_encoder", "keypoint_or_pose"),
    ("KEYPOINT_MATCHING", "vision_encoder", "keypoint_or_pose"),
    ("MASK_GENERATION", "vision_encoder", "mask_generation"),
    ("MASKED_IMAGE_MODELING", "vision_encoder", "masked_image_modeling"),
    ("OBJECT_DETECTION", "vision_encoder", "object_detection"),
    ("VIDEO_CLASSIFICATION", "vision_encoder", "video_classification"),
    ("ZERO_SHOT_IMAGE_CLASSIFICATION", "vision_encoder", "vision_text_dual_encoder"),
    ("ZERO_SHOT_OBJECT_DETECTION", "vision_encoder", "zero_shot_object_detection"),
    ("TEXT_RECOGNITION", "vision_encoder", "ocr_recognition"),
    ("BACKBONE", "vision_encoder", "vision_encoder"),
    ("SEQUENCE_CLASSIFICATION", "transformers", "text_classification"),
    ("TOKEN_CLASSIFICATION", "transformers", "token_classification"),
    ("QUESTION_ANSWERING", "transformers", "question_answering"),
    ("MULTIPLE_CHOICE", "transformers", "multiple_choice"),
    ("NEXT_SENTENCE_PREDICTION", "transformers", "next_sentence_prediction"),
    ("TEXT_TO_WAVEFORM", "transformers", "tts_audio_generation"),
    ("TEXT_TO_SPECTROGRAM", "transformers", "tts_audio_generation"),
    ("MASKED_LM", "transformers", "masked_lm"),
]


def rows(name):
    with open(os.path.join(TABLES, name)) as f:
        lines = f.read().splitlines()
    return [l for l in lines if l.startswith("#")], [l for l in lines if l and not l.startswith("#")]


def write(name, head, body):
    with open(os.path.join(TABLES, name), "w") as f:
        f.write("\n".join(head + sorted(body, key=lambda l: l.encode())) + "\n")


def auto_tables():
    """The classes, with the names of their tables and their model types."""
    classes = {}
    for table, mapping in vars(modeling_auto).items():
        if not table.startswith("MODEL_") or not table.endswith("_MAPPING_NAMES"):
            continue
        short = table.removeprefix("MODEL_").removesuffix("MAPPING_NAMES").strip("_").removeprefix("FOR_")
        for model_type, names in mapping.items():
            for name in names if isinstance(names, (list, tuple)) else [names]:
                tables, types = classes.setdefault(name, (set(), []))
                tables.add(short)
                types.append(model_type)
    return classes


def modalities(name):
    try:
        given = getattr(getattr(transformers, name, None), "input_modalities", None) or ()
    except ImportError:  # a library that the class needs is not installed
        given = ()
    takes = {given} if isinstance(given, str) else set(given)
    first = getattr(getattr(transformers, name, None), "main_input_name", "") if takes else ""
    if takes == {"text"}:  # the default, which encoders of images and sound may leave
        if first.startswith("pixel_values") or name.endswith("VisionModel"):
            return {"image"}
        if first in ("input_values", "input_features"):
            return {"audio"}
    return takes


def classify(name, tables, model_type, causal, classes):
    takes = modalities(name)
    image, sound = bool(takes & {"image", "video"}), "audio" in takes
    if tables & {"IMAGE_TEXT_TO_TEXT", "CAUSAL_LM"}:
        if "text" not in takes:
            return None
        if model_type.endswith("_text"):
            return "transformers", "causal_lm"
        if image and sound:
            return "transformers", "omni_input"
        if sound:
            return None
        return "transformers", "vision_language" if image else "causal_lm"
    for table, category, task in HEADS:
        if table in tables:
            return category, task
    if "" not in tables or not takes:
        return None
    whole = name.removesuffix("TextModel") + "ForConditionalGeneration"
    if name.endswith("TextModel") and (whole in classes or image):  # the language model of one that takes images or sound
        return "transformers", "text_decoder_backbone"
    if takes == {"text"}:
        return "transformers", "text_decoder_backbone" if model_type in causal else "text_encoder"
    if "text" in takes:
        return ("transformers", "vision_language_backbone") if image and not sound else None
    if image and not sound:
        return "vision_encoder", "vision_encoder"
    return ("audio_encoder", "audio_encoder") if sound and not image else None


def main():
    head, body = rows("architectures.tsv")
    listed = {l.split("\t")[0] for l in body}
    causal = set(modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    by_type, added = {}, 0
    classes = auto_tables()
    for name, (tables, types) in sorted(classes.items()):
        kind = classify(name, tables, types[0], causal, classes)
        if kind is None:
            continue
        if "CAUSAL_LM" in tables or "IMAGE_TEXT_TO_TEXT" in tables or types[0] not in by_type:
            by_type[types[0]] = (name, *kind)
        if name not in listed:
            body.append("\t".join((name, *kind, types[0], "-")))
            added += 1
    write("architectures.tsv", head, body)

    head, body = rows("model_types.tsv")
    listed = {l.split("\t")[0] for l in body}
    types_added = 0
    for model_type in configuration_auto.CONFIG_MAPPING_NAMES:
        if model_type in listed or model_type not in by_type:
            continue
        name, category, task = by_type[model_type]
        body.append("\t".join((model_type, category, task, name, "-")))
        types_added += 1
    write("model_types.tsv", head, body)
    print(f"transformers {transformers.__version__}: {added} classes and {types_added} model types added")


main()
