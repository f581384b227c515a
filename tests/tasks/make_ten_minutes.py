#!/usr/bin/env python3
"""make_ten_minutes.py MODEL_FOLDER OUT.json: what Hugging Face transformers writes of ten minutes of speech.

The recording is five of the model folder's clips, each followed by 0.4 s of silence, again and again, cut at 600 s:
long_recording_test.cpp joins the same. They are the ones whose words are right; on the others this model decides between
equally likely words so often that no two implementations agree for ten minutes. Needs torch and transformers; takes about
ten minutes.
"""
import json
import pathlib
import sys
import wave

import numpy as np
import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

folder, out = sys.argv[1:3]


def samples(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


names = ["sb-spk1_snt3", "syn-01", "syn-03", "syn-08", "syn-09"]
once = [part for name in names for part in (samples(pathlib.Path(folder, "clips", name + ".wav")), np.zeros(6400, np.int16))]
sound = np.resize(np.concatenate(once), 600 * 16000).astype(np.float32) / 32768

features = WhisperFeatureExtractor.from_pretrained(folder)(
    sound, sampling_rate=16000, return_tensors="pt", truncation=False, padding="longest", return_attention_mask=True)
model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = WhisperTokenizer.from_pretrained(folder)
with torch.no_grad():
    result = model.generate(features.input_features, attention_mask=features.attention_mask, return_timestamps=True,
                            return_segments=True, condition_on_prev_tokens=False, temperature=0.0, do_sample=False,
                            num_beams=1)
segments = [[round(float(s["start"]), 2), round(float(s["end"]), 2),
             tokenizer.decode(s["tokens"], skip_special_tokens=True).strip()] for s in result["segments"][0]]
with open(out, "w") as file:
    json.dump({"made_by": "make_ten_minutes.py: transformers, float32, greedy, no conditioning on earlier text",
               "segments": segments}, file, indent=0)
