"""Model files that growth.py measures: made where they are missing, kept in its folder."""
import ctypes
import mmap
import os
import pathlib
import shutil
import subprocess
import sys

import llama_shape
from programs import Failure, progress

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Widths of files that differ in their number of layers: 0.4 MB each of the first, 7 MB of the second.
TINY = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512}
LOADED = {"vocab_size": 512}


def converted(bench, source, path, *options):
    """PATH, made of SOURCE; an interrupted conversion leaves nothing."""
    if not path.exists():
        progress(f"making {path}")
        bench.run(bench.args.fovea, "convert", source, "-o", path, *options)
    return path


def folder(args, name, *size, **shape):
    """A folder of weights. It is whole when it has its name."""
    path = args.folder / name
    if not path.exists():
        progress(f"making {path}")
        part = args.folder / (name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        llama_shape.write(part, *size, **shape).rename(path)
    return path


def llama_source(args):
    return folder(args, "llama-tiny", 2, 96, **TINY) if args.tiny else folder(args, "llama135", 30, 2048)


def llama(bench, args):
    """The model, and its context."""
    source, encoding, n_context = llama_source(args), *(("f16", 96) if args.tiny else ("q8", 2048))
    return converted(bench, source, args.folder / f"{source.name}-{encoding}.gguf", "--encoding", encoding), n_context


def shared_folder(args, name):
    source = args.shared / "models" / name
    return source if source.exists() and not args.tiny else None


def whisper(bench, args, encoding="f16"):
    """None where it is not there."""
    source = shared_folder(args, "whisper-tiny.en")
    if source:
        return converted(bench, source, args.folder / f"tiny.en-{encoding}.gguf", "--encoding", encoding)
    return None


def sizes(bench, args):
    """Files of growing size."""
    shape = TINY if args.tiny else LOADED
    for megabytes in (1, 2, 4) if args.tiny else (8, 16, 32, 64, 128, 256, 512):
        path = args.folder / f"load-{megabytes}.gguf"
        if not path.exists():
            source = folder(args, f"load-{megabytes}", llama_shape.layers_for(megabytes * 1e6, **shape), 64, **shape)
            converted(bench, source, path)
            shutil.rmtree(source)
        yield path


def models_for_memory(bench, args):
    """(label, file)"""
    if args.tiny:
        yield "tiny Llama, f16", llama(bench, args)[0]
        return
    for encoding in ("f16", "q8"):
        yield (f"Llama of 135M, {encoding}",
               converted(bench, llama_source(args), args.folder / f"llama135-{encoding}.gguf", "--encoding", encoding))
    for encoding in ("f16", "q8"):
        if path := whisper(bench, args, encoding):
            yield f"Whisper tiny.en, {encoding}", path
    yield "speech-en, q4", ROOT / "samples/models/speech-en.fovea.gguf"
    if source := shared_folder(args, "vit-tiny-patch16-224"):
        yield "ViT tiny, f16", converted(bench, source, args.folder / "vit-tiny-f16.gguf")


def sources(bench, args):
    """(label, folder, encoding) to convert."""
    for encoding in ("f16", "q8"):
        yield ("tiny Llama" if args.tiny else "Llama of 135M"), llama_source(args), encoding
    if source := shared_folder(args, "whisper-tiny.en"):
        yield "Whisper tiny.en", source, "f16"


def cached_bytes(path):
    """How much of a file is in the page cache; None where that cannot be asked."""
    size = path.stat().st_size
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
        held = ctypes.c_char.from_buffer(mapped)  # its address; a private mapping is never written to
        pages = (ctypes.c_ubyte * (-(-size // mmap.PAGESIZE)))()
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(held)), ctypes.c_size_t(size), pages)
        del held
    return None if failed else mmap.PAGESIZE * sum(p & 1 for p in pages)


def drop_from_cache(path):
    """Whether the next reader will have to read it from the disk: no more than a tenth is in memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    left = cached_bytes(path)
    return left is not None and left <= path.stat().st_size / 10


# A program's peak counts from before its exec(), when it was this interpreter with all its libraries: a small one starts it.
STARTER = """import os, resource, sys
status = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)[1])
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def peak_of(bench, *command):
    """Most memory that a program had."""
    command = [*bench.run.prefix, *(str(part) for part in command)]
    done = subprocess.run([sys.executable, "-S", "-E", "-c", STARTER, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    status, kilobytes = map(int, done.stdout.split()[-2:]) if done.returncode == 0 else (1, 0)
    if status:
        raise Failure(f"{' '.join(command)}: exit status {status}: {done.stderr.strip()[-300:]}")
    return 1024 * kilobytes
