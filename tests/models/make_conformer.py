#!/usr/bin/env python3
"""make_conformer.py OUT: a small random Conformer with a CTC head as samples/training exports one, with what torch
computes of two sounds (golden.safetensors). Needs python3-torch."""
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "samples/training"))
from export import write_folder, write_safetensors
from features import log_mel, n_positions
from model import CONFIG, ConformerForCTC
from units import LETTERS, SPECIAL, Units

out = pathlib.Path(sys.argv[1])
config = dict(CONFIG, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, conv_kernel_size=5,
              vocab_size=32)
torch.manual_seed(5)
model = ConformerForCTC(config).eval()
with torch.no_grad():
    for p in model.parameters():
        p.add_(torch.randn_like(p) * (0.3 if p.dim() == 1 else 0.1))
    r = np.random.default_rng(5)
    t = np.arange(6000) / 16000
    samples = np.stack([np.sin(2 * np.pi * f * t * (1 + t)) * np.abs(np.sin(9 * t)) * loud + 0.01 * r.standard_normal(6000)
                        for f, loud in ((180, 0.3), (700, 0.01))]).astype(np.float32)
    mel = torch.from_numpy(np.stack([log_mel(x) for x in samples]))
    logits = model(mel, torch.tensor([n_positions(mel.shape[1])] * 2))
out.mkdir(parents=True, exist_ok=True)
Units(SPECIAL + LETTERS + ["th", "er", "the"]).save("/tmp/vocab.json")
write_folder(out, model.state_dict(), "/tmp/vocab.json", config)
write_safetensors(out / "golden.safetensors", {"input.samples": torch.from_numpy(samples), "output.logits": logits})
print(logits.shape, logits.std(), logits.argmax(-1).tolist())
