#!/usr/bin/env python3
"""Tests of growth.py: growth_test.py FOVEA [unittest's arguments]. Fits and plots of made-up times, a run on tiny models; with the
argument Memory a model of 80 MB. The last line counts as doctest's does."""
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peers")]
import files
import growth
import llama_shape
from fit import Fit
from programs import Failure

FOVEA = os.path.abspath(sys.argv.pop(1))
try:
    import plot
except ImportError:
    plot = None


class Fits(unittest.TestCase):
    def test_finds_the_rates_of_a_sum(self):
        work = [[1, n, n * n] for n in (1, 2, 4, 8, 16, 32)]
        fit = Fit(work, [3e-3 + 2e-4 * n + 5e-6 * n * n for _, n, _ in work])
        for rate, expected in zip(fit.rates, (3e-3, 2e-4, 5e-6)):
            self.assertAlmostEqual(rate / expected, 1, places=9)
        self.assertAlmostEqual(fit.worst()[0], 1, places=9)

    def test_no_rate_is_below_zero(self):
        fit = Fit([[1, n] for n in (1, 2, 4)], [3, 2, 1])  # it falls: no line with a rate does
        self.assertEqual(fit.rates[1], 0)
        self.assertGreater(fit.worst()[0], 1.3)

    def test_growth_beyond_the_work_shows(self):
        sizes = [1, 2, 4, 8, 16, 32, 64]
        self.assertGreater(Fit([[1, n] for n in sizes], [1e-3 * n * n for n in sizes]).worst()[0], 2)
        worst, at = Fit([[1, n] for n in sizes], [1 + n if n < 64 else 2 * (1 + n) for n in sizes]).worst()
        self.assertGreater(worst, 1.2)
        self.assertEqual(at, 6)

    def test_one_kind_of_work_may_stand_for_two(self):
        fit = Fit([[n, 7 * n] for n in (1, 2, 3)], [0.2, 0.4, 0.6])
        self.assertAlmostEqual(fit.worst()[0], 1, places=9)

    def test_refuses_what_are_no_times(self):
        for work, seconds in (([[1, 1]], [0]), ([[1, 1]], [float("nan")]), ([[-1, 1]], [1]), ([[1]], [1, 2]), ([], []), ([[0.0]], [1])):
            with self.assertRaises(ValueError):
                Fit(work, seconds)


class Curves(unittest.TestCase):
    def test_the_least_of_all_rounds_counts(self):
        curve = growth.Curve("made up", (growth.launches, growth.memory("keys")))
        for factor in (2, 1, 3):
            for n in (1, 8, 64):
                curve.add(n, factor * (1e-3 + 1e-6 * n), [100, 1000 * n])
        self.assertEqual(curve.sizes, [1, 8, 64])
        self.assertAlmostEqual(curve.seconds[2], 1.064e-3)
        self.assertEqual(curve.rates(), "10 µs a launch + keys at 1.0 GB/s")
        with self.assertRaisesRegex(Failure, "no time"):
            curve.add(1, 0, [1, 1])

    def test_what_is_beyond_is_named(self):
        args = types.SimpleNamespace(most=1.5, most_memory=1.1)
        parts = types.SimpleNamespace(name="decode", axis="tokens", curves=[growth.Curve("made up", (growth.once,))])
        for n, seconds in ((1, 1), (2, 1), (4, 1), (8, 4)):
            parts.curves[0].add(n, seconds, [1])
        said = list(growth.beyond(args, [parts], [("| much |", 1.2, 2e7), ("| good |", 1.09, 2e7), ("| small |", 1.5, 4e6)], [("| made |", 0.3, -2e7)]))
        self.assertEqual(len(said), 2)
        self.assertRegex(said[0], "^decode, made up: .* of the ideal at 8 tokens")
        self.assertRegex(said[1], "^memory, much: 1.20")

    def test_attention_is_counted_apart(self):
        ops = [{"op": "attention", "flops": 30, "bytes": 7}, {"op": "linear", "flops": 70, "bytes": 99}]
        self.assertEqual(growth.work_of({"dispatches": 5, "flops": 100, "ops": ops}), [5, 70, 30, 7])
        self.assertEqual(growth.work_of({"dispatches": 5, "flops": 100, "ops": ops[1:]}), [5, 100, 0, 0])

    def test_sizes(self):
        self.assertEqual(growth.doubled(1, 7), [1, 2, 4, 7])
        self.assertEqual(growth.doubled(1, 8), [1, 2, 4, 8])

    @unittest.skipUnless(plot, "skipped: no matplotlib (tests/install_packages growth)")
    def test_plots_are_small_and_the_same_each_time(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder, name) for name in ("a.png", "b.png")]
            for path in paths:
                plot.curves(path, "Made up", "tokens", [("one", [1, 10, 100], [1, 2, 11], [1, 2, 10]),
                                                        ("two", [1, 10, 100], [3, 30, 300], [3, 30, 300])])
            first, second = (path.read_bytes() for path in paths)
            self.assertEqual(first, second)
            self.assertEqual(first[:8], b"\x89PNG\r\n\x1a\n")
            self.assertLess(len(first), 60_000)


