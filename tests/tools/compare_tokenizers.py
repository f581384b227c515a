#!/usr/bin/env python3
"""Random strings through the reference tokenizers library, for the test case "tokenizers: random strings".

  compare_tokenizers.py OUT [TOKENIZER.json ...] [-n 10000] [--seed 1]
  FOVEA_TOKENIZERS=OUT test_unit -tc='tokenizers: random strings*'

Needs `tokenizers` (0.23; Debian: python3-tokenizers). Writes OUT/NAME/tokenizer.json and OUT/NAME/golden.json for each
file given, and for small tokenizers trained here, one for each way that published ones are put together.
"""
import argparse, json, os, random, unicodedata
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre,
                        processors, trainers)

WORDS = """the of and to in is that it was for on are as with his they at be this from have or one had by word but not
what all were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people my made over
did down only way find use may water long little very after words called just where most know naïve café Größe don't
I'm we've they'll 1234 3.14 2,000 x=y+1; a.b@c.org https://x.y/z?q=1 注意力机制 これはテストです 안녕하세요 مرحبا שלום नमस्ते
สวัสดี привет γειά 👩‍🚀 🇩🇪 é ½ Ⅳ ﬁ Å İ ß <s> </s> [MASK] <|endoftext|> <mask> @@ ## ▁ _ - – — … “quoted” 'single'""".split()
BLOCKS = [(0x20, 0x7E), (0, 0x1F), (0x80, 0x17F), (0x180, 0x24F), (0x250, 0x36F), (0x300, 0x36F), (0x370, 0x52F), (0x530, 0x8FF),
          (0x900, 0xDFF), (0xE00, 0x11FF), (0x1100, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x2FFF), (0x3000, 0x30FF),
          (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7FF), (0xE000, 0xF8FF), (0xF900, 0xFFFF), (0x10000, 0x1FFFF),
          (0x1F300, 0x1FAFF), (0x20000, 0x323AF), (0xE0000, 0xE01EF), (0, 0x10FFFF)]


def char(r, block):
    while True:
        c = r.randint(*block)
        if not 0xD800 <= c <= 0xDFFF:
            return chr(c)


def text(r):
    kind = r.randrange(5)
    if kind == 0:
        return "".join(char(r, r.choice(BLOCKS)) for _ in range(r.randrange(1, 24)))
    if kind == 1:
        block = r.choice(BLOCKS)
        return "".join(char(r, block) for _ in range(r.randrange(1, 24)))
    if kind == 2:
        return "".join(r.choice(" \t\n\r.,!?'\"-_0123456789aAbB\u00a0\u2581é") for _ in range(r.randrange(1, 40)))
    if kind == 3:
        return r.choice(["", " ", "  "]).join(r.choice(WORDS) for _ in range(r.randrange(1, 16))) + r.choice(["", " ", "\n"])
    words = []
    for _ in range(r.randrange(1, 12)):
        word = r.choice(WORDS)
        if r.randrange(3) == 0:
            word = word.upper() if r.randrange(2) else word.capitalize()
        if r.randrange(4) == 0:
            word += char(r, r.choice(BLOCKS))
        words.append(word + r.choice([" ", " ", " ", "  ", "\n", ", ", ". ", "", "\t"]))
    return unicodedata.normalize(r.choice(["NFC", "NFD", "NFKD"]), "".join(words))


CORPUS = [" ".join(WORDS)] * 8 + [" ".join(random.Random(5).choices(WORDS, k=200)) for _ in range(50)]
CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BYTES = [f"<0x{b:02X}>" for b in range(256)]


def train(tok, trainer):
    tok.train_from_iterator(CORPUS, trainer)
    return tok


