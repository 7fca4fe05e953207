"""Quantities over time: bytes that DRAM moves, how full queues and memories are.

Comes in: a `Profile`.  Goes out: `Counter`s, steps in cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zhisuan.isa.registry import Queue, Unit
from zhisuan.report.palette import UNIT_NAMES
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.tasks import MEMORY_CORE

BINS = 1000
"""Stretches of equal length in which traffic is averaged."""
GIGA = 1e9


@dataclass(frozen=True)
class Counter:
    """From `cycles[i]` on the value is `values[i]`."""

    name: str
    unit: str
    cycles: np.ndarray
    values: np.ndarray


def counters(profile: Profile) -> Iterator[Counter]:
    """Traffic of the chip, the queues of each core, then memories."""
    for name, column in (("read", profile.work.dram_read), ("written", profile.work.dram_written)):
        edges, rate = traffic(profile, column)
        yield Counter(f"DRAM {name}", "GB/s", np.append(edges[:-1], edges[-1]),
                      np.append(rate / GIGA, 0.0))  # fmt: skip
    for place in profile.active.tolist():
        cluster, core = profile.report.timing.cores[place]
        name = "memory core" if core == MEMORY_CORE else f"core {core}"
        for queue in Queue:
            counter = _queue(profile, place, queue, f"cluster {cluster} {name}")
            if counter is not None:
                yield counter
    yield from _memories(profile)


def _memories(profile: Profile) -> Iterator[Counter]:
    """Bytes held in NRAM and WRAM of each core, and in each cluster's SRAM."""
    seen: set[str] = set()
    for place in profile.active.tolist():
        cluster, core = profile.report.timing.cores[place]
        for one in profile.memories.of_core(place):
            own = "" if one.memory == "SRAM" else f" core {core}"
            name = f"cluster {cluster}{own}: {one.memory} held"
            if name in seen:
                continue
            seen.add(name)
            total = one.total
            changed = np.append(True, np.diff(total) != 0)
            yield Counter(name, "bytes", one.moments[changed], total[changed])


def traffic(profile: Profile, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges of BINS stretches in cycles, and bytes per second in each; a transfer's bytes are
    spread evenly over its time."""
    timing = profile.report.timing
    edges = np.linspace(0, max(profile.total, 1), min(BINS, max(profile.total, 1)) + 1)
    rows = np.flatnonzero(moved)
    start, end = timing.start[rows], timing.end[rows]
    rate = moved[rows] / np.maximum(end - start, 1)
    moments, which = np.unique(np.concatenate([start, end]), return_inverse=True)
    steps = np.bincount(which.reshape(-1), np.concatenate([rate, -rate]), len(moments))
    if not len(rows):
        return edges.astype(np.int64), np.zeros(len(edges) - 1)
    speed = np.cumsum(steps)
    so_far = np.concatenate([[0], np.cumsum(speed[:-1] * np.diff(moments))])
    bytes_by = np.diff(np.interp(edges, moments, so_far))
    return edges.astype(np.int64), bytes_by / np.diff(edges) * profile.report.machine.clock_hz


def _queue(profile: Profile, place: int, queue: Queue, core: str) -> Counter | None:
    """How many instructions wait in a queue, from decoding to start."""
    units = [unit for unit in Unit if unit.queue is queue]
    kinds = [unit.value for unit in units]
    rows = np.flatnonzero((profile.work.place == place) & np.isin(profile.work.kind, kinds))
    if not len(rows):
        return None
    timing = profile.report.timing
    moments = np.concatenate([timing.queued[rows], timing.start[rows]])
    steps = np.repeat([1, -1], len(rows))
    unique, which = np.unique(moments, return_inverse=True)
    fill = np.cumsum(np.bincount(which.reshape(-1), steps, len(unique)))
    changed = np.append(True, np.diff(fill) != 0)
    name = " and ".join(UNIT_NAMES[unit.name.lower()] for unit in units)
    return Counter(f"{core}: {name} queue", "instructions", unique[changed], fill[changed])
