"""What a trace asks of a machine: occupancy, latency and touched bytes of every row.

Comes in: a trace and a machine.  Goes out: `Workload`, columns ready for the walk through time.
The cost formulas of the instruction table are evaluated here, once per instruction and mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, LDRAM
from zhisuan.isa.constant_address import plain
from zhisuan.isa.registry import SYNC_ALL, Instruction, Operands, Queue, Unit
from zhisuan.sim.caches import STALLS
from zhisuan.sim.shares import Collector, Shares
from zhisuan.sim.tasks import MEMORY_CORE, has_memory_cores
from zhisuan.sim.trace import BARRIER_OPCODE, COST_CLASSES, MEETING, SCALAR_RUN, Trace

SCALAR_KIND = 0  # other kinds are the values of Unit, and:
SYNC_KIND = 5
BARRIER_KIND = 6
TOUCHES = 4
"""Most byte ranges one compute instruction touches."""


@dataclass(frozen=True)
class Workload:
    """Columns over the n rows of a trace; int64 unless said otherwise, cycles or addresses."""

    kind: np.ndarray  # int8: SCALAR_KIND, a Unit value, or SYNC_KIND
    decode: np.ndarray  # cycles the decoder is held by the row, `stalls` among them
    stalls: np.ndarray  # [STALLS, n]: what it waits for off-chip accesses; `measure` leaves 0
    occupancy: np.ndarray  # cycles its unit is busy
    latency: np.ndarray  # from there to the result being visible
    mask: np.ndarray  # queues a SYNC waits for
    low: np.ndarray  # [TOUCHES, n], compute rows: first byte touched
    high: np.ndarray  # [TOUCHES, n]: byte after the last; equal to low where nothing is touched
    writes: np.ndarray  # [TOUCHES, n] bool
    dram_read: np.ndarray  # bytes, whole access units
    dram_written: np.ndarray
    mac_slots: np.ndarray  # multiply-accumulates the matrix unit could have done
    place: np.ndarray  # the number of the core, as `places` counts them
    meeting: np.ndarray  # of a BARRIER: the number of its meeting in the trace
    stretches: Stretches
    shares: Shares


@dataclass(frozen=True)
class Stretches:
    """The rows of each core in each launch, int64[s]: [first, end), in the order of the trace.

    `place` numbers the machine's cores as `places` does.
    """

    launch: np.ndarray
    place: np.ndarray
    first: np.ndarray
    end: np.ndarray


def places(machine: Machine) -> tuple[tuple[int, int], ...]:
    """(cluster, core) of every core of a machine, each memory core after its cluster's others."""
    cores = [*range(machine.chip.cores_per_cluster)]
    cores += [MEMORY_CORE] * has_memory_cores(machine)
    return tuple((cluster, core) for cluster in range(machine.chip.clusters) for core in cores)


def measure(trace: Trace, machine: Machine) -> Workload:
    """Evaluate every cost formula for the rows of `trace` on `machine`."""
    n = len(trace)
    stretches = _stretches(trace, machine)
    place = np.repeat(stretches.place, stretches.end - stretches.first)
    collector = Collector(trace, machine, place)
    work = Workload(
        kind=np.zeros(n, np.int8),
        decode=np.ones(n, np.int64),
        stalls=np.zeros((len(STALLS), n), np.int64),
        low=np.zeros((TOUCHES, n), np.int64),
        high=np.zeros((TOUCHES, n), np.int64),
        writes=np.zeros((TOUCHES, n), np.bool_),
        meeting=_meetings(trace),
        place=place,
        stretches=stretches,
        shares=collector.shares,
        **{name: np.zeros(n, np.int64) for name in _PLAIN_COLUMNS},
    )
    work.mask[_ends_before_a_task(trace)] = SYNC_ALL
    runs = trace.opcode == SCALAR_RUN
    prices = np.array([getattr(machine.scalar, name) for name in COST_CLASSES], np.int64)
    work.decode[runs] = prices @ trace.a[:, runs]
    for row, mode, rows in trace.groups():
        operands = trace.operands(row, mode, rows)
        if row.unit is Unit.SCALAR:
            at_barrier = row.opcode == BARRIER_OPCODE
            work.kind[rows] = BARRIER_KIND if at_barrier else SYNC_KIND
            work.decode[rows] = getattr(machine.scalar, row.cost)
            work.mask[rows] = SYNC_ALL if at_barrier else trace.a[0, rows]
        else:
            _measure_group(work, machine, row, operands, rows)
            work.latency[rows] += collector.add(row, operands, rows, work.occupancy[rows])
    collector.finish()
    return work


