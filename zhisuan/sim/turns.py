"""Whose turn it is: in which order, and for how long, the tasks of a launch are simulated.

Comes in: tasks that can go on.  Goes out: each of them at its next barrier, at its end, at a
fault, or where its turn was over.  Orders differ only in what happens between tasks that do not
wait for each other, so a program without a race computes the same in all of them.
"""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from zhisuan.sim.fault import Fault

TURN = 10_000
"""Instructions of a turn of a task that may wait for memory."""
_SHORTEST, _LONGEST = 3, 12
"""Turns of a seeded order: powers of two of instructions between these."""


class Pause(Enum):
    """Why a task came back."""

    ENDED = 0
    BARRIER = 1
    TURN_OVER = 2
    STOPPED = 3  # before an instruction that it was told to stop at


Outcome = tuple[Any, Pause | Fault]
"""A run, and why it came back."""


class Turns(Protocol):
    def round(self, ready: Sequence[Any]) -> list[Outcome]:
        """Let each task go on once; outcomes in the order of `ready`."""
        ...


@dataclass
class Together:
    """All at once on the host's threads, each to its next barrier.

    After a fault the tasks behind it are not waited for, unless `to_the_end`.
    """

    threads: int
    to_the_end: bool = False

    def round(self, ready: Sequence[Any]) -> list[Outcome]:
        if self.threads == 1 or len(ready) == 1:
            return self._one_by_one(ready)
        waiting = deque(enumerate(ready))
        found: dict[int, Outcome] = {}

        def work() -> None:
            while waiting:
                try:
                    place, run = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                found[place] = _go_on(run, None)
                if self._is_last(found[place]):
                    _stop(ready[place + 1 :])

        pool = _workers(self.threads)
        going = [pool.submit(work) for _ in range(min(self.threads, len(ready)))]
        try:
            for future in going:
                future.result()
        finally:  # after Ctrl-C, too: nothing goes on behind the caller's back
            waiting.clear()
            _stop(ready)
            wait(going)
            for run in ready:
                run.stopped = False
        outcomes = [found[place] for place in range(len(ready))]
        last = next((i for i, one in enumerate(outcomes) if self._is_last(one)), len(ready))
        return outcomes[: last + 1]

    def _one_by_one(self, ready: Sequence[Any]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for run in ready:
            outcomes.append(_go_on(run, None))
            if self._is_last(outcomes[-1]):
                break
        return outcomes

    def _is_last(self, outcome: Outcome) -> bool:
        return isinstance(outcome[1], Fault) and not self.to_the_end


@dataclass
class InTurn:
    """One after the other, so many instructions each."""

    instructions: int = TURN

    def round(self, ready: Sequence[Any]) -> list[Outcome]:
        return [_go_on(run, self.instructions) for run in ready]


class Shuffled:
    """One after the other in an order, and for turns, that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.instructions = 1 << self._random.randint(_SHORTEST, _LONGEST)

    def round(self, ready: Sequence[Any]) -> list[Outcome]:
        places = list(range(len(ready)))
        self._random.shuffle(places)
        found = {place: _go_on(ready[place], self.instructions) for place in places}
        return [found[place] for place in range(len(ready))]


def _stop(runs: Sequence[Any]) -> None:
    for run in runs:
        run.stopped = True


def _go_on(run: Any, most: int | None) -> Outcome:
    try:
        return run, run.resume(most)
    except Fault as stop:
        return run, stop


@functools.cache
def _workers(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="core")
