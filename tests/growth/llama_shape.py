"""Models of random weights in the shape of a Llama, of any size: for measuring only."""
import json
import struct

import numpy as np

# 135M parameters: 30 layers of these.
SHAPE = {"hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152}
BLOCK = 1 << 20  # random values that all tensors repeat: neither time nor memory depends on them


def byte_letters():
    """A byte-level vocabulary's letter for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) if b in printable else chr(0x100 + others.index(b)) for b in range(256)]


def tokenizer(n_tokens):
    vocabulary = ["<end>", *byte_letters()]
    vocabulary += [f"word{i}" for i in range(n_tokens - len(vocabulary))]
    end = {"id": 0, "content": "<end>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": {token: i for i, token in enumerate(vocabulary[:n_tokens])}, "merges": []}
    return {"version": "1.0", "added_tokens": [end], "normalizer": None, "pre_tokenizer": level, "post_processor": None,
            "decoder": level, "model": model}


def shapes(config):
    """(name, shape) of every tensor; the output projection is the embedding."""
    width, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    keys = width // config["num_attention_heads"] * config["num_key_value_heads"]
    yield "model.embed_tokens.weight", (vocabulary, width)
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        for name, shape in (("input_layernorm", (width,)), ("self_attn.q_proj", (width, width)), ("self_attn.k_proj", (keys, width)),
                            ("self_attn.v_proj", (keys, width)), ("self_attn.o_proj", (width, width)),
                            ("post_attention_layernorm", (width,)), ("mlp.gate_proj", (inner, width)), ("mlp.up_proj", (inner, width)),
                            ("mlp.down_proj", (width, inner))):
            yield f"{layer}{name}.weight", shape
    yield "model.norm.weight", (width,)


def write(folder, n_layers, n_context, **shape):
    """A Hugging Face folder with F16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **SHAPE, **shape, "num_hidden_layers": n_layers,
              "max_position_embeddings": n_context, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
              "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(config["vocab_size"])), encoding="utf-8")
    header, at = {}, 0
    for name, size in shapes(config):
        n_bytes = 2 * int(np.prod(size))
        header[name] = {"dtype": "F16", "shape": size, "data_offsets": [at, at + n_bytes]}
        at += n_bytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = np.random.default_rng(1).standard_normal(BLOCK, dtype=np.float32)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, size in shapes(config):
            n = int(np.prod(size))
            scaled = (noise * size[-1] ** -0.5 if len(size) == 2 else 1 + 0.1 * noise).astype(np.float16)
            for begin in range(0, n, BLOCK):
                file.write(scaled[:min(BLOCK, n - begin)].tobytes())
    return folder


def layers_for(n_bytes, **shape):
    """How many layers, at least one, come nearest to a file of that size in F16."""
    def size(n_layers):
        return 2 * sum(int(np.prod(s)) for _, s in shapes({**SHAPE, **shape, "num_hidden_layers": n_layers}))
    each = size(2) - size(1)
    return max(1, round((n_bytes - size(0)) / each))
