"""How `.dlps` text spells things: one place for the assembler, the printer and the manual.

Comes in: rows, numbers and names.  Goes out: their text, and numbers parsed back.  It knows
single operands and words, never a whole line or program.
"""

from __future__ import annotations

import json
import re

import numpy as np

from zhisuan.isa.number import FLOATS, bits_of
from zhisuan.isa.registry import Instruction, Kind, Operand

LABEL = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*\Z")
"""A label that needs no quotes.  A label that starts with a dot is local to its text."""
BARE = re.compile(r"(?:[\w.+\-~@<>]|/(?!/))+\Z")
"""File and program names that need no quotes."""

_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?)\Z")
HEX_FROM = 1 << 16
"""Immediates of at least this magnitude are printed in hexadecimal."""


def operand_text(operand: Operand) -> str:
    """An operand as the manual writes it: `$d` register, `#imm` number, `target` label."""
    if operand.is_register:
        return f"${operand.name}"
    return operand.name if operand.kind is Kind.TARGET else f"#{operand.name}"


def syntax(row: Instruction) -> str:
    """The form of a row, `SADD[.mode] $d, $a, #b`; the mode may be left out when bracketed."""
    name = row.mnemonic + ("[.mode]" if len(row.modes) > 1 else "")
    if row.modes != ("",) and len(row.modes) == 1:
        name = f"{row.mnemonic}[.{row.modes[0]}]"
    return f"{name} {', '.join(operand_text(operand) for operand in row.operands)}".rstrip()


def modes_text(modes: tuple[str, ...]) -> str:
    """`.i64, .u64, …`, for messages and the manual."""
    return ", ".join(f".{mode}" if mode else "(none)" for mode in modes)


def quoted(text: str, bare: re.Pattern[str] = BARE) -> str:
    """`text` as it is where `bare` allows, else as a JSON string."""
    return text if bare.match(text) else json.dumps(text)


def number_text(value: int) -> str:
    """A signed integer: decimal when small, else hexadecimal."""
    if abs(value) < HEX_FROM:
        return str(value)
    return f"{'-' if value < 0 else ''}0x{abs(value):x}"


def float_text(bits: int) -> str:
    """The bits of an FP16 number: its exact decimal, or the bits in hex for inf and NaN."""
    if 0 <= bits < 1 << 16:
        value = np.array(bits, np.uint16).view(np.float16)[()]
        if np.isfinite(value):
            return str(float(value))
    return f"{'-' if bits < 0 else ''}0x{abs(bits):04x}"


def parse_integer(text: str) -> int | None:
    """Decimal or 0x text → its value; `f32:1.5` and `f16:1.5` → the bits; else None."""
    kind, colon, rest = text.partition(":")
    if colon and kind in FLOATS and _DECIMAL.match(rest):
        with np.errstate(over="ignore"):
            return bits_of(float(rest), kind)
    if not _INTEGER.match(text):
        return None
    return int(text, 16) if "x" in text.lower() else int(text)


def is_decimal(text: str) -> bool:
    """Whether `text` spells a number with or without a fraction."""
    return bool(_DECIMAL.match(text))


def parse_half(text: str) -> tuple[int, bool]:
    """The text of an FP16 immediate → (bits of the nearest FP16 number, whether it is exact).

    `0x…` gives the bits themselves.  Anything else must satisfy `is_decimal`.
    """
    if "x" in text.lower():
        return int(text, 16), True
    with np.errstate(over="ignore"):
        half = np.float16(text)
    return int(half.view(np.uint16)), float(half) == float(text)
