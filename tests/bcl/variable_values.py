"""Variables for tests: a location → bytes → numbers, lists and dictionaries.

Comes in: a location or a type of a `DebugTable`, and a `Frame` to look in.  Goes out: bytes;
integers, floats, bools; a list for an array, a dictionary for a struct (members in order; a base
class under its own name), the integer of an enum, the address of a pointer.  None wherever a
part is optimised out.  It never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zhisuan.isa.debug_table import (
    SCALAR_BYTES,
    Address,
    Array,
    Computed,
    Constant,
    DebugTable,
    Enum,
    Load,
    Location,
    Member,
    Memory,
    Pieces,
    Pointer,
    Register,
    Scalar,
    Stack,
    Struct,
)
from zhisuan.isa.number import MASK64, signed64

Read = Callable[[int, int], bytes]
"""(address, count) → the bytes that lie there; what it raises passes through."""
Value = int | float | bool | list["Value"] | dict[str, "Value"] | None


@dataclass(frozen=True)
class Look:
    """Where values are looked up: a frame's registers, its base (None: not known), memory."""

    registers: Sequence[int]
    base: int | None
    read: Read


def address_of(where: Location, look: Look) -> int | None:
    """The address of what lies in memory; None for what does not."""
    match where:
        case Stack(offset):
            return None if look.base is None else look.base + offset & MASK64
        case Memory(address):
            return address
        case Load(inner, offset):
            pointer = _number(inner, look)
            return None if pointer is None else pointer + offset & MASK64
    return None


def bytes_of(where: Location, look: Look, start: int, count: int) -> bytes | None:
    """Bytes [start, start + count) of the value at a location."""
    address = address_of(where, look)
    if address is not None:
        return look.read(address + start, count)
    match where:
        case Register(number):
            whole = (int(look.registers[number]) & MASK64).to_bytes(8, "little")
        case Constant(bits):
            whole = bits.to_bytes(max(8, start + count, -(-bits.bit_length() // 8)), "little")
        case Address() | Computed():
            found = _number(where, look)
            whole = b"" if found is None else found.to_bytes(8, "little")
        case Pieces(parts):
            return _of_pieces(parts, look, start, count)
        case _:
            return None
    part = whole[start : start + count]
    return part if len(part) == count else None


def _of_pieces(
    parts: tuple[tuple[int, int, Location], ...], look: Look, start: int, count: int
) -> bytes | None:
    found = b""
    for first, size, where in parts:
        low, high = max(first, start), min(first + size, start + count)
        if low >= high:
            continue
        if low != start + len(found):
            return None
        piece = bytes_of(where, look, low - first, high - low)
        if piece is None:
            return None
        found += piece
    return found if len(found) == count else None


def _number(where: Location, look: Look) -> int | None:
    """The 64 bits at a location."""
    match where:
        case Address(inner):
            return address_of(inner, look)
        case Computed(inner, steps):
            value = _number(inner, look)
            for word, by in steps:
                value = None if value is None else _STEP[word](value, by) & MASK64
            return value
    raw = bytes_of(where, look, 0, 8)
    return None if raw is None else int.from_bytes(raw, "little")


_STEP: dict[str, Callable[[int, int], int]] = {
    "add": lambda value, by: value + by,
    "mul": lambda value, by: value * by,
    "and": lambda value, by: value & by,
    "or": lambda value, by: value | by,
    "xor": lambda value, by: value ^ by,
    "shl": lambda value, by: value << by,
    "shr": lambda value, by: value >> by,
    "sra": lambda value, by: signed64(value) >> by,
}


def value_of(
    table: DebugTable, kind: int, where: Location | None, look: Look, start: int = 0
) -> Value:
    """The value of type `kind` that begins `start` bytes into what is at `where`."""
    plain = table.plain(kind)
    if where is None or plain is None:
        return None
    if isinstance(plain, Array):
        return _array(table, plain, where, look, start)
    if isinstance(plain, Struct):
        return {
            member.name or table.name_of(member.type): _member(table, member, where, look, start)
            for member in plain.members
        }
    raw = bytes_of(where, look, start, table.size_of(kind))
    if raw is None or not raw:
        return None
    if isinstance(plain, Pointer):
        return int.from_bytes(raw, "little")
    return scalar(raw, plain.kind) if isinstance(plain, Scalar | Enum) else None


def _array(table: DebugTable, kind: Array, where: Location, look: Look, start: int) -> Value:
    """Nested lists, outermost dimension first."""
    step = table.size_of(kind.of)
    for count in kind.counts[1:]:
        step *= count

    def element(at: int, depth: int, size: int) -> Value:
        if depth == len(kind.counts):
            return value_of(table, kind.of, where, look, at)
        following = kind.counts[depth + 1] if depth + 1 < len(kind.counts) else 1
        inner = size // following if following else size
        return [element(at + i * size, depth + 1, inner) for i in range(kind.counts[depth])]

    return element(start, 0, step)


def _member(table: DebugTable, member: Member, where: Location, look: Look, start: int) -> Value:
    if not member.bits:
        return value_of(table, member.type, where, look, start + member.offset)
    count = -(-(member.first_bit + member.bits) // 8)
    raw = bytes_of(where, look, start + member.offset, count)
    if raw is None:
        return None
    bits = int.from_bytes(raw, "little") >> member.first_bit & (1 << member.bits) - 1
    plain = table.plain(member.type)
    is_signed = isinstance(plain, Scalar | Enum) and plain.kind.startswith("i")
    return bits - (bits >> member.bits - 1 << member.bits) if is_signed else bits


def scalar(raw: bytes, kind: str) -> int | float | bool | None:
    """The number in little-endian bytes; `kind` is a name of `SCALAR_BYTES`."""
    raw = raw[: SCALAR_BYTES[kind]]
    if kind == "bool":
        return raw[0] != 0
    if kind[0] in "iu":
        return int.from_bytes(raw, "little", signed=kind[0] == "i")
    if kind == "bf16":
        return float(np.frombuffer(b"\0\0" + raw, "<f4")[0])
    if kind in ("f16", "f32", "f64"):
        return float(np.frombuffer(raw, f"<f{len(raw)}")[0])
    return None
