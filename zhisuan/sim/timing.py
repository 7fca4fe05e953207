"""Replay: the cycles of a trace on a machine, every cycle of every unit with its cause.

Comes in: a trace and a machine description.  Goes out: a `Timing`.  One trace can be replayed on
another machine in moments; replay never sees values and cannot change them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.sim import native_walk
from zhisuan.sim.caches import COUNTS, has_caches, requests, waits
from zhisuan.sim.execute import native_is_possible
from zhisuan.sim.schedule import CAUSES, EVENTS, UNITS, Schedule
from zhisuan.sim.trace import SCALAR_RUN, Trace
from zhisuan.sim.walk import walk
from zhisuan.sim.workload import (
    BARRIER_KIND,
    SCALAR_KIND,
    SYNC_KIND,
    Workload,
    measure,
    places,
)

__all__ = ["CAUSES", "EVENTS", "UNITS", "Timing", "replay"]


@dataclass(frozen=True)
class Timing(Schedule):
    """When everything happened, as the walk left it, and what else a trace says of its machine.

    core_cycles is in the order of `cores` ((cluster, core), memory cores too), `units` and
    `causes`; its sum over causes is the launch's duration; events in that of `event_names`.
    stalls[STALLS, row]: what the row's scalar accesses and its code kept the decoder waiting.
    Over launches: DRAM bytes; mac_slots, the multiply-accumulates the busy matrix units could have
    done; instructions[launch, unit].
    """

    machine: Machine
    stalls: np.ndarray
    dram_read: np.ndarray
    dram_written: np.ndarray
    mac_slots: np.ndarray
    instructions: np.ndarray
    units: tuple[str, ...] = field(default=UNITS)
    causes: tuple[str, ...] = field(default=CAUSES)
    event_names: tuple[str, ...] = field(default=EVENTS)

    @property
    def total(self) -> int:
        """Cycles from the first launch's start to the last one's end."""
        return int(self.launch_end[-1]) if len(self.launch_end) else 0

    @property
    def cores(self) -> tuple[tuple[int, int], ...]:
        """(cluster, core) of every core of the machine."""
        return places(self.machine)

    @property
    def cycles(self) -> np.ndarray:
        """[launch, unit, cause]: the sums over all cores."""
        return self.core_cycles.sum(axis=1)

    def launch_cycles(self) -> np.ndarray:
        """Duration of every launch; they add up to `total`."""
        return self.launch_end - self.launch_start


def replay(trace: Trace, machine: Machine, executor: str = "native") -> Timing:
    """Time `trace` on `machine`; `executor` "reference" takes the walk in Python."""
    work = measure(trace, machine)
    native = executor == "native" and native_is_possible()
    counted = _wait_for_caches(trace, work, machine, native)
    core = native_walk.walk if native else walk
    plan = core(work, machine, len(trace.launches))
    plan.events[:, -len(COUNTS) :] = counted

    def per_launch(column: np.ndarray) -> np.ndarray:
        total = np.zeros(len(trace.launches), np.int64)
        np.add.at(total, trace.launch, column)
        return total

    return Timing(
        machine=machine,
        **{name: getattr(plan, name) for name in Schedule.__dataclass_fields__},
        stalls=work.stalls,
        dram_read=per_launch(work.dram_read),
        dram_written=per_launch(work.dram_written),
        mac_slots=per_launch(work.mac_slots),
        instructions=np.stack([per_launch(column) for column in _counts(trace, work)], axis=1),
    )


def _wait_for_caches(trace: Trace, work: Workload, machine: Machine, native: bool) -> np.ndarray:
    """Enter what off-chip accesses and code keep the decoders waiting; what caches counted."""
    launches, places_ = len(trace.launches), len(places(machine))
    if not has_caches(machine):
        return np.zeros((launches, len(COUNTS)), np.int64)
    asked = requests(trace, machine, work.place)
    waits_of = native_walk.waits if native else waits
    stalls, counts = waits_of(asked, machine, len(trace), launches, places_)
    work.stalls[:] = stalls
    work.decode[:] += stalls.sum(axis=0)
    return counts


def _counts(trace: Trace, work: Workload) -> list[np.ndarray]:
    """Instructions of each unit in every row; SYNC and BARRIER count as scalar ones."""
    runs = np.where(trace.opcode == SCALAR_RUN, trace.a.sum(axis=0), 0)
    scalar = np.where(np.isin(work.kind, (SYNC_KIND, BARRIER_KIND)), 1, runs)
    rest = [(work.kind == unit).astype(np.int64) for unit in range(SCALAR_KIND + 1, len(UNITS))]
    return [scalar, *rest]
