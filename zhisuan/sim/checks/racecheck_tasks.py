"""racecheck between tasks: accesses of two cores to the same bytes with no barrier in between.

Comes in: the stages of a launch.  Goes out: findings.  What cores share is compared: DRAM, the
SRAM of a cluster, and on-chip memory that multicast or another cluster writes to.  Atomics do not
race with each other, nor do the sections of one lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from zhisuan.sim.checks.accesses import Access, access
from zhisuan.sim.checks.events import Event
from zhisuan.sim.checks.finding import Findings, place_of
from zhisuan.sim.checks.racecheck import NAME
from zhisuan.sim.checks.stages import Stage

Memory = tuple[int | str, ...]


class _Shared:
    """What a stage does to one memory that others use too."""

    def __init__(self) -> None:
        self.doings: list[tuple[Event, Access]] = []
        self.all: Access | None = None
        self.written: Access | None = None

    def close(self) -> None:
        """Note the bytes that are touched, and those that are written, as a whole."""
        self.all = _union(touched for _, touched in self.doings)
        self.written = _union(touched for _, touched in self.doings if touched.writes)

    def meets(self, other: _Shared) -> bool:
        """Whether any byte is in both that one of the two writes."""
        assert self.all is not None and other.all is not None
        mine = self.written is not None and self.written.common(other.all)
        return bool(mine or (other.written is not None and other.written.common(self.all)))


def check_tasks(found: Sequence[Stage], findings: Findings) -> None:
    """Report each pair of instructions of unordered stages that conflict."""
    users: dict[Memory, set[int]] = {}
    for stage in found:
        for event in stage.events:
            for touched in event.accesses:
                users.setdefault(touched.memory, set()).add(stage.index)
    shared = {memory for memory, tasks in users.items() if len(tasks) > 1}
    doings = [(stage, _by_memory(stage, shared)) for stage in found] if shared else []
    for (one, before), (two, after) in combinations(doings, 2):
        if one.unordered(two):
            for memory in sorted(before.keys() & after.keys(), key=str):
                if before[memory].meets(after[memory]):
                    _report(before[memory], after[memory], findings)


def _by_memory(stage: Stage, shared: set[Memory]) -> dict[Memory, _Shared]:
    found: dict[Memory, _Shared] = {}
    for event in stage.events:
        for touched in event.accesses:
            if touched.memory in shared:
                found.setdefault(touched.memory, _Shared()).doings.append((event, touched))
    for one in found.values():
        one.close()
    return found


def _union(items: Iterable[Access]) -> Access | None:
    held = list(items)
    if not held:
        return None
    pieces = [
        (start, end - start)
        for item in held
        for start, end in zip(item.starts.tolist(), item.ends.tolist(), strict=True)
    ]
    starts, sizes = zip(*pieces, strict=True)
    whole = access(True, starts, sizes)
    assert whole is not None
    return Access(True, whole.starts, whole.ends, held[0].memory)


def _report(before: _Shared, after: _Shared, findings: Findings) -> None:
    for event, touched in after.doings:
        if before.all is None or touched.common(before.all) is None:
            continue
        for other, theirs in before.doings:
            if _conflict(event, touched, other, theirs):
                reader = touched.writes and not theirs.writes  # the other one
                ours, against = (event, touched), (other, theirs)
                _add(findings, *((against, ours) if reader else (ours, against)))
                break


def _conflict(event: Event, touched: Access, other: Event, theirs: Access) -> bool:
    """Whether chance decides which of two accesses comes first, and it matters.

    Two atomics do not mind, and the sections of one lock exclude each other.
    """
    harmless = not (touched.writes or theirs.writes) or (touched.atomic and theirs.atomic)
    locked = event.lock is not None and event.lock == other.lock
    return not harmless and not locked and touched.common(theirs) is not None


def _add(findings: Findings, party: tuple[Event, Access], other: tuple[Event, Access]) -> None:
    both = party[1].common(other[1])
    assert both is not None
    what = "one task reads bytes that another writes"
    if party[1].writes:
        what = "two tasks write the same bytes"
    findings.add(
        NAME, what, *party, other,
        expected="a barrier in between: "
        f"{both[1] - both[0]} bytes from {place_of(both[0])} are in both",
        hint="__sync_all() between the two, or a part of its own for each task",
    )  # fmt: skip
