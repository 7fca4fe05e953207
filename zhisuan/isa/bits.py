"""Bits and whole numbers in vectors (VFU): logic with a register, shifts, remainders, bit masks.

A bit mask has element i in bit i mod 8 of byte i div 8.  Opcodes 0x2B0-0x2BF.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa import element
from zhisuan.isa.address import NRAM
from zhisuan.isa.element import bytes_of, numpy_of
from zhisuan.isa.number import value_of
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.vector import (
    BOTH,
    FLOAT_MODES,
    Function,
    elementwise,
    pair,
    scalar,
    vector_cost,
)

_WHOLE = ("i8", "i16", "i32")
_REGISTER = "s is in a register."


def _with_register(name: str, opcode: int, doc: str, function: Function) -> None:
    elementwise(name, opcode, "dst n a s", f"{doc} {_REGISTER}", scalar(function), modes=_WHOLE)


_with_register("VBANDS", 0x2B0, "dst[i] = a[i] and s, bit by bit.", np.bitwise_and)
_with_register("VBORS", 0x2B1, "dst[i] = a[i] or s, bit by bit.", np.bitwise_or)
_with_register("VBXORS", 0x2B2, "dst[i] = a[i] xor s, bit by bit.", np.bitwise_xor)


def _shift(function: Function) -> Function:
    """The count is modulo the width."""

    def compute(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
        return function(x, x.dtype.type(o.s & (BY_NAME[o.mode].bits - 1)))

    return compute


elementwise("VSHLS", 0x2B3, "dst n a s", f"dst[i] = a[i] << s modulo the width. {_REGISTER}",
            _shift(np.left_shift), modes=("i16", "i32"))  # fmt: skip
elementwise("VSHRS", 0x2B4, "dst n a s",
            f"dst[i] = a[i] >> s modulo the width; arithmetic if signed, else logical. {_REGISTER}",
            _shift(np.right_shift), modes=("i16", "i32", "u16", "u32"))  # fmt: skip
elementwise("VMULH", 0x2B5, "dst n a b",
            "dst[i] = the upper 32 bits of the 64 bits of a[i] * b[i].",
            pair(lambda x, y: x.astype(f"{x.dtype.kind}8") * y.astype(f"{x.dtype.kind}8") >> 32),
            modes=("i32", "u32"), sources=BOTH)  # fmt: skip


elementwise("VREM", 0x2B6, "dst n a b",
            "dst[i] = a[i] modulo b[i] with the sign of a[i]; a[i] itself where b[i] is 0.",
            pair(lambda x, y: np.where(y == 0, x, np.fmod(x, np.where(y == 0, 1, y)))),
            modes=("i16", "i32", "u16", "u32"), sources=BOTH)  # fmt: skip


def _mask_touches(mask: str, vector: str) -> Callable[[Operands], tuple[Touch, ...]]:
    def touches(o: Operands) -> tuple[Touch, ...]:
        mask_bytes, vector_bytes = (o.n + 7) // 8, bytes_of(o.mode, o.n)
        sizes = {mask: mask_bytes, vector: vector_bytes}
        return Touch(True, o.dst, sizes["dst"]), Touch(False, o.a, sizes["a"])

    return touches


@instruction("VTOBITS", 0x2B8, Unit.VFU, "dst n a", modes=FLOAT_MODES, cycles=vector_cost,
             latency="vector.latency", touches=_mask_touches("dst", "a"))  # fmt: skip
def vtobits(core: Core, o: Operands) -> None:
    """Bit i of the mask at dst = whether a[i] is true; the last byte is filled up with zeros."""
    values = core.read(o.a, numpy_of(o.mode), o.n)
    core.write(o.dst, np.packbits(values != 0, bitorder="little"))


@instruction("VOFBITS", 0x2B9, Unit.VFU, "dst n a", modes=FLOAT_MODES, cycles=vector_cost,
             latency="vector.latency", touches=_mask_touches("a", "dst"))  # fmt: skip
def vofbits(core: Core, o: Operands) -> None:
    """dst[i] = 1 if bit i of the mask at a is set, else 0."""
    raw = core.read(o.a, np.uint8, (o.n + 7) // 8)
    element.write(core, o.dst, o.mode, np.unpackbits(raw, count=o.n, bitorder="little"))


NOWHERE = 0xFFFF_FFFF


def _place_touches(o: Operands) -> tuple[Touch, ...]:
    return Touch(True, o.dst, 4 + 0 * o.n), Touch(False, o.a, bytes_of(o.mode, o.n))


def _place(name: str, opcode: int, which: str, at: int) -> None:
    def meaning(core: Core, o: Operands) -> None:
        found = np.flatnonzero(core.read(o.a, numpy_of(o.mode), o.n))
        core.write(o.dst, np.array([found[at] if len(found) else NOWHERE], np.uint32))

    meaning.__doc__ = f"""dst = i of the {which} a[i] that is true, as an unsigned 32-bit number;
    {NOWHERE:#x} if there is none."""
    instruction(name, opcode, Unit.VFU, "dst n a", modes=FLOAT_MODES, cycles=vector_cost,
                latency="vector.latency", touches=_place_touches)(meaning)  # fmt: skip


_place("VFIRST", 0x2BA, "first", 0)
_place("VLAST", 0x2BB, "last", -1)


def _sequence(core: Core, o: Operands) -> np.ndarray:
    if o.n > NRAM.window:
        core.trap("more elements than NRAM can hold")
    kind = numpy_of(o.mode)
    start, step = (np.asarray(_bits(x, o.mode)) for x in (o.s, o.value))
    return (start + np.arange(o.n).astype(kind) * step).astype(kind)


def _bits(register: int, mode: str) -> Any:
    return numpy_of(mode).type(value_of(register, mode))


elementwise("VSEQ", 0x2BC, "dst n s value",
            "dst[i] = s + i · value; both are in registers, in the element type.", _sequence,
            modes=("i16", "i32", "f32", "f16"), sources=())  # fmt: skip
