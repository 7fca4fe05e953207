"""memcheck: accesses outside what was allocated, and filters that start inside a WRAM line.

Comes in: the events of a launch, the buffers that exist during it, the arrays of its program.
Goes out: findings.
Accesses outside a memory, misaligned ones and those that an instruction cannot make never get
here: the executor stops at them with an error of the same form.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa.address import WRAM, Space
from zhisuan.isa.matrix import WRAM_LINE
from zhisuan.sim.checks.accesses import Access
from zhisuan.sim.checks.allocation import Table
from zhisuan.sim.checks.events import Event
from zhisuan.sim.checks.finding import Findings, place_of

NAME = "memcheck"


class MemCheck:
    """`buffers` and `arrays` have, for every memory where these are known, all of them.

    The pieces of one access may lie in several buffers, but never in several arrays.
    """

    def __init__(
        self, findings: Findings, buffers: dict[Space, Table], arrays: dict[Space, Table]
    ) -> None:
        self.findings = findings
        self.buffers = buffers
        self.arrays = arrays

    def see(self, event: Event) -> None:
        for touched in event.accesses:
            low, high = touched.low, touched.high
            for space, table in self.buffers.items():
                if low in space and not table.holds(low, high):
                    self._within(event, touched, table, touched.starts, touched.ends, "buffer")
            for space, table in self.arrays.items():
                if low in space and not table.holds(low, high):
                    hull = np.array([low]), np.array([high])
                    self._within(event, touched, table, *hull, "array")
            if event.name == "CONV" and low in WRAM and low % WRAM_LINE:
                self._misaligned(event, touched)

    def _within(
        self, event: Event, touched: Access, table: Table,
        starts: np.ndarray, ends: np.ndarray, kind: str,
    ) -> None:  # fmt: skip
        """Report the first of these segments of an access that no `kind` holds as a whole."""
        outside = table.outside(starts, ends)
        if not len(outside):
            return
        start, end = int(starts[outside[0]]), int(ends[outside[0]])
        near = table.nearest(start)
        what = f"{'write' if touched.writes else 'read'} outside every {kind}"
        if near is not None and near.address <= start < near.end:
            what = f"{'write' if touched.writes else 'read'} past the end of '{near.name}'"
        self.findings.add(
            NAME, what, event, touched,
            expected=None if near is None else f"within {near}",
            hint=_advice(start, end, None if near is None else (near.address, near.end)),
        )  # fmt: skip

    def _misaligned(self, event: Event, touched: Access) -> None:
        self.findings.add(
            NAME, "a filter that starts inside a line of WRAM", event, touched,
            expected=f"an address divisible by {WRAM_LINE}",
            hint="load the filter to the start of a line",
        )  # fmt: skip


def _advice(start: int, end: int, near: tuple[int, int] | None) -> str:
    if near is not None and near[0] <= start <= near[1] < end:
        return f"{end - near[1]} bytes fewer: is the last tile a short one?"
    return f"look where {place_of(start)} comes from: an offset, or a pointer that is not one"
