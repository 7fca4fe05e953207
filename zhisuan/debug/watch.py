"""Watched memory: which instructions of a task read or change it.

Comes in: what a task's instructions touched in a stretch of its execution.  Goes out: the words
that touched watched bytes, and whether one instruction did so for certain.  It moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.debug.values import Value
from zhisuan.isa.address import space_of
from zhisuan.isa.encoding import Encodable
from zhisuan.isa.number import signed64
from zhisuan.isa.registry import Operands, Unit
from zhisuan.isa.table import BY_OPCODE
from zhisuan.sim.checks.accesses import Reach, accesses, reach
from zhisuan.sim.core_state import CoreState
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import Task


class Observed:
    """What a task touched: a journal for an executor, and its rows of the trace."""

    def __init__(self) -> None:
        self._notes: list[np.ndarray] = []
        self._pc = 0
        self.rows: list[np.ndarray] = []

    def at(self, row: int, pc: int) -> None:
        """As `Journal.at`."""
        self._pc = pc

    def note(self, address: int, size: int, writes: bool) -> None:
        """As `Journal.note`."""
        self._notes.append(np.array([[0, address, self._pc, size, writes]], np.int64))

    def add(self, notes: np.ndarray) -> None:
        """As `Journal.add`."""
        self._notes.append(notes.copy())

    def scalar(self) -> np.ndarray:
        """Scalar accesses: row, address, pc, size, writes."""
        return np.concatenate([np.zeros((0, 5), np.int64), *self._notes])


@dataclass
class Watch:
    """`memory` is that of the core for which it was made, `value` what it was made of."""

    number: int
    text: str
    value: Value
    address: int
    size: int
    memory: Memory
    reads: bool
    writes: bool
    hits: int = 0

    @property
    def word(self) -> str:
        if self.reads:
            return "access watchpoint" if self.writes else "read watchpoint"
        return "watchpoint"

    def contents(self) -> bytes:
        return self.memory.read(self.address, np.uint8, self.size).tobytes()

    def meets(self, address: int, size: int) -> bool:
        return address < self.address + self.size and self.address < address + size


@dataclass(frozen=True)
class Hit:
    """`after` equals `before` where memory was only read."""

    watch: Watch
    before: bytes
    after: bytes


@dataclass
class Watches:
    items: dict[int, Watch] = field(default_factory=dict)

    def words(self, task: Task, seen: Observed) -> set[int]:
        """The words of instructions that touched watched bytes, and perhaps some that did not."""
        found: set[int] = set()
        notes = seen.scalar()
        rows = np.concatenate(seen.rows) if seen.rows else None
        for watch in self.items.values():
            mine = _is_own(watch, task)
            if mine and len(notes):
                wanted = (notes[:, 4] > 0) if not watch.reads else slice(None)
                some = notes[wanted]
                meets = (some[:, 1] < watch.address + watch.size) & (
                    watch.address < some[:, 1] + some[:, 3]
                )
                found |= set(some[meets][:, 2].tolist())
            if rows is not None and len(rows):
                found |= _words_of_rows(watch, rows, mine)
        return found

    def before(self) -> dict[int, bytes]:
        """What all of them hold."""
        return {number: watch.contents() for number, watch in self.items.items()}

    def hits(
        self, item: Encodable, state: CoreState, task: Task, before: dict[int, bytes]
    ) -> list[Hit]:
        """Those that an instruction has read or changed; `state` is the core before it."""
        found = []
        for number, watch in self.items.items():
            after = watch.contents()
            changed = watch.writes and after != before[number]
            if changed or (watch.reads and _is_own(watch, task) and _reads(watch, item, state)):
                found.append(Hit(watch, before[number], after))
                watch.hits += 1
        return found


def _is_own(watch: Watch, task: Task) -> bool:
    """Whether the addresses of a task's accesses mean the memory that is watched."""
    space = _space(watch)
    if space in ("nram", "wram", "ldram"):
        return (task.cluster, task.core) == (watch.memory.cluster, watch.memory.core)
    return space != "sram" or task.cluster == watch.memory.cluster


def _space(watch: Watch) -> str:
    space = space_of(watch.address)
    return space.name if space is not None else ""


def _words_of_rows(watch: Watch, rows: np.ndarray, mine: bool) -> set[int]:
    """Of queued instructions: by the ranges that their rows of the table give."""
    found: set[int] = set()
    keys = rows["opcode"].astype(np.int64) << 8 | rows["mode"]
    for key in np.unique(keys):
        row = BY_OPCODE.get(int(key) >> 8)
        if row is None or row.unit is Unit.SCALAR:
            continue
        mode = row.modes[int(key) & 0xFF]
        if not mine and reach(row.name, mode) is Reach.OWN:
            continue
        some = rows[keys == key]
        named = [*(operand.name for operand in row.operands), *row.noted]
        operands = Operands(mode, {name: some["a"][:, i] for i, name in enumerate(named)})
        for touch in row.touches(operands):
            if touch.writes or watch.reads:
                low = np.broadcast_to(touch.base, len(some))
                meets = (low < watch.address + watch.size) & (watch.address < low + touch.span)
                found |= set(some["pc"][meets].tolist())
    return found


def _reads(watch: Watch, item: Encodable, state: CoreState) -> bool:
    """Whether an instruction touches watched bytes, to the byte."""
    pairs = list(zip(item.row.operands, item.values, strict=True))
    values = [state.registers[v] if operand.is_register else v for operand, v in pairs]
    if item.row.unit is not Unit.SCALAR:
        signed = tuple(signed64(value) if value >= 0 else value for value in values)
        return any(_meet(watch, one.starts, one.ends)
                   for one in accesses(item.row, item.mode, signed))  # fmt: skip
    named = {operand.name: value for (operand, _), value in zip(pairs, values, strict=True)}
    if item.row.name not in ("SLOAD", "SSTORE"):
        return False
    address = named["base"] + next(v for o, v in pairs if not o.is_register)
    return watch.meets(address, _scalar_bytes(item.mode))


def _scalar_bytes(mode: str) -> int:
    return BY_NAME[mode].size


def _meet(watch: Watch, starts: Iterable[int], ends: Iterable[int]) -> bool:
    return any(
        watch.meets(int(start), int(end) - int(start))
        for start, end in zip(starts, ends, strict=True)
    )
