#!/usr/bin/env python3
"""make_ctc.py CASE OUT.json: what Hugging Face transformers writes down of sounds with the weights of the golden case
`wav2vec2_ctc`: Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, argmax, Wav2Vec2CTCTokenizer with word offsets; recordings
longer than a window by AutomaticSpeechRecognitionPipeline with chunk_length_s and stride_length_s. The model is random, so
the text is no language. Needs torch, transformers, numpy."""
import json, sys, tempfile
import numpy as np, torch, transformers as T

case, out = sys.argv[1:]
WINDOW, OVERLAP, RATE = 20000, 3000, 16000  # 1000 and 150 positions of 20 samples, as the converter chooses
LETTERS = "ETAONIHSRDLUMWCFGYPBVK'XJQZ"

def sound(n, seed, quiet):
    """Square waves whose pitch and loudness change, under noise: integers, so that a test makes the same."""
    state, out = seed, np.zeros(n, np.int64)
    for i in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        period = 8 + (i // 700 * 37 + seed) % 120
        loud = 500 * (i // 1100 % 9) ** 2
        out[i] = (loud if i // period % 2 else -loud) + (state >> 16) % 512 - 256
    return (out / 2**(23 if quiet else 15)).astype(np.float32)

def vocabulary(size, named):
    """The given ids have the given names, letters have the others."""
    names = {v: k for k, v in named.items()}
    letters = iter(LETTERS)
    return {names[i] if i in names else next(letters): i for i in range(size)}

model = T.Wav2Vec2ForCTC.from_pretrained(case, attn_implementation="eager").eval()
size, hop = model.config.vocab_size, model.config.inputs_to_logits_ratio
# The model's frequent tokens are 16, 14, 11, 10 and 4; 0, 1 and 3 never are the most probable.
vocabularies = {"plain": vocabulary(size, {"<pad>": 16, "<s>": 0, "</s>": 1, "<unk>": 3, "|": 10}),
                "special": vocabulary(size, {"<pad>": 14, "<s>": 11, "</s>": 1, "<unk>": 10, "|": 4})}

def transcribe(n, seed, quiet, normalize, vocab):
    with tempfile.TemporaryDirectory() as folder:
        json.dump(vocabularies[vocab], open(folder + "/vocab.json", "w"))
        tokenizer = T.Wav2Vec2CTCTokenizer(folder + "/vocab.json")
    extractor = T.Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=normalize)
    samples = sound(n, seed, quiet)
    if n > WINDOW:
        whole = T.pipeline("automatic-speech-recognition", model=model, tokenizer=tokenizer, feature_extractor=extractor)
        got = whole(samples, chunk_length_s=WINDOW / RATE, stride_length_s=OVERLAP / RATE, return_timestamps="word")
        text, words = got["text"], [[c["text"]] + [round(t * RATE / hop) for t in c["timestamp"]] for c in got["chunks"]]
        assert vocab == "plain"  # the pipeline writes special tokens, <s>, as text
    else:
        x = extractor(samples, sampling_rate=RATE, return_tensors="pt").input_values
        with torch.no_grad(): ids = model(x).logits[0].argmax(-1)
        chars = [c for c in tokenizer.decode(ids, output_char_offsets=True).char_offsets if c["char"] not in tokenizer.all_special_tokens]
        text = "".join(c["char"] for c in chars).strip()
        words = [[w["word"], int(w["start_offset"]), int(w["end_offset"])] for w in tokenizer._get_word_offsets(chars)]
        if vocab == "plain":  # no special token is there to be dropped
            plain = tokenizer.decode(ids, output_word_offsets=True)
            assert text == plain.text and [w[0] for w in words] == [w["word"] for w in plain.word_offsets]
    print(n, seed, quiet, normalize, vocab, len(words), text[:60])
    return {"samples": n, "seed": seed, "quiet": quiet, "normalize": normalize, "vocabulary": vocab, "text": text, "words": words}

cases = [(8000, 1, False, True, "plain"), (8000, 1, True, True, "plain"), (8000, 1, True, False, "plain"),
         (8000, 3, False, False, "special"), (400, 4, False, True, "plain"), (20000, 2, False, True, "plain"),
         (20001, 2, False, True, "plain"), (63011, 1, False, True, "plain"), (63011, 1, True, False, "plain")]
lines = ",\n".join(json.dumps(transcribe(*c)) for c in cases)
open(out, "w").write('{"vocabularies": ' + json.dumps(vocabularies) + ',\n"cases": [\n' + lines + "]}\n")
