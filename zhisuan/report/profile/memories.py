"""How full each core's and cluster's memories were, and the names of what filled them.

Comes in: a run, its workload and its programs.  Goes out: `Occupancy`s, found when asked for, and
the names of their owners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zhisuan.isa.program import Array, Program
from zhisuan.report.model import RunReport
from zhisuan.report.profile.occupancy import Occupancy, occupancy
from zhisuan.report.profile.touches import MEMORIES, Touches, touches
from zhisuan.sim.workload import Workload

SRAM = len(MEMORIES) - 1


@dataclass(frozen=True)
class Holder:
    """What holds bytes: an array by its name, else what a line wrote; `where` is `file:line`."""

    name: str
    where: str


@dataclass
class Memories:
    """`lines`: the place of each word's line by program, as `file:line`."""

    report: RunReport
    work: Workload
    lines: Mapping[str, list[str]]
    names: Mapping[str, str]
    holders: list[Holder] = field(default_factory=list)
    _known: dict[Holder, int] = field(default_factory=dict)
    _found: dict[tuple[int, int], Occupancy] = field(default_factory=dict)

    @cached_property
    def touches(self) -> Touches:
        return touches(self.report.trace, self.report.timing, self.work)

    @cached_property
    def _arrays(self) -> dict[tuple[str, int], list[Array]]:
        return {
            (name, memory): [a for a in program.arrays if a.address in space and a.size]
            for name, program in self.report.programs.items()
            for memory, space in enumerate(MEMORIES)
        }

    def of(self, memory: int, owner: int) -> Occupancy:
        """Of a core's NRAM or WRAM, by its place; of a cluster's SRAM."""
        key = memory, owner
        if key not in self._found:
            trace, timing = self.report.trace, self.report.timing
            self._found[key] = occupancy(
                self.touches, timing, trace.launch, memory, owner, self._named
            )
        return self._found[key]

    def of_core(self, place: int) -> list[Occupancy]:
        """NRAM, WRAM and its cluster's SRAM, those that were used."""
        cluster, _ = self.report.timing.cores[place]
        found = [self.of(memory, cluster if memory == SRAM else place) for memory in range(3)]
        return [one for one in found if one.most]

    def _named(self, memory: int, addresses: np.ndarray, rows: np.ndarray) -> np.ndarray:
        trace = self.report.trace
        found = np.zeros(len(rows), np.int64)
        launch = trace.launches[trace.launch[rows[0]]] if len(rows) else None
        if launch is None:
            return found
        keys, which = np.unique(
            np.stack([addresses, trace.pc[rows].astype(np.int64)]), axis=1, return_inverse=True
        )
        arrays = self._arrays.get((launch.program, memory), [])
        numbers = [
            self._number(self._holder(launch.program, arrays, address + MEMORIES[memory].base, pc))
            for address, pc in keys.T.tolist()
        ]
        return np.array(numbers, np.int64)[which.reshape(-1)]

    def _holder(self, program: str, arrays: list[Array], address: int, pc: int) -> Holder:
        for array in arrays:
            if array.address <= address < array.address + array.size:
                owner: Program = self.report.programs[program]
                file = owner.files[array.file] if array.file >= 0 else ""
                where = f"{self.names.get(file, file)}:{array.line}" if file else ""
                return Holder(array.name, where)
        lines = self.lines.get(program)
        where = lines[pc] if lines else f"{program}+{pc}"
        return Holder(f"written at {where}", where)

    def _number(self, holder: Holder) -> int:
        if holder not in self._known:
            self._known[holder] = len(self.holders)
            self.holders.append(holder)
        return self._known[holder]
