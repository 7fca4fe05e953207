"""What runs of scalar instructions touch outside the core: code, and lines of off-chip memory.

Comes in: from an executor, every taken branch and every scalar access to off-chip memory.  Goes
out: footprints, beside the rows of the trace, which count instructions only.  There are no caches
in them: replay has those of its machine.  This is the definition; native/footprint.h repeats it.

A run without a taken branch needs none: its code is as many words as it has instructions, from its
row's pc.  Any other run leaves a footprint for each branch taken, in the order of first taking:
the words from where the code before it was entered (the least, if there are several), to the
branch; and one for the words after the last.  Accesses are gathered in STREAMS ranges of lines,
each of which grows by neighbouring lines; a line far from all takes the place of the oldest range.
Arguments of the kernel come with the launch and leave no footprint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zhisuan.isa.address import CONST

LINE_BITS = 6
"""Lines of 64 bytes."""
STREAMS = 8
CODE, DATA = range(2)
"""Kinds of footprints."""
FIELDS = ("row", "kind", "first", "last", "count", "stores")
"""row: of the run, counted in its task, in a trace from the start.  CODE: first and last word, how
often it was executed, 0.  DATA: first and last line, loads, stores."""
FOOTPRINT = np.dtype([(name, np.int64) for name in FIELDS])
_Entry = tuple[int, ...]


class Footprints:
    """Footprints of a task; those of runs that have ended are in `taken`."""

    def __init__(self) -> None:
        self.taken: list[_Entry] = []
        self._stretch = 0
        self._branches: dict[int, list[int]] = {}  # by its pc: first word, times
        self._streams: list[list[int] | None] = [None] * STREAMS  # first, last, loads, stores
        self._oldest = 0

    def start(self, pc: int) -> None:
        """A run begins at `pc`."""
        self._stretch = pc

    def branch(self, pc: int, target: int) -> None:
        """The branch at `pc` was taken."""
        entry = self._branches.setdefault(pc, [self._stretch, 0])
        entry[0] = min(entry[0], self._stretch)
        entry[1] += 1
        self._stretch = target

    def access(self, row: int, address: int, write: bool) -> None:
        """A scalar access in the run whose row will be `row`."""
        if address < CONST.base:
            return
        line = address >> LINE_BITS
        for stream in self._streams:
            if stream is not None and stream[0] - 1 <= line <= stream[1] + 1:
                stream[0], stream[1] = min(stream[0], line), max(stream[1], line)
                stream[3 if write else 2] += 1
                return
        self._leave(row, self._oldest)
        self._streams[self._oldest] = [line, line, int(not write), int(write)]
        self._oldest = (self._oldest + 1) % STREAMS

    def end(self, row: int, last: int) -> None:
        """The run of `row` ends; its last instruction was at `last`."""
        for number in range(STREAMS):
            self._leave(row, number)
        self._oldest = 0
        if not self._branches:
            return
        for pc, (first, times) in self._branches.items():
            self.taken.append((row, CODE, first, pc, times, 0))
        if self._stretch <= last:
            self.taken.append((row, CODE, self._stretch, last, 1, 0))
        self._branches = {}

    def _leave(self, row: int, number: int) -> None:
        stream = self._streams[number]
        if stream is not None:
            self.taken.append((row, DATA, *stream))
            self._streams[number] = None


def none() -> np.ndarray:
    return np.zeros(0, FOOTPRINT)


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of one record type one behind the other; NumPy's own way compares all their fields."""
    kind = parts[0].dtype
    whole = f"V{kind.itemsize}"
    return np.concatenate([np.ascontiguousarray(part).view(whole) for part in parts]).view(kind)
