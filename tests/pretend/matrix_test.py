#!/usr/bin/env python3
"""Tests of matrix.py: matrix_test.py FOVEA LAYER [Sampled]. Without Sampled, with a tool that is made up; with it, each profile once.
The last line counts as doctest's does."""
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import matrix
import models

FOVEA, LAYER = (os.path.abspath(path) for path in sys.argv[1:3])

# Says what the tool says, and something else under the profile that OTHER names; counts its calls in CALLS.
MADE_UP = """#!{python}
import json, os, sys
command, pretend = sys.argv[1], sys.argv[sys.argv.index("--pretend") + 1] if "--pretend" in sys.argv else ""
if "planted" in os.environ.get("FOVEA_LAYER_FAIL", ""): sys.exit(int(os.environ.get("LAYER_EXIT", 86)))
if command == "devices" and "--json" in sys.argv:
    print(json.dumps([dict(driver="llvmpipe", driver_info="made up", subgroup_size=int(os.environ["LP_NATIVE_VECTOR_WIDTH"]) // 32)]))
    sys.exit()
if command == "devices":
    print("mali A Mali\\nv3d  A Raspberry Pi")
    sys.exit()
if command == "convert": sys.exit()
open(os.environ["CALLS"], "a").write(f"{{command}} {{pretend}}\\n")
profile, what, lanes = os.environ.get("OTHER", "||").split("|")
here = pretend and pretend == profile and int(lanes) * 32 == int(os.environ["LP_NATIVE_VECTOR_WIDTH"])
if here and what == "warning": print("fovea: warning: falling back from kernel", file=sys.stderr)
if here and what == "report" and "VK_INSTANCE_LAYERS" in os.environ: print("fovea-layer: a missing barrier", file=sys.stderr)
if here and what == "status": sys.exit(1)
other = bool(here) and what == "output"
print({{"transcribe": json.dumps(dict(text="so", segments=[dict(start=0, end=1, tokens=[1, 2 + other])])),
       "generate": json.dumps(dict(tokens=[3, 4 + other])),
       "classify": json.dumps(dict(labels=[dict(label="bird" if other else "cat")]))}}[command])
"""


class Runs(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)
        tool = self.folder / "fovea"
        tool.write_text(MADE_UP.format(python=sys.executable), encoding="utf-8")
        tool.chmod(0o755)
        self.options = [str(tool), "--layer", LAYER, "--folder", str(self.folder / "kept"), "--tiny", "--widths", "8,4"]
        old = dict(os.environ)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(old)))
        os.environ.update(CALLS=str(self.folder / "calls"))

    def matrix(self, *options):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = matrix.matrix(matrix.arguments([*self.options, *options]))
        return status, out.getvalue(), err.getvalue()

    def n_calls(self):
        return len((self.folder / "calls").read_text().splitlines())

    def test_all_the_same_and_nothing_is_run_twice(self):
        status, out, _ = self.matrix()
        self.assertEqual(status, 0)
        self.assertIn("36 runs, 24 of them under a profile: 36 the same, 0 not", out)
        self.assertIn("| v3d | 3 of 3 | 3 of 3 | 3 of 3 | 3 of 3 |", out)
        self.assertEqual(self.n_calls(), 36)
        self.assertEqual(self.matrix()[:2], (status, out))
        self.assertEqual(self.n_calls(), 36)

    def test_whatever_differs_or_is_reported_is_found_and_run_again(self):
        for what, n in (("output", 6), ("warning", 6), ("report", 3), ("status", 6)):
            with self.subTest(what):
                os.environ["OTHER"] = f"v3d|{what}|4"
                options = ["--folder", str(self.folder / what)]
                status, out, err = self.matrix(*options)
                self.assertEqual(status, 1)
                self.assertIn(f"36 runs, 24 of them under a profile: {36 - n} the same, {n} not", out)
                self.assertRegex(err, r"4 lanes, incoherent, v3d, text: .*(without a profile|exit status)")
                self.assertNotRegex(err, "mali.*(without a profile|exit status)")
                del os.environ["OTHER"]
                self.assertEqual(self.matrix(*options)[0], 0)

    def test_each_round_has_every_profile_once_and_all_rounds_everything(self):
        profiles = ["a", "b", "c", "d", "e"]
        columns = {(width, memory) for width in (8, 4) for memory in matrix.MEMORY}
        found = list(matrix.combinations(profiles, [8, 4]))
        self.assertEqual({(width, memory) for width, profile, memory in found[:4]}, columns)
        self.assertEqual({profile for _, profile, _ in found[:4]}, {""})
        for i in range(4, 24, 5):
            self.assertEqual([profile for _, profile, _ in found[i:i + 5]], profiles)
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(found[:9], list(matrix.combinations(profiles, [8, 4], 1)))
        self.assertEqual({(width, memory) for width, _, memory in found[4:9]}, columns)

    def test_a_layer_that_sees_nothing_is_refused(self):
        os.environ["LAYER_EXIT"] = "0"
        with self.assertRaisesRegex(matrix.Failure, "does not report a planted mistake"):
            self.matrix()

    def test_profiles_are_known(self):
        with self.assertRaisesRegex(matrix.Failure, "no such profile: nothing; there are: mali, v3d"):
            self.matrix("--profiles", "nothing")


class Sampled(unittest.TestCase):
    """The tool itself, with real models where they are."""

    def test_every_profile_or_one_in_four(self):
        every = int(os.environ.get("FOVEA_EVERY", "4"))
        listed = subprocess.run([FOVEA, "devices", "--profiles"], capture_output=True, text=True, check=True).stdout
        profiles = ",".join([line.split()[0] for line in listed.splitlines()][::every])
        shared = models.ROOT.parent / "shared/models"
        if not shared.exists():
            self.assertNotEqual(os.environ.get("CI"), "true", f"missing in CI: {shared}")
            print(f"skipped: {shared} is not here: with tiny models")
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            options = [FOVEA, "--layer", LAYER, "--folder", folder, "--widths", "8,4", "--rounds", "1"]
            options += ["--profiles", profiles]
            self.assertEqual(matrix.matrix(matrix.arguments([*options, *([] if shared.exists() else ["--tiny"])])), 0)


def main():
    case = Sampled if "Sampled" in sys.argv[3:] else Runs
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    n_failed = len({test.id() for test, _ in result.failures + result.errors})
    print(f"[doctest] test cases: {result.testsRun} | {result.testsRun - n_failed} passed | {n_failed} failed", flush=True)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
