#!/usr/bin/env python3
"""Draws a terminal in which commands were really run: terminal.py OUT.svg COMMAND...

  docs/terminal.py docs/demo.svg samples/demo

Each command runs in a terminal of its own (a pty, 100 columns), in the current folder, and what it printed is drawn below
it; lines that were written over (progress) are drawn as they were at the end. Fails if a command fails. Standard library
alone.
"""
import html
import os
import pty
import re
import subprocess
import sys

COLUMNS, CELL, LINE, TOP, EDGE = 100, 8.4, 19, 44, 18


def run(command: str) -> list[str]:
    """The lines that stand on the terminal once the command has ended."""
    ours, its = pty.openpty()
    environment = dict(os.environ, TERM="dumb", COLUMNS=str(COLUMNS), LINES="40")
    process = subprocess.Popen(command, shell=True, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # its end was closed
            break
        if not part:
            break
        said += part
    if process.wait() != 0:
        sys.exit(f"{command}: exit status {process.returncode}\n{said.decode(errors='replace')}")
    lines = []
    for line in said.decode().replace("\r\n", "\n").split("\n"):
        line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "\0", line)  # an erased line begins anew
        parts = [p for p in re.split("[\r\0]", line) if p.strip()]
        if parts or not line:
            lines.append(parts[-1].rstrip() if parts else "")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def wrapped(line: str) -> list[str]:
    return [line[i:i + COLUMNS] for i in range(0, len(line), COLUMNS)] or [""]


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rows = []  # (colour, text)
    for command in sys.argv[2:]:
        rows.append(("#7ee787", "$ " + command))
        for line in run(command):
            colour = "#8b949e" if line.startswith(("==>", "Building", "  ")) else "#e6edf3"
            rows += [(colour, part) for part in wrapped(line)]
        rows.append(("#e6edf3", ""))
    rows.pop()
    width, height = round(COLUMNS * CELL + 2 * EDGE), TOP + LINE * len(rows) + EDGE
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
           f'<rect width="{width}" height="{height}" rx="9" fill="#0d1117"/>']
    for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{EDGE + 6 + 20 * i}" cy="20" r="6" fill="{colour}"/>')
    out.append('<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="14" '
               'xml:space="preserve">')
    for i, (colour, text) in enumerate(rows):
        if text:
            out.append(f'<text x="{EDGE}" y="{TOP + LINE * i + 13}" fill="{colour}" textLength="{len(text) * CELL:.1f}" '
                       f'lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>')
    out += ["</g>", "</svg>", ""]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    main()
