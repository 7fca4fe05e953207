"""The program under construction while the assembler reads a text.

Comes in: what instructions and directives add.  Goes out: the parts of a `Program`.  It
checks nothing: those who add do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.isa.asm_lines import Cursor
from zhisuan.isa.debug_draft import DebugDraft
from zhisuan.isa.program import Array, Kernel

UNKNOWN_PLACE = (-1, 0)


@dataclass(frozen=True)
class Label:
    pc: int
    line: int  # of the text, where it is defined


@dataclass
class Draft:
    """complete: `.program` was seen.  placed: `.line` was seen.  place: (file, line) now.

    labels: every label of the text; kept_labels: those a Program keeps, by word index.
    """

    name: str
    complete: bool = False
    placed: bool = False
    place: tuple[int, int] = UNKNOWN_PLACE
    words: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    own_lines: list[int] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    kept_labels: dict[int, str] = field(default_factory=dict)
    kernels: dict[str, Kernel] = field(default_factory=dict)
    const: bytearray = field(default_factory=bytearray)
    files: list[str] = field(default_factory=list)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    columns: list[int] = field(default_factory=list)
    arrays: dict[Array, int] = field(default_factory=dict)  # with their lines of the text
    debug: DebugDraft | None = None

    def add_word(self, word: int, line: int) -> None:
        """Append a word that stands in `line` of the text."""
        self.words.append(word)
        self.places.append(self.place)
        self.own_lines.append(line)


def read_place(cursor: Cursor, draft: Draft) -> tuple[int, int]:
    """FILE:LINE as (index into `draft.files`, line); a new file is added there."""
    file = cursor.name("a file name, or ?")
    cursor.expect(":")
    number = cursor.integer("a line number")
    if file not in draft.files:
        draft.files.append(file)
    return draft.files.index(file), number
