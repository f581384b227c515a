#!/usr/bin/env python3
"""Tests of compare.py with programs that are shell scripts with canned figures; the last line counts as doctest's does."""
import json
import os
import pathlib
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import compare
import whisper_ggml
from programs import Failure, Programs

LLVMPIPE = "llvmpipe (LLVM 22.1.8, 256 bits)"
OURS_MS = (10, 20, 40)  # of every stage, by round


def ours(ms):
    times = dict.fromkeys(["encode", "step at 8", "prefill 128", "prefill 512", "decode at 8"], ms / 1e3)
    times |= dict.fromkeys(["features", "step at 64", "decode at 128"], 1)  # not wanted
    return json.dumps({"stages": [{"name": name, "median_s": s} for name, s in times.items()]})


def llama_bench(ms, gpu):
    tests = [(128, 0), (512, 0), (0, 32)]
    return json.dumps([{"n_prompt": p, "n_gen": n, "avg_ns": ms * 1e6 * (n or 1), "gpu_info": gpu} for p, n in tests])


FOVEA = """case $1 in
  devices) cat "$dir/devices.json" ;;
  convert) echo "convert $*" >>"$dir/log"; for a; do [ "$last" != -o ] || echo model >"$a"; last=$a; done ;;
  bench) n=$(cat "$dir/n"); echo $((n % 3 + 1)) >"$dir/n"; echo ours >>"$dir/log"; cat "$dir/ours.$n.json" ;;
esac"""
LLAMA_BENCH = """case "$*" in
  *list-devices*) cat "$dir/list"; exit ;;
esac
case "$* $GGML_VK_DISABLE_COOPMAT $GGML_VK_VISIBLE_DEVICES" in
  *"-ngl 99 1 0" | *"-ngl 0  ") ;;
  *) echo "not the environment of this backend" >&2; exit 3 ;;
esac
case "$*" in
  *"-dev none"*"-ngl 0"*) case "$*" in *"-t 1"*) echo CPU1; cat "$dir/cpu1.json" >&3 ;; *) echo CPU; cat "$dir/cpu.json" >&3 ;; esac ;;
  *"-ngl 99"*) echo Vulkan; cat "$dir/vulkan.json" >&3 ;;
esac 3>&1 >>"$dir/log" """
WHISPER_BENCH = """echo "whisper_bench $2 $3" >>"$dir/log"
if [ "$2" = 1 ]; then echo '{"encode_ms":40.0,"decode_ms":40.00}'; else echo '{"encode_ms":5.0,"decode_ms":5.00}'; fi"""


