#!/usr/bin/env python3
"""Measures how costs grow, beside what the work grows by: growth.py [decode] [prefill] [encode] [load] [memory]

decode   a next token, by the tokens in the caches          prefill  a prompt, by its tokens
encode   speech up to its first word, by its seconds        load     opening a model, by the size of its file
memory   what a model adds to a process that has the device and its kernels; what converting takes

Ideal is a sum: so much for every launch, so much for every operation or byte that the graphs ask for (fovea bench --json counts
them), at rates that come nearest to all the times. A time's ratio to it says how much worse than the work the cost grows. Times are
medians of a process, the least of all rounds; on a driver in software CPU time of the process / cores, of loading the clock on the
wall's. Models have random weights; Whisper is measured where --shared has it. Exit status 1: a ratio is above --most, or memory
above --most-memory by more than SLACK_BYTES (growth.py): what a caller's own picture or sound takes beside a small model.

  tests/install_packages growth
  tests/growth/growth.py --write docs/benchmarks.md
"""
import argparse
import dataclasses
import datetime
import functools
import math
import os
import pathlib
import shlex
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/peers"))
import compare
import files
from fit import Fit
from load import Load
from programs import Failure, Programs, progress

BEGIN, END = "<!-- growth: written by tests/growth/growth.py -->", "<!-- growth: end -->"
MB = 1e6
SLACK_BYTES = 5e6


def doubled(first, last):
    """first, twice that … and last."""
    sizes = []
    while first < last:
        sizes.append(first)
        first *= 2
    return [*sizes, last]


@dataclasses.dataclass
class Curve:
    label: str
    kinds: tuple  # of work: what one of it is called, its text by its rate
    sizes: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)
    work: list = dataclasses.field(default_factory=list)

    def add(self, size, seconds, work):
        """A time; of several at a size the least counts."""
        compare.checked({f"{self.label} at {size}": seconds}, "fovea bench")
        if size in self.sizes:
            at = self.sizes.index(size)
            self.seconds[at] = min(self.seconds[at], seconds)
        else:
            self.sizes.append(size)
            self.seconds.append(seconds)
            self.work.append(work)

    @functools.cached_property
    def fit(self):
        try:
            return Fit(self.work, self.seconds)
        except ValueError as error:
            raise Failure(f"{self.label}: {error}") from error

    def rates(self):
        return " + ".join(text(rate) for rate, text in zip(self.fit.rates, self.kinds) if rate)


def launches(rate):
    return f"{rate * 1e6:.0f} µs a launch"


def arithmetic(of):
    return lambda rate: f"{of} at {1e-9 / rate:.0f} GFLOP/s"


def memory(of):
    return lambda rate: f"{of} at {1e-9 / rate:.1f} GB/s"


def windows(rate):
    return f"{rate * 1e3:.0f} ms a window"


def once(rate):
    return f"{rate * 1e3:.1f} ms"


class Bench:
    """Runs fovea bench; a stage's time by the clock that is asked for."""

    def __init__(self, args):
        self.args, self.run = args, Programs(args.run)

    def __call__(self, model, *options, n_runs=None):
        return compare.parsed(self.run(self.args.fovea, "bench", model, "--json", "--runs", n_runs or self.args.runs, *options), "fovea bench")

    def seconds(self, stage):
        return stage["cpu_s"] if self.args.clock == "cpu" and stage["cpu_s"] > 0 else stage["median_s"]


def stages(report, before, after=""):
    """(size, stage) of those called BEFORE size AFTER."""
    for stage in report["stages"]:
        if stage["name"].startswith(before) and stage["name"].endswith(after):
            yield float(stage["name"][len(before):len(stage["name"]) - len(after)]), stage


def work_of(stage):
    """Launches, operations outside attention, operations and bytes of attention."""
    attention = {"flops": 0, "bytes": 0}
    for op in stage["ops"]:
        if op["op"] == "attention":
            attention = op
    return [stage["dispatches"], stage["flops"] - attention["flops"], attention["flops"], attention["bytes"]]


def columns(*which):
    return lambda _, stage: [work_of(stage)[c] for c in which]


