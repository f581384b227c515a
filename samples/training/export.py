#!/usr/bin/env python3
"""Writes what train.py trained as a folder that `fovea convert` reads: export.py FOLDER OUT

  python3 export.py /tmp/model /tmp/english && fovea convert /tmp/english -o speech-en.fovea.gguf
"""
import argparse
import json
import pathlib
import shutil
import struct

import torch

from features import FLOOR, HOP, RATE, WINDOW
from model import CONFIG


def write_safetensors(path, tensors):
    """https://huggingface.co/docs/safetensors: the size of a JSON header, the header, the bytes it tells of."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().float().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_folder(out, weights, vocabulary, config=CONFIG):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "config.json": dict(config, n_fft=WINDOW, hop_length=HOP, mel_floor=FLOOR),
        "preprocessor_config.json": dict(sampling_rate=RATE, do_normalize=True),
        "tokenizer_config.json": dict(pad_token="<pad>", word_delimiter_token="|"),
    }
    for name, text in texts.items():
        (out / name).write_text(json.dumps(text, indent=1) + "\n")
    shutil.copyfile(vocabulary, out / "vocab.json")
    write_safetensors(out / "model.safetensors", weights)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("out")
    args = args.parse_args()
    folder = pathlib.Path(args.folder)
    write_folder(args.out, torch.load(folder / "checkpoint.pt", map_location="cpu")["average"], folder / "vocab.json")


if __name__ == "__main__":
    main()
