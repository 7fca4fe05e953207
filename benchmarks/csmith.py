"""Random C programs of csmith on the chip and on the host: `python -m benchmarks.csmith`.

Comes in: how many programs, and the first seed.  csmith and its headers must be installed (Debian:
csmith, libcsmith-dev).  Goes out: how many programs end with the host's checksum, and the seeds of
those that do not.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import c_on_chip
from zhisuan.base.errors import ZhisuanError

TITLE = "Random programs of csmith"
HEADERS = Path("/usr/include/csmith")
OPTIONS = (
    "--no-argc",
    "--max-funcs",
    "3",
    "--max-block-size",
    "3",
    "--max-block-depth",
    "3",
    "--max-array-dim",
    "2",
)
SECONDS = 1
"""How long a program may run on the host; csmith makes some that never end."""
CHECKSUM = """
void __chip_result(unsigned long);
int printf(const char *format, unsigned value) { __chip_result(value); return 0; }
"""


@dataclass(frozen=True)
class Outcome:
    seed: int
    kind: str  # agrees, differs, skipped
    why: str = ""


def attempt(seed: int) -> Outcome:
    """One program at an optimisation level of its own, on both."""
    command = ["csmith", *OPTIONS, "--seed", str(seed)]
    source = subprocess.run(command, capture_output=True, text=True).stdout
    expected = on_host(source)
    if expected is None:
        return Outcome(seed, "skipped", "does not end on the host")
    optimize = (2, 0, 1, 3)[seed % 4]
    try:
        flags = ("-I", str(HEADERS), "-fwrapv")
        llvm = c_on_chip.translate(source, Path(f"seed{seed}.c"), optimize, flags)
        checksum = c_on_chip.translate(CHECKSUM, Path("checksum.c"), 1)
        ended = c_on_chip.run(c_on_chip.build(llvm, f"seed{seed}", checksum))
    except ZhisuanError as error:
        return Outcome(seed, "differs", f"-O{optimize}: {error.what}")
    except Exception as error:  # a crash of the compiler is a result to count
        return Outcome(seed, "differs", f"-O{optimize}: {type(error).__name__}: {error}"[:160])
    if ended.code == 0 and ended.result == expected:
        return Outcome(seed, "agrees")
    found = ended.fault or f"checksum {ended.result:X} instead of {expected:X}"
    return Outcome(seed, "differs", f"-O{optimize}: {found}")


def on_host(source: str) -> int | None:
    """The checksum that the host's compiler gives, or None for a program without an end."""
    compiler = shutil.which("gcc") or shutil.which("cc") or "cc"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.c"
        program.write_text(source, encoding="utf-8")
        command = [compiler, "-w", "-O0", "-fwrapv", "-I", str(HEADERS), "-o", f"{folder}/run"]
        subprocess.run([*command, str(program)], check=True, capture_output=True)
        try:
            done = subprocess.run([f"{folder}/run"], capture_output=True, text=True,
                                  timeout=SECONDS)  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    found = re.search(r"checksum = ([0-9A-F]+)", done.stdout)
    return int(found[1], 16) if found else None


def page(counts: Counter[str], differing: list[str], first: int) -> str:
    """The counts as Markdown."""
    total = sum(counts.values())
    words = " ".join(OPTIONS)
    lines = [
        f"`make csmith PROGRAMS={total}`: csmith {words}, seeds {first} to {first + total - 1}, a",
        "quarter of them each at -O0 to -O3; the host's checksum is gcc's at -O0.",
        f"\n{total:,} programs: **{counts['agrees']:,} agree with the host**,"
        f" {counts['differs']} differ, {counts['skipped']} do not end on the host within"
        f" {SECONDS} s.\n",
    ]
    return "\n".join(lines + [f"- {line}" for line in differing])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="record the run in docs/")
    args = parser.parse_args()
    start = time.perf_counter()
    counts: Counter[str] = Counter()
    differing: list[str] = []
    with ProcessPoolExecutor(args.processes) as pool:
        seeds = range(args.first, args.first + args.programs)
        for outcome in pool.map(attempt, seeds, chunksize=4):
            counts[outcome.kind] += 1
            if outcome.kind == "differs":
                differing.append(f"seed {outcome.seed} {outcome.why}")
                print(differing[-1], flush=True)
            if sum(counts.values()) % 100 == 0:
                print(dict(counts), f"{time.perf_counter() - start:.0f} s", flush=True)
    text = page(counts, differing, args.first)
    print(text)
    if args.write:
        c_on_chip.record(TITLE, text)
    print(dict(counts), f"in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
