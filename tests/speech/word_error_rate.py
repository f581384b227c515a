#!/usr/bin/env python3
"""Word error rates of the bundled speech model: word_error_rate.py FOVEA MODEL [--sentences N] [--shared FOLDER]

Speaks sentences that were not trained on with voices that were not trained on (samples/training/speak.py has both
lists), has FOVEA transcribe them, and counts substitutions, insertions and deletions. With --shared, a folder with
digits/, commands/ and transcripts.tsv, also recordings of people: the test split of the digits, the held-out commands,
sentences. The last lines compare with --max-wer and --min-digits; exit code 1 when a rate is past its limit.

  tests/speech/word_error_rate.py build/release/fovea samples/models/speech-en.fovea.gguf --sentences 10

Debian packages: espeak-ng flite festival festvox-kdlpc16k wordnet-base python3-numpy python3-scipy python3-soundfile
"""
import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import soundfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "samples/training"))
from score import n_word_errors
from sentences import DIGITS, HERE, Sentences, normalize
from speak import HELD_OUT, RATE, commands, read, speak


def synthesized(n, seed):
    """Yields (set, text, samples): n written sentences and n of WordNet's examples a voice."""
    rng = random.Random(seed)
    written = open(HERE / "held_out.txt", encoding="utf-8").read().split("\n")
    written = [s for s in written if s]
    examples = Sentences(seed).held_out
    for name, (engine, voice) in HELD_OUT.items():
        for kind, pool in (("written", written), ("examples", examples)):
            texts = rng.sample(pool, min(n, len(pool)))
            for text, sound in zip(texts, speak(texts, engine, voice, rng)):
                # Steady noise 40 dB below: no recording is silent between words.
                noise = np.random.default_rng(len(sound)).standard_normal(len(sound) + RATE // 2)
                x = np.pad(sound, RATE // 4)[:len(noise)]
                yield f"{name}, {kind}", text, x + noise[:len(x)] * 0.01 * np.sqrt(np.mean(sound ** 2))


def recorded(folder, n):
    """Recordings of people: at most 10 n digits, 10 n commands, and all sentences."""
    folder = pathlib.Path(folder)
    digits = [(DIGITS[int(p.stem.split("_")[0])], p) for p in sorted(folder.glob("digits/*.wav")) if int(p.stem.split("_")[2]) < 5]
    random.Random(1).shuffle(digits)
    for text, path in digits[:10 * n]:
        yield "real digits", text, np.pad(read(str(path)), RATE // 4)
    words = commands(folder, True)
    random.Random(1).shuffle(words)
    for text, path in words[:10 * n]:
        yield "real commands", text, read(path)
    for line in open(folder / "transcripts.tsv", encoding="utf-8"):
        name, _, text = line.rstrip("\n").partition("\t")
        if text.strip() and (text := normalize(text, 1, 1000)):
            yield "real sentences", text, read(str(folder / name))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("fovea")
    args.add_argument("model")
    args.add_argument("--sentences", type=int, default=10, help="of each kind a voice")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--shared", help="folder of recordings of people")
    args.add_argument("--max-wer", type=float, default=100, help="limit for all synthetic voices together, in percent")
    args.add_argument("--min-digits", type=float, default=0, help="limit for real digits, in percent")
    args.add_argument("--beam", help="as of fovea transcribe; 1: without the language model")
    args.add_argument("--show", action="store_true", help="print what was misheard")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        items = list(synthesized(args.sentences, args.seed))
        if args.shared:
            items += recorded(args.shared, args.sentences)
        seconds = sum(len(x) for _, _, x in items) / RATE
        print(f"{len(items)} recordings, {seconds / 60:.1f} minutes", file=sys.stderr, flush=True)
        for i, (_, _, samples) in enumerate(items):
            x = samples / max(1.0, np.abs(samples).max() * 1.02)
            soundfile.write(f"{folder}/{i:05}.wav", x, RATE, subtype="PCM_16")
        files = [f"{folder}/{i:05}.wav" for i in range(len(items))]
        subprocess.run([args.fovea, "transcribe", args.model, *files, "-q", "--no-timestamps", "-o", f"{folder}/text/",
                        *(["--beam", args.beam] if args.beam else [])], check=True)
        sets = {}
        for i, (name, text, _) in enumerate(items):
            heard = pathlib.Path(f"{folder}/text/{i:05}.txt").read_text(encoding="utf-8")
            heard = " ".join(heard.split())
            errors, words = n_word_errors(text, heard)
            total = sets.setdefault(name, [0, 0, 0, 0])
            total[:] = [total[0] + errors, total[1] + words, total[2] + (errors == 0), total[3] + 1]
            if args.show and errors:
                print(f"{name}\n  {text}\n  {heard}")
    print(f"{'set':30} {'WER':>7} {'words':>6} {'right':>7} {'of':>5}")

    def row(name, e):
        print(f"{name:30} {100 * e[0] / e[1]:6.2f}% {e[1]:6} {e[2]:7} {e[3]:5}")
        return 100 * e[0] / e[1]

    for name, e in sets.items():
        row(name, e)
    sums = {}
    for kind in ("written", "examples"):
        sums[kind] = np.sum([e for name, e in sets.items() if name.endswith(kind)], axis=0)
        row(f"all voices, {kind}", sums[kind])
    wer = row("all voices", sums["written"] + sums["examples"])
    ok = wer <= args.max_wer
    print(f"{'ok' if ok else 'FAILED'}: {wer:.2f} % of words of synthetic voices wrong, limit {args.max_wer} %")
    if digits := sets.get("real digits"):
        right = 100 * digits[2] / digits[3]
        print(f"{'ok' if right >= args.min_digits else 'FAILED'}: {right:.2f} % of real digits right, limit {args.min_digits} %")
        ok = ok and right >= args.min_digits
    sys.exit(not ok)


if __name__ == "__main__":
    main()
