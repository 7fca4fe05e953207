"""The points of a sweep, and what is measured at each.

Comes in: a sweep.  Goes out: its points in a fixed order; and for a point on a program, a
`Row` of the table.  A machine that cannot be, or cannot run the program, gives a row that says
why.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from zhisuan.arch.area import area
from zhisuan.arch.describe import vary
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.program import Program
from zhisuan.explore.sweep_file import Sweep, Value
from zhisuan.report.peak import peak
from zhisuan.sim.energy import energy
from zhisuan.sim.timing import replay

MEASURED = {
    "cycles": "duration of the program",
    "milliseconds": "the same at the machine's clock",
    "utilisation": "the graph's MACs / (cycles × the chip's MACs per cycle); empty for traces",
    "dram_megabytes": "moved to and from DRAM, in whole access units",
    "millijoules": "energy of the program; empty for machines without a [technology]",
    "square_millimetres": "area of the chip; empty for machines without a [technology]",
}
"""Columns of results, and what they are."""


@dataclass(frozen=True)
class Point:
    """A machine of the sweep by the values that make it, on a program; `number` names it."""

    number: int
    program: str
    changes: dict[str, Value]


@dataclass(frozen=True)
class Row:
    """What came out at a point: texts by column of MEASURED, or why there is nothing."""

    point: Point
    measured: dict[str, str]
    impossible: str = ""


def points(sweep: Sweep) -> Iterator[Point]:
    """Every point, machines in the order of the file (the last key changes fastest)."""
    total = sweep.combinations
    chosen = range(total)
    if 0 < sweep.sample < total:
        chosen = sorted(random.Random(sweep.seed).sample(range(total), sweep.sample))
    number = 0
    for index in chosen:
        changes = _combination(sweep.vary, index)
        for program in sweep.programs:
            yield Point(number, program, changes)
            number += 1


def _combination(choices: dict[str, tuple[Value, ...]], index: int) -> dict[str, Value]:
    changes = {}
    for key, offered in reversed(choices.items()):
        index, which = divmod(index, len(offered))
        changes[key] = offered[which]
    return {key: changes[key] for key in choices}


def measure(point: Point, program: Program, base: Machine) -> Row:
    """Run the program on the point's machine and take every measure of MEASURED."""
    try:
        machine = vary(base, point.changes, "sweep")
        run = program.run(machine)
        timing = replay(run.trace, machine)
        found: dict[str, str] = {
            "cycles": str(timing.total),
            "milliseconds": f"{1e3 * timing.total / machine.clock_hz:.6g}",
            "dram_megabytes": f"{int((timing.dram_read + timing.dram_written).sum()) / 1e6:.6g}",
        }
        slots = timing.total * peak(run.trace, machine).macs_per_cycle
        if run.macs and slots:
            found["utilisation"] = f"{run.macs / slots:.4f}"
        if machine.technology is not None:
            spent = energy(run.trace, timing, machine).total
            found["millijoules"] = f"{spent / 1e12:.6g}"
            found["square_millimetres"] = f"{sum(area(machine).values()):.6g}"
    except ZhisuanError as error:
        return Row(point, {}, error.what)
    return Row(point, found)
