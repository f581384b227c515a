#!/usr/bin/env python3
"""Speech, text and pictures under every profile of `fovea devices --profiles`, in memory as it is and in the test layer's (not
coherent, not cached, full of NaN, guarded, accesses checked, calls held against the profile), in several subgroup widths of
llvmpipe: the same tokens and labels as without a profile. The tool runs as it does for users: kernels are tried before their first
use, and going beyond a limit is an error.

  matrix.py build/release/fovea --layer build/release/tests/layer/manifest --folder FOLDER
  matrix.py … --widths 16 --icd mesa25.json        the same folder may take further widths and drivers

Models, caches and results are kept in FOLDER, which belongs to one build: what it has is not run again. Exit status 1 when anything
differs, fails or is reported."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import models

MEMORY = {"coherent": "", "incoherent": "incoherent,uncached,poison,guard"}
EXIT_OF_LAYER = 86  # tests/layer/interface.h


class Failure(Exception):
    """One line for people."""


class Driver:
    """The tool on one driver, in one subgroup width."""

    def __init__(self, args, width):
        self.args, self.width = args, width
        device = json.loads(self.run("devices", "--json").stdout)[0]
        self.name = f"{device['driver']} {device['driver_info']}"
        if device["driver"] != "llvmpipe" or device["subgroup_size"] != width:
            raise Failure(f"{self.name} has subgroups of {device['subgroup_size']}, not {width}: LP_NATIVE_VECTOR_WIDTH is llvmpipe's")
        told = self.run("devices", memory="incoherent", extra={"FOVEA_LAYER_FAIL": "a planted mistake"})
        if told.returncode != EXIT_OF_LAYER:
            raise Failure(f"the test layer of {args.layer} does not report a planted mistake")

    def environment(self, memory):
        unset = ("FOVEA_PRETEND", "FOVEA_DEVICE", "FOVEA_VALIDATION", "FOVEA_SAFE", "VK_INSTANCE_LAYERS")
        env = {name: value for name, value in os.environ.items() if name not in unset}
        cache = self.args.folder / f"cache-{self.args.icd.stem if self.args.icd else 'system'}-{self.width}"
        # Mesa's compiled kernels serve both; whether they are right is asked in either memory.
        env.update(LP_NATIVE_VECTOR_WIDTH=str(32 * self.width), XDG_CACHE_HOME=str(cache), FOVEA_CACHE_DIR=str(cache / memory))
        (cache / memory).mkdir(parents=True, exist_ok=True)
        if self.args.icd:
            env.update(VK_DRIVER_FILES=str(self.args.icd), VK_ICD_FILENAMES=str(self.args.icd))
        if MEMORY[memory]:
            env.update(VK_LAYER_PATH=str(self.args.layer), VK_INSTANCE_LAYERS="VK_LAYER_FOVEA_test", NODEVICE_SELECT="1",
                       FOVEA_LAYER_MEMORY=MEMORY[memory], FOVEA_LAYER_HAZARDS="1", FOVEA_LAYER_EXIT="1")
        return env

    def run(self, *arguments, memory="coherent", extra=None):
        command = [str(part) for part in (self.args.fovea, *arguments)]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  env={**self.environment(memory), **(extra or {})}, timeout=self.args.timeout)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -1, "", f"no end after {self.args.timeout} s")

    def result(self, model, profile, memory):
        """What the tool says, and what it should not have said."""
        begin = time.monotonic()
        done = self.run(model.command, model.path, *model.arguments, *(["--pretend", profile] if profile else []), memory=memory,
                        extra={"FOVEA_LAYER_PROFILE": profile} if profile and MEMORY[memory] else None)
        failure = ""
        # A kernel that was found wrong is avoided, with a warning; here each must be right.
        if done.returncode or "fovea-layer: " in done.stderr or "warning: " in done.stderr:
            failure = f"exit status {done.returncode}: " + " / ".join(done.stderr.strip().splitlines()[-3:])
        return {"driver": self.name, "width": self.width, "profile": profile, "memory": memory, "model": model.name,
                "output": None if failure else model.read(done.stdout), "failure": failure,
                "seconds": round(time.monotonic() - begin, 1)}


def key(result):
    return tuple(result[part] for part in ("driver", "width", "profile", "memory", "model"))


class Results:
    """Kept line by line, so that a run that was ended goes on."""

    def __init__(self, path):
        self.path, self.all = path, {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            result = json.loads(line)
            self.all[key(result)] = result

    def add(self, result):
        self.all[key(result)] = result
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")

    def wanted(self, model):
        """The first that was run without a profile, in memory as it is: all drivers and widths are held against it."""
        return next((r["output"] for r in self.all.values() if r["model"] == model and not r["profile"] and r["memory"] == "coherent"), None)

    def fault(self, result):
        if result["failure"]:
            return result["failure"]
        wanted = self.wanted(result["model"])
        return "" if result["output"] == wanted and wanted else f"{result['output']}, without a profile: {wanted}"


def combinations(profiles, widths, n_rounds=None):
    """(width, profile, memory): first without a profile, then rounds that each have every profile once, so that what has been run is a
    sample of all at any time."""
    columns = [(width, memory) for memory in MEMORY for width in widths]
    yield from ((width, "", memory) for width, memory in columns)
    for k in range(min(n_rounds or len(columns), len(columns))):
        for i, profile in enumerate(profiles):
            width, memory = columns[(i + k) % len(columns)]
            yield width, profile, memory


def table(results):
    """Markdown: how many of each combination's models say the same."""
    columns = sorted({(r["driver"], r["width"], r["memory"]) for r in results.all.values()})
    yield "| profile | " + " | ".join(f"{driver}, {width} lanes, {memory}" for driver, width, memory in columns) + " |"
    yield "|---" * (1 + len(columns)) + "|"
    for profile in sorted({r["profile"] for r in results.all.values()}):
        cells = []
        for column in columns:
            here = [r for r in results.all.values() if r["profile"] == profile and (r["driver"], r["width"], r["memory"]) == column]
            cells.append(f"{sum(not results.fault(r) for r in here)} of {len(here)}" if here else "")
        yield f"| {profile or 'none'} | " + " | ".join(cells) + " |"