class Models(unittest.TestCase):
    def test_files_come_near_the_size_that_is_asked_for(self):
        for megabytes in (4, 64):
            n_layers = llama_shape.layers_for(megabytes * 1e6, **files.TINY)
            config = {**llama_shape.SHAPE, **files.TINY, "num_hidden_layers": n_layers}
            n_bytes = 2 * sum(llama_shape.np.prod(shape) for _, shape in llama_shape.shapes(config))
            self.assertAlmostEqual(n_bytes / 1e6 / megabytes, 1, delta=0.1)

    def test_a_file_that_is_dropped_is_read_from_the_disk_again(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            path = pathlib.Path(folder, "file")
            path.write_bytes(os.urandom(1 << 20))
            self.assertGreater(files.cached_bytes(path), 1 << 19)
            if files.drop_from_cache(path):
                self.assertLess(files.cached_bytes(path), 1 << 17)
                path.read_bytes()
                self.assertGreater(files.cached_bytes(path), 1 << 19)


class Run(unittest.TestCase):
    """The script itself, on tiny models and the bundled one: times of no worth, so no limit."""

    @unittest.skipUnless(plot, "skipped: no matplotlib (tests/install_packages growth)")
    def test_writes_a_page_and_its_plots(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
            folder = pathlib.Path(name)
            page = folder / "page.md"
            page.write_text(f"before\n\n{growth.BEGIN}\nof last time\n{growth.END}\nafter\n", encoding="utf-8")
            command = [sys.executable, "-B", HERE / "growth.py", "--fovea", FOVEA, "--tiny", "--folder", folder / "models", "--images",
                       folder / "plots", "--runs", "1", "--rounds", "1", "--most", "1e9", "--most-memory", "1e9", "--write", page]
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            text = page.read_text(encoding="utf-8")
            self.assertRegex(text, r"(?s)^before\n\n.*\nafter\n$")
            self.assertNotIn("of last time", text)
            for part in ("A next token", "A prompt", "Speech, up to its first word", "Opening a model", "tiny Llama to q8", "µs a launch"):
                self.assertIn(part, text)
            for part in growth.GROWTHS:
                self.assertIn(f"plots/growth-{part}.png", text)
                self.assertGreater((folder / f"plots/growth-{part}.png").stat().st_size, 5000)
            failed = subprocess.run([*command, "decode", "--most", "1e-3"], capture_output=True, text=True)
            self.assertEqual(failed.returncode, 1)
            self.assertIn("more than it must:\n  decode, tiny Llama, f16: ", failed.stderr)

    def test_a_page_without_the_section_is_refused_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "page.md")
            page.write_text("nothing\n", encoding="utf-8")
            args = types.SimpleNamespace(write=page)
            with self.assertRaisesRegex(Failure, "has no section between"):
                growth.grow(args)


class Memory(unittest.TestCase):
    """A model of 80 MB in f16: next to it, what does not grow with a model is little."""

    def setUp(self):
        os.environ.pop("FOVEA_VALIDATION", None)  # the layer's own books are not the model's

    def test_a_model_takes_what_is_planned_and_a_conversion_less_than_its_file(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
            args = types.SimpleNamespace(fovea=FOVEA, folder=pathlib.Path(name), run="", runs=1, clock="cpu")
            bench = growth.Bench(args)
            source = llama_shape.write(args.folder / "llama", 7, 512, vocab_size=16384)
            model = args.folder / "llama.gguf"
            own = files.peak_of(bench, FOVEA, "--version")
            peak = files.peak_of(bench, FOVEA, "convert", source, "-o", model)
            n_bytes = model.stat().st_size
            self.assertGreater(n_bytes, 60e6)
            # Source and output are streamed: a few pieces of a tensor, each 16 MiB of floats.
            self.assertLess(peak - own, 0.6 * n_bytes)
            report = bench(model, "--memory", "--prompt", "32", "--cache", "8")
            memory = report["memory"]
            parts = sum(memory[part] for part in ("state_bytes", "scratch_bytes", "io_bytes"))
            self.assertEqual(memory["planned_bytes"], n_bytes + parts + (0 if report["weights_imported"] else memory["weights_bytes"]))
            self.assertLess(memory["process_added_bytes"], 1.1 * memory["planned_bytes"])
            # Not a measure that shows nothing: the file was in it.
            self.assertGreater(memory["process_added_bytes"], 0.9 * n_bytes)


def main():
    cases = [Memory] if "Memory" in sys.argv[1:] else [Fits, Curves, Models, Run]
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    n_failed = len({test.id() for test, _ in result.failures + result.errors})
    print(f"[doctest] test cases: {result.testsRun} | {result.testsRun - n_failed} passed | {n_failed} failed", flush=True)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
