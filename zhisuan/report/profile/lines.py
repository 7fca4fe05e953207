"""Source lines with what was charged to them.

Comes in: `Charges`, and the line tables of the programs.  Goes out: `Line`s, and the figures of
each.  Cycles that no line has keep a name of their own, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zhisuan.isa.program import Program
from zhisuan.report.profile.charges import KIND_NAMES, NOWHERE, Charges

LAUNCH, END = "(launch)", "(end)"
"""Cycles that belong to no instruction: being launched, and nothing more to do in a launch."""


@dataclass(frozen=True)
class Line:
    """A line of a file; number 0: code of `file` without a line, or, without a program to look
    it up in, the word `file` tells."""

    file: str
    number: int

    @property
    def where(self) -> str:
        return f"{self.file}:{self.number}" if self.number else self.file


@dataclass(frozen=True)
class LineTable:
    """Lines; of which each entry of `Charges` is; `of_word`: by program, that of each word."""

    lines: tuple[Line, ...]
    of_charge: np.ndarray
    of_word: Mapping[str, np.ndarray]

    def number(self, line: Line) -> int:
        return self.lines.index(line)


def line_table(
    charges: Charges, programs: Mapping[str, Program], names: Mapping[str, str]
) -> LineTable:
    """Look up the line of everything charged; `names` shortens the names of files."""
    known: dict[Line, int] = {}

    def enter(line: Line) -> int:
        return known.setdefault(line, len(known))

    of_word = {}
    for name, program in programs.items():
        places = program.lines.tolist() or [(-1, 0)] * len(program.words)
        of_word[name] = np.array(
            [
                enter(
                    Line(names.get(program.files[file], program.files[file]), number)
                    if file >= 0
                    else Line(f"({name}: no line)", 0)
                )
                for file, number in places
            ],
            np.int64,
        )
    of_charge = np.zeros(len(charges.pc), np.int64)
    for number in np.unique(charges.program).tolist():
        here = charges.program == number
        if number == NOWHERE:
            launching = here & (charges.kind_names() == "launch")
            of_charge[here] = enter(Line(END, 0))
            of_charge[launching] = enter(Line(LAUNCH, 0))
            continue
        name = charges.programs[number]
        if name in of_word:
            of_charge[here] = of_word[name][charges.pc[here]]
        else:
            pcs, which = np.unique(charges.pc[here], return_inverse=True)
            entries = [enter(Line(f"{name}+{pc}", 0)) for pc in pcs.tolist()]
            of_charge[here] = np.array(entries)[which.reshape(-1)]
    return LineTable(tuple(known), of_charge, of_word)


def by_line(
    charges: Charges, table: LineTable, view: str, places: np.ndarray | None = None
) -> np.ndarray:
    """float64[lines, kinds]: the cycles of a view, added up over cores (by default all)."""
    here = charges.of(view)
    if places is not None:
        here &= np.isin(charges.place, places)
    found = np.zeros((len(table.lines), len(KIND_NAMES[view])))
    np.add.at(found, (table.of_charge[here], charges.kind[here]), charges.cycles[here])
    return found


def executed_by_line(charges: Charges, table: LineTable, places: np.ndarray) -> np.ndarray:
    """int64[lines]: instructions executed."""
    found = np.zeros(len(table.lines), np.int64)
    for name, counts in charges.executed.items():
        np.add.at(found, table.of_word[name], counts[places].sum(axis=0))
    return found
