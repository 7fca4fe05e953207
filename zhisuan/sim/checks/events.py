"""The events of a launch in program order: what each instruction touches, and what it waits for.

Comes in: a launch of a trace and its journal.  Goes out: one event per queued instruction, per
SYNC and per scalar access.  Runs of scalar instructions that touch no memory are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from zhisuan.isa.registry import Queue, Unit
from zhisuan.isa.table import BY_OPCODE
from zhisuan.sim.checks.accesses import Access, access, accesses, copied_bytes, elementwise
from zhisuan.sim.checks.journal import Journal, Note
from zhisuan.sim.trace import SCALAR_RUN, SYNC_OPCODE, Trace


@dataclass(frozen=True)
class Event:
    """One instruction's doings.

    `queue` is None for the scalar unit; `waits` is the mask of a SYNC, else 0.  Where element i
    of the result depends on no more than elements i of the operands, `elements` counts them;
    elsewhere it is 0.  A transfer's elements are bytes, and `copied` gives their addresses in
    order, from and to.
    """

    pc: int
    name: str
    queue: Queue | None
    accesses: tuple[Access, ...]
    waits: int = 0
    elements: int = 0
    copied: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None


def events(trace: Trace, launch: int, journal: Journal | None) -> Iterator[Event]:
    """The events of launch number `launch`; without a journal none of the scalar unit."""
    rows = trace.rows_of(launch)
    notes = iter(journal.notes if journal is not None else ())
    note = next(notes, None)
    for row in range(rows.start, rows.stop):
        while note is not None and note.row <= row - rows.start:
            yield _scalar(note)
            note = next(notes, None)
        if trace.opcode[row] != SCALAR_RUN:
            yield _of_row(trace, row)
    while note is not None:
        yield _scalar(note)
        note = next(notes, None)


def _scalar(note: Note) -> Event:
    touched = access(note.writes, note.address, note.size)
    name = "scalar store" if note.writes else "scalar load"
    return Event(note.pc, name, None, () if touched is None else (touched,))


def _of_row(trace: Trace, row: int) -> Event:
    opcode, pc = int(trace.opcode[row]), int(trace.pc[row])
    instruction = BY_OPCODE[opcode]
    values = tuple(trace.a[: len(instruction.operands), row].tolist())
    if opcode == SYNC_OPCODE:
        return Event(pc, instruction.name, None, (), values[0])
    mode = instruction.modes[int(trace.mode[row])]
    touched = accesses(instruction, mode, values)
    queue, name = instruction.unit.queue, instruction.mnemonic
    if instruction.unit in (Unit.IO, Unit.MOVE):
        copied = partial(copied_bytes, instruction, mode, values)
        return Event(pc, name, queue, touched, copied=copied)
    names = [operand.name for operand in instruction.operands]
    n = values[names.index("n")] if elementwise(instruction.name, mode) else 0
    return Event(pc, name, queue, touched, elements=n)
