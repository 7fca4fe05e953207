"""What rules ask: who waited for what, where, for how long.

Comes in: a `Profile`.  Goes out: sums over the computing cores that took part; a memory core
counts only where there is no other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zhisuan.isa.registry import Unit
from zhisuan.report.profile.blame import KINDS
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.tasks import MEMORY_CORE

TRANSFERS = (Unit.IO.value, Unit.MOVE.value)
COMPUTE = (Unit.VFU.value, Unit.MFU.value)
NO_UNIT = -1
MOST_LINES = 3
LEAST_OF_LINES = 0.1
"""Part of what is told that a line must have to be named."""


@dataclass(frozen=True)
class Facts:
    profile: Profile

    @cached_property
    def places(self) -> np.ndarray:
        """The cores that are asked about."""
        cores = self.profile.report.timing.cores
        active = self.profile.active
        computing = [place for place in active.tolist() if cores[place][1] != MEMORY_CORE]
        return np.array(computing) if computing else active

    @cached_property
    def _time(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Line, kind, unit of the instruction charged, cycles: of the view `time`."""
        charges, table = self.profile.charges, self.profile.table
        here = charges.of("time") & np.isin(charges.place, self.places)
        units = np.full(len(charges.pc), NO_UNIT)
        for number, name in enumerate(charges.programs):
            words = charges.words.get(name)
            mine = here & (charges.program == number)
            if words is not None:
                of_word = np.array([w.row.unit.value if w.row else NO_UNIT for w in words])
                units[mine] = of_word[charges.pc[mine]]
        return table.of_charge[here], charges.kind[here], units[here], charges.cycles[here]

    @cached_property
    def whole(self) -> float:
        """Cycles of all cores that are asked about."""
        return max(float(self.profile.total * len(self.places)), 1.0)

    def _where(self, kinds: Collection[str], units: Collection[int] | None) -> np.ndarray:
        _, kind, unit, _ = self._time
        here = np.isin(kind, [KINDS.index(name) for name in kinds])
        return here if units is None else here & np.isin(unit, list(units))

    def share(self, *kinds: str, units: Collection[int] | None = None) -> float:
        """Part of the time that is charged with `kinds`, to instructions of `units`; 0..1."""
        return float(self._time[3][self._where(kinds, units)].sum()) / self.whole

    def by_line(self, *kinds: str, units: Collection[int] | None = None) -> np.ndarray:
        """The same, line by line."""
        here = self._where(kinds, units)
        lines = len(self.profile.table.lines)
        return np.bincount(self._time[0][here], self._time[3][here], lines) / self.whole

    def rows(self, *units: int) -> np.ndarray:
        """Trace rows of units, of the cores that are asked about."""
        work = self.profile.work
        return np.flatnonzero(np.isin(work.kind, units) & np.isin(work.place, self.places))

    def busy(self, *units: int) -> float:
        """Part of the time in which units of a core work, 0..1; of several the sum."""
        timing = self.profile.report.timing
        cycles = timing.core_cycles[:, self.places][:, :, list(units)]
        return float(cycles[..., timing.causes.index("busy")].sum()) / self.whole


def largest(shares: np.ndarray) -> tuple[int, ...]:
    """The lines that a sentence names: those with most, which have a good part of it."""
    order = np.argsort(-shares, kind="stable")[:MOST_LINES]
    least = LEAST_OF_LINES * shares.sum()
    return tuple(int(line) for line in order if shares[line] > 0 and shares[line] >= least)
