#!/usr/bin/env python3
"""Trains the model on what speak.py made: train.py SPEECH FOLDER [--hours H]

The last layer learns units, the middle one letters (hierarchical CTC, Fernandez et al., 2007), which come sooner. Short
utterances, undisturbed, are the first: without them the loss stays for long where nothing but blanks is heard.

FOLDER gets vocab.json, checkpoint.pt (every few minutes; training goes on from it) and log.tsv. The learning rate falls
to zero in the last fifth of H hours of computing, and the weights are then seen as a q4 file will have them. Shards that
appear in SPEECH meanwhile are used too. The first shard is not trained on and gives the rates in the log.

  python3 train.py /tmp/speech /tmp/model --hours 2
"""
import argparse
import contextlib
import copy
import os
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

from features import STEP, n_positions, unpack, warped_bins
from model import CONFIG, ConformerForCTC
from muon import Muon
from quantized import weights_as_q4
from score import n_word_errors
from sentences import Sentences
from units import N_LETTERS, Units

MAX_FRAMES = 2000  # an utterance of 20 s
WARM_UP, EASY = 300, 700  # steps of a rising rate; steps with short utterances
EASY_FRAMES = 280
DECAY = 0.2  # of the time, at its end: the rate falls to zero


class Speech:
    """All shards in memory: 8 kB a second."""

    def __init__(self, folder, units):
        self.folder, self.units, self.items, self.read = folder, units, [], set()

    def rescan(self):
        paths = sorted(pathlib.Path(self.folder).glob("shard-*.npz"))
        for path in paths[1:]:  # the first is for validation
            if path not in self.read:
                self.read.add(path)
                self.items += load(path, self.units)

    def batches(self, rng, n_frames, longest=MAX_FRAMES):
        """One pass, each batch of like lengths."""
        items = sorted((it for it in self.items if len(it[0]) <= longest), key=lambda it: len(it[0]) * rng.uniform(0.85, 1.15))
        batches, batch = [], []
        for item in items:
            if batch and (len(batch) + 1) * max(len(item[0]), len(batch[-1][0])) > n_frames:
                batches.append(batch)
                batch = []
            batch.append(item)
        rng.shuffle(batches)
        return batches


def n_needed(ids):
    """Positions: a blank between two of the same."""
    return len(ids) + sum(a == b for a, b in zip(ids, ids[1:]))


def load(path, units):
    with np.load(path) as z:
        mel, ends, texts = z["mel"], z["ends"], z["texts"]
    out = []
    for begin, end, text in zip(np.concatenate([[0], ends]), ends, texts):
        ids = units.encode(str(text))
        if 30 <= end - begin <= MAX_FRAMES and n_needed(ids) <= n_positions(int(end - begin)):
            out.append((mel[begin:end], ids, str(text), units.encode_letters(str(text))))
    return out


def collate(batch, rng=None):
    """[B, frames, 80], [B], [B]: with rng each changed at random; the last are positions at the begin where nothing is said."""
    mels, silent = [unpack(item[0]) for item in batch], [0] * len(batch)
    if rng:
        longest = rng.randint(50, 500) if rng.random() < 0.2 else 0  # of the batch, as its length is its cost
        for i, item in enumerate(batch):
            mel = respeed(mels[i], item[1], rng)
            with_silence = behind_silence(mel, longest, rng)
            silent[i] = max(0, n_positions(len(with_silence)) - n_positions(len(mel)) - 3)
            mels[i] = augment(with_silence, rng)
    x = np.zeros((len(batch), max(map(len, mels)), mels[0].shape[1]), np.float32)
    for row, mel in zip(x, mels):
        row[:len(mel)] = mel
    return torch.from_numpy(x), torch.tensor([n_positions(len(mel)) for mel in mels]), torch.tensor(silent)


def ctc_loss(logits, lengths, targets):
    """`targets`: lists of ids."""
    logprobs = F.log_softmax(logits.float(), -1).transpose(0, 1)
    return F.ctc_loss(logprobs, torch.tensor([i for ids in targets for i in ids]), lengths,
                      torch.tensor([len(ids) for ids in targets]), zero_infinity=True)


def silence_loss(logits, silent):
    """CTC itself does not mind where a unit is written; where nothing has been said yet is no place for it."""
    inside = torch.arange(logits.shape[1])[None, :] < silent[:, None]
    return -F.log_softmax(logits[inside].float(), -1)[:, 0].mean() if inside.any() else 0.0


