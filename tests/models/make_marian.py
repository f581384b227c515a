#!/usr/bin/env python3
"""make_marian.py CASE OUT.json: what Hugging Face transformers computes with the golden case `marian` as it lies on
disk. The case's own outputs were made before its position tables were dropped (they are never saved, since every Marian
model computes them), with random tables that no file holds. Needs torch, transformers, safetensors."""
import json, sys
import torch, transformers
from safetensors.torch import load_file

case, out = sys.argv[1:]
golden = load_file(case + "/golden.safetensors")
model = transformers.MarianMTModel.from_pretrained(case, attn_implementation="eager").eval()
tokens, decoder_tokens = golden["input.tokens"].long(), golden["input.decoder_tokens"].long()
with torch.no_grad():
    logits = model(input_ids=tokens, decoder_input_ids=decoder_tokens).logits
    generate = lambda beams: model.generate(tokens, max_new_tokens=10, min_new_tokens=10, do_sample=False, num_beams=beams)
    json.dump({"logits": [float(f"{v:.8g}") for v in logits.flatten()], "greedy": generate(1)[0].tolist(),
               "beam4": generate(4)[0].tolist()}, open(out, "w"))