def _stretches(trace: Trace, machine: Machine) -> Stretches:
    known = {place: number for number, place in enumerate(places(machine))}
    changes = [np.diff(column) != 0 for column in (trace.launch, trace.cluster, trace.core)]
    first = np.flatnonzero(np.concatenate([[len(trace) > 0], np.logical_or.reduce(changes)]))
    first = first.astype(np.int64)
    where = list(zip(trace.cluster[first].tolist(), trace.core[first].tolist(), strict=True))
    for cluster, core in where:
        if (cluster, core) not in known:
            named = "memory core" if core == MEMORY_CORE else f"core {core}"
            raise ZhisuanError(
                "the trace is of a larger chip",
                expected=f"cores of machine '{machine.name}': {machine.chip.clusters} clusters of "
                f"{machine.chip.cores_per_cluster}",
                found=f"cluster {cluster}, {named}",
                hint="run the program again on this machine",
            )
    numbers = np.array([known[place] for place in where], np.int64)
    end = np.append(first[1:], len(trace))[: len(first)].astype(np.int64)
    return Stretches(trace.launch[first].astype(np.int64), numbers, first, end)


def _meetings(trace: Trace) -> np.ndarray:
    """int64[rows]: the launches' meetings in one row of numbers; -1 where there is none."""
    found = np.full(len(trace), -1, np.int64)
    rows = np.flatnonzero(trace.opcode == BARRIER_OPCODE)
    keys = trace.launch[rows].astype(np.int64) << 40 | trace.a[MEETING, rows]
    found[rows] = np.unique(keys, return_inverse=True)[1].reshape(-1)
    return found


def _ends_before_a_task(trace: Trace) -> np.ndarray:
    """The last row of each task that another follows on its core: there the queues drain."""
    if not len(trace):
        return np.zeros(0, np.int64)
    same = np.ones(len(trace) - 1, np.bool_)
    for column in (trace.launch, trace.cluster, trace.core):
        same &= column[1:] == column[:-1]
    return np.flatnonzero(same & (trace.task[1:] != trace.task[:-1]))


_PLAIN_COLUMNS = ("occupancy", "latency", "mask", "dram_read", "dram_written", "mac_slots")


def _measure_group(
    work: Workload, machine: Machine, row: Instruction, o: Operands, rows: np.ndarray
) -> None:
    assert row.cycles is not None
    cycles = np.broadcast_to(np.asarray(row.cycles(machine, o), np.int64), rows.shape)
    if cycles.min(initial=1) < 1:
        raise ZhisuanError(f"the cost formula of {row.name} gives no cycles",
                           expected="at least 1 cycle", found=f"{cycles.min()}")  # fmt: skip
    work.kind[rows] = row.unit.value
    work.occupancy[rows] = cycles
    work.latency[rows] = machine.latency(row.latency)
    if row.unit.queue is Queue.COMPUTE:
        _note_touches(work, row, o, rows)
    if row.unit is Unit.IO:
        _note_traffic(work, machine, row, o, rows)
    if row.unit is Unit.MFU:
        lanes = machine.matrix.elements * getattr(machine.matrix, f"lanes_{o.mode.split('.')[0]}")
        work.mac_slots[rows] = cycles * lanes


def _note_touches(work: Workload, row: Instruction, o: Operands, rows: np.ndarray) -> None:
    for i, touch in enumerate(row.touches(o)):
        work.low[i, rows] = touch.base
        work.high[i, rows] = touch.base + np.maximum(touch.span, 0)
        work.writes[i, rows] = touch.writes


def _note_traffic(
    work: Workload, machine: Machine, row: Instruction, o: Operands, rows: np.ndarray
) -> None:
    """DRAM bytes of a transfer: every segment rounded up to whole access units."""
    o = plain(o)
    segments = o.n * o.n1 if hasattr(o, "n1") else 1
    unit = machine.dram.access_bytes
    moved = ceil_div(o.size, unit) * unit * segments
    if any(space in row.writes for space in (LDRAM, GDRAM)):
        work.dram_written[rows] = moved
    if any(space in row.reads for space in (LDRAM, GDRAM)):
        work.dram_read[rows] = moved
