"""What `-g` sends through the compiler beside the code: scopes, variables, and notes of values.

`read_llvm` makes all of it, passes carry it without looking, `debug_flow` and `debug_build`
use it.  No pass may do anything differently because it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.base.errors import SourcePos
from zhisuan.bcl import ir
from zhisuan.isa.debug_table import Type


@dataclass(frozen=True, eq=False)
class SourceScope:
    """One instance of a lexical block, or of a function where it is not or is inlined.

    node: what it is an instance of, equal in all instances.  function, call: for an inlined
    function its name and the place of the call.
    """

    node: str
    place: SourcePos | None
    parent: SourceScope | None = None
    function: str = ""
    call: SourcePos | None = None


@dataclass(frozen=True)
class ScopedPos(SourcePos):
    """A place that knows its scope."""

    scope: SourceScope | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Tracked:
    """A variable of a function, one for each instance of its scope."""

    name: str
    type: int
    place: SourcePos | None
    argument: int
    scope: SourceScope


@dataclass(frozen=True)
class Note:
    """From here on `variable` is what `steps` make of `value`; None: nobody knows.

    piece: the note is of some of its bytes only, (first, count).  is_declared: it is there all
    through its scope.
    """

    variable: Tracked
    value: ir.Value | None
    steps: tuple[tuple[str, int], ...] = ()
    piece: tuple[int, int] | None = None
    is_declared: bool = False


@dataclass(frozen=True)
class StaticVariable:
    """A variable with an address of its own.  node: its scope; empty outside functions."""

    name: str
    type: int
    place: SourcePos | None
    node: str = ""


@dataclass
class FunctionNotes:
    """A function: its name with the class or namespace around it, its scope, its notes.

    notes: for each block as read, (number of the instruction behind the note, note), in order;
    last: the number of its last instruction.  listed: variables, with notes or without.

    """

    name: str
    scope: SourceScope
    notes: dict[str, list[tuple[int, Note]]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    listed: dict[Tracked, None] = field(default_factory=dict)


@dataclass
class ProgramNotes:
    """All that `-g` knows: types, functions by the name of their symbol, static variables too."""

    types: list[Type] = field(default_factory=list)
    functions: dict[str, FunctionNotes] = field(default_factory=dict)
    statics: dict[str, StaticVariable] = field(default_factory=dict)
