"""Printing from a kernel.

A text comes out when its launch is over, after those of the tasks before: the order is always the
same.  Opcode 0x03C.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zhisuan.isa.number import MASK64, signed64
from zhisuan.isa.registry import Core, Operands, Unit, instruction

MOST_ARGUMENTS = 16
MOST_CHARACTERS = 4096
INTEGER, FLOAT, TEXT, LONG = range(4)
"""Kinds of arguments, as kernels pass them."""
_CONVERSION = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>\d{0,3})(?P<precision>\.\d{1,3})?(?:hh|h|ll|l|z|j|t|L)?"
    r"(?P<letter>[diuxXocfFeEgGsp%])"
)


def _text_at(core: Core, address: int) -> str:
    """The characters up to a zero, UTF-8."""
    raw = bytearray()
    while len(raw) < MOST_CHARACTERS:
        byte = int(core.read((address + len(raw)) & MASK64, np.uint8, 1)[0])
        if not byte:
            return raw.decode("utf-8", "replace")
        raw.append(byte)
    core.trap(f"a text of more than {MOST_CHARACTERS} characters")
    raise AssertionError


def _converted(core: Core, match: re.Match[str], bits: int, kind: int) -> str:
    letter, form = match["letter"], match["flags"] + match["width"] + (match["precision"] or "")
    value: Any = bits
    if letter == "s":
        if kind != TEXT:
            core.trap("%s of an argument that is no text")
        return f"%{form}s" % _text_at(core, bits)
    if letter in "fFeEgG":
        as_float = float(np.array([bits & 0xFFFF_FFFF], np.uint32).view(np.float32)[0])
        value = as_float if kind == FLOAT else float(signed64(bits))
        return f"%{form}{letter}" % value
    if kind == FLOAT:
        core.trap(f"%{letter} of a float")
    if letter in "di":
        value = signed64(bits)
    elif letter in "uxXo" and kind == INTEGER:
        value = bits & 0xFFFF_FFFF
    elif letter == "c":
        value = chr(bits & 0xFF)
    elif letter == "p":
        return hex(bits)
    return f"%{form}{'d' if letter == 'u' else letter}" % value


def formatted(core: Core, text: str, arguments: list[tuple[int, int]]) -> str:
    """`text` with its conversions replaced by arguments, each bits and kind."""
    left = iter(arguments)

    def replaced(match: re.Match[str]) -> str:
        if match["letter"] == "%":
            return "%"
        found = next(left, None)
        if found is None:
            core.trap("fewer arguments than the format asks for")
            return ""
        return _converted(core, match, *found)

    return _CONVERSION.sub(replaced, text)


@instruction("PRINT", 0x3C, Unit.SCALAR, "format arguments count", cost="load")
def print_(core: Core, o: Operands) -> None:
    """Print a text as C's printf formats it, with at most 16 arguments.

    The format is a text that ends with a zero.  An argument is 16 bytes: 64 bits of contents,
    and its kind: 0 an integer of up to 32 bits, extended; 1 a float32; 2 the address of a text;
    3 a wider integer.
    """
    if o.count > MOST_ARGUMENTS:
        core.trap(f"more than {MOST_ARGUMENTS} arguments")
    words = core.read(o.arguments, np.uint64, 2 * o.count).reshape(-1, 2)
    arguments = [(int(bits), int(kind)) for bits, kind in words]
    core.print(formatted(core, _text_at(core, o.format), arguments))