def matrix(args):
    args.folder.mkdir(parents=True, exist_ok=True)
    results = Results(args.folder / "results.jsonl")
    drivers = {width: Driver(args, width) for width in args.widths}
    first = drivers[args.widths[0]]

    def run(*arguments):
        done = first.run(*arguments)
        if done.returncode:
            raise Failure(f"fovea {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    found = models.tiny(run, args.folder) if args.tiny else models.real(run, args.folder, args.shared)
    found = [model for model in found if not args.models or model.name in args.models]
    known = [line.split()[0] for line in run("devices", "--profiles").splitlines()]
    profiles = args.profiles or known
    if unknown := set(profiles) - set(known):
        raise Failure(f"no such profile: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    todo = list(combinations(profiles, args.widths, args.rounds))
    for i, (width, profile, memory) in enumerate(todo, 1):
        for model in found:
            name = (drivers[width].name, width, profile, memory, model.name)
            old = results.all.get(name)
            if old and not results.fault(old):
                continue
            result = drivers[width].result(model, profile, memory)
            results.add(result)
            fault = results.fault(result)
            print(f"{i} of {len(todo)}: {width} lanes, {memory}, {profile or 'no profile'}, {model.name}: {result['seconds']} s, "
                  f"{fault or 'the same'}", file=sys.stderr, flush=True)
    print("\n".join(table(results)))
    faults = [r for r in results.all.values() if results.fault(r)]
    n_profiles = sum(bool(r["profile"]) for r in results.all.values())
    print(f"{len(results.all)} runs, {n_profiles} of them under a profile: {len(results.all) - len(faults)} the same, {len(faults)} not")
    return 1 if faults else 0


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fovea", type=pathlib.Path, help="the tool")
    parser.add_argument("--layer", type=pathlib.Path, required=True, help="the folder of the test layer's manifest")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="models, caches and results")
    parser.add_argument("--shared", type=pathlib.Path, default=models.ROOT.parent / "shared", help="where real models are")
    parser.add_argument("--tiny", action="store_true", help="the bundled speech model, and tiny ones of random weights")
    parser.add_argument("--widths", type=lambda text: [int(n) for n in text.split(",")], default=[8, 4, 16], help="default: 8,4,16")
    parser.add_argument("--profiles", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--icd", type=lambda text: pathlib.Path(text).absolute(), help="the driver's file; default: the system's")
    parser.add_argument("--rounds", type=int, help="each profile in so many of the memories and widths; default: in all")
    parser.add_argument("--models", type=lambda text: text.split(","), help="of speech, text, vision; default: all")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one run of the tool")
    args = parser.parse_args(argv)
    args.fovea, args.layer = args.fovea.absolute(), args.layer.absolute()
    return args


if __name__ == "__main__":
    try:
        sys.exit(matrix(arguments()))
    except Failure as failure:
        sys.exit(f"matrix.py: {failure}")
