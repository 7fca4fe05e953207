"""The native walk through time and the native caches, compiled C.

Comes in: what `walk.walk` and `caches.waits` take.  Goes out: the same, bit by bit, only sooner.
"""

from __future__ import annotations

import ctypes

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Queue
from zhisuan.sim import native_header as header
from zhisuan.sim.caches import COUNTS, STALLS, Requests, sizes
from zhisuan.sim.dram import pace
from zhisuan.sim.native_core import library
from zhisuan.sim.schedule import WAITS, Schedule, empty_schedule
from zhisuan.sim.walk import barriers_do_not_fit
from zhisuan.sim.workload import Workload


def walk(work: Workload, machine: Machine, launches: int) -> Schedule:
    """`walk.walk`, natively."""
    rows = len(work.kind)
    plan = empty_schedule(rows, launches, machine)
    task = header.Replay()
    task.rows, task.launches, task.places = rows, launches, plan.core_cycles.shape[1]
    task.window = min(max(machine.queues.window, 1), rows + 1)  # more would never fill
    task.overhead = machine.launch.overhead
    depths = (machine.queues.compute, machine.queues.io, machine.queues.move)
    task.depth[:] = [max(depth, 1) for depth in depths]
    task.resources, task.clusters = work.shares.resources, work.shares.clusters
    dram, dram_space = _dram(work, machine)
    task.dram = ctypes.addressof(dram) if dram is not None else None
    columns = {
        "kind": work.kind.view(np.uint8),
        "writes": work.writes.view(np.uint8),
        **{name: getattr(work, name) for name in _WORK_COLUMNS},
        **{f"share_{name}": getattr(work.shares, name) for name in _SHARE_COLUMNS},
        **{f"stretch_{name}": getattr(work.stretches, name) for name in _STRETCH_COLUMNS},
        "launch_stretch": np.searchsorted(work.stretches.launch, np.arange(launches + 1)),
        **{name: getattr(plan, name) for name in Schedule.__dataclass_fields__},
        **_working_space(work, task),
    }
    _point(task, columns)
    if dram is not None:
        _point(dram, dram_space)
    if not library().zhisuan_replay(ctypes.byref(task)):
        raise barriers_do_not_fit()
    return plan


def _point(task, columns: dict[str, np.ndarray]) -> None:  # type: ignore[no-untyped-def]
    """Give a C structure its arrays."""
    for name, column in columns.items():
        assert column.flags.c_contiguous, name
        setattr(task, name, column.ctypes.data)


def _dram(work: Workload, machine: Machine):  # type: ignore[no-untyped-def]
    """The DRAM's channels for C and their arrays; None where it has none."""
    if machine.channels is None:
        return None, {}
    numbers, blocks = pace(machine), work.shares.blocks
    dram = header.Dram()
    for name, value in vars(numbers).items():
        setattr(dram, name, value)
    banks = numbers.channels * numbers.banks
    space = {name: np.zeros(numbers.channels, np.int64) for name in _CHANNEL_COLUMNS}
    space |= {"open": np.full(banks, -1, np.int64), "may_close": np.zeros(banks, np.int64)}
    return dram, {**space, **{f"block_{name}": column for name, column in vars(blocks).items()}}


def waits(
    asked: Requests, machine: Machine, rows: int, launches: int, places: int
) -> tuple[np.ndarray, np.ndarray]:
    """`caches.waits`, natively."""
    numbers, task = sizes(machine), header.Caches()
    for name, value in vars(numbers).items():
        setattr(task, name, value)
    task.rows, task.requests = rows, len(asked.row)
    lines = {
        "code": places * numbers.code_sets * numbers.code_ways,
        "pages": places * numbers.tlb_entries,
        "llc": numbers.llc_sets * numbers.llc_ways,
        "current": places,
    }
    stalls = np.zeros((len(STALLS), rows), np.int64)
    counts = np.zeros((launches, len(COUNTS)), np.int64)
    held = {name: np.full(size, -1, np.int64) for name, size in lines.items()}
    _point(task, {**vars(asked), **held, "stalls": stalls, "counts": counts})
    library().zhisuan_caches(ctypes.byref(task))
    return stalls, counts


def _working_space(work: Workload, task) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    rows, places = task.rows, task.places
    missing = np.bincount(work.meeting[work.meeting >= 0]).astype(np.int64)
    sizes = {
        "busy_until": rows,
        "decoded": rows,
        "waited_before": len(WAITS) * rows,
        "fifo": len(Queue) * rows,
        "starts": len(Queue) * rows,
        "window_rows": places * (task.window + 1),  # one more while it waits for room
        "resource_free": task.resources,
        "release": len(missing),
    }
    space = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
    walkers = np.zeros(places * ctypes.sizeof(header.Walker), np.uint8)
    return {**space, "missing": missing, "walkers": walkers}


_WORK_COLUMNS = ("decode", "stalls", "occupancy", "latency", "mask", "low", "high", "meeting")
_CHANNEL_COLUMNS = ("bus", "next_activate", "writing", "written", "before", "turn_of")
_SHARE_COLUMNS = ("first", "resource", "cycles")
_STRETCH_COLUMNS = ("place", "first", "end")
