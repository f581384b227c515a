#!/usr/bin/env python3
"""Counts which words follow each other in the sentences to train on: language_model.py FOLDER [--words N] [--pairs N]

Writes FOLDER/language_model/bigram.arpa (Paul and Baker, 1992) and attrs.json, as pyctcdecode has them, for
`fovea convert`. Probabilities are Kneser and Ney's (1995), interpolated; words rarer than --words times, and pairs rarer than
--pairs times, are left out. Held-out sentences are not counted.

  python3 language_model.py /tmp/speech-en
"""
import argparse
import collections
import json
import math
import pathlib

from sentences import Sentences

N_GRAMMAR = 60000  # sentences of grammar.txt, beside WordNet's
SETTINGS = dict(alpha=0.5, beta=2.0, unk_score_offset=-14.0)  # best of a few tried, with other sentences than the tests'


def sentences():
    source = Sentences(77)
    yield from source.examples
    yield from source.definitions
    for _ in range(N_GRAMMAR):
        if (text := source.grammar.make(source.rng)) not in source.refused:
            yield text


class Bigrams:
    def __init__(self, texts, min_words=1, min_pairs=1):
        words, pairs = collections.Counter(), collections.Counter()
        for text in texts:
            said = text.split()
            words.update(said)
            pairs.update(zip(said, said[1:]))
        words = {w: n for w, n in words.items() if n >= min_words}
        pairs = {p: n for p, n in pairs.items() if p[0] in words and p[1] in words}
        # A word is as likely as the number of words that it follows: "york" is frequent, but behind "new" only.
        follows = collections.Counter(b for _, b in pairs)
        total = sum(follows.values()) + 0.5 * len(words)
        self.words = {w: (follows[w] + 0.5) / total for w in sorted(words)}
        after = collections.Counter()
        for (a, _), n in pairs.items():
            after[a] += n
        once, twice = (sum(n == k for n in pairs.values()) for k in (1, 2))
        discount = once / (once + 2 * twice)
        kept = {p: n for p, n in pairs.items() if n >= min_pairs}
        given = collections.Counter()
        for (a, _), n in kept.items():
            given[a] += (n - discount) / after[a]
        self.backoffs = {w: 1 - given[w] for w in self.words}
        self.pairs = {(a, b): (n - discount) / after[a] + self.backoffs[a] * self.words[b]
                      for (a, b), n in sorted(kept.items())}

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"\\data\\\nngram 1={len(self.words)}\nngram 2={len(self.pairs)}\n\n\\1-grams:\n")
            for w, p in self.words.items():
                out.write(f"{math.log10(p):.4f}\t{w}\t{math.log10(self.backoffs[w]):.4f}\n")
            out.write("\n\\2-grams:\n")
            for (a, b), p in self.pairs.items():
                out.write(f"{math.log10(p):.4f}\t{a} {b}\n")
            out.write("\n\\end\\\n")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("--words", type=int, default=1)
    args.add_argument("--pairs", type=int, default=1)
    args = args.parse_args()
    folder = pathlib.Path(args.folder) / "language_model"
    folder.mkdir(parents=True, exist_ok=True)
    bigrams = Bigrams(sentences(), args.words, args.pairs)
    bigrams.save(folder / "bigram.arpa")
    (folder / "attrs.json").write_text(json.dumps(dict(SETTINGS, score_boundary=False)) + "\n")
    print(f"{len(bigrams.words)} words, {len(bigrams.pairs)} pairs of them")


if __name__ == "__main__":
    main()
