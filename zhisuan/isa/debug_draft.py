"""The `DebugTable` under construction while the assembler reads a text.

Comes in: what the directives of `asm_debug` add.  Goes out: the table, whose types all exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.debug_table import (
    VOID,
    Alias,
    Array,
    DebugTable,
    Frame,
    Function,
    Pointer,
    Qualified,
    Scope,
    Struct,
    Type,
    Variable,
)


@dataclass
class Open:
    """A scope that may still get variables and scopes."""

    scope: Scope
    variables: list[Variable] = field(default_factory=list)
    scopes: list[Open] = field(default_factory=list)

    def closed(self) -> Scope:
        inner = tuple(scope.closed() for scope in self.scopes)
        return replace(self.scope, variables=tuple(self.variables), scopes=inner)


@dataclass
class DebugDraft:
    """A table under construction; `open` are the scopes around what comes next."""

    types: list[Type] = field(default_factory=list)
    globals: list[Variable] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    scopes: list[Open] = field(default_factory=list)  # of each function
    frames: list[list[Frame]] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)


def finish(debug: DebugDraft, where: str) -> DebugTable:
    """The table that was read from `where`."""
    functions = [
        replace(function, scope=scope.closed(), frames=tuple(frames))
        for function, scope, frames in zip(debug.functions, debug.scopes, debug.frames, strict=True)
    ]
    table = DebugTable(tuple(debug.types), tuple(functions), tuple(debug.globals))
    unknown = next((n for n in _named_types(table) if not VOID <= n < len(table.types)), None)
    if unknown is not None:
        raise ZhisuanError(f"there is no type {unknown}", where=where,
                           expected=f"at most {len(table.types) - 1}")  # fmt: skip
    for number in range(len(table.types)):
        _refuse_endless(table, number, where)
    return table


def _named_types(table: DebugTable) -> Iterator[int]:
    """Every number of a type that the table uses."""
    for kind in table.types:
        match kind:
            case Pointer(to=other) | Array(of=other) | Alias(type=other) | Qualified(type=other):
                yield other
            case Struct(members=members):
                yield from (member.type for member in members)
    pending = [function.scope for function in table.functions]
    yield from (variable.type for variable in table.globals)
    while pending:
        scope = pending.pop()
        pending += scope.scopes
        yield from (variable.type for variable in scope.variables)


def _refuse_endless(table: DebugTable, number: int, where: str) -> None:
    """Only a struct may lead back to itself."""
    at = number
    for _ in table.types:
        kind = table.types[at]
        match kind:
            case Pointer(to=other) | Array(of=other) | Alias(type=other) | Qualified(type=other):
                at = other
            case _:
                return
        if at == VOID:
            return
    raise ZhisuanError(f"type {number} is made of itself alone", where=where,
                       expected="a struct in between")  # fmt: skip
