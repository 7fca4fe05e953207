"""Many random programs, native core against reference executor; `make fuzz` runs 100,000.

Comes in: how many, and the first seed.  Goes out: the programs whose results differ, and, when
asked, a page that records the run.  Every instruction in every mode has its turn, again and
again, with random instructions between.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sim_fuzzer import Case, case_with, run

from zhisuan.base.files import write_atomically
from zhisuan.base.progress import bar
from zhisuan.isa.disasm import disassemble
from zhisuan.isa.table import ROWS
from zhisuan.sim import native_core

PAGE = Path(__file__).parents[2] / "docs" / "fuzz.md"
TURNS = [(row, mode) for row in ROWS for mode in row.modes]
SHARE = 500
"""Programs that a process runs at a time."""


@dataclass
class Tally:
    """differing: seeds of programs whose outcomes differ; faults: how often programs stopped."""

    programs: int = 0
    instructions: int = 0
    faults: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    differing: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.programs += other.programs
        self.instructions += other.instructions
        self.faults += other.faults
        self.kinds += other.kinds
        self.differing += other.differing


def case_of(seed: int) -> Case:
    """Program number `seed`: the next instruction and mode in turn."""
    row, mode = TURNS[seed % len(TURNS)]
    return case_with(row, mode, seed)


def share(first: int, count: int) -> Tally:
    """Programs first to first + count - 1, on both executors."""
    tally = Tally()
    for seed in range(first, first + count):
        case = case_of(seed)
        expected = run(case, "reference")
        tally.programs += 1
        tally.instructions += len(case.program.words)
        tally.faults += bool(expected.fault)
        if expected.fault:
            tally.kinds[expected.fault.split("\n")[0].removeprefix("error: ")] += 1
        if run(case, "native") != expected:
            tally.differing.append(seed)
    return tally


def shares(first: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + count, SHARE):
        yield start, min(SHARE, first + count - start)


def fuzz(first: int, count: int) -> Tally:
    """All shares, over the host's processors."""
    native_core.library()  # compiled once, not by every process
    total = Tally()
    with ProcessPoolExecutor() as pool, bar("random programs", count) as progress:
        starts, sizes = zip(*shares(first, count), strict=True)
        for tally in pool.map(share, starts, sizes):
            total.add(tally)
            progress.advance(tally.programs)
    return total


def page(tally: Tally, first: int, seconds: float) -> str:
    shown = "\n".join(f"| {what} | {times:,} |" for what, times in tally.kinds.most_common(12))
    return f"""# Random programs, native core against reference

Written by `make fuzz` on {platform.machine()}, {os.cpu_count()} processors.

{tally.programs:,} programs of {tally.instructions / tally.programs:.1f} instructions on average, seeds from {first:,}:
**{len(tally.differing)} differ** in a bit of memory, a register, a trace row or a message. Every one
of the {len(TURNS):,} pairs of instruction and mode led {tally.programs // len(TURNS):,} programs or more.
{seconds:,.0f} seconds. {tally.faults:,} programs stopped with a fault, the same on both sides:

| fault | programs |
|---|---|
{shown}
"""  # noqa: E501


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    options.add_argument("--programs", type=int, default=100_000)
    options.add_argument("--first-seed", type=int, default=1_000_000)
    options.add_argument("--write", action="store_true", help="record the run in docs/fuzz.md")
    chosen = options.parse_args()
    start = time.monotonic()
    tally = fuzz(chosen.first_seed, chosen.programs)
    text = page(tally, chosen.first_seed, time.monotonic() - start)
    print(text)
    if chosen.write:
        write_atomically(PAGE, text)
    for seed in tally.differing[:3]:
        print(f"seed {seed}\n{disassemble(case_of(seed).program)}")
    return 1 if tally.differing else 0


if __name__ == "__main__":
    sys.exit(main())
