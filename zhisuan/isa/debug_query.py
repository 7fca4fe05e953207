"""What a debugger asks of a program compiled with `-g`.

Comes in: a program, a word (`pc`), registers and memory where values are asked for.  Goes out:
functions, scopes, variables with their locations, callers, words of source lines.  A program
without `-g` has lines and no more.  It never runs or changes anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from zhisuan.isa.debug_table import (
    NOWHERE,
    DebugTable,
    Frame,
    Function,
    Location,
    Place,
    Scope,
    Variable,
)
from zhisuan.isa.program import Program
from zhisuan.isa.registry import LINK_REGISTER, STACK_POINTER

Read = Callable[[int, int], bytes]
"""(address, count) → the bytes that lie there."""


@dataclass(frozen=True)
class Local:
    """A variable that a word sees; `location` is None where it is optimised out.

    depth: how far in the scope lies that declares it; an outer variable of the same name is
    hidden by it.
    """

    variable: Variable
    type: int
    location: Location | None
    depth: int

    @property
    def name(self) -> str:
        return self.variable.name


@dataclass(frozen=True)
class CallFrame:
    """One line of a backtrace: where it is, and its scopes, outermost first.

    place: of the word that runs, in outer frames of the call.  base: the frame's base, None if
    nothing tells.  registers: as this frame sees them; frames that are inlined share both.
    """

    function: str
    pc: int
    place: Place
    scopes: tuple[Scope, ...]
    base: int | None
    registers: tuple[int, ...]
    is_inlined: bool = False


def function_at(program: Program, pc: int) -> Function | None:
    """The function that a word belongs to."""
    functions = (program.debug or DebugTable()).functions
    found = bisect_right(functions, pc, key=lambda function: function.start) - 1
    return functions[found] if found >= 0 and pc in functions[found] else None


def scopes_at(program: Program, pc: int) -> tuple[Scope, ...]:
    """The scopes around a word, its function's first; inlined functions are among them."""
    function = function_at(program, pc)
    if function is None:
        return ()
    found = [function.scope]
    while (inner := next((s for s in found[-1].scopes if pc in s), None)) is not None:
        found.append(inner)
    return tuple(found)


def locals_at(program: Program, pc: int, scopes: Sequence[Scope] | None = None) -> list[Local]:
    """The variables that a word sees in its innermost function, parameters first, inner ones last.

    `scopes` are those of another frame: `CallFrame.scopes`.
    """
    if scopes is None:
        scopes = _innermost(scopes_at(program, pc))
    return [
        Local(variable, variable.type, variable.at(pc), depth)
        for depth, scope in enumerate(scopes)
        for variable in scope.variables
    ]


def globals_of(program: Program) -> list[Local]:
    """The variables outside functions; their places do not depend on the word."""
    table = program.debug or DebugTable()
    return [Local(v, v.type, v.places[0].where if v.places else None, 0) for v in table.globals]


def _innermost(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """The scopes of the function that a word belongs to in the source."""
    inlined = [index for index, scope in enumerate(scopes) if scope.function]
    return scopes[inlined[-1] :] if inlined else scopes


# -- lines --------------------------------------------------------------------------------


def place_of(program: Program, pc: int) -> Place:
    """(file, line) of a word."""
    if not 0 <= pc < len(program.lines):
        return NOWHERE
    file, line = program.lines[pc].tolist()
    return (file, line) if file >= 0 else NOWHERE


def statements(program: Program) -> list[int]:
    """The words where a line's code begins, where stepping by lines and breakpoints stop.

    A function's prologue has none: its body's first word stands for it.
    """
    functions = (program.debug or DebugTable()).functions
    bodies = {function.body for function in functions if function.body < function.end}
    quiet = {pc for f in functions for pc in range(f.start, min(f.body, f.end))}
    found = []
    for pc in range(len(program.lines)):
        here = place_of(program, pc)
        changed = pc == 0 or here != place_of(program, pc - 1)
        if here != NOWHERE and pc not in quiet and (changed or pc in bodies):
            found.append(pc)
    return found


def lines_of(program: Program, file: str) -> dict[int, tuple[int, ...]]:
    """Line → the words where its code begins.  The line that opens a function is its body."""
    if file not in program.files:
        return {}
    wanted = program.files.index(file)
    found: dict[int, list[int]] = {}
    for pc in statements(program):
        at, line = place_of(program, pc)
        if at == wanted:
            found.setdefault(line, []).append(pc)
    for function in (program.debug or DebugTable()).functions:
        if function.place[0] == wanted and function.body < function.end:
            found.setdefault(function.place[1], [function.body])
    return {line: tuple(pcs) for line, pcs in sorted(found.items())}


# -- calls --------------------------------------------------------------------------------


def frame_row(function: Function, pc: int) -> Frame | None:
    """How the frame is found at a word."""
    found = bisect_right(function.frames, pc, key=lambda row: row.start) - 1
    return function.frames[found] if found >= 0 else None


def backtrace(
    program: Program, pc: int, registers: Sequence[int], read: Read, limit: int = 1000
) -> Iterator[CallFrame]:
    """The calls that led to a word, innermost first, inlined ones too.

    `registers` are the 64 of the core now.  Ends with a kernel, or where nothing tells more.
    """
    known = tuple(registers)
    at = pc  # of an outer frame the call, not the word it returns to
    for _ in range(limit):
        function = function_at(program, at)
        row = None if function is None else frame_row(function, at)
        base = None if row is None else known[row.register] + row.offset
        yield from _frames_of(program, function, at, base, known)
        if function is None or function.is_kernel or row is None or base is None:
            return
        before = list(known)
        before[STACK_POINTER] = base
        for register, offset in row.saved:
            before[register] = int.from_bytes(read(base + offset, 8), "little")
        known = tuple(before)
        at = before[LINK_REGISTER] - 1
        if not 0 <= at < len(program.words):
            return


def _frames_of(
    program: Program, function: Function | None, pc: int, base: int | None, known: tuple[int, ...]
) -> Iterator[CallFrame]:
    """The frame of a function, before it those of what is inlined at the word."""
    place, scopes = place_of(program, pc), scopes_at(program, pc)
    while inlined := [index for index, scope in enumerate(scopes) if scope.function]:
        inner = scopes[inlined[-1] :]
        yield CallFrame(inner[0].function, pc, place, inner, base, known, is_inlined=True)
        place, scopes = inner[0].call, scopes[: inlined[-1]]
    name = function.name if function is not None else ""
    yield CallFrame(name, pc, place, scopes, base, known)
