"""The directives of `.dlps` text that say what `-g` knows; `debug_text` prints them.

Comes in: a cursor behind the directive's name.  Goes out: parts of a
`DebugTable`.  A function's docstring is its entry in the manual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zhisuan.base.errors import did_you_mean
from zhisuan.isa.asm_lines import Cursor
from zhisuan.isa.asm_state import Draft, read_place
from zhisuan.isa.debug_draft import DebugDraft, Open
from zhisuan.isa.debug_table import (
    NOWHERE,
    SCALAR_BYTES,
    STEPS,
    VOID,
    Address,
    Alias,
    Array,
    Computed,
    Constant,
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
    Range,
    Register,
    Scalar,
    Scope,
    Stack,
    Struct,
    Type,
    Variable,
)
from zhisuan.isa.registry import REGISTERS

_LOCATIONS = ("load", "address", "computed", "pieces")


def _draft(draft: Draft) -> DebugDraft:
    if draft.debug is None:
        draft.debug = DebugDraft()
    return draft.debug


# type := ".type" ( "scalar" NAME kind | "pointer" type | "array" type { NUMBER } | … )
def _type(cursor: Cursor, draft: Draft) -> None:
    """`.type scalar NAME KIND`: a type, known by its number; `void` is no type.

    Others: `pointer TYPE`, `reference TYPE`, `array TYPE COUNT …`,
    `struct NAME BYTES (NAME TYPE OFFSET [BITS FIRST], …)` (class, union), `enum NAME KIND (NAME
    NUMBER, …)`, `alias NAME TYPE`, `const TYPE`, `volatile TYPE`, `opaque NAME BYTES`.
    """
    token = cursor.take("a form of type", "word")
    read = _TYPES.get(token.text)
    if read is None:
        raise cursor.error(f"'{token.text}' is no form of type", token.column,
                           expected="one of " + ", ".join(_TYPES),
                           hint=did_you_mean(token.text, _TYPES))  # fmt: skip
    _draft(draft).types.append(read(cursor, token.text))


def _index(cursor: Cursor) -> int:
    token = cursor.peek()
    if token is not None and token.text == "void":
        cursor.take("void", "word")
        return VOID
    return cursor.integer("a type's number, or void")


def _kind(cursor: Cursor) -> str:
    token = cursor.take("a kind of number", "word")
    if token.text not in SCALAR_BYTES:
        raise cursor.error(f"'{token.text}' is not a kind of number", token.column,
                           expected="one of " + ", ".join(SCALAR_BYTES),
                           hint=did_you_mean(token.text, SCALAR_BYTES))  # fmt: skip
    return token.text


def _listed(cursor: Cursor) -> Iterator[None]:
    """Once for each part of `( part, part, … )`."""
    cursor.expect("(")
    first = True
    while not cursor.take_if(")"):
        if not first:
            cursor.expect(",")
        first = False
        yield


def _numbers(cursor: Cursor) -> tuple[int, ...]:
    found = []
    while (token := cursor.peek()) is not None and token.kind == "word":
        found.append(cursor.integer("a number"))
    return tuple(found)


def _member(cursor: Cursor) -> Member:
    name, kind = cursor.name("the member's name"), _index(cursor)
    offset = cursor.integer("an offset in bytes")
    return Member(name, kind, offset, *_numbers(cursor))


def _struct(cursor: Cursor, word: str) -> Struct:
    name, size = cursor.name("the type's name"), cursor.integer("a number of bytes")
    return Struct(word, name, size, tuple(_member(cursor) for _ in _listed(cursor)))


def _enum(cursor: Cursor, _: str) -> Enum:
    name, kind = cursor.name("the type's name"), _kind(cursor)
    return Enum(name, kind, tuple(
        (cursor.name("a name"), cursor.integer("a number")) for _ in _listed(cursor)
    ))  # fmt: skip


_TYPES: dict[str, Callable[[Cursor, str], Type]] = {
    "scalar": lambda c, _: Scalar(c.name("the type's name"), _kind(c)),
    "pointer": lambda c, _: Pointer(_index(c)),
    "reference": lambda c, _: Pointer(_index(c), True),
    "array": lambda c, _: Array(_index(c), _numbers(c)),
    **dict.fromkeys(("struct", "class", "union"), _struct),
    "enum": _enum,
    "alias": lambda c, _: Alias(c.name("the type's name"), _index(c)),
    **dict.fromkeys(("const", "volatile"), lambda c, word: Qualified(word, _index(c))),
    "opaque": lambda c, _: Opaque(c.name("the type's name"), c.integer("a number of bytes")),
}


# -- places and words ---------------------------------------------------------------------


def _place(cursor: Cursor, draft: Draft) -> Place:
    token, following = cursor.peek(), cursor.peek(1)
    unknown = token is not None and token.kind == "word" and token.text == "?"
    if unknown and not (following is not None and following.text == ":" and _is_line(cursor)):
        cursor.take("?", "word")
        return NOWHERE
    return read_place(cursor, draft)


def _is_line(cursor: Cursor) -> bool:
    token = cursor.peek(2)
    return token is not None and token.text.isdecimal()


def _words(cursor: Cursor) -> tuple[int, int]:
    token = cursor.take("words START..END", "word")
    start, dots, end = token.text.partition("..")
    if not (dots and start.isdecimal() and end.isdecimal()):
        raise cursor.error("these are not words", token.column, expected="START..END",
                           found=token.text)  # fmt: skip
    return int(start), int(end)


def _register(cursor: Cursor) -> int:
    token = cursor.take("a register", "register")
    number = token.text[1:]
    if not number.isdecimal() or int(number) >= REGISTERS:
        raise cursor.error(f"there is no register {token.text}", token.column,
                           expected=f"$0 to ${REGISTERS - 1}")  # fmt: skip
    return int(number)


def _location(cursor: Cursor) -> Location:
    token = cursor.peek()
    if token is not None and token.kind == "register":
        return Register(_register(cursor))
    token = cursor.take("a location", "word", "number")
    text = token.text
    try:
        if token.kind == "number":
            return Constant(int(text[1:], 0))
        if text.startswith("stack"):
            return Stack(int(text[5:]))
        if text.startswith("@"):
            return Memory(int(text[1:], 0))
    except ValueError:
        text = ""
    if text not in _LOCATIONS:
        raise cursor.error("this is not a location", token.column, found=token.text,
                           expected="$5, #5, stack+8, @0x100 or one of " + ", ".join(_LOCATIONS),
                           )  # fmt: skip
    return _compound(cursor, text)


def _compound(cursor: Cursor, word: str) -> Location:
    if word == "pieces":
        return Pieces(tuple(
            (cursor.integer("a byte"), cursor.integer("a count of bytes"), _location(cursor))
            for _ in _listed(cursor)
        ))  # fmt: skip
    cursor.expect("(")
    inner = _location(cursor)
    if word == "load":
        made: Location = Load(inner, cursor.integer("an offset"))
    elif word == "address":
        made = Address(inner)
    else:
        steps = [_step(cursor)]
        while cursor.take_if(","):
            steps.append(_step(cursor))
        made = Computed(inner, tuple(steps))
    cursor.expect(")")
    return made


def _step(cursor: Cursor) -> tuple[str, int]:
    token = cursor.take("a step", "word")
    if token.text not in STEPS:
        raise cursor.error(f"'{token.text}' is not a step", token.column,
                           expected="one of " + ", ".join(STEPS))  # fmt: skip
    return token.text, cursor.integer("a number")


# -- functions, scopes, variables ---------------------------------------------------------


# function := ".function" NAME words NUMBER place [ "kernel" ]
def _function(cursor: Cursor, draft: Draft) -> None:
    """`.function NAME START..END BODY FILE:LINE`: a function's words; `kernel` follows if it is.

    BODY is its first word behind the prologue.
    """
    debug = _draft(draft)
    name, (start, end) = cursor.name("the function's name"), _words(cursor)
    body, place = cursor.integer("the first word of its body"), _place(cursor, draft)
    is_kernel = cursor.peek() is not None
    if is_kernel and (token := cursor.take("kernel", "word")).text != "kernel":
        raise cursor.error("this does not belong here", token.column, expected="kernel",
                           found=token.text)  # fmt: skip
    debug.functions.append(Function(name, start, end, body, place, is_kernel))
    debug.scopes.append(Open(Scope()))
    debug.frames.append([])
    debug.open = []


# frame := ".frame" NUMBER register NUMBER [ "(" register NUMBER { "," register NUMBER } ")" ]
def _frame(cursor: Cursor, draft: Draft) -> None:
    """`.frame START $R OFFSET ($S OFFSET, …)`: from word START on, $R + OFFSET is the stack pointer
    before the call, and $S is saved at OFFSET from there.
    """
    debug, column = _draft(draft), cursor.column
    if not debug.functions:
        raise cursor.error("there is no .function that this belongs to", column)
    start, register = cursor.integer("a word"), _register(cursor)
    offset = cursor.integer("an offset")
    saved: list[tuple[int, int]] = []
    if cursor.peek() is not None:
        saved = [(_register(cursor), cursor.integer("an offset")) for _ in _listed(cursor)]
    debug.frames[-1].append(Frame(start, register, offset, tuple(saved)))


# scope := ".scope" NUMBER place [ NAME place ] ":" { words }
def _scope(cursor: Cursor, draft: Draft) -> None:
    """`.scope DEPTH FILE:LINE: START..END …`: a block of the function before; its own has depth 0.

    `.scope DEPTH FILE:LINE NAME FILE:LINE: …` is the function NAME, inlined there.
    """
    debug, column = _draft(draft), cursor.column
    depth, place = cursor.integer("a depth"), _place(cursor, draft)
    name, call = "", NOWHERE
    if (token := cursor.peek()) is not None and token.text != ":":
        name, call = cursor.name("the function's name"), _place(cursor, draft)
    cursor.expect(":")
    ranges = []
    while cursor.peek() is not None:
        ranges.append(_words(cursor))
    made = Open(Scope(place, tuple(ranges), name, call))
    if not debug.functions or depth > len(debug.open) or (depth == 0 and debug.open):
        raise cursor.error("there is nothing that this scope lies in", column,
                           expected=f"a depth up to {len(debug.open)} behind a .function",
                           found=str(depth))  # fmt: skip
    if depth == 0:
        debug.scopes[-1] = made
    else:
        debug.open[depth - 1].scopes.append(made)
    debug.open = [*debug.open[:depth], made]


# variable := ".variable" NAME type place [ "argument" "=" NUMBER ] ":" [ range { "," range } ]
def _variable(cursor: Cursor, draft: Draft) -> None:
    """`.variable NAME TYPE FILE:LINE: START..END LOCATION, …`: a variable of the scope before.

    Before the first `.function`, one of all functions; `argument=N` follows FILE:LINE of a
    parameter.  LOCATION is `$5`, `#5` (the value itself), `stack-8`, `@ADDRESS`, `load(LOCATION
    OFFSET)`, `address(LOCATION)`, `computed(LOCATION add 3, …)`, `pieces(BYTE COUNT LOCATION, …)`.
    """
    debug = _draft(draft)
    name, kind, place = cursor.name("the variable's name"), _index(cursor), _place(cursor, draft)
    argument = 0
    if (token := cursor.peek()) is not None and token.text == "argument":
        cursor.take("argument", "word")
        cursor.expect("=")
        argument = cursor.integer("a number")
    cursor.expect(":")
    ranges: list[Range] = []
    while cursor.peek() is not None:
        if ranges:
            cursor.expect(",")
        ranges.append(Range(*_words(cursor), _location(cursor)))
    made = Variable(name, kind, place, argument, tuple(ranges))
    (debug.open[-1].variables if debug.open else debug.globals).append(made)


DEBUG_DIRECTIVES: dict[str, Callable[[Cursor, Draft], None]] = {
    ".type": _type,
    ".function": _function,
    ".frame": _frame,
    ".scope": _scope,
    ".variable": _variable,
}
