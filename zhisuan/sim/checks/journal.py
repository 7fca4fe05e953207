"""The journal of a task: what its scalar loads and stores touched, and when.

Comes in: from an executor that was given a journal, one note per access.  Goes out: the notes,
placed between the rows of the trace, which do not show them.  A run without a journal pays
nothing for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zhisuan.isa.address import CONST, PARAM


class Note(NamedTuple):
    """One scalar access of `size` bytes at `address` by the instruction at `pc`.

    `row` counts the rows that its task had entered in the trace before it.
    """

    row: int
    pc: int
    address: int
    size: int
    writes: bool


Place = tuple[int, int, int]
"""Cluster and core of the chip, taskId: where a task ran, as a trace says it."""


class Journal:
    """Notes in the order of execution; that of a launch has one for each of its tasks.

    Loads of arguments and constants, which nobody writes, are not noted.
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._tasks: dict[Place, Journal] = {}
        self._row = 0
        self._pc = 0

    def at(self, row: int, pc: int) -> None:
        """What is noted from now on comes from the instruction at `pc`, after `row` rows."""
        self._row, self._pc = row, pc

    def of(self, place: Place) -> Journal:
        """The journal of one task."""
        return self._tasks.setdefault(place, Journal())

    def note(self, address: int, size: int, writes: bool) -> None:
        if not PARAM.base <= address < CONST.base + CONST.window:
            self.notes.append(Note(self._row, self._pc, address, size, writes))

    def add(self, notes: np.ndarray) -> None:
        """Notes of the native core: row, address, pc, size, writes; one in a row, int64."""
        self.notes += [Note(row, pc, address, size, bool(writes))
                       for row, address, pc, size, writes in notes.tolist()]  # fmt: skip
