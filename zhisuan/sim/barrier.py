"""Tasks of jobs as coroutines, switched at barriers, on the host's threads.

Comes in: the tasks, each before its first instruction.  Goes out: all of them at their ends, the
BARRIER rows of their traces marked with their meeting; or the error that says who waits for whom.
Arrivals are counted in rounds, in the order of the tasks, so neither the order in which cores
happen to be simulated nor the number of threads changes anything, unless tasks race for memory,
which is the program's mistake (racecheck tells).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.sim.fault import Fault
from zhisuan.sim.tasks import JOB, Task
from zhisuan.sim.trace import MEETING

Locate = Callable[[Fault, Task], ZhisuanError]


@dataclass
class _Barrier:
    """Tasks that wait at a barrier for `arrivals` of them."""

    arrivals: int
    waiting: list[Any]


def run_together(
    runs: Sequence[Any], meetings: Iterator[int], locate: Locate, threads: int = 1
) -> None:
    """Run tasks on different cores (`reference.Run` or `native_core.Run`) to their ends."""
    barriers: dict[tuple[int, int], _Barrier] = {}
    ready = list(runs)
    while ready:
        arrived = _resumed(ready, locate, threads)
        ready = []
        for run in arrived:
            number, group, arrivals = (int(value) for value in run.rows[-1]["a"][-1][:MEETING])
            barrier = barriers.setdefault((number, group), _Barrier(arrivals, []))
            if barrier.arrivals != arrivals:
                raise _disagreement(run, barrier, arrivals, locate)
            barrier.waiting.append(run)
            if len(barrier.waiting) >= arrivals:
                _release(barriers.pop((number, group)), next(meetings))
                ready += barrier.waiting
    if barriers:
        raise _deadlock(runs, barriers, locate)


def run_alone(run: Any) -> list[np.ndarray]:
    """Run a task to its end, whatever it waits for; its trace rows."""
    for meeting in itertools.count():
        if not run.resume():
            return run.rows
        run.rows[-1]["a"][-1, MEETING] = meeting
    raise AssertionError


def _resumed(ready: list[Any], locate: Locate, threads: int) -> list[Any]:
    """Run all to their next barrier; those that have not ended."""
    if threads == 1 or len(ready) == 1:
        return [run for run in ready if _resume(run, locate)]
    pool = _workers(threads)
    going = [pool.submit(_resume, run, locate) for run in ready]
    try:
        return [run for run, future in zip(ready, going, strict=True) if future.result()]
    finally:  # after a fault, or Ctrl-C: nothing goes on behind the caller's back
        for run in ready:
            run.stopped = True
        wait(going)
        for run in ready:
            run.stopped = False


@functools.cache
def _workers(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="core")


def _resume(run: Any, locate: Locate) -> bool:
    try:
        return run.resume()
    except Fault as stop:
        raise locate(stop, run.task) from stop


def _release(barrier: _Barrier, meeting: int) -> None:
    for run in barrier.waiting:
        run.rows[-1]["a"][-1, MEETING] = meeting


def _at(run: Any) -> int:
    """Where the BARRIER is at which a task waits."""
    return int(run.rows[-1]["pc"][-1])


def _disagreement(run: Any, barrier: _Barrier, arrivals: int, locate: Locate) -> ZhisuanError:
    first = barrier.waiting[0]
    error = ZhisuanError(
        "the tasks at a barrier disagree about how many they are",
        expected=f"{barrier.arrivals} arrivals, as {first.task.place} says",
        found=f"{arrivals} arrivals, says {run.task.place}",
    )
    return locate(Fault(error, _at(run)), run.task)


def _job(run: Any) -> int:
    return run.task.special[JOB]


def _deadlock(
    runs: Sequence[Any], barriers: dict[tuple[int, int], _Barrier], locate: Locate
) -> ZhisuanError:
    """Who waits where, and who never came."""
    waiting = [run for barrier in barriers.values() for run in barrier.waiting]
    stuck = {_job(run) for run in waiting}
    ended = [run.task.place for run in runs if run not in waiting and _job(run) in stuck]
    lines = [
        f"barrier {number}: {len(barrier.waiting)} of {barrier.arrivals} arrived: "
        + ", ".join(f"{run.task.place} (pc {_at(run)})" for run in barrier.waiting)
        for (number, _), barrier in barriers.items()
    ]
    if ended:
        lines.append("ended without waiting: " + ", ".join(ended))
    error = ZhisuanError(
        "tasks wait for ever at a barrier",
        expected="every barrier reached by as many cores as it waits for",
        found="; ".join(lines),
        hint="every core, and the memory core if the kernel asks for coreId, must reach the same "
        "__sync_cluster() and __sync_all() calls",
    )
    return locate(Fault(error, _at(waiting[0])), waiting[0].task)
