#!/usr/bin/env python3
"""Times Fovea beside whisper.cpp and llama.cpp, in turn on the same driver: compare.py [whisper] [llama] [--fovea PATH]

The same weights in each program's own format, the nearest encoding. A round is Fovea, the peer's Vulkan backend, the
peer's CPU backend (with all threads and with one); ratios are taken within a round, and their median is reported. Before
anything is timed, fovea bench checks Fovea's outputs; of peers, exit status and figures are checked.
With --run, every program runs behind a prefix, such as a chroot that has the peers and a new driver; FOVEA and the
folder are paths as seen there. --write replaces the marked section of a page, else it is printed.

  tests/peers/compare.py --fovea /var/tmp/bench/f --folder /var/tmp/bench/peer --run "bash ../shared/tools/sid" \\
    --write docs/benchmarks.md

Needed, behind the prefix: llama.cpp-tools whisper.cpp-tools libwhisper-dev libggml-dev libggml0-backend-vulkan gcc libc6-dev;
where the folder has no Llama yet python3-torch python3-tokenizers python3-safetensors python3-gguf
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import textwrap

import models
from load import Load
from programs import VULKAN, Failure, Programs, progress

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- peers: written by tests/peers/compare.py -->", "<!-- peers: end -->"
N_DECODE = 32  # steps that peers take from an empty cache
BACKENDS = ("Vulkan", "CPU")
ENVIRONMENT = {"Vulkan": VULKAN, "CPU": None}


def parsed(text, program):
    try:
        return json.loads(text[min(i for i in (text.find("{"), text.find("["), len(text)) if i >= 0):])
    except ValueError as error:
        raise Failure(f"{program} printed no JSON: {text.strip()[:200]!r}") from error


def checked(times, program):
    """Times in seconds by stage, all of them positive and finite."""
    for stage, seconds in times.items():
        if not (isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds > 0):
            raise Failure(f"{program}: {stage} took {seconds} s, which is no time")
    return times


def stage_of(stages, name):
    """The stage's median; of "decode at " and the like the one nearest to the middle of the peers' steps."""
    found = {s["name"]: s["median_s"] for s in stages if s["name"].startswith(name)}
    if name in found:
        return found[name]
    if not found or not name.endswith(" at "):
        raise Failure(f"fovea bench has no stage '{name}' but {', '.join(s['name'] for s in stages)}")
    return found[min(found, key=lambda s: abs(int(s.split()[-1]) - N_DECODE / 2))]


def ours(run, fovea, model, stages, n_runs):
    result = parsed(run(fovea, "bench", model, "--json", "--runs", n_runs), "fovea bench")
    return checked({row: stage_of(result["stages"], name) for row, name in stages.items()}, "fovea bench")


class Whisper:
    title, peer = "Whisper tiny.en", "whisper.cpp"
    stages = {"encode 30 s": "encode", "next token": "step at "}
    packages = ("libwhisper1", "libggml0")

    def __init__(self, run, args):
        self.run = run
        self.files = models.whisper(run, args.fovea, args.folder, args.shared)
        self.program = models.whisper_bench(run, args.folder, args.shared)

    def theirs(self, model, backend, n_threads):
        text = self.run(self.program, model, int(backend == "Vulkan"), n_threads, 1, N_DECODE, environment=ENVIRONMENT[backend])
        result = parsed(text, "whisper_bench")
        keys = {"encode 30 s": "encode_ms", "next token": "decode_ms"}
        return checked({stage: result.get(key, 0) / 1e3 for stage, key in keys.items()}, "whisper_bench")


class Llama:
    title, peer = "Llama of 135M", "llama.cpp"
    stages = {"prompt of 128": "prefill 128", "prompt of 512": "prefill 512", "next token": "decode at "}
    packages = ("llama.cpp", "libggml0")

    def __init__(self, run, args):
        self.run = run
        self.files = models.llama(run, args.fovea, args.folder, args.shared)

    def theirs(self, model, backend, n_threads):
        where = ["-ngl", "99"] if backend == "Vulkan" else ["-dev", "none", "-ngl", "0"]
        text = self.run("llama-bench", "-m", model, "-p", "128,512", "-n", N_DECODE, "-r", 1, "-t", n_threads, "-o", "json",
                        *where, environment=ENVIRONMENT[backend])
        times = {}
        for result in parsed(text, "llama-bench"):
            n_prompt, n_new = result["n_prompt"], result["n_gen"]
            times["next token" if n_new else f"prompt of {n_prompt}"] = result["avg_ns"] / 1e9 / (n_new or 1)
            if backend == "Vulkan" and not result["gpu_info"]:
                raise Failure("llama-bench -o json names no GPU where its Vulkan backend was to run")
        return checked({row: times.get(row) for row in self.stages}, "llama-bench")


COMPARISONS = {"whisper": Whisper, "llama": Llama}


def device(run, fovea):
    """The device that we run on; peers must see it as their first."""
    found = parsed(run(fovea, "devices", "--json"), "fovea devices")
    used = next((d for d in found if d["default"]), None)
    if not used:
        raise Failure("fovea devices marks no device as the one that is used")
    listed = run("llama-bench", "--list-devices", environment=VULKAN)
    if not re.search(r"Vulkan0: " + re.escape(used["name"]), listed):
        raise Failure(f"ggml's Vulkan backend does not have {used['name']} as its first device "
                      f"(apt-get install libggml0-backend-vulkan).\nllama-bench --list-devices: {listed.strip()}")
    return used


def rounds(comparison, fovea, args, run):
    """Times of every round: {encoding: [{"Fovea": {stage: s}, "Vulkan": {...}, "CPU": {...}}]}."""
    out = {}
    for encoding, (our_file, peer_file) in comparison.files.items():
        out[encoding] = []
        for i in range(args.pairs):
            load = Load()
            times = {"Fovea": ours(run, fovea, our_file, comparison.stages, args.runs)}
            times["Vulkan"] = comparison.theirs(peer_file, "Vulkan", args.threads)
            # ggml's threads wait for each other without sleep: when anything else runs, one thread is faster than all.
            tries = [comparison.theirs(peer_file, "CPU", n) for n in sorted({1, args.threads}, reverse=True)]
            times["CPU"] = {stage: min(t[stage] for t in tries) for stage in comparison.stages}
            out[encoding].append(times)
            progress(f"{comparison.title} {encoding}, round {i + 1} of {args.pairs}: " + "; ".join(
                f"{stage} " + ", ".join(f"{who} {milliseconds(t[stage])}" for who, t in times.items()) for stage in comparison.stages) +
                f"; other programs kept {load.cores():.1f} cores busy")
    return out


def milliseconds(seconds):
    ms = seconds * 1e3
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.1f} ms" if ms >= 10 else f"{ms:.2f} ms"


def ratio(x):
    return f"{x:.0f}" if x >= 99.5 else f"{x:.1f}" if x >= 9.95 else f"{x:.2f}"


def rows(comparison, measured):
    """A row a stage and backend: the peer's time by ours, above 1 where we are faster."""
    for encoding, all_times in measured.items():
        for stage in comparison.stages:
            for backend in BACKENDS:
                quotients = [t[backend][stage] / t["Fovea"][stage] for t in all_times]
                our_time, peer_time = (statistics.median(t[who][stage] for t in all_times) for who in ("Fovea", backend))
                middle = ratio(statistics.median(quotients))
                yield (f"| {comparison.title} {encoding} | {stage} | {milliseconds(our_time)} | {comparison.peer} {backend} | "
                       f"{milliseconds(peer_time)} | **{middle}** ({ratio(min(quotients))}–{ratio(max(quotients))}) |")


