"""Where the words of a program come from: lines, functions, source text.

Comes in: a program, folders with its source files.  Goes out: lines of words, words of lines.  It
works without debug information too, as far as the line table and labels go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.isa.encoding import Encodable, decode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import Kind


@dataclass(frozen=True)
class Place:
    """A line of a source file; `file` is its index in the program."""

    file: int
    line: int


@dataclass(frozen=True)
class Span:
    """A function's words [start, end); `body` is the first behind its prologue."""

    name: str
    start: int
    end: int
    body: int


class Symbols:
    def __init__(self, program: Program, folders: tuple[Path, ...] = ()) -> None:
        self.program = program
        self._folders = folders
        self._texts: dict[int, list[str] | None] = {}
        self.words = len(program.words)

    # -- instructions -------------------------------------------------------------------------

    @cached_property
    def items(self) -> list[Encodable | None]:
        """Every word decoded; None where it is no instruction."""
        return [_decoded(int(word)) for word in self.program.words]

    def is_call(self, pc: int) -> bool:
        item = self.items[pc] if 0 <= pc < self.words else None
        return item is not None and item.row.name in ("CALL", "CALLR")

    # -- functions ----------------------------------------------------------------------------

    @cached_property
    def functions(self) -> list[Span]:
        """By their first words; without debug information those that are called or launched."""
        if self.program.debug is not None:
            return [Span(f.name, f.start, f.end, f.body) for f in self.program.debug.functions]
        starts = {kernel.entry: kernel.name for kernel in self.program.kernels.values()}
        for pc, item in enumerate(self.items):
            if item is not None and item.row.name == "CALL":
                targets = [value for operand, value in zip(item.row.operands, item.values,
                           strict=True) if operand.kind is Kind.TARGET]  # fmt: skip
                start = pc + 1 + targets[0]
                starts.setdefault(start, self.program.labels.get(start, f"function+{start}"))
        order = [*sorted(starts), self.words]
        return [Span(starts[a], a, b, a) for a, b in pairwise(order)]

    def function_at(self, pc: int) -> Span | None:
        return next((span for span in self.functions if span.start <= pc < span.end), None)

    def function(self, name: str) -> Span | None:
        """The function called `name`; of a template also without its arguments."""
        spans = [span for span in self.functions if span.name == name]
        spans += [span for span in self.functions if span.name.partition("<")[0] == name]
        return spans[0] if spans else None

    @cached_property
    def inlined(self) -> np.ndarray:
        """For each word in how many inlined functions it is."""
        depths = np.zeros(self.words, np.int64)
        pending = [f.scope for f in self.program.debug.functions] if self.program.debug else []
        while pending:
            scope = pending.pop()
            pending += scope.scopes
            if scope.function:
                inside = np.zeros(self.words, bool)
                for start, end in scope.ranges:
                    inside[start:end] = True
                depths += inside
        return depths

    # -- lines --------------------------------------------------------------------------------

    def place(self, pc: int) -> Place | None:
        lines = self.program.lines
        if not 0 <= pc < len(lines) or lines[pc, 0] < 0:
            return None
        return Place(int(lines[pc, 0]), int(lines[pc, 1]))

    def words_of_line(self, place: Place) -> list[int]:
        """Where a line begins: its first word in each function, behind the prologue."""
        found: dict[int, int] = {}
        for pc in np.flatnonzero((self.program.lines == (place.file, place.line)).all(axis=1)):
            span = self.function_at(int(pc))
            key = span.start if span is not None else -1
            if span is not None and pc < span.body:
                continue
            found.setdefault(key, int(pc))
        if found:
            return sorted(found.values())
        spans = [span for span in self.functions if self.place(span.start) == place]
        return [span.body for span in spans]

    def line_with_code(self, place: Place) -> Place | None:
        """The line itself, or the next one below it that any word comes from."""
        lines = self.program.lines
        below = [int(line) for file, line in lines if file == place.file and line >= place.line]
        return Place(place.file, min(below)) if below else None

    def same_line(self, pc: int) -> np.ndarray:
        """bool, one for each word: those of the line at `pc` in its function, and those without
        any line."""
        mask = np.zeros(self.words, bool)
        span = self.function_at(pc)
        lines = self.program.lines
        if not len(lines) or span is None:
            mask[pc] = True
            return mask
        mask[lines[:, 0] < 0] = True
        if lines[pc, 0] >= 0:
            inside = slice(span.start, span.end)
            mask[inside] |= (lines[inside] == lines[pc]).all(axis=1)
        return mask

    # -- files --------------------------------------------------------------------------------

    def file_number(self, name: str) -> int:
        """The file that the program calls `name`, or whose last parts it is."""
        files = self.program.files
        wanted = Path(name)
        for number, file in enumerate(files):
            if file == name or Path(file).parts[-len(wanted.parts) :] == wanted.parts:
                return number
        for number, file in enumerate(files):
            if Path(file).name == wanted.name:
                return number
        raise ZhisuanError(f"no code comes from a file '{name}'",
                           expected=", ".join(files) or "a program with a line table",
                           hint=did_you_mean(name, files))  # fmt: skip

    def path(self, file: int) -> Path | None:
        """The source file, where it can be found."""
        name = self.program.files[file]
        places = [Path(name)]
        for folder in self._folders:  # steps of a compiled model have numbers before their names
            last = Path(name).name
            places += [folder / name, folder / last, *sorted(folder.glob(f"*-{last}"))]
        return next((path for path in places if path.is_file()), None)

    def text(self, file: int) -> list[str] | None:
        """The lines of a source file; None where it cannot be found."""
        if file not in self._texts:
            path = self.path(file)
            known = path.read_text(encoding="utf-8", errors="replace") if path else None
            self._texts[file] = known.splitlines() if known is not None else None
        return self._texts[file]

    def line_text(self, place: Place) -> str:
        known = self.program.texts.get((place.file, place.line))
        if known is not None:
            return known
        lines = self.text(place.file)
        return lines[place.line - 1] if lines and 1 <= place.line <= len(lines) else ""

    def show(self, pc: int) -> str:
        """`file:line`, or the word where that is unknown."""
        return self.program.place(pc)


def _decoded(word: int) -> Encodable | None:
    try:
        return decode(word)
    except ZhisuanError:
        return None
