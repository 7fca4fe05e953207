"""The tasks of a launch at one moment, and how one of them goes on.

Comes in: which task goes on, how far.  Goes out: why it came back; barriers that are complete let
their tasks go, and when all tasks of a wave have ended the next wave is on the chip.  A moment is
the number of instructions that all tasks together have executed.  It never chooses a task.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.launch import Launch
from zhisuan.debug.watch import Observed
from zhisuan.sim.core_state import CoreState
from zhisuan.sim.execute import make_ready, start_tasks
from zhisuan.sim.fault import Fault
from zhisuan.sim.standstill import Barrier, wait_for_graph
from zhisuan.sim.tasks import MEMORY_CORE, Task
from zhisuan.sim.trace import MEETING
from zhisuan.sim.turns import Pause


class Phase(Enum):
    READY = "ready"
    WAITING = "at a barrier"
    ENDED = "ended"


@dataclass(frozen=True)
class _TaskState:
    core: CoreState
    phase: Phase
    at: int


@dataclass(frozen=True)
class State:
    """All tasks at a moment; what their memories held is kept elsewhere."""

    moment: int
    wave: int
    tasks: tuple[_TaskState, ...]
    barriers: tuple[tuple[int, int, int, tuple[int, ...]], ...]


class Tasks:
    """Tasks are named by their place in the wave, from 0."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        waves = make_ready(
            launch.program, launch.kernel, launch.values, launch.memory, launch.dims,
            launch.task_type,
        )  # fmt: skip
        self.waves = list(waves)
        self.moment = 0
        self.observed: Observed | None = None
        """Where tasks that go on leave what they touch."""
        self._texts = ""
        self._begin(0)

    def _begin(self, wave: int) -> None:
        """Put the tasks of a wave on their cores."""
        launch = self.launch
        self.wave = wave
        self.runs: list[Any] = start_tasks(
            launch.program, launch.kernel, launch.memory, self.waves[wave], launch.executor
        )
        self.phases = [Phase.READY] * len(self.runs)
        self.barriers: dict[tuple[int, int], Barrier] = {}

    # -- what they are ------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.runs)

    def task(self, index: int) -> Task:
        return self.runs[index].task

    def state_of(self, index: int) -> CoreState:
        return self.runs[index].state

    def pc(self, index: int) -> int:
        """Where a task is: at the BARRIER where it waits, at its HALT, or its next instruction."""
        run = self.runs[index]
        return run.pc if self.phases[index] is Phase.READY else run.at

    def number_of_core(self, index: int) -> int:
        """A core's number on the chip; memory cores come after all others."""
        task, chip = self.task(index), self.launch.machine.chip
        if task.core == MEMORY_CORE:
            return chip.clusters * chip.cores_per_cluster + task.cluster
        return task.cluster * chip.cores_per_cluster + task.core

    def ready(self) -> list[int]:
        return [index for index, phase in enumerate(self.phases) if phase is Phase.READY]

    @property
    def ended(self) -> bool:
        """Whether the whole launch is over."""
        last = self.wave == len(self.waves) - 1
        return last and all(phase is Phase.ENDED for phase in self.phases)

    # -- going on -----------------------------------------------------------------------------

    def advance(
        self, index: int, most: int | None, stops: np.ndarray | None = None
    ) -> Pause | Fault:
        """Let a ready task execute `most` instructions, or up to a barrier, its end, a fault, or
        a word that `stops` marks."""
        run = self.runs[index]
        before = run.executed
        run.journal = self.observed
        try:
            pause: Pause | Fault = run.resume(most, stops, locks=False)
        except Fault as fault:
            state = run.state
            run.state = replace(state, pc=fault.pc)
            pause = fault
        self.moment += run.executed - before
        if pause is Pause.BARRIER:
            fault = self._arrive(index)
            pause = fault or pause
        elif pause is Pause.ENDED:
            self.phases[index] = Phase.ENDED
        if self.observed is not None:
            self.observed.rows += run.rows
        run.forget()
        if not self.ended and all(phase is Phase.ENDED for phase in self.phases):
            self._texts += self._take()
            self._begin(self.wave + 1)
        return pause

    def _arrive(self, index: int) -> Fault | None:
        """Count a task that came to a barrier; the last one lets all of them go."""
        run = self.runs[index]
        number, group, arrivals = (int(value) for value in run.rows[-1]["a"][-1][:MEETING])
        barrier = self.barriers.setdefault((number, group), Barrier(number, group, arrivals, []))
        if barrier.arrivals != arrivals:
            return Fault(_disagreement(barrier, run, arrivals), run.at)
        barrier.waiting.append(run)
        self.phases[index] = Phase.WAITING
        if len(barrier.waiting) == arrivals:
            del self.barriers[number, group]
            for place, other in enumerate(self.runs):
                if any(other is waiting for waiting in barrier.waiting):
                    self.phases[place] = Phase.READY
        return None

    def take_texts(self) -> str:
        """What tasks have printed since they were asked last."""
        texts, self._texts = self._texts + self._take(), ""
        return texts

    def _take(self) -> str:
        texts = "".join(text for run in self.runs for text in run.printed)
        for run in self.runs:
            run.printed.clear()
        return texts

    def standstill(self, looping: list[int]) -> ZhisuanError:
        """The error of tasks that can never go on; `looping` read memory again and again."""
        barriers = list(self.barriers.values())
        runs = [self.runs[index] for index in looping]
        return wait_for_graph(self.runs, barriers, runs, self.launch.program.place)

    def ask_to_stop(self) -> None:
        """From another thread or a signal: let the task that runs come back soon."""
        for run in self.runs:
            run.stopped = True

    def go_on(self) -> None:
        """After `ask_to_stop`."""
        for run in self.runs:
            run.stopped = False

    # -- there and back -----------------------------------------------------------------------

    def state(self) -> State:
        place = {id(run): index for index, run in enumerate(self.runs)}
        tasks = tuple(
            _TaskState(run.state, phase, run.at)
            for run, phase in zip(self.runs, self.phases, strict=True)
        )
        barriers = tuple(
            (b.number, b.group, b.arrivals, tuple(place[id(run)] for run in b.waiting))
            for b in self.barriers.values()
        )
        return State(self.moment, self.wave, tasks, barriers)

    def restore(self, state: State) -> None:
        """Be as when `state` was taken; the caller brings memory back."""
        if state.wave != self.wave:
            self._begin(state.wave)
        self.moment = state.moment
        for index, saved in enumerate(state.tasks):
            run = self.runs[index]
            run.state, run.at = saved.core, saved.at
            self.phases[index] = saved.phase
        self.barriers = {
            (number, group): Barrier(number, group, arrivals, [self.runs[i] for i in waiting])
            for number, group, arrivals, waiting in state.barriers
        }


def _disagreement(barrier: Barrier, run: Any, arrivals: int) -> ZhisuanError:
    first = barrier.waiting[0]
    return ZhisuanError(
        "synccheck: the tasks at a barrier disagree about how many they are",
        expected=f"{barrier.arrivals} arrivals, as {first.task.place} says",
        found=f"{arrivals} arrivals, says {run.task.place}",
    )
