"""How long compiling takes, for a new source and from the cache.

Comes in: nothing.  Goes out: medians, as Markdown.  Cold is a source that was never compiled in a
process that has compiled before: the built-ins' headers are read, clang has run once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import zhisuan.kernels

ROUNDS = 5
LARGEST_COLD, LARGEST_CACHED = 0.5, 0.020
"""Seconds that a kernel of 200 lines may take."""
SOURCES = ("conv2d", "pool2d", "elementwise")
"""Kernels of the operator library, the first one of 200 lines."""
MEASURE = """
import sys, time
from pathlib import Path
from zhisuan import bcl
path = Path(sys.argv[1])
text = path.read_text(encoding="utf-8")
def seconds(source):
    start = time.perf_counter()
    bcl.compile(source, str(path))
    return time.perf_counter() - start
first = seconds(text)
cold = [seconds(f"{text}// {number}") for number in range(int(sys.argv[2]))]
cached = [seconds(text) for number in range(int(sys.argv[2]))]
print(first, sorted(cold)[len(cold) // 2], sorted(cached)[len(cached) // 2])
"""


def seconds(name: str, rounds: int = ROUNDS) -> tuple[int, list[float]]:
    """Lines of a kernel; seconds of the first compilation ever, of a new source, from the cache."""
    path = Path(zhisuan.kernels.__file__).parent / f"{name}.bcl"
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path), str(rounds)],
            capture_output=True, text=True, check=True, env=os.environ | {"ZHISUAN_CACHE": cache},
        )  # fmt: skip
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return lines, [float(word) for word in done.stdout.split()]


def section(rounds: int = ROUNDS) -> str:
    lines = [
        f"Kernels of the library at -O2, medians of {rounds}, in seconds. Asked of 200 lines: "
        f"at most {LARGEST_COLD} s for a new source, {1000 * LARGEST_CACHED:.0f} ms from the "
        "cache. The first compilation of all reads the built-ins' headers as well, which are kept "
        "afterwards.",
        "",
        "| kernel | lines | first of all | new source | from the cache |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in SOURCES:
        count, (first, cold, cached) = seconds(name, rounds)
        lines.append(f"| {name} | {count} | {first:.2f} | {cold:.2f} | {cached:.4f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(section())
