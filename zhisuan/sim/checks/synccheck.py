"""synccheck: barriers that completed in this run, but need not have, or not with these tasks.

Comes in: the stages of a launch.  Goes out: findings.  Two rules: tasks of one kind of core come
to a barrier from the same line, for a barrier in a branch is one that some may miss; and nobody
who comes to a barrier could have come to an earlier meeting at it, for then chance decides who
meets whom.  Barriers that can never complete stop a launch, asked or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from zhisuan.isa.program import Program
from zhisuan.sim.checks.events import Barrier, Event
from zhisuan.sim.checks.finding import Findings
from zhisuan.sim.checks.stages import Stage
from zhisuan.sim.tasks import MEMORY_CORE

NAME = "synccheck"
Arrival = tuple[Stage, Event, Barrier]


def check_barriers(found: Sequence[Stage], program: Program | None, findings: Findings) -> None:
    """Report arrivals from several lines, and barriers that more tasks use than they wait for."""
    meetings: dict[int, list[Arrival]] = {}
    for stage in sorted(found, key=lambda stage: stage.index):
        for event in stage.events[-1:]:
            if event.barrier is not None and event.meeting >= 0:
                meetings.setdefault(event.meeting, []).append((stage, event, event.barrier))
    before: dict[tuple[int, int], list[Arrival]] = {}
    for number in sorted(meetings):
        arrivals = meetings[number]
        barrier = arrivals[0][2]
        _same_line(arrivals, program, findings)
        key = barrier.number, barrier.group
        _after(arrivals, before.get(key, []), findings)
        before[key] = arrivals


def _same_line(arrivals: Sequence[Arrival], program: Program | None, findings: Findings) -> None:
    first: dict[bool, Event] = {}
    for _, event, _ in arrivals:
        other = first.setdefault(event.course.place[1] == MEMORY_CORE, event)
        if _line(other, program) != _line(event, program):
            findings.add(
                NAME, "tasks come to a barrier from different lines", event, None, (other, None),
                expected="the same line for all computing cores, and for all memory cores",
                hint="move the barrier out of the branch, so that nobody can miss it",
            )  # fmt: skip
            return


def _line(event: Event, program: Program | None) -> str:
    return program.place(event.pc) if program is not None else str(event.pc)


def _after(arrivals: Sequence[Arrival], before: Sequence[Arrival], findings: Findings) -> None:
    """All who meet know that the meeting before, at the same barrier, is over."""
    for stage, event, barrier in arrivals:
        if not before or any(earlier.over_before(stage) for earlier, _, _ in before):
            continue
        findings.add(
            NAME, "more tasks use a barrier than it waits for", event, None, (before[0][1], None),
            expected=f"one group of {barrier.arrivals} tasks at a time: chance decides who meets",
            hint="another id for each group of tasks, or arrivals of all of them",
        )  # fmt: skip
        return
