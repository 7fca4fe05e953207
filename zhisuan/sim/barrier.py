"""Tasks of jobs as coroutines, switched at barriers and when their turns are over.

Comes in: the tasks, each before its first instruction, and whose turn it is (`turns`).  Goes out:
all of them at their ends, the BARRIER rows of their traces marked with their meeting; or the error
that says who waits for whom.  Arrivals are counted in rounds, in the order of the tasks, so neither
the order in which cores happen to be simulated nor the number of threads changes anything, unless
tasks race for memory, which is the program's mistake (racecheck tells).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.sim.endless import explained
from zhisuan.sim.fault import Fault
from zhisuan.sim.standstill import Barrier, Standstill, wait_for_graph
from zhisuan.sim.tasks import Task
from zhisuan.sim.trace import MEETING, NO_MEETING
from zhisuan.sim.turns import Pause, Turns

Locate = Callable[[Fault, Task], ZhisuanError]
Place = Callable[[int], str]
"""`file:line` of the instruction at an index."""


@dataclass
class _Meetings:
    """Barriers that are over, their rows to be numbered: by how many meetings came before
    on the way to each, then by the first task, which no order of simulation changes."""

    over: list[tuple[int, int, list[np.ndarray]]] = field(default_factory=list)
    ranks: dict[int, int] = field(default_factory=dict)

    def add(self, barrier: Barrier, places: dict[int, int]) -> None:
        members = [places[id(run)] for run in barrier.waiting]
        rank = 1 + max(self.ranks.get(place, 0) for place in members)
        self.ranks |= dict.fromkeys(members, rank)
        self.over.append((rank, min(members), [run.rows[-1] for run in barrier.waiting]))

    def number(self, numbers: Iterator[int]) -> None:
        for _, _, rows in sorted(self.over, key=lambda meeting: meeting[:2]):
            number = next(numbers)
            for row in rows:
                row["a"][-1, MEETING] = number


def run_together(
    runs: Sequence[Any], numbers: Iterator[int], locate: Locate, place: Place, turns: Turns
) -> None:
    """Run tasks on different cores (`reference.Run` or `native_core.Run`) to their ends.

    `numbers` are for meetings; after an error those that are over have theirs, too.
    """
    meetings = _Meetings()
    try:
        _run(runs, meetings, locate, place, turns)
    finally:
        meetings.number(numbers)


def _run(
    runs: Sequence[Any], meetings: _Meetings, locate: Locate, place: Place, turns: Turns
) -> None:
    places = {id(run): number for number, run in enumerate(runs)}
    barriers: dict[tuple[int, int], Barrier] = {}
    standstill = Standstill()
    ready = list(runs)
    while ready:
        outcomes = turns.round(ready)
        for run, pause in outcomes:
            if pause is Pause.BARRIER:
                run.rows[-1]["a"][-1, MEETING] = NO_MEETING
        for run, pause in outcomes:
            if isinstance(pause, Fault):
                stop = explained(pause, run, runs, ready, outcomes, barriers.values(), place)
                raise locate(stop, run.task) from pause
        ready = []
        for run, pause in outcomes:
            if pause is Pause.TURN_OVER:
                ready.append(run)
            elif pause is Pause.BARRIER:
                ready += _arrive(run, barriers, meetings, places, locate)
        if standstill.reached(ready):
            break
    if ready or barriers:
        error = wait_for_graph(runs, list(barriers.values()), ready, place)
        first = ready[0] if ready else next(iter(barriers.values())).waiting[0]
        raise locate(Fault(error, first.at), first.task)


def _arrive(
    run: Any,
    barriers: dict[tuple[int, int], Barrier],
    meetings: _Meetings,
    places: dict[int, int],
    locate: Locate,
) -> list[Any]:
    """Count a run that came to a barrier; those that may go on because of it."""
    number, group, arrivals = (int(value) for value in run.rows[-1]["a"][-1][:MEETING])
    barrier = barriers.setdefault((number, group), Barrier(number, group, arrivals, []))
    if barrier.arrivals != arrivals:
        raise _disagreement(run, barrier, arrivals, locate)
    barrier.waiting.append(run)
    if len(barrier.waiting) < arrivals:
        return []
    meetings.add(barriers.pop((number, group)), places)
    return barrier.waiting


def run_alone(run: Any) -> list[np.ndarray]:
    """Run a task to its end, whatever it waits for; its trace rows."""
    for meeting in itertools.count():
        if run.resume() is Pause.ENDED:
            return run.rows
        run.rows[-1]["a"][-1, MEETING] = meeting
    raise AssertionError


def _disagreement(run: Any, barrier: Barrier, arrivals: int, locate: Locate) -> ZhisuanError:
    first = barrier.waiting[0]
    error = ZhisuanError(
        "synccheck: the tasks at a barrier disagree about how many they are",
        expected=f"{barrier.arrivals} arrivals, as {first.task.place} says",
        found=f"{arrivals} arrivals, says {run.task.place}",
    )
    return locate(Fault(error, run.at), run.task)
