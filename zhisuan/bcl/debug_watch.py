"""Notes of values → notes of registers, stack slots and numbers, while a function is selected.

In: a function's notes, and the selector at the instruction they stand before.  Out: `Watch`es
beside the machine code, which is the same without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.bcl import ir
from zhisuan.bcl.debug_notes import FunctionNotes, Note, Tracked
from zhisuan.bcl.selector import Selector


@dataclass(frozen=True)
class Held:
    """A value in virtual registers, 64 bits each, lowest first."""

    registers: tuple[int, ...]


@dataclass(frozen=True)
class SlotAddress:
    """The address of a stack slot."""

    index: int


@dataclass(frozen=True)
class Known:
    """A number."""

    bits: int


@dataclass(frozen=True, eq=False)
class Watch:
    """From instruction `number` of block `label` on, a variable is what `steps` make of `base`.

    `base` None: from there on nobody knows.  The rest as in `Note`.
    """

    label: str
    number: int
    variable: Tracked
    base: Held | SlotAddress | Known | None
    steps: tuple[tuple[str, int], ...] = ()
    piece: tuple[int, int] | None = None
    is_declared: bool = False

    @property
    def registers(self) -> tuple[int, ...]:
        """The virtual registers that it looks at."""
        return self.base.registers if isinstance(self.base, Held) else ()

    def is_among(self, live: int) -> bool:
        """Whether all its registers are in a set of `liveness`."""
        return all(live >> register & 1 for register in self.registers)


class Watcher:
    """Turns the notes of one function into watches as selection passes them."""

    def __init__(self, notes: FunctionNotes | None) -> None:
        self.notes = notes
        self.watches: list[Watch] = []
        self.pending: list[tuple[int, Note]] = []
        self.last = 0

    def enter(self, label: str) -> None:
        """A block of the function as read begins."""
        if self.notes is not None:
            self.pending = list(self.notes.notes.get(label, ()))
            self.last = self.notes.last.get(label, 0)

    def reach(self, s: Selector, item: ir.Instruction) -> None:
        """`item` is selected next."""
        is_end = item.op in ir.TERMINATORS
        while self.pending and (is_end or self.pending[0][0] <= item.number <= self.last):
            self._watch(s, self.pending.pop(0)[1])

    def _watch(self, s: Selector, note: Note) -> None:
        base = None if note.value is None else _base(s, note.value)
        steps = note.steps if base is not None else ()
        self.watches.append(
            Watch(s.block.label, s.emitted + 1, note.variable, base, steps, note.piece,
                  note.is_declared)
        )  # fmt: skip


def _base(s: Selector, value: ir.Value) -> Held | SlotAddress | Known | None:
    if isinstance(value, ir.Local):
        if value.name in s.local_slots:
            return SlotAddress(s.local_slots[value.name])
        registers = s.values.get(value.name)
        return Held(tuple(registers)) if registers else None
    number = s.layout.number(value)
    return None if number is None else Known(number)
