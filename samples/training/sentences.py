#!/usr/bin/env python3
"""Sentences to train on, one a line, lower case, words only: sentences.py [-n COUNT] [--seed N] [--held-out]

They come from two places:
  * WordNet's examples and definitions (Debian's wordnet-base, /usr/share/wordnet; its licence lets anyone use
    and change the text for any purpose), each of 50 held out by a hash of its words;
  * grammar.txt beside this file: everyday sentences with slots, numbers and names.
Some single words, and strings of words without grammar, are mixed in, so that what is learned is spelling and
not only phrases.

  python3 sentences.py -n 20 --seed 7
"""
import argparse
import pathlib
import random
import re
import zlib

WORDNET = pathlib.Path("/usr/share/wordnet")
HERE = pathlib.Path(__file__).parent
DIGITS = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth").split()
# What a synthesizer reads otherwise than it is written.
MISREAD = re.compile(r"\b(mr|mrs|ms|dr|st|etc|e\.?g|i\.?e|vs|no|jr|sr|co|ft|lb|oz|mt|rev|gen|col|lt|prof|usa?|uk|tv|pm|"
                     r"bc|ad|cm|mm|km|kg|hz|ii+|iv|vi+|xx*)\b\.?(?=\s|$)")


def number(n):
    """0 to 999,999 in words."""
    if n < 10:
        return DIGITS[n]
    if n < 20:
        return TEENS[n - 10]
    if n < 100:
        return TENS[n // 10 - 2] + (" " + DIGITS[n % 10] if n % 10 else "")
    if n < 1000:
        return DIGITS[n // 100] + " hundred" + (" and " + number(n % 100) if n % 100 else "")
    return number(n // 1000) + " thousand" + (" " + number(n % 1000) if n % 1000 else "")


def normalize(text, n_min=2, n_max=16):
    """`text` as words, or None where what is read aloud is not what is written."""
    if re.search(r"[0-9/$%&@#*_=+<>\[\]{}|~^]|[A-Z]{2}|\b[B-HJ-Z]\b|[A-Za-z]\.[A-Za-z]", text):
        return None
    text = text.lower().replace("`", "'").replace("\u2019", "'")
    if MISREAD.search(text):
        return None
    words = [w.strip("'") for w in re.sub(r"[^a-z']+", " ", text).split()]
    words = [w for w in words if w]
    if not n_min <= len(words) <= n_max or any(len(w) > 14 for w in words):
        return None
    return " ".join(words)


def is_held_out(sentence):
    return zlib.crc32(sentence.encode()) % 50 == 0


def wordnet():
    """(examples, definitions), each sorted and without repeats."""
    examples, definitions = set(), set()
    for part in ("noun", "verb", "adj", "adv"):
        for line in open(WORDNET / f"data.{part}", encoding="latin-1"):
            gloss = line.partition(" | ")[2].strip()
            for example in re.findall(r'"([^"]+)"', gloss):
                if text := normalize(re.sub(r"\(.*?\)", "", example)):
                    examples.add(text)
            definition = re.sub(r"\(.*?\)", "", gloss.split('"')[0].split(";")[0])
            if text := normalize(definition, 3, 14):
                definitions.add(text)
    return sorted(examples), sorted(definitions)


class Grammar:
    """grammar.txt: "name: choice | choice" lines define slots; "- sentence" lines use them as {name}. {n:A:B} is a
    number, {digits:A:B} a string of digits."""

    def __init__(self, path=HERE / "grammar.txt"):
        self.slots, self.sentences = {}, []
        for line in open(path, encoding="utf-8"):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("- "):
                self.sentences.append(line[2:])
            else:
                name, _, choices = line.partition(":")
                self.slots.setdefault(name.strip(), []).extend(c.strip() for c in choices.split("|"))

    def make(self, rng):
        text = rng.choice(self.sentences)
        while m := re.search(r"\{(\w+)(?::(\d+):(\d+))?\}", text):
            name, low, high = m.group(1), m.group(2), m.group(3)
            if name == "n":
                word = number(rng.randint(int(low), int(high)))
            elif name == "digits":
                word = " ".join(rng.choice(DIGITS) for _ in range(rng.randint(int(low), int(high))))
            elif name == "ordinal":
                word = rng.choice(ORDINALS)
            else:
                word = rng.choice(self.slots[name])
            text = text[:m.start()] + word + text[m.end():]
        return re.sub(r"\s+", " ", text).strip()


class Sentences:
    """Endless, held-out ones never among them. The same seed gives the same."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        examples, definitions = wordnet()
        self.held_out = [s for s in examples if is_held_out(s) and len(s.split()) > 2]
        self.examples = [s for s in examples if not is_held_out(s)]
        self.definitions = [s for s in definitions if not is_held_out(s)]
        self.grammar = Grammar()
        written = {line.strip() for line in open(HERE / "held_out.txt", encoding="utf-8")}
        self.refused = written | set(self.held_out)
        self.words = sorted({w for s in self.examples for w in s.split() if len(w) > 1})

    def make(self):
        rng = self.rng
        while True:
            kind = rng.random()
            if kind < 0.46:
                text = rng.choice(self.examples)
                if rng.random() < 0.25:
                    text += " " + rng.choice(self.examples)
            elif kind < 0.72:
                text = self.grammar.make(rng)
                if rng.random() < 0.2:
                    text += " " + self.grammar.make(rng)
            elif kind < 0.86:
                text = rng.choice(self.definitions)
            elif kind < 0.92:
                text = " ".join(rng.choice(self.words) for _ in range(rng.randint(1, 5)))
            else:
                text = " ".join(rng.choice(DIGITS) for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 5, 7))))
            if text not in self.refused and len(text) <= 140:
                return text


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("-n", type=int, default=100)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--held-out", action="store_true", help="the examples that are never trained on, instead")
    args = args.parse_args()
    sentences = Sentences(args.seed)
    if args.held_out:
        print("\n".join(random.Random(args.seed).sample(sentences.held_out, min(args.n, len(sentences.held_out)))))
    else:
        print("\n".join(sentences.make() for _ in range(args.n)))


if __name__ == "__main__":
    main()
