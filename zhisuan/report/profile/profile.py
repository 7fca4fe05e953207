"""A run and all that its profile shows, found once.

Comes in: a `RunReport` with its programs, and the sources' text.  Goes out: a `Profile`.  It
formats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zhisuan.report.model import RunReport
from zhisuan.report.profile.charges import Charges, Progress, charge
from zhisuan.report.profile.lines import LineTable, by_line, executed_by_line, line_table
from zhisuan.report.profile.memories import Memories
from zhisuan.report.profile.sources import Source, read_sources, short_names
from zhisuan.report.profile.transfers import Moved, moved
from zhisuan.sim.workload import Workload, measure


@dataclass(frozen=True)
class Profile:
    """`sources`: lines by the short name of the file.  `active`: the cores that took part."""

    report: RunReport
    work: Workload
    charges: Charges
    table: LineTable
    moved: Moved
    sources: Mapping[str, Source]
    active: np.ndarray
    memories: Memories

    @property
    def total(self) -> int:
        """Cycles of the run."""
        return self.report.timing.total

    @cached_property
    def time(self) -> np.ndarray:
        """float64[lines, kinds]: what held the active cores up, all together."""
        return by_line(self.charges, self.table, "time", self.active)

    @cached_property
    def executed(self) -> np.ndarray:
        """int64[lines]: instructions that the active cores executed."""
        return executed_by_line(self.charges, self.table, self.active)

    @cached_property
    def line_of_row(self) -> np.ndarray:
        """int64[rows]: the line of each trace row, -1 where its program is not known."""
        trace = self.report.trace
        found = np.full(len(trace), -1, np.int64)
        for number, launch in enumerate(trace.launches):
            rows = trace.rows_of(number)
            if launch.program in self.table.of_word:
                found[rows] = self.table.of_word[launch.program][trace.pc[rows]]
        return found

    def sum_by_line(self, column: np.ndarray) -> np.ndarray:
        """A column over trace rows, added up by line."""
        known = self.line_of_row >= 0
        return np.bincount(self.line_of_row[known], column[known], minlength=len(self.table.lines))

    def text(self, line: int) -> str:
        """The source of a line; empty where it is not known."""
        entry = self.table.lines[line]
        return self.sources.get(entry.file, {}).get(entry.number, "")


def profile(
    report: RunReport,
    sources: Mapping[str, Source] | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Charge the whole run; `sources` are by default what the programs carry."""
    work = measure(report.trace, report.machine)
    charges = charge(report, work, progress)
    files = [name for program in report.programs.values() for name in program.files]
    names = short_names(dict.fromkeys(files))
    table = line_table(charges, report.programs, names)
    if sources is None:
        sources = read_sources(report.programs, ())
    known = {names.get(name, name): source for name, source in sources.items()}
    places = {
        name: [table.lines[line].where for line in of_word.tolist()]
        for name, of_word in table.of_word.items()
    }
    return Profile(
        report,
        work,
        charges,
        table,
        moved(report.trace, work),
        known,
        active=np.unique(work.place),
        memories=Memories(report, work, places, names),
    )
