"""The walk through time: when each row of a trace starts and ends, and what each unit waits for.

Comes in: a `Workload` and a machine.  Goes out: a `Schedule`.  This is the definition; the
native walk (native/replay.c) repeats it.  Values never enter here.

One core: the decoder takes rows in program order.  A scalar run holds it for the run's cycles,
a queued instruction for one, and longer while its queue is full; SYNC until the queues it names
have drained.  Each queue issues in order.  An instruction starts when its unit is free; in the
compute queue also only when no unfinished instruction conflicts with its addresses and the
window of unfinished instructions has room.  It ends after its occupancy, and is done (its
result visible) a latency later.  Launches follow one another without overlap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Queue, Unit
from zhisuan.sim.workload import SCALAR_KIND, SYNC_KIND, Workload

UNITS = tuple(unit.name.lower() for unit in Unit)
CAUSES = (
    "busy",
    "operands",  # an unfinished instruction still uses the addresses
    "in order",  # behind another instruction of its queue
    "window",  # as many unfinished instructions as the interlock can compare
    "sync",  # the decoder waits in SYNC
    "queue full",  # the decoder waits for room in a queue
    "decode",  # scalar code or decoding, before the instruction reached its queue
    "launch",  # overhead of the launch
    "drain",  # after its last instruction: results, or other units, still under way
    "idle",  # nothing more to do in this launch
)
_BUSY, _OPERANDS, _IN_ORDER, _WINDOW, _SYNC, _FULL, _DECODE, _LAUNCH, _DRAIN, _IDLE = range(10)
CAUSE_NUMBERS = {
    "BUSY": _BUSY, "OPERANDS": _OPERANDS, "IN_ORDER": _IN_ORDER, "WINDOW": _WINDOW,
    "SYNC": _SYNC, "FULL": _FULL, "DECODE": _DECODE, "LAUNCH": _LAUNCH, "DRAIN": _DRAIN,
    "IDLE": _IDLE,
}  # fmt: skip
"""Positions in CAUSES, by the names the native walk gives them."""
_QUEUES = tuple(Queue)
_UNIT_COUNT = len(Unit)


@dataclass(frozen=True)
class Schedule:
    """int64 columns over rows (cycles), and per launch; -1 where a row has no such time.

    queued: when the row entered its queue.  Scalar runs and SYNC: start and end of decoding;
    done is the end.
    """

    queued: np.ndarray
    start: np.ndarray
    end: np.ndarray
    done: np.ndarray
    launch_start: np.ndarray
    launch_end: np.ndarray
    cycles: np.ndarray  # [launches, units, causes]


def empty_schedule(rows: int, launches: int) -> Schedule:
    queued, start, end, done = (np.full(rows, -1, np.int64) for _ in range(4))
    launch_start, launch_end = (np.zeros(launches, np.int64) for _ in range(2))
    cycles = np.zeros((launches, _UNIT_COUNT, len(CAUSES)), np.int64)
    return Schedule(queued, start, end, done, launch_start, launch_end, cycles)


def walk(work: Workload, machine: Machine, first_rows: list[int]) -> Schedule:
    """Schedule all launches; `first_rows` are their first rows, and last the number of rows."""
    plan = empty_schedule(len(work.kind), len(first_rows) - 1)
    now = 0
    for launch in range(len(first_rows) - 1):
        plan.launch_start[launch] = now
        core = _Launch(work, machine, plan, plan.cycles[launch], now)
        for row in range(first_rows[launch], first_rows[launch + 1]):
            core.take(row)
        now = core.finish()
        plan.launch_end[launch] = now
    return plan


class _Decoder:
    """The decoder's time, and how long it had waited for each cause at any moment."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.steps: list[tuple[int, int, int]] = []  # (busy until, waiting until, cause)
        self.waited = [dict.fromkeys((_SYNC, _FULL), 0)]  # before each step

    def advance(self, busy: int, until: int, cause: int) -> None:
        """Busy for some cycles, then waiting up to `until` (if that is later) for `cause`."""
        busy_until = self.now + busy
        self.now = max(busy_until, until)
        self.steps.append((busy_until, self.now, cause))
        total = dict(self.waited[-1])
        total[cause] += self.now - busy_until
        self.waited.append(total)

    def waited_until(self, moment: int, step: int) -> tuple[dict[int, int], int]:
        """Cycles waited by cause up to `moment`, searching from `step`; and the step it is in."""
        while step < len(self.steps) and self.steps[step][1] <= moment:
            step += 1
        total = dict(self.waited[step])
        if step < len(self.steps):
            busy_until, _, cause = self.steps[step]
            total[cause] += max(0, moment - busy_until)
        return total, step


