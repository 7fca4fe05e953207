"""What has happened since the launch began, and the way back to any moment of it.

Comes in: which task goes on and how far.  Goes out: the tasks at the moment asked for.  The order
in which tasks went on is written down, and now and then everything is remembered: an earlier moment
is reached from the snapshot before it by executing the same instructions again, so going back is
exact.  What has happened stays: going forwards again follows the same order up to the latest
moment.  Only a change from outside cuts off what came after it.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np

from zhisuan.debug.launch import Launch
from zhisuan.debug.snapshots import Snapshots
from zhisuan.debug.tasks import State, Tasks
from zhisuan.sim.fault import Fault
from zhisuan.sim.turns import Pause

MOST_SNAPSHOTS = 64
MOST_BYTES = 1 << 28
"""Of changes between snapshots; beyond, every second of the older half is forgotten."""
_INTERVAL = 0.1
_SHARE = 20
"""Snapshots are taken after so many seconds of execution, and so many times what one takes."""


class History:
    def __init__(self, launch: Launch) -> None:
        self.tasks = Tasks(launch)
        self._ends: list[int] = []  # moments at which segments end, ascending
        self._who: list[int] = []  # the task that went on in each segment
        self._states: list[State] = []
        self._snapshots = Snapshots(launch.memory)
        self.tell: Callable[[str], object] | None = None
        """Takes what kernels print, when they do so for the first time."""
        self.wave_starts = [0]
        """The moments at which the waves began that have begun."""
        self._since = 0.0  # seconds of execution since the last snapshot
        self._cost = 0.0
        self._remember()

    @property
    def moment(self) -> int:
        return self.tasks.moment

    @property
    def latest(self) -> int:
        """The latest moment that was reached."""
        return self._ends[-1] if self._ends else 0

    # -- forwards -----------------------------------------------------------------------------

    def advance(
        self, index: int, most: int | None, stops: np.ndarray | None = None, step: bool = False
    ) -> Pause | Fault:
        """Let a task go on; at the latest moment this is written down, before it the task must be
        that of `next_segment`.  `step`: the first instruction does not stop it."""
        latest = self.latest
        assert self.moment == latest or self.next_segment()[0] == index
        start = time.perf_counter()
        pause: Pause | Fault = Pause.TURN_OVER
        if step:
            pause = self.tasks.advance(index, 1)
            most = None if most is None else most - 1
        if pause is Pause.TURN_OVER and most != 0:
            pause = self.tasks.advance(index, most, stops)
        if self.tasks.wave == len(self.wave_starts):
            self.wave_starts.append(self.moment)
        texts = self.tasks.take_texts()
        if self.moment > latest:
            if texts and self.tell is not None:
                self.tell(texts)
            if self._who and self._who[-1] == index:
                self._ends[-1] = self.moment
            else:
                self._ends.append(self.moment)
                self._who.append(index)
        self._since += time.perf_counter() - start
        if self._since > max(_INTERVAL, _SHARE * self._cost):
            self._remember()
        return pause

    def next_segment(self) -> tuple[int, int]:
        """Before the latest moment: the task that goes on now, and for how many instructions."""
        number = bisect_right(self._ends, self.moment)
        return self._who[number], self._ends[number] - self.moment

    def before(self, index: int) -> int | None:
        """The last moment before which a task of this wave still had to execute an instruction
        that it has executed now; None where it has executed none."""
        number = bisect_left(self._ends, self.moment)
        floor = self.wave_starts[self.tasks.wave]
        while number >= 0 and (number == len(self._ends) or self._ends[number] > floor):
            start = self._ends[number - 1] if number else 0
            if number < len(self._ends) and self._who[number] == index and start < self.moment:
                return max(min(self._ends[number], self.moment) - 1, floor)
            number -= 1
        return None

    def first(self, index: int) -> int:
        """The moment at which a task of this wave began to execute, or the wave where it has not
        begun."""
        floor = self.wave_starts[self.tasks.wave]
        number = bisect_right(self._ends, floor)
        while number < len(self._ends) and self._who[number] != index:
            number += 1
        if number == len(self._ends) or self._ends[number - 1] >= self.moment:
            return floor
        return max(self._ends[number - 1] if number else 0, floor)

    def cut(self) -> None:
        """Forget what comes after this moment."""
        while self._ends and self._ends[-1] > self.moment:
            end, who = self._ends.pop(), self._who.pop()
            before = self._ends[-1] if self._ends else 0
            if before < self.moment < end:
                self._ends.append(self.moment)
                self._who.append(who)
        self._remember()

    # -- backwards ----------------------------------------------------------------------------

    def travel(self, moment: int) -> None:
        """Be where everything was at a moment up to the latest."""
        assert 0 <= moment <= self.latest
        known = self.snapshot_before(moment)
        if not known <= self.moment <= moment:
            self._restore(known)
        while self.moment < moment:
            index, most = self.next_segment()
            self.advance(index, min(most, moment - self.moment))

    def snapshot_before(self, moment: int) -> int:
        """The moment of the latest snapshot not after `moment`."""
        number = bisect_right(self._moments(), moment) - 1
        return self._states[number].moment

    def _moments(self) -> list[int]:
        return [state.moment for state in self._states]

    def _restore(self, moment: int) -> None:
        number = self._moments().index(moment)
        self._snapshots.restore(number)
        del self._states[number + 1 :]
        self.tasks.restore(self._states[number])
        self._since = 0.0

    def _remember(self) -> None:
        """Take a snapshot of this moment, in place of one that there is."""
        start = time.perf_counter()
        self._snapshots.take()
        if self._states and self._states[-1].moment == self.moment:
            self._states.pop()
            self._snapshots.merge(len(self._states))
        self._states.append(self.tasks.state())
        if len(self._states) > MOST_SNAPSHOTS or self._snapshots.bytes_kept > MOST_BYTES:
            for number in range(len(self._states) // 2, 0, -2):
                self._snapshots.merge(number)
                del self._states[number]
        self._since, self._cost = 0.0, time.perf_counter() - start