def byte_level(pattern=None, normalizer=None, special=("<|endoftext|>",), prefix=False, **bpe):
    t = Tokenizer(models.BPE(**bpe))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre.ByteLevel(add_prefix_space=prefix) if pattern is None else pre.Sequence(
        [pre.Split(Regex(p), "isolated") for p in ([pattern] if isinstance(pattern, str) else pattern)] +
        [pre.ByteLevel(add_prefix_space=prefix, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return train(t, trainers.BpeTrainer(vocab_size=700, special_tokens=list(special), initial_alphabet=pre.ByteLevel.alphabet()))


def sentence_bpe(pre_tokenizer=None, normalizer=None, alphabet=80, strip=True, split=False):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.pre_tokenizer = pre.Metaspace(prepend_scheme="always", split=True)
    train(t, trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>"] + BYTES, limit_alphabet=alphabet))
    j = json.loads(t.to_str())
    j["added_tokens"] = [a for a in j["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(j))
    t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    t.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strip else []))
    t.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    return t


def unigram(normalizer, pre_tokenizer, decoder, fallback=False):
    special = ["<pad>", "</s>", "<unk>", "<s>", "<mask>"]
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre_tokenizer, decoder
    train(t, trainers.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>"))
    if fallback:
        j = json.loads(t.to_str())
        j["model"]["vocab"] += [[b, -20.0] for b in BYTES]
        j["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(j))
    t.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 3), ("</s>", 1)])
    return t


def word_piece(normalizer, pre_tokenizer=None, cleanup=True, post=None):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
    t.normalizer, t.pre_tokenizer = normalizer, pre_tokenizer or pre.BertPreTokenizer()
    t.decoder = decoders.WordPiece(cleanup=cleanup)
    train(t, trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = post or processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


def word_level(pre_tokenizer, decoder=None):
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizer
    if decoder:
        t.decoder = decoder
    return train(t, trainers.WordLevelTrainer(vocab_size=400, special_tokens=["<unk>", "<pad>", "|"]))


def with_added(t, *tokens):
    t.add_tokens(list(tokens))
    return t


def small_tokenizers():
    meta = lambda scheme, split: pre.Metaspace(prepend_scheme=scheme, split=split)
    yield "bytes_gpt2", byte_level()
    yield "bytes_prefix", byte_level(prefix=True)
    t = byte_level(CL100K, special=["<|begin|>", "<|end|>"])
    t.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
        "<|begin|> $A", "<|begin|> $A <|begin|>:1 $B:1", [("<|begin|>", 0)])])
    j = json.loads(t.to_str()); j["model"]["ignore_merges"] = True
    yield "bytes_cl100k", Tokenizer.from_str(json.dumps(j))
    yield "bytes_qwen", byte_level(QWEN, normalizers.NFC())
    yield "bytes_o200k", byte_level(O200K)
    yield "bytes_digits", byte_level([r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"])
    yield "bytes_bloom", byte_level(r" ?[^(\s|[.,!?…。，、।۔،])]+")
    yield "bytes_words", byte_level(r"\w+|\b|[^\w\s]+|\s+")
    t = byte_level(); t.pre_tokenizer = pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])
    yield "bytes_smollm", t
    t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre.Sequence([pre.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True), pre.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    train(t, trainers.BpeTrainer(vocab_size=900, end_of_word_suffix="</w>", special_tokens=["<|startoftext|>", "<|endoftext|>"], initial_alphabet=pre.ByteLevel.alphabet()))
    t.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0), trim_offsets=False)
    yield "bpe_suffix", t
    t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>")); t.pre_tokenizer = pre.BertPreTokenizer(); t.decoder = decoders.BPEDecoder()
    yield "bpe_words", train(t, trainers.BpeTrainer(vocab_size=500, end_of_word_suffix="</w>", special_tokens=["<unk>"], limit_alphabet=60))
    t = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##")); t.pre_tokenizer = pre.Whitespace(); t.decoder = decoders.WordPiece()
    yield "bpe_prefix", train(t, trainers.BpeTrainer(vocab_size=500, continuing_subword_prefix="##", special_tokens=["<unk>"], limit_alphabet=60))
    yield "llama_old", sentence_bpe(normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]))
    yield "llama_first", sentence_bpe(meta("first", False))
    yield "llama_split", sentence_bpe(meta("always", True))
    yield "gemma", sentence_bpe(pre.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"), strip=False)
    yield "unigram_nfkc", unigram(normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]), meta("always", True), decoders.Metaspace())
    yield "unigram_bytes", unigram(normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()]), pre.Sequence([pre.WhitespaceSplit(), meta("always", True)]), decoders.Metaspace(), True)
    yield "unigram_first", unigram(normalizers.Sequence([normalizers.Strip(True, False), normalizers.Replace("``", '"')]), meta("first", False), decoders.Metaspace(prepend_scheme="first"))
    yield "wordpiece_uncased", word_piece(normalizers.BertNormalizer())
    yield "wordpiece_cased", word_piece(normalizers.BertNormalizer(lowercase=False, strip_accents=False), cleanup=False)
    yield "wordpiece_accents", word_piece(normalizers.BertNormalizer(lowercase=False, strip_accents=True, handle_chinese_chars=False), pre.Sequence([pre.Whitespace(), pre.Punctuation("contiguous")]))
    yield "wordlevel_space", word_level(pre.WhitespaceSplit())
    yield "wordlevel_words", word_level(pre.Sequence([pre.Whitespace(), pre.Digits()]), decoders.Sequence([decoders.Replace(Regex("[aeiou]"), "*"), decoders.WordPiece(prefix="##")]))
    yield "wordlevel_chars", word_level(pre.FixedLength(length=1) if hasattr(pre, "FixedLength") else pre.Split("", "isolated"), decoders.Fuse())
    yield "ctc", word_level(pre.Split(Regex(r"."), "isolated"), decoders.CTC(pad_token="<pad>"))
    for name in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        yield "punctuation_" + name, word_level(pre.Sequence([pre.Punctuation(name), pre.CharDelimiterSplit("x"), pre.Split(Regex("(?=e)|o+"), name)]))
    t = byte_level(special=["<s>", "</s>", "<mask>"])
    yield "added", with_added(t, AddedToken("<mask>", lstrip=True, special=True), AddedToken("word", single_word=True), AddedToken("café", normalized=True),
                              AddedToken("the", rstrip=True), AddedToken("more ", lstrip=True, rstrip=True), AddedToken("他", special=True), AddedToken("Ġxé", special=False))
    t = word_piece(normalizers.BertNormalizer())
    yield "added_lower", with_added(t, AddedToken("CAFÉ", normalized=True), AddedToken("People", normalized=False), AddedToken("[MASK]", lstrip=True, special=True), AddedToken("now", single_word=True, rstrip=True))


