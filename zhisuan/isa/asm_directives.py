"""The directives of `.dlps` text, one function each; `DIRECTIVES` names them.

Comes in: a cursor behind the directive's name.  Goes out: what it adds to the draft.  A
function's docstring is its entry in the manual.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.base.errors import did_you_mean
from zhisuan.isa.address import LDRAM, NRAM, SRAM, WRAM
from zhisuan.isa.asm_debug import DEBUG_DIRECTIVES
from zhisuan.isa.asm_lines import Cursor
from zhisuan.isa.asm_state import UNKNOWN_PLACE, Draft, read_place
from zhisuan.isa.number import ALL, FLOATS
from zhisuan.isa.program import Array, Kernel, Parameter

PARAMETER_KINDS = ("ptr", "struct", *ALL)
ARRAY_SPACES = {space.name: space for space in (NRAM, WRAM, SRAM, LDRAM)}
"""Memories in which a program gives out arrays itself."""


def _program(cursor: Cursor, draft: Draft) -> None:
    """`.program NAME`: the text is complete, nothing is added to it."""
    draft.name = cursor.name("the program's name")
    draft.complete = True


def _file(cursor: Cursor, draft: Draft) -> None:
    """`.file NAME`: a source file; the order is kept."""
    name = cursor.name("a file name")
    if name not in draft.files:
        draft.files.append(name)


def _line(cursor: Cursor, draft: Draft) -> None:
    """`.line FILE:NUMBER "TEXT"`: where the words that follow come from; `.line ?` is unknown.

    TEXT, what stands in that line, may be left out; messages show it.
    """
    draft.placed = True
    token, following = cursor.peek(), cursor.peek(1)
    if token is not None and token.text == "?" and following is None:
        cursor.take("?", "word")
        draft.place = UNKNOWN_PLACE
        return
    draft.place = _place_with_text(cursor, draft)


def _columns(cursor: Cursor, draft: Draft) -> None:
    """`.columns COLUMN:COUNT …`: where in their lines the words stand, from the first word on."""
    while cursor.peek() is not None:
        column = cursor.integer("a column")
        count = cursor.integer("a number of words") if cursor.take_if(":") else 1
        draft.columns += [column] * count


def _label(cursor: Cursor, draft: Draft) -> None:
    """`.label NAME`: name the next word in listings; branches cannot use the name."""
    draft.kept_labels[len(draft.words)] = cursor.name("a name")


def _word(cursor: Cursor, draft: Draft) -> None:
    """`.word NUMBER`: the 64 bits as they are."""
    column = cursor.column
    value = cursor.integer("a number of 64 bits")
    if not 0 <= value < 1 << 64:
        raise cursor.error("the number does not fit a word", column, expected="64 bits")
    draft.add_word(value, cursor.line)


# kernel := ".kernel" NAME "(" [ kind NAME { "," kind NAME } ] ")" { KEY "=" NUMBER }
def _kernel(cursor: Cursor, draft: Draft) -> None:
    """`.kernel NAME(KIND NAME, …) nram=BYTES wram=BYTES sram=BYTES`: a kernel from the next word.

    KIND is `ptr` or an element type.  The sizes of its linked on-chip arrays may be left out.
    `entry=INDEX` says that it starts elsewhere.
    """
    column = cursor.column
    name = cursor.name("the kernel's name")
    if name in draft.kernels:
        raise cursor.error(f"kernel '{name}' is declared twice", column)
    cursor.expect("(")
    parameters: list[Parameter] = []
    while not cursor.take_if(")"):
        if parameters:
            cursor.expect(",")
        parameters.append(_parameter(cursor))
    sizes = {"nram": 0, "wram": 0, "sram": 0, "entry": len(draft.words)}
    while (token := cursor.peek()) is not None:
        if token.text not in sizes:
            raise cursor.error(f"a kernel has no '{token.text}'", token.column,
                               expected="one of " + ", ".join(sizes),
                               hint=did_you_mean(token.text, sizes))  # fmt: skip
        cursor.take("nram, wram, sram or entry", "word")
        cursor.expect("=")
        sizes[token.text] = cursor.integer("a number")
    draft.kernels[name] = Kernel(
        name, sizes["entry"], tuple(parameters), sizes["nram"], sizes["wram"], sizes["sram"]
    )


def _parameter(cursor: Cursor) -> Parameter:
    token = cursor.take("a parameter such as 'ptr dst'", "word")
    if token.text not in PARAMETER_KINDS:
        raise cursor.error(f"'{token.text}' is not a kind of parameter", token.column,
                           expected="one of " + ", ".join(PARAMETER_KINDS),
                           hint=did_you_mean(token.text, PARAMETER_KINDS))  # fmt: skip
    return Parameter(cursor.name("the parameter's name"), token.text)


# array := ".array" NAME MEMORY "=" OFFSET [ "bytes" "=" NUMBER ] [ FILE ":" NUMBER ]
def _array(cursor: Cursor, draft: Draft) -> None:
    """`.array NAME MEMORY=OFFSET bytes=NUMBER FILE:LINE "TEXT"`: an array.

    MEMORY is nram, wram, sram or ldram.  The checks report accesses outside the arrays of a
    memory that has any.  Without `bytes` it is an arena, all that is left; FILE:LINE, where it
    is declared, may be left out.
    """
    column = cursor.column
    name = cursor.name("the array's name")
    token = cursor.take("a memory", "word")
    if token.text not in ARRAY_SPACES:
        raise cursor.error(f"'{token.text}' has no arrays", token.column,
                           expected=" or ".join(ARRAY_SPACES),
                           hint=did_you_mean(token.text, ARRAY_SPACES))  # fmt: skip
    space = ARRAY_SPACES[token.text]
    cursor.expect("=")
    offset, size, place = cursor.integer("an offset in bytes"), 0, UNKNOWN_PLACE
    following = cursor.peek()
    if following is not None and following.text == "bytes":
        cursor.take("bytes", "word")
        cursor.expect("=")
        size = cursor.integer("a number of bytes")
    if cursor.peek() is not None:
        place = _place_with_text(cursor, draft)
    array = Array(name, space.base + offset, size, *place)
    if offset + size > space.window:
        raise cursor.error(f"the array does not fit {space.name}", column,
                           expected=f"at most {space.window} bytes from its start",
                           found=f"{offset} + {size}")  # fmt: skip
    for other in draft.arrays:
        if other.address < array.address + size and array.address < other.address + other.size:
            raise cursor.error(f"arrays '{other.name}' and '{name}' overlap", column)
    draft.arrays[array] = cursor.line


def _place_with_text(cursor: Cursor, draft: Draft) -> tuple[int, int]:
    """FILE:LINE, and what stands there if that follows."""
    place = read_place(cursor, draft)
    if cursor.peek() is not None:
        draft.texts[place] = cursor.name("the text of the line")
    return place


def _const(cursor: Cursor, draft: Draft) -> None:
    """`.const KIND …`: append to the constants, which lie at the base of CONST.

    `.const hex 00 3c …` bytes; `.const zero COUNT` zero bytes; `.const text "…"` UTF-8;
    `.const f32 1.5, 2` (any element type) numbers, little endian.
    """
    token = cursor.take("what follows: hex, zero, text or an element type", "word")
    if token.text == "hex":
        while cursor.peek() is not None:
            draft.const += _hex_byte(cursor)
    elif token.text == "zero":
        draft.const += bytes(cursor.integer("a count of bytes"))
    elif token.text == "text":
        draft.const += cursor.name("a string").encode()
    elif token.text in ALL:
        draft.const += _number(cursor, token.text)
        while cursor.take_if(","):
            draft.const += _number(cursor, token.text)
    else:
        kinds = ("hex", "zero", "text", *ALL)
        raise cursor.error(f"'{token.text}' is not a kind of constant", token.column,
                           expected="one of " + ", ".join(kinds),
                           hint=did_you_mean(token.text, kinds))  # fmt: skip


def _hex_byte(cursor: Cursor) -> bytes:
    token = cursor.take("bytes as two hex digits", "word")
    try:
        return bytes.fromhex(token.text)
    except ValueError:
        raise cursor.error("this is not a byte", token.column, expected="two hex digits",
                           found=token.text) from None  # fmt: skip


def _number(cursor: Cursor, kind: str) -> bytes:
    token = cursor.take(f"a number of type {kind}", "word")
    try:
        value = float(token.text) if kind in FLOATS else int(token.text, 0)
        with np.errstate(over="ignore"):
            return np.array([value], BY_NAME[kind].numpy.newbyteorder("<")).tobytes()
    except (ValueError, OverflowError):
        raise cursor.error(f"this is not a number of type {kind}", token.column,
                           found=token.text) from None  # fmt: skip


DIRECTIVES: dict[str, Callable[[Cursor, Draft], None]] = {
    ".program": _program,
    ".file": _file,
    ".line": _line,
    ".kernel": _kernel,
    ".columns": _columns,
    ".label": _label,
    ".array": _array,
    ".const": _const,
    ".word": _word,
    **DEBUG_DIRECTIVES,
}
