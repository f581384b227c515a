"""Models that matrix.py runs: real ones of ../shared, else the speech model that is part of the sources and tiny ones of random
weights. Each is a name, a file, and what the tool is called with and says."""
import dataclasses
import json
import pathlib
import struct
import sys
import typing

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/growth"))
import llama_shape


@dataclasses.dataclass
class Model:
    name: str
    command: str
    path: pathlib.Path
    arguments: list
    read: typing.Callable  # of what the tool prints: what must be the same


def tokens_heard(text):
    found = json.loads(text)
    documents = found if isinstance(found, list) else [found]
    return [[d["text"], *[[s["start"], s["end"], *s.get("tokens", [])] for s in d["segments"]]] for d in documents]


def tokens_told(text):
    return json.loads(text)["tokens"]


def labels_seen(text):
    return [json.loads(line)["labels"][0]["label"] for line in text.splitlines()]


def write_tensors(path, tensors):
    """A safetensors file of F32."""
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values()))


def write_vit(folder, width=64, inner=128, n_layers=2, n_labels=50, patch=8, side=48):
    """A vision transformer of random weights, as a Hugging Face folder."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = {str(i): f"label {i}" for i in range(n_labels)}
    config = {"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": width, "intermediate_size": inner,
              "num_hidden_layers": n_layers, "num_attention_heads": 4, "patch_size": patch, "image_size": side, "num_channels": 3,
              "hidden_act": "gelu", "layer_norm_eps": 1e-12, "qkv_bias": True, "id2label": labels,
              "label2id": {name: int(i) for i, name in labels.items()}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    random, tensors = np.random.default_rng(1), {}

    def matrix(name, *shape):
        tensors[name + ".weight"] = (random.standard_normal(shape) * np.prod(shape[1:]) ** -0.5).astype(np.float32)
        tensors[name + ".bias"] = (0.1 * random.standard_normal(shape[0])).astype(np.float32)

    def norm(name):
        tensors[name + ".weight"], tensors[name + ".bias"] = np.ones(width, np.float32), np.zeros(width, np.float32)

    tensors["vit.embeddings.cls_token"] = random.standard_normal((1, 1, width)).astype(np.float32)
    tensors["vit.embeddings.position_embeddings"] = random.standard_normal((1, 1 + (side // patch) ** 2, width)).astype(np.float32)
    matrix("vit.embeddings.patch_embeddings.projection", width, 3, patch, patch)
    for i in range(n_layers):
        layer = f"vit.encoder.layer.{i}."
        for part in ("attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense"):
            matrix(layer + part, width, width)
        matrix(layer + "intermediate.dense", inner, width)
        matrix(layer + "output.dense", width, inner)
        norm(layer + "layernorm_before")
        norm(layer + "layernorm_after")
    norm("vit.layernorm")
    matrix("classifier", n_labels, width)
    write_tensors(folder / "model.safetensors", tensors)
    return folder


def write_picture(path, side=64):
    """A PPM of colours that depend on place."""
    y, x, c = np.meshgrid(np.arange(side), np.arange(side), np.arange(3), indexing="ij")
    pixels = ((x * 7 + y * 3 + c * 50 + x * y * 13 % 101) % 256).astype(np.uint8)
    path.write_bytes(f"P6 {side} {side} 255\n".encode() + pixels.tobytes())
    return path


def convert(run, folder, source, encoding):
    """The flat file of SOURCE, made where it is missing."""
    path = folder / f"{source.name}-{encoding}.gguf"
    if not path.exists():
        run("convert", source, "-o", path, "--encoding", encoding)
    return path


def real(run, folder, shared):
    weights, images = shared / "models", shared / "images"
    whisper = convert(run, folder, weights / "whisper-tiny.en", "f16")
    stories = convert(run, folder, weights / "stories260K", "f32")
    vit = convert(run, folder, weights / "vit-tiny-patch16-224", "f16")
    pictures = [images / name for name in ("cat.png", "owl.jpg", "parrot.jpg", "dog_test_0.png")]
    return [Model("speech", "transcribe", whisper, [shared / "audio/jfk.wav", "--format", "json", "-q"], tokens_heard),
            Model("text", "generate", stories, ["-p", "Once upon a time", "-n", "80", "--json", "-q"], tokens_told),
            Model("vision", "classify", vit, [*pictures, "--top", "1", "--json"], labels_seen)]


def tiny(run, folder):
    widths = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512}
    llama = convert(run, folder, llama_shape.write(folder / "tiny-llama", 2, 96, **widths), "q8")
    vit = convert(run, folder, write_vit(folder / "tiny-vit"), "f16")
    picture = write_picture(folder / "picture.ppm")
    speech, recording = ROOT / "samples/models/speech-en.fovea.gguf", ROOT / "samples/audio/hello.flac"
    return [Model("speech", "transcribe", speech, [recording, "--format", "json", "-q"], tokens_heard),
            Model("text", "generate", llama, ["-p", "Once upon a time", "-n", "40", "--ignore-end", "--json", "-q"], tokens_told),
            Model("vision", "classify", vit, [picture, "--top", "1", "--json"], labels_seen)]
