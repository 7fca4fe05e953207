"""Tasks that can never go on: that they cannot, and why.

Comes in: what tasks did in their last turns, and where each of them is.  Goes out: whether nothing
will ever change, and the graph of who waits for whom, as an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.sim.tasks import JOB

_SHOWN = 12


@dataclass
class Barrier:
    """Runs that wait at barrier `number` of a group for `arrivals` of them."""

    number: int
    group: int
    arrivals: int
    waiting: list[Any]


class Standstill:
    """Watches tasks whose turns were over.

    As long as none of them writes memory, each goes on for itself: once all of them are in states
    that they were in before, they repeat themselves for ever.
    """

    def __init__(self) -> None:
        self._written: list[tuple[int, tuple[int, ...]]] = []
        self._states: set[tuple[int, bytes]] = set()

    def reached(self, ready: Sequence[Any]) -> bool:
        """Whether those who can go on only repeat themselves."""
        written = [(id(run), run.written) for run in ready]
        if written != self._written:
            self._written, self._states = written, set()
        now = {(id(run), run.registers_and_pc) for run in ready}
        again = bool(ready) and now <= self._states
        self._states |= now
        return again


def wait_for_graph(
    runs: Sequence[Any],
    barriers: Sequence[Barrier],
    looping: Sequence[Any],
    place: Callable[[int], str],
) -> ZhisuanError:
    """Who waits where and for whom; `looping` read memory again and again."""
    where = {id(run): _in_loop(run, place) for run in looping}
    for barrier in barriers:
        where |= {id(run): f"waits at barrier {barrier.number}, {_spot(run, place)}"
                  for run in barrier.waiting}  # fmt: skip
    lines = [line for barrier in barriers for line in _barrier(barrier, runs, where, place)]
    for run in looping:
        lines.append(f"{run.task.place} {where[id(run)]}; nobody writes any more")
    return ZhisuanError(
        "synccheck: tasks wait for ever",
        expected="every barrier reached by as many cores as it waits for, and every value that a "
        "loop waits for written" if looping else
        "every barrier reached by as many cores as it waits for",
        found="\n".join(lines),
        hint="is the value written at all, to this address, by a task that runs at the same time?"
        if looping else
        "every core, and the memory core if the kernel asks for coreId, must reach the same "
        "__sync_cluster() and __sync_all() calls",
    )  # fmt: skip


def _barrier(
    barrier: Barrier, runs: Sequence[Any], where: dict[int, str], place: Callable[[int], str]
) -> list[str]:
    """A barrier, who waits there, and what each of the others of the job does instead."""
    here = {id(run) for run in barrier.waiting}
    jobs = {_job(run) for run in barrier.waiting}
    absent = [run for run in runs if _job(run) in jobs and id(run) not in here]
    came = f"barrier {barrier.number}: {len(barrier.waiting)} of {barrier.arrivals} came"
    waits = [f"  {run.task.place} waits, {_spot(run, place)}" for run in barrier.waiting]
    missing = [f"  for {run.task.place}, which {where.get(id(run), 'ended')}" for run in absent]
    missing = missing or ["  for one more than there are"]
    return [came, *_some(waits), *_some(missing)]


def _some(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return lines if rest <= 0 else [*lines[:_SHOWN], f"  and {rest} more"]


def _in_loop(run: Any, place: Callable[[int], str]) -> str:
    return f"reads memory in a loop, {_spot(run, place)}"


def _spot(run: Any, place: Callable[[int], str]) -> str:
    return f"{place(run.at)}, pc {run.at}"


def _job(run: Any) -> int:
    return run.task.special[JOB]
