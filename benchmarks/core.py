"""The native core by itself: how long it takes to compile, and how fast it runs scalar code."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import SCALAR_RUN, TraceBuilder

ROUNDS = 5
LARGEST_COMPILE = 15
"""Seconds that compiling the core may take."""
LEAST_RATE = 100e6
"""Scalar instructions a second that are asked for."""
SOURCE = """
__mlu_entry__ void sieve(int *count, int n) {
  __nram__ char composite[400000];
  for (int i = 0; i < n; i++) composite[i] = 0;
  int found = 0;
  for (int i = 2; i < n; i++) {
    if (composite[i]) continue;
    found++;
    for (int j = i; j < n; j += i) composite[j] = 1;
  }
  *count = found;
}

__mlu_entry__ void collatz(int *longest, int n) {
  int best = 0;
  for (int i = 1; i < n; i++) {
    long x = i;
    int steps = 0;
    while (x != 1) {
      x = x & 1 ? 3 * x + 1 : x / 2;
      steps++;
    }
    if (steps > best) best = steps;
  }
  *longest = best;
}
"""
KERNELS = {"sieve": (400_000, 33_860), "collatz": (100_000, 350)}
"""Kernel → its argument, and what it must find: primes below it, or steps of the longest chain."""
COMPILE = """
import time
from zhisuan.sim import native_core
start = time.perf_counter()
native_core.library()
print(time.perf_counter() - start)
"""


def compile_seconds() -> float:
    """The first use of the core with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", COMPILE], capture_output=True, text=True, check=True,
            env=os.environ | {"ZHISUAN_CACHE": cache},
        )  # fmt: skip
    return float(done.stdout)


def scalar_rate(kernel: str, rounds: int = ROUNDS) -> tuple[int, float]:
    """Instructions that a kernel executes, and the median seconds of that."""
    program = bcl.compile(SOURCE, "scalar.bcl").program
    size, expected = KERNELS[kernel]
    seconds, count = [], 0
    for _ in range(rounds):
        memory, builder = Memory(load("dlp-s")), TraceBuilder()
        memory.reserve(GDRAM.base + 64)
        start = time.perf_counter()
        execute(program, kernel, [GDRAM.base, size], memory, builder, label=kernel)
        seconds.append(time.perf_counter() - start)
        assert memory.read(GDRAM.base, np.int32, 1)[0] == expected
        trace = builder.build()
        count = int(trace.a[:, trace.opcode == SCALAR_RUN].sum())
    return count, statistics.median(seconds)


def section() -> str:
    lines = [
        f"Compiling the core with an empty cache: {compile_seconds():.1f} s "
        f"(asked: at most {LARGEST_COMPILE}), once. Scalar code, kernels in BCL on one host thread "
        f"(asked: at least {LEAST_RATE / 1e6:.0f} M instructions/s):",
        "",
        "| kernel | instructions | s | M instructions/s |",
        "|---|---:|---:|---:|",
    ]
    for kernel in KERNELS:
        count, seconds = scalar_rate(kernel)
        lines.append(f"| {kernel} | {count:,} | {seconds:.3f} | {count / seconds / 1e6:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(section())
