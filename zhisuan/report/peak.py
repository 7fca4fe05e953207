"""What the matrix units of a chip could do at most, in the element type that a run multiplies.

In: a trace and its machine.  Out: the type and multiply-accumulates per cycle of the whole chip.
Of several types it is the fastest, so that no utilisation exceeds 1; of none it is FP16.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Unit
from zhisuan.sim.trace import Trace

NAMES = {"f16": "FP16", "f32": "FP32", "i4": "INT4", "i8": "INT8", "i16": "INT16"}


@dataclass(frozen=True)
class Peak:
    """The type's name for people, and multiply-accumulates per cycle of all cores."""

    kind: str
    macs_per_cycle: int


def peak(trace: Trace, machine: Machine) -> Peak:
    """The peak that a run is measured by."""
    kinds = {mode.split(".")[0] for row, mode in trace.kinds() if row.unit is Unit.MFU}
    known = [kind for kind in NAMES if kind in kinds] or ["f16"]
    lanes = {kind: getattr(machine.matrix, f"lanes_{kind}") for kind in known}
    fastest = max(known, key=lambda kind: lanes[kind])
    return Peak(NAMES[fastest], machine.matrix.elements * lanes[fastest] * machine.cores)