def quiet(mel, n):
    """n frames as the quietest of `mel`."""
    quietest = mel[np.argsort(mel.mean(1))[:max(1, len(mel) // 20)]]
    return quietest[np.arange(n) % len(quietest)]


def louder(packed, by):
    """`by`: in powers of ten."""
    return np.clip(packed.astype(np.int16) + round(by / float(STEP)), 0, 255).astype(np.uint8)


def joined(batch, rng):
    """Pairs, one after the other, as in a conversation: one may be 10 dB louder."""
    out = batch[len(batch) // 2 * 2:]
    for a, b in zip(batch[::2], batch[1::2]):
        n = rng.randint(10, 200)
        a = (louder(a[0], rng.uniform(-1, 1)), *a[1:])
        gap = quiet(a[0], n) if rng.random() < 0.7 else np.zeros((n, a[0].shape[1]), np.uint8)
        if len(a[0]) + n + len(b[0]) > MAX_FRAMES:
            out += [a, b]
        else:  # unit 1 is "|"
            out.append((np.concatenate([a[0], gap, b[0]]), a[1] + [1] + b[1], f"{a[2]} {b[2]}", a[3] + [1] + b[3]))
    return out


def respeed(mel, ids, rng):
    """Half of the time faster or slower, the voice as it was; never too fast for the units."""
    n = int(len(mel) * rng.uniform(0.85, 1.18))
    if rng.random() < 0.5 or n > MAX_FRAMES or n_positions(n) < n_needed(ids):
        return mel
    at = np.linspace(0, len(mel) - 1.001, n, dtype=np.float32)
    low = at.astype(int)
    part = (at - low)[:, None]
    return mel[low] * (1 - part) + mel[low + 1] * part


def behind_silence(mel, longest, rng):
    """Nothing for up to `longest` frames before it: digital silence, or what its quietest frames are like."""
    n = min(rng.randint(longest // 2, longest), MAX_FRAMES - len(mel))
    if n <= 0:
        return mel
    before = quiet(mel, n) if rng.random() < 0.5 else np.full((n, mel.shape[1]), unpack(0), np.float32)
    return np.concatenate([before, mel])


def curve(n_mels, n_knots, height, rng):
    """Lines between random heights."""
    heights = [rng.uniform(-height, height) for _ in range(n_knots)]
    return np.interp(np.arange(n_mels), np.linspace(0, n_mels, n_knots), heights).astype(np.float32)


def augment(mel, rng):
    """Half of the time as from a longer or shorter vocal tract (Jaitly and Hinton, 2013); a random level, spectrum,
    contrast and sharpness of the bands; steady noise; a band of silence (SpecAugment, Park et al., 2019). Nothing is
    hidden in time: a model this small has enough to learn from what is there."""
    n_mels = mel.shape[1]
    if rng.random() < 0.5:
        at = np.clip(warped_bins(rng.uniform(0.83, 1.2)), 0, n_mels - 1.001).astype(np.float32)
        low = at.astype(int)
        mel = mel[:, low] * (1 - (at - low)) + mel[:, low + 1] * (at - low)
    if rng.random() < 0.5:
        sides = rng.uniform(-0.15, 0.3)
        mel[:, 1:-1] += sides * (0.5 * (mel[:, :-2] + mel[:, 2:]) - mel[:, 1:-1])
        mean = mel.mean()
        mel = mean + rng.uniform(0.8, 1.2) * (mel - mean)
    if rng.random() < 0.25:  # 3 to 25 dB below the loud frames
        noise = np.sort(mel.mean(1))[int(0.9 * len(mel))] - rng.uniform(0.3, 2.5) + curve(n_mels, 5, 0.5, rng)
        r = np.random.default_rng(rng.getrandbits(32))
        noise = noise + np.float32(0.2) * r.standard_normal(mel.shape, np.float32)
        mel = np.logaddexp2(mel * np.float32(np.log2(10)), noise * np.float32(np.log2(10))) / np.float32(np.log2(10))
    if rng.random() < 0.7:  # as of another microphone
        mel = mel + curve(n_mels, 7, 0.5, rng)
    else:
        mel = mel + (rng.uniform(-0.3, 0.3) + np.linspace(-1, 1, n_mels, dtype=np.float32) * rng.uniform(-0.3, 0.3))
    n = rng.randint(0, 10)
    at = rng.randint(0, n_mels - n)
    mel[:, at:at + n] = mel.mean()
    return mel


def word_error_rate(model, items, units):
    errors = words = 0
    model.eval()
    with torch.no_grad():
        for i in range(0, len(items), 32):
            batch = sorted(items, key=lambda it: len(it[0]))[i:i + 32]
            x, lengths, _ = collate(batch)
            best = model(x, lengths).argmax(-1)
            for row, n, item in zip(best, lengths, batch):
                e, n_words = n_word_errors(item[2], units.decode(row[:n].tolist()))
                errors, words = errors + e, words + n_words
    model.train()
    return errors / max(1, words)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("speech")
    args.add_argument("folder")
    args.add_argument("--hours", type=float, default=2)
    args.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    args.add_argument("--frames", type=int, default=16000, help="of 10 ms in a batch")
    args.add_argument("--steps", type=int, default=0, help="end after so many, to try things out")
    args = args.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    folder = pathlib.Path(args.folder)
    if not (folder / "vocab.json").exists():
        sentences = Sentences(1)
        Units.learn((sentences.make() for _ in range(30000)), CONFIG["vocab_size"]).save(folder / "vocab.json")
    units = Units.load(folder / "vocab.json")
    speech = Speech(args.speech, units)
    validation = load(sorted(pathlib.Path(args.speech).glob("shard-*.npz"))[0], units)[:400]

    torch.manual_seed(1)
    model = ConformerForCTC(CONFIG)
    letters = torch.nn.Linear(CONFIG["hidden_size"], N_LETTERS)
    trained = list(model.parameters()) + list(letters.parameters())
    matrices = [p for p in model.encoder.layers.parameters() if p.dim() == 2]
    inside = {id(p) for p in matrices}
    stored_as_q4 = [*matrices, model.ctc_head.weight]
    optimizers = [torch.optim.AdamW([p for p in trained if id(p) not in inside], lr=args.rate, betas=(0.9, 0.98),
                                    weight_decay=0.01, foreach=True), Muon(matrices, lr=args.rate)]
    average = copy.deepcopy(model)
    seconds, step, cold = 0.0, 0, 0  # cold: where the optimizers knew nothing
    if (folder / "checkpoint.pt").exists():
        state = torch.load(folder / "checkpoint.pt")
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        letters.load_state_dict(state["letters"])
        if "optimizers" in state:
            for optimizer, saved in zip(optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
        seconds, step = state["seconds"], state["step"]
        cold = 0 if "optimizers" in state else step
        print(f"goes on after step {step}, {seconds / 3600:.2f} hours")
    first = step, seconds  # of this run
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} million parameters")

    def save():
        state = dict(model=model.state_dict(), average=average.state_dict(),
                     letters=letters.state_dict(), optimizers=[o.state_dict() for o in optimizers],
                     seconds=seconds, step=step)
        torch.save(state, folder / "checkpoint.part")
        os.replace(folder / "checkpoint.part", folder / "checkpoint.pt")

    rng = random.Random(step)
    last_saved, losses, queue = time.time(), [], []
    while seconds < args.hours * 3600 and not (args.steps and step >= args.steps):
        if not queue:
            speech.rescan()
            queue = (speech.batches(rng, args.frames // 2, EASY_FRAMES) if step < EASY else
                     speech.batches(rng, args.frames))[:100]
        begin = time.time()
        batch = queue.pop()
        while step >= EASY and rng.random() < 0.35:
            batch = joined(batch, rng)
        x, lengths, silent = collate(batch, rng if step >= EASY else None)
        left = 1 - seconds / (args.hours * 3600)
        rate = args.rate * min(1, (step - cold + 1) / WARM_UP, left / DECAY) + 1e-6
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        with weights_as_q4(stored_as_q4) if left < DECAY else contextlib.nullcontext():
            with torch.autocast("cpu", dtype=torch.bfloat16):
                last, middle = model(x, lengths, letters)
            last_loss = ctc_loss(last, lengths, [item[1] for item in batch])
            middle_loss = ctc_loss(middle, lengths, [item[3] for item in batch])
            loss = 0.7 * last_loss + 0.3 * middle_loss + 0.5 * silence_loss(last, silent)
            for p in trained:
                p.grad = None
            loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        if torch.isfinite(norm):
            for optimizer in optimizers:
                optimizer.step()
        step += 1
        with torch.no_grad():
            decay = min(0.999, (1 + step) / (10 + step))
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - decay)
        seconds += time.time() - begin
        losses.append((float(last_loss), float(middle_loss)))
        if step % 20 == 0:
            units_loss, letters_loss = np.mean(losses, axis=0)
            print(f"step {step}  {seconds / 3600:.3f} h  loss {units_loss:.3f}, of letters {letters_loss:.3f}  "
                  f"rate {rate:.1e}  {len(speech.items)} utterances, "
                  f"{(seconds - first[1]) / (step - first[0]):.2f} s a step", flush=True)
            losses = []
        if step % 400 == 0:
            wer = word_error_rate(average, validation, units)
            print(f"step {step}  word error rate {100 * wer:.1f} %", flush=True)
            with open(folder / "log.tsv", "a") as log:
                log.write(f"{step}\t{seconds / 3600:.3f}\t{wer:.4f}\n")
        if time.time() - last_saved > 180:
            save()
            last_saved = time.time()
    save()
    print(f"word error rate {100 * word_error_rate(average, validation, units):.1f} %")


if __name__ == "__main__":
    main()