def row(t, size, r):
    a = text(r)
    encoded = t.encode(a)
    out = {"text": a, "ids": encoded.ids, "types": encoded.type_ids, "decoded": t.decode(encoded.ids),
           "plain": t.encode(a, add_special_tokens=False).ids, "kept": t.decode(encoded.ids, skip_special_tokens=False)}
    if r.randrange(4) == 0:
        out["second"] = text(r)
        pair = t.encode(a, out["second"])
        out["pair_ids"], out["pair_types"] = pair.ids, pair.type_ids
    ids = [r.randrange(size) for _ in range(r.randrange(12))]
    out["random"], out["random_text"] = ids, t.decode(ids, skip_special_tokens=False)
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out"); p.add_argument("files", nargs="*"); p.add_argument("-n", type=int, default=10000); p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", default="")
    a = p.parse_args()
    def work():
        for f in a.files:
            yield os.path.basename(os.path.dirname(os.path.abspath(f))), Tokenizer.from_file(f)
        yield from small_tokenizers()
    for name, t in work():
        if a.only and a.only not in name:
            continue
        folder = os.path.join(a.out, name); os.makedirs(folder, exist_ok=True)
        t.save(os.path.join(folder, "tokenizer.json"))
        r, size = random.Random(f"{a.seed} {name}"), t.get_vocab_size()
        with open(os.path.join(folder, "golden.json"), "w") as f:
            json.dump([row(t, size, r) for _ in range(a.n)], f)
        print(name, size, flush=True)


main()
