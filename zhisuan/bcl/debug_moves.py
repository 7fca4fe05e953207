"""Where variables are once `reuse` has run: some values are no longer where they were put.

In: an allocated function with what follows its variables, then what `reuse` says.  Out: locations
before each instruction: as they were where they still hold, those of a register or spill slot
with the same value where they do not, none where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zhisuan.bcl.allocate import Homes
from zhisuan.bcl.code import Code, Slot
from zhisuan.bcl.debug_flow import Follower
from zhisuan.bcl.emit import frame_of
from zhisuan.bcl.reuse import Elsewhere
from zhisuan.isa.debug_table import Address, Computed, Load, Location, Pieces, Register, Stack
from zhisuan.isa.registry import REGISTERS


class Located:
    """The frame of a function and its variables: `fixed` for all of it, `moving` by instruction."""

    def __init__(self, code: Code, follower: Follower, homes: Homes) -> None:
        self.frame = frame_of(code)
        self.fixed, self.moving = follower.places(homes, self._offset)
        self.places: dict[Location, int] = {
            Stack(self._offset(Slot("local", index))): REGISTERS + index for index in code.spills
        }
        self.stacks = {place: where for where, place in self.places.items()}

    def _offset(self, slot: Slot) -> int:
        return self.frame.offset(slot) - self.frame.size

    def follow(self, elsewhere: Elsewhere) -> None:
        """Correct the locations after `reuse`."""
        for op in self.moving.keys() & elsewhere.keys():
            moved = elsewhere[op]
            self.moving[op] = {
                variable: where
                for variable, before in self.moving[op].items()
                if (where := self._moved(before, moved)) is not None
            }

    def _moved(self, where: Location, moved: Mapping[int, int | None]) -> Location | None:
        if isinstance(where, Pieces):
            parts = [(a, n, self._moved(part, moved)) for a, n, part in where.parts]
            known = tuple((a, n, part) for a, n, part in parts if part is not None)
            return Pieces(known) if known else None
        if isinstance(where, Load | Address | Computed):
            inner = self._moved(where.where, moved)
            return None if inner is None else replace(where, where=inner)
        place = where.number if isinstance(where, Register) else self.places.get(where)
        if place is None or place not in moved:
            return where
        other = moved[place]
        if other is None:
            return None
        return Register(other) if other < REGISTERS else self.stacks[other]
