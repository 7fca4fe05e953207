"""A launch cut at its barriers: stages of tasks, and which stages come before which.

Comes in: the tasks of a launch with their events.  Goes out: stages in an order that respects all
barriers, each with a vector clock.  Two stages of different tasks are ordered by a barrier that
both sides took part in, directly or through others, and by nothing else: not by the order in
which cores took up their tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zhisuan.sim.checks.events import Course, Event, courses, events
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.trace import Trace


@dataclass
class Stage:
    """The events of task number `index` of a launch between two of its barriers.

    `since` and `until` are the meetings it lies between: -1 and None at the ends.  `clock[i]` is
    the latest stage of task i that is over when this one starts; its own entry is its number.
    """

    index: int
    course: Course
    since: int
    until: int | None = None
    events: list[Event] = field(default_factory=list)
    clock: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def over_before(self, other: Stage) -> bool:
        """Whether this one is over when the other starts."""
        return bool(other.clock[self.index] >= self.clock[self.index])

    def unordered(self, other: Stage) -> bool:
        """Whether neither is over when the other starts."""
        ordered = self.over_before(other) or other.over_before(self)
        return self.index != other.index and not ordered


def stages(trace: Trace, launch: int, journal: Journal | None) -> list[Stage]:
    """All stages of a launch: a stage stands behind all that come before it."""
    found: list[Stage] = []
    for index, course in enumerate(courses(trace, launch)):
        own = None if journal is None else journal.of(course.place)
        stage = Stage(index, course, -1)
        found.append(stage)
        for event in events(trace, course, own):
            stage.events.append(event)
            if event.meeting >= 0:
                stage.until = event.meeting
                stage = Stage(index, course, event.meeting)
                found.append(stage)
    _set_clocks(found)
    return sorted(found, key=lambda stage: stage.since)


def _set_clocks(found: list[Stage]) -> None:
    """Who meets knows afterwards what any of them knew."""
    tasks = 1 + max((stage.index for stage in found), default=-1)
    ending: dict[int, list[Stage]] = {}
    starting: dict[int, list[Stage]] = {}
    for stage in found:
        starting.setdefault(stage.since, []).append(stage)
        if stage.until is not None:
            ending.setdefault(stage.until, []).append(stage)
    for meeting in sorted(starting):
        known = [stage.clock for stage in ending.get(meeting, ())]
        common = np.max(known, axis=0) if known else np.zeros(tasks, np.int32)
        for stage in starting[meeting]:
            stage.clock = common.copy()
            stage.clock[stage.index] += 1