def git(*command):
    done = subprocess.run(["git", "-C", ROOT, *command], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(page):
    """The commit of the tree; the page that is written and untracked files do not count as changes."""
    name = git("rev-parse", "--short", "HEAD") or "unknown"
    exclude = [f":(exclude){os.path.relpath(page, ROOT)}"] if page else []
    return name + (" with changes" if git("status", "--porcelain", "--untracked-files=no", "--", ":/", *exclude) else "")


def versions(run, packages):
    """Of Debian's packages, where there are any."""
    try:
        listed = run("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *packages)
    except Failure:
        return ""
    return " Debian's " + ", ".join(listed.splitlines()) + "."


def cpu():
    found = re.search(r"^model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return found.group(1).strip() if found else "unknown CPU"


def section(args, used, table, packages, run, n_busy):
    command = shlex.join([os.path.relpath(pathlib.Path(sys.argv[0]).resolve(), ROOT), *sys.argv[1:]])
    where = f'{used["name"]}, {used["driver"]} {used["driver_info"]}'
    worth = ": a quiet machine gives other times, and other ratios to CPU backends" if n_busy >= 0.1 * args.threads else ""
    paragraphs = [
        f"{datetime.date.today()}, commit {commit(args.write)}. {cpu()}, {args.threads} cores; {where}, for Fovea and for the peers' "
        f"Vulkan backends.{versions(run, packages)}",
        f"Rounds of each model: {args.pairs}, in each Fovea, the peer's Vulkan backend ({args.threads} threads) and its CPU backend "
        f"(the faster of 1 and {args.threads} threads), in turn. Times are medians; the last column is the peer's time by ours within a round, median "
        f"(least–most): above 1 Fovea is faster. Other programs kept {n_busy:.1f} cores busy meanwhile{worth}.",
        "\n".join(["| model | stage | Fovea, Vulkan | peer, backend | its time | times as fast |", "|---|---|---|---|---|---|", *table]),
        "The weights are the same, in each program's own format: q8 is the peers' q8_0, q4 (`--pure`) their q4_0. `fovea bench` checks "
        "its outputs before it times anything, and fails when they are wrong. Next tokens are the peer's first "
        f"{N_DECODE} (Whisper: median, Llama: mean), and for Fovea one after eight. In a round a peer's encoding or prompt is one run after "
        f"one to warm up, ours the median of {args.runs}.",
        f"```sh\n{command}\n```"]
    return "\n\n".join(p if p[0] in "|`" else textwrap.fill(p, 128, break_long_words=False, break_on_hyphens=False)
                       for p in paragraphs)


def replaced(page, text, first=BEGIN, last=END):
    begin, end = page.find(first), page.find(last)
    if begin < 0 or end < begin:
        raise Failure(f"the page has no section between {first} and {last}")
    return f"{page[:begin]}{first}\n{text}\n{page[end:]}"


def compare(args):
    page = args.write.read_text(encoding="utf-8") if args.write else None
    if page is not None:
        replaced(page, "")  # fails now and not in half an hour
    args.folder.mkdir(parents=True, exist_ok=True)
    run = Programs(args.run)
    used = device(run, args.fovea)
    progress(f"{used['name']}, {used['driver']} {used['driver_info']}")
    comparisons = [COMPARISONS[name](run, args) for name in args.comparisons]
    load = Load()
    table = [row for c in comparisons for row in rows(c, rounds(c, args.fovea, args, run))]
    n_busy = load.cores()
    text = section(args, used, table, dict.fromkeys(p for c in comparisons for p in c.packages), run, n_busy)
    if page is None:
        print(text)
    else:
        args.write.write_text(replaced(args.write.read_text(encoding="utf-8"), text), encoding="utf-8")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("comparisons", nargs="*", metavar="whisper|llama", help="which (default: both)")
    args.add_argument("--fovea", default=str(ROOT / "build/release/fovea"), help="the tool (default: %(default)s)")
    args.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp/fovea-peers"), help="for models and programs, "
                      "an absolute path; what peers need is kept there (default: %(default)s)")
    args.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared",
                      help="folder with tools/ and models/whisper-tiny.en (default: %(default)s)")
    args.add_argument("--run", default="", metavar="PREFIX", help="put before every command")
    args.add_argument("--pairs", type=int, default=5, help="rounds of each model (default: %(default)s)")
    args.add_argument("--runs", type=int, default=5, help="runs of our stages within a round (default: %(default)s)")
    args.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the peers (default: the cores, %(default)s)")
    args.add_argument("--write", type=pathlib.Path, metavar="PAGE", help="replace the section of this page")
    parser, args = args, args.parse_args()
    if unknown := [name for name in args.comparisons if name not in COMPARISONS]:
        parser.error(f"{unknown[0]}: no such comparison; there are: {', '.join(COMPARISONS)}")
    args.comparisons = [name for name in COMPARISONS if name in args.comparisons or not args.comparisons]
    if min(args.pairs, args.runs, args.threads) < 1:
        parser.error("--pairs, --runs and --threads are at least 1")
    args.folder = args.folder.resolve()
    try:
        compare(args)
    except (Failure, OSError) as error:
        sys.exit(f"compare: error: {error}")


if __name__ == "__main__":
    main()
