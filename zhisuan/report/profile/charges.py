"""The time of every core and of every unit, charged to instruction words.

Comes in: a `RunReport`.  Goes out: `Charges`, cycles by core, view, kind, program and word.  The
view `time` is that of `blame`; the others are the units, each of whose cycles is charged to
the instruction that it executed or that was on its way to it.  In every view the cycles of a core
add up to the duration of the run.

A trace has one row for a run of scalar instructions.  Its cycles are spread over the run's words
by how often each was executed and what it costs, which is exact.  What the run waited for off the
chip is spread over its loads (and stores, for translation), what it waited for code over its
words; that is exact where the run has one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from zhisuan.report.intervals import Lane, lanes_of
from zhisuan.report.model import RunReport
from zhisuan.report.profile.blame import KINDS, blame
from zhisuan.report.profile.executed import Word, executed, words_of
from zhisuan.sim.footprint import CODE
from zhisuan.sim.schedule import CAUSES, UNITS
from zhisuan.sim.trace import COST_CLASSES, SCALAR_RUN
from zhisuan.sim.workload import Workload, measure

VIEWS = ("time", *UNITS)
KIND_NAMES: dict[str, tuple[str, ...]] = {"time": KINDS, **dict.fromkeys(UNITS, CAUSES)}
NOWHERE = -1
"""The program of cycles that belong to no instruction: launching, and having nothing to do."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Charges:
    """Columns of equal length; kind is a position in KIND_NAMES of the view.

    `executed` is how often each word was executed, [cores, words] by program; `programs` are the
    names that `program` counts.
    """

    place: np.ndarray
    view: np.ndarray
    kind: np.ndarray
    program: np.ndarray
    pc: np.ndarray
    cycles: np.ndarray
    programs: tuple[str, ...]
    words: dict[str, list[Word]]
    executed: dict[str, np.ndarray]

    def of(self, view: str) -> np.ndarray:
        """bool: the rows of a view."""
        return self.view == VIEWS.index(view)

    def kind_names(self) -> np.ndarray:
        """str[...]: the kinds in words."""
        width = max(map(len, KIND_NAMES.values()))
        table = np.array([(*KIND_NAMES[v], *[""] * (width - len(KIND_NAMES[v]))) for v in VIEWS])
        return table[self.view, self.kind]


def charge(
    report: RunReport, work: Workload | None = None, progress: Progress | None = None
) -> Charges:
    """Charge all cores, and tell `progress` how many are done."""
    trace, timing = report.trace, report.timing
    work = work or measure(trace, report.machine)
    places = len(timing.cores)
    programs = tuple(dict.fromkeys(launch.program for launch in trace.launches))
    counts = executed(trace, report.programs, work.place, places)
    words = {name: words_of(program) for name, program in report.programs.items()}
    of_launch = np.array([programs.index(e.program) for e in trace.launches] or [0])
    program_of_row = np.append(of_launch[trace.launch], NOWHERE)
    spread = _Spread(report, work, programs, words, counts, program_of_row)
    parts = []
    for place in range(places):
        if progress:
            progress(place, places, _core_name(timing.cores[place]))
        rows = np.flatnonzero(work.place == place)
        lanes = lanes_of(trace, timing, place)
        for view, kind, row, cycles in _views(report, work, rows, lanes):
            parts += spread.over_words(place, view, kind, row, cycles)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Charges(*columns, programs=programs, words=words, executed=counts)


def _core_name(core: tuple[int, int]) -> str:
    return f"cluster {core[0]}, core {core[1]}"