def text_of(sizes):
    return ",".join(f"{s:g}" for s in sizes)


class Growth:
    """One plot: curves of the same axis."""
    title = axis = name = ""

    def __init__(self, bench, args):
        self.bench, self.args, self.curves = bench, args, []

    def curve(self, label, *kinds):
        for known in self.curves:
            if known.label == label:
                return known
        self.curves.append(Curve(label, kinds))
        return self.curves[-1]

    def measure(self, curve, report, before, after, amounts):
        """`amounts`: of each kind of work, by size and stage."""
        found = list(stages(report, before, after))
        if len(found) < len(curve.kinds) + 1:
            raise Failure(f"fovea bench has {len(found)} stages '{before} …', too few for {len(curve.kinds)} rates")
        for size, stage in found:
            curve.add(size, self.bench.seconds(stage), amounts(size, stage))


class Decode(Growth):
    name, title, axis = "decode", "A next token", "tokens in the caches"

    def round(self):
        model, n_context = files.llama(self.bench, self.args)
        label = "Llama of 135M, q8" if not self.args.tiny else "tiny Llama, f16"
        report = self.bench(model, "--prompt", 1, "--cache", text_of(doubled(1, n_context - 1)))
        self.measure(self.curve(label, launches, memory("keys and values")), report, "decode at ", "", columns(0, 3))
        if whisper := files.whisper(self.bench, self.args):
            report = self.bench(whisper, "--prompt", 1, "--cache", text_of(doubled(1, 447)))
            self.measure(self.curve("Whisper tiny.en, f16", launches, memory("keys and values")), report, "step at ", "", columns(0, 3))


class Prefill(Growth):
    name, title, axis = "prefill", "A prompt", "tokens"

    def round(self):
        model, n_context = files.llama(self.bench, self.args)
        label = "Llama of 135M, q8" if not self.args.tiny else "tiny Llama, f16"
        report = self.bench(model, "--cache", 0, "--prompt", text_of(doubled(1, min(1024, n_context))))
        self.measure(self.curve(label, launches, arithmetic("matrices and the rest"), arithmetic("attention")), report, "prefill ", "",
                     columns(0, 1, 2))


class Encode(Growth):
    name, title, axis = "encode", "Speech, up to its first word", "seconds"

    def round(self):
        kinds = launches, arithmetic("matrices and the rest"), arithmetic("attention")
        seconds = (1, 2, 3, 4, 6, 8, 12, 16, 20) if self.args.tiny else (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 45, 60, 90, 120)
        report = self.bench(ROOT / "samples/models/speech-en.fovea.gguf", "--seconds", text_of(seconds))
        self.measure(self.curve("speech-en (windows of 20 s)", *kinds), report, "sound of ", " s", columns(0, 1, 2))
        if whisper := files.whisper(self.bench, self.args):
            report = self.bench(whisper, "--prompt", 1, "--cache", 0, "--seconds", text_of((1, 10, 30, 45, 60, 90, 120)))
            self.measure(self.curve("Whisper tiny.en, f16 (windows of 30 s)", windows), report, "sound of ", " s",
                         lambda seconds, _: [math.ceil(seconds / 30)])


class Loading(Growth):
    name, title, axis = "load", "Opening a model, its checksum compared", "MB"

    def round(self):
        for model in files.sizes(self.bench, self.args):
            n_bytes = model.stat().st_size
            for label, is_cold in (("from the disk", True), ("from the page cache", False)):
                if is_cold and not files.drop_from_cache(model):
                    progress(f"{model}: this file system keeps it in memory; no times from the disk")
                    continue
                for _ in range(2 if is_cold else 5):
                    if is_cold:
                        files.drop_from_cache(model)
                    report = self.bench(model, "--prompt", 1, "--cache", 0, n_runs=1)
                    self.curve(label, once, memory("the file")).add(n_bytes / MB, report["load_s"], [1, n_bytes])


GROWTHS = {g.name: g for g in (Decode, Prefill, Encode, Loading)}


