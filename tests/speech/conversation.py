#!/usr/bin/env python3
"""Writes the sample recordings, with 0.8 to 2.3 s of digital silence after each, as one: conversation.py OUT.wav [--seconds N]

What is said goes to OUT.txt. First each recording in its turn, then in an order that is always the same.

  tests/speech/conversation.py five.wav && build/release/fovea transcribe five.wav --realtime

Debian packages: python3-numpy python3-soundfile
"""
import argparse
import pathlib
import random

import numpy as np
import soundfile

CLIPS = pathlib.Path(__file__).resolve().parents[2] / "samples/audio"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out")
    args.add_argument("--seconds", type=float, default=287)
    args = args.parse_args()
    clips = [line.split("\t") for line in (CLIPS / "transcripts.tsv").read_text(encoding="utf-8").splitlines()]
    rng, rate, seconds = random.Random(5), 16000, 0.0
    sounds, texts = [np.zeros(rate // 2, np.float32)], []
    while seconds < args.seconds:
        name, text = clips[len(texts)] if len(texts) < len(clips) else rng.choice(clips)
        sound, its_rate = soundfile.read(CLIPS / name, dtype="float32")
        assert its_rate == rate, name
        pause = np.zeros(int(rng.uniform(0.8, 2.3) * rate), np.float32)
        sounds += [sound, pause]
        texts.append(text)
        seconds += (len(sound) + len(pause)) / rate
    out = pathlib.Path(args.out)
    soundfile.write(out, np.concatenate(sounds), rate, subtype="PCM_16")
    out.with_suffix(".txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
