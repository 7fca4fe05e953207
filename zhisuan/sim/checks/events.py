"""The events of a task in program order: what each instruction touches, and what it waits for.

Comes in: a launch of a trace and its journal.  Goes out: its tasks, and for each one event per
queued instruction, SYNC, BARRIER and scalar access.  Runs of scalar instructions that touch no
memory are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from zhisuan.isa.address import LDRAM, NRAM, SRAM, WRAM, space_of
from zhisuan.isa.registry import SYNC_ALL, Instruction, Queue, Unit
from zhisuan.isa.table import BY_NAME, BY_OPCODE
from zhisuan.sim.checks.accesses import (
    Access,
    Reach,
    access,
    accesses,
    copied_bytes,
    elementwise,
    reach,
)
from zhisuan.sim.checks.journal import Journal, Note, Place
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.trace import BARRIER_OPCODE, MEETING, SCALAR_RUN, SYNC_OPCODE, Trace


@dataclass(frozen=True)
class Course:
    """A task's way through a launch: its rows of the trace, and where it ran.

    `turn` counts the tasks that its core had before.  `base` is the first cluster of its job,
    `cores` the compute cores of its cluster; `alone` says that the launch has no other task.
    """

    rows: slice
    place: Place
    turn: int
    base: int
    cores: tuple[int, ...]
    alone: bool

    def __str__(self) -> str:
        cluster, core, task = self.place
        name = "memory core" if core == MEMORY_CORE else f"core {core}"
        return f"task {task} on cluster {cluster} {name}"


def courses(trace: Trace, launch: int) -> list[Course]:
    """The tasks of a launch, core by core, those of a core in their order."""
    rows = trace.rows_of(launch)
    columns = [column[rows].astype(np.int64) for column in (trace.cluster, trace.core, trace.task)]
    places = np.stack(columns, axis=1)
    changes = np.flatnonzero((places[1:] != places[:-1]).any(axis=1)) + 1
    starts = [0, *changes.tolist()] if len(places) else []
    ends = [*starts[1:], len(places)][: len(starts)]
    clusters = trace.launches[launch].clusters
    turns: Counter[tuple[int, int]] = Counter()
    found = []
    for start, end in zip(starts, ends, strict=True):
        cluster, core, task = places[start].tolist()
        cores = np.unique(columns[1][columns[0] == cluster])
        compute = tuple(cores[cores != MEMORY_CORE].tolist())
        part = slice(rows.start + start, rows.start + end)
        base = cluster // clusters * clusters
        turn = turns[cluster, core]
        turns[cluster, core] += 1
        found.append(Course(part, (cluster, core, task), turn, base, compute, len(starts) == 1))
    return found


LOCK_OPCODE, UNLOCK_OPCODE = BY_NAME["LOCK"].opcode, BY_NAME["UNLOCK"].opcode


class Barrier(NamedTuple):
    """The operands of a BARRIER: its id, whose it is, how many it waits for."""

    number: int
    group: int
    arrivals: int


@dataclass(frozen=True)
class Event:
    """One instruction's doings.

    `queue` is None for the scalar unit; `waits` is the mask of a SYNC, else 0; `meeting` is the
    number of a BARRIER's meeting, else -1, and `barrier` has its operands.  `lock` is the lock in
    whose section it is.  Where element i of the result depends on no more than elements i of the
    operands, `elements` counts them; elsewhere it is 0.  A transfer's elements are bytes, and
    `copied` gives their addresses in order, from and to.
    """

    course: Course
    pc: int
    name: str
    queue: Queue | None
    accesses: tuple[Access, ...]
    waits: int = 0
    meeting: int = -1
    barrier: Barrier | None = None
    lock: int | None = None
    elements: int = 0
    copied: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None


def events(trace: Trace, course: Course, journal: Journal | None) -> Iterator[Event]:
    """The events of a task; without a journal none of the scalar unit."""
    rows = course.rows
    notes = iter(journal.notes if journal is not None else ())
    note = next(notes, None)
    lock: int | None = None
    for row in range(rows.start, rows.stop):
        while note is not None and note.row <= row - rows.start:
            yield _scalar(course, note, lock)
            note = next(notes, None)
        opcode = int(trace.opcode[row])
        if opcode == LOCK_OPCODE:
            lock = int(trace.a[0, row])
        elif opcode == UNLOCK_OPCODE:
            lock = None
        if opcode != SCALAR_RUN:
            event = _of_row(trace, course, row)
            yield event if lock is None else replace(event, lock=lock)
    while note is not None:
        yield _scalar(course, note, lock)
        note = next(notes, None)


def _scalar(course: Course, note: Note, lock: int | None) -> Event:
    touched = access(note.writes, note.address, note.size)
    name = "scalar store" if note.writes else "scalar load"
    found = () if touched is None else (_placed(touched, course),)
    return Event(course, note.pc, name, None, found, lock=lock)


def _of_row(trace: Trace, course: Course, row: int) -> Event:
    opcode, pc = int(trace.opcode[row]), int(trace.pc[row])
    instruction = BY_OPCODE[opcode]
    values = tuple(trace.a[: len(instruction.operands), row].tolist())
    name = instruction.mnemonic
    if opcode == SYNC_OPCODE:
        return Event(course, pc, name, None, (), values[0])
    if opcode == BARRIER_OPCODE:
        meeting = int(trace.a[MEETING, row])
        return Event(course, pc, name, None, (), SYNC_ALL, meeting, Barrier(*values))
    mode = instruction.modes[int(trace.mode[row])]
    touched = tuple(
        placed
        for item in accesses(instruction, mode, values)
        for placed in _everywhere(item, course, instruction, mode, values)
    )
    queue = instruction.unit.queue
    if instruction.unit in (Unit.IO, Unit.MOVE):
        copied = partial(copied_bytes, instruction, mode, values)
        return Event(course, pc, name, queue, touched, copied=copied)
    names = [operand.name for operand in instruction.operands]
    n = values[names.index("n")] if elementwise(instruction.name, mode) else 0
    return Event(course, pc, name, queue, touched, elements=n)


def _everywhere(
    touched: Access, course: Course, row: Instruction, mode: str, values: tuple[int, ...]
) -> list[Access]:
    """An access in each memory where it happens: one, but for multicast."""
    where = reach(row.name, mode) if touched.writes else Reach.OWN
    if where is Reach.CORES:
        return [_placed(touched, course, core=core) for core in course.cores]
    if where is Reach.CLUSTER:
        (target,) = (v for o, v in zip(row.operands, values, strict=True) if o.name == "cluster")
        return [_placed(touched, course, cluster=course.base + target)]
    return [_placed(touched, course)]


def _placed(
    touched: Access, course: Course, *, core: int | None = None, cluster: int | None = None
) -> Access:
    """The access with its memory: that of the task's core unless another is named."""
    space = space_of(touched.low)
    assert space is not None, "the executor lets no access to no memory pass"
    own_cluster, own_core, _ = course.place
    cluster = own_cluster if cluster is None else cluster
    if space in (NRAM, WRAM, LDRAM):
        core = own_core if core is None else core
        memory: tuple[int | str, ...] = (space.name, cluster, core, course.turn)
    elif space is SRAM:
        memory = (space.name, cluster, course.turn)
    else:
        memory = (space.name,)
    return Access(touched.writes, touched.starts, touched.ends, memory, touched.atomic)