def rows(growth):
    for curve in growth.curves:
        worst, at = curve.fit.worst()
        sizes, seconds = curve.sizes, curve.seconds
        yield (f"| {growth.title} | {curve.label} | {sizes[0]:.4g} … {sizes[-1]:.4g} {growth.axis} | {compare.milliseconds(seconds[0])} … "
               f"{compare.milliseconds(seconds[-1])} | {curve.rates()} | **{worst:.2f}** at {sizes[at]:.4g} |")


def memory_rows(bench, args):
    """(row, ratio, bytes beyond what is planned)"""
    for label, model in files.models_for_memory(bench, args):
        report = bench(model, "--memory", *(() if not args.tiny else ("--prompt", 9, "--cache", 3)), n_runs=1)
        parts = report["memory"]
        ratio = parts["process_added_bytes"] / parts["planned_bytes"]
        weights = "used in place" if report["weights_imported"] else f'{parts["weights_bytes"] / MB:.1f}'
        yield (f'| {label} | {report["file_bytes"] / MB:.1f} | {weights} | {parts["state_bytes"] / MB:.1f} | '
               f'{parts["scratch_bytes"] / MB:.1f} | {parts["io_bytes"] / MB:.1f} | {parts["process_added_bytes"] / MB:.1f} | **{ratio:.2f}** |'), ratio, parts["process_added_bytes"] - parts["planned_bytes"]


def convert_rows(bench, args):
    own = files.peak_of(bench, args.fovea, "--version")
    for label, source, encoding in files.sources(bench, args):
        out = args.folder / "converted.gguf"
        try:
            peak = files.peak_of(bench, args.fovea, "convert", source, "-o", out, "--encoding", encoding)
            n_bytes = out.stat().st_size
        finally:
            out.unlink(missing_ok=True)
        yield (f"| {label} to {encoding} | {n_bytes / MB:.1f} | {(peak - own) / MB:.1f} | **{(peak - own) / n_bytes:.2f}** |",
               (peak - own) / n_bytes, peak - own - n_bytes)


def paragraph(text):
    return textwrap.fill(text, 128, break_long_words=False, break_on_hyphens=False)


def section(args, used, growths, in_memory, converted, n_busy):
    clock = ("CPU time of the process / cores; of loading, the clock on the wall's" if args.clock == "cpu" and used["type"] == "software"
             else "the clock on the wall's")
    parts = [paragraph(
        f'{datetime.date.today()}, commit {compare.commit(args.write)}. {compare.cpu()}, {len(os.sched_getaffinity(0))} cores; {used["name"]}, '
        f'{used["driver"]} {used["driver_info"]}. Rounds: {args.rounds}, of {args.runs} runs each; times are {clock}. Other programs kept '
        f"{n_busy:.1f} cores busy meanwhile.")]
    if growths:
        parts.append("\n".join([
            "| cost | of | sizes | times | ideal, fitted | worst ratio to it |", "|---|---|---|---|---|---|",
            *(row for growth in growths for row in rows(growth))]))
        parts.append("\n".join(f"![{g.title}, by {g.axis}]({os.path.relpath(args.images, args.page_folder)}/growth-{g.name}.png)"
                               for g in growths))
    if in_memory:
        parts.append("\n".join([
            "| model, MB | file | its weights | state | scratch | input, output | the process grows by | of all these |",
            "|---|---|---|---|---|---|---|---|", *(row for row, *_ in in_memory)]))
        parts.append("\n".join(["| conversion, MB | file | peak, less an idle process's | of the file |", "|---|---|---|---|",
                                *(row for row, *_ in converted)]))
    command = shlex.join([os.path.relpath(pathlib.Path(sys.argv[0]).resolve(), ROOT), *sys.argv[1:]])
    return "\n\n".join([*parts, f"```sh\n{command}\n```"])


def draw(args, growths):
    args.images.mkdir(parents=True, exist_ok=True)
    for growth in growths:
        path = args.images / f"growth-{growth.name}.png"
        args.curves(path, growth.title, growth.axis, [
            (c.label, c.sizes, [1e3 * s for s in c.seconds], [1e3 * s for s in c.fit.ideal]) for c in growth.curves])
        progress(f"wrote {path}")


