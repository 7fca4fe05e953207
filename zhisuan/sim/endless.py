"""A task that does not end: the lines it goes round, and what the other tasks were doing.

Comes in: tasks of a launch when one of them was stopped for doing too much.  Goes out: the same
stop with more to say.  It moves the stopped task on for a while, so its memory is no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from zhisuan.sim.fault import Fault, Runaway
from zhisuan.sim.standstill import Barrier
from zhisuan.sim.turns import Pause

_LAP = 2000
"""Instructions in which to see how the loop goes."""
_SHOWN = 12
Outcome = tuple[Any, Pause | Fault]
Place = Callable[[int], str]


def explained(
    stop: Fault, run: Any, runs: Sequence[Any], ready: Sequence[Any],
    outcomes: Sequence[Outcome], barriers: Iterable[Barrier], place: Place,
) -> Fault:  # fmt: skip
    """`stop`, if it is for doing too much, with the loop of `run` and the doings of `runs`.

    `ready` could go on in this round, of which `outcomes` are; that of some was not waited for.
    """
    error = stop.error
    if not isinstance(error, Runaway):
        return stop
    doing = _doing(runs, ready, outcomes, list(barriers), place)
    lines = [_loop(run, stop.pc, place)]
    if len(runs) > 1:
        lines += [f"{_numbers(tasks)}: {what}" for what, tasks in list(doing.items())[:_SHOWN]]
    return Fault(Runaway(error.limit, error.of, "\n".join(lines)), stop.pc)


def _loop(run: Any, pc: int, place: Place) -> str:
    """The lines of the next instructions."""
    run.limit, run.most_rows = run.limit + _LAP, None
    seen = [pc]
    while len(seen) < _LAP:
        try:
            pause = run.resume(1, locks=False)
        except Fault:
            break
        if pause is not Pause.TURN_OVER:
            break
        seen.append(run.at)
    return f"its next {len(seen)} instructions stay in {_lines({place(at) for at in seen})}"


def _lines(places: set[str]) -> str:
    """`file:line` of each, neighbours as one."""
    named = [place.rpartition(":") for place in places if ":" in place]
    numbered = sorted((file, int(line)) for file, _, line in named if line.isdigit())
    if not numbered:
        return "instructions of no known line"
    runs = groupby(enumerate(numbered), key=lambda item: (item[1][0], item[1][1] - item[0]))
    shown = []
    for (file, _), members in runs:
        lines = [line for _, (_, line) in members]
        shown.append(f"{file}:{lines[0]}" + (f"-{lines[-1]}" if len(lines) > 1 else ""))
    return ", ".join(shown[:_SHOWN])


def _doing(
    runs: Sequence[Any], ready: Sequence[Any], outcomes: Sequence[Outcome],
    barriers: Sequence[Barrier], place: Place,
) -> dict[str, list[Any]]:  # fmt: skip
    """What the tasks do → those that do it."""
    arrived = {id(run): f"waits at barrier {barrier.number}, {place(run.at)}"
               for barrier in barriers for run in barrier.waiting}  # fmt: skip
    going = {id(run) for run in ready}
    now = {id(run): pause for run, pause in outcomes}
    found: dict[str, list[Any]] = {}
    for run in runs:
        pause = now.get(id(run))
        if pause is Pause.BARRIER:
            what = f"waits at a barrier, {place(run.at)}"
        elif isinstance(pause, Fault):
            what = f"stopped at {place(pause.pc)}"
        elif pause is Pause.TURN_OVER:
            what = f"is at {place(run.at)}"
        elif pause is Pause.ENDED:
            what = "ended"
        else:
            gone = "not waited for" if id(run) in going else "ended"
            what = arrived.get(id(run), gone)
        found.setdefault(what, []).append(run.task)
    return found


def _numbers(tasks: Sequence[Any]) -> str:
    """The tasks by their numbers, neighbours as one; memory cores by their clusters."""
    cores = sorted(task.number for task in tasks if not task.is_memory_core)
    runs = groupby(enumerate(cores), key=lambda item: item[1] - item[0])
    spans = [[number for _, number in members] for _, members in runs]
    words = [f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in spans]
    told = [f"task{'s' if len(cores) > 1 else ''} {', '.join(words)}"] if cores else []
    told += [f"memory core of cluster {t.cluster}" for t in tasks if t.is_memory_core]
    return ", ".join(told)
