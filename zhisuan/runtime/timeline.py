"""When launches of several queues take place on the card: side by side where clusters are free.

Comes in: what the host asked for, in its order, and the cycles of each launch alone on the card.
Goes out: when each launch began and ended, and when notifiers were reached.  A queue works in
order; a launch begins when its queue is free, the notifiers it waits for are reached, the host
has come to it, and as many clusters are idle as it has work for.  Launches side by side do not
slow each other down: what they would take from each other of DRAM is not in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from zhisuan.arch.machine import Machine
from zhisuan.sim.tasks import TASK_TYPES, Dims


@dataclass(frozen=True)
class _Launch:
    queue: int
    clusters: int


@dataclass(frozen=True)
class _Mark:
    """A notifier comes to its place in a queue."""

    queue: int


@dataclass(frozen=True)
class _Wait:
    """A queue, or the host (None), goes on when a mark is reached."""

    queue: int | None
    mark: int


@dataclass(frozen=True)
class Times:
    """In cycles from the start: of launches, and of marks, each in the order they were made."""

    start: tuple[int, ...]
    end: tuple[int, ...]
    marks: tuple[int, ...]


@dataclass
class Timeline:
    """What the host asked for; queues are any numbers."""

    machine: Machine
    _events: list[_Launch | _Mark | _Wait] = field(default_factory=list)
    _marks: int = 0

    def launch(self, queue: int, dims: Dims, task_type: str) -> None:
        self._events.append(_Launch(queue, clusters_of(self.machine, dims, task_type)))

    def mark(self, queue: int) -> int:
        """Note how far a queue is by now; the mark's number."""
        self._events.append(_Mark(queue))
        self._marks += 1
        return self._marks - 1

    def wait(self, mark: int, queue: int | None = None) -> None:
        """A queue goes on behind a mark; without one the host does, and what it asks for later."""
        self._events.append(_Wait(queue, mark))

    def times(self, cycles: Sequence[int]) -> Times:
        """`cycles` of each launch, in the order of the launches."""
        idle = [0] * self.machine.chip.clusters
        free: defaultdict[int, int] = defaultdict(int)  # when a queue is
        host, start, end, marks = 0, [], [], []
        for event in self._events:
            if isinstance(event, _Mark):
                marks.append(max(free[event.queue], host))
            elif isinstance(event, _Wait) and event.queue is None:
                host = max(host, marks[event.mark])
            elif isinstance(event, _Wait):
                assert event.queue is not None
                free[event.queue] = max(free[event.queue], marks[event.mark])
            else:
                idle.sort()
                begin = max(free[event.queue], host, idle[event.clusters - 1])
                free[event.queue] = begin + cycles[len(start)]
                idle[: event.clusters] = [free[event.queue]] * event.clusters
                start.append(begin)
                end.append(free[event.queue])
        return Times(tuple(start), tuple(end), tuple(marks))


def clusters_of(machine: Machine, dims: Dims, task_type: str) -> int:
    """The clusters that a launch has work for at once."""
    per_cluster, clusters = machine.chip.cores_per_cluster, machine.chip.clusters
    tasks, width = dims[0] * dims[1] * dims[2], TASK_TYPES[task_type]
    if not width:
        return min(-(-tasks // per_cluster), clusters)
    return min(tasks // (width * per_cluster), clusters // width) * width