def beyond(args, growths, in_memory, converted):
    """What is above the limits."""
    for growth in growths:
        for curve in growth.curves:
            worst, at = curve.fit.worst()
            if worst > args.most:
                yield f"{growth.name}, {curve.label}: {worst:.2f} of the ideal at {curve.sizes[at]:.4g} {growth.axis} (--most {args.most})"
    for row, ratio, beyond_bytes in [*in_memory, *converted]:
        if ratio > args.most_memory and beyond_bytes > SLACK_BYTES:
            yield f"memory,{row.split('|')[1].rstrip()}: {ratio:.2f} of what is planned (--most-memory {args.most_memory})"


def grow(args):
    page = args.write.read_text(encoding="utf-8") if args.write else None
    if page is not None:
        compare.replaced(page, "", BEGIN, END)  # fails now and not in ten minutes
    args.folder.mkdir(parents=True, exist_ok=True)
    bench, load = Bench(args), Load()
    used = next((d for d in compare.parsed(bench.run(args.fovea, "devices", "--json"), "fovea devices") if d["default"]), None)
    if not used:
        raise Failure("fovea devices marks no device as the one that is used")
    growths = [GROWTHS[name](bench, args) for name in args.parts if name in GROWTHS]
    for i in range(args.rounds):
        for growth in growths:
            progress(f"round {i + 1} of {args.rounds}: {growth.name}")
            growth.round()
    wants_memory = "memory" in args.parts
    if wants_memory:
        progress("memory")
    in_memory = list(memory_rows(bench, args)) if wants_memory else []
    converted = list(convert_rows(bench, args)) if wants_memory else []
    text = section(args, used, growths, in_memory, converted, load.cores())
    draw(args, growths)
    if page is None:
        print(text)
    else:
        args.write.write_text(compare.replaced(args.write.read_text(encoding="utf-8"), text, BEGIN, END), encoding="utf-8")
    if too_much := list(beyond(args, growths, in_memory, converted)):
        raise Failure("\n  ".join(["more than it must:", *too_much]))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*GROWTHS, "memory"]
    parser.add_argument("parts", nargs="*", metavar="|".join(names), help="which (default: all)")
    parser.add_argument("--fovea", default=str(ROOT / "build/release/fovea"), help="the tool (default: %(default)s)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp/fovea-growth"),
                        help="for models, 3 GB; they are kept there (default: %(default)s)")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared",
                        help="folder with models/whisper-tiny.en (default: %(default)s)")
    parser.add_argument("--run", default="", metavar="PREFIX", help="put before every command")
    parser.add_argument("--rounds", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of a stage in a round (default: %(default)s)")
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu", help="on drivers in software (default: %(default)s)")
    parser.add_argument("--most", type=float, default=1.5, help="ratio to the ideal (default: %(default)s)")
    parser.add_argument("--most-memory", type=float, default=1.1, help="(default: %(default)s)")
    parser.add_argument("--images", type=pathlib.Path, default=ROOT / "docs/images", help="for plots (default: %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="models of 1 to 4 MB, and none from --shared: for a test of this script")
    parser.add_argument("--write", type=pathlib.Path, metavar="PAGE", help="replace the section of this page")
    args = parser.parse_args()
    if unknown := [name for name in args.parts if name not in names]:
        parser.error(f"{unknown[0]}: no such part; there are: {', '.join(names)}")
    args.parts = [name for name in names if name in args.parts or not args.parts]
    if min(args.rounds, args.runs) < 1:
        parser.error("--rounds and --runs are at least 1")
    args.folder, args.images = args.folder.resolve(), args.images.resolve()
    args.page_folder = (args.write.resolve().parent if args.write else ROOT)
    return args


def main():
    args = parsed_arguments()
    try:
        from plot import curves
    except ImportError as error:
        sys.exit(f"growth: error: {error}: tests/install_packages growth")
    args.curves = curves
    try:
        grow(args)
    except (Failure, OSError) as error:
        sys.exit(f"growth: error: {error}")


if __name__ == "__main__":
    main()
