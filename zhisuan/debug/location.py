"""Where a variable's bytes are, from what the debug table says.

Comes in: a location of the table, a frame.  Goes out: an address, a register, or the bytes.
"""

from __future__ import annotations

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.values import Bits, InMemory, InRegister, Joined, Lost, Reader, Where
from zhisuan.isa.debug_query import CallFrame
from zhisuan.isa.debug_table import (
    Address,
    Computed,
    Constant,
    Load,
    Location,
    Memory,
    Pieces,
    Register,
    Stack,
)
from zhisuan.isa.number import MASK64, signed64

__all__ = ["Location", "resolve"]


def resolve(location: Location | None, reader: Reader, frame: CallFrame, innermost: bool) -> Where:
    """`innermost`: the frame's registers are the core's own, so that they can be changed."""
    match location:
        case None:
            return Lost()
        case Register(number):
            if innermost:
                return InRegister(number)
            return Bits(frame.registers[number].to_bytes(8, "little"))
        case Stack(offset):
            return InMemory(frame.base + offset) if frame.base is not None else Lost()
        case Memory(address):
            return InMemory(address)
        case Constant(bits):
            return _word(bits)
        case Load(where, offset):
            inner = resolve(where, reader, frame, innermost)
            return inner if isinstance(inner, Lost) else InMemory(_number(inner, reader) + offset)
        case Address(where):
            inner = resolve(where, reader, frame, innermost)
            return _word(inner.address) if isinstance(inner, InMemory) else Lost()
        case Computed(where, steps):
            inner = resolve(where, reader, frame, innermost)
            if isinstance(inner, Lost):
                return inner
            return _word(_computed(_number(inner, reader), steps))
        case Pieces(parts):
            found = (
                (at, size, resolve(part, reader, frame, innermost)) for at, size, part in parts
            )
            return Joined(tuple(part for part in found if not isinstance(part[2], Lost)))
    raise AssertionError(location)


def _word(bits: int) -> Bits:
    return Bits((bits & MASK64).to_bytes(8, "little"))


def _number(where: Where, reader: Reader) -> int:
    return int.from_bytes(reader.bytes_at(where, 8), "little")


def _computed(number: int, steps: tuple[tuple[str, int], ...]) -> int:
    for word, other in steps:
        match word:
            case "add":
                number += other
            case "mul":
                number *= other
            case "and":
                number &= other
            case "or":
                number |= other
            case "xor":
                number ^= other
            case "shl":
                number <<= other & 63
            case "shr":
                number = (number & MASK64) >> (other & 63)
            case "sra":
                number = signed64(number & MASK64) >> (other & 63)
            case _:
                raise ZhisuanError(f"the debug table has a step '{word}' that nobody knows")
        number &= MASK64
    return number