class _Launch:
    """One launch in progress."""

    def __init__(
        self, work: Workload, machine: Machine, plan: Schedule, cycles: np.ndarray, now: int
    ) -> None:
        self.work, self.plan, self.cycles, self.begin = work, plan, cycles, now
        first = now + machine.launch.overhead
        cycles[:, _LAUNCH] = machine.launch.overhead
        self.decoder = _Decoder(first)
        self.window = max(machine.queues.window, 1)
        depths = {
            Queue.COMPUTE: machine.queues.compute,
            Queue.IO: machine.queues.io,
            Queue.MOVE: machine.queues.move,
        }
        self.waiting = {q: deque([first] * max(d, 1), max(d, 1)) for q, d in depths.items()}
        """Start times of the last instructions of each queue, as many as it has entries."""
        self.queue_done = dict.fromkeys(_QUEUES, first)
        self.free = [first] * _UNIT_COUNT
        self.unit_done = [first] * _UNIT_COUNT
        self.step = [0] * _UNIT_COUNT
        self.unfinished: list[int] = []  # compute rows, in order of start

    def take(self, row: int) -> None:
        kind = int(self.work.kind[row])
        busy = int(self.work.decode[row])
        if kind in (SCALAR_KIND, SYNC_KIND):
            self.plan.start[row] = self.decoder.now
            mask = int(self.work.mask[row])
            released = [self.queue_done[q] for q in _QUEUES if q.value & mask]
            self.decoder.advance(busy, max(released, default=0), _SYNC)
            self.plan.end[row] = self.plan.done[row] = self.decoder.now
        else:
            self.decoder.advance(busy, self.waiting[_queue(kind)][0], _FULL)
            self._issue(row, kind)

    def _issue(self, row: int, kind: int) -> None:
        """Place a queued instruction on its unit and account for the gap before it."""
        queue = _queue(kind)
        queued = self.decoder.now
        in_order = self.waiting[queue][-1]
        conflict = room = 0
        if queue is Queue.COMPUTE:
            ready = max(self.free[kind], queued, in_order)
            conflict, room = self._interlock(row, ready)
        start = max(self.free[kind], queued, in_order, conflict, room)
        reasons = ((in_order, _IN_ORDER), (conflict, _OPERANDS), (room, _WINDOW))
        self._account_gap(kind, queued, start, reasons)
        end = start + int(self.work.occupancy[row])
        done = end + int(self.work.latency[row])
        self.cycles[kind, _BUSY] += end - start
        for column, moment in zip(("queued", "start", "end", "done"),
                                  (queued, start, end, done), strict=True):  # fmt: skip
            getattr(self.plan, column)[row] = moment
        self.waiting[queue].append(start)
        self.queue_done[queue] = max(self.queue_done[queue], done)
        self.free[kind] = end
        self.unit_done[kind] = max(self.unit_done[kind], done)
        if queue is Queue.COMPUTE:
            self.unfinished.append(row)

    def _interlock(self, row: int, ready: int) -> tuple[int, int]:
        """When the last conflicting instruction is done, and when the window has room."""
        done = self.plan.done
        self.unfinished = [other for other in self.unfinished if done[other] > ready]
        conflicts = [int(done[other]) for other in self.unfinished if self._conflict(row, other)]
        room = 0
        if len(self.unfinished) >= self.window:
            room = int(min(done[other] for other in self.unfinished))
        return max(conflicts, default=0), room

    def _conflict(self, row: int, other: int) -> bool:
        """Whether two rows touch a byte in common that one of them writes."""
        work = self.work
        for i in range(len(work.low)):
            for j in range(len(work.low)):
                if not (work.writes[i, row] or work.writes[j, other]):
                    continue
                low = max(work.low[i, row], work.low[j, other])
                if low < min(work.high[i, row], work.high[j, other]):
                    return True
        return False

    def _account_gap(
        self, unit: int, queued: int, start: int, reasons: tuple[tuple[int, int], ...]
    ) -> None:
        """Give every cycle from the unit's last end to `start` its cause."""
        at = self.free[unit]
        if queued > at:
            before, self.step[unit] = self.decoder.waited_until(at, self.step[unit])
            after = self.decoder.waited[-1]
            sync, full = after[_SYNC] - before[_SYNC], after[_FULL] - before[_FULL]
            self.cycles[unit, _SYNC] += sync
            self.cycles[unit, _FULL] += full
            self.cycles[unit, _DECODE] += queued - at - sync - full
            at = queued
        for until, cause in reasons:
            self.cycles[unit, cause] += max(0, until - at)
            at = max(at, until)
        assert at == start

    def finish(self) -> int:
        """Let everything drain; returns the end of the launch."""
        over = max(self.decoder.now, *self.unit_done)
        for unit in range(1, _UNIT_COUNT):
            self.cycles[unit, _DRAIN] += self.unit_done[unit] - self.free[unit]
            self.cycles[unit, _IDLE] += over - self.unit_done[unit]
        waited = self.decoder.waited[-1]
        for cause in (_SYNC, _FULL):
            self.cycles[SCALAR_KIND, cause] = waited[cause]
        self.cycles[SCALAR_KIND, _DRAIN] = over - self.decoder.now
        rest = over - self.begin - self.cycles[SCALAR_KIND].sum()
        self.cycles[SCALAR_KIND, _BUSY] = rest
        return over


def _queue(kind: int) -> Queue:
    queue = Unit(kind).queue
    assert queue is not None
    return queue
