"""What queued instructions read and wrote on the chip, memory by memory.

Comes in: a trace and its workload.  Goes out: byte ranges, each with the core (or, of SRAM, the
cluster) whose memory it lies in.  A strided access is the range around all of it.  Scalar
instructions are not here: a trace has no addresses of theirs on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.isa.address import NRAM, SRAM, WRAM
from zhisuan.sim.checks.accesses import Reach, reach
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.timing import Timing
from zhisuan.sim.trace import Trace
from zhisuan.sim.workload import Workload

MEMORIES = (NRAM, WRAM, SRAM)


@dataclass(frozen=True)
class Touches:
    """Columns: trace row, memory (a position in MEMORIES), owner (a core's place; of SRAM a
    cluster), bytes [low, high) counted from the memory's begin, whether they are written."""

    row: np.ndarray
    memory: np.ndarray
    owner: np.ndarray
    low: np.ndarray
    high: np.ndarray
    writes: np.ndarray

    def of(self, memory: int, owner: int) -> np.ndarray:
        """The indices of one memory, in the order of the rows."""
        return np.flatnonzero((self.memory == memory) & (self.owner == owner))


def touches(trace: Trace, timing: Timing, work: Workload) -> Touches:
    places = _Places(trace, timing, work)
    parts = []
    for row, mode, rows in trace.groups():
        if not row.is_queued:
            continue
        o = trace.operands(row, mode, rows)
        where = reach(row.name, mode)
        for touch in row.touches(o):
            base = np.broadcast_to(np.asarray(touch.base, np.int64), rows.shape)
            span = np.broadcast_to(np.asarray(touch.span, np.int64), rows.shape)
            for number, space in enumerate(MEMORIES):
                here = (base >= space.base) & (base < space.base + space.window) & (span > 0)
                if not here.any():
                    continue
                far = where if touch.writes else Reach.OWN
                which, owner = places.owners(rows[here], number, far, o, here)
                low = base[here][which] - space.base
                full = np.full(len(which), number), np.full(len(which), touch.writes)
                parts.append(
                    (rows[here][which], full[0], owner, low, low + span[here][which], full[1])
                )
    if not parts:
        nothing = np.zeros(0, np.int64)
        return Touches(nothing, nothing, nothing, nothing, nothing, nothing.astype(bool))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Touches(*(column[order] for column in columns))


class _Places:
    """Whose memory an instruction touches."""

    def __init__(self, trace: Trace, timing: Timing, work: Workload) -> None:
        self.trace, self.work = trace, work
        self.width = np.array([launch.clusters for launch in trace.launches])
        cores = timing.cores
        self.compute = [
            np.array([i for i, (c, k) in enumerate(cores) if c == cluster and k != MEMORY_CORE])
            for cluster in range(timing.machine.chip.clusters)
        ]

    def owners(
        self, rows: np.ndarray, memory: int, far: Reach, o: object, here: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(which of `rows`, owner), a row once for each memory that it touches."""
        all_rows = np.arange(len(rows))
        cluster = self.trace.cluster[rows].astype(np.int64)
        if MEMORIES[memory] is SRAM:
            if far is Reach.CLUSTER:
                width = self.width[self.trace.launch[rows]]
                target = np.broadcast_to(np.asarray(o.cluster), here.shape)[here]  # type: ignore[attr-defined]
                return all_rows, cluster // width * width + target
            return all_rows, cluster
        if far is not Reach.CORES:
            return all_rows, self.work.place[rows]
        cores = [self.compute[c] for c in cluster.tolist()]
        which = np.repeat(all_rows, [len(places) for places in cores])
        return which, np.concatenate(cores)
