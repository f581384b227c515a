#!/usr/bin/env python3
"""Begins training where a shipped model ends: start.py MODEL.gguf FOLDER writes vocab.json and checkpoint.pt, from which
train.py goes on. What encoding took from the weights is soon learnt again.

  python3 start.py ../models/speech-en.fovea.gguf /tmp/model && python3 train.py /tmp/speech /tmp/model --hours 1
"""
import argparse
import pathlib

import numpy as np
import torch

import flat_file
from model import CONFIG, ConformerForCTC
from train import EASY
from units import N_LETTERS, Units

# Ends of names in the checkpoint, and in the file what converter/architectures/conformer_ctc.cpp made of them.
NAMES = {
    "feed_forward1.linear1": "mlp1.fc1", "feed_forward1.linear2": "mlp1.fc2", "norm_feed_forward1": "mlp1.ln_mlp",
    "feed_forward2.linear1": "mlp2.fc1", "feed_forward2.linear2": "mlp2.fc2", "norm_feed_forward2": "mlp2.ln_mlp",
    "self_attn.q_proj": "q", "self_attn.k_proj": "k", "self_attn.v_proj": "v", "self_attn.o_proj": "o", "norm_self_att": "ln",
    "conv.pointwise_conv1": "conv.in", "conv.depthwise_conv": "conv", "conv.norm": "conv.ln_inner",
    "conv.pointwise_conv2": "conv.out", "norm_conv": "conv.ln", "norm_out": "ln_out",
}


def name_in_file(name):
    parts = name.split(".")
    if parts[0] == "ctc_head":
        at = "head"
    elif parts[1] == "layers":
        at = f"layer.{parts[2]}." + NAMES[".".join(parts[3:-1])]
    else:
        at = parts[1]
    is_norm = ".ln" in at
    return at + {"weight": ".g" if is_norm else ".w", "bias": ".b"}[parts[-1]]


def as_trained(name, stored, shape):
    """The converter's changes undone."""
    if "pointwise_conv1" in name:  # the gate's half is first in the file
        stored = np.concatenate(np.split(stored, 2)[::-1])
    elif "linear2" in name:
        stored = 2 * stored
    elif "depthwise_conv.weight" in name:  # [K, D]
        stored = stored.T[:, None]
    elif "encoder.conv" in name and len(shape) == 3:  # [D, K C]
        stored = stored.reshape(shape[0], shape[2], shape[1]).transpose(0, 2, 1)
    return torch.from_numpy(np.ascontiguousarray(stored).reshape(shape))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("model")
    args.add_argument("folder")
    args = args.parse_args()
    folder = pathlib.Path(args.folder)
    if (folder / "checkpoint.pt").exists():
        raise SystemExit(f"{folder}/checkpoint.pt is there already: train.py goes on from it")
    folder.mkdir(parents=True, exist_ok=True)
    keys, tensors = flat_file.read(args.model)
    tokens = keys["fovea.transcribe.ctc.tokens"]
    Units(["<pad>"] + tokens[1:]).save(folder / "vocab.json")
    weights = {name: as_trained(name, tensors[name_in_file(name)], w.shape)
               for name, w in ConformerForCTC(CONFIG).state_dict().items()}
    letters = torch.nn.Linear(CONFIG["hidden_size"], N_LETTERS).state_dict()
    torch.save(dict(model=weights, average=weights, letters=letters, seconds=0.0, step=EASY), folder / "checkpoint.pt")


if __name__ == "__main__":
    main()
