"""A `DebugTable` → the lines of `.dlps` text that say it; `asm_debug` reads them back.

Comes in: a table and the program's file names.  Goes out: directives, types first, then
globals, then each function with its frames, scopes and variables.  It judges nothing.

    .type struct Point 8 (x 0 0, y 1 4)
    .function scale 0..40 3 scale.bcl:7 kernel
    .frame 1 $63 +64
    .variable n 0 scale.bcl:7 argument=2: 0..40 stack-56
    .scope 1 scale.bcl:9: 12..30
    .variable i 0 scale.bcl:9: 0..40 stack-44
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from zhisuan.isa.debug_table import (
    VOID,
    Address,
    Alias,
    Array,
    Computed,
    Constant,
    DebugTable,
    Enum,
    Frame,
    Function,
    Load,
    Location,
    Member,
    Memory,
    Opaque,
    Pieces,
    Place,
    Pointer,
    Qualified,
    Register,
    Scalar,
    Scope,
    Stack,
    Struct,
    Type,
    Variable,
)
from zhisuan.isa.syntax import quoted

_COMMENT_COLUMN = 56


def debug_lines(table: DebugTable, files: Sequence[str]) -> Iterator[str]:
    """The directives of a table, in order."""
    for number, kind in enumerate(table.types):
        spelled = json.dumps(table.name_of(number), ensure_ascii=False)[1:-1]
        yield f"{f'.type {_type(kind)}':<{_COMMENT_COLUMN}}// {number}: {spelled}".rstrip()
    yield from (_variable(variable, files) for variable in table.globals)
    for function in table.functions:
        yield _function(function, files)
        yield from (_frame(frame) for frame in function.frames)
        yield from _scope(function.scope, files, 0)


def location_text(where: Location) -> str:
    """A location as the text form has it: `$5`, `stack-40`, `@0x1000000`, `load(stack-8 0)`."""
    match where:
        case Register(number):
            return f"${number}"
        case Stack(offset):
            return f"stack{offset:+d}"
        case Memory(address):
            return f"@0x{address:x}"
        case Constant(bits):
            return f"#{bits}" if bits < 1 << 16 else f"#0x{bits:x}"
        case Load(inner, offset):
            return f"load({location_text(inner)} {offset})"
        case Address(inner):
            return f"address({location_text(inner)})"
        case Computed(inner, steps):
            return f"computed({location_text(inner)} {_list(f'{s} {n}' for s, n in steps)})"
        case Pieces(parts):
            return f"pieces({_list(f'{at} {n} {location_text(x)}' for at, n, x in parts)})"


def _list(parts: Iterator[str]) -> str:
    return ", ".join(parts)


def _index(kind: int) -> str:
    return "void" if kind == VOID else str(kind)


def _type(kind: Type) -> str:
    match kind:
        case Scalar(name, element):
            return f"scalar {quoted(name)} {element}"
        case Pointer(to, is_reference):
            return f"{'reference' if is_reference else 'pointer'} {_index(to)}"
        case Array(of, counts):
            return f"array {_index(of)} {' '.join(map(str, counts))}"
        case Struct(word, name, size, members):
            return f"{word} {quoted(name)} {size} ({_list(map(_member, members))})"
        case Enum(name, element, values):
            listed = _list(f"{quoted(word)} {number}" for word, number in values)
            return f"enum {quoted(name)} {element} ({listed})"
        case Alias(name, of):
            return f"alias {quoted(name)} {_index(of)}"
        case Qualified(word, of):
            return f"{word} {_index(of)}"
        case Opaque(name, size):
            return f"opaque {quoted(name)} {size}"


def _member(member: Member) -> str:
    text = f"{quoted(member.name)} {_index(member.type)} {member.offset}"
    return f"{text} {member.bits} {member.first_bit}" if member.bits else text


def _place(place: Place, files: Sequence[str]) -> str:
    file, line = place
    return f"{quoted(files[file])}:{line}" if file >= 0 else "?"


def _function(function: Function, files: Sequence[str]) -> str:
    words = f"{function.start}..{function.end} {function.body}"
    text = f".function {quoted(function.name)} {words} {_place(function.place, files)}"
    return f"{text} kernel" if function.is_kernel else text


def _frame(frame: Frame) -> str:
    text = f".frame {frame.start} ${frame.register} {frame.offset:+d}"
    if not frame.saved:
        return text
    return f"{text} ({_list(f'${register} {at:+d}' for register, at in frame.saved)})"


def _scope(scope: Scope, files: Sequence[str], depth: int) -> Iterator[str]:
    """A function's own scope has the depth 0."""
    text = f".scope {depth} {_place(scope.place, files)}"
    if scope.function:
        text += f" {quoted(scope.function)} {_place(scope.call, files)}"
    yield text + ":" + "".join(f" {start}..{end}" for start, end in scope.ranges)
    yield from (_variable(variable, files) for variable in scope.variables)
    for inner in scope.scopes:
        yield from _scope(inner, files, depth + 1)


def _variable(variable: Variable, files: Sequence[str]) -> str:
    text = f".variable {quoted(variable.name)} {_index(variable.type)}"
    text += f" {_place(variable.place, files)}"
    if variable.argument:
        text += f" argument={variable.argument}"
    places = _list(f"{p.start}..{p.end} {location_text(p.where)}" for p in variable.places)
    return f"{text}: {places}".rstrip()
