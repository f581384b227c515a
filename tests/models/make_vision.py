#!/usr/bin/env python3
"""make_vision.py CASES OUT.json: what Hugging Face transformers (its processors on Pillow) makes of small pictures, for
the golden cases `caption` and `clip` in the folder CASES: pixels of image processors, sizes without antialias
(torch), captions greedy and with four beams, embeddings and probabilities of labels. Pictures are a formula, so that
they need no file. Needs torch, transformers, Pillow, safetensors."""
import json, os, shutil, sys, tempfile
import numpy as np, torch, transformers as T
from PIL import Image
from safetensors.torch import load_file

cases, out = sys.argv[1:]

part = lambda name: {"Sequence": {"id": name, "type_id": 0}}
last = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
END = {  # of a text
    "type": "TemplateProcessing", "single": [part("A"), last], "pair": [part("A"), last, part("B"), last],
    "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}},
}


def picture(width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 7 + y * 3 + c * 50 + x * y * 13 % 101) % 256).astype(np.uint8)


def numbers(values, digits):
    return [round(float(v), digits) for v in np.asarray(values).flatten()]


def processed():
    square, edge = lambda n: {"height": n, "width": n}, lambda n: {"shortest_edge": n}
    for name, options, sizes in [
        *[("ViT", dict(size=square(9), resample=r), [(40, 31)]) for r in range(6)],
        ("ViT", dict(size=square(11)), [(1, 1), (6, 5), (2, 90)]),
        ("ViT", dict(size={"height": 5, "width": 16}, resample=3), [(31, 40), (9, 4)]),
        ("CLIP", dict(size=edge(12), crop_size=square(10)), [(50, 23), (23, 50), (90, 7), (7, 9)]),
        ("CLIP", dict(size=edge(9), crop_size=square(12)), [(20, 31)]),  # the crop reaches outside
        ("DeiT", dict(size=square(16), crop_size=square(11)), [(37, 30)]),
        ("Bit", dict(size=edge(13), crop_size={"height": 12, "width": 8}), [(30, 37)]),
        ("ConvNext", dict(size=edge(10)), [(33, 24)]),
        ("MobileNetV2", dict(size=edge(14), crop_size=square(12)), [(24, 33)]),
        ("Detr", dict(size={"shortest_edge": 8, "longest_edge": 12}, do_pad=False), [(20, 60), (31, 29)]),
        ("Yolos", dict(size={"shortest_edge": 20, "longest_edge": 40}, do_pad=False), [(33, 70)]),
        ("Segformer", dict(size=square(10)), [(33, 21)]),
    ]:
        processor = getattr(T, name + "ImageProcessorPil")(**options)
        config = json.loads(processor.to_json_string())
        for width, height in sizes:
            pixels = processor(Image.fromarray(picture(width, height)), return_tensors="np")["pixel_values"][0]
            yield {"name": name, "config": config, "width": width, "height": height, "shape": list(pixels.shape),
                   "pixels": numbers(pixels, 4)}


def without_antialias():
    # Of floats: for bytes on a CPU, torch also cuts off what is outside 0 … 255 between the axes.
    for filter in ("bilinear", "bicubic"):
        for (width, height), (to_w, to_h) in (((40, 31), (9, 7)), ((5, 6), (11, 13)), ((70, 9), (12, 20))):
            image = torch.from_numpy(picture(width, height)).permute(2, 0, 1)[None].float()
            resized = torch.nn.functional.interpolate(image, size=(to_h, to_w), mode=filter, align_corners=False)
            yield {"filter": filter, "width": width, "height": height, "to": [to_h, to_w],
                   "bytes": resized[0].clamp(0, 255).round().int().permute(1, 2, 0).flatten().tolist()}


def captions():
    case = cases + "/caption"
    model = T.VisionEncoderDecoderModel.from_pretrained(case, attn_implementation="eager").eval()
    processor = T.ViTImageProcessorPil(size={"height": 32, "width": 32})
    inputs = {"golden": load_file(case + "/golden.safetensors")["input.pixels"]}
    for width, height in ((40, 31), (1, 1), (200, 7)):
        inputs[f"{width}x{height}"] = torch.tensor(
            np.asarray(processor(Image.fromarray(picture(width, height)), return_tensors="np")["pixel_values"]))
    end, pictures = [96, 136, 184, 194], []  # tokens that come, in place of the model's end, which does not
    for name, pixels in inputs.items():
        pictures.append({"picture": name})
        for beams, key in ((1, "greedy"), (4, "beam4")):
            generate = lambda **options: model.generate(pixels, max_new_tokens=24, do_sample=False, num_beams=beams, **options)[0].tolist()
            with torch.no_grad():
                pictures[-1].update({key: generate(), key + "_ending": generate(eos_token_id=end)})
    return {"end": end, "pictures": pictures}


def compared():
    # The case's tokenizer has no template; published ones end a text with the end token.
    with tempfile.TemporaryDirectory() as folder:
        case = shutil.copytree(cases + "/clip", folder + "/clip")
        with open(case + "/tokenizer.json") as file:
            tokenizer = json.load(file)
        tokenizer["post_processor"] = END
        with open(case + "/tokenizer.json", "w") as file:
            json.dump(tokenizer, file)
        tokenizer = T.PreTrainedTokenizerFast(tokenizer_file=case + "/tokenizer.json", pad_token="<|endoftext|>")
        model = T.CLIPModel.from_pretrained(case, attn_implementation="eager").eval()
    processor = T.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    prepare = lambda size: processor(Image.fromarray(picture(*size)), return_tensors="np")["pixel_values"][0]
    sizes = [(40, 31), (31, 90), (33, 32), (1, 1)]
    labels, template = ["a cat", "dog", "the quick brown fox"], "a photo of a {}, again"
    texts = [template.replace("{}", label) for label in labels]
    with torch.no_grad():
        o = model(**tokenizer(texts, padding=True, return_tensors="pt"),
                  pixel_values=torch.tensor(np.stack([prepare(size) for size in sizes])))
    return {"pictures": sizes, "labels": labels, "template": template, "texts": texts,
            "post_processor": END, "image": [numbers(v, 6) for v in o.image_embeds],
            "text": [numbers(v, 6) for v in o.text_embeds], "probabilities": [numbers(v, 6) for v in o.logits_per_image.softmax(-1)]}


with open(out, "w") as file:
    json.dump({"processed": list(processed()), "without_antialias": list(without_antialias()), "captions": captions(),
               "compared": compared()}, file, separators=(",", ":"))
    file.write("\n")
