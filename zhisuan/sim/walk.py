"""The walk through time: when each row of a trace starts and ends, and what each unit waits for.

Comes in: a `Workload` and a machine.  Goes out: a `Schedule`.  This is the definition; the
native walk (native/replay.c) repeats it.  Values never enter here.

A core: the decoder takes rows in program order.  A scalar run holds it for the run's cycles,
a queued instruction for one, and longer while its queue is full; SYNC until the queues it names
have drained, BARRIER until all have and the other cores have come.  Each queue issues in order.
An instruction starts when its unit is free; in the compute queue also only when no unfinished
instruction conflicts with its addresses and the window of unfinished instructions has room; a
transfer also only when all that it shares with other cores is free.  It ends after its occupancy,
and is done (its result visible) a latency later.  Where the DRAM has channels (sim/dram.py), it
serves a transfer turn by turn, and says when it ends; what the turns of others took counts as
waiting, before its start.

A chip: shared resources serve transfers, and the turns of a transfer, in the order of the cycles in
which they are ready, those of the same cycle in the order of the cores.  To that end every decoder
runs ahead until it needs to know when a transfer starts; then the earliest transfer of all is
placed.  Launches follow one another without overlap.
"""

from __future__ import annotations

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import VerifyError
from zhisuan.isa.registry import Queue, Unit
from zhisuan.sim.decoder import Decoder
from zhisuan.sim.dram import FRACTION, Dram, Progress, pace
from zhisuan.sim.schedule import WAITS, Cause, Schedule, empty_schedule
from zhisuan.sim.workload import BARRIER_KIND, SCALAR_KIND, SYNC_KIND, Workload

_QUEUES = tuple(Queue)
_UNIT_COUNT = len(Unit)
_TRANSFERS = (Unit.IO.value, Unit.MOVE.value)


def walk(work: Workload, machine: Machine, launches: int) -> Schedule:
    """Schedule all launches."""
    plan = empty_schedule(len(work.kind), launches, machine)
    stretches = work.stretches
    meetings = _Meetings(work)
    dram = Dram(pace(machine), work.shares.blocks) if machine.channels is not None else None
    now = 0
    for launch in range(launches):
        plan.launch_start[launch] = now
        cycles = plan.core_cycles[launch]
        here = np.flatnonzero(stretches.launch == launch)
        rows = [(int(stretches.first[i]), int(stretches.end[i])) for i in here]
        cores = [
            _Core(work, machine, plan, cycles[stretches.place[i]], now, meetings, *rows[number])
            for number, i in enumerate(here)
        ]
        _run_together(cores, _Resources(work, now + machine.launch.overhead, dram))
        if dram is not None:
            plan.events[launch, : len(dram.events)] = dram.events
            dram.events = [0] * len(dram.events)
        over = max([core.over() for core in cores], default=now + machine.launch.overhead)
        for core in cores:
            core.account_for_the_end(over)
        absent = np.setdiff1d(np.arange(len(cycles)), stretches.place[here])
        cycles[absent, :, Cause.IDLE] = over - now
        now = plan.launch_end[launch] = over
    return plan


def barriers_do_not_fit() -> VerifyError:
    """A core waits for a meeting that never becomes complete."""
    return VerifyError("the barriers of the trace do not fit together")


def _run_together(cores: list[_Core], resources: _Resources) -> None:
    """Take all rows of a launch."""
    while True:
        met = True
        while met:
            met = any([core.advance() for core in cores])
        heads = [
            (core.ready(unit), number, unit)
            for number, core in enumerate(cores)
            for unit in _TRANSFERS
            if core.pending[unit]
        ]
        if not heads:
            break
        _, number, unit = min(heads)
        cores[number].place_transfer(unit, resources)
    if any(core.row < core.end_row for core in cores):
        raise barriers_do_not_fit()


class _Resources:
    """When each shared resource is free again."""

    def __init__(self, work: Workload, now: int, dram: Dram | None) -> None:
        self.shares, self.dram = work.shares, dram
        self.free = [now] * work.shares.resources

    def has_channels(self, row: int) -> bool:
        """Whether channels of the DRAM serve `row`, turn by turn."""
        blocks = self.shares.blocks
        return self.dram is not None and bool(blocks.first[row] < blocks.first[row + 1])

    def wait_for(self, row: int, ready: int) -> tuple[int, int]:
        """When all that `row` needs is free, and which kind of resource is the last."""
        start, cause = ready, Cause.DRAM
        for i in range(self.shares.first[row], self.shares.first[row + 1]):
            resource = int(self.shares.resource[i])
            if self.free[resource] > start:
                start, cause = self.free[resource], self._cause(resource)
        return start, cause

    def _cause(self, resource: int) -> int:
        if resource == 0:
            return Cause.DRAM
        return Cause.SRAM if resource <= self.shares.clusters else Cause.NOC

    def take(self, row: int, start: int) -> int:
        """Keep all that `row` needs busy from `start`; when the last of it is free again."""
        last = start
        for i in range(self.shares.first[row], self.shares.first[row + 1]):
            end = self.free[self.shares.resource[i]] = start + int(self.shares.cycles[i])
            last = max(last, end)
        return last


