"""The same weights for us and for the peers, in a folder that programs behind the prefix see, too.

The peers' files are made once. Ours are made anew each time: their graphs are part of what is timed."""
import pathlib
import shutil

import whisper_ggml
from programs import Failure, progress


def shared_file(shared, name):
    path = pathlib.Path(shared) / name
    if not path.exists():
        raise Failure(f"{path} is missing: --shared FOLDER has tools/ and models/whisper-tiny.en")
    return path


def once(path, make):
    """MAKE(PART) writes a file that gets its name when it is whole."""
    if not path.exists():
        progress(f"making {path}")
        part = path.with_name("part-" + path.name)
        make(part)
        part.replace(path)
    return path


def ours(run, fovea, source, path, *options):
    progress(f"making {path}")
    path.unlink(missing_ok=True)
    run(fovea, "convert", source, "-o", path, *options)
    return path


def whisper(run, fovea, folder, shared):
    """{encoding: (our file, whisper.cpp's)} of Whisper tiny.en."""
    source = folder / "whisper-tiny.en"
    if not source.exists():
        shutil.copytree(shared_file(shared, "models/whisper-tiny.en"), source)
    f16 = once(folder / "tiny.en-f16.bin", lambda part: whisper_ggml.write(source, part))
    q8 = once(folder / "tiny.en-q8_0.bin", lambda part: run("whisper-quantize", f16, part, "q8_0"))
    return {encoding: (ours(run, fovea, source, folder / f"tiny.en-{encoding}.fovea.gguf", "--encoding", encoding), peer)
            for encoding, peer in (("f16", f16), ("q8", q8))}


def whisper_bench(run, folder, shared):
    """The program that times whisper.cpp's encoder and decoder through its public interface."""
    source = folder / "whisper_bench.c"
    shutil.copyfile(shared_file(shared, "tools/whisper_bench.c"), source)
    program = folder / "whisper_bench"
    progress(f"making {program}")
    try:
        run("gcc", "-O2", source, "-o", program, "-lwhisper", "-lggml", "-lggml-base")
    except Failure as error:
        if "whisper.h" not in str(error):
            raise
        raise Failure(f"{error}\nwhisper.cpp's headers are missing there: apt-get install libwhisper-dev libggml-dev") from error
    return program


def llama(run, fovea, folder, shared):
    """{encoding: (our file, llama.cpp's)} of a Llama of 135M parameters with random weights."""
    source, f16 = folder / "llama135", folder / "llama135-f16.gguf"
    if not (f16.exists() and source.exists()):
        script = folder / "peer_models.py"
        shutil.copyfile(shared_file(shared, "tools/peer_models.py"), script)
        progress(f"making {f16}")
        run("python3", script, folder)
    pairs = {}
    for encoding, theirs in (("q8", "q8_0"), ("q4", "q4_0")):
        peer = once(folder / f"llama135-{theirs}.gguf", lambda part: run("llama-quantize", "--pure", f16, part, theirs))
        pure = ["--pure"] if encoding == "q4" else []
        pairs[encoding] = ours(run, fovea, source, folder / f"llama135-{encoding}.fovea.gguf", "--encoding", encoding, *pure), peer
    return pairs