def _views(
    report: RunReport, work: Workload, rows: np.ndarray, lanes: tuple[Lane, ...]
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """(view, kind, row, cycles) of a core, view by view; the rows are those of the trace."""
    found = blame(report.trace, report.timing, rows, work.kind, work.mask, lanes)
    yield 0, found.kind, found.row, found.cycles
    for number, lane in enumerate(lanes, 1):
        yield number, lane.state.astype(np.int64), lane.row, lane.length


Part = tuple[np.ndarray, ...]


class _Spread:
    """Puts cycles of trace rows on words."""

    def __init__(
        self, report: RunReport, work: Workload, programs: tuple[str, ...],
        words: dict[str, list[Word]], counts: dict[str, np.ndarray], program_of_row: np.ndarray,
    ) -> None:  # fmt: skip
        self.trace, self.programs, self.words, self.counts = report.trace, programs, words, counts
        self.program_of_row = program_of_row
        self.is_run = np.append(report.trace.opcode == SCALAR_RUN, False)
        self.pc = np.append(report.trace.pc, NOWHERE).astype(np.int64)
        self.place = work.place
        self.prices = {n: _prices(report, w) for n, w in words.items()}
        self.marks = report.trace.footprints[report.trace.footprints["kind"] == CODE]

    def over_words(
        self, place: int, view: int, kind: np.ndarray, row: np.ndarray, cycles: np.ndarray
    ) -> list[Part]:
        """Columns of `Charges` for pieces of one view of one core."""
        run, program = self.is_run[row], self.program_of_row[row]
        parts = [self._sum(place, view, kind[~run], program[~run], self.pc[row[~run]],
                           cycles[~run].astype(float))]  # fmt: skip
        names = KIND_NAMES[VIEWS[view]]
        for number in np.unique(program[run]).tolist():
            for one in np.unique(kind[run & (program == number)]).tolist():
                here = run & (program == number) & (kind == one)
                pcs, spent = self._spread(place, number, names[one], row[here], cycles[here])
                parts.append(self._sum(place, view, np.full(len(pcs), one),
                                       np.full(len(pcs), number), pcs, spent))  # fmt: skip
        return parts

    def _sum(
        self, place: int, view: int, kind: np.ndarray, program: np.ndarray, pc: np.ndarray,
        cycles: np.ndarray,
    ) -> Part:  # fmt: skip
        """One entry for each (kind, program, word)."""
        key = ((program + 1) << 40) + ((pc + 1) << 8) + kind
        unique, which = np.unique(key, return_inverse=True)
        total = np.bincount(which.reshape(-1), cycles, minlength=len(unique))
        full = np.full(len(unique), place), np.full(len(unique), view)
        return (*full, unique & 0xFF, (unique >> 40) - 1, (unique >> 8 & 0xFFFF_FFFF) - 1, total)

    def _spread(
        self, place: int, number: int, kind: str, row: np.ndarray, cycles: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cycles of scalar runs on words: (words, cycles)."""
        name = self.programs[number]
        if name not in self.words:
            return self.pc[row], cycles.astype(float)
        if kind in ("scalar", "busy"):
            weights = self.counts[name][place] * self.prices[name]
            pcs = np.flatnonzero(weights)
            return pcs, weights[pcs] * (cycles.sum() / max(weights.sum(), 1))
        found_pcs, found = [], []
        starts = self.pc[row]
        for start in np.unique(starts).tolist():
            here = starts == start
            weights = self._touched(name, row[here], start, kind)
            pcs = np.flatnonzero(weights)
            found_pcs.append(pcs)
            found.append(weights[pcs] * (cycles[here].sum() / weights.sum()))
        return np.concatenate(found_pcs), np.concatenate(found)

    def _touched(self, name: str, rows: np.ndarray, start: int, kind: str) -> np.ndarray:
        """How often runs that begin at `start` executed the words that wait for `kind`."""
        words = self.words[name]
        steps = np.zeros(len(words) + 1)
        marks = self.marks[np.isin(self.marks["row"], rows)]
        straight = np.setdiff1d(rows, marks["row"])
        lengths = self.trace.a[:, straight].sum(axis=0)
        np.add.at(steps, np.minimum(start, len(words)), len(straight))
        np.add.at(steps, np.minimum(start + lengths, len(words)), -1)
        np.add.at(steps, marks["first"], marks["count"])
        np.add.at(steps, marks["last"] + 1, -marks["count"])
        weights = np.cumsum(steps)[:-1]
        if kind == "instruction fetch":
            weights = (weights > 0).astype(float)
        else:
            asked = ("load", "store") if kind == "tlb" else ("load",)
            waits = np.array([w.row is not None and w.row.cost in asked for w in words])
            weights = weights * waits
        if not weights.any():
            weights = np.zeros(len(words))
            weights[start] = 1
        return weights


def _prices(report: RunReport, words: list[Word]) -> np.ndarray:
    """Cycles of the decoder for each word of a scalar run, 0 for what has a row of its own."""
    scalar = report.machine.scalar
    return np.array(
        [
            getattr(scalar, w.row.cost)
            if w.row is not None and not w.row.is_queued and w.row.cost in COST_CLASSES
            and w.name not in _OWN_ROWS
            else 0
            for w in words
        ]
    )  # fmt: skip


_OWN_ROWS = ("SYNC", "BARRIER")
