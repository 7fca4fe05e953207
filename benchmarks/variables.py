"""How much of a program's variables -g tells, and what it costs.

Comes in: the programs of the tests.  Goes out: a table, as Markdown.  A variable counts once for
every word of its scope, and is known there when the table says where it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zhisuan import bcl
from zhisuan.isa.debug_table import DebugTable, Scope, Variable
from zhisuan.isa.program import Program

PROGRAMS = Path(__file__).parent.parent / "tests" / "bcl" / "programs"
ROUNDS = 3


@dataclass
class Count:
    """Of all programs at one level; seconds and bytes without and with -g."""

    variables: int = 0
    pairs: int = 0
    known: int = 0
    seconds: tuple[float, float] = (0.0, 0.0)
    bytes: tuple[int, int] = (0, 0)

    def add(self, plain: Program, told: Program, seconds: tuple[float, float]) -> None:
        assert plain.words.tolist() == told.words.tolist(), plain.name
        for scope, variable in variables(told.debug or DebugTable()):
            words = [pc for start, end in scope.ranges for pc in range(start, end)]
            self.variables += 1
            self.pairs += len(words)
            self.known += sum(variable.at(pc) is not None for pc in words)
        self.seconds = (self.seconds[0] + seconds[0], self.seconds[1] + seconds[1])
        sizes = len(plain.to_bytes()), len(told.to_bytes())
        self.bytes = (self.bytes[0] + sizes[0], self.bytes[1] + sizes[1])


def variables(table: DebugTable) -> Iterator[tuple[Scope, Variable]]:
    """Every variable of every function, with its scope."""
    pending = [function.scope for function in table.functions]
    while pending:
        scope = pending.pop()
        pending += scope.scopes
        yield from ((scope, variable) for variable in scope.variables)


def count(optimize: int, rounds: int = ROUNDS) -> Count:
    """What -g tells at one level of optimisation."""
    found = Count()
    for path in sorted(PROGRAMS.glob("*.mlu")):
        llvm = bcl.compile(path.read_text(encoding="utf-8"), path.name, optimize=optimize).llvm
        plain, told = (_timed(llvm, path.stem, debug, rounds) for debug in (False, True))
        found.add(plain[0], told[0], (plain[1], told[1]))
    return found


def _timed(llvm: str, name: str, debug: bool, rounds: int) -> tuple[Program, float]:
    """The program from LLVM IR, and the least processor time that this took."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        program = bcl.from_llvm(llvm, name, soft_double=True, debug=debug)
        best = min(best, time.process_time() - start)
    return program, best


def section(rounds: int = ROUNDS) -> str:
    programs = len(list(PROGRAMS.glob("*.mlu")))
    lines = [
        f"{programs} programs (`tests/bcl/programs`), with -g and without: the instructions are "
        "the same. A variable is known at a word of its scope when the table tells its place "
        f"there. Seconds are of the processor in the back end, behind clang, least of {rounds}.",
        "",
        "| level | variables | known | seconds without -g | with | bytes without -g | with |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for level in (0, 1, 2, 3):
        found = count(level, rounds)
        lines.append(
            f"| -O{level} | {found.variables:,} | {found.known / found.pairs:.1%} "
            f"| {found.seconds[0]:.2f} | {found.seconds[1]:.2f} "
            f"| {found.bytes[0]:,} | {found.bytes[1]:,} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(section())
