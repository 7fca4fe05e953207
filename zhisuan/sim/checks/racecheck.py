"""racecheck in a task: two accesses to the same bytes, one a write, that nothing puts in order.

Comes in: the events of a task in program order.  Goes out: findings.  Order comes from three
rules (DLP.md, Order): a queue keeps its own (compute by address interlock, the DMA engines
first in, first out); an instruction is decoded after all scalar accesses before it; SYNC waits
for the queues in its mask, BARRIER for all.  What this run's timing happened to do plays no part.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa.registry import Queue
from zhisuan.sim.checks.accesses import Access
from zhisuan.sim.checks.events import Event
from zhisuan.sim.checks.finding import Findings, place_of
from zhisuan.sim.checks.journal import Place

NAME = "racecheck"
_SYNCS = {
    Queue.COMPUTE: "__sync_compute()",
    Queue.IO: "__sync_io()",
    Queue.MOVE: "__sync_move()",
}


class RaceCheck:
    """Keeps what every queue of every task may still have under way."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self._tasks: dict[Place, dict[Queue, _Pending]] = {}

    def see(self, event: Event) -> None:
        queues = self._tasks.setdefault(event.course.place, {})
        for queue in Queue:
            if queue not in queues or event.waits & queue.value:
                queues[queue] = _Pending()
        for queue, pending in queues.items():
            if queue is not event.queue and pending.held:
                self._compare(event, pending)
        if event.queue is not None:
            queues[event.queue].add(event)

    def _compare(self, event: Event, pending: _Pending) -> None:
        """Report the last instruction of a queue that conflicts: a wait for it is one for all."""
        last, where = -1, None
        for touched in event.accesses:
            index = pending.conflict(touched)
            if index > last:
                last, where = index, touched
        if where is not None:
            self._report(event, where, *pending.held[last])

    def _report(self, event: Event, touched: Access, other: Event, theirs: Access) -> None:
        shared = touched.common(theirs)
        assert shared is not None and other.queue is not None
        story = {
            (True, False): "read of bytes that may not be written yet",
            (False, True): "write over bytes that may not be read yet",
            (True, True): "two writes that may land in either order",
        }[theirs.writes, touched.writes]
        sync = _SYNCS[other.queue]
        self.findings.add(
            NAME, story, event, touched, (other, theirs),
            expected="a wait in between: "
            f"{shared[1] - shared[0]} bytes from {place_of(shared[0])} are in both",
            hint=f"{sync} between the two, or a copy without _async",
        )  # fmt: skip


class _Pending:
    """Accesses of one queue since it was last waited for."""

    def __init__(self) -> None:
        self.held: list[tuple[Event, Access]] = []
        self._hulls = np.zeros((3, 16), np.int64)  # first byte, end, whether it writes

    def add(self, event: Event) -> None:
        for touched in event.accesses:
            if len(self.held) == self._hulls.shape[1]:
                self._hulls = np.hstack([self._hulls, np.zeros_like(self._hulls)])
            self._hulls[:, len(self.held)] = touched.low, touched.high, touched.writes
            self.held.append((event, touched))

    def conflict(self, touched: Access) -> int:
        """The index of the last that shares a byte with `touched`, where one of the two writes;
        -1 where none does."""
        low, high, writes = self._hulls[:, : len(self.held)]
        near = (low < touched.high) & (touched.low < high)
        if not touched.writes:
            near &= writes != 0
        indices = np.flatnonzero(near)[::-1].tolist()
        return next((index for index in indices if self.held[index][1].common(touched)), -1)
