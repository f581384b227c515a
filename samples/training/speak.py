#!/usr/bin/env python3
"""Synthesizes speech to train on: speak.py FOLDER [--hours H] [--jobs N] [--real FOLDER]

Every sentence (sentences.py) is spoken by a voice of espeak-ng, flite, festival, pico or RHVoice at a random rate and pitch, often
changed by noise, echoes, a telephone's bandwidth, a codec or clipping, and stored as log-mel features
(features.py) in FOLDER/shard-NNNNN.npz: "mel" uint8 [frames, 80] (features.pack), "ends", "texts". Goes on
where it stopped. --real: a folder with digits/ and commands/ (see README.md), whose training parts are mixed in.

  python3 speak.py /tmp/speech --hours 60
"""
import argparse
import io
import multiprocessing
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import zlib

import numpy as np
import scipy.signal
import soundfile

from features import RATE, log_mel, pack
from sentences import DIGITS, Sentences

ACCENTS = "en-us en-us en-us en-gb en-gb en-gb-x-rp en-gb-scotland en-gb-x-gbclan en-029 en-gb-x-gbcwmd en-us-nyc".split()
VARIANTS = ("adam Alex Alicia Andrea Andy anika announcer antonio aunty belinda benjamin boris caleb Denis Diogo ed "
            "edward edward2 f1 f2 f5 Gene2 grandma grandpa gustave Henrique Hugo iven iven2 Jacky john kaukovalta klatt "
            "klatt2 klatt3 Lee m1 m2 m3 m5 m6 m8 marcelo Marco Mario max michel Michael miguel Mike "
            "norbert pablo paul pedro quincy RicishayMax rob robert sandro shelby steph steph2 travis victor").split()
# Never trained on. rms is made from a person's recordings, ked from diphones, the others are formants.
HELD_OUT = {
    "espeak-f3": ("espeak-ng", "en-us+f3"), "espeak-f4": ("espeak-ng", "en-gb+f4"), "espeak-m4": ("espeak-ng", "en-us+m4"),
    "espeak-m7": ("espeak-ng", "en-gb-scotland+m7"), "espeak-annie": ("espeak-ng", "en-us+Annie"),
    "espeak-linda": ("espeak-ng", "en-gb-x-rp+linda"), "espeak-gene": ("espeak-ng", "en-us+Gene"),
    "espeak-zac": ("espeak-ng", "en-us+zac"), "flite-rms": ("flite", "rms"), "festival-ked": ("festival", "ked_diphone"),
}
FLITE = ["slt", "awb", "awb", "kal16", "kal16"]
FESTIVAL = ["cmu_us_slt_arctic_hts", "kal_diphone", "kal_diphone", "kal_diphone"]
ENGINES = {"espeak-ng": 30, "flite": 23, "festival": 14, "pico2wave": 11, "RHVoice-test": 22}  # commands; parts of what is said
PICO = ["en-US", "en-US", "en-GB"]
RHVOICE = ["bdl", "bdl", "clb", "alan"]  # slt is another's too


def read(data):
    samples, rate = soundfile.read(data, dtype="float32", always_2d=True)
    return resample(samples[:, 0], rate)


def resample(x, rate):
    if rate == RATE or len(x) == 0:
        return x
    divisor = np.gcd(rate, RATE)
    return scipy.signal.resample_poly(x, RATE // divisor, rate // divisor).astype(np.float32)


def espeak(text, voice, rng):
    rate = int(rng.triangular(110, 230, 160))
    out = subprocess.run(["espeak-ng", "-v", voice, "-s", str(rate), "-p", str(rng.randint(20, 80)),
                          "-g", str(rng.choice((0, 0, 0, 1, 3))), "--stdout", "--stdin"],
                         input=text.encode(), capture_output=True, check=True).stdout
    return read(io.BytesIO(out))


def flite(text, voice, rng):
    with tempfile.NamedTemporaryFile(suffix=".wav") as out:
        subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={rng.uniform(0.8, 1.3):.2f}",
                        "--setf", f"f0_shift={rng.uniform(0.6, 1.4):.2f}", "-t", text, "-o", out.name], check=True, capture_output=True)
        return read(out.name)


def pico(text, language, rng):
    with tempfile.NamedTemporaryFile(suffix=".wav") as out:
        marked = f'<pitch level="{rng.randint(60, 140)}"><speed level="{rng.randint(75, 130)}">{text}</speed></pitch>'
        subprocess.run(["pico2wave", "-l", language, "-w", out.name, marked], check=True, capture_output=True)
        return read(out.name)


