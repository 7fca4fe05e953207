"""What a walk through time says: causes of waiting, counted events, and the columns of times.

Comes in: how many rows, launches and cores.  Goes out: an empty `Schedule`, for a walk to fill in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Unit
from zhisuan.sim import caches, dram
from zhisuan.sim.workload import places

UNITS = tuple(unit.name.lower() for unit in Unit)


class Cause(IntEnum):
    """What a unit does or waits for in a cycle; positions in CAUSES."""

    BUSY = 0
    OPERANDS = auto()  # an unfinished instruction still uses the addresses
    IN_ORDER = auto()  # behind another instruction of its queue
    WINDOW = auto()  # as many unfinished instructions as the interlock can compare
    DRAM = auto()  # DRAM serves another core, or a scalar load
    SRAM = auto()  # the cluster's SRAM serves other transfers
    NOC = auto()  # a link between clusters carries another transfer
    INSTRUCTION_FETCH = auto()  # the decoder waits for code
    CACHE = auto()  # a scalar load from the last-level cache
    TLB = auto()  # translation of an off-chip address
    BARRIER = auto()  # the decoder waits in BARRIER
    SYNC = auto()  # the decoder waits in SYNC
    QUEUE_FULL = auto()  # the decoder waits for room in a queue
    DECODE = auto()  # scalar code or decoding, before the instruction reached its queue
    LAUNCH = auto()  # overhead of the launch
    DRAIN = auto()  # after its last instruction: results, or other units, still under way
    IDLE = auto()  # nothing more to do in this launch


CAUSES = tuple(cause.name.lower().replace("_", " ") for cause in Cause)
STALL_CAUSES = tuple(Cause(CAUSES.index(name)) for name in caches.STALLS)
"""What the decoder waits for within a row, in the order of `Workload.stalls`."""
WAITS = (Cause.BARRIER, Cause.SYNC, Cause.QUEUE_FULL, *STALL_CAUSES)
"""What the decoder waits for; at the end of a row one of the first three."""
EVENTS = (*dram.COUNTS, *caches.COUNTS)
"""What the DRAM and the caches count, as counters on hardware do; the walk fills in the DRAM's."""


@dataclass(frozen=True)
class Schedule:
    """int64 columns over rows (cycles from the start of the trace), and per launch; -1 where a
    row has no such time.

    queued: when the row entered its queue.  end: its unit is free again; done: its result is
    visible.  Scalar runs, SYNC and BARRIER: start and end of decoding; done is the end.  held_by:
    what a transfer waited for that cores share, a position in CAUSES.
    """

    queued: np.ndarray
    start: np.ndarray
    end: np.ndarray
    done: np.ndarray
    held_by: np.ndarray
    launch_start: np.ndarray
    launch_end: np.ndarray
    core_cycles: np.ndarray  # [launches, cores, units, causes]
    events: np.ndarray  # [launches, EVENTS]


def empty_schedule(rows: int, launches: int, machine: Machine) -> Schedule:
    queued, start, end, done, held_by = (np.full(rows, -1, np.int64) for _ in range(5))
    launch_start, launch_end = (np.zeros(launches, np.int64) for _ in range(2))
    shape = (launches, len(places(machine)), len(UNITS), len(CAUSES))
    cycles = np.zeros(shape, np.int64)
    events = np.zeros((launches, len(EVENTS)), np.int64)
    return Schedule(queued, start, end, done, held_by, launch_start, launch_end, cycles, events)
