"""Where the launch is to stop: breakpoints, by whom they are meant and how often they were passed.

Comes in: places as the user says them.  Goes out: words of the program to stop before.  Breakpoints
outlive a launch: those of the next one are looked up in its program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.debug.symbols import Place, Symbols


class Kind(Enum):
    LINE = "line"
    FUNCTION = "function"
    WORD = "address"


@dataclass
class Breakpoint:
    """`where` is what the user said; `core` and `task` are numbers that it is limited to; `ignore`
    hits more are passed over; `message` is told instead of stopping."""

    number: int
    kind: Kind
    where: str
    condition: str = ""
    ignore: int = 0
    hits: int = 0
    core: int | None = None
    task: int | None = None
    temporary: bool = False
    enabled: bool = True
    message: str = ""
    words: tuple[int, ...] = ()
    place: Place | None = None
    told: bool = False
    """Whether an editor knows that its place was found."""
    problem: str = ""

    def look_up(self, symbols: Symbols) -> None:
        """Find its place in a program; one that it does not have is an error."""
        self.kind, self.words, self.place = find(symbols, self.where)

    def concerns(self, pc: int, core: int, task: int) -> bool:
        return (
            self.enabled
            and pc in self.words
            and self.core in (None, core)
            and self.task in (None, task)
        )


@dataclass
class Breakpoints:
    """All of a session; `next_number` is the debugger's own count, as gdb has it."""

    items: dict[int, Breakpoint] = field(default_factory=dict)
    next_number: int = 1

    def add(self, symbols: Symbols, where: str, **options: object) -> Breakpoint:
        """A breakpoint at a place of the program; one that it does not have is an error."""
        kind, words, place = find(symbols, where)
        made = Breakpoint(self.take_number(), kind, where, words=words, place=place)
        for name, value in options.items():
            setattr(made, name, value)
        self.items[made.number] = made
        return made

    def take_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def look_up(self, symbols: Symbols) -> None:
        """Find all of them in another program; what it does not have waits for the next."""
        for item in self.items.values():
            try:
                item.look_up(symbols)
                item.problem = ""
            except ZhisuanError:
                item.words, item.place = (), None

    def at(self, pc: int, core: int, task: int) -> Iterator[Breakpoint]:
        for item in list(self.items.values()):
            if item.concerns(pc, core, task):
                yield item

    def mask(self, words: int, core: int, task: int) -> np.ndarray | None:
        """bool, one for each word: where a task on a core stops; None for nowhere."""
        wanted = [
            pc
            for item in self.items.values()
            if item.enabled and item.core in (None, core) and item.task in (None, task)
            for pc in item.words
        ]
        if not wanted:
            return None
        mask = np.zeros(words, bool)
        mask[wanted] = True
        return mask


def find(symbols: Symbols, where: str) -> tuple[Kind, tuple[int, ...], Place | None]:
    """`file:line`, a line, a function, or `*word`."""
    where = where.strip()
    if where.startswith("*"):
        return _word(symbols, where)
    file, colon, line = where.rpartition(":")
    if line.isdecimal() and (colon or where.isdecimal()):
        number = symbols.file_number(file) if colon else 0
        wanted = Place(number, int(line))
        place = symbols.line_with_code(wanted)
        if place is None:
            raise ZhisuanError(f"no code comes from line {line} or any below it",
                               where=symbols.program.files[number])  # fmt: skip
        return Kind.LINE, tuple(symbols.words_of_line(place)), place
    span = symbols.function(where)
    if span is None:
        names = [span.name for span in symbols.functions]
        raise ZhisuanError(f"there is no function '{where}'", expected=", ".join(names),
                           hint=did_you_mean(where, names))  # fmt: skip
    spans = [s for s in symbols.functions if where in (s.name, s.name.partition("<")[0])]
    return Kind.FUNCTION, tuple(s.body for s in spans), symbols.place(span.body)


def _word(symbols: Symbols, where: str) -> tuple[Kind, tuple[int, ...], Place | None]:
    text = where[1:].strip()
    if not re.fullmatch(r"0x[0-9a-fA-F]+|\d+", text) or int(text, 0) >= symbols.words:
        raise ZhisuanError(f"'{where}' is no instruction",
                           expected=f"* and a number from 0 to {symbols.words - 1}")  # fmt: skip
    return Kind.WORD, (int(text, 0),), symbols.place(int(text, 0))