def rhvoice(text, voice, rng):
    with tempfile.NamedTemporaryFile(suffix=".wav") as out:
        subprocess.run(["RHVoice-test", "-p", voice, "-r", str(rng.randint(75, 140)), "-t", str(rng.randint(70, 130)),
                        "-o", out.name], input=text.encode(), check=True, capture_output=True)
        return read(out.name)


def festival(texts, voice, rng):
    """Several in one run: it takes long to start."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})"]
        if voice == "kal_diphone":  # as many men: one alone would be learned by heart
            pitch = f"(target_f0_mean {rng.uniform(80, 180):.0f}) (target_f0_std {rng.uniform(5, 30):.0f})"
            lines.append(f"(set! int_lr_params '({pitch} (model_f0_mean 170) (model_f0_std 34)))")
        for i, text in enumerate(texts):
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{i}.wav" \'riff)')
        subprocess.run(["festival", "--batch", "/dev/stdin"], input="\n".join(lines).encode(), check=True,
                       capture_output=True)
        return [read(f"{folder}/{i}.wav") for i in range(len(texts))]


def speak(texts, engine, voice, rng):
    if engine == "festival":
        return festival(texts, voice, rng)
    one = {"espeak-ng": espeak, "flite": flite, "pico2wave": pico, "RHVoice-test": rhvoice}[engine]
    return [one(text, voice, rng) for text in texts]


def trained_voice(rng):
    engine = rng.choices(list(ENGINES), ENGINES.values())[0]
    if engine == "espeak-ng":
        return engine, rng.choice(ACCENTS) + ("+" + rng.choice(VARIANTS) if rng.random() < 0.93 else "")
    return engine, rng.choice({"flite": FLITE, "festival": FESTIVAL, "pico2wave": PICO, "RHVoice-test": RHVOICE}[engine])


# ---- what happens to sound on its way


def stretch(x, factor):
    """As a tape played faster or slower: pitch and formants move too."""
    return np.interp(np.arange(0, len(x) - 1, factor), np.arange(len(x)), x).astype(np.float32)


def echo(x, r):
    seconds = r.uniform(0.08, 0.6)
    n = int(seconds * RATE)
    tail = r.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail *= r.uniform(0.1, 0.7) / np.sqrt(np.sum(tail ** 2))
    tail[0] = 1
    return scipy.signal.fftconvolve(x, tail)[:len(x)].astype(np.float32)


def noise(n, r):
    white = r.standard_normal(n)
    spectrum = np.fft.rfft(white)
    f = np.arange(len(spectrum)) + 20.0
    slope = r.choice([0, 0.5, 1.0])
    spectrum *= f ** -slope
    if r.random() < 0.3:  # hum and its overtones
        for k in range(1, 8):
            spectrum[min(len(spectrum) - 1, int(k * r.choice([50, 60]) * n / RATE))] *= 30
    out = np.fft.irfft(spectrum, n)
    if r.random() < 0.3:  # comes and goes
        out *= 0.3 + np.abs(np.sin(np.arange(n) / RATE * r.uniform(0.5, 4) + r.uniform(0, 6)))
    return out


def codec(x, r):
    kind = r.choice(["telephone", "ulaw", "gsm", "vorbis", "band"])
    peak = np.abs(x).max() + 1e-6
    y = x / peak * 0.8
    if kind == "band":
        high = r.uniform(2800, 7000)
        b, a = scipy.signal.butter(4, [r.uniform(40, 300), high], "bandpass", fs=RATE)
        return scipy.signal.lfilter(b, a, x).astype(np.float32)
    rate = RATE if kind == "vorbis" else 8000
    if rate != RATE:
        y = scipy.signal.resample_poly(y, 1, 2)
    data = io.BytesIO()
    subtype = {"telephone": "PCM_16", "ulaw": "ULAW", "gsm": "GSM610", "vorbis": "VORBIS"}[kind]
    soundfile.write(data, y, rate, format="OGG" if kind == "vorbis" else "WAV", subtype=subtype)
    data.seek(0)
    return read(data)[:len(x)] * peak


def disturb(x, r, babble):
    """Half of what is heard is left nearly as it was."""
    lead, trail = r.uniform(0.02, 0.5, 2)
    x = np.concatenate([np.zeros(int(lead * RATE), np.float32), x, np.zeros(int(trail * RATE), np.float32)])
    if r.random() < 0.6:
        x = stretch(x, r.uniform(0.78, 1.28))
    if r.random() < 0.25:
        x = echo(x, r)
    if r.random() < 0.25:
        x = codec(x, r)
    level = np.sqrt(np.mean(x ** 2)) + 1e-6
    if r.random() < 0.06:
        limit = r.uniform(1, 3) * level
        x = np.clip(x, -limit, limit)
    snr = r.uniform(5, 30) if r.random() < 0.45 else r.uniform(30, 70)
    other = noise(len(x), r)
    if len(babble) and r.random() < 0.2:
        other = np.resize(babble[r.integers(len(babble))], len(x)) + 0.1 * other
        snr = max(snr, 8)
    other *= level * 10 ** (-snr / 20) / (np.sqrt(np.mean(other ** 2)) + 1e-9)
    return (x + other).astype(np.float32)


# ---- recordings of people


def trained_digits(folder):
    """{speaker: [(word, path)]}: takes 5 and above are the published training split."""
    out = {}
    for path in sorted(pathlib.Path(folder, "digits").glob("*.wav")):
        digit, speaker, take = path.stem.split("_")
        if int(take) >= 5:
            out.setdefault(speaker, []).append((DIGITS[int(digit)], str(path)))
    return out


def commands(folder, held_out):
    """[(word, path)]; three in ten are held out."""
    return [(path.parent.name, str(path)) for path in sorted(pathlib.Path(folder, "commands").glob("*/*.wav"))
            if path.parent.name.isalpha() and (zlib.crc32(path.name.encode()) % 10 < 3) == held_out]


def real(rng, digits, words):
    """A few words of one speaker with pauses, and what they are."""
    pick = []
    if words and rng.random() < 0.2:
        pick = [rng.choice(words)]
    else:
        speaker = rng.choice(sorted(digits))
        pick = [rng.choice(digits[speaker]) for _ in range(rng.choice((1, 1, 1, 1, 2, 3, 4)))]
    pieces = []
    for _, path in pick:
        pieces += [read(path), np.zeros(int(rng.uniform(0.02, 0.3) * RATE), np.float32)]
    return np.concatenate(pieces[:-1]), " ".join(word for word, _ in pick)


# ---- shards


def make_shard(job):
    index, args = job
    path = pathlib.Path(args.folder, f"shard-{index:05}.npz")
    if path.exists():
        return 0
    rng, r = random.Random(index), np.random.default_rng(index)
    sentences = make_shard.sentences = getattr(make_shard, "sentences", None) or Sentences(index)
    sentences.rng = rng
    digits = trained_digits(args.real) if args.real else {}
    words = commands(args.real, False) if args.real else []
    mels, texts, babble = [], [], []

    def add(x, text):
        mel = log_mel(disturb(x, r, babble))
        mels.append(pack(mel))
        texts.append(text)
        if len(x) > RATE:
            babble[:] = babble[-7:] + [x]

    while len(texts) < args.shard:
        if digits and rng.random() < 0.09:
            add(*real(rng, digits, words))
            continue
        engine, voice = trained_voice(rng)
        batch = [sentences.make() for _ in range(24 if engine == "festival" else 4)]
        try:
            sounds = speak(batch, engine, voice, rng)
        except subprocess.CalledProcessError as error:
            print("left out:", engine, voice, error.stderr[-200:])
            continue
        sounds = [(x, t) for x, t in zip(sounds, batch) if RATE // 5 < len(x) < 16 * RATE]
        while sounds:
            n = rng.choice((2, 3, 4)) if rng.random() < 0.12 else 1  # said in one breath, with pauses
            group, sounds = sounds[:n], sounds[n:]
            joined = group[0][0]
            for x, _ in group[1:]:
                if len(joined) + len(x) > 20 * RATE:
                    break
                joined = np.concatenate([joined, np.zeros(int(rng.uniform(0.1, 0.9) * RATE), np.float32), x])
            else:
                add(joined, " ".join(t for _, t in group))
    part = path.with_suffix(".part")
    with open(part, "wb") as out:
        np.savez(out, mel=np.concatenate(mels), ends=np.cumsum([len(m) for m in mels]), texts=np.array(texts))
    os.replace(part, path)
    return sum(len(m) for m in mels)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("--hours", type=float, default=60)
    args.add_argument("--jobs", type=int, default=os.cpu_count())
    args.add_argument("--shard", type=int, default=1000, help="utterances in a shard")
    args.add_argument("--real", help="folder with digits/ and commands/")
    args = args.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for engine in [e for e in ENGINES if not shutil.which(e)]:
        print(f"{engine} is not installed: the others say its part")
        del ENGINES[engine]
    n_frames = 0
    with multiprocessing.Pool(args.jobs) as pool:
        n_shards = int(args.hours * 3600 / (4.1 * args.shard)) + 1
        for i, n in enumerate(pool.imap(make_shard, [(k, args) for k in range(n_shards)])):
            n_frames += n
            print(f"{i + 1}/{n_shards} shards, {n_frames / 360000:.1f} hours made now", flush=True)


if __name__ == "__main__":
    main()
