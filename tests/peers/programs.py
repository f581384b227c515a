"""Runs programs behind a prefix (a chroot, a container), with errors that say what to do about them."""
import os
import shlex
import subprocess
import sys

# Debian's packages of what is run.
PACKAGES = {"llama-bench": "llama.cpp-tools", "llama-quantize": "llama.cpp-tools", "whisper-quantize": "whisper.cpp-tools",
            "gcc": "gcc libc6-dev", "python3": "python3-torch python3-tokenizers python3-safetensors python3-gguf"}
# ggml's Vulkan backend: the first device, as ours is; cooperative matrices make it slower on a driver in software.
VULKAN = {"GGML_VK_DISABLE_COOPMAT": "1", "GGML_VK_VISIBLE_DEVICES": "0"}


class Failure(Exception):
    """One line for people."""


class Programs:
    def __init__(self, prefix):
        self.prefix = shlex.split(prefix)

    def __call__(self, *command, environment=None):
        """What COMMAND prints. The prefix may begin with an empty environment, so env(1) sets ENVIRONMENT behind it."""
        command = [str(part) for part in command]
        name = os.path.basename(command[0])
        whole = [*self.prefix, *(["env", *(f"{key}={value}" for key, value in environment.items())] if environment else []), *command]
        try:
            done = subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        except OSError as error:
            if self.prefix or environment:
                raise Failure(f"{whole[0]}: {error.strerror}") from error
            raise Failure(self.missing(name, command[0])) from error
        if done.returncode in (126, 127):
            raise Failure(self.missing(name, command[0]))
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()][-3:]
            raise Failure("\n  ".join([f"{shlex.join(whole)}: exit status {done.returncode}", *said]))
        return done.stdout

    def missing(self, name, path):
        where = f" behind {shlex.join(self.prefix)}" if self.prefix else ""
        if name in PACKAGES:
            return f"{name} does not run{where}. Install it there: apt-get install {PACKAGES[name]}"
        return f"{path} does not run{where}. A chroot sees only what is in it, with every library: --fovea says which path is run"


def progress(text):
    print(text, file=sys.stderr, flush=True)
