"""Conversions between element types (VFU): rounding, scaling, saturation.

A float conversion names its rounding after the types; without one it rounds to nearest even.
Opcodes 0x230-0x237.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.element import kinds_of, limits_of, numpy_of
from zhisuan.isa.number import quiet, signed64
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.rounding import WAYS, rounded_to, whole
from zhisuan.isa.transfer import low_half
from zhisuan.isa.vector import FLOAT_MODES, elementwise

_INTEGER_KINDS = ("i8", "u8", "i16", "i32")
_CONVERSIONS = (
    "f16.f32", "f32.f16",
    *(f"{source}.{to}" for source in _INTEGER_KINDS for to in FLOAT_MODES),
    *(f"{source}.{to}" for source in FLOAT_MODES for to in _INTEGER_KINDS),
    *(f"{source}.{to}.{way}" for way in WAYS[1:] for source in FLOAT_MODES
      for to in _INTEGER_KINDS),
    *(f"f32.f16.{way}" for way in WAYS[1:]),
)  # fmt: skip


def _way(mode: str) -> str:
    last = mode.rsplit(".", 1)[-1]
    return last if last in WAYS else "rn"


def _convert(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
    source, destination = kinds_of(o.mode)
    if numpy_of(source).kind != "f" and destination != "i4":
        return x.astype(numpy_of(destination))
    return rounded_to(x, destination, _way(o.mode))


elementwise("VCVT", 0x230, "dst n a",
            """dst[i] = a[i] converted, rounded as the mode says: nearest even, else tz toward zero,
up, dn down, rd nearest with ties away from zero, oz away from zero.  Float to integer
saturates, NaN gives 0.""", _convert, modes=_CONVERSIONS)  # fmt: skip


_FOUR_BITS = (
    "i4.i8", "i8.i4", "i4.f16", "i4.f32", "f16.i4", "f32.i4",
    *(f"{source}.i4.{way}" for way in WAYS[1:] for source in FLOAT_MODES),
)  # fmt: skip
elementwise("VCVT4", 0x235, "dst n a",
            """dst[i] = a[i] from or to 4-bit integers, two in a byte, the first in its low half.

Rounded and saturated as VCVT does; i8 saturates to i4.  The half byte after an odd number of
elements becomes 0.""", _convert, modes=_FOUR_BITS)  # fmt: skip


def _round(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
    return whole(x.astype(np.float64), _way(o.mode)).astype(x.dtype)


elementwise("VRND", 0x232, "dst n a",
            "dst[i] = a[i] rounded to a whole number; the ways are those of VCVT.", _round,
            modes=tuple(f"{kind}.{way}" for kind in FLOAT_MODES for way in WAYS))  # fmt: skip


def _requantise(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
    if not 0 <= signed64(o.bits) <= 62:
        core.trap("a shift by other than 0 to 62 bits")
    half = (1 << o.bits) >> 1
    product = x.astype(np.int64) * low_half(o.mul) + half
    return np.clip(product >> o.bits, *limits_of(kinds_of(o.mode)[1]))


_WHOLE = ("i8", "i16", "i32")
elementwise("VREQ", 0x233, "dst n a mul bits",
            """dst[i] = a[i] * mul / 2^bits, rounded to nearest with ties up, saturated.

Exact fixed point: mul is the low half of a register, signed; bits is 0 to 62.  With mul 1 and
bits 0 it converts between integer types.""", _requantise,
            modes=("i32.i8", "i32.i16", "i32.i32", "i16.i8", "i16.i16", "i16.i32", "i8.i8",
                   "i8.i16", "i8.i32", "i32.i4", "i16.i4", "i8.i4"))  # fmt: skip


def _brain_widths(mode: str) -> tuple[int, int]:
    return (4, 2) if mode == "f32.bf16" else (2, 4)


def _brain_touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = _brain_widths(o.mode)
    return Touch(True, o.dst, o.n * destination), Touch(False, o.a, o.n * source)


def _brain_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(n · 4 / `vector.bytes_per_cycle`))"""
    return machine.vector_cycles(o.n * 4)


@instruction("VBF", 0x234, Unit.VFU, "dst n a", modes=("f32.bf16", "bf16.f32"),
             cycles=_brain_cost, latency="vector.latency", touches=_brain_touches)  # fmt: skip
def vbf(core: Core, o: Operands) -> None:
    """dst[i] = a[i] converted between float32 and bfloat16, the upper half of a float32.

    To bfloat16 it rounds to nearest even.  A NaN becomes the quiet one of the result's type.
    """
    if o.mode == "bf16.f32":
        upper = core.read(o.a, np.uint16, o.n).astype(np.uint32)
        core.write(o.dst, quiet((upper << 16).view(np.float32)))
        return
    values = core.read(o.a, np.float32, o.n)
    bits = values.view(np.uint32).astype(np.uint64)
    even = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    core.write(o.dst, np.where(np.isnan(values), 0x7FC0, even).astype(np.uint16))
