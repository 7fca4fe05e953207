"""Instruction streams written by hand: the trace a program would leave, without its values.

Comes in: instructions with their operands.  Goes out: their timing on a machine, by the same
replay that times every program.
"""

from __future__ import annotations

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.address import GDRAM, NRAM, WRAM
from zhisuan.isa.table import BY_NAME
from zhisuan.sim.timing import UNITS, Timing, replay
from zhisuan.sim.trace import ROW, Trace, TraceBuilder

__all__ = ["GDRAM", "NRAM", "WRAM", "Stream", "busy", "working"]

COMPUTE, IO, MOVE = 1, 2, 4
"""Queues as SYNC names them."""


class Stream:
    """Instructions in program order."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []

    def add(self, name: str, mode: str = "", /, **operands: int) -> None:
        """Append an instruction with all its operands by name, and what it notes, if not 0."""
        instruction = BY_NAME[name]
        row = np.zeros(1, ROW)
        row["opcode"], row["mode"] = instruction.opcode, instruction.modes.index(mode)
        for position, operand in enumerate(instruction.operands):
            row["a"][0, position] = operands.pop(operand.name)
        for position, note in enumerate(instruction.noted, len(instruction.operands)):
            row["a"][0, position] = operands.pop(note, 0)
        assert not operands, f"{name} has no operands {', '.join(operands)}"
        self._rows.append(row)

    def load(self, size: int, to: int = NRAM.base) -> None:
        self.add("VLOAD", dst=to, size=size, src=GDRAM.base)

    def store(self, size: int, source: int = NRAM.base) -> None:
        self.add("VSTORE", dst=GDRAM.base, size=size, src=source)

    def load_weights(self, size: int, to: int = WRAM.base) -> None:
        self.add("MLOAD", dst=to, size=size, src=GDRAM.base)

    def sync(self, queues: int = COMPUTE | IO | MOVE) -> None:
        self.add("SYNC", queues=queues)

    def product(self, mode: str, rows: int, inputs: int, outputs: int, *, source: int = NRAM.base,
                to: int = NRAM.base, weight: int = WRAM.base) -> None:  # fmt: skip
        """[rows, inputs] times [inputs, outputs], as a convolution of 1 × 1."""
        self.convolution(mode, (1, rows), (1, 1), inputs, outputs, source=source, to=to,
                         weight=weight)  # fmt: skip

    def convolution(self, mode: str, pixels: tuple[int, int], kernel: tuple[int, int],
                    inputs: int, outputs: int, *, source: int = NRAM.base, to: int = NRAM.base,
                    weight: int = WRAM.base,
                    noted: tuple[int, int] = (0, 0)) -> None:  # fmt: skip
        """A convolution of stride 1 to so many rows and columns of output pixels; `noted` of its
        weights is only for machines that skip zeros."""
        self.add("CONV", mode, dst=to, src=source, weight=weight,
                 geometry=_quarters(*pixels, *kernel), channels=inputs | outputs << 32,
                 steps=_quarters(1, 1, 1, 1), pitches=0, paced=noted[0],
                 nonzero=noted[1])  # fmt: skip

    def trace(self, label: str = "anchor") -> Trace:
        builder = TraceBuilder()
        builder.add(label, "anchor", "anchor", self._rows)
        return builder.build()

    def timing(self, machine: Machine) -> Timing:
        return replay(self.trace(), machine)


def _quarters(*fields: int) -> int:
    """Four fields of 16 bits as the signed 64-bit number of a trace."""
    packed = sum(field << (16 * place) for place, field in enumerate(fields))
    return packed - (packed >> 63 << 64)


def busy(timing: Timing, unit: str) -> int:
    """Cycles in which a unit works."""
    return int(timing.cycles[..., UNITS.index(unit), timing.causes.index("busy")].sum())


def working(timing: Timing) -> int:
    """Cycles in which at least one unit works: all but decoding and waiting for latencies."""
    rows = np.flatnonzero(timing.queued >= 0)
    order = rows[np.argsort(timing.start[rows], kind="stable")]
    total = reached = 0
    for start, end in zip(timing.start[order], timing.end[order], strict=True):
        total += max(0, int(end) - max(int(start), reached))
        reached = max(reached, int(end))
    return total