class Fakes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        (self.dir / "bin").mkdir()
        (self.dir / "work").mkdir()
        self.program("fovea", FOVEA)
        self.program("llama-bench", LLAMA_BENCH)
        self.program("llama-quantize", 'echo "llama-quantize $*" >>"$dir/log"; echo model >"$3"')
        self.program("whisper-quantize", 'echo "whisper-quantize $*" >>"$dir/log"; echo model >"$2"')
        self.program("dpkg-query", 'echo "llama.cpp 1.2"; echo "libggml0 3"')
        self.program("gcc", 'while [ "$1" != -o ]; do shift; done; cp "$dir/whisper_bench" "$2"')
        self.program("whisper_bench", WHISPER_BENCH).rename(self.dir / "whisper_bench")
        self.prefix = self.program("prefix", 'PATH="$dir/bin:/usr/bin:/bin"; export PATH; exec "$@"')
        self.text("n", "1")
        for i, ms in enumerate(OURS_MS):
            self.text(f"ours.{i + 1}.json", ours(ms))
        self.text("devices.json", json.dumps([{"name": "other", "default": False},
                                              {"name": LLVMPIPE, "default": True, "driver": "llvmpipe", "driver_info": "Mesa 26"}]))
        self.text("list", f"Available devices:\n  Vulkan0: {LLVMPIPE} (24105 MiB)\n")
        self.text("vulkan.json", "some log\n" + llama_bench(40, LLVMPIPE))
        self.text("cpu.json", llama_bench(80, ""))
        self.text("cpu1.json", llama_bench(20, ""))
        self.text("work/llama135", "")
        self.text("work/llama135-f16.gguf", "")
        self.page = self.text("page.md", f"# Top\n\n{compare.BEGIN}\nwhat was here\n{compare.END}\n\n## Below\n")

    def program(self, name, text):
        path = self.dir / "bin" / name
        path.write_text(f'#!/bin/sh\ndir="{self.dir}"\n{text}\n', encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def text(self, name, text):
        (self.dir / name).write_text(text, encoding="utf-8")
        return self.dir / name

    def compare(self, *arguments):
        return subprocess.run([sys.executable, HERE / "compare.py", *arguments, "--fovea", "fovea", "--folder", self.dir / "work", "--shared",
                               self.dir / "shared", "--run", f"sh '{self.prefix}'", "--threads", "2"], capture_output=True, text=True)

    def fails(self, expected, *arguments):
        done = self.compare(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr.strip().split("compare: error: ")[-1], expected)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def log(self):
        return (self.dir / "log").read_text(encoding="utf-8").splitlines()


class Comparing(Fakes):
    def test_rounds_take_turns(self):
        done = self.compare("llama", "--pairs", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        timed = [line for line in self.log() if line in ("ours", "Vulkan", "CPU", "CPU1")]
        self.assertEqual(timed, ["ours", "Vulkan", "CPU", "CPU1"] * 3 * 2)
        self.assertIn("Llama of 135M q4, round 3 of 3", done.stderr)

    def test_models_have_the_same_encodings(self):
        self.compare("llama", "--pairs", "1")
        made = [line for line in self.log() if line.startswith(("convert", "llama-quantize"))]
        self.assertEqual(len(made), 4)
        for line, end in zip(made, (r"--pure \S+ \S+ q8_0", "--encoding q8", r"--pure \S+ \S+ q4_0", "--encoding q4 --pure")):
            self.assertRegex(line, end + "$")
        (self.dir / "log").unlink()
        self.compare("llama", "--pairs", "1")  # the peers' files stay, ours are made anew
        self.assertEqual([line.split()[0] for line in self.log() if "-" not in line.split()[0]][:2], ["convert", "convert"])
        self.assertFalse(any("quantize" in line for line in self.log()))

    def test_medians_of_rounds(self):
        done = self.compare("llama", "--pairs", "3")
        table = [line for line in done.stdout.splitlines() if line.startswith("| Llama")]
        self.assertEqual(len(table), 2 * 3 * 2)
        self.assertEqual(table[4], "| Llama of 135M q8 | next token | 20.0 ms | llama.cpp Vulkan | 40.0 ms | **2.00** (1.00–4.00) |")
        self.assertEqual(table[5], "| Llama of 135M q8 | next token | 20.0 ms | llama.cpp CPU | 20.0 ms | **1.00** (0.50–2.00) |")
        self.assertIn("| prompt of 512 |", table[2])

    def test_section_says_where_and_how(self):
        done = self.compare("llama", "--pairs", "1")
        self.assertRegex(done.stdout, r"^\d{4}-\d\d-\d\d, commit \w+")
        said = " ".join(done.stdout.split())
        for part in (f"{LLVMPIPE}, llvmpipe Mesa 26", "Debian's llama.cpp 1.2, libggml0 3.", "tests/peers/compare.py llama --pairs 1 --fovea fovea",
                     "Rounds of each model: 1,", "the faster of 1 and 2 threads", "cores busy meanwhile"):
            self.assertIn(part, said)

    def test_writes_its_section_only(self):
        done = self.compare("llama", "--pairs", "1", "--write", str(self.page))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        text = self.page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(f"# Top\n\n{compare.BEGIN}\n20"))
        self.assertTrue(text.endswith(f"```\n{compare.END}\n\n## Below\n"))
        self.assertNotIn("what was here", text)
        self.assertIn("llama.cpp Vulkan", text)

    def test_errors_leave_the_page(self):
        before = self.page.read_bytes()
        self.text("cpu1.json", llama_bench(0, ""))
        self.fails("llama-bench: .* took 0.0 s, which is no time", "llama", "--pairs", "1", "--write", str(self.page))
        self.text("cpu1.json", '{"a": ')
        self.fails("llama-bench printed no JSON", "llama", "--pairs", "1", "--write", str(self.page))
        self.program("fovea", FOVEA.replace("echo ours", 'echo "outputs differ" >&2; exit 1; echo'))
        self.fails("fovea bench .*exit status 1\n  outputs differ$", "llama", "--pairs", "1", "--write", str(self.page))
        self.assertEqual(self.page.read_bytes(), before)

    def test_page_without_a_section(self):
        self.page.write_text("# Top\n", encoding="utf-8")
        self.fails("the page has no section between", "llama", "--write", str(self.page))
        self.assertFalse((self.dir / "log").exists())  # before anything is run

    def test_missing_programs(self):
        (self.dir / "bin/llama-bench").unlink()
        self.fails("llama-bench does not run behind sh .*apt-get install llama.cpp-tools", "llama")
        (self.dir / "bin/fovea").unlink()
        self.fails("fovea does not run behind .*--fovea says which path", "llama")
        with self.assertRaisesRegex(Failure, "^llama-quantize does not run. Install it there: apt-get install llama.cpp-tools$"):
            path, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
            try:
                Programs("")("llama-quantize")
            finally:
                os.environ["PATH"] = path

    def test_another_device(self):
        self.text("list", "Available devices:\n  Vulkan0: Other (2 MiB)\n")
        self.fails("does not have llvmpipe .* as its first device", "llama")

    def test_backend_that_was_not_used(self):
        self.text("vulkan.json", llama_bench(40, ""))
        self.fails("names no GPU where its Vulkan backend was to run", "llama", "--pairs", "1")

    def test_unknown_comparison(self):
        done = self.compare("gemma")
        self.assertIn("gemma: no such comparison; there are: whisper, llama", done.stderr)

    def test_whisper_from_a_folder(self):
        self.fails("shared/models/whisper-tiny.en is missing: --shared", "whisper")
        write_whisper(self.dir / "shared/models/whisper-tiny.en")
        (self.dir / "shared/tools").mkdir()
        self.text("shared/tools/whisper_bench.c", "")
        done = self.compare("whisper", "--pairs", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        order = [line for line in self.log() if not line.startswith(("convert", "whisper-quantize"))]
        self.assertEqual(order, ["ours", "whisper_bench 1 2", "whisper_bench 0 2", "whisper_bench 0 1"] * 2 * 2)
        self.assertIn("| Whisper tiny.en f16 | encode 30 s | 15.0 ms | whisper.cpp Vulkan | 40.0 ms | **3.00** (2.00–4.00) |", done.stdout)
        self.assertIn("| Whisper tiny.en q8 | next token |", done.stdout)


TENSORS = {"model.encoder.conv1.bias": ([2], (1, 2)), "model.encoder.conv1.weight": ([2, 2, 3], range(12)),
           "model.encoder.embed_positions.weight": ([2, 2], range(4)), "model.decoder.embed_tokens.weight": ([2, 2], range(4)),
           "model.decoder.layers.10.encoder_attn.k_proj.weight": ([2, 2], range(4)), "model.decoder.layers.0.fc1.bias": ([2], (1, 2)),
           "model.encoder.layers.0.self_attn_layer_norm.weight": ([2], (1, 2)), "model.decoder.layer_norm.bias": ([2], (1, 2)),
           "proj_out.weight": ([2, 2], range(4))}


def write_whisper(folder):
    folder.mkdir(parents=True)
    keys = ["vocab_size", "max_source_positions", "d_model", "encoder_attention_heads", "encoder_layers", "max_target_positions",
            "decoder_attention_heads", "decoder_layers"]
    config = {key: i + 1 for i, key in enumerate(keys)} | {"model_type": "whisper", "num_mel_bins": 80}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps({"\u0120a": 1, "\u00c3\u00a9": 0}), encoding="utf-8")
    header, data = {}, b""
    for name, (shape, values) in TENSORS.items():
        values = list(values)
        part = struct.pack(f"<{len(values)}e", *values)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


class WhisperFile(unittest.TestCase):
    def test_layout(self):
        with tempfile.TemporaryDirectory() as folder:
            source, out = pathlib.Path(folder) / "hf", pathlib.Path(folder) / "out.bin"
            write_whisper(source)
            whisper_ggml.write(source, out)
            data = out.read_bytes()
        self.assertEqual(struct.unpack_from("<I11i", data), (0x67676D6C, 1, 2, 3, 4, 5, 6, 3, 7, 8, 80, 1))
        self.assertEqual(struct.unpack_from("<2i", data, 48), (80, 201))
        at = 56 + 80 * 201 * 4
        self.assertEqual(data[at:at + 4 + 4 + 2 + 4 + 2], struct.pack("<ii2si2s", 2, 2, "é".encode(), 2, b" a"))
        at += 16
        found = {}
        while at < len(data):
            rank, length, kind = struct.unpack_from("<3i", data, at)
            dims = struct.unpack_from(f"<{rank}i", data, at + 12)
            at += 12 + 4 * rank
            name = data[at:at + length].decode()
            n = 1
            for d in dims:
                n *= d
            values = struct.unpack_from(f"<{n}{'fe'[kind]}", data, at + length)
            at += length + n * (4, 2)[kind]
            found[name] = kind, dims, values
        self.assertEqual(found["encoder.conv1.bias"], (0, (1, 2), (1, 2)))
        self.assertEqual(found["encoder.conv1.weight"][:2], (1, (3, 2, 2)))
        self.assertEqual(found["encoder.positional_embedding"][:2], (0, (2, 2)))
        self.assertEqual(set(found), {
            "encoder.conv1.bias", "encoder.conv1.weight", "encoder.positional_embedding", "decoder.token_embedding.weight",
            "decoder.blocks.10.cross_attn.key.weight", "decoder.blocks.0.mlp.0.bias", "encoder.blocks.0.attn_ln.weight", "decoder.ln.bias"})

    def test_mel_filters_are_slaneys(self):
        rows = whisper_ggml.mel_filters(80)
        self.assertEqual((len(rows), len(rows[0])), (80, 201))
        self.assertAlmostEqual(rows[0][1], 0.02486259, 6)  # as librosa has them
        for row in rows[40:]:
            self.assertAlmostEqual(sum(row) * 40, 1, delta=0.1)  # 40 Hz a bin

    def test_f32_becomes_f16(self):
        data = struct.pack("<3f", 1, -0.5, 65504)
        self.assertEqual(struct.unpack("<3e", whisper_ggml.as_type(data, whisper_ggml.F32, whisper_ggml.F16)), (1, -0.5, 65504))


def main():
    result = unittest.main(exit=False).result
    bad = len({case.id() for case, _ in result.failures + result.errors})
    print(f"[doctest] test cases: {result.testsRun} | {result.testsRun - bad} passed | {bad} failed")
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
