"""A launch in motion: on to the next stop, and back to the one before.

Comes in: where tasks are to stop, and who decides whether a stop counts.  Goes out: the launch at
that stop.  It knows nothing of lines, breakpoints and variables.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.history import History
from zhisuan.debug.launch import Launch
from zhisuan.debug.order import Order
from zhisuan.debug.watch import Hit, Observed, Watches
from zhisuan.isa.encoding import decode
from zhisuan.sim.fault import Fault
from zhisuan.sim.turns import Pause

Stops = Callable[[int], np.ndarray | None]
"""Of a task: the words before which it stops."""
Counts = Callable[[int], bool]
"""Whether a task that stopped is to stay there."""
_WATCHED = 1 << 16
"""Instructions that are executed once more where one of them touched watched memory."""
_WINDOW = 1000
"""Instructions searched backwards at first; then ten times as many, and so on."""


class End(Exception):
    """There is nothing to go on to; `fault` is why, or None where the launch is over."""

    def __init__(self, fault: Fault | None, index: int) -> None:
        super().__init__()
        self.fault, self.index = fault, index


class Interrupted(Exception):
    """Somebody asked for a stop."""


@dataclass
class _Trouble:
    """A fault at the latest moment."""

    moment: int
    fault: Fault
    index: int


class Motion:
    def __init__(self, launch: Launch) -> None:
        self.history = History(launch)
        self.tasks = self.history.tasks
        self._order = Order(self.tasks)
        self._passed: dict[int, int] = {}
        """Tasks that stand at a stop that counted: how many instructions they had executed."""
        self._trouble: _Trouble | None = None
        self._interrupted = False
        self.is_asked: Callable[[], bool] = lambda: False
        """Whether somebody has a question while the launch runs."""
        self.attend: Callable[[], bool] = lambda: False
        """Answers it, or what has interrupted the launch; whether to go on."""
        self.watches = Watches()
        self.watched: list[Hit] = []
        """What the last stop is about, if it is about watched memory."""

    @property
    def moment(self) -> int:
        return self.history.moment

    @property
    def is_past(self) -> bool:
        """Whether later moments are known."""
        return self.moment < self.history.latest

    def interrupt(self) -> None:
        """From another thread, or a signal."""
        self._interrupted = True
        self.tasks.ask_to_stop()

    def pass_over(self, index: int) -> None:
        """Where a task is now, it does not stop again."""
        self._passed[index] = self.tasks.runs[index].executed

    # -- forwards -----------------------------------------------------------------------------

    def begin(self, index: int) -> None:
        """A new order of the user, for task `index`, which is at a place that he has seen."""
        self.pass_over(index)
        self._order.begin(index)
        self._interrupted = False
        self.tasks.go_on()

    def forward(
        self, stops: Stops, counts: Counts, *, until: int | None = None, prefer: int | None = None
    ) -> int | None:
        """Go on until a task stops and that counts, or `prefer` ends: which one; None at moment
        `until`."""
        self.watched = []
        while until is None or self.moment < until:
            if self._interrupted or self.is_asked():
                self._interrupted = False
                self.tasks.go_on()
                if not self.attend():
                    raise Interrupted
            index, pause = self._advance(stops, until, prefer)
            if self.watched:
                return index
            if isinstance(pause, Fault):
                self._trouble = _Trouble(self.moment, pause, index)
                raise End(pause, index)
            if pause is Pause.ENDED and index == prefer:
                return index if index < len(self.tasks) else 0
            if pause is Pause.STOPPED:
                self.pass_over(index)
                if counts(index):
                    return index
        return None

    def _advance(
        self, stops: Stops, until: int | None, prefer: int | None
    ) -> tuple[int, Pause | Fault]:
        """Let one task go on, as it did if this is the past."""
        trouble = self._trouble
        if self.is_past:
            index, most = self.history.next_segment()
        elif trouble is not None and trouble.moment == self.moment:
            raise End(trouble.fault, trouble.index)
        elif self.tasks.ended:
            raise End(None, prefer or 0)
        else:
            try:
                index, most = self._order.choose(prefer)
            except ZhisuanError as error:
                index = next(iter(self.tasks.ready()), prefer or 0)
                return index, Fault(error, self.tasks.pc(index))
        if until is not None:
            most = min(most, until - self.moment)
        before, start, wave = self.moment, time.perf_counter(), self.tasks.wave
        step = self._passed.get(index) == self.tasks.runs[index].executed
        was_past = self.is_past
        if self.watches.items:
            pause = self._watched(index, min(most, _WATCHED), stops(index), step)
        else:
            pause = self.history.advance(index, most, stops(index), step)
        if not was_past:
            self._order.went(self.moment - before, time.perf_counter() - start)
        if self.tasks.wave != wave:
            self._passed.clear()
        return index, pause

    def _watched(
        self, index: int, most: int, stops: np.ndarray | None, step: bool
    ) -> Pause | Fault:
        """As `History.advance`, but only until a task has touched watched memory.

        What was touched is known afterwards; then the same is executed once more, up to the
        instruction that did it."""
        tasks, history, start = self.tasks, self.history, self.moment
        task, items = tasks.task(index), tasks.launch.program.words
        tasks.observed = seen = Observed()
        pause = history.advance(index, most, stops, step)
        tasks.observed = None
        words = self.watches.words(task, seen)
        if not words:
            return pause
        mask = np.zeros(len(items), bool)
        mask[list(words)] = True
        end = self.moment
        history.travel(start)
        while self.moment < end:
            again = history.advance(index, end - self.moment, mask)
            if again is not Pause.STOPPED:
                break
            before, state = self.watches.before(), tasks.state_of(index)
            history.advance(index, 1)
            item = decode(int(items[state.pc]))
            self.watched = self.watches.hits(item, state, task, before)
            if self.watched:
                return Pause.TURN_OVER
        return pause

    def cut(self) -> None:
        """Forget what came after this moment: something was changed from outside."""
        self._trouble = None
        self.history.cut()

    # -- backwards ----------------------------------------------------------------------------

    def travel(self, moment: int) -> None:
        self._passed.clear()
        self.history.travel(moment)

    def backward(self, stops: Stops, counts: Counts) -> int | None:
        """Go back to the last stop that counts: which task.  None: to the beginning."""
        return self.search(lambda until: self._last_stop(stops, counts, until))

    def search(self, find: Callable[[int], tuple[int, int] | None], floor: int = 0) -> int | None:
        """Go back to what `find` finds: asked with a moment, it goes on from where the launch is up
        to there, and tells the last moment that counts and its task.  None: to moment `floor`."""
        end, window = self.moment, _WINDOW
        while end > floor:
            start = max(end - window, floor)
            self.travel(start)
            found = find(end)
            if found is not None:
                self.travel(found[0])
                return found[1]
            end, window = start, 10 * window
        self.travel(floor)
        return None

    def _last_stop(self, stops: Stops, counts: Counts, until: int) -> tuple[int, int] | None:
        found: tuple[int, int] | None = None
        watched: list[Hit] = []
        while True:
            index = self.forward(stops, counts, until=until)
            if index is None or self.moment >= until:
                self.watched = watched
                return found
            found, watched = (self.moment, index), self.watched
