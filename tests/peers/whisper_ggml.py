#!/usr/bin/env python3
"""Writes a Whisper model of a Hugging Face folder as whisper.cpp's ggml file in f16: whisper_ggml.py FOLDER OUT.bin

The folder has model.safetensors (one file, F16 or F32), config.json and vocab.json. fovea convert reads the result, too.

  tests/peers/whisper_ggml.py ../shared/models/whisper-tiny.en /var/tmp/tiny.en-f16.bin
"""
import argparse
import json
import math
import pathlib
import re
import struct
import sys

MAGIC = 0x67676D6C
F32, F16 = 0, 1  # ggml's numbers
RATE, N_FFT = 16000, 400

# Hugging Face's names within a layer, and whisper.cpp's, which are OpenAI's.
IN_LAYER = {"self_attn": "attn", "encoder_attn": "cross_attn", "self_attn_layer_norm": "attn_ln",
            "encoder_attn_layer_norm": "cross_attn_ln",
            "final_layer_norm": "mlp_ln", "fc1": "mlp.0", "fc2": "mlp.2",
            "q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}
OUTSIDE = {"encoder.embed_positions.weight": "encoder.positional_embedding",
           "decoder.embed_positions.weight": "decoder.positional_embedding",
           "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
           "encoder.layer_norm": "encoder.ln_post", "decoder.layer_norm": "decoder.ln"}


def ggml_name(name):
    """whisper.cpp's name of a tensor, or None: the output projection is the token embedding again."""
    if name == "proj_out.weight":
        return None
    name = name.removeprefix("model.")
    if layer := re.fullmatch(r"(encoder|decoder)\.layers\.(\d+)\.(.+)\.(weight|bias)", name):
        side, number, inside, kind = layer.groups()
        return ".".join([side, "blocks", number, *(IN_LAYER.get(part, part) for part in inside.split(".")), kind])
    if name in OUTSIDE:
        return OUTSIDE[name]
    module, _, kind = name.rpartition(".")
    return f"{OUTSIDE.get(module, module)}.{kind}"


def mel_filters(n_mels, n_bins=N_FFT // 2 + 1):
    """Slaney's triangles from 0 Hz to half the rate, each of area 1: n_mels rows of n_bins."""
    step = math.log(6.4) / 27  # linear to 1000 Hz, 15 mel; then logarithmic

    def hertz(mel):
        return 200 * mel / 3 if mel < 15 else 1000 * math.exp(step * (mel - 15))

    top = 15 + math.log(RATE / 2 / 1000) / step
    corners = [hertz(top * i / (n_mels + 1)) for i in range(n_mels + 2)]
    rows = []
    for left, peak, right in zip(corners, corners[1:], corners[2:]):
        bins = (i * RATE / N_FFT for i in range(n_bins))
        rows.append([2 / (right - left) * max(0.0, min((f - left) / (peak - left), (right - f) / (right - peak))) for f in bins])
    return rows


def byte_of_letter():
    """The byte that each letter of a byte-level vocabulary stands for: printable Latin-1 itself, others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}


def vocabulary(path):
    """The tokens' bytes by number."""
    ids, letters = json.loads(path.read_text(encoding="utf-8")), byte_of_letter()
    if sorted(ids.values()) != list(range(len(ids))):
        sys.exit(f"whisper_ggml: {path}: the tokens' numbers are not 0 to {len(ids) - 1}")
    return [bytes(letters[c] for c in token) for token in sorted(ids, key=ids.get)]


def tensors(path):
    """Yields (name, F16 or F32, shape, bytes) of a safetensors file."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        for name, info in header.items():
            if info["dtype"] not in ("F16", "F32"):
                sys.exit(f"whisper_ggml: {path}: {name} is {info['dtype']}, expected F16 or F32")
            begin, end = info["data_offsets"]
            file.seek(8 + size + begin)
            yield name, F16 if info["dtype"] == "F16" else F32, info["shape"], file.read(end - begin)


def as_type(data, source, target):
    if source == target:
        return data
    code = {F16: "e", F32: "f"}
    width = struct.calcsize(code[source])
    out, block = [], 1 << 20  # numbers at a time: they are objects meanwhile
    for i in range(0, len(data), block * width):
        part = data[i:i + block * width]
        n = len(part) // width
        out.append(struct.pack(f"<{n}{code[target]}", *struct.unpack(f"<{n}{code[source]}", part)))
    return b"".join(out)


def write_tensor(out, name, shape, source, data):
    if re.fullmatch(r"encoder\.conv\d\.bias", name):
        shape = [*shape, 1]  # added to (channels, time)
    is_small = len(shape) == 1 or name.endswith(("conv1.bias", "conv2.bias", "positional_embedding"))
    kind = F32 if is_small else F16
    text = name.encode()
    out.write(struct.pack(f"<3i{len(shape)}i", len(shape), len(text), kind, *reversed(shape)))
    out.write(text + as_type(data, source, kind))


def write(folder, path):
    folder, path = pathlib.Path(folder), pathlib.Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "whisper":
        sys.exit(f"whisper_ggml: {folder}: not a Whisper model")
    tokens = vocabulary(folder / "vocab.json")
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as out:
        keys = ["vocab_size", "max_source_positions", "d_model", "encoder_attention_heads", "encoder_layers", "max_target_positions",
                "d_model", "decoder_attention_heads", "decoder_layers", "num_mel_bins"]
        out.write(struct.pack("<I11i", MAGIC, *(config[key] for key in keys), F16))
        rows = mel_filters(config["num_mel_bins"])
        out.write(struct.pack("<2i", len(rows), len(rows[0])))
        for row in rows:
            out.write(struct.pack(f"<{len(row)}f", *row))
        out.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            out.write(struct.pack("<i", len(token)) + token)
        for name, source, shape, data in tensors(folder / "model.safetensors"):
            if new_name := ggml_name(name):
                write_tensor(out, new_name, shape, source, data)
    part.replace(path)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("out")
    args = args.parse_args()
    write(args.folder, args.out)


if __name__ == "__main__":
    main()
