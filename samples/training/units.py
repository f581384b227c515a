"""What the model writes: the letters, the most frequent strings of them inside words (byte pair encoding, Sennrich et
al., 2016), and "|" between words. Id 0 is CTC's blank."""
import collections
import json

SPECIAL = ["<pad>", "|"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz'")
N_LETTERS = len(SPECIAL) + len(LETTERS)


class Units:
    def __init__(self, tokens):
        self.tokens = tokens
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.rank = {t: i for i, t in enumerate(tokens[len(SPECIAL):])}
        self.cache = {}

    @classmethod
    def learn(cls, sentences, n):
        words = collections.Counter(w for s in sentences for w in s.split())
        parts = {w: list(w) for w in words}
        tokens = SPECIAL + LETTERS
        while len(tokens) < n:
            pairs = collections.Counter()
            for w, count in words.items():
                for a, b in zip(parts[w], parts[w][1:]):
                    pairs[a + b] += count
            best = max(pairs, key=lambda t: (pairs[t], t))
            if best not in tokens:
                tokens.append(best)
            for w, p in parts.items():
                if best in w:
                    parts[w] = cls._join(p, best)
        return cls(tokens)

    @staticmethod
    def _join(parts, token):
        out = []
        for p in parts:
            if out and out[-1] + p == token:
                out[-1] = token
            else:
                out.append(p)
        return out

    def word(self, w):
        if w not in self.cache:
            parts = list(w)
            while True:
                pairs = [a + b for a, b in zip(parts, parts[1:]) if a + b in self.rank]
                if not pairs:
                    break
                parts = self._join(parts, min(pairs, key=self.rank.get))
            self.cache[w] = [self.ids[p] for p in parts]
        return self.cache[w]

    def encode(self, text):
        ids = []
        for w in text.split():
            ids += ([self.ids["|"]] if ids else []) + self.word(w)
        return ids

    def encode_letters(self, text):
        """The same in letters alone: ids below N_LETTERS."""
        return [self.ids["|" if c == " " else c] for c in text]

    def decode(self, frames):
        """The most probable id of each frame → text."""
        out, last = [], 0
        for i in frames:
            if i != last and i != 0:
                out.append(" " if self.tokens[i] == "|" else self.tokens[i])
            last = i
        return " ".join("".join(out).split())

    def save(self, path):
        with open(path, "w") as out:
            json.dump(self.ids, out, indent=0)

    @classmethod
    def load(cls, path):
        ids = json.load(open(path))
        return cls(sorted(ids, key=ids.get))