class _Meetings:
    """Barriers: how many cores are still to come to each meeting, and when the last one came."""

    def __init__(self, work: Workload) -> None:
        self.missing = np.bincount(work.meeting[work.meeting >= 0]).tolist()
        self.release = [0] * len(self.missing)

    def arrive(self, meeting: int, moment: int) -> None:
        self.missing[meeting] -= 1
        self.release[meeting] = max(self.release[meeting], moment)


class _Core:
    """A core in a launch; `row` is the next one to decode."""

    def __init__(
        self, work: Workload, machine: Machine, plan: Schedule, cycles: np.ndarray, now: int,
        meetings: _Meetings, first_row: int, end_row: int,
    ) -> None:  # fmt: skip
        self.work, self.plan, self.cycles, self.begin = work, plan, cycles, now
        self.meetings, self.first_row, self.row, self.end_row = (
            meetings, first_row, first_row, end_row,
        )  # fmt: skip
        first = now + machine.launch.overhead
        cycles[:, Cause.LAUNCH] = machine.launch.overhead
        self.first = first
        self.decoder = Decoder(first)
        self.arrived = False  # at the BARRIER that is the next row
        self.window = max(machine.queues.window, 1)
        self.depth = {
            Queue.COMPUTE: max(machine.queues.compute, 1),
            Queue.IO: max(machine.queues.io, 1),
            Queue.MOVE: max(machine.queues.move, 1),
        }
        self.starts: dict[Queue, list[int]] = {queue: [] for queue in _QUEUES}
        self.pending: dict[int, list[int]] = {unit: [] for unit in _TRANSFERS}
        """Transfers decoded but not placed."""
        self.served: Progress | None = None
        """How far the DRAM has come with the first pending transfer of the IO unit."""
        self.links_waited, self.links_end = 0, 0
        """How long that transfer waited for links, and until when it has them."""
        self.queue_done = dict.fromkeys(_QUEUES, first)
        self.free = [first] * _UNIT_COUNT
        self.unit_done = [first] * _UNIT_COUNT
        self.step = [0] * _UNIT_COUNT
        self.unfinished: list[int] = []  # compute rows, in order of start

    def advance(self) -> bool:
        """Take rows up to one that must wait for a transfer or for other cores; whether a
        meeting became complete."""
        met = False
        while self.row < self.end_row:
            taken, complete = self._take(self.row)
            met |= complete
            if not taken:
                break
            self.row += 1
        return met

    def _take(self, row: int) -> tuple[bool, bool]:
        """(whether the decoder is through with the row, whether a meeting became complete)."""
        kind = int(self.work.kind[row])
        if kind == BARRIER_KIND:
            return self._meet(row)
        if kind in (SCALAR_KIND, SYNC_KIND):
            return self._decode_only(row), False
        queue = _queue(kind)
        waiting = len(self.pending.get(kind, ()))
        if waiting >= self.depth[queue]:
            return False, False
        starts, depth = self.starts[queue], self.depth[queue]
        before = len(starts) + waiting - depth
        until = starts[before] if before >= 0 else self.first
        self._advance(row, until, Cause.QUEUE_FULL)
        self.plan.queued[row] = self.decoder.now
        if queue is Queue.COMPUTE:
            self._issue(row, kind)
        else:
            self.pending[kind].append(row)
        return True, False

    def _drained(self, mask: int) -> int | None:
        """When the queues in `mask` have drained; None while that is not known."""
        if any(self.pending[unit] and _queue(unit).value & mask for unit in _TRANSFERS):
            return None
        return max([self.queue_done[q] for q in _QUEUES if q.value & mask], default=0)

    def _decode_only(self, row: int) -> bool:
        released = self._drained(int(self.work.mask[row]))
        if released is None:
            return False
        self._hold(row, released, Cause.SYNC)
        return True

    def _meet(self, row: int) -> tuple[bool, bool]:
        meeting, complete = int(self.work.meeting[row]), False
        if not self.arrived:
            drained = self._drained(int(self.work.mask[row]))
            if drained is None:
                return False, False
            moment = max(self.decoder.now + int(self.work.decode[row]), drained)
            self.meetings.arrive(meeting, moment)
            self.arrived = True
            complete = self.meetings.missing[meeting] == 0
        if self.meetings.missing[meeting]:
            return False, complete
        self.arrived = False
        self._hold(row, self.meetings.release[meeting], Cause.BARRIER)
        return True, complete

    def _hold(self, row: int, until: int, cause: Cause) -> None:
        """A row that only the decoder executes."""
        self.plan.start[row] = self.decoder.now
        self._advance(row, until, cause)
        self.plan.end[row] = self.plan.done[row] = self.decoder.now

    def _advance(self, row: int, until: int, cause: Cause) -> None:
        """Let the decoder take a row, and wait."""
        stalls = self.work.stalls[:, row].tolist()
        self.decoder.advance(int(self.work.decode[row]), stalls, until, cause)

    def _issue(self, row: int, kind: int) -> None:
        """Place a compute instruction on its unit."""
        starts = self.starts[Queue.COMPUTE]
        in_order = starts[-1] if starts else self.first
        ready = max(self.free[kind], self.decoder.now, in_order)
        conflict, room = self._interlock(row, ready)
        reasons = ((in_order, Cause.IN_ORDER), (conflict, Cause.OPERANDS), (room, Cause.WINDOW))
        occupancy = int(self.work.occupancy[row])
        self._place(row, kind, max(ready, conflict, room), occupancy, reasons)
        self.unfinished.append(row)

    def ready(self, unit: int) -> int:
        """When the first pending transfer of a unit could start or go on, as far as the core
        goes."""
        if unit == Unit.IO.value and self.served is not None:
            return _cycle(self.served.ready)
        return max(self.free[unit], int(self.plan.queued[self.pending[unit][0]]))

    def place_transfer(self, unit: int, resources: _Resources) -> None:
        """Place the first pending transfer of a unit, or serve a turn of it."""
        row = self.pending[unit][0]
        if resources.has_channels(row):
            if not self._serve(row, resources):
                return
            start, cause, ready, occupancy = self._served_times(row)
        else:
            ready = self.ready(unit)
            start, cause = resources.wait_for(row, ready)
            occupancy = max(int(self.work.occupancy[row]), resources.take(row, start) - start)
        self.pending[unit].pop(0)
        if start > ready:
            self.plan.held_by[row] = cause
        self._place(row, unit, start, occupancy, ((start, cause),))

    def _serve(self, row: int, resources: _Resources) -> bool:
        """Let the DRAM serve a turn of the transfer; whether it was the last."""
        assert resources.dram is not None
        if self.served is None:
            ready = self.ready(Unit.IO.value)
            start, _ = resources.wait_for(row, ready)
            self.links_waited, self.links_end = start - ready, resources.take(row, start)
            self.served = resources.dram.begin(row, start)
        return resources.dram.serve(self.served, row)

    def _served_times(self, row: int) -> tuple[int, Cause, int, int]:
        """Start, cause of most waiting, cycle of being ready, and occupancy of what was served."""
        assert self.served is not None
        end, waited = _cycle(self.served.ready), self.served.waited >> FRACTION
        self.served = None
        ready = self.ready(Unit.IO.value)
        start = ready + self.links_waited + waited
        cause = Cause.NOC if self.links_waited > waited else Cause.DRAM
        return start, cause, ready, max(max(end, self.links_end) - start, 1)

    def _place(
        self, row: int, kind: int, start: int, occupancy: int,
        reasons: tuple[tuple[int, int], ...],
    ) -> None:  # fmt: skip
        """Enter the times of a row, and account for the gap before it."""
        queue = _queue(kind)
        self._account_gap(kind, row, start, reasons)
        end = start + occupancy
        done = end + int(self.work.latency[row])
        self.cycles[kind, Cause.BUSY] += end - start
        for column, moment in zip(("start", "end", "done"), (start, end, done), strict=True):
            getattr(self.plan, column)[row] = moment
        self.starts[queue].append(start)
        self.queue_done[queue] = max(self.queue_done[queue], done)
        self.free[kind] = end
        self.unit_done[kind] = max(self.unit_done[kind], done)

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
        self, unit: int, row: int, start: int, reasons: tuple[tuple[int, int], ...]
    ) -> None:
        """Give every cycle from the unit's last end to `start` its cause."""
        at, queued = self.free[unit], int(self.plan.queued[row])
        if queued > at:
            before, self.step[unit] = self.decoder.waited_until(at, self.step[unit])
            after = self.decoder.waited[row - self.first_row + 1]
            waits = {cause: after[cause] - before[cause] for cause in WAITS}
            for cause, cycles in waits.items():
                self.cycles[unit, cause] += cycles
            self.cycles[unit, Cause.DECODE] += queued - at - sum(waits.values())
            at = queued
        for until, cause in reasons:
            self.cycles[unit, cause] += max(0, until - at)
            at = max(at, until)
        assert at == start

    def over(self) -> int:
        """When everything of this core has drained."""
        return max(self.decoder.now, *self.unit_done)

    def account_for_the_end(self, over: int) -> None:
        """Account for the cycles after the last instructions, up to the end of the launch."""
        own = self.over()
        for unit in range(1, _UNIT_COUNT):
            self.cycles[unit, Cause.DRAIN] += self.unit_done[unit] - self.free[unit]
            self.cycles[unit, Cause.IDLE] += over - self.unit_done[unit]
        for cause, cycles in self.decoder.waited[-1].items():
            self.cycles[SCALAR_KIND, cause] = cycles
        self.cycles[SCALAR_KIND, Cause.DRAIN] = own - self.decoder.now
        self.cycles[SCALAR_KIND, Cause.IDLE] = over - own
        rest = over - self.begin - self.cycles[SCALAR_KIND].sum()
        self.cycles[SCALAR_KIND, Cause.BUSY] = rest


def _queue(kind: int) -> Queue:
    queue = Unit(kind).queue
    assert queue is not None
    return queue


def _cycle(moment: int) -> int:
    """The first cycle that is not before a moment of the DRAM."""
    return -(-moment >> FRACTION)
