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

HEADERS = Path("/usr/include/csmith")
OPTIONS = ("--no-argc", "--max-funcs", "5", "--max-block-size", "3", "--max-array-dim", "2")
SECONDS = 5
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    start = time.perf_counter()
    counts: Counter[str] = Counter()
    with ProcessPoolExecutor(args.processes) as pool:
        seeds = range(args.first, args.first + args.programs)
        for outcome in pool.map(attempt, seeds, chunksize=4):
            counts[outcome.kind] += 1
            if outcome.kind == "differs":
                print(f"seed {outcome.seed} {outcome.why}", flush=True)
            if sum(counts.values()) % 100 == 0:
                print(dict(counts), f"{time.perf_counter() - start:.0f} s", flush=True)
    print(dict(counts), f"in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
