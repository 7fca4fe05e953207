"""memcheck: accesses outside what was allocated, and filters that start inside a WRAM line.

Comes in: the events of a launch, the allocations that exist during it.  Goes out: findings.
Accesses outside a memory, misaligned ones and those that an instruction cannot make never get
here: the executor stops at them with an error of the same form.
"""

from __future__ import annotations

from zhisuan.isa.address import WRAM, Space
from zhisuan.isa.matrix import WRAM_LINE
from zhisuan.sim.checks.accesses import Access
from zhisuan.sim.checks.allocation import Table
from zhisuan.sim.checks.events import Event
from zhisuan.sim.checks.finding import Findings, place_of

NAME = "memcheck"


class MemCheck:
    """`tables` has, for every memory where the allocations are known, all of them."""

    def __init__(self, findings: Findings, tables: dict[Space, Table]) -> None:
        self.findings = findings
        self.tables = tables

    def see(self, event: Event) -> None:
        for touched in event.accesses:
            for space, table in self.tables.items():
                if touched.low in space:
                    self._within(event, touched, table)
            if event.name == "CONV" and touched.low in WRAM and touched.low % WRAM_LINE:
                self._misaligned(event, touched)

    def _within(self, event: Event, touched: Access, table: Table) -> None:
        outside = table.outside(touched.starts, touched.ends)
        if not len(outside):
            return
        start, end = int(touched.starts[outside[0]]), int(touched.ends[outside[0]])
        near = table.nearest(start)
        what = f"{'write' if touched.writes else 'read'} outside every buffer"
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
