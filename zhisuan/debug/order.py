"""Which task goes on at the latest moment: in turn, as when the launch is run without a debugger.

Comes in: the tasks, and the one that the user steps.  Goes out: a task and for how many
instructions; that nobody can ever go on is an error.
"""

from __future__ import annotations

from zhisuan.debug.tasks import Tasks
from zhisuan.sim.execute import tasks_wait
from zhisuan.sim.standstill import Standstill
from zhisuan.sim.turns import TURN

_FIRST, _MOST = 1 << 8, 1 << 22
"""Instructions between looks at the clock, at first and at most."""
_QUICK, _SLOW = 0.02, 0.1
"""Seconds that these should take."""


class Order:
    """A task keeps its turn up to a barrier or its end, or for TURN instructions where tasks may
    wait for what others write; then comes the next one that is ready."""

    def __init__(self, tasks: Tasks) -> None:
        launch = tasks.launch
        waits = tasks_wait(launch.program, launch.kernel, launch.dims, launch.task_type)
        self._tasks = tasks
        self._turn = TURN if waits else None
        self._current: int = 0
        self._left = self._turn
        self._chunk = _FIRST
        self._standstill = Standstill()

    def begin(self, index: int) -> None:
        """From now on as if it were the turn of task `index`."""
        self._current, self._left = index, self._turn
        self._standstill = Standstill()

    def choose(self, prefer: int | None = None) -> tuple[int, int]:
        """The task that goes on, `prefer` if it can, and for how many instructions."""
        ready = self._tasks.ready()
        if not ready:
            raise self._tasks.standstill([])
        over = self._left == 0
        if over or self._current not in ready:
            later = [index for index in ready if index > self._current]
            runs = [self._tasks.runs[index] for index in ready]
            if not later and self._turn is not None and self._standstill.reached(runs):
                raise self._tasks.standstill(ready)
            self._current, self._left = (later or ready)[0], self._turn
            if prefer is not None and prefer in ready and not over:
                self._current = prefer
        return self._current, self._chunk if self._left is None else min(self._chunk, self._left)

    def went(self, executed: int, seconds: float) -> None:
        """The task that was chosen went on."""
        if self._left is not None:
            self._left = max(self._left - executed, 0)
        if seconds < _QUICK:
            self._chunk = min(2 * self._chunk, _MOST)
        elif seconds > _SLOW:
            self._chunk = max(self._chunk // 2, _FIRST)
