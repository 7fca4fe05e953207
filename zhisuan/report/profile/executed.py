"""How often every instruction of a program was executed, out of a trace.

Comes in: a trace and the programs it ran.  Goes out: counts by core and word.  A trace counts the
instructions of a scalar run by class; beside it stand the branches that were taken.  What enters
a word leaves it, so the counts of all words follow: a word is entered as often as the word before
it was left without a branch, and as often as branches to it were taken.  Calls return to the word
behind them; how often a function was called through a register follows from how often it
returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.encoding import decode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import Instruction, Kind
from zhisuan.sim.footprint import CODE
from zhisuan.sim.trace import Trace

CALLS = ("CALL", "CALLR")
ENDS = ("HALT", "TRAP")
RETURN = "JUMPR"


@dataclass(frozen=True)
class Word:
    """An instruction of a program: its row (None for a word that is none), and the word that a
    branch goes to, -1 where there is none or a register says it."""

    row: Instruction | None
    target: int = -1

    @property
    def name(self) -> str:
        return self.row.name if self.row else ""


def words_of(program: Program) -> list[Word]:
    found = []
    for pc, word in enumerate(program.words.tolist()):
        try:
            item = decode(word)
        except ZhisuanError:
            found.append(Word(None))
            continue
        operand, target = item.row.immediate, -1
        if operand is not None and operand.kind is Kind.TARGET:
            target = pc + 1 + item.values[item.row.operands.index(operand)]
        found.append(Word(item.row, target))
    return found


def executed(
    trace: Trace, programs: Mapping[str, Program], place: np.ndarray, places: int
) -> dict[str, np.ndarray]:
    """By program, int64[places, words]; `place` numbers the core of every row."""
    found = {}
    for name, program in programs.items():
        words = words_of(program)
        if words:
            taken = _taken(trace, name, place, places, len(words))
            entered = _entered(trace, program, place, places, len(words))
            found[name] = _flow(program, words, taken, entered)
    return found


def _of_program(trace: Trace, name: str) -> np.ndarray:
    """bool[launches]: those that ran a program."""
    return np.array([launch.program == name for launch in trace.launches], np.bool_)


def _taken(trace: Trace, name: str, place: np.ndarray, places: int, words: int) -> np.ndarray:
    """How often the branch in each word was taken.

    The last footprint of a run whose last branch lies behind it is the way to its end, no
    branch; it is the only one that ends before the row that follows.
    """
    marks = trace.footprints[trace.footprints["kind"] == CODE]
    marks = marks[_of_program(trace, name)[trace.launch[marks["row"]]]]
    last = np.append(marks["row"][1:] != marks["row"][:-1], True)[: len(marks)]
    marks = marks[~(last & _is_way_to_end(trace, marks))]
    taken = np.zeros((places, words), np.int64)
    np.add.at(taken, (place[marks["row"]], marks["last"]), marks["count"])
    return taken


def _is_way_to_end(trace: Trace, marks: np.ndarray) -> np.ndarray:
    """Whether a footprint that is a run's last says how the run came to its end.

    A branch is entered once in a run's footprints, and the way to the end follows all of them: it
    ends at the word before the next row of the task, or in HALT.
    """
    rows = marks["row"]
    following = np.minimum(rows + 1, len(trace) - 1)
    same = (following > rows) & (trace.task[following] == trace.task[rows])
    for column in (trace.launch, trace.cluster, trace.core):
        same &= column[following] == column[rows]
    return ~same | (marks["last"] + 1 == trace.pc[following])


def _entered(
    trace: Trace, program: Program, place: np.ndarray, places: int, words: int
) -> np.ndarray:
    """How often tasks began at each word."""
    entered = np.zeros((places, words), np.int64)
    begins = np.ones(len(trace), np.bool_)
    if len(trace) > 1:
        same = np.ones(len(trace) - 1, np.bool_)
        for column in (trace.launch, trace.cluster, trace.core, trace.task):
            same &= column[1:] == column[:-1]
        begins[1:] = ~same
    rows = np.flatnonzero(begins & _of_program(trace, program.name)[trace.launch])
    np.add.at(entered, (place[rows], trace.pc[rows]), 1)
    return entered


def _flow(
    program: Program, words: list[Word], taken: np.ndarray, entered: np.ndarray
) -> np.ndarray:
    """What enters each word: int64[places, words]."""
    entered = entered.copy()
    for pc, word in enumerate(words):
        if 0 <= word.target < len(words):
            entered[:, word.target] += taken[:, pc]
        if word.name in CALLS and pc + 1 < len(words):
            entered[:, pc + 1] += taken[:, pc]
    counts = np.zeros_like(entered)
    functions = sorted(program.labels)
    _sweep(words, taken, entered, counts, 0, len(words))
    for pc, word in enumerate(words):
        missing = np.maximum(taken[:, pc] - counts[:, pc], 0) if word.name == RETURN else None
        if missing is not None and missing.any():
            begin = max((label for label in functions if label <= pc), default=0)
            entered[:, begin] += missing
            _sweep(words, taken, entered, counts, begin, len(words))
    return counts


def _sweep(
    words: list[Word], taken: np.ndarray, entered: np.ndarray, counts: np.ndarray,
    first: int, end: int,
) -> None:  # fmt: skip
    """Fill in `counts` from word `first` on."""
    for pc in range(first, end):
        before = words[pc - 1] if pc else None
        passed = counts[:, pc - 1] - taken[:, pc - 1] if before else 0
        if before and before.name in ENDS:
            passed = 0
        counts[:, pc] = entered[:, pc] + passed
