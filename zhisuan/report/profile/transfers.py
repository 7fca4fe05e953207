"""What instructions moved: bytes, segments, and how much of it DRAM moved in vain.

Comes in: a trace, its workload.  Goes out: columns over trace rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.isa.address import GDRAM
from zhisuan.isa.constant_address import plain
from zhisuan.isa.registry import Unit
from zhisuan.sim.trace import Trace
from zhisuan.sim.workload import Workload


@dataclass(frozen=True)
class Moved:
    """Over rows, int64, 0 where nothing is moved: bytes asked for, their segments, and what the
    DRAM moved for them; the range of GDRAM that is read, from `low` to `high`; bool: atomic
    operations."""

    asked: np.ndarray
    segments: np.ndarray
    dram: np.ndarray
    low: np.ndarray
    high: np.ndarray
    atomic: np.ndarray


def moved(trace: Trace, work: Workload) -> Moved:
    asked, segments = np.zeros(len(trace), np.int64), np.zeros(len(trace), np.int64)
    low, high = np.zeros(len(trace), np.int64), np.zeros(len(trace), np.int64)
    atomic = np.zeros(len(trace), np.bool_)
    for row, mode, rows in trace.groups():
        if row.unit in (Unit.IO, Unit.MOVE):
            o = trace.operands(row, mode, rows)
            for touch in row.touches(o):
                atomic[rows] |= touch.atomic
                if not touch.writes:
                    base, span = np.asarray(touch.base), np.asarray(touch.span)
                    low[rows] = np.where(base >= GDRAM.base, base, 0)
                    high[rows] = np.where(base >= GDRAM.base, base + span, 0)
            o = plain(o)
            pieces = o.n * o.n1 if hasattr(o, "n1") else 1 + 0 * rows
            segments[rows] = pieces
            asked[rows] = o.size * pieces if hasattr(o, "size") else 0
    return Moved(asked, segments, work.dram_read + work.dram_written, low, high, atomic)
